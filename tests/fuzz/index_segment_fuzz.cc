// Edits a segment (damaged_sections.h), and searches it beside a sound one or merges both.
#include <map>

#include "tests/fuzz/damaged_sections.h"

namespace obliq::fuzzing {
namespace {

// Of each set, opened once.
const Model& sound_model(const Edited& edited) {
  static std::map<std::string, Model> models;
  const std::string path = edited.path("model");
  const auto known = models.find(path);
  return known != models.end() ? known->second
                               : models.emplace(path, Model::open(path)).first->second;
}

void use_segment(const Edited& edited) {
  const Model& model = sound_model(edited);
  const std::vector<std::string> segments = {edited.path("edited"), edited.path("second")};
  const std::vector<std::int64_t> deleted = {1, 15, 50};
  switch (edited.use / 4 % 6) {
    case 0:
      return use_merged(model, segments, edited, {.threads = 1});
    case 1:
      return use_merged(model, segments, edited, {.deleted = deleted, .threads = 1});
    case 2:
      return use_merged(model, segments, edited, {.lists = {1, 5}, .threads = 1});
    case 3:
      return use_merged(
          model, segments, edited,
          {.as_segment = true, .duplicates = MergeOptions::Duplicates::last, .threads = 1});
    default:
      const bool verify = edited.use / 4 % 6 == 4;
      return use_index(Index::open(model, segments, {.verify = verify}), edited);
  }
}

}  // namespace
}  // namespace obliq::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const obliq::fuzzing::Sets sets("first");
  const obliq::fuzzing::Edited edited = sets.edit_file({data, size});
  obliq::fuzzing::survives([&] { obliq::fuzzing::use_segment(edited); });
  return 0;
}

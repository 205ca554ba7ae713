// Edits an index (damaged_sections.h), and searches, saves or merges it, or encodes with its model.
#include "tests/fuzz/damaged_sections.h"

namespace obliq::fuzzing {
namespace {

void use_file(const Edited& edited) {
  const std::string path = edited.path("edited");
  switch (edited.use / 4 % 5) {
    case 0:
      return use_index(Index::open(path), edited);
    case 1:
      return use_index(Index::open(path, {.residence = Residence::memory, .verify = true}), edited);
    case 2:
      Index::open(path).save(edited.path("saved"));
      return use_index(Index::open(edited.path("saved")), edited);
    case 3: {
      const Model model = Model::open(path);
      const std::vector<std::string> segments = {path, edited.path("encoded")};
      encode_four(model, edited);
      return use_merged(model, segments, edited, {.threads = 1});
    }
    default:
      return use_merged(Model::open(path), {edited.path("range"), edited.path("second")}, edited,
                        {.as_segment = true, .threads = 1});
  }
}

}  // namespace
}  // namespace obliq::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const obliq::fuzzing::Sets sets("index");
  const obliq::fuzzing::Edited edited = sets.edit_file({data, size});
  obliq::fuzzing::survives([&] { obliq::fuzzing::use_file(edited); });
  return 0;
}

// Edits a model (damaged_sections.h), and routes and encodes with it, or searches and merges
// segments under it.
#include "tests/fuzz/damaged_sections.h"

namespace obliq::fuzzing {
namespace {

// Merged and searched with one that was encoded under the sound model.
void use_encoded(const Model& model, const std::string& encoded, const Edited& edited) {
  const std::vector<std::string> segments = {edited.path("second"), encoded};
  switch (edited.use / 4 % 3) {
    case 0:
      require(survives([&] { Index::open(model, std::vector{encoded}, {.verify = true}); }));
      return use_index(Index::open(model, segments), edited);
    case 1:
      return use_merged(model, segments, edited, {.threads = 1});
    default:
      return use_merged(model, segments, edited, {.lists = {1, 5}, .threads = 1});
  }
}

void use_model(const Edited& edited) {
  const Model model = Model::open(edited.path("edited"));
  model.stats();
  const MatrixView<float> vectors = edited.files.base().view().slice(0, 4);
  const bool few = edited.use % 2 == 0;
  survives([&] { model.route(vectors, few ? 2 : 100, 1); });
  if (edited.use / 4 % 4 == 3) {
    use_index(Index::open(model, std::vector{edited.path("first")}), edited);
    return;
  }
  encode_four(model, edited);
  use_encoded(model, edited.path("encoded"), edited);
}

}  // namespace
}  // namespace obliq::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const obliq::fuzzing::Sets sets("model");
  const obliq::fuzzing::Edited edited = sets.edit_file({data, size});
  obliq::fuzzing::survives([&] { obliq::fuzzing::use_model(edited); });
  return 0;
}

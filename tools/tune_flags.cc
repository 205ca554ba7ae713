#include "tools/tune_flags.h"

#include "tools/flags.h"

namespace obliq::tools {

void TuneFlags::add_flags(CLI::App& app, const std::string& otherwise) {
  CLI::Option* queries =
      app.add_option("--learn-queries", learn_queries_,
                     "Queries like those to come; HDF5: FILE:dataset, default learn_queries, else "
                     "learn; without them " +
                         otherwise)
          ->check(file_name());
  app.add_option("--learn-neighbors", learn_neighbors_,
                 "True neighbours of the learn queries: ids, 100 or more each, nearest first; "
                 "HDF5: FILE:dataset, default learn_neighbors. Those of a set of VIBE are taken "
                 "with its learn, unless the index has ids of its own")
      ->check(file_name())
      ->needs(queries);
}

void TuneFlags::read(const Inputs& inputs, std::size_t n, bool ids_are_positions) {
  queries_ = inputs.read(learn_queries_, "learn_queries");
  std::string file = learn_neighbors_;
  if (file.empty() && has_queries() && ids_are_positions) {
    file = inputs.learn_neighbors_of(learn_queries_, n);
  }
  if (!file.empty()) neighbours_ = inputs.read_ids(file, "learn_neighbors");
}

void TuneFlags::tune(Index& index, TuneOptions options) const {
  options.neighbours = neighbours_.view();
  index.tune(queries_.view(), options);
}

}  // namespace obliq::tools

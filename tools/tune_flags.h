// The flags that say what an index is tuned with: those of tune, which build shares.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "obliq/index.h"
#include "tools/inputs.h"

namespace obliq::tools {

class TuneFlags {
 public:
  /// `otherwise`: what happens without learn queries.
  void add_flags(CLI::App& app, const std::string& otherwise);

  /// The files that are read; empty names among them are none.
  std::vector<std::string> files() const { return {learn_queries_, learn_neighbors_}; }
  bool has_queries() const { return !learn_queries_.empty(); }

  /// Reads them. The true neighbours that a set of VIBE has of its learn queries are taken where
  /// none are named and ids are positions in its n vectors. Throws std::invalid_argument.
  void read(const Inputs& inputs, std::size_t n, bool ids_are_positions);
  bool has_neighbours() const { return neighbours_.rows > 0; }
  /// With what was read.
  void tune(Index& index, TuneOptions options) const;

 private:
  std::string learn_queries_;
  std::string learn_neighbors_;
  Matrix<float> queries_;
  Matrix<std::int64_t> neighbours_;
};

}  // namespace obliq::tools

// Files of vectors and ids that a command reads, and --format, which names the format of those
// whose names do not tell it.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/dataset.h"
#include "obliq/matrix_view.h"
#include "obliq/metric.h"
#include "obliq/vector_source.h"

namespace obliq::tools {

class Inputs {
 public:
  void add_format(CLI::App& app);

  /// Call before the others, with all files that the command reads; empty ones are none. Where no
  /// name among them leaves the format open, or tells the one that is given, --format overrules all
  /// names. Throws std::invalid_argument when it is none.
  void settle(const std::vector<std::string>& files);

  /// The queries of a file, of HDF5 without a dataset `test`, and then with the labels; nothing
  /// else of the set is read.
  datasets::BenchmarkSet read_queries(const std::string& file) const;
  /// Those of a file, in HDF5 without a dataset: of `dataset`.
  std::unique_ptr<VectorSource> open(const std::string& file, std::string_view dataset) const;
  /// All of them in memory; none without a file.
  Matrix<float> read(const std::string& file, std::string_view dataset) const;
  Matrix<std::int64_t> read_ids(const std::string& file, std::string_view dataset) const;

  /// The file of the true neighbours that VIBE's sets have of the learn queries in `file`, of a set
  /// of n vectors; else empty.
  std::string learn_neighbors_of(const std::string& file, std::size_t n) const;

  bool is_hdf5(const std::string& file) const;

  /// " --format fbin" where it is given.
  std::string format_flag() const { return format_.empty() ? "" : " --format " + format_; }

  /// The metric that an HDF5 set tells, if `file` is (in) one.
  std::optional<Metric> told_metric(const std::string& file) const;
  /// The metric that the flag names; without one, that of `file` when it is (in) an HDF5 set, else
  /// l2.
  Metric metric(const std::string& flag, const std::string& file) const;

 private:
  std::string_view format_of(const std::string& file) const;

  std::string format_;
  bool overrules_ = false;
};

}  // namespace obliq::tools

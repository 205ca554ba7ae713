// The flags that say what is learnt from a base: those of build, which train shares.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "obliq/index.h"
#include "tools/code_flags.h"
#include "tools/inputs.h"

namespace obliq::tools {

class LearnFlags {
 public:
  /// Declares BASE and the flags. `outcome` is what does not depend on threads: "the index".
  void add_flags(CLI::App& app, const std::string& outcome);

  /// The files that are read.
  std::vector<std::string> files() const;
  /// Settles inputs and options and reads the small files; options() views what was read. Throws
  /// std::invalid_argument.
  void read();
  const std::string& base() const { return base_; }
  const Inputs& inputs() const { return inputs_; }
  /// Those of the flags. The caller adds progress and what is its own.
  BuildOptions& options() { return options_; }
  std::unique_ptr<VectorSource> open_base() const { return inputs_.open(base_, "train"); }

  /// Says on stderr where the lists of n vectors would be tiny.
  void warn_of_small_lists(const std::string& program, std::size_t n) const;

 private:
  void add_list_flags(CLI::App& app);
  void add_input_flags(CLI::App& app);
  void fill_options();

  std::string base_;
  CodeFlags codes_;
  std::string nlist_ = "auto";
  std::string metric_;
  std::string centroids_file_;
  std::string train_queries_file_;
  std::string ids_file_;
  Matrix<float> centroids_;
  Matrix<float> train_queries_;
  Matrix<std::int64_t> ids_;
  Inputs inputs_;
  BuildOptions options_;
};

}  // namespace obliq::tools

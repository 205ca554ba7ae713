#include "tools/vector_rows.h"

#include <fmt/core.h>

#include <stdexcept>

namespace obliq::tools {

Range rows_of_file(const std::string& flag, std::size_t rows, const std::string& file) {
  if (flag.empty()) return {0, rows};
  const Range range = parse_range("--rows", flag);
  if (range.end <= rows) return range;
  throw std::invalid_argument(
      fmt::format("--rows {} goes beyond the {} vectors of {}: end at {}", flag, rows, file, rows));
}

Matrix<std::int64_t> read_vector_ids(const Inputs& inputs, const std::string& file) {
  if (file.empty()) return {};
  Matrix<std::int64_t> ids = inputs.read_ids(file, "ids");
  if (ids.cols == 1) return ids;
  throw std::invalid_argument(
      fmt::format("{}: ids are one per vector, not {} rows of {}", file, ids.rows, ids.cols));
}

Matrix<std::int64_t> read_ids_of(const std::string& vectors, std::size_t rows, const Inputs& inputs,
                                 const std::string& file) {
  Matrix<std::int64_t> ids = read_vector_ids(inputs, file);
  if (file.empty() || ids.rows == rows) return ids;
  throw std::invalid_argument(
      fmt::format("{} holds {} ids, {} holds {} vectors: give one id per vector", file, ids.rows,
                  vectors, rows));
}

}  // namespace obliq::tools

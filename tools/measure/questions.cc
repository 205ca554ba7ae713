#include "tools/measure/questions.h"

#include <fmt/core.h>

#include <algorithm>
#include <stdexcept>

namespace obliq::tools {

datasets::BenchmarkSet read_questions(const std::string& set, const std::string& index,
                                      const IndexStats& stats) {
  datasets::BenchmarkSet read = datasets::read_set(set, datasets::ReadTrain::no);
  if (read.metric != stats.metric) {
    throw std::invalid_argument(fmt::format(
        "the ground truth of {} is for metric {}, but {} is built for {}: build with --metric {}",
        set, to_string(read.metric), index, to_string(stats.metric), to_string(read.metric)));
  }
  if (read.truth.ids.rows == 0) {
    throw std::invalid_argument(
        fmt::format("{} has no ground truth: make one with 'obliq groundtruth'", set));
  }
  return read;
}

datasets::GroundTruth first_rows(const datasets::GroundTruth& truth, std::size_t rows) {
  datasets::GroundTruth part = truth;
  part.ids.rows = rows;
  part.ids.values.resize(rows * truth.ids.cols);
  part.distances.rows = std::min(rows, truth.distances.rows);
  part.distances.values.resize(part.distances.rows * truth.distances.cols);
  return part;
}

}  // namespace obliq::tools

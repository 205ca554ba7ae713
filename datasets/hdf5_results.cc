// Result files as ann-benchmarks stores them, one for each run of an algorithm on a dataset.
#include <fmt/format.h>

#include <stdexcept>

#include "datasets/hdf5_set.h"
#include "datasets/hdf5_writer.h"

namespace obliq::datasets {
namespace {

void check_shapes(const ResultFile& results) {
  const std::size_t queries = results.ids.rows;
  if (results.ids.cols != results.k || results.distances.cols != results.k ||
      results.distances.rows != queries || results.query_seconds.size() != queries) {
    throw std::invalid_argument(
        fmt::format("results of {} x {} ids, {} x {} distances and {} times do not fit k = {}",
                    queries, results.ids.cols, results.distances.rows, results.distances.cols,
                    results.query_seconds.size(), results.k));
  }
}

// Mean number of answers per query.
double mean_answers(const Matrix<std::int64_t>& ids) {
  std::size_t answers = 0;
  for (const std::int64_t id : ids.values) answers += id >= 0 ? 1 : 0;
  return ids.rows == 0 ? 0 : static_cast<double>(answers) / static_cast<double>(ids.rows);
}

}  // namespace

void write_results(const std::string& path, const ResultFile& results) {
  check_shapes(results);
  const auto queries = static_cast<double>(results.ids.rows);
  Hdf5Writer file(path);
  file.integers("neighbors", results.ids.view());
  file.floats("distances", stored_distances(results.distances, results.metric).view());
  file.floats("times", results.query_seconds);
  file.attribute("algo", results.algorithm);
  file.attribute("dataset", results.dataset);
  file.attribute("name", results.parameters);
  file.attribute("distance", distance_name(results.metric));
  file.attribute("count", static_cast<std::int64_t>(results.k));
  file.attribute("run_count", std::int64_t{1});
  file.attribute("batch_mode", std::int64_t{0});
  file.attribute("best_search_time", queries > 0 ? results.search_seconds / queries : 0.0);
  file.attribute("candidates", mean_answers(results.ids));
  file.attribute("build_time", results.build_seconds);
  file.attribute("index_size", results.index_kilobytes);
  file.commit();
}

}  // namespace obliq::datasets

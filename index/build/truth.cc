// Of each learn query the vector that it is itself is left out by its id.
#include "index/build/truth.h"

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "core/exact_knn.h"

namespace obliq {
namespace {

constexpr std::size_t kEach = Truth::kNeighbours;

std::int64_t id_of(const EncodeInput& input, std::size_t row) {
  return input.ids.rows > 0 ? input.ids.data[row] : static_cast<std::int64_t>(input.first + row);
}

// Of each learn query the row that it is.
std::vector<std::uint32_t> rows_of_learn(const TrainedModel& model, const EncodeInput& input) {
  std::vector<std::uint32_t> rows(model.learn_ids.size(), TopK::kNoRow);
  std::unordered_map<std::int64_t, std::size_t> queries;
  for (std::size_t q = 0; q < rows.size(); ++q) queries.emplace(model.learn_ids[q], q);
  queries.erase(-1);
  for (std::size_t row = 0; row < input.vectors.rows(); ++row) {
    const auto found = queries.find(id_of(input, row));
    if (found != queries.end()) rows[found->second] = static_cast<std::uint32_t>(row);
  }
  return rows;
}

}  // namespace

TruthBytes find_truth(const TrainedModel& model, const EncodeInput& input) {
  const std::size_t queries = model.learn_ids.size();
  TruthBytes truth = no_truth(queries);
  if (queries == 0 || input.vectors.rows() == 0) return truth;
  ExactKnnOptions options = {model.metric(), kEach, input.threads, input.progress,
                             "true neighbours"};
  options.ids = {input.ids.data, input.ids.rows};
  const MatrixView<float> learn = {model.learn.data(), queries, model.dim()};
  const Neighbours found = exact_knn(input.vectors, learn, rows_of_learn(model, input), options);
  for (std::size_t q = 0; q < queries; ++q) {
    for (std::size_t i = 0; i < found[q].size(); ++i) {
      truth.distances[q * kEach + i] = found[q][i].first;
      truth.ids[q * kEach + i] = id_of(input, found[q][i].second);
    }
  }
  return truth;
}

}  // namespace obliq

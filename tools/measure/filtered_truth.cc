#include "tools/measure/filtered_truth.h"

#include <fmt/core.h>

#include <algorithm>
#include <stdexcept>

#include "datasets/groundtruth.h"

namespace obliq::tools {
namespace {

constexpr std::size_t kBlockRows = 4096;

/// Some rows of a source, which are read in blocks.
class AllowedRows final : public VectorSource {
 public:
  AllowedRows(const VectorSource& base, std::span<const std::int64_t> allowed)
      : base_(base), allowed_(allowed) {}
  std::size_t rows() const override { return allowed_.size(); }
  std::size_t dim() const override { return base_.dim(); }
  void read(std::size_t first, std::size_t count, float* out) const override {
    Matrix<float> block(kBlockRows, dim());
    for (std::size_t i = first; i < first + count;) {
      const auto begin = static_cast<std::size_t>(allowed_[i]);
      const auto in_block = [&](std::size_t j) {
        return j < first + count && static_cast<std::size_t>(allowed_[j]) < begin + kBlockRows;
      };
      std::size_t end = i;
      while (in_block(end)) ++end;
      base_.read(begin, static_cast<std::size_t>(allowed_[end - 1]) - begin + 1,
                 block.values.data());
      for (; i < end; ++i, out += dim()) {
        const float* row = block.row(static_cast<std::size_t>(allowed_[i]) - begin);
        std::copy(row, row + dim(), out);
      }
    }
  }

 private:
  const VectorSource& base_;
  std::span<const std::int64_t> allowed_;
};

}  // namespace

std::vector<std::int64_t> allowed_ids(const Searched& index, const Filter& filter) {
  const IndexStats& stats = index.stats();
  SearchOptions options;
  options.k = std::max<std::size_t>(stats.n, 1);
  options.nprobe = std::max<std::size_t>(stats.nlist, 1);
  options.confidence = 1;
  options.filter = filter;
  Matrix<float> query(1, stats.dim);
  std::fill(query.values.begin(), query.values.end(), 1.0F);
  std::vector<std::int64_t> ids = index.search(query.view(), options).ids.values;
  ids.erase(std::find(ids.begin(), ids.end(), -1), ids.end());
  if (ids.empty()) throw std::invalid_argument("no vector passes the filter: there is no recall");
  std::sort(ids.begin(), ids.end());
  return ids;
}

datasets::GroundTruth filtered_truth(const VectorSource& base,
                                     std::span<const std::int64_t> allowed,
                                     MatrixView<float> queries, std::size_t k, Metric metric,
                                     const Progress& progress) {
  if (allowed.front() < 0 || static_cast<std::size_t>(allowed.back()) >= base.rows()) {
    throw std::invalid_argument(
        fmt::format("id {} is no row of the {} of the set's base: recall under a filter takes an "
                    "index whose ids are the rows of the set",
                    allowed.front() < 0 ? allowed.front() : allowed.back(), base.rows()));
  }
  datasets::GroundTruth truth =
      datasets::ground_truth(AllowedRows(base, allowed), queries, k, metric, 0, progress);
  for (std::int64_t& id : truth.ids.values) {
    if (id >= 0) id = allowed[static_cast<std::size_t>(id)];
  }
  return truth;
}

}  // namespace obliq::tools

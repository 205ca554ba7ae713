#include "tools/measure/sample.h"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "core/random.h"

namespace obliq::tools {
namespace {

constexpr std::size_t kLeastRows = 8000;

/// `count` of n numbers, rising: a row of a file is best read in its place.
std::vector<std::size_t> draw(std::size_t n, std::size_t count, Random& random) {
  std::vector<std::size_t> rows;
  rows.reserve(count);
  for (std::size_t i = 0; i < n && rows.size() < count; ++i) {
    if (random.below(n - i) < count - rows.size()) rows.push_back(i);
  }
  return rows;
}

void shuffle(std::vector<std::size_t>& order, Random& random) {
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
}

Matrix<float> some_rows(const VectorSource& source, std::size_t count, Random& random) {
  const auto rows = draw(source.rows(), count, random);
  Matrix<float> drawn(rows.size(), source.dim());
  for (std::size_t i = 0; i < rows.size(); ++i) source.read(rows[i], 1, drawn.row(i));
  return drawn;
}

/// Puts the first `count` of `all` into one matrix and the rest, in random order, into another.
void split(const Matrix<float>& all, std::size_t count, Random& random, Sample& sample) {
  std::vector<std::size_t> order(all.rows);
  std::iota(order.begin(), order.end(), std::size_t{0});
  shuffle(order, random);
  if (count > 0) sample.queries = Matrix<float>(count, all.cols);
  sample.base = Matrix<float>(all.rows - count, all.cols);
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::copy_n(all.row(order[i]), all.cols,
                i < count ? sample.queries.row(i) : sample.base.row(i - count));
  }
}

}  // namespace

Sample draw_sample(const VectorSource& base, const std::string& set, const SampleQueries& queries,
                   const SampleOptions& options) {
  const std::size_t n = base.rows();
  if (n < kLeastRows) {
    throw std::invalid_argument(fmt::format(
        "advice needs {} vectors or more, {} has {}: any index of so few is small and fast",
        kLeastRows, set, n));
  }
  Random random(options.seed);
  Sample sample;
  const auto& [source, from] = queries;
  if (source != nullptr) {
    if (source->dim() != base.dim()) {
      throw std::invalid_argument(
          fmt::format("{} has dim {}, the base has {}", from, source->dim(), base.dim()));
    }
    sample.queries = some_rows(*source, options.queries, random);
  }
  const std::size_t held_out = source == nullptr ? std::min(options.queries, n / 10) : 0;
  const std::size_t rows = std::min(n, std::max(options.rows, kLeastRows) + held_out);
  split(some_rows(base, rows, random), held_out, random, sample);
  sample.queries_from = source == nullptr
                            ? fmt::format("{} base vectors left out", sample.queries.rows)
                            : fmt::format("{} queries of {}", sample.queries.rows, from);
  return sample;
}

}  // namespace obliq::tools

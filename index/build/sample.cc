// The keys of all vectors tell which are of the sample; those are then read in the order of the
// base and put in the order of their keys. Of the first of them the learn queries are taken, each
// vector once: what finds copies is found easily, and where most vectors are copies of a few, it
// would set the mean for all others.
#include "index/build/sample.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <set>
#include <string_view>
#include <utility>

#include "core/sample_key.h"
#include "core/spread_rows.h"
#include "index/segment/tuning_section.h"
#include "index/segment/vector_transform.h"
#include "index/tune/tuning.h"
#include "obliq/progress.h"

namespace obliq {
namespace {

constexpr std::size_t kTriedPerLearn = 4;  // vectors looked at for each learn query, at the most

// The rows of the sample by rising key.
std::vector<KeyedRow> choose_rows(const BuildPlan& plan) {
  SmallestKeys smallest(plan.options.seed, plan.sample);
  for (std::size_t row = 0; row < plan.vectors.rows(); ++row) {
    smallest.offer(plan.id(row), static_cast<std::uint32_t>(row));
  }
  return smallest.take();
}

// Stages the given rows, which rise. All vectors are looked at, so that the first one that is not
// finite is named.
void stage(const BuildPlan& plan, const std::vector<std::uint32_t>& rows, StagedVectors& staged) {
  const std::size_t n = plan.vectors.rows();
  Matrix<float> buffer;
  Matrix<float> picked(plan.chunk_rows, plan.dim);
  auto next = rows.begin();
  for (std::size_t first = 0; first < n; first += plan.chunk_rows) {
    const std::size_t size = std::min(plan.chunk_rows, n - first);
    report(plan.options.progress, "sample", static_cast<double>(first) / static_cast<double>(n));
    const MatrixView<float> read = rows_of(plan.vectors, first, size, buffer);
    require_finite(read, "base vector", first, plan.options.metric);
    std::size_t kept = 0;
    for (; next != rows.end() && *next < first + size; ++next) {
      std::copy_n(read.row(*next - first), plan.dim, picked.row(kept++));
    }
    staged.append(picked.view().slice(0, kept));
  }
}

// Takes learn queries out of the staged rows, whose numbers in the order of their keys are `order`:
// puts their numbers at its end.
void take_learn(const BuildPlan& plan, const std::vector<KeyedRow>& chosen,
                std::vector<std::uint32_t>& order, Sample& sample) {
  std::set<std::string_view> known;  // bytes of sample.learn
  sample.learn = Matrix<float>(plan.learn, plan.dim);
  std::vector<std::size_t> taken;
  const std::size_t tried = std::min(kTriedPerLearn * plan.learn, order.size());
  for (std::size_t i = 0; i < tried && taken.size() < plan.learn; ++i) {
    float* query = sample.learn.row(taken.size());
    sample.rows.read(order[i], 1, query);
    const std::string_view bytes(reinterpret_cast<const char*>(query), plan.dim * sizeof *query);
    if (!known.insert(bytes).second) continue;
    taken.push_back(i);
    sample.learn_ids.push_back(chosen[i].id);
  }
  for (std::size_t t = taken.size(); t-- > 0;) {
    std::swap(order[taken[t]], order[order.size() - (taken.size() - t)]);
  }
  sample.learn.rows = taken.size();
  sample.learn.values.resize(taken.size() * plan.dim);
}

}  // namespace

Sample take_sample(const BuildPlan& plan) {
  const std::vector<KeyedRow> chosen = choose_rows(plan);
  std::vector<std::uint32_t> by_row(chosen.size());
  std::iota(by_row.begin(), by_row.end(), 0U);
  std::sort(by_row.begin(), by_row.end(),
            [&](std::uint32_t a, std::uint32_t b) { return chosen[a].row < chosen[b].row; });
  std::vector<std::uint32_t> rows;
  std::vector<std::uint32_t> order(chosen.size());  // staged number of each, by rising key
  for (std::size_t staged = 0; staged < by_row.size(); ++staged) {
    rows.push_back(chosen[by_row[staged]].row);
    order[by_row[staged]] = static_cast<std::uint32_t>(staged);
  }
  Sample sample = {StagedVectors(plan.dim, plan.make_staging()), {}, {}};
  sample.rows.reserve(chosen.size());
  stage(plan, rows, sample.rows);
  const MatrixView<float> given = plan.options.train_queries;
  if (given.rows > 0 && plan.n >= kLeastTuned) {
    sample.learn = spread_rows(given, learn_count(plan.n));
    sample.learn_ids.assign(sample.learn.rows, -1);
  } else {
    take_learn(plan, chosen, order, sample);
  }
  const std::size_t kept = order.size() - (given.rows > 0 ? 0 : sample.learn.rows);
  sample.rows.reorder(order, kept, plan.make_staging());
  return sample;
}

}  // namespace obliq

// The search for nearest rows through groups: what it misses, and what it does not depend on.
#include "index/build/row_groups.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "index/build/kmeans.h"
#include "index/build/learn_margin.h"
#include "index/build/nearest_rows.h"
#include "tests/index/cases.h"

namespace obliq {
namespace {

using testing::clustered;

constexpr std::size_t kDim = 24;
constexpr std::size_t kRows = 3000;
constexpr std::size_t kX = 2000;

// Rows and x of the same clusters, from one set.
Matrix<float> part(std::size_t first, std::size_t count) {
  static const Matrix<float> all = clustered(kRows + kX, kDim, 5, 100);
  Matrix<float> some(count, kDim);
  std::copy_n(all.row(first), count * kDim, some.values.data());
  return some;
}

const Matrix<float>& rows() {
  static const Matrix<float> rows = part(0, kRows);
  return rows;
}

const Matrix<float>& xs() {
  static const Matrix<float> xs = part(kRows, kX);
  return xs;
}

const RowGroups& groups() {
  static const RowGroups groups = [] {
    RowGroups made = divide_rows(rows().view(), 1, 1);
    made.margin = learn_margin(rows().view(), made, xs().view(), 0.01, 1);
    return made;
  }();
  return groups;
}

std::vector<std::uint32_t> nearest(const NearestRows& search) {
  std::vector<std::uint32_t> found(kX);
  assign_nearest(xs().view(), search, 1, found.data());
  return found;
}

std::size_t count_other(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b) {
  std::size_t other = 0;
  for (std::size_t i = 0; i < a.size(); ++i) other += a[i] != b[i] ? 1 : 0;
  return other;
}

TEST(RowGroups, MissTheShareThatTheMarginWasLearntFor) {
  ASSERT_TRUE(std::isfinite(groups().margin));
  const std::size_t missed = count_other(nearest(NearestRows(rows().view())),
                                         nearest(NearestRows(rows().view(), groups())));
  EXPECT_LE(missed, kX / 100);
  EXPECT_GE(missed, kX / 100 - 5);  // a tie or two aside
}

TEST(RowGroups, AreDividedAndLearntAlikeByAnyNumberOfThreads) {
  RowGroups other = divide_rows(rows().view(), 1, 3);
  EXPECT_EQ(other.of_row, groups().of_row);
  EXPECT_EQ(learn_margin(rows().view(), other, xs().view(), 0.01, 3), groups().margin);
}

// One x at a time, in odd pieces and all at once.
TEST(RowGroups, GiveAnXTheSameRowWhateverOthersAreBesideIt) {
  const NearestRows search(rows().view(), groups());
  constexpr std::size_t kSome = 17;
  std::vector<Nearest> all(kX);
  std::vector<BoundedRow> all_some(kX * kSome);
  search.search_some(xs().view(), kSome, all.data(), all_some.data());
  for (const std::size_t piece : {1, 7, 50, 1500}) {
    for (std::size_t i = 0; i < kX; i += piece * 3 + 40) {
      const std::size_t count = std::min(piece, kX - i);
      std::vector<Nearest> part(count);
      std::vector<BoundedRow> some(count * kSome);
      search.search_some(xs().view().slice(i, count), kSome, part.data(), some.data());
      for (std::size_t j = 0; j < count; ++j) {
        ASSERT_EQ(part[j].row, all[i + j].row);
        ASSERT_EQ(part[j].distance2, all[i + j].distance2);
      }
      ASSERT_TRUE(std::equal(some.begin(), some.end(),
                             all_some.begin() + static_cast<std::ptrdiff_t>(i * kSome)));
    }
  }
}

TEST(RowGroups, AnXIsComparedExactlyWithTheRowsOfTheGroupsThatAreLookedAt) {
  const NearestRows search(rows().view(), groups());
  const std::vector<std::uint32_t> found = nearest(search);
  std::vector<std::vector<BoundedRow>> near(kX);
  search.rank_groups(xs().view(), near.data());
  for (std::size_t i = 0; i < kX; i += 20) {
    std::set<std::uint32_t> looked;
    for (const auto& [bound, group] : near[i]) {
      EXPECT_TRUE(looked.empty() || bound - near[i][0].first < groups().margin);
      looked.insert(group);
    }
    for (const auto& [distance, row] : testing::brute_force(Metric::l2, rows(), xs().row(i))) {
      if (looked.count(groups().of_row[static_cast<std::size_t>(row)]) == 0) continue;
      EXPECT_EQ(found[i], row);
      break;
    }
  }
}

TEST(RowGroups, FillUpWithRowsOfOtherGroupsWhereNearOnesHaveTooFew) {
  RowGroups narrow = groups();
  narrow.margin = 0;
  constexpr std::size_t kSome = 200;
  constexpr std::size_t kFew = 100;
  const MatrixView<float> x = xs().view().slice(0, kFew);
  std::vector<Nearest> found(kFew);
  std::vector<BoundedRow> some(kFew * kSome);
  std::vector<BoundedRow> all(kFew * kSome);
  NearestRows(rows().view(), narrow).search_some(x, kSome, found.data(), some.data());
  NearestRows(rows().view()).search_some(x, kSome, found.data(), all.data());
  for (std::size_t i = 0; i < some.size(); ++i) ASSERT_EQ(some[i].first, all[i].first);
}

TEST(RowGroups, AreNotUsedWhereMostRowsWouldBeLookedAt) {
  const auto even = clustered(2000, 64, 9, 1);  // no clusters: every group is about as near
  const RowGroups made = divide_rows(even.view(), 1, 1);
  EXPECT_EQ(learn_margin(even.view(), made, clustered(500, 64, 10, 1).view(), 0, 1),
            std::numeric_limits<float>::infinity());
}

TEST(RowGroups, CopiesInOtherGroupsLeaveTheAnswerTheFirst) {
  Matrix<float> copies = rows();
  for (std::size_t i = 0; i < kDim; ++i) copies.row(2500)[i] = copies.row(3)[i];
  RowGroups wide = groups();
  wide.margin = std::numeric_limits<float>::max();
  const NearestRows search(copies.view(), wide);
  Nearest found;
  search.search(copies.view().slice(2500, 1), nullptr, &found);
  EXPECT_EQ(found.row, 3U);
}

}  // namespace
}  // namespace obliq

// Tuning: which threshold of the stop rule, and which nprobe, reaches which recall.
//
// Learn queries, at most 1,000, are searched through all lists for k = 1, 10 and 100, and at each
// check of the rule it is written down how many of the true neighbours have been found. From these
// traces the recall follows of any threshold and any nprobe, without another search. A target is
// taken to be reached where the mean recall r of the learn queries, m of them, is no less than
//
//     max(target, target - .003 + 1.28 s sqrt(1/m + 1/1000))
//
// with s the standard deviation of the recall over queries: the 90 % quantile of a normal
// distribution times the standard error of the difference between this mean and that of 1,000 other
// queries of the same kind. So in nine of ten such trials recall is at least target - .003.
//
// The rule is used for targets of .9 and more, and only where it saves more entries than it
// costs, against the nprobe that does the same.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "index/segment/segment.h"
#include "index/segment/tuning_section.h"
#include "obliq/tuning.h"
#include "obliq/vector_source.h"

namespace obliq {

/// The least target recall for which the stop rule is considered.
constexpr float kLeastStopTarget = 0.9F;

/// How many learn queries tuning takes for n vectors: 1,000 up to n = 500,000, then fewer, at least
/// 250.
std::size_t learn_count(std::size_t n);
/// The rows of the base that stand in for learn queries: learn_count(n), rising, spread evenly with
/// a seeded jitter. A vector that k-means has seen lies nearer to its centroid than a query does,
/// so the builder keeps them out of its sample where it can.
std::vector<std::uint32_t> learn_rows(std::size_t n, std::uint64_t seed);

/// Vectors that are made one by one.
class RowSource final : public VectorSource {
 public:
  using Make = std::function<void(std::size_t row, float* out)>;
  RowSource(std::size_t rows, std::size_t dim, Make make)
      : rows_(rows), dim_(dim), make_(std::move(make)) {}
  std::size_t rows() const override { return rows_; }
  std::size_t dim() const override { return dim_; }
  void read(std::size_t first, std::size_t count, float* out) const override {
    for (std::size_t i = 0; i < count; ++i) make_(first + i, out + i * dim_);
  }

 private:
  std::size_t rows_;
  std::size_t dim_;
  Make make_;
};

/// Tunes an index just built from `base`, with at most learn_count(n) of `queries`, which are
/// finite and of the index's dim; without queries base vectors stand in, each left out of its own
/// answers. The outcome does not depend on the number of threads. An index below kLeastTuned
/// vectors is not tuned. Cost per learn query: three searches through all lists and n * dim
/// operations.
Tuning tune_built(const Segment& segment, const VectorSource& base, MatrixView<float> queries,
                  const TuneOptions& options);

/// The same for an opened index, whose vectors are `rows`, exact with a raw tier, else decoded;
/// then the truth is what the index finds when it scans all lists at four standard deviations, and
/// codes are taken to lose as much as by `known`, what the index was tuned to before.
/// Throws std::invalid_argument on queries of a wrong dim or that are not finite.
Tuning tune_opened(const Segment& segment, const VectorSource& rows, MatrixView<float> queries,
                   const Tuning& known, const TuneOptions& options);

}  // namespace obliq

// Measurements on a sample of the base from which obliq advise predicts indexes of the whole base:
// the recall that codes allow and the cost of queries, the latter also on a quarter of the sample,
// so that growth can be extrapolated.
//
// The number of lists that a query needs hardly depends on the code of the rows, and the recall
// that a code loses hardly depends on the lists. So there is one index per code, for the recall of
// a scan of all lists (its ceiling), and one sq8 index per share of spilling for the lists that
// queries need; all have the same centroids. The latter use the stop rule for targets of .9 and
// more, as large indexes do, where small ones would often prefer an nprobe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "obliq/index.h"
#include "obliq/progress.h"
#include "tools/measure/bandwidth.h"
#include "tools/measure/profile.h"

namespace obliq::tools {

/// A quantizer with its raw tier.
struct Code {
  std::string quantizer;
  RawTier raw = RawTier::none;
};

/// The codes that a study measures; the first, sq8, is the code of its routing.
const std::vector<Code>& studied_codes();
constexpr std::array<double, 3> kStudiedSpills = {0, 0.5, 1};

/// The two sizes of base that are measured.
enum StudySize : std::size_t { kQuarter = 0, kSample = 1 };
constexpr std::size_t kStudySizes = 2;

/// One code on the sample.
struct CodeStudy {
  Code code;
  double ceiling = 0;  ///< recall@k through all lists
  double row_us = 0;   ///< microseconds to refine a row, less those of sq8
  double raw_us = 0;   ///< microseconds per query in the raw tier
};

struct StudyOptions {
  Metric metric = Metric::l2;
  std::size_t k = 10;
  std::uint64_t seed = 1;
  int threads = 0;
};

class Study {
 public:
  /// Builds and searches indexes of `base`, 4,000 vectors or more, whose rows come in no order.
  /// Cost: about a minute for 50,000 x 384 on two cores.
  Study(Matrix<float> base, Matrix<float> queries, const StudyOptions& options,
        const Progress& progress);

  std::size_t n(StudySize size) const { return sizes_[size].base.rows; }
  std::size_t nlist(StudySize size) const { return sizes_[size].centroids.rows; }
  std::size_t dim() const { return queries_.cols; }
  /// The share of the sample's lists that are far (segment/centroid_code.h).
  double far_share() const { return sizes_[kSample].far_share; }
  const std::vector<CodeStudy>& codes() const { return codes_; }
  const std::vector<Bandwidth>& bandwidths() const { return bandwidths_; }

  /// Entries of each list of the sample's index of that spill.
  const std::vector<std::uint32_t>& list_sizes(double spill) const;

  /// Queries at a target recall in the sq8 index of that spill, one of kStudiedSpills; nothing when
  /// no number of lists reaches it.
  std::optional<Profile> route(StudySize size, double spill, double target) const;

 private:
  struct Route {
    Index index;
    std::vector<std::uint32_t> list_sizes;
  };
  struct SizeData {
    Matrix<float> base;
    Matrix<float> centroids;
    double far_share = 0;
    datasets::GroundTruth truth;
    std::map<double, Route> routes;
  };

  void prepare(SizeData& data, const Progress& progress);
  BuildOptions options_of(const SizeData& data, const Code& code, double spill) const;
  void add_route(SizeData& data, double spill, const Progress& progress) const;
  void study_code(const Code& code);
  Questions questions(const SizeData& data) const;

  StudyOptions options_;
  Matrix<float> queries_;
  std::array<SizeData, kStudySizes> sizes_;
  std::vector<Bandwidth> bandwidths_;
  double sq8_row_us_ = 0;
  std::vector<CodeStudy> codes_;
};

}  // namespace obliq::tools

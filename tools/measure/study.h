// What a sample tells about indexes of the whole set, for obliq advise: how good codes are and what
// queries cost, the latter on a quarter of the sample too, so that growth can be told.
//
// How many lists a query takes hardly depends on the code of the rows, and how much a code loses
// hardly on the lists. So there is one index a code for its ceiling, the recall of a search through
// all lists, and one sq8 index a share of spilling for the rest; all with the same centroids. These
// use the stop rule from recall .9 on, as large indexes do; small ones often choose an nprobe.
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

/// Those that a study looks at; the first, sq8, is the code of its routing.
const std::vector<Code>& studied_codes();
constexpr std::array<double, 3> kStudiedSpills = {0, 0.5, 1};

/// The two sizes that are looked at.
enum Level : std::size_t { kQuarter = 0, kSample = 1 };
constexpr std::size_t kLevels = 2;

/// One code on the sample.
struct CodeStudy {
  Code code;
  double ceiling = 0;  ///< recall@k through all lists
  double row_us = 0;   ///< to refine a row, beyond what sq8 takes
  double raw_us = 0;   ///< a query in the raw tier
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

  std::size_t n(Level level) const { return levels_[level].base.rows; }
  std::size_t nlist(Level level) const { return levels_[level].centroids.rows; }
  std::size_t dim() const { return queries_.cols; }
  /// Whether the sample's centroids have a fine part.
  bool has_fine_centroids() const { return levels_[kSample].has_fine_centroids; }
  const std::vector<CodeStudy>& codes() const { return codes_; }
  const std::vector<Bandwidth>& bandwidths() const { return bandwidths_; }

  /// Entries of each list of the sample's index of that spill.
  const std::vector<std::uint32_t>& list_sizes(double spill) const;

  /// Queries at a target recall in the sq8 index of that spill, one of kStudiedSpills; nothing when
  /// no number of lists reaches it.
  std::optional<Profile> route(Level level, double spill, double target) const;

 private:
  struct Route {
    Index index;
    std::vector<std::uint32_t> list_sizes;
  };
  struct LevelData {
    Matrix<float> base;
    Matrix<float> centroids;
    bool has_fine_centroids = false;
    datasets::GroundTruth truth;
    std::map<double, Route> routes;
  };

  void prepare(LevelData& level, const Progress& progress);
  BuildOptions options_of(const LevelData& level, const Code& code, double spill) const;
  void add_route(LevelData& level, double spill, const Progress& progress) const;
  void study_code(const Code& code);
  Questions questions(const LevelData& level) const;

  StudyOptions options_;
  Matrix<float> queries_;
  std::array<LevelData, kLevels> levels_;
  std::vector<Bandwidth> bandwidths_;
  double sq8_row_us_ = 0;
  std::vector<CodeStudy> codes_;
};

}  // namespace obliq::tools

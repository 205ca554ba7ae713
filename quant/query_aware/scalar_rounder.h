// Nearest levels of a scalar code, 16 targets at a time, in the units of its integer levels: an
// even table of cells no wider than the closest thresholds tells all but one comparison.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "quant/query_aware/query_encoder.h"
#include "quant/scalar_code.h"

namespace obliq {

class ScalarRounder final : public LaneRounder {
 public:
  explicit ScalarRounder(const ScalarCode& code);

  std::size_t block() const override { return 1; }
  void round(const float* target, float* point) const override;

  /// The index of the level that `target` takes, and back.
  std::size_t index(float target) const;
  float level(std::size_t index) const { return levels_[index]; }
  std::size_t levels() const { return levels_.size(); }

 private:
  float cells_per_unit_;
  std::vector<float> levels_;
  std::vector<float> thresholds_;     // above each level; infinity above the last
  std::vector<std::uint8_t> lowest_;  // index at the lower end of each cell
};

}  // namespace obliq

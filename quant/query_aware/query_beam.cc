#include "quant/query_aware/query_beam.h"

#include <algorithm>
#include <cassert>
#include <tuple>

#include "core/kernels/dispatch.h"

namespace obliq {
namespace {

constexpr std::size_t kL = kVectorLanes;

// A path and the level that it takes next.
struct Step {
  float cost;
  std::size_t path;
  std::size_t level;

  bool operator<(const Step& other) const {
    if (cost != other.cost) return cost < other.cost;
    return path != other.path ? path < other.path : level < other.level;
  }
};

class Beam {
 public:
  Beam(const QueryMetric& metric, const ScalarRounder& rounder, std::size_t width)
      : metric_(metric),
        rounder_(rounder),
        width_(width),
        errors_(width * metric.dim()),
        targets_(width),
        costs_{0} {
    assert(metric.block() == 1 && width >= kL && width % kL == 0);
  }

  // Takes coordinate i, whose value is x.
  void advance(std::size_t i, float x) {
    aim(i, x);
    std::vector<Step> steps = next_steps(metric_.pivot(i));
    if (steps.size() > width_) {
      std::nth_element(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(width_),
                       steps.end());
      steps.resize(width_);
    }
    std::sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) {
      return std::tie(a.path, a) < std::tie(b.path, b);
    });
    take(i, x, steps);
  }

  // Numbers of the paths, the cheapest first.
  std::vector<std::size_t> ranking() const {
    std::vector<std::size_t> order(costs_.size());
    for (std::size_t p = 0; p < order.size(); ++p) order[p] = p;
    std::stable_sort(order.begin(), order.end(),
                     [this](std::size_t a, std::size_t b) { return costs_[a] < costs_[b]; });
    return order;
  }

  float& error(std::size_t i, std::size_t path) {
    return errors_[(path / kL * metric_.dim() + i) * kL + path % kL];
  }

 private:
  void aim(std::size_t i, float x) {
    const std::size_t n = metric_.dim();
    for (std::size_t first = 0; first < costs_.size(); first += kL) {
      kernels().row_times_16(metric_.feedback(i) + i + 1, &error(i, first) + kL, n - i - 1,
                             targets_.data() + first);
    }
    for (float& target : targets_) target += x;
  }

  std::vector<Step> next_steps(float weight) const {
    constexpr std::size_t kSide = 2;  // levels tried on either side of the nearest
    std::vector<Step> steps;
    for (std::size_t p = 0; p < costs_.size(); ++p) {
      const std::size_t nearest = rounder_.index(targets_[p]);
      const std::size_t last = std::min(nearest + kSide, rounder_.levels() - 1);
      for (std::size_t k = nearest - std::min(nearest, kSide); k <= last; ++k) {
        const float miss = targets_[p] - rounder_.level(k);
        steps.push_back({costs_[p] + weight * miss * miss, p, k});
      }
    }
    return steps;
  }

  // A path's first step stays in its place; further ones go to places of paths that end, or new
  // ones. `steps` is sorted by path.
  void take(std::size_t i, float x, const std::vector<Step>& steps) {
    std::vector<bool> goes_on(width_);
    for (const Step& step : steps) goes_on[step.path] = true;
    costs_.resize(steps.size());
    std::size_t free = 0;
    for (std::size_t k = 0; k < steps.size(); ++k) {
      const std::size_t path = steps[k].path;
      std::size_t place = path;
      if (k > 0 && steps[k - 1].path == path) {
        while (goes_on[free]) ++free;
        place = free++;
        for (std::size_t j = i + 1; j < metric_.dim(); ++j) error(j, place) = error(j, path);
      }
      costs_[place] = steps[k].cost;
      error(i, place) = x - rounder_.level(steps[k].level);
    }
  }

  const QueryMetric& metric_;
  const ScalarRounder& rounder_;
  std::size_t width_;
  std::vector<float> errors_;  // [width / 16][dim][16]
  std::vector<float> targets_;
  std::vector<float> costs_;  // of the paths there are
};

}  // namespace

std::vector<float> beam_search(const QueryMetric& metric, const ScalarRounder& rounder,
                               const float* x, float scale, std::size_t width) {
  const std::size_t n = metric.dim();
  Beam beam(metric, rounder, width);
  for (std::size_t i = n; i-- > 0;) beam.advance(i, x[i] * scale);
  const std::vector<std::size_t> order = beam.ranking();
  std::vector<float> levels(n * kL);
  for (std::size_t l = 0; l < kL; ++l) {
    const std::size_t path = l < order.size() ? order[l] : order[0];
    for (std::size_t i = 0; i < n; ++i) {
      levels[kL * i + l] = rounder.level(rounder.index(x[i] * scale - beam.error(i, path)));
    }
  }
  return levels;
}

}  // namespace obliq

// Newton's method on the Lloyd-Max conditions. With cells (t_{i-1}, t_i), t_i midway between c_i
// and c_{i+1}, the levels are the root of
//
//     g_i = c_i P_i - M_i,    P_i = mass of cell i,    M_i = first moment of cell i,
//
// whose Jacobian is tridiagonal. Symmetry leaves the positive half: t_0 = 0, or c_1/2 where a level
// lies at 0 between the halves, and t_m = infinity. Plain Lloyd iteration would need more than 1e5
// sweeps at 8 bits; Newton needs about ten.
//
// The law of a coordinate needs no incomplete beta function: with x = sin a, its mass is
// C_d int_0^a cos^(d-2), and the recurrence of that integral has positive terms only.
#include "quant/codebook.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>

namespace obliq {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A symmetric law of variance 1, for u >= 0.
class Law {
 public:
  virtual ~Law() = default;
  virtual double limit() const = 0;           // end of the support
  virtual double mass(double u) const = 0;    // P(0 < U < u)
  virtual double moment(double u) const = 0;  // E[U; U > u]
  virtual double density(double u) const = 0;
};

class NormalLaw final : public Law {
 public:
  double limit() const override { return kInfinity; }
  double mass(double u) const override { return 0.5 * std::erf(u * std::sqrt(0.5)); }
  double moment(double u) const override { return density(u); }
  double density(double u) const override {
    return std::exp(-0.5 * u * u) * std::sqrt(0.5 / std::numbers::pi);
  }
};

// The constant of the coordinate's density, Gamma(d/2) / (sqrt(pi) Gamma((d-1)/2)), dim >= 2.
double sphere_constant(std::size_t dim) {
  double value = dim % 2 == 0 ? 1 / std::numbers::pi : 0.5;
  for (std::size_t d = dim % 2 == 0 ? 2 : 3; d < dim; d += 2) {
    value *= static_cast<double>(d) / static_cast<double>(d - 1);
  }
  return value;
}

class SphereLaw final : public Law {
 public:
  explicit SphereLaw(std::size_t dim)
      : dim_(dim), root_(std::sqrt(static_cast<double>(dim))), constant_(sphere_constant(dim)) {}

  double limit() const override { return root_; }

  double mass(double u) const override {
    if (u >= root_) return 0.5;
    const double sine = u / root_;
    const double cosine2 = 1 - sine * sine;
    const std::size_t power = dim_ - 2;
    // I_n = sin cos^(n-1) / n + (n-1)/n I_(n-2), from I_0 = angle or I_1 = sin.
    double integral = power % 2 == 0 ? std::asin(sine) : sine;
    double term = power % 2 == 0 ? sine * std::sqrt(cosine2) : sine * cosine2;
    for (std::size_t n = power % 2 + 2; n <= power; n += 2) {
      const auto real_n = static_cast<double>(n);
      integral = (term + (real_n - 1) * integral) / real_n;
      term *= cosine2;
    }
    return std::min(0.5, constant_ * integral);
  }

  double moment(double u) const override {
    if (u >= root_) return 0;
    const auto d = static_cast<double>(dim_);
    return root_ * constant_ * std::pow(1 - u * u / d, (d - 1) / 2) / (d - 1);
  }

  double density(double u) const override {
    if (u >= root_) return 0;
    const auto d = static_cast<double>(dim_);
    return constant_ / root_ * std::pow(1 - u * u / d, (d - 3) / 2);
  }

 private:
  std::size_t dim_;
  double root_;
  double constant_;
};

// The positive ones of `count` levels of a compander with density f^(1/3), exact for the normal law
// and bent into the support of the others: sqrt(3) times a normal quantile.
std::vector<double> first_levels(std::size_t count, const Law& law) {
  const NormalLaw normal;
  std::vector<double> levels(count / 2);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const double place = static_cast<double>(i) + (count % 2 == 0 ? 0.5 : 1.0);
    const double target = place / static_cast<double>(count);
    double low = 0;
    double high = 10;
    for (int step = 0; step < 60; ++step) {
      const double middle = 0.5 * (low + high);
      (normal.mass(middle) < target ? low : high) = middle;
    }
    const double level = std::sqrt(3.0) * low;
    levels[i] = level / std::sqrt(1 + level * level / (law.limit() * law.limit()));
  }
  return levels;
}

struct Cells {
  std::vector<double> thresholds;  // t_0 ... t_m
  std::vector<double> masses;
};

// Of the positive ones of `count` levels.
Cells cells_of(const std::vector<double>& levels, std::size_t count, const Law& law) {
  const std::size_t half = levels.size();
  Cells cells{std::vector<double>(half + 1), std::vector<double>(half)};
  if (count % 2 == 1 && half > 0) cells.thresholds[0] = 0.5 * levels[0];
  for (std::size_t i = 1; i < half; ++i) cells.thresholds[i] = 0.5 * (levels[i - 1] + levels[i]);
  cells.thresholds[half] = law.limit();
  double below = law.mass(cells.thresholds[0]);
  for (std::size_t i = 0; i < half; ++i) {
    const double above = i + 1 < half ? law.mass(cells.thresholds[i + 1]) : 0.5;
    cells.masses[i] = above - below;
    below = above;
  }
  return cells;
}

// The Newton step for the levels: solves the tridiagonal system J step = -g.
std::vector<double> newton_step(const std::vector<double>& levels, std::size_t count,
                                const Law& law) {
  const std::size_t half = levels.size();
  const Cells cells = cells_of(levels, count, law);
  const double start = cells.thresholds[0];
  std::vector<double> upper(half);  // upper diagonal after elimination
  std::vector<double> step(half);
  double coupling = -0.5 * start * law.density(start);  // J_{i,i-1} = J_{i-1,i}
  double moment = law.moment(start);
  for (std::size_t i = 0; i < half; ++i) {
    const bool last = i + 1 == half;
    const double t = cells.thresholds[i + 1];
    const double next_moment = last ? 0 : law.moment(t);
    const double next_coupling = last ? 0 : 0.5 * (levels[i] - t) * law.density(t);
    double diagonal = cells.masses[i] + coupling + next_coupling;
    double right = moment - next_moment - levels[i] * cells.masses[i];
    if (i > 0) {
      diagonal -= coupling * upper[i - 1];
      right -= coupling * step[i - 1];
    }
    upper[i] = next_coupling / diagonal;
    step[i] = right / diagonal;
    coupling = next_coupling;
    moment = next_moment;
  }
  for (std::size_t i = half - 1; i-- > 0;) step[i] -= upper[i] * step[i + 1];
  return step;
}

// One Lloyd iteration: each level moves to the mean of its cell.
void lloyd_sweep(std::vector<double>& levels, std::size_t count, const Law& law) {
  const Cells cells = cells_of(levels, count, law);
  double moment = law.moment(cells.thresholds[0]);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const double next_moment = i + 1 < levels.size() ? law.moment(cells.thresholds[i + 1]) : 0;
    levels[i] = (moment - next_moment) / cells.masses[i];
    moment = next_moment;
  }
}

// The largest of 1, 1/2, 1/4, ... of the step that keeps every gap between levels within a factor
// of two and the levels inside the support: far out a full step can leave for good.
double safe_share(const std::vector<double>& levels, const std::vector<double>& step,
                  const Law& law) {
  for (double share = 1;; share *= 0.5) {
    double below = 0;
    double below_step = 0;
    bool safe = levels.back() + share * step.back() < law.limit();
    for (std::size_t i = 0; i < levels.size(); ++i) {
      const double gap = levels[i] - below;
      const double change = share * (step[i] - below_step);
      safe = safe && change > -0.5 * gap && change < gap;
      below = levels[i];
      below_step = step[i];
    }
    if (safe) return share;
  }
}

std::vector<double> solve(std::size_t count, const Law& law) {
  constexpr int kSweeps = 20;  // to where Newton converges
  std::vector<double> levels = first_levels(count, law);
  if (levels.empty()) return levels;
  for (int sweep = 0; sweep < kSweeps; ++sweep) lloyd_sweep(levels, count, law);
  for (int iteration = 0; iteration < 100; ++iteration) {
    const std::vector<double> step = newton_step(levels, count, law);
    const double share = safe_share(levels, step, law);
    double largest = 0;
    for (std::size_t i = 0; i < levels.size(); ++i) {
      levels[i] += share * step[i];
      largest = std::max(largest, std::abs(step[i]));
    }
    // The next error is about the square of this step, below that of rounding in the tail.
    if (largest < 1e-8) return levels;
  }
  throw std::logic_error("Lloyd-Max levels did not converge");
}

Codebook make_codebook(std::size_t count, const Law& law) {
  assert(count >= 1 && count <= 256);
  const std::vector<double> positive = solve(count, law);
  const Cells cells = cells_of(positive, count, law);
  const std::size_t half = positive.size();
  Codebook book;
  for (std::size_t i = half; i-- > 0;) {
    book.levels.push_back(-positive[i]);
    book.masses.push_back(cells.masses[i]);
    if (i > 0 || count % 2 == 1) book.thresholds.push_back(-cells.thresholds[i]);
  }
  if (count % 2 == 1) {
    book.levels.push_back(0);
    book.masses.push_back(half > 0 ? 2 * law.mass(cells.thresholds[0]) : 1);
  } else {
    book.thresholds.push_back(0);
  }
  for (std::size_t i = 0; i < half; ++i) {
    book.levels.push_back(positive[i]);
    book.masses.push_back(cells.masses[i]);
    if (i > 0 || count % 2 == 1) book.thresholds.push_back(cells.thresholds[i]);
  }
  return book;
}

}  // namespace

Codebook normal_codebook(std::size_t bits) { return normal_codebook_of(std::size_t{1} << bits); }

Codebook normal_codebook_of(std::size_t count) { return make_codebook(count, NormalLaw()); }

Codebook sphere_codebook(std::size_t bits, std::size_t dim) {
  return make_codebook(std::size_t{1} << bits, SphereLaw(std::max<std::size_t>(dim, 3)));
}

Codebook coordinate_codebook(std::size_t bits, std::size_t dim) {
  constexpr std::size_t kNearlyNormal = 1024;
  return dim <= kNearlyNormal ? sphere_codebook(bits, dim) : normal_codebook(bits);
}

double distortion(const Codebook& codebook) {
  double sum = 0;
  for (std::size_t k = 0; k < codebook.levels.size(); ++k) {
    sum += codebook.masses[k] * codebook.levels[k] * codebook.levels[k];
  }
  return 1 - sum;
}

double entropy(const Codebook& codebook) {
  double sum = 0;
  for (const double mass : codebook.masses) {
    if (mass > 0) sum -= mass * std::log2(mass);
  }
  return sum;
}

double mean_abs_coordinate(std::size_t dim) {
  assert(dim >= 1);
  if (dim == 1) return 1;
  return 2 * sphere_constant(dim) / static_cast<double>(dim - 1);
}

}  // namespace obliq

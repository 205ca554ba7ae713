// The residual is kept in both bases, r and t = Q^T r: a step on one side costs one apply to bring
// the other up to date, and a second step on the same side none.
#include "quant/kashin/kashin_decomposition.h"

#include <cmath>
#include <utility>

namespace obliq {
namespace {

double l1_norm(const std::vector<float>& x) {
  double sum = 0;
  for (const float value : x) sum += std::abs(value);
  return sum;
}

class Decomposer {
 public:
  Decomposer(const float* x, const Rotation& basis, const KashinOptions& options)
      : basis_(basis), options_(options), r_(x, x + basis.dim()), t_(r_) {
    result_.u.resize(r_.size());
    result_.v.resize(r_.size());
    basis.apply_inverse(t_.data());
    note_energy(r_);
  }

  bool done() const {
    const auto& energies = result_.energies;
    return energies.size() > options_.max_steps ||
           energies.back() <= options_.tolerance * options_.tolerance * energies.front();
  }

  bool prefers_u() const { return l1_norm(r_) > l1_norm(t_); }

  void step_u() { step(r_, result_.u); }
  void step_v() { step(t_, result_.v); }

  // After steps on u, or on v: brings the residual of the other side up to date.
  void renew_v() {
    t_ = r_;
    basis_.apply_inverse(t_.data());
  }
  void renew_u() {
    r_ = t_;
    basis_.apply(r_.data());
  }

  KashinDecomposition take() { return std::move(result_); }

 private:
  void step(std::vector<float>& residual, std::vector<float>& factor) {
    const auto size = static_cast<float>(l1_norm(residual) / static_cast<double>(residual.size()));
    for (std::size_t i = 0; i < residual.size(); ++i) {
      const float part = residual[i] < 0 ? -size : size;
      factor[i] += part;
      residual[i] -= part;
    }
    note_energy(residual);
  }

  void note_energy(const std::vector<float>& residual) {
    double energy = 0;
    for (const float value : residual) energy += double{value} * value;
    result_.energies.push_back(energy);
  }

  const Rotation& basis_;
  KashinOptions options_;
  std::vector<float> r_;
  std::vector<float> t_;
  KashinDecomposition result_;
};

}  // namespace

KashinDecomposition decompose_greedy(const float* x, const Rotation& basis,
                                     const KashinOptions& options) {
  Decomposer decomposer(x, basis, options);
  while (!decomposer.done()) {
    if (decomposer.prefers_u()) {
      decomposer.step_u();
      decomposer.renew_v();
    } else {
      decomposer.step_v();
      decomposer.renew_u();
    }
  }
  return decomposer.take();
}

KashinDecomposition decompose_alternating(const float* x, const Rotation& basis,
                                          const KashinOptions& options) {
  Decomposer decomposer(x, basis, options);
  while (!decomposer.done()) {
    decomposer.step_u();
    if (!decomposer.done()) decomposer.step_u();
    decomposer.renew_v();
    if (decomposer.done()) break;
    decomposer.step_v();
    if (!decomposer.done()) decomposer.step_v();
    decomposer.renew_u();
  }
  return decomposer.take();
}

}  // namespace obliq

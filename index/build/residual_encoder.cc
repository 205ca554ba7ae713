// The quantizer encodes a batch of residuals. From each code come the factors that make its product
// with a query unbiased, and from the residual's signs those of the entry. Factors are rounded to
// the 11 bits that fp16 keeps before additive factors are computed with them, so that these fit
// what is stored.
#include "index/build/residual_encoder.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/half.h"
#include "core/kernels/dispatch.h"

namespace obliq {
namespace {

constexpr std::size_t kBatch = 16;  // vectors coded together

// Whether <x^,c> is no part of the additive factor.
bool drops_centroid(const EncodeTask& task) { return task.far || task.c == nullptr; }

}  // namespace

ResidualEncoder::ResidualEncoder(const Quantizer& quantizer, Metric metric)
    : quantizer_(quantizer),
      shape_(quantizer),
      metric_(metric),
      residuals_(kBatch, quantizer.dim()),
      decoded_(quantizer.dim()),
      codes_(kBatch * quantizer.layout().code_bytes) {}

void ResidualEncoder::add(const EncodeTask& task) {
  float* residual = residuals_.row(tasks_.size());
  const std::size_t dim = residuals_.cols;
  if (task.c == nullptr) {
    std::copy_n(task.x, dim, residual);
  } else {
    for (std::size_t i = 0; i < dim; ++i) residual[i] = task.x[i] - task.c[i];
  }
  tasks_.push_back(task);
  if (tasks_.size() == kBatch) flush();
}

void ResidualEncoder::flush() {
  Factors factors[kBatch];
  quantizer_.encode_batch(residuals_.view().slice(0, tasks_.size()), codes_.data(), factors);
  const std::size_t bytes = quantizer_.layout().code_bytes;
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    tasks_[i].numbers->factors = factors[i];
    finish({tasks_[i], residuals_.row(i), codes_.data() + i * bytes});
  }
  tasks_.clear();
}

void ResidualEncoder::finish(const Coded& coded) {
  const std::size_t dim = quantizer_.dim();
  const EncodeTask& task = coded.task;
  task.numbers->r2 = kernels().dot(coded.residual, coded.residual, dim);
  row_code(coded);
  sign_code(coded);
  std::copy_n(coded.code + quantizer_.layout().code_bytes - shape_.rest, shape_.rest, task.rest);
}

// Of a decoded vector x^ (segment.h has the formulas); `product` is <x^,c>.
float ResidualEncoder::additive_factor(const Coded& coded, float product) const {
  const float* c = coded.task.c;
  if (metric_ != Metric::ip) return coded.task.numbers->r2 + 2 * product;
  return product - (c == nullptr ? 0.0F : kernels().dot(coded.residual, c, quantizer_.dim()));
}

// <s,r> and <s,c> with the signs s of the entry, which are written: those of the residual, or of
// the code where it leads with them. A code mostly has the same ones.
ResidualEncoder::SignSums ResidualEncoder::sign_sums(const Coded& coded) {
  const std::size_t dim = quantizer_.dim();
  const std::size_t bytes = plane_bytes(dim);
  const float* r = coded.residual;
  const float* c = coded.task.c == nullptr ? r : coded.task.c;
  std::uint8_t* signs = coded.task.signs;
  SignSums sums;
  kernels().pack_signs(r, c, dim, signs, &sums.residual, &sums.centroid);
  const bool leads = shape_.leads_with_signs && coded.code != nullptr;
  if (!leads || std::equal(signs, signs + bytes, coded.code)) return sums;
  std::copy_n(coded.code, bytes, signs);
  for (std::size_t i = 0; i < dim; ++i) {
    decoded_[i] = (signs[i / 8] >> (i % 8) & 1) != 0 ? 1.0F : -1.0F;
  }
  return {kernels().dot(r, decoded_.data(), dim), kernels().dot(c, decoded_.data(), dim)};
}

void ResidualEncoder::sign_code(const Coded& coded) {
  EncodedNumbers& numbers = *coded.task.numbers;
  const SignSums sums = sign_sums(coded);
  const float l1 = sums.residual;
  if (l1 > 0) {
    numbers.entry_rescale = round_to_half_precision(numbers.r2 / l1);
    const auto dim = static_cast<float>(quantizer_.dim());
    numbers.sine2 = std::max(0.0F, 1 - l1 * (l1 / numbers.r2) / dim);
  }
  numbers.entry_add = additive_factor(
      coded, drops_centroid(coded.task) ? 0.0F : numbers.entry_rescale * sums.centroid);
}

void ResidualEncoder::row_code(const Coded& coded) {
  EncodedNumbers& numbers = *coded.task.numbers;
  const std::size_t dim = quantizer_.dim();
  for (float& factor : numbers.factors) factor = round_to_half_precision(factor);
  quantizer_.decode(coded.code, numbers.factors, decoded_.data());
  const float* c = coded.task.c;
  numbers.row_add = additive_factor(
      coded, drops_centroid(coded.task) ? 0.0F : kernels().dot(decoded_.data(), c, dim));
  // Where a factor makes <x^,r> = |r|^2, this is the tangent of their angle; it holds for others
  // too.
  const float error2 = kernels().l2_sqr(decoded_.data(), coded.residual, dim);
  if (numbers.r2 > 0) numbers.tangent2 = error2 / numbers.r2;
  const std::span<const float> mean_query = quantizer_.mean_query();
  if (mean_query.empty()) return;
  for (std::size_t i = 0; i < dim; ++i) decoded_[i] = coded.residual[i] - decoded_[i];
  numbers.row_add -=
      product_weight(metric_) * kernels().dot(decoded_.data(), mean_query.data(), dim);
}

void ResidualEncoder::code_entry(const EncodeTask& task) {
  float* residual = residuals_.row(tasks_.size());
  const std::size_t dim = quantizer_.dim();
  for (std::size_t i = 0; i < dim; ++i) {
    residual[i] = task.x[i] - (task.c == nullptr ? 0.0F : task.c[i]);
  }
  task.numbers->r2 = kernels().dot(residual, residual, dim);
  sign_code({task, residual, nullptr});
}

}  // namespace obliq

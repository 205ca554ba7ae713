#include "index/coder.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "quant/half.h"
#include "quant/kernels/dispatch.h"

namespace obliq {
namespace {

constexpr std::size_t kBatch = 16;  // vectors coded together

// Rounds to the 11 bits that a half keeps, whatever the exponent, so that the bracket is computed
// with the factors that the row will hold.
float round_to_half_precision(float value) {
  std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  bits += 0xFFFU + (bits >> 13 & 1U);
  return std::bit_cast<float>(bits & ~0x1FFFU);
}

void store_half(float value, std::uint8_t* out) {
  const std::uint16_t half = float_to_half(value);
  std::memcpy(out, &half, sizeof half);
}

float load_half(const std::uint8_t* bytes) {
  std::uint16_t half = 0;
  std::memcpy(&half, bytes, sizeof half);
  return half_to_float(half);
}

// The smallest power of two >= value; 1 for 0. Kept inside the normal floats.
float power_of_two_above(float value) {
  if (value <= 0) return 1.0F;
  int exponent = 0;
  std::frexp(value, &exponent);
  return std::ldexp(1.0F, std::clamp(exponent, -125, 127));
}

// The unit of a list whose numbers at home are at most `home` and those of second entries at most
// `second`. A half keeps its 11 bits up to 2^16.
float unit_of(float home, float second) {
  constexpr float kMostUnits = 32768;
  if (home <= 0) return power_of_two_above(second);
  const float unit = power_of_two_above(home);
  return second <= unit ? unit : std::max(unit, power_of_two_above(second) / kMostUnits);
}

}  // namespace

Coder::Coder(const Quantizer& quantizer, Metric metric)
    : quantizer_(quantizer),
      shape_(quantizer),
      metric_(metric),
      residuals_(kBatch, quantizer.dim()),
      decoded_(quantizer.dim()),
      codes_(kBatch * quantizer.layout().code_bytes) {}

void Coder::add(const CodeTask& task) {
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

void Coder::flush() {
  Factors factors[kBatch];
  quantizer_.encode_batch(residuals_.view().slice(0, tasks_.size()), codes_.data(), factors);
  const std::size_t bytes = quantizer_.layout().code_bytes;
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    tasks_[i].numbers->factors = factors[i];
    finish({tasks_[i], residuals_.row(i), codes_.data() + i * bytes});
  }
  tasks_.clear();
}

void Coder::finish(const Coded& coded) {
  const std::size_t dim = quantizer_.dim();
  const CodeTask& task = coded.task;
  task.numbers->r2 = kernels().dot(coded.residual, coded.residual, dim);
  row_code(coded);
  sign_code(coded);
  std::copy_n(coded.code + quantizer_.layout().code_bytes - shape_.rest, shape_.rest, task.rest);
}

// Of a decoded vector x^ (segment.h has the formulas); `product` is <x^,c>.
float Coder::bracket(const Coded& coded, float product) const {
  const float* c = coded.task.c;
  if (metric_ != Metric::ip) return coded.task.numbers->r2 + 2 * product;
  return product - (c == nullptr ? 0.0F : kernels().dot(coded.residual, c, quantizer_.dim()));
}

// <s,r> and <s,c> with the signs s of the entry, which are written: those of the residual, or of
// the code where it leads with them. A code mostly has the same ones.
Coder::SignSums Coder::sign_sums(const Coded& coded) {
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

void Coder::sign_code(const Coded& coded) {
  CodedNumbers& numbers = *coded.task.numbers;
  const SignSums sums = sign_sums(coded);
  const float l1 = sums.residual;
  if (l1 > 0) {
    numbers.b = round_to_half_precision(numbers.r2 / l1);
    const auto dim = static_cast<float>(quantizer_.dim());
    numbers.sine2 = std::max(0.0F, 1 - l1 * (l1 / numbers.r2) / dim);
  }
  numbers.a = bracket(coded, coded.task.c == nullptr ? 0.0F : numbers.b * sums.centroid);
}

void Coder::row_code(const Coded& coded) {
  CodedNumbers& numbers = *coded.task.numbers;
  const std::size_t dim = quantizer_.dim();
  for (float& factor : numbers.factors) factor = round_to_half_precision(factor);
  quantizer_.decode(coded.code, numbers.factors, decoded_.data());
  const float* c = coded.task.c;
  numbers.bracket = bracket(coded, c == nullptr ? 0.0F : kernels().dot(decoded_.data(), c, dim));
  // Where a factor makes <x^,r> = |r|^2, this is the tangent of their angle; it holds for others
  // too.
  const float error2 = kernels().l2_sqr(decoded_.data(), coded.residual, dim);
  if (numbers.r2 > 0) numbers.tangent2 = error2 / numbers.r2;
  const std::span<const float> mean_query = quantizer_.mean_query();
  if (mean_query.empty()) return;
  for (std::size_t i = 0; i < dim; ++i) decoded_[i] = coded.residual[i] - decoded_[i];
  numbers.bracket -=
      product_weight(metric_) * kernels().dot(decoded_.data(), mean_query.data(), dim);
}

void Coder::code_entry(const float* x, const float* c, std::uint8_t* signs, CodedNumbers& numbers) {
  float* residual = residuals_.row(tasks_.size());
  const std::size_t dim = quantizer_.dim();
  for (std::size_t i = 0; i < dim; ++i) residual[i] = x[i] - (c == nullptr ? 0.0F : c[i]);
  numbers.r2 = kernels().dot(residual, residual, dim);
  const CodeTask task = {x, c, signs, nullptr, &numbers};
  sign_code({task, residual, nullptr});
}

void NumberRange::add(const CodedNumbers& numbers) {
  ++count;
  longest2 = std::max(longest2, numbers.r2);
  most_bracket = std::max({most_bracket, std::abs(numbers.a), std::abs(numbers.bracket)});
  r2_sum += numbers.r2;
}

void choose_units(const NumberRange& home, const NumberRange& second, ListRecord& record) {
  record.scale = unit_of(std::sqrt(home.longest2), std::sqrt(second.longest2));
  record.a_scale = unit_of(home.most_bracket, second.most_bracket);
  const auto count = static_cast<double>(std::max<std::size_t>(home.count, 1));
  record.mean_r2 = static_cast<float>(home.r2_sum / count);
}

void write_entry(const std::uint8_t* signs, const CodedNumbers& numbers, const ListRecord& record,
                 std::uint32_t row, std::size_t dim, std::uint64_t entry, std::uint8_t* blocks) {
  std::uint8_t* block = blocks + entry / kBlockEntries * block_bytes(dim);
  const std::size_t lane = entry % kBlockEntries;
  const std::size_t groups = sign_groups(dim);
  for (std::size_t g = 0; g < groups; ++g) {
    const unsigned bits = signs[g / 2] >> (4 * (g % 2)) & 15U;
    std::uint8_t& byte = block[16 * g + lane % 16];
    byte = static_cast<std::uint8_t>(byte | bits << (lane < 16 ? 0 : 4));
  }
  std::uint8_t* factors = block + 16 * groups;
  store_half(numbers.a / record.a_scale, factors + 2 * lane);
  store_half(numbers.b / record.scale, factors + 2 * kBlockEntries + 2 * lane);
  std::memcpy(factors + 4 * kBlockEntries + 4 * lane, &row, sizeof row);
}

void write_factors(const RowShape& shape, const CodedNumbers& numbers, const ListRecord& record,
                   std::uint8_t* row) {
  std::uint8_t* out = row + shape.rest;
  for (std::size_t f = 0; f < shape.factors; ++f, out += 2) {
    store_half(numbers.factors[f] / record.scale, out);
  }
  store_half(numbers.bracket / record.a_scale, out);
}

std::uint32_t entry_row(const std::uint8_t* blocks, std::size_t dim, std::uint64_t entry) {
  const std::uint8_t* block = blocks + entry / kBlockEntries * block_bytes(dim);
  const std::uint8_t* rows = block + 16 * sign_groups(dim) + 4 * kBlockEntries;
  std::uint32_t row = 0;
  std::memcpy(&row, rows + 4 * (entry % kBlockEntries), sizeof row);
  return row;
}

void write_home(const RowShape& shape, const RowHome& home, std::uint8_t* row) {
  std::uint8_t* out = row + shape.bytes() - shape.home();
  const auto entry = static_cast<std::uint32_t>(home.entry);
  std::memcpy(out, &home.list, shape.home_list);
  std::memcpy(out + shape.home_list, &entry, shape.home_entry);
}

RowHome read_home(const RowShape& shape, const std::uint8_t* row) {
  const std::uint8_t* at = row + shape.bytes() - shape.home();
  RowHome home;
  std::uint16_t near = 0;
  std::memcpy(&near, at, sizeof near);
  home.list = near;
  if (shape.home_list == sizeof home.list) std::memcpy(&home.list, at, sizeof home.list);
  if (shape.home_entry == 0) return home;
  std::uint32_t entry = 0;
  std::memcpy(&entry, at + shape.home_list, sizeof entry);
  home.entry = entry;
  return home;
}

Factors read_factors(const RowShape& shape, const std::uint8_t* row, float scale) {
  Factors factors = {};
  for (std::size_t f = 0; f < shape.factors; ++f) {
    factors[f] = load_half(row + shape.rest + 2 * f) * scale;
  }
  return factors;
}

float read_bracket(const RowShape& shape, const std::uint8_t* row, float a_scale) {
  return load_half(row + shape.rest + 2 * shape.factors) * a_scale;
}

}  // namespace obliq

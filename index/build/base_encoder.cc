// The base is read a chunk at a time: vectors are transformed, each gets its primary list and,
// where vectors are spilled, a candidate for a second one, and its residuals are encoded by all
// threads. Which candidates become entries is known only when all losses are, at the end of the
// pass.
#include "index/build/base_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <span>
#include <stdexcept>

#include "core/largest.h"
#include "core/parallel.h"
#include "index/build/kmeans.h"
#include "index/build/learn_transform.h"
#include "index/build/staged_vectors.h"
#include "index/segment/raw_tier.h"

namespace obliq {
namespace {

/// Entries of the chunk at hand.
struct Chunk {
  std::vector<EncodedNumbers> numbers;
  std::vector<std::uint8_t> signs;

  void start(std::size_t count, std::size_t plane) {
    numbers.assign(count, {});
    signs.assign(count * plane, 0);
  }
  void stage(EncodedEntries& entries) const {
    entries.numbers.append({reinterpret_cast<const std::uint8_t*>(numbers.data()),
                            numbers.size() * sizeof(EncodedNumbers)});
    entries.signs.append(signs);
  }
};

class BaseEncoder {
 public:
  BaseEncoder(const BuildPlan& plan, const TrainedParts& parts);

  EncodedBase code();

 private:
  void reserve();
  void code_chunk(MatrixView<float> original, std::size_t first);
  void choose_lists_of(std::size_t first);
  void code_rows(std::size_t first, std::size_t begin, std::size_t end);
  void store_raw(MatrixView<float> original, std::size_t first);
  void correct_zeros(MatrixView<float> original);
  void choose_spilled();

  const BuildPlan& plan_;
  const BuildOptions& options_;
  const TrainedParts& parts_;
  const std::size_t n_;
  const std::size_t dim_;
  const RowShape shape_;
  const MatrixView<float> centroids_;
  const NearestRows search_;
  std::vector<bool> is_far_;  // of each list
  EncodedBase coded_;
  std::vector<ListChoice> choices_;  // one per vector where vectors are spilled

  Matrix<float> transformed_;
  Chunk primaries_;
  Chunk seconds_;
  std::vector<std::uint8_t> rows_;
  std::vector<std::uint8_t> raw_;
};

BaseEncoder::BaseEncoder(const BuildPlan& plan, const TrainedParts& parts)
    : plan_(plan),
      options_(plan.options),
      parts_(parts),
      n_(plan.n),
      dim_(plan.dim),
      shape_(row_shape_of(plan, *parts.quantizer)),
      centroids_(parts.centroids.view()),
      search_(centroids_),
      is_far_(centroids_.rows) {
  for (const std::uint32_t list : parts.codes.far_lists) is_far_[list] = true;
  for (StagingFile* file :
       {&coded_.primaries.numbers, &coded_.primaries.signs, &coded_.seconds.numbers,
        &coded_.seconds.signs, &coded_.rows, &coded_.raw}) {
    *file = plan.make_staging();
  }
}

void BaseEncoder::reserve() {
  coded_.rows.reserve(n_ * shape_.bytes());
  coded_.raw.reserve(n_ * raw_bytes(options_.raw, dim_));
  coded_.primaries.lists.resize(n_);
  for (EncodedEntries* entries : {&coded_.primaries, &coded_.seconds}) {
    if (entries == &coded_.seconds && plan_.spilled == 0) break;
    entries->numbers.reserve(n_ * sizeof(EncodedNumbers));
    entries->signs.reserve(n_ * plane_bytes(dim_));
  }
  if (plan_.spilled > 0) choices_.resize(n_);
}

EncodedBase BaseEncoder::code() {
  reserve();
  Matrix<float> buffer;
  for (std::size_t first = 0; first < n_; first += plan_.chunk_rows) {
    const std::size_t count = std::min(plan_.chunk_rows, n_ - first);
    report(options_.progress, "encode", static_cast<double>(first) / static_cast<double>(n_));
    const MatrixView<float> original = rows_of(plan_.base, first, count, buffer);
    require_finite(original, "base vector", first, options_.metric);
    code_chunk(original, first);
  }
  choose_spilled();
  return std::move(coded_);
}

void BaseEncoder::choose_lists_of(std::size_t first) {
  std::uint32_t* primaries = coded_.primaries.lists.data() + first;
  if (choices_.empty()) {
    assign_nearest(transformed_.view(), search_, options_.threads, primaries);
    return;
  }
  ListChoice* choices = choices_.data() + first;
  choose_lists(transformed_.view(), centroids_, search_, options_.threads, choices);
  for (std::size_t i = 0; i < transformed_.rows; ++i) primaries[i] = choices[i].primary;
}

// Rows [begin, end) of the chunk.
void BaseEncoder::code_rows(std::size_t first, std::size_t begin, std::size_t end) {
  const std::size_t plane = plane_bytes(dim_);
  const std::size_t bytes = shape_.bytes();
  ResidualEncoder coder(*parts_.quantizer, options_.metric);
  for (std::size_t i = begin; i < end; ++i) {
    const std::uint32_t list = coded_.primaries.lists[first + i];
    coder.add({transformed_.row(i), centroids_.row(list), is_far_[list],
               primaries_.signs.data() + i * plane, rows_.data() + i * bytes,
               &primaries_.numbers[i]});
    if (choices_.empty() || choices_[first + i].second == kNoList) continue;
    const std::uint32_t second = choices_[first + i].second;
    coder.code_entry({transformed_.row(i), centroids_.row(second), is_far_[second],
                      seconds_.signs.data() + i * plane, nullptr, &seconds_.numbers[i]});
  }
  coder.flush();
}

void BaseEncoder::code_chunk(MatrixView<float> original, std::size_t first) {
  if (transformed_.rows != original.rows) transformed_ = Matrix<float>(original.rows, dim_);
  parallel_for(original.rows, 64, options_.threads, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t i = begin; i < end; ++i) {
      std::copy_n(original.row(i), dim_, transformed_.row(i));
      parts_.transform->apply(transformed_.row(i));
    }
  });
  for (std::size_t i = 0; i < original.rows; ++i) {
    coded_.norm2_sum += bounded_norm2(transformed_.row(i), dim_, first + i);
  }
  choose_lists_of(first);
  primaries_.start(original.rows, plane_bytes(dim_));
  if (!choices_.empty()) seconds_.start(original.rows, plane_bytes(dim_));
  rows_.assign(original.rows * shape_.bytes(), 0);
  raw_.resize(original.rows * raw_bytes(options_.raw, dim_));
  parallel_for(original.rows, 256, options_.threads,
               [&](std::size_t begin, std::size_t end, int) { code_rows(first, begin, end); });
  if (options_.metric == Metric::cosine) correct_zeros(original);
  if (options_.raw != RawTier::none) store_raw(original, first);
  primaries_.stage(coded_.primaries);
  if (!choices_.empty()) seconds_.stage(coded_.seconds);
  coded_.rows.append(rows_);
  coded_.raw.append(raw_);
}

// In the form of raw_form.h.
void BaseEncoder::store_raw(MatrixView<float> original, std::size_t first) {
  const std::size_t bytes = raw_bytes(options_.raw, dim_);
  const float stretch = raw_stretch(options_.metric);
  std::vector<float> x(dim_);
  for (std::size_t i = 0; i < original.rows; ++i) {
    const std::uint32_t list = coded_.primaries.lists[first + i];
    if (is_behind(parts_.raw_form, is_far_[list])) {
      const float* c = centroids_.row(list);
      for (std::size_t j = 0; j < dim_; ++j) {
        x[j] = stretch * (transformed_.row(i)[j] - (is_far_[list] ? c[j] : 0.0F));
      }
      if (options_.metric == Metric::cosine && largest_size(original.row(i), dim_) == 0) {
        std::fill(x.begin(), x.end(), std::numeric_limits<float>::quiet_NaN());
      }
    } else {
      std::copy_n(original.row(i), dim_, x.data());
      parts_.transform->scale(x.data());
    }
    if (write_raw(x.data(), dim_, options_.raw, raw_.data() + i * bytes)) continue;
    throw std::invalid_argument(
        fmt::format("base vector {} is more than 2^15 times as large as most, too large for an "
                    "fp16 raw tier with them; use fp32, or remove it",
                    first + i));
  }
}

// |x|^2 - 1 of a normalised vector is -1 where it is zero (vector_transform.h).
void BaseEncoder::correct_zeros(MatrixView<float> original) {
  for (std::size_t i = 0; i < original.rows; ++i) {
    if (largest_size(original.row(i), dim_) > 0) continue;
    for (Chunk* chunk : {&primaries_, &seconds_}) {
      if (i >= chunk->numbers.size()) continue;
      chunk->numbers[i].entry_add += 1;
      chunk->numbers[i].row_add += 1;
    }
  }
}

// Of the second entries, which all vectors have so far, keeps the share asked for.
void BaseEncoder::choose_spilled() {
  if (choices_.empty()) return;
  coded_.spilled = keep_cheapest(choices_, plan_.spilled);
  for (const ListChoice& choice : choices_) coded_.seconds.lists.push_back(choice.second);
}

}  // namespace

RowShape row_shape_of(const BuildPlan& plan, const Quantizer& quantizer) {
  RowShape shape(quantizer);
  if (plan.spilled > 0) shape.add_primary(plan.nlist);
  return shape;
}

EncodedBase encode_base(const BuildPlan& plan, const TrainedParts& parts) {
  if (plan.n == 0) return {};
  return BaseEncoder(plan, parts).code();
}

}  // namespace obliq

// Vectors are read a chunk at a time: they are transformed, each gets its primary list and, where
// vectors are spilled, a candidate for a second one, and its residuals are encoded by all threads.
// What becomes of a vector depends on it and the model alone.
#include "index/build/encoded_vectors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <stdexcept>

#include "core/largest.h"
#include "core/parallel.h"
#include "index/build/kmeans.h"
#include "index/build/learn_transform.h"
#include "index/build/nearest_rows.h"
#include "index/build/residual_encoder.h"
#include "index/build/spill.h"
#include "index/build/staged_vectors.h"
#include "index/segment/centroid_code.h"
#include "index/segment/raw_tier.h"

namespace obliq {
namespace {

class Encoder {
 public:
  Encoder(const TrainedModel& model, const Matrix<float>& centroids, const NearestRows& search,
          const EncodeInput& input)
      : model_(model),
        centroids_(centroids),
        search_(search),
        input_(input),
        n_(input.vectors.rows()),
        dim_(model.dim()),
        plane_(plane_bytes(dim_)) {}

  EncodedVectors encode();

 private:
  void reserve();
  void encode_chunk(MatrixView<float> original, std::size_t first);
  void choose(std::size_t first);
  void code(std::size_t first, std::size_t begin, std::size_t end);
  void store_raw(MatrixView<float> original, std::size_t first);
  void correct_zeros(MatrixView<float> original, std::size_t first);
  void keep_spilled(std::size_t first);
  bool is_spilled(const ListChoice& choice) const {
    return choice.second != kNoList &&
           (choice.loss < model_.info.spill_threshold || model_.info.spill >= 1);
  }
  bool is_far(std::uint32_t list) const { return model_.far_point(list) != nullptr; }

  const TrainedModel& model_;
  const Matrix<float>& centroids_;
  const NearestRows& search_;
  const EncodeInput& input_;
  const std::size_t n_;
  const std::size_t dim_;
  const std::size_t plane_;
  EncodedVectors encoded_;
  // Of the chunk:
  Matrix<float> transformed_;
  std::vector<ListChoice> choices_;
  EncodedEntries seconds_;
};

Matrix<float> all_centroids(const TrainedModel& model) {
  Matrix<float> centroids(model.nlist(), model.dim());
  for (std::size_t l = 0; l < centroids.rows; ++l) decode_centroid(model, l, centroids.row(l));
  return centroids;
}

RowGroups near_groups(const TrainedModel& model) {
  return model.near_sizes.empty() ? RowGroups{}
                                  : consecutive_groups(model.near_sizes, model.info.near_margin);
}

void Encoder::reserve() {
  encoded_.primaries.lists.resize(n_);
  encoded_.primaries.numbers.resize(n_);
  encoded_.primaries.signs.resize(n_ * plane_);
  encoded_.rows.resize(n_ * model_.row_shape.bytes());
  encoded_.raw.resize(n_ * raw_bytes(model_.raw_tier(), dim_));
}

EncodedVectors Encoder::encode() {
  reserve();
  Matrix<float> buffer;
  for (std::size_t first = 0; first < n_; first += input_.chunk_rows) {
    const std::size_t count = std::min(input_.chunk_rows, n_ - first);
    report(input_.progress, "encode", static_cast<double>(first) / static_cast<double>(n_));
    const MatrixView<float> original = rows_of(input_.vectors, first, count, buffer);
    require_finite(original, "base vector", input_.first + first, model_.metric());
    encode_chunk(original, first);
  }
  return std::move(encoded_);
}

void Encoder::choose(std::size_t first) {
  std::uint32_t* primaries = encoded_.primaries.lists.data() + first;
  if (model_.info.spill_threshold <= 0) {
    assign_nearest(transformed_.view(), search_, input_.threads, primaries);
    return;
  }
  choices_.resize(transformed_.rows);
  choose_lists(transformed_.view(), centroids_.view(), search_, input_.threads, choices_.data());
  for (std::size_t i = 0; i < transformed_.rows; ++i) primaries[i] = choices_[i].primary;
}

// Rows [begin, end) of the chunk.
void Encoder::code(std::size_t first, std::size_t begin, std::size_t end) {
  EncodedEntries& primaries = encoded_.primaries;
  ResidualEncoder coder(*model_.quantizer, model_.metric());
  for (std::size_t i = begin; i < end; ++i) {
    const std::size_t row = first + i;
    const std::uint32_t list = primaries.lists[row];
    coder.add({transformed_.row(i), centroids_.row(list), is_far(list),
               primaries.signs.data() + row * plane_,
               encoded_.rows.data() + row * model_.row_shape.bytes(), &primaries.numbers[row]});
    if (choices_.empty() || !is_spilled(choices_[i])) continue;
    const std::uint32_t second = choices_[i].second;
    coder.code_entry({transformed_.row(i), centroids_.row(second), is_far(second),
                      seconds_.signs.data() + i * plane_, nullptr, &seconds_.numbers[i]});
  }
  coder.flush();
}

void Encoder::encode_chunk(MatrixView<float> original, std::size_t first) {
  if (transformed_.rows != original.rows) transformed_ = Matrix<float>(original.rows, dim_);
  parallel_for(original.rows, 64, input_.threads, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t i = begin; i < end; ++i) {
      std::copy_n(original.row(i), dim_, transformed_.row(i));
      model_.transform->apply(transformed_.row(i));
    }
  });
  for (std::size_t i = 0; i < original.rows; ++i) {
    (void)bounded_norm2(transformed_.row(i), dim_, input_.first + first + i);
  }
  choose(first);
  seconds_.numbers.assign(choices_.size(), {});
  seconds_.signs.assign(choices_.size() * plane_, 0);
  parallel_for(original.rows, 256, input_.threads,
               [&](std::size_t begin, std::size_t end, int) { code(first, begin, end); });
  if (model_.metric() == Metric::cosine) correct_zeros(original, first);
  if (model_.raw_tier() != RawTier::none) store_raw(original, first);
  keep_spilled(first);
}

// In the form of raw_form.h.
void Encoder::store_raw(MatrixView<float> original, std::size_t first) {
  const std::size_t bytes = raw_bytes(model_.raw_tier(), dim_);
  const float stretch = raw_stretch(model_.metric());
  std::vector<float> x(dim_);
  for (std::size_t i = 0; i < original.rows; ++i) {
    const std::uint32_t list = encoded_.primaries.lists[first + i];
    if (model_.is_raw_behind(list)) {
      const float* c = centroids_.row(list);
      for (std::size_t j = 0; j < dim_; ++j) {
        x[j] = stretch * (transformed_.row(i)[j] - (is_far(list) ? c[j] : 0.0F));
      }
      if (model_.metric() == Metric::cosine && largest_size(original.row(i), dim_) == 0) {
        std::fill(x.begin(), x.end(), std::numeric_limits<float>::quiet_NaN());
      }
    } else {
      std::copy_n(original.row(i), dim_, x.data());
      model_.transform->scale(x.data());
    }
    if (write_raw(x.data(), dim_, model_.raw_tier(), encoded_.raw.data() + (first + i) * bytes))
      continue;
    throw std::invalid_argument(
        fmt::format("base vector {} is more than 2^15 times as large as most, too large for an "
                    "fp16 raw tier with them; use fp32, or remove it",
                    input_.first + first + i));
  }
}

// |x|^2 - 1 of a normalised vector is -1 where it is zero (vector_transform.h).
void Encoder::correct_zeros(MatrixView<float> original, std::size_t first) {
  for (std::size_t i = 0; i < original.rows; ++i) {
    if (largest_size(original.row(i), dim_) > 0) continue;
    EncodedNumbers& primary = encoded_.primaries.numbers[first + i];
    primary.entry_add += 1;
    primary.row_add += 1;
    if (!choices_.empty()) seconds_.numbers[i].entry_add += 1;
  }
}

// Of the chunk.
void Encoder::keep_spilled(std::size_t first) {
  EncodedEntries& spilled = encoded_.spilled;
  for (std::size_t i = 0; i < choices_.size(); ++i) {
    if (!is_spilled(choices_[i])) continue;
    const auto signs = seconds_.signs.begin() + static_cast<std::ptrdiff_t>(i * plane_);
    encoded_.owner.push_back(static_cast<std::uint32_t>(first + i));
    spilled.lists.push_back(choices_[i].second);
    spilled.numbers.push_back(seconds_.numbers[i]);
    spilled.signs.insert(spilled.signs.end(), signs, signs + static_cast<std::ptrdiff_t>(plane_));
  }
}

}  // namespace

VectorEncoder::VectorEncoder(const TrainedModel& model)
    : model_(model),
      centroids_(all_centroids(model)),
      search_(centroids_.view(), near_groups(model)) {}

EncodedVectors VectorEncoder::encode(const EncodeInput& input) const {
  if (input.vectors.rows() == 0) return {};
  return Encoder(model_, centroids_, search_, input).encode();
}

}  // namespace obliq

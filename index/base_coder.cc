#include "index/base_coder.h"

#include <algorithm>
#include <span>

#include "index/kmeans.h"
#include "index/raw_tier.h"
#include "index/spooled_vectors.h"
#include "quant/kernels/dispatch.h"
#include "quant/parallel.h"

namespace obliq {
namespace {

/// Entries of the chunk at hand.
struct Chunk {
  std::vector<CodedNumbers> numbers;
  std::vector<std::uint8_t> signs;

  void start(std::size_t count, std::size_t plane) {
    numbers.assign(count, {});
    signs.assign(count * plane, 0);
  }
  void lay_aside(CodedEntries& entries) const {
    entries.numbers.append({reinterpret_cast<const std::uint8_t*>(numbers.data()),
                            numbers.size() * sizeof(CodedNumbers)});
    entries.signs.append(signs);
  }
};

class BaseCoder {
 public:
  BaseCoder(Segment& segment, MatrixView<float> centroids, const VectorSource& base,
            const BuildOptions& options, const CodingPlan& plan);

  CodedBase code();

 private:
  void reserve();
  void code_chunk(MatrixView<float> original, std::size_t first);
  void choose_lists_of(std::size_t first);
  void code_rows(std::size_t first, std::size_t begin, std::size_t end);
  void correct_zeros(MatrixView<float> original);
  void choose_spilled();

  Segment& segment_;
  const VectorSource& base_;
  const BuildOptions& options_;
  const CodingPlan& plan_;
  const std::size_t n_;
  const std::size_t dim_;
  const MatrixView<float> centroids_;
  const NearestRows search_;
  CodedBase coded_;
  std::vector<ListChoice> choices_;  // one a vector where vectors are spilled

  Matrix<float> entered_;
  Chunk homes_;
  Chunk seconds_;
  std::vector<std::uint8_t> rows_;
  std::vector<std::uint8_t> raw_;
};

BaseCoder::BaseCoder(Segment& segment, MatrixView<float> centroids, const VectorSource& base,
                     const BuildOptions& options, const CodingPlan& plan)
    : segment_(segment),
      base_(base),
      options_(options),
      plan_(plan),
      n_(base.rows()),
      dim_(base.dim()),
      centroids_(centroids),
      search_(centroids_) {
  for (Spool* spool : {&coded_.homes.numbers, &coded_.homes.signs, &coded_.seconds.numbers,
                       &coded_.seconds.signs, &coded_.rows, &coded_.raw}) {
    *spool = plan.make_spool();
  }
}

void BaseCoder::reserve() {
  coded_.rows.reserve(n_ * segment_.row_shape.bytes());
  coded_.raw.reserve(n_ * raw_bytes(options_.raw, dim_));
  coded_.homes.lists.resize(n_);
  for (CodedEntries* entries : {&coded_.homes, &coded_.seconds}) {
    if (entries == &coded_.seconds && segment_.spilled == 0) break;
    entries->numbers.reserve(n_ * sizeof(CodedNumbers));
    entries->signs.reserve(n_ * plane_bytes(dim_));
  }
  if (segment_.spilled > 0) choices_.resize(n_);
}

CodedBase BaseCoder::code() {
  reserve();
  Matrix<float> buffer;
  for (std::size_t first = 0; first < n_; first += plan_.chunk_rows) {
    const std::size_t count = std::min(plan_.chunk_rows, n_ - first);
    report(options_.progress, "encode", static_cast<double>(first) / static_cast<double>(n_));
    const MatrixView<float> original = rows_of(base_, first, count, buffer);
    require_finite(original, "base vector", first);
    code_chunk(original, first);
  }
  choose_spilled();
  return std::move(coded_);
}

void BaseCoder::choose_lists_of(std::size_t first) {
  std::uint32_t* homes = coded_.homes.lists.data() + first;
  if (choices_.empty()) {
    assign_nearest(entered_.view(), search_, options_.threads, homes);
    return;
  }
  ListChoice* choices = choices_.data() + first;
  choose_lists(entered_.view(), centroids_, search_, options_.threads, choices);
  for (std::size_t i = 0; i < entered_.rows; ++i) homes[i] = choices[i].home;
}

// Rows [begin, end) of the chunk.
void BaseCoder::code_rows(std::size_t first, std::size_t begin, std::size_t end) {
  const std::size_t plane = plane_bytes(dim_);
  const std::size_t bytes = segment_.row_shape.bytes();
  Coder coder(*segment_.quantizer, options_.metric);
  for (std::size_t i = begin; i < end; ++i) {
    coder.add({entered_.row(i), centroids_.row(coded_.homes.lists[first + i]),
               homes_.signs.data() + i * plane, rows_.data() + i * bytes, &homes_.numbers[i]});
    if (choices_.empty() || choices_[first + i].second == kNoList) continue;
    coder.code_entry(entered_.row(i), centroids_.row(choices_[first + i].second),
                     seconds_.signs.data() + i * plane, seconds_.numbers[i]);
  }
  coder.flush();
}

void BaseCoder::code_chunk(MatrixView<float> original, std::size_t first) {
  for (std::size_t i = 0; i < original.rows; ++i) {
    coded_.norm2_sum += kernels().dot(original.row(i), original.row(i), dim_);
  }
  if (entered_.rows != original.rows) entered_ = Matrix<float>(original.rows, dim_);
  parallel_for(original.rows, 64, options_.threads, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t i = begin; i < end; ++i) {
      std::copy_n(original.row(i), dim_, entered_.row(i));
      segment_.door->enter(entered_.row(i));
    }
  });
  choose_lists_of(first);
  homes_.start(original.rows, plane_bytes(dim_));
  if (!choices_.empty()) seconds_.start(original.rows, plane_bytes(dim_));
  rows_.assign(original.rows * segment_.row_shape.bytes(), 0);
  raw_.resize(original.rows * raw_bytes(options_.raw, dim_));
  parallel_for(original.rows, 256, options_.threads,
               [&](std::size_t begin, std::size_t end, int) { code_rows(first, begin, end); });
  if (options_.metric == Metric::cosine) correct_zeros(original);
  store_raw(original, options_.metric, options_.raw, first, raw_);
  homes_.lay_aside(coded_.homes);
  if (!choices_.empty()) seconds_.lay_aside(coded_.seconds);
  coded_.rows.append(rows_);
  coded_.raw.append(raw_);
}

// 1 - |x|^2 of a normalised vector: 1 where it is zero (door.h).
void BaseCoder::correct_zeros(MatrixView<float> original) {
  for (std::size_t i = 0; i < original.rows; ++i) {
    const float* x = original.row(i);
    if (std::any_of(x, x + dim_, [](float value) { return value != 0; })) continue;
    for (Chunk* chunk : {&homes_, &seconds_}) {
      if (i >= chunk->numbers.size()) continue;
      chunk->numbers[i].a += 1;
      chunk->numbers[i].bracket += 1;
    }
  }
}

// Of the second entries, which all vectors have so far, keeps the share asked for.
void BaseCoder::choose_spilled() {
  if (choices_.empty()) return;
  segment_.spilled = keep_cheapest(choices_, segment_.spilled);
  for (const ListChoice& choice : choices_) coded_.seconds.lists.push_back(choice.second);
}

}  // namespace

CodedBase code_base(Segment& segment, MatrixView<float> centroids, const VectorSource& base,
                    const BuildOptions& options, const CodingPlan& plan) {
  return BaseCoder(segment, centroids, base, options, plan).code();
}

}  // namespace obliq

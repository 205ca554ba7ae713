// Cases of the kernels on codes: blocks of signs and rows.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/half.h"
#include "tests/core/kernels/case_values.h"
#include "tests/core/kernels/cases.h"

namespace obliq {
namespace {

// Bytes from block to block: signs, two factors, and a gap for what else callers keep there.
std::size_t stride_of(std::size_t dim) { return 16 * sign_groups(dim) + 6 * kBlockEntries; }

// `count` blocks of random signs (bits beyond dim are 0) and factors.
std::vector<std::uint8_t> random_blocks(const CaseSetup& setup, std::size_t count) {
  Random random(setup.seed + 5);
  std::vector<std::uint8_t> blocks(count * stride_of(setup.dim));
  const std::size_t groups = sign_groups(setup.dim);
  for (std::size_t b = 0; b < count; ++b) {
    std::uint8_t* block = blocks.data() + b * stride_of(setup.dim);
    for (std::size_t i = 0; i < 16 * groups; ++i) {
      const std::size_t dims = std::min<std::size_t>(4, setup.dim - i / 16 * 4);
      const auto mask = static_cast<std::uint8_t>(((1U << dims) - 1U) * 0x11U);
      const bool all = setup.values == Values::extreme && i % 16 == 3;
      block[i] = static_cast<std::uint8_t>(all ? mask : random.next() & mask);
    }
    for (std::size_t i = 0; i < 2 * kBlockEntries; ++i) {
      const std::uint16_t half =
          setup.values == Values::extreme && i % 7 == 0
              ? static_cast<std::uint16_t>(random.below(0x7C00) | (i % 2 == 0 ? 0x8000U : 0U))
              : float_to_half(static_cast<float>(random.gaussian()));
      std::memcpy(block + 16 * groups + 2 * i, &half, sizeof half);
    }
  }
  return blocks;
}

class ScanCall : public KernelCall {
 public:
  explicit ScanCall(const CaseSetup& setup)
      : dim_(setup.dim),
        lut_(buffer(integers<std::uint8_t>(setup, 16 * sign_groups(dim_), 0, 31), setup)) {
    list_.lane = setup.timing ? 0 : static_cast<std::uint32_t>(setup.seed % 32);
    list_.count = setup.timing ? 512 : static_cast<std::uint32_t>(setup.seed / 7 % 131);
    blocks_ = buffer(random_blocks(setup, (list_.lane + list_.count + 31) / 32), setup);
    entries_ = std::make_unique<GuardedBuffer<std::uint32_t>>(list_.count + 32, setup.placement);
    bounds_ = std::make_unique<GuardedBuffer<float>>(list_.count + 32, setup.placement);
    list_.blocks = blocks_->data();
    list_.base = 3.5F;
    list_.stride = stride_of(dim_);
    list_.factors = 16 * sign_groups(dim_);
    list_.add_scale = 1.75F;
    list_.rescale_scale = 0.6F;
    list_.lut_step = 0.0123F;
    list_.lut_shift = -7.7F;
    threshold_ = std::numeric_limits<float>::infinity();
    run(kernel_levels_scalar());
    choose_threshold(setup);
  }

  void run(const Kernels& kernels) override {
    found_ = kernels.scan(lut_->data(), dim_, list_, threshold_, entries_->data(), bounds_->data());
  }
  Words output() const override {
    Words words = words_of(entries_->values().first(found_));
    for (const std::uint32_t word : words_of(bounds_->values().first(found_))) {
      words.push_back(word);
    }
    return words;
  }
  bool intact() const override {
    return lut_->intact() && blocks_->intact() && entries_->intact() && bounds_->intact();
  }
  std::size_t entries() const override { return list_.count; }

 private:
  static const Kernels& kernel_levels_scalar() {
    static const Kernels scalar = [] {
      Kernels kernels;
      install_scalar(kernels);
      return kernels;
    }();
    return scalar;
  }

  // One of the bounds, so that some entry stands exactly on it; all or none at times. One percent
  // of the entries survive when timed.
  void choose_threshold(const CaseSetup& setup) {
    if (found_ == 0 || (!setup.timing && setup.seed % 11 == 0)) return;
    std::vector<float> sorted(bounds_->data(), bounds_->data() + found_);
    std::ranges::sort(sorted);
    threshold_ = sorted[setup.timing ? found_ / 100 : setup.seed % found_];
  }

  std::size_t dim_;
  ScanList list_ = {};
  float threshold_ = 0;
  Input<std::uint8_t> lut_;
  Input<std::uint8_t> blocks_;
  std::unique_ptr<GuardedBuffer<std::uint32_t>> entries_;
  std::unique_ptr<GuardedBuffer<float>> bounds_;
  std::size_t found_ = 0;
};

class ScanPanelsCall : public KernelCall {
 public:
  explicit ScanPanelsCall(const CaseSetup& setup)
      : groups_(sign_groups(setup.dim)),
        nx_(setup.timing ? 48 : setup.seed % 15),
        panels_{nullptr, nullptr, nullptr, nullptr, setup.timing ? 4 : setup.seed / 15 % 7},
        x_(buffer(integers<std::int8_t>(setup, nx_ * 4 * groups_, -128, 127), setup)),
        bytes_(buffer(integers<std::uint8_t>(next(setup), rows() * 4 * groups_, 0, 255), setup)),
        norms_(buffer(floats(setup, rows()), setup)),
        lengths_(buffer(floats(next(setup), rows()), setup)),
        found_(nx_ * rows(), setup.placement),
        bounds_(nx_ * rows(), setup.placement),
        counts_(nx_, setup.placement) {
    panels_ = {bytes_->data(), norms_->data(), lengths_->data(), lengths_->data(), panels_.count};
    const std::vector<float> numbers = floats(next(setup), 3 * nx_);
    for (std::size_t i = 0; i < nx_; ++i) {
      const float threshold = i % 5 == 0 ? std::numeric_limits<float>::infinity() : numbers[3 * i];
      PanelQuery query = {setup.timing ? -1e30F : threshold, numbers[3 * i + 1], numbers[3 * i + 2],
                          0};
      for (std::size_t k = 0; k < 4 * groups_; ++k) query.sum += x_->data()[i * 4 * groups_ + k];
      queries_.push_back(query);
    }
  }

  void run(const Kernels& kernels) override {
    kernels.scan_panels(x_->data(), queries_.data(), nx_, panels_, groups_, found_.data(),
                        bounds_.data(), counts_.data());
  }
  Words output() const override {
    Words words = words_of(counts_.values());
    for (std::size_t i = 0; i < nx_; ++i) {
      const std::size_t count = counts_.values()[i];
      for (const auto& part : {words_of(found_.values().subspan(i * rows(), count)),
                               words_of(bounds_.values().subspan(i * rows(), count))}) {
        words.insert(words.end(), part.begin(), part.end());
      }
    }
    return words;
  }
  bool intact() const override {
    return x_->intact() && bytes_->intact() && norms_->intact() && lengths_->intact() &&
           found_.intact() && bounds_.intact() && counts_.intact();
  }
  std::size_t entries() const override { return nx_ * rows(); }

 private:
  std::size_t rows() const { return 16 * panels_.count; }

  std::size_t groups_;
  std::size_t nx_;
  BytePanels panels_;
  Input<std::int8_t> x_;
  Input<std::uint8_t> bytes_;
  Input<float> norms_;
  Input<float> lengths_;
  std::vector<PanelQuery> queries_;
  GuardedBuffer<std::uint32_t> found_;
  GuardedBuffer<float> bounds_;
  GuardedBuffer<std::uint32_t> counts_;
};

class PackSignsCall : public KernelCall {
 public:
  explicit PackSignsCall(const CaseSetup& setup)
      : x_(buffer(floats(setup, setup.dim), setup)),
        y_(buffer(floats(next(setup), setup.dim), setup)),
        signs_(plane_bytes(setup.dim), setup.placement) {}

  void run(const Kernels& kernels) override {
    kernels.pack_signs(x_->data(), y_->data(), x_->size(), signs_.data(), &sums_[0], &sums_[1]);
  }
  Words output() const override {
    Words words = words_of(signs_.values());
    for (const float sum : sums_) words.push_back(std::bit_cast<std::uint32_t>(sum));
    return words;
  }
  bool intact() const override { return x_->intact() && y_->intact() && signs_.intact(); }

 private:
  Input<float> x_;
  Input<float> y_;
  GuardedBuffer<std::uint8_t> signs_;
  float sums_[2] = {};
};

class GatherSignsCall : public KernelCall {
 public:
  explicit GatherSignsCall(const CaseSetup& setup)
      : dim_(setup.dim),
        lane_(static_cast<std::uint32_t>(setup.seed % 32)),
        block_(buffer(random_blocks(setup, 1), setup)),
        signs_(plane_bytes(dim_), setup.placement) {}

  void run(const Kernels& kernels) override {
    kernels.gather_signs(block_->data(), lane_, dim_, signs_.data());
  }
  Words output() const override { return words_of(signs_.values()); }
  bool intact() const override { return block_->intact() && signs_.intact(); }

 private:
  std::size_t dim_;
  std::uint32_t lane_;
  Input<std::uint8_t> block_;
  GuardedBuffer<std::uint8_t> signs_;
};

// The largest |query_i| for which `factor` * sum |query_i| stays below 2^31.
int query_limit(std::size_t dim, std::int64_t factor) {
  const auto limit = ((std::int64_t{1} << 31) - 1) / (factor * static_cast<std::int64_t>(dim + 1));
  return static_cast<int>(std::min<std::int64_t>(limit, 32767));
}

class DotPlanesCall : public KernelCall {
 public:
  DotPlanesCall(const CaseSetup& setup, unsigned bits)
      : bits_(bits),
        limit_(query_limit(setup.dim, 2047)),
        signs_(buffer(integers<std::uint8_t>(setup, plane_bytes(setup.dim), 0, 255), setup)),
        planes_(
            buffer(integers<std::uint8_t>(next(setup), (bits - 1) * plane_bytes(setup.dim), 0, 255),
                   setup)),
        levels_(buffer(integers<std::int16_t>(next(setup), std::size_t{1} << bits, -2047, 2047),
                       setup)),
        query_(
            buffer(integers<std::int16_t>(next(next(setup)), setup.dim, -limit_, limit_), setup)) {}

  void run(const Kernels& kernels) override {
    sum_ = kernels.dot_planes(signs_->data(), planes_->data(), bits_, levels_->data(),
                              query_->data(), query_->size());
  }
  Words output() const override { return {static_cast<std::uint32_t>(sum_)}; }
  bool intact() const override {
    return signs_->intact() && planes_->intact() && levels_->intact() && query_->intact();
  }

 private:
  unsigned bits_;
  int limit_;
  Input<std::uint8_t> signs_;
  Input<std::uint8_t> planes_;
  Input<std::int16_t> levels_;
  Input<std::int16_t> query_;
  std::int32_t sum_ = 0;
};

class DotWindowsCall : public KernelCall {
 public:
  DotWindowsCall(const CaseSetup& setup, unsigned bits)
      : bits_(bits),
        limit_(query_limit(setup.dim, 2047)),
        code_(buffer(integers<std::uint8_t>(setup, code_bytes(setup.dim), 0, 255), setup)),
        levels_(buffer(integers<std::int16_t>(next(setup), 256, -2047, 2047), setup)),
        query_(
            buffer(integers<std::int16_t>(next(next(setup)), setup.dim, -limit_, limit_), setup)) {}

  void run(const Kernels& kernels) override {
    sum_ =
        kernels.dot_windows(code_->data(), bits_, levels_->data(), query_->data(), query_->size());
  }
  Words output() const override { return {static_cast<std::uint32_t>(sum_)}; }
  bool intact() const override { return code_->intact() && levels_->intact() && query_->intact(); }

 private:
  std::size_t code_bytes(std::size_t dim) const {
    return dim == 0 ? 0 : ((dim - 1) * bits_ + 15) / 8;
  }

  unsigned bits_;
  int limit_;
  Input<std::uint8_t> code_;
  Input<std::int16_t> levels_;
  Input<std::int16_t> query_;
  std::int32_t sum_ = 0;
};

/// dot_bytes and dot_words: rows of values from `least` to `largest`.
template <typename Value, auto kernel, int least, int largest>
class DotRowCall : public KernelCall {
 public:
  explicit DotRowCall(const CaseSetup& setup)
      : limit_(query_limit(setup.dim, -least)),
        row_(buffer(integers<Value>(setup, setup.dim, least, largest), setup)),
        query_(buffer(integers<std::int16_t>(next(setup), setup.dim, -limit_, limit_), setup)) {}

  void run(const Kernels& kernels) override {
    sum_ = (kernels.*kernel)(row_->data(), query_->data(), query_->size());
  }
  Words output() const override { return {static_cast<std::uint32_t>(sum_)}; }
  bool intact() const override { return row_->intact() && query_->intact(); }

 private:
  int limit_;
  Input<Value> row_;
  Input<std::int16_t> query_;
  std::int32_t sum_ = 0;
};
using DotBytesCall = DotRowCall<std::int8_t, &Kernels::dot_bytes, -128, 127>;
using DotWordsCall = DotRowCall<std::int16_t, &Kernels::dot_words, -2047, 2047>;

class DotE8Call : public KernelCall {
 public:
  DotE8Call(const CaseSetup& setup, std::uint32_t q)
      : limit_(query_limit(setup.dim, 2047)),
        shape_(shape(setup, q)),
        code_(buffer(integers<std::uint8_t>(setup, code_bytes(setup.dim), 0, 255), setup)),
        query_(buffer(integers<std::int16_t>(next(setup), setup.dim, -limit_, limit_), setup)) {}

  void run(const Kernels& kernels) override {
    sum_ = kernels.dot_e8(code_->data(), shape_, query_->data(), query_->size());
  }
  Words output() const override { return {static_cast<std::uint32_t>(sum_)}; }
  bool intact() const override { return code_->intact() && query_->intact(); }

 private:
  static E8Shape shape(const CaseSetup& setup, std::uint32_t q) {
    const int most = std::min<int>(127, 2047 / (2 * static_cast<int>(q)));
    const auto scales = integers<std::int16_t>(next(next(setup)), 8, 1, most);
    const std::uint32_t bits = setup.timing ? 2 : static_cast<std::uint32_t>(setup.seed % 4);
    return e8_shape(q, bits, scales.data(), std::size_t{1} << bits);
  }
  std::size_t code_bytes(std::size_t dim) const {
    const std::size_t blocks = (dim + 7) / 8;
    return plane_bytes(blocks * shape_.index_bits) + plane_bytes(blocks * shape_.scale_bits);
  }

  int limit_;
  E8Shape shape_;
  Input<std::uint8_t> code_;
  Input<std::int16_t> query_;
  std::int32_t sum_ = 0;
};

}  // namespace

void add_code_cases(std::vector<KernelCase>& cases) {
  cases.push_back({"scan", make_call<ScanCall>});
  cases.push_back({"scan_panels", make_call<ScanPanelsCall>});
  cases.push_back({"pack_signs", make_call<PackSignsCall>});
  cases.push_back({"gather_signs", make_call<GatherSignsCall>});
  for (unsigned bits = 1; bits <= 8; ++bits) {
    cases.push_back({fmt::format("dot_planes/{}", bits), [bits](const CaseSetup& setup) {
                       return std::make_unique<DotPlanesCall>(setup, bits);
                     }});
  }
  cases.push_back({"dot_bytes", make_call<DotBytesCall>});
  cases.push_back({"dot_words", make_call<DotWordsCall>});
  for (std::uint32_t q = 2; q <= 16; ++q) {
    cases.push_back({fmt::format("dot_e8/{}", q), [q](const CaseSetup& setup) {
                       return std::make_unique<DotE8Call>(setup, q);
                     }});
  }
  for (unsigned bits = 1; bits <= 4; ++bits) {
    cases.push_back({fmt::format("dot_windows/{}", bits), [bits](const CaseSetup& setup) {
                       return std::make_unique<DotWindowsCall>(setup, bits);
                     }});
  }
}

}  // namespace obliq

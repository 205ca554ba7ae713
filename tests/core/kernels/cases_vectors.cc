// Cases of the float kernels and of the encoder's; those on codes are in cases_codes.cc.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tests/core/kernels/case_values.h"
#include "tests/core/kernels/cases.h"

namespace obliq {
namespace {

class HadamardCall : public KernelCall {
 public:
  explicit HadamardCall(const CaseSetup& setup)
      : start_(floats(setup, std::bit_ceil(std::max<std::size_t>(setup.dim, 1)))),
        x_(start_.size(), setup.placement) {}

  void run(const Kernels& kernels) override {
    std::ranges::copy(start_, x_.data());
    kernels.hadamard(x_.data(), x_.size());
  }
  Words output() const override { return words_of(x_.values()); }
  bool intact() const override { return x_.intact(); }

 private:
  std::vector<float> start_;
  GuardedBuffer<float> x_;
};

// dot or l2_sqr.
class ProductCall : public KernelCall {
 public:
  using Kernel = float (*Kernels::*)(const float*, const float*, std::size_t) noexcept;

  ProductCall(const CaseSetup& setup, Kernel kernel)
      : kernel_(kernel),
        x_(buffer(floats(setup, setup.dim), setup)),
        y_(buffer(floats(next(setup), setup.dim), setup)) {}

  void run(const Kernels& kernels) override {
    result_ = (kernels.*kernel_)(x_->data(), y_->data(), x_->size());
  }
  Words output() const override { return words_of(std::span<const float>(&result_, 1)); }
  bool intact() const override { return x_->intact() && y_->intact(); }

 private:
  Kernel kernel_;
  Input<float> x_;
  Input<float> y_;
  float result_ = 0;
};

class DotsCall : public KernelCall {
 public:
  explicit DotsCall(const CaseSetup& setup)
      : dim_(setup.dim),
        nx_(setup.timing ? 64 : setup.seed % 10),
        ny_(setup.timing ? 64 : setup.seed / 10 % 11),
        x_(buffer(floats(setup, nx_ * dim_), setup)),
        y_(buffer(floats(next(setup), ny_ * dim_), setup)),
        out_(nx_ * ny_, setup.placement) {}

  void run(const Kernels& kernels) override {
    kernels.dots(x_->data(), nx_, y_->data(), ny_, dim_, out_.data());
  }
  Words output() const override { return words_of(out_.values()); }
  bool intact() const override { return x_->intact() && y_->intact() && out_.intact(); }
  std::size_t entries() const override { return nx_ * ny_; }

  // Every sum within dim * (2^-23 * sum |x_i y_i| + 2^-149) of the exact one, whatever scalar
  // found.
  bool agrees(const Words& expected, const Words& got) const override {
    if (got.size() != expected.size()) return false;
    for (std::size_t i = 0; i < got.size(); ++i) {
      const float* x = x_->data() + i / ny_ * dim_;
      const float* y = y_->data() + i % ny_ * dim_;
      double exact = 0;
      double size = 0;
      for (std::size_t d = 0; d < dim_; ++d) {
        exact += static_cast<double>(x[d]) * y[d];
        size += std::abs(static_cast<double>(x[d]) * y[d]);
      }
      const double error = std::abs(std::bit_cast<float>(got[i]) - exact);
      if (!(error <= static_cast<double>(dim_) * (0x1p-23 * size + 0x1p-149))) return false;
    }
    return true;
  }

 private:
  std::size_t dim_;
  std::size_t nx_;
  std::size_t ny_;
  Input<float> x_;
  Input<float> y_;
  GuardedBuffer<float> out_;
};

class BuildLutCall : public KernelCall {
 public:
  explicit BuildLutCall(const CaseSetup& setup)
      : query_(buffer(floats(setup, setup.dim), setup)),
        max_value_(setup.timing ? 31 : static_cast<int>(setup.seed % 32)),
        lut_(16 * sign_groups(setup.dim), setup.placement) {
    // Table values on both sides of 0 and of max_value; in halves and thirds, so that some tie.
    float largest = 1e-30F;
    for (const float q : query_->values()) largest = std::max(largest, std::abs(q));
    inv_step_ = (setup.seed % 3 == 0 ? 16.0F : 6.5F) / largest;
    offset_ = static_cast<float>(setup.seed % 5) * 0.5F + 14.0F;
  }

  void run(const Kernels& kernels) override {
    kernels.build_lut(query_->data(), query_->size(), inv_step_, offset_, max_value_, lut_.data());
  }
  Words output() const override { return words_of(lut_.values()); }
  bool intact() const override { return query_->intact() && lut_.intact(); }

 private:
  Input<float> query_;
  float inv_step_ = 0;
  float offset_ = 0;
  int max_value_;
  GuardedBuffer<std::uint8_t> lut_;
};

// Rising thresholds, some values exactly on them, and levels between.
struct LevelInputs {
  LevelInputs(const CaseSetup& setup, unsigned bits) {
    const std::size_t most = (std::size_t{1} << bits) - 1;
    const std::size_t count = setup.timing || setup.seed % 2 == 0 ? most : setup.seed % (most + 1);
    Random random(setup.seed + 77);
    std::vector<float> rising(count);
    for (float& t : rising) t = static_cast<float>(random.gaussian());
    std::ranges::sort(rising);
    if (setup.values == Values::extreme && count > 1) rising[count / 2] = rising[count / 2 - 1];
    std::vector<float> levels(count + 1);
    for (float& level : levels) level = static_cast<float>(random.gaussian());
    std::vector<float> values = floats(setup, setup.dim);
    if (setup.values == Values::extreme) {
      scale = 1;
      for (std::size_t i = 0; i < values.size() && count > 0; i += 2) {
        values[i] = rising[random.below(count)];
      }
    }
    x = buffer(values, setup);
    thresholds = buffer(rising, setup);
    level_values = buffer(levels, setup);
  }
  bool intact() const { return x->intact() && thresholds->intact() && level_values->intact(); }

  float scale = 1.25F;
  Input<float> x;
  Input<float> thresholds;
  Input<float> level_values;
};

class NearestLevelCall : public KernelCall {
 public:
  NearestLevelCall(const CaseSetup& setup, unsigned bits)
      : in_(setup, bits), index_(setup.dim, setup.placement) {}

  void run(const Kernels& kernels) override {
    kernels.nearest_level(in_.x->data(), in_.x->size(), in_.scale, in_.thresholds->data(),
                          in_.thresholds->size(), index_.data());
  }
  Words output() const override { return words_of(index_.values()); }
  bool intact() const override { return in_.intact() && index_.intact(); }

 private:
  LevelInputs in_;
  GuardedBuffer<std::uint8_t> index_;
};

class ScoreLevelsCall : public KernelCall {
 public:
  ScoreLevelsCall(const CaseSetup& setup, unsigned bits) : in_(setup, bits) {}

  void run(const Kernels& kernels) override {
    kernels.score_levels(in_.x->data(), in_.x->size(), in_.scale, in_.thresholds->data(),
                         in_.level_values->data(), in_.thresholds->size(), &sums_[0], &sums_[1]);
  }
  Words output() const override { return words_of(std::span<const float>(sums_)); }
  bool intact() const override { return in_.intact(); }

 private:
  LevelInputs in_;
  float sums_[2] = {};
};

class RowTimes16Call : public KernelCall {
 public:
  explicit RowTimes16Call(const CaseSetup& setup)
      : row_(buffer(floats(setup, setup.dim), setup)),
        x_(buffer(floats(next(setup), 16 * setup.dim), setup)),
        out_(16, setup.placement) {}

  void run(const Kernels& kernels) override {
    kernels.row_times_16(row_->data(), x_->data(), row_->size(), out_.data());
  }
  Words output() const override { return words_of(out_.values()); }
  bool intact() const override { return row_->intact() && x_->intact() && out_.intact(); }
  std::size_t entries() const override { return 16; }

 private:
  Input<float> row_;
  Input<float> x_;
  GuardedBuffer<float> out_;
};

class SelectBelowCall : public KernelCall {
 public:
  explicit SelectBelowCall(const CaseSetup& setup)
      : values_(buffer(floats(setup, setup.dim), setup)), out_(setup.dim + 16, setup.placement) {}

  void run(const Kernels& kernels) override {
    const float limit = values_->size() > 0 ? values_->data()[0] : 0;  // one value equals it
    found_ = kernels.select_below(values_->data(), values_->size(), limit, out_.data());
  }
  Words output() const override {
    Words words(out_.data(), out_.data() + found_);
    words.push_back(static_cast<std::uint32_t>(found_));
    return words;
  }
  bool intact() const override { return values_->intact() && out_.intact(); }

 private:
  Input<float> values_;
  GuardedBuffer<std::uint32_t> out_;
  std::size_t found_ = 0;
};

class QuantizeWordsCall : public KernelCall {
 public:
  explicit QuantizeWordsCall(const CaseSetup& setup) : words_(setup.dim, setup.placement) {
    std::vector<float> values = floats(setup, setup.dim);
    float largest = 1;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i % 3 == 0) values[i] = static_cast<float>((setup.seed + 7 * i) % 300) - 150.5F;  // ties
      largest = std::max(largest, std::abs(values[i]));
    }
    scale_ = largest < 8000 ? 1.0 : 8000.0 / largest;
    x_ = buffer(values, setup);
  }

  void run(const Kernels& kernels) override {
    kernels.quantize_words(x_->data(), x_->size(), scale_, words_.data());
  }
  Words output() const override { return words_of(words_.values()); }
  bool intact() const override { return x_->intact() && words_.intact(); }

 private:
  double scale_ = 1;
  Input<float> x_;
  GuardedBuffer<std::int16_t> words_;
};

class QuantizeBytesCall : public KernelCall {
 public:
  explicit QuantizeBytesCall(const CaseSetup& setup) : row_(setup.dim, setup.placement) {
    std::vector<float> values = floats(setup, setup.dim);
    // Halves tie; the rest reaches beyond +-127.
    for (std::size_t i = 0; i < values.size(); i += 3) {
      values[i] = static_cast<float>((setup.seed + 7 * i) % 300) - 150.5F;
    }
    x_ = buffer(values, setup);
  }

  void run(const Kernels& kernels) override {
    kernels.quantize_bytes(x_->data(), x_->size(), 1.0F, row_.data());
  }
  Words output() const override { return words_of(row_.values()); }
  bool intact() const override { return x_->intact() && row_.intact(); }

 private:
  Input<float> x_;
  GuardedBuffer<std::int8_t> row_;
};

class ViterbiCall : public KernelCall {
 public:
  ViterbiCall(const CaseSetup& setup, unsigned bits)
      : bits_(bits),
        x_(buffer(floats(setup, setup.dim), setup)),
        levels_(buffer(floats(next(setup), kStates), setup)),
        first_(floats(next(next(setup)), kStates)),
        costs_(kStates, setup.placement),
        choices_(setup.dim * (kStates >> bits), setup.placement) {}

  void run(const Kernels& kernels) override {
    std::ranges::copy(first_, costs_.data());
    kernels.viterbi(x_->data(), x_->size(), levels_->data(), bits_, costs_.data(), choices_.data());
  }
  Words output() const override {
    Words words = words_of(costs_.values());
    words.resize(kStates + choices_.size() / sizeof words[0]);
    std::memcpy(words.data() + kStates, choices_.data(), choices_.size());
    return words;
  }
  bool intact() const override {
    return x_->intact() && levels_->intact() && costs_.intact() && choices_.intact();
  }

 private:
  static constexpr std::size_t kStates = 256;

  unsigned bits_;
  Input<float> x_;
  Input<float> levels_;
  std::vector<float> first_;
  GuardedBuffer<float> costs_;
  GuardedBuffer<std::uint8_t> choices_;
};

}  // namespace

std::vector<KernelCase> kernel_cases() {
  std::vector<KernelCase> cases;
  const auto add = [&cases](const std::string& name, auto make) {
    cases.push_back({name, [make](const CaseSetup& setup) { return make(setup); }});
  };
  add("hadamard", make_call<HadamardCall>);
  add("dot", [](const CaseSetup& s) { return std::make_unique<ProductCall>(s, &Kernels::dot); });
  add("l2_sqr",
      [](const CaseSetup& s) { return std::make_unique<ProductCall>(s, &Kernels::l2_sqr); });
  add("dots", make_call<DotsCall>);
  add("build_lut", make_call<BuildLutCall>);
  add_code_cases(cases);
  for (unsigned bits = 1; bits <= 8; ++bits) {
    add(fmt::format("nearest_level/{}", bits),
        [bits](const CaseSetup& s) { return std::make_unique<NearestLevelCall>(s, bits); });
    add(fmt::format("score_levels/{}", bits),
        [bits](const CaseSetup& s) { return std::make_unique<ScoreLevelsCall>(s, bits); });
  }
  add("row_times_16", make_call<RowTimes16Call>);
  add("select_below", make_call<SelectBelowCall>);
  add("quantize_words", make_call<QuantizeWordsCall>);
  add("quantize_bytes", make_call<QuantizeBytesCall>);
  for (unsigned bits = 1; bits <= 4; ++bits) {
    add(fmt::format("viterbi/{}", bits),
        [bits](const CaseSetup& s) { return std::make_unique<ViterbiCall>(s, bits); });
  }
  return cases;
}

}  // namespace obliq

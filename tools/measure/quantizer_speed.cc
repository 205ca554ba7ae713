#include "tools/measure/quantizer_speed.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <functional>
#include <vector>

namespace obliq::tools {
namespace {

constexpr double kRoundSeconds = 0.05;
constexpr std::size_t kTimings = 5;
constexpr std::size_t kFewVectors = 64;  // for a first estimate, and for slow encoders

double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double seconds_of(const std::function<void()>& work) {
  const double start = thread_seconds();
  work();
  return std::max(thread_seconds() - start, 1e-9);
}

double median_rate(double items, const std::function<void()>& work) {
  std::array<double, kTimings> rates{};
  for (double& rate : rates) rate = items / seconds_of(work);
  std::sort(rates.begin(), rates.end());
  return rates[kTimings / 2];
}

// Codes of the first rows, and references to them.
struct Codes {
  explicit Codes(std::size_t rows, const CodeLayout& layout)
      : bytes(rows * layout.code_bytes), factors(rows) {}

  std::vector<CodeRef> references(const Quantizer& quantizer) const {
    const CodeLayout layout = quantizer.layout();
    const std::size_t signs = layout.leads_with_signs ? (quantizer.dim() + 7) / 8 : 0;
    std::vector<CodeRef> all;
    for (std::size_t i = 0; i < factors.size(); ++i) {
      const std::uint8_t* code = bytes.data() + i * layout.code_bytes;
      all.push_back({code, code + signs, factors[i]});
    }
    return all;
  }

  std::vector<std::uint8_t> bytes;
  std::vector<Factors> factors;
};

}  // namespace

QuantizerSpeed measure_speed(const Quantizer& quantizer, MatrixView<float> rotated) {
  Codes codes(rotated.rows, quantizer.layout());
  const auto encode = [&](std::size_t rows) {
    quantizer.encode_batch(rotated.slice(0, rows), codes.bytes.data(), codes.factors.data());
  };
  const std::size_t few = std::min(kFewVectors, rotated.rows);
  const double each = seconds_of([&] { encode(few); }) / static_cast<double>(few);
  const auto affordable = static_cast<std::size_t>(kRoundSeconds / each);
  const std::size_t rows = std::clamp(affordable, few, rotated.rows);
  QuantizerSpeed speed;
  speed.encode_per_s = median_rate(static_cast<double>(rows), [&] { encode(rows); });

  std::vector<CodeRef> references = codes.references(quantizer);
  references.resize(rows);  // those encoded
  std::vector<float> out(rows);
  const auto scorer = quantizer.make_scorer();
  scorer->set_query(rotated.row(0));
  const double scan = seconds_of([&] { scorer->products(references, out.data()); });
  const auto repeats = static_cast<std::size_t>(kRoundSeconds / scan) + 1;
  speed.products_per_s = median_rate(static_cast<double>(rows * repeats), [&] {
    for (std::size_t i = 0; i < repeats; ++i) scorer->products(references, out.data());
  });
  return speed;
}

}  // namespace obliq::tools

// The definition of every kernel: plain loops in the order that kernels.h writes. Compiled without
// contraction and without vector flags, so that it means the same everywhere.
#include "core/kernels/kernels.h"

namespace obliq {
namespace {

// fp16 to float; factors are finite, so that exponent 31 needs no case of its own.
float half_to_float(const std::uint8_t* bytes) noexcept {
  const std::uint32_t half = bytes[0] | (std::uint32_t{bytes[1]} << 8);
  const std::uint32_t magnitude = (half & 0x7FFFU) << 13;
  float value;
  __builtin_memcpy(&value, &magnitude, sizeof value);
  value *= 0x1p112F;
  return (half & 0x8000U) != 0 ? -value : value;
}

float fold(float* lanes) noexcept {
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t j = 0; j < half; ++j) lanes[j] += lanes[j + half];
  }
  return lanes[0];
}

void hadamard(float* x, std::size_t n) noexcept {
  for (std::size_t h = 1; h < n; h *= 2) {
    for (std::size_t i = 0; i < n; i += 2 * h) {
      for (std::size_t j = i; j < i + h; ++j) {
        const float a = x[j];
        const float b = x[j + h];
        x[j] = a + b;
        x[j + h] = a - b;
      }
    }
  }
}

float dot(const float* x, const float* y, std::size_t dim) noexcept {
  float lanes[kLanes] = {};
  for (std::size_t i = 0; i < dim; ++i) lanes[i % kLanes] += x[i] * y[i];
  return fold(lanes);
}

float l2_sqr(const float* x, const float* y, std::size_t dim) noexcept {
  float lanes[kLanes] = {};
  for (std::size_t i = 0; i < dim; ++i) {
    const float difference = x[i] - y[i];
    lanes[i % kLanes] += difference * difference;
  }
  return fold(lanes);
}

void dots(const float* x, std::size_t nx, const float* y, std::size_t ny, std::size_t dim,
          float* out) noexcept {
  for (std::size_t i = 0; i < nx; ++i) {
    for (std::size_t j = 0; j < ny; ++j) out[i * ny + j] = dot(x + i * dim, y + j * dim, dim);
  }
}

// rint to even, for |value| < 2^22.
float round_even(float value) noexcept {
  constexpr float kMagic = 0x1.8p23F;
  return (value + kMagic) - kMagic;
}

float clamp(float value, float low, float high) noexcept {
  return value < low ? low : value > high ? high : value;
}

void build_lut(const float* query, std::size_t dim, float inv_step, float offset, int max_value,
               std::uint8_t* lut) noexcept {
  for (std::size_t g = 0; g < sign_groups(dim); ++g) {
    for (unsigned m = 0; m < 16; ++m) {
      float s[4];
      for (unsigned i = 0; i < 4; ++i) {
        const float q = 4 * g + i < dim ? query[4 * g + i] : 0.0F;
        s[i] = (m >> i & 1U) != 0 ? q : -q;
      }
      const float t = (s[0] + s[1]) + (s[2] + s[3]);
      const float value = clamp(t * inv_step + offset, 0.0F, static_cast<float>(max_value));
      lut[16 * g + m] = static_cast<std::uint8_t>(round_even(value));
    }
  }
}

unsigned nibble(const std::uint8_t* block, std::size_t group, std::uint32_t entry) noexcept {
  const unsigned byte = block[16 * group + entry % 16];
  return entry < 16 ? byte & 15U : byte >> 4;
}

bool counts(const ScanList& list, std::uint32_t entry) noexcept {
  if (list.mask == nullptr || entry >= list.masked) return true;
  const std::uint64_t bit = list.mask_begin + entry;
  return (list.mask[bit / 64] >> bit % 64 & 1) != 0;
}

std::size_t scan(const std::uint8_t* lut, std::size_t dim, const ScanList& list, float threshold,
                 std::uint32_t* entries, float* bounds) noexcept {
  const std::size_t groups = sign_groups(dim);
  std::size_t found = 0;
  for (std::uint32_t i = 0; i < list.count; ++i) {
    if (!counts(list, i)) continue;
    const std::uint32_t place = list.lane + i;
    const std::uint8_t* block = list.blocks + place / kBlockEntries * list.stride;
    const std::uint32_t entry = place % kBlockEntries;
    unsigned sum = 0;
    for (std::size_t g = 0; g < groups; ++g) sum += lut[16 * g + nibble(block, g, entry)];
    const std::uint8_t* factors = block + list.factors;
    const float a = half_to_float(factors + std::size_t{2} * entry);
    const float b = half_to_float(factors + 2 * (kBlockEntries + entry));
    const float ip = static_cast<float>(sum) * list.lut_step + list.lut_shift;
    const float bound = (list.base + a * list.add_scale) - (b * list.rescale_scale) * ip;
    if (bound < threshold) {
      entries[found] = i;
      bounds[found] = bound;
      ++found;
    }
  }
  return found;
}

std::size_t select_below(const float* values, std::size_t n, float limit,
                         std::uint32_t* out) noexcept {
  std::size_t found = 0;
  for (std::size_t i = 0; i < n; ++i) {
    out[found] = static_cast<std::uint32_t>(i);  // no branch to predict
    found += values[i] <= limit ? 1 : 0;
  }
  return found;
}

void gather_signs(const std::uint8_t* block, std::uint32_t lane, std::size_t dim,
                  std::uint8_t* signs) noexcept {
  for (std::size_t i = 0; i < plane_bytes(dim); ++i) {
    const unsigned low = nibble(block, 2 * i, lane);
    const unsigned high = 2 * i + 1 < sign_groups(dim) ? nibble(block, 2 * i + 1, lane) : 0;
    signs[i] = static_cast<std::uint8_t>(low | high << 4);
  }
}

unsigned bit(const std::uint8_t* plane, std::size_t i) noexcept {
  return plane[i / 8] >> (i % 8) & 1U;
}

std::int32_t dot_planes(const std::uint8_t* signs, const std::uint8_t* planes, std::size_t bits,
                        const std::int16_t* levels, const std::int16_t* query,
                        std::size_t dim) noexcept {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < dim; ++i) {
    unsigned index = bit(signs, i) << (bits - 1);
    for (std::size_t p = 0; p + 1 < bits; ++p) index |= bit(planes + p * plane_bytes(dim), i) << p;
    sum += levels[index] * query[i];
  }
  return sum;
}

std::int32_t dot_bytes(const std::int8_t* row, const std::int16_t* query,
                       std::size_t dim) noexcept {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < dim; ++i) sum += row[i] * query[i];
  return sum;
}

std::int32_t dot_words(const std::int16_t* row, const std::int16_t* query,
                       std::size_t dim) noexcept {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < dim; ++i) sum += row[i] * query[i];
  return sum;
}

std::int32_t dot_windows(const std::uint8_t* code, std::size_t bits, const std::int16_t* levels,
                         const std::int16_t* query, std::size_t dim) noexcept {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < dim; ++i) {
    const std::uint8_t* bytes = code + i * bits / 8;
    const std::size_t shift = i * bits % 8;
    const unsigned window = shift == 0 ? bytes[0] : (bytes[0] | bytes[1] << 8) >> shift;
    sum += levels[window & 255U] * query[i];
  }
  return sum;
}

unsigned level_of(float value, const float* thresholds, std::size_t count) noexcept {
  unsigned index = 0;
  for (std::size_t t = 0; t < count; ++t) index += value > thresholds[t] ? 1 : 0;
  return index;
}

void nearest_level(const float* x, std::size_t dim, float scale, const float* thresholds,
                   std::size_t count, std::uint8_t* index) noexcept {
  for (std::size_t i = 0; i < dim; ++i) {
    index[i] = static_cast<std::uint8_t>(level_of(x[i] * scale, thresholds, count));
  }
}

void score_levels(const float* x, std::size_t dim, float scale, const float* thresholds,
                  const float* levels, std::size_t count, float* xy, float* yy) noexcept {
  float xy_lanes[kLanes] = {};
  float yy_lanes[kLanes] = {};
  for (std::size_t i = 0; i < dim; ++i) {
    const float y = levels[level_of(x[i] * scale, thresholds, count)];
    xy_lanes[i % kLanes] += x[i] * y;
    yy_lanes[i % kLanes] += y * y;
  }
  *xy = fold(xy_lanes);
  *yy = fold(yy_lanes);
}

void row_times_16(const float* row, const float* x, std::size_t n, float* out) noexcept {
  float sums[4][16] = {};
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t l = 0; l < 16; ++l) sums[j % 4][l] += row[j] * x[16 * j + l];
  }
  for (std::size_t l = 0; l < 16; ++l) {
    out[l] = (sums[0][l] + sums[1][l]) + (sums[2][l] + sums[3][l]);
  }
}

void pack_signs(const float* x, const float* y, std::size_t dim, std::uint8_t* signs, float* sx,
                float* sy) noexcept {
  float x_lanes[kLanes] = {};
  float y_lanes[kLanes] = {};
  for (std::size_t i = 0; i < plane_bytes(dim); ++i) signs[i] = 0;
  for (std::size_t i = 0; i < dim; ++i) {
    const bool positive = x[i] >= 0;
    signs[i / 8] = static_cast<std::uint8_t>(signs[i / 8] | unsigned{positive} << (i % 8));
    x_lanes[i % kLanes] += positive ? x[i] : -x[i];
    y_lanes[i % kLanes] += positive ? y[i] : -y[i];
  }
  *sx = fold(x_lanes);
  *sy = fold(y_lanes);
}

void quantize_words(const float* x, std::size_t dim, double scale, std::int16_t* out) noexcept {
  constexpr double kRoundMagic = 0x1.8p52;  // adding and subtracting it rounds to even
  for (std::size_t i = 0; i < dim; ++i) {
    const double rounded = (x[i] * scale + kRoundMagic) - kRoundMagic;
    out[i] = static_cast<std::int16_t>(static_cast<std::int32_t>(rounded));
  }
}

void quantize_bytes(const float* x, std::size_t dim, float scale, std::int8_t* row) noexcept {
  for (std::size_t i = 0; i < dim; ++i) {
    row[i] = static_cast<std::int8_t>(round_even(clamp(x[i] * scale, -127.0F, 127.0F)));
  }
}

void viterbi(const float* x, std::size_t dim, const float* levels, std::size_t bits, float* costs,
             std::uint8_t* choices) noexcept {
  const std::size_t groups = std::size_t{256} >> bits;
  for (std::size_t i = dim; i-- > 0;) {
    float best[128];
    for (std::size_t g = 0; g < groups; ++g) {
      std::size_t choice = 0;
      for (std::size_t j = 1; j < std::size_t{1} << bits; ++j) {
        if (costs[j * groups + g] < costs[choice * groups + g]) choice = j;
      }
      choices[i * groups + g] = static_cast<std::uint8_t>(choice);
      best[g] = costs[choice * groups + g];
    }
    for (std::size_t s = 0; s < 256; ++s) {
      const float error = x[i] - levels[s];
      costs[s] = best[s >> bits] + error * error;
    }
  }
}

}  // namespace

void install_scalar(Kernels& kernels) noexcept {
  kernels = {"scalar",       hadamard,       dot,           l2_sqr,       dots,         build_lut,
             scan,           select_below,   gather_signs,  dot_planes,   dot_bytes,    dot_words,
             nullptr,        dot_windows,    nearest_level, score_levels, row_times_16, pack_signs,
             quantize_words, quantize_bytes, nullptr,       viterbi};
  install_scalar_e8(kernels);
  install_scalar_panels(kernels);
}

}  // namespace obliq

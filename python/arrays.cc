#include "python/arrays.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <type_traits>

#include "core/half.h"

namespace obliq::python {
namespace {

constexpr std::string_view kRemedy = "which float32 cannot hold: scale the vectors";

/// Whether float32 holds `value` in place of `from`: not where a number became infinity or 0.
bool holds(double from, float value) {
  if (value == 0) return from == 0;
  return !std::isinf(value) || std::isinf(from);
}

/// fp16 as it lies in memory.
struct Half {
  std::uint16_t bits;
};

/// bfloat16: the upper half of a float.
struct BFloat16 {
  std::uint16_t bits;
};

float to_float(BFloat16 value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16);
}
float to_float(Half value) { return half_to_float(value.bits); }
template <typename T>
float to_float(T value) {
  return static_cast<float>(value);
}

template <typename T>
class ArraySource final : public VectorSource {
 public:
  explicit ArraySource(const AnyArray& array)
      : data_(static_cast<const T*>(array.data())),
        rows_(array.shape(0)),
        dim_(array.shape(1)),
        row_stride_(array.stride(0)),
        stride_(array.stride(1)) {}

  std::size_t rows() const override { return rows_; }
  std::size_t dim() const override { return dim_; }

  void read(std::size_t first, std::size_t count, float* out) const override {
    for (std::size_t i = first; i < first + count; ++i, out += dim_) {
      const T* row = data_ + static_cast<std::int64_t>(i) * row_stride_;
      if constexpr (std::is_same_v<T, float>) {
        if (stride_ == 1) {
          std::memcpy(out, row, dim_ * sizeof(float));
          continue;
        }
      }
      for (std::size_t j = 0; j < dim_; ++j) {
        const T value = row[static_cast<std::int64_t>(j) * stride_];
        out[j] = to_float(value);
        if constexpr (std::is_same_v<T, double>) {
          if (!holds(value, out[j])) refuse(value, i, j);
        }
      }
    }
  }

 private:
  [[noreturn]] static void refuse(double value, std::size_t row, std::size_t column) {
    throw std::invalid_argument(
        fmt::format("vectors hold {} in row {}, column {}, {}", value, row, column, kRemedy));
  }

  const T* data_;
  std::size_t rows_;
  std::size_t dim_;
  std::int64_t row_stride_;  // in values
  std::int64_t stride_;
};

}  // namespace

std::unique_ptr<VectorSource> source_of(const AnyArray& array) {
  if (array.ndim() != 2) {
    throw nb::value_error(
        fmt::format("vectors must be an array [n][dim], not one of {} axes", array.ndim()).c_str());
  }
  const nb::dlpack::dtype type = array.dtype();
  const auto is = [type](nb::dlpack::dtype_code code, int bits) {
    return type.lanes == 1 && type.code == static_cast<std::uint8_t>(code) && type.bits == bits;
  };
  using Code = nb::dlpack::dtype_code;
  if (is(Code::Float, 32)) return std::make_unique<ArraySource<float>>(array);
  if (is(Code::Float, 64)) return std::make_unique<ArraySource<double>>(array);
  if (is(Code::Float, 16)) return std::make_unique<ArraySource<Half>>(array);
  if (is(Code::Int, 8)) return std::make_unique<ArraySource<std::int8_t>>(array);
  if (is(Code::UInt, 8)) return std::make_unique<ArraySource<std::uint8_t>>(array);
  if (is(Code::UInt, 16)) return std::make_unique<ArraySource<BFloat16>>(array);
  throw nb::type_error(
      "vectors must be of float16, float32, float64, int8 or uint8; convert others first");
}

std::size_t count_of(std::int64_t value, std::string_view name) {
  if (value < 1) {
    throw std::invalid_argument(fmt::format("{} must be 1 or more, not {}", name, value));
  }
  return static_cast<std::size_t>(value);
}

}  // namespace obliq::python

// What callers pass, checked: handles, buffers, texts, and structs that begin with their size.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "obliq/c/status.h"
#include "obliq/matrix_view.h"
#include "obliq/progress.h"

namespace obliq::capi {

[[noreturn]] void refuse_null(std::string_view what);

/// What a pointer points at. Throws std::invalid_argument naming it where it is NULL.
template <typename T>
T& required(T* pointer, std::string_view what) {
  if (pointer == nullptr) refuse_null(what);
  return *pointer;
}

/// A text that ends with a zero. Throws std::invalid_argument where it is NULL.
inline std::string_view text_of(const char* text, std::string_view what) {
  return &required(text, what);
}
/// The same, nothing where it is NULL.
inline std::string_view optional_text(const char* text) {
  return text == nullptr ? std::string_view() : std::string_view(text);
}

/// n values, which are there unless n is 0. Throws std::invalid_argument where they are not, or
/// are more than an address space holds.
void require_buffer(const void* values, std::size_t n, std::size_t bytes_each,
                    std::string_view what);

template <typename T>
std::span<const T> values_of(const T* values, std::size_t n, std::string_view what) {
  require_buffer(values, n, sizeof(T), what);
  return {values, n};
}

/// rows x cols. Throws std::invalid_argument where that overflows.
std::size_t area_of(std::size_t rows, std::size_t cols, std::string_view what);

template <typename T>
MatrixView<T> matrix_of(const T* values, std::size_t rows, std::size_t cols,
                        std::string_view what) {
  require_buffer(values, area_of(rows, cols, what), sizeof(T), what);
  return {values, rows, cols};
}

/// Of n texts that end with a zero, or have sizes. Throws std::invalid_argument naming one that is
/// NULL.
std::vector<std::string_view> texts_of(const char* const* texts, const std::size_t* sizes,
                                       std::size_t n, std::string_view what);
/// The same as texts of their own. Of none where `texts` is NULL and n is 0.
std::vector<std::string> names_of(const char* const* texts, std::size_t n, std::string_view what);

/// Throws std::invalid_argument unless value is in [first, last].
void require_enum(std::int32_t value, std::int32_t first, std::int32_t last, std::string_view what);

/// As the texts that go out are described in obliq.h.
void write_text(std::string_view text, char* out, std::size_t capacity, std::size_t* needed);
/// The same of n values, where `out` is an array. Throws StatusError with OBLIQ_TOO_SMALL.
void require_capacity(std::size_t n, std::size_t capacity, std::string_view what);

/// Calls a callback of C; empty where there is none.
Progress progress_of(obliq_progress progress, void* user);

/// Throws std::invalid_argument unless `size` is from `least` to 64 KiB and, beyond `known` bytes,
/// the struct holds zeros.
void require_known(const void* given, std::size_t size, std::size_t least, std::size_t known,
                   std::string_view what);

/// The options of a caller, compiled with this header, an older or a newer one: `options` holds the
/// defaults. `least`: the size in the first version. NULL leaves the defaults.
template <typename Options>
void read_options(const Options* given, Options& options, std::string_view what,
                  std::size_t least = sizeof(Options)) {
  static_assert(std::is_trivially_copyable_v<Options>);
  if (given == nullptr) return;
  require_known(given, given->size, least, sizeof(Options), what);
  std::memcpy(&options, given, std::min(given->size, sizeof(Options)));
}

/// The first `size` bytes of the defaults, and zeros behind them.
template <typename Options>
void init_options(Options* out, std::size_t size, const Options& defaults) {
  if (out == nullptr || size < sizeof(std::size_t)) return;
  std::memset(out, 0, size);
  std::memcpy(out, &defaults, std::min(size, sizeof(Options)));
  out->size = size;
}

/// Writes a struct of numbers into one of the caller, of this version, an older or a newer one.
template <typename Stats>
void write_stats(const Stats& stats, Stats* out, std::string_view what,
                 std::size_t least = sizeof(Stats)) {
  const std::size_t size = required(out, what).size;
  require_known(nullptr, size, least, sizeof(Stats), what);
  std::memset(out, 0, size);
  std::memcpy(out, &stats, std::min(size, sizeof(Stats)));
  out->size = size;
}

}  // namespace obliq::capi

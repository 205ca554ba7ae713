#include "capi/arguments.h"

#include <fmt/format.h>

#include <cstddef>
#include <stdexcept>

#include "capi/guard.h"

namespace obliq::capi {
namespace {

constexpr std::size_t kMostBytes = PTRDIFF_MAX;
constexpr std::size_t kMostStruct = 65536;
constexpr std::uint64_t kWhole = 1'000'000;  // parts that progress counts

}  // namespace

void refuse_null(std::string_view what) {
  throw std::invalid_argument(fmt::format("{} is NULL", what));
}

void require_buffer(const void* values, std::size_t n, std::size_t bytes_each,
                    std::string_view what) {
  if (n == 0) return;
  if (values == nullptr) {
    throw std::invalid_argument(fmt::format("{}: NULL where there are {} values", what, n));
  }
  if (n > kMostBytes / bytes_each) {
    throw std::invalid_argument(
        fmt::format("{}: {} values are more than memory can hold", what, n));
  }
}

std::size_t area_of(std::size_t rows, std::size_t cols, std::string_view what) {
  if (cols != 0 && rows > kMostBytes / cols) {
    throw std::invalid_argument(
        fmt::format("{}: {} x {} values are more than memory can hold", what, rows, cols));
  }
  return rows * cols;
}

std::vector<std::string_view> texts_of(const char* const* texts, const std::size_t* sizes,
                                       std::size_t n, std::string_view what) {
  require_buffer(static_cast<const void*>(texts), n, sizeof(char*), what);
  std::vector<std::string_view> views(n);
  for (std::size_t i = 0; i < n; ++i) {
    if (texts[i] == nullptr && (sizes == nullptr || sizes[i] > 0)) {
      throw std::invalid_argument(fmt::format("{}: number {} is NULL", what, i));
    }
    if (sizes == nullptr) {
      views[i] = texts[i];
    } else {
      require_buffer(texts[i], sizes[i], 1, what);
      views[i] = {texts[i], sizes[i]};
    }
  }
  return views;
}

std::vector<std::string> names_of(const char* const* texts, std::size_t n, std::string_view what) {
  const auto views = texts_of(texts, nullptr, n, what);
  return {views.begin(), views.end()};
}

void require_enum(std::int32_t value, std::int32_t first, std::int32_t last,
                  std::string_view what) {
  if (value < first || value > last) {
    throw std::invalid_argument(
        fmt::format("{} is {}, which is none of {} to {}", what, value, first, last));
  }
}

void write_text(std::string_view text, char* out, std::size_t capacity, std::size_t* needed) {
  if (needed != nullptr) *needed = text.size() + 1;
  if (out == nullptr) return;
  require_capacity(text.size() + 1, capacity, "text");
  std::copy(text.begin(), text.end(), out);
  out[text.size()] = '\0';
}

void require_capacity(std::size_t n, std::size_t capacity, std::string_view what) {
  if (n <= capacity) return;
  throw StatusError(OBLIQ_TOO_SMALL,
                    fmt::format("{}: it takes a capacity of {}, not {}", what, n, capacity));
}

Progress progress_of(obliq_progress progress, void* user) {
  if (progress == nullptr) return {};
  return [progress, user](std::string_view stage, double fraction) {
    const std::string name(stage);
    const double part = std::clamp(fraction, 0.0, 1.0);
    return progress(user, name.c_str(), static_cast<std::uint64_t>(part * double{kWhole}),
                    kWhole) == 0;
  };
}

void require_known(const void* given, std::size_t size, std::size_t least, std::size_t known,
                   std::string_view what) {
  if (size < least || size > kMostStruct) {
    throw std::invalid_argument(
        fmt::format("{}.size is {}, where this library knows {}: set it to sizeof, which the "
                    "function that ends with _init does",
                    what, size, known));
  }
  if (given == nullptr || size <= known) return;
  const auto* bytes = static_cast<const std::uint8_t*>(given);
  if (std::any_of(bytes + known, bytes + size, [](std::uint8_t byte) { return byte != 0; })) {
    throw std::invalid_argument(
        fmt::format("{} has fields that this library, version " OBLIQ_VERSION
                    ", does not know: leave them as _init sets them, or take a newer library",
                    what));
  }
}

}  // namespace obliq::capi

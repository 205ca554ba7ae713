// NumPy arrays as the library sees them: a base of any number type and layout, read piece by piece
// as float32 without a copy of the whole, and new arrays for answers.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "obliq/matrix_view.h"
#include "obliq/vector_source.h"

namespace obliq::python {

namespace nb = nanobind;

/// Any CPU array, read-only.
using AnyArray = nb::ndarray<nb::ro, nb::device::cpu>;
/// float32 [n][dim], contiguous, read-only.
using FloatMatrix = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
/// int64 [n][any number], contiguous, read-only.
using IdMatrix = nb::ndarray<const std::int64_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
/// int64 [n], contiguous, read-only.
using Ids = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

inline MatrixView<float> view_of(const FloatMatrix& array) {
  return {array.data(), array.shape(0), array.shape(1)};
}

/// Vectors [n][dim] of float16, float32, float64, int8, uint8 or, as uint16, the bits of bfloat16,
/// with any strides. Throws
/// nb::type_error or nb::value_error naming what is wrong; reading throws std::invalid_argument
/// naming a float64 value that float32 cannot hold, and its row and column. The array must outlive
/// it.
std::unique_ptr<VectorSource> source_of(const AnyArray& array);

/// The memory of a contiguous NumPy array [rows][columns] of T. Throws what the array raises when
/// it is not contiguous or, where T is not const, not writable; nb::value_error when it is of
/// another type or shape. Made and destroyed with the GIL. For calls whose overhead counts: 0.05
/// us, where nb::ndarray takes 0.2.
template <typename T>
class ArrayMemory {
 public:
  explicit ArrayMemory(nb::handle array) {
    constexpr int writable = std::is_const_v<T> ? 0 : PyBUF_WRITABLE;
    if (PyObject_GetBuffer(array.ptr(), &buffer_, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | writable)) {
      throw nb::python_error();
    }
    constexpr std::string_view letters = std::is_floating_point_v<T>                  ? "f"
                                         : std::is_unsigned_v<std::remove_const_t<T>> ? "IL"
                                                                                      : "lq";
    std::string_view format = buffer_.format;
    if (format.front() == '=') format.remove_prefix(1);  // an unaligned array
    const bool fits = buffer_.ndim == 2 && buffer_.itemsize == sizeof(T) && format.size() == 1 &&
                      letters.find(format) != std::string_view::npos;
    if (fits) return;
    PyBuffer_Release(&buffer_);
    throw nb::value_error(
        "wanted a contiguous array of two axes, float32, int64 for ids or uint32 for lists");
  }
  ~ArrayMemory() { PyBuffer_Release(&buffer_); }
  ArrayMemory(const ArrayMemory&) = delete;
  ArrayMemory& operator=(const ArrayMemory&) = delete;

  T* data() const { return static_cast<T*>(buffer_.buf); }
  std::size_t rows() const { return static_cast<std::size_t>(buffer_.shape[0]); }
  std::size_t columns() const { return static_cast<std::size_t>(buffer_.shape[1]); }

 private:
  Py_buffer buffer_;
};

/// A path as os.fsencode gives it.
inline std::string path_of(const nb::bytes& path) { return {path.c_str(), path.size()}; }
inline std::vector<std::string> paths_of(const std::vector<nb::bytes>& paths) {
  std::vector<std::string> names;
  for (const nb::bytes& path : paths) names.push_back(path_of(path));
  return names;
}

/// `value` as a count. Throws std::invalid_argument with the name when it is below 1.
std::size_t count_of(std::int64_t value, std::string_view name);

/// A new NumPy array of this shape; `values` points to its memory, which holds anything. Throws
/// std::bad_alloc (MemoryError) when it has more bytes than there can be.
template <typename T>
nb::ndarray<nb::numpy, T> new_array(std::initializer_list<std::size_t> shape, T*& values) {
  std::size_t count = 1;
  for (const std::size_t extent : shape) {
    constexpr auto most = static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max());
    if (extent > 0 && count > most / sizeof(T) / extent) throw std::bad_alloc();
    count *= extent;
  }
  auto owned = std::make_unique_for_overwrite<T[]>(count);
  values = owned.get();
  nb::capsule owner(owned.release(),
                    [](void* data) noexcept { std::unique_ptr<T[]> freed(static_cast<T*>(data)); });
  return nb::ndarray<nb::numpy, T>(values, shape, owner);
}

}  // namespace obliq::python

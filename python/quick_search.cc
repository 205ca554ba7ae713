// One query at a time, searched without what a call through nanobind, views of arrays and checks in
// Python cost: more than scanning a list does. What is out of the ordinary is left to Index.search
// of index_binding.cc, which takes everything and says what is wrong: the answer is None then.
#include "python/quick_search.h"

#include <memory>
#include <optional>
#include <string_view>

#include "obliq/filter.h"
#include "obliq/index.h"
#include "python/arrays.h"
#include "python/forked.h"
#include "python/gil.h"

namespace obliq::python {
namespace {

/// What NumPy and the package call things.
struct Names {
  nb::object index;    ///< the class _core.Index
  nb::object filter;   ///< the class _core.Filter
  nb::object array;    ///< numpy.ndarray
  nb::object empty;    ///< numpy.empty
  nb::object float32;  ///< dtypes
  nb::object int64;
  nb::object result;  ///< the class of results, a tuple of two
  nb::object one;
  newfunc new_tuple;
};

/// The memory of a contiguous array; none where it has another layout. Holds no Python error.
class Memory {
 public:
  Memory(PyObject* array, int flags)
      : is_there_(PyObject_GetBuffer(array, &buffer_, PyBUF_C_CONTIGUOUS | flags) == 0) {
    if (!is_there_) PyErr_Clear();
  }
  ~Memory() {
    if (is_there_) PyBuffer_Release(&buffer_);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  bool is_there() const { return is_there_; }
  const Py_buffer& buffer() const { return buffer_; }

 private:
  Py_buffer buffer_;
  bool is_there_;
};

/// float32 [dim] or [1][dim].
bool is_one_query(const Memory& memory) {
  if (!memory.is_there()) return false;
  const Py_buffer& buffer = memory.buffer();
  return buffer.itemsize == sizeof(float) && buffer.format == std::string_view("f") &&
         (buffer.ndim == 1 || (buffer.ndim == 2 && buffer.shape[0] == 1));
}

/// The value of an int from 1 on, or none.
std::optional<std::size_t> count_in(PyObject* number) {
  if (!PyLong_CheckExact(number)) return std::nullopt;
  const Py_ssize_t value = PyLong_AsSsize_t(number);
  if (value == -1 && PyErr_Occurred()) PyErr_Clear();
  if (value < 1) return std::nullopt;
  return static_cast<std::size_t>(value);
}

bool is_of(const nb::object& type, PyObject* object) {
  return Py_TYPE(object) == reinterpret_cast<PyTypeObject*>(type.ptr());
}

/// queries, k, nprobe, confidence, threads, target_recall, filter: as options, or none.
std::optional<SearchOptions> options_in(const Names& names, PyObject* const* given) {
  const std::optional<std::size_t> k = count_in(given[1]);
  const std::optional<std::size_t> nprobe = count_in(given[2]);
  if (!k || (!nprobe && given[2] != Py_None) || !PyFloat_CheckExact(given[3]) ||
      !PyLong_CheckExact(given[4]) || !PyFloat_CheckExact(given[5]) ||
      (given[6] != Py_None && !is_of(names.filter, given[6]))) {
    return std::nullopt;
  }
  int overflow = 0;
  const long threads = PyLong_AsLongAndOverflow(given[4], &overflow);
  constexpr long kMostThreads = 1 << 16;  // beyond, let the library say what it thinks of it
  constexpr std::size_t kMostAnswers = std::size_t{1} << 20;
  if (overflow != 0 || threads < 0 || threads > kMostThreads || *k > kMostAnswers) {
    return std::nullopt;
  }
  SearchOptions options;
  options.k = *k;
  options.nprobe = nprobe;
  options.confidence = static_cast<float>(PyFloat_AsDouble(given[3]));
  options.threads = is_forked() ? 1 : static_cast<int>(threads);
  options.target_recall = PyFloat_AsDouble(given[5]);
  if (given[6] != Py_None) options.filter = *nb::inst_ptr<Filter>(given[6]);
  return options;
}

nb::object empty(const Names& names, const nb::object& shape, const nb::object& type) {
  PyObject* const arguments[] = {shape.ptr(), type.ptr()};
  return nb::steal(PyObject_Vectorcall(names.empty.ptr(), arguments, 2, nullptr));
}

/// Searches without the lock. False where that raises.
bool search(const Index& index, MatrixView<float> query, const SearchOptions& options,
            float* distances, std::int64_t* ids) {
  try {
    const GilRelease release;
    index.search(query, options, distances, ids);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

/// A new reference to the result; null: none, with an error or without.
PyObject* answer(const Names& names, PyObject* const* given, const Index& index) {
  const std::optional<SearchOptions> options = options_in(names, given);
  if (!options || !is_of(names.array, given[0])) return nullptr;
  const Memory query(given[0], PyBUF_FORMAT);
  if (!is_one_query(query)) return nullptr;
  const Py_buffer& in = query.buffer();
  nb::object shape = nb::borrow(given[1]);
  if (in.ndim == 2) shape = nb::steal(PyTuple_Pack(2, names.one.ptr(), given[1]));
  if (!shape.is_valid()) return nullptr;
  const nb::object distances = empty(names, shape, names.float32);
  const nb::object ids = distances.is_valid() ? empty(names, shape, names.int64) : nb::object();
  if (!ids.is_valid()) return nullptr;
  const Memory distance_memory(distances.ptr(), PyBUF_WRITABLE);
  const Memory id_memory(ids.ptr(), PyBUF_WRITABLE);
  if (!distance_memory.is_there() || !id_memory.is_there()) return nullptr;
  const auto dim = static_cast<std::size_t>(in.shape[in.ndim - 1]);
  if (!search(index, {static_cast<const float*>(in.buf), 1, dim}, *options,
              static_cast<float*>(distance_memory.buffer().buf),
              static_cast<std::int64_t*>(id_memory.buffer().buf))) {
    return nullptr;
  }
  const nb::object pair = nb::steal(PyTuple_Pack(2, distances.ptr(), ids.ptr()));
  const nb::object arguments =
      pair.is_valid() ? nb::steal(PyTuple_Pack(1, pair.ptr())) : nb::object();
  if (!arguments.is_valid()) return nullptr;
  return names.new_tuple(reinterpret_cast<PyTypeObject*>(names.result.ptr()), arguments.ptr(),
                         nullptr);
}

/// (index, query, k, nprobe, confidence, threads, target_recall, filter)
PyObject* quick_search(PyObject* self, PyObject* const* given, Py_ssize_t count) noexcept {
  const auto& names = *static_cast<const Names*>(PyCapsule_GetPointer(self, nullptr));
  PyObject* found = nullptr;
  if (count == 8 && is_of(names.index, given[0])) {
    found = answer(names, given + 1, *nb::inst_ptr<Index>(given[0]));
  }
  if (found != nullptr || PyErr_Occurred() != nullptr) return found;
  return Py_NewRef(Py_None);
}

nb::object make_quick_search(const nb::object& array, const nb::object& empty,
                             const nb::object& float32, const nb::object& int64,
                             const nb::object& result) {
  static PyMethodDef definition = {
      "quick_search", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&quick_search)),
      METH_FASTCALL, nullptr};
  auto names = std::make_unique<Names>(Names{
      nb::borrow(nb::type<Index>()), nb::borrow(nb::type<Filter>()), array, empty, float32, int64,
      result, nb::int_(1), reinterpret_cast<newfunc>(PyType_GetSlot(&PyTuple_Type, Py_tp_new))});
  const nb::capsule self(names.release(), [](void* held) noexcept {
    std::unique_ptr<Names> freed(static_cast<Names*>(held));
  });
  return nb::steal(PyCFunction_New(&definition, self.ptr()));
}

}  // namespace

void bind_quick_search(nb::module_& module) {
  module.def("make_quick_search", &make_quick_search, nb::arg("array"), nb::arg("empty"),
             nb::arg("float32"), nb::arg("int64"), nb::arg("result"),
             nb::sig("def make_quick_search(array: type, empty: typing.Any, float32: typing.Any, "
                     "int64: typing.Any, result: type) -> typing.Any"));
  module.def("is_forked", &is_forked);
}

}  // namespace obliq::python

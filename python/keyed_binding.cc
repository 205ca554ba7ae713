// The calls of obliq._core.Collection where ids are strings. Keys come as lists that Python's side
// made for the call, so that their strings stay while it runs without the GIL.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

#include "python/arrays.h"
#include "python/columns.h"
#include "python/gil.h"
#include "python/search_arrays.h"
#include "python/shared_collection.h"

namespace obliq::python {
namespace {

using Keys = std::vector<std::string_view>;

void add_keys(const SharedCollection& self, const FloatMatrix& vectors, const Keys& keys,
              const GivenColumns* columns) {
  const auto collection = self.get();
  const GilRelease release;
  collection->add(view_of(vectors), keys, given(columns));
}

void upsert_keys(const SharedCollection& self, const FloatMatrix& vectors, const Keys& keys,
                 const GivenColumns* columns) {
  const auto collection = self.get();
  const GilRelease release;
  collection->upsert(view_of(vectors), keys, given(columns));
}

void update_keys(const SharedCollection& self, const Keys& keys, const GivenColumns& columns) {
  const auto collection = self.get();
  const GilRelease release;
  collection->update(keys, columns.columns);
}

nb::list get_key_columns(const SharedCollection& self, const Keys& keys,
                         const std::vector<std::string>& names) {
  const auto collection = self.get();
  Columns columns;
  {
    const GilRelease release;
    columns = collection->get_columns(keys, names);
  }
  return column_list(columns);
}

std::size_t remove_keys(const SharedCollection& self, const Keys& keys) {
  const auto collection = self.get();
  const GilRelease release;
  return collection->remove(keys);
}

bool contains_key(const SharedCollection& self, std::string_view key) {
  const auto collection = self.get();
  const GilRelease release;
  return collection->contains(key);
}

/// [keys][dim]
nb::ndarray<nb::numpy, float> get_keys(const SharedCollection& self, const Keys& keys,
                                       std::size_t dim) {
  const auto collection = self.get();
  float* values = nullptr;
  auto array = new_array<float>({keys.size(), dim}, values);
  const GilRelease release;
  collection->get(keys, values);
  return array;
}

KeyedSearchResult search_of(const SharedCollection& self, MatrixView<float> queries,
                            const SearchOptions& options) {
  const auto collection = self.get();
  const GilRelease release;
  return collection->search_keys(queries, options);
}

/// Of one state of the collection: distances into an array [queries][k] of the caller; a list of as
/// many keys, None where there is none, and the columns that are named, as column_list, or None.
nb::tuple search_keys(const SharedCollection& self, nb::handle query_array,
                      nb::handle distance_array, std::optional<std::int64_t> nprobe,
                      float confidence, int threads, double target_recall,
                      const std::string& batch_order, nb::handle work_array, const Wanted* wanted) {
  const ArrayMemory<const float> queries(query_array);
  const ArrayMemory<float> distances(distance_array);
  if (distances.rows() != queries.rows()) {
    throw nb::value_error("distances must be an array [queries][k]");
  }
  SearchOptions options =
      search_options(distances.columns(), nprobe, confidence, threads, target_recall, batch_order);
  SearchWork work(work_array);
  options.explain = work.explain();
  if (wanted != nullptr) wanted->put_into(options);
  const KeyedSearchResult found =
      search_of(self, {queries.data(), queries.rows(), queries.columns()}, options);
  std::copy(found.distances.values.begin(), found.distances.values.end(), distances.data());
  work.write(0);
  nb::object columns = nb::none();
  if (!options.columns.empty()) columns = column_list(found.columns);
  return nb::make_tuple(key_list(found.keys.values), columns);
}

/// Numbers of an exported index, and their keys.
nb::dict numbered_keys(const SharedCollection& self) {
  std::vector<std::int64_t> numbers;
  std::vector<std::string> keys;
  {
    const auto collection = self.get();
    const GilRelease release;
    collection->for_each_key([&](std::int64_t number, std::string_view key) {
      numbers.push_back(number);
      keys.emplace_back(key);
    });
  }
  nb::dict dict;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    dict[nb::int_(numbers[i])] = nb::str(keys[i].data(), keys[i].size());
  }
  return dict;
}

}  // namespace

nb::list key_list(const std::vector<std::string>& keys) {
  nb::list list;
  for (const std::string& key : keys) {
    list.append(key.empty() ? nb::object(nb::none()) : nb::object(nb::str(key.data(), key.size())));
  }
  return list;
}

void bind_keys(nb::class_<SharedCollection>& type) {
  type.def("add_keys", &add_keys, nb::arg("vectors"), nb::arg("keys"), nb::arg("columns").none())
      .def("upsert_keys", &upsert_keys, nb::arg("vectors"), nb::arg("keys"),
           nb::arg("columns").none())
      .def("update_keys", &update_keys, nb::arg("keys"), nb::arg("columns"))
      .def("get_key_columns", &get_key_columns, nb::arg("keys"), nb::arg("names"),
           nb::sig("def get_key_columns(self, keys: collections.abc.Sequence[str], "
                   "names: collections.abc.Sequence[str]) -> list[typing.Any]"))
      .def("remove_keys", &remove_keys, nb::arg("keys"))
      .def("contains_key", &contains_key, nb::arg("key"))
      .def("get_keys", &get_keys, nb::arg("keys"), nb::arg("dim"))
      .def("search_keys", &search_keys, nb::arg("queries"), nb::arg("distances"),
           nb::arg("nprobe").none(), nb::arg("confidence"), nb::arg("threads"),
           nb::arg("target_recall"), nb::arg("batch_order"), nb::arg("work").none(),
           nb::arg("wanted").none(),
           nb::sig("def search_keys(self, queries: NDArray[numpy.float32], "
                   "distances: NDArray[numpy.float32], nprobe: int | None, confidence: float, "
                   "threads: int, target_recall: float, batch_order: str, "
                   "work: NDArray[numpy.int64] | None, wanted: Wanted | None) -> "
                   "tuple[list[str | None], list[typing.Any] | None]"))
      .def("numbered_keys", &numbered_keys, nb::sig("def numbered_keys(self) -> dict[int, str]"));
}

}  // namespace obliq::python

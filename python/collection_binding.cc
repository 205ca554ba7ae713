// obliq._core.Collection: the collection as Python's obliq.Collection needs it. Calls run without
// the GIL. Checks of types, defaults and names live in Python.
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "collection/directory.h"
#include "obliq/collection.h"
#include "python/arrays.h"
#include "python/bindings.h"
#include "python/collection_stats.h"
#include "python/columns.h"
#include "python/progress.h"
#include "python/search_arrays.h"
#include "python/shared_collection.h"

namespace obliq::python {
namespace {

using Schema = std::vector<std::pair<std::string, std::string>>;

std::span<const std::int64_t> span_of(const Ids& ids) { return {ids.data(), ids.shape(0)}; }
MatrixView<std::int64_t> column_of(const Ids& ids) { return {ids.data(), ids.shape(0), 1}; }

/// Whether a directory holds a collection, be it a damaged one.
bool is_at(const nb::bytes& path) {
  const std::string name = path_of(path);
  std::error_code error;
  return std::filesystem::is_directory(name, error) &&
         CollectionDirectory(name).newest_manifest() != 0;
}

CollectionAccess access_of(bool read_only, double follow, const std::string& durability,
                           double sync_interval, int threads, double wait_limit,
                           double background_rate) {
  CollectionAccess access;
  access.read_only = read_only;
  access.follow = follow;
  access.durability = parse_durability(durability);
  access.sync_interval = sync_interval;
  access.threads = threads;
  access.wait_limit = wait_limit;
  access.background_rate = background_rate;
  return access;
}

/// In memory where `path` is empty.
SharedCollection create(const nb::bytes& path, std::size_t dim, const std::string& metric,
                        const std::string& quantizer, const std::string& raw,
                        std::optional<double> spill, std::uint64_t seed, std::size_t train_at,
                        const std::string& ids, const Schema& columns,
                        const CollectionAccess& access) {
  const CollectionOptions options = {
      dim,      parse_metric(metric), quantizer,         parse_raw_tier(raw), spill, seed,
      train_at, parse_id_type(ids),   schema_of(columns)};
  const std::string name = path_of(path);
  const GilRelease release;
  return SharedCollection(name.empty() ? Collection::in_memory(options, access)
                                       : Collection::create(name, options, access));
}

SharedCollection open(const nb::bytes& path, const CollectionAccess& access) {
  const std::string name = path_of(path);
  const GilRelease release;
  return SharedCollection(Collection::open(name, access));
}

/// The new ids are those from the first on.
std::int64_t add_new(const SharedCollection& self, const FloatMatrix& vectors,
                     const GivenColumns* columns) {
  const auto collection = self.get();
  const GilRelease release;
  return collection->add(view_of(vectors), given(columns));
}

void add(const SharedCollection& self, const FloatMatrix& vectors, const Ids& ids,
         const GivenColumns* columns) {
  const auto collection = self.get();
  const GilRelease release;
  collection->add(view_of(vectors), column_of(ids), given(columns));
}

void upsert(const SharedCollection& self, const FloatMatrix& vectors, const Ids& ids,
            const GivenColumns* columns) {
  const auto collection = self.get();
  const GilRelease release;
  collection->upsert(view_of(vectors), column_of(ids), given(columns));
}

void update(const SharedCollection& self, const Ids& ids, const GivenColumns& columns) {
  const auto collection = self.get();
  const GilRelease release;
  collection->update(span_of(ids), columns.columns);
}

void add_column(const SharedCollection& self, const std::string& name, const std::string& type) {
  const auto collection = self.get();
  const ColumnSpec column = {name, parse_column_type(type)};
  const GilRelease release;
  collection->add_column(column);
}

nb::list get_columns(const SharedCollection& self, const Ids& ids,
                     const std::vector<std::string>& names) {
  const auto collection = self.get();
  Columns columns;
  {
    const GilRelease release;
    columns = collection->get_columns(span_of(ids), names);
  }
  return column_list(columns);
}

std::size_t remove(const SharedCollection& self, const Ids& ids) {
  const auto collection = self.get();
  const GilRelease release;
  return collection->remove(span_of(ids));
}

bool contains(const SharedCollection& self, std::int64_t id) {
  const auto collection = self.get();
  const GilRelease release;
  return collection->contains(id);
}

/// [ids][dim]
nb::ndarray<nb::numpy, float> get(const SharedCollection& self, const Ids& ids, std::size_t dim) {
  const auto collection = self.get();
  float* values = nullptr;
  auto array = new_array<float>({ids.shape(0), dim}, values);
  const GilRelease release;
  collection->get(span_of(ids), values);
  return array;
}

/// Of one state of the collection, into arrays [queries][k] of the caller. Returns the columns that
/// are named, as column_list, or None.
nb::object search(const SharedCollection& self, nb::handle query_array, nb::handle distance_array,
                  nb::handle id_array, std::optional<std::int64_t> nprobe, float confidence,
                  int threads, double target_recall, const std::string& batch_order,
                  nb::handle work_array, const Wanted* wanted) {
  const auto collection = self.get();
  const SearchArrays arrays(query_array, distance_array, id_array);
  SearchOptions options =
      search_options(arrays.k(), nprobe, confidence, threads, target_recall, batch_order);
  SearchWork work(work_array);
  options.explain = work.explain();
  if (wanted != nullptr) wanted->put_into(options);
  SearchResult found;
  {
    const GilRelease release;
    found = collection->search(arrays.queries(), options);
    std::copy(found.distances.values.begin(), found.distances.values.end(),
              arrays.distances.data());
    std::copy(found.ids.values.begin(), found.ids.values.end(), arrays.ids.data());
    work.write(0);
  }
  if (options.columns.empty()) return nb::none();
  return column_list(found.columns);
}

/// A call without arguments, as a function of Python's.
template <auto Member>
auto call(const SharedCollection& self) {
  const auto collection = self.get();
  const GilRelease release;
  return (*collection.*Member)();
}

/// A call with a path, as a function of Python's.
template <auto Member>
auto call_with_path(const SharedCollection& self, const nb::bytes& path) {
  const auto collection = self.get();
  const std::string name = path_of(path);
  const GilRelease release;
  return (*collection.*Member)(name);
}

/// A call with progress, as a function of Python's.
template <auto Member>
void call_with_progress(const SharedCollection& self, const nb::object& progress) {
  const auto collection = self.get();
  unless_cancelled([&] { (*collection.*Member)(progress_of(progress)); });
}

void verify(const SharedCollection& self, double bytes_per_second, const nb::object& progress) {
  const auto collection = self.get();
  unless_cancelled([&] { collection->verify({bytes_per_second, progress_of(progress)}); });
}

void backup(const SharedCollection& self, const nb::bytes& folder, const nb::object& progress) {
  const auto collection = self.get();
  const std::string name = path_of(folder);
  unless_cancelled([&] { collection->backup(name, progress_of(progress)); });
}

std::size_t import_index(const SharedCollection& self, const nb::bytes& path,
                         const nb::object& progress) {
  const auto collection = self.get();
  const std::string name = path_of(path);
  return unless_cancelled([&] { return collection->import_index(name, progress_of(progress)); });
}

nb::dict stats_of(const SharedCollection& self) {
  return stats_dict(call<&Collection::stats>(self));
}

std::string prometheus(const SharedCollection& self,
                       const std::map<std::string, std::string>& labels) {
  const auto collection = self.get();
  const GilRelease release;
  return to_prometheus(collection->stats(), labels);
}

nb::dict options_of(const SharedCollection& self) {
  const CollectionOptions options = call<&Collection::options>(self);
  nb::dict dict;
  dict["dim"] = options.dim;
  dict["metric"] = to_string(options.metric);
  dict["quantizer"] = options.quantizer;
  dict["raw"] = to_string(options.raw);
  dict["spill"] = options.spill;
  dict["seed"] = options.seed;
  dict["train_at"] = options.train_at;
  dict["ids"] = to_string(options.ids);
  dict["columns"] = schema_dict(options.columns);
  return dict;
}

void bind_changes(nb::class_<SharedCollection>& type) {
  type.def("add_new", &add_new, nb::arg("vectors"), nb::arg("columns").none())
      .def("add", &add, nb::arg("vectors"), nb::arg("ids"), nb::arg("columns").none())
      .def("upsert", &upsert, nb::arg("vectors"), nb::arg("ids"), nb::arg("columns").none())
      .def("update", &update, nb::arg("ids"), nb::arg("columns"))
      .def("add_column", &add_column, nb::arg("name"), nb::arg("type"))
      .def("get_columns", &get_columns, nb::arg("ids"), nb::arg("names"),
           nb::sig("def get_columns(self, ids: NDArray[numpy.int64], "
                   "names: collections.abc.Sequence[str]) -> list[typing.Any]"))
      .def("remove", &remove, nb::arg("ids"))
      .def("sync", &call<&Collection::sync>)
      .def("wait", &call<&Collection::wait>)
      .def("train", &call_with_progress<&Collection::train>, nb::arg("progress").none())
      .def("compact", &call_with_progress<&Collection::compact>, nb::arg("progress").none())
      .def("import_index", &import_index, nb::arg("path"), nb::arg("progress").none())
      .def("close", &SharedCollection::close)
      .def_prop_ro("closed", &SharedCollection::is_closed);
}

}  // namespace

void bind_collection(nb::module_& module) {
  nb::class_<CollectionAccess>(module, "CollectionAccess")
      .def_static("of", &access_of, nb::arg("read_only"), nb::arg("follow"), nb::arg("durability"),
                  nb::arg("sync_interval"), nb::arg("threads"), nb::arg("wait_limit"),
                  nb::arg("background_rate"));
  nb::class_<SharedCollection> type(module, "Collection");
  type.def_static("is_at", &is_at, nb::arg("path"))
      .def_static("create", &create, nb::arg("path"), nb::arg("dim"), nb::arg("metric"),
                  nb::arg("quantizer"), nb::arg("raw"), nb::arg("spill").none(), nb::arg("seed"),
                  nb::arg("train_at"), nb::arg("ids"), nb::arg("columns"), nb::arg("access"))
      .def_static("open", &open, nb::arg("path"), nb::arg("access"));
  bind_changes(type);
  bind_keys(type);
  bind_range(type);
  type.def("contains", &contains, nb::arg("id"))
      .def("get", &get, nb::arg("ids"), nb::arg("dim"))
      .def("search", &search, nb::arg("queries"), nb::arg("distances"), nb::arg("ids"),
           nb::arg("nprobe").none(), nb::arg("confidence"), nb::arg("threads"),
           nb::arg("target_recall"), nb::arg("batch_order"), nb::arg("work").none(),
           nb::arg("wanted").none(),
           nb::sig("def search(self, queries: NDArray[numpy.float32], "
                   "distances: NDArray[numpy.float32], ids: NDArray[numpy.int64], "
                   "nprobe: int | None, confidence: float, threads: int, target_recall: float, "
                   "batch_order: str, work: NDArray[numpy.int64] | None, "
                   "wanted: Wanted | None) -> list[typing.Any] | None"))
      .def("export_index", &call_with_path<&Collection::export_index>, nb::arg("path"))
      .def("backup", &backup, nb::arg("folder"), nb::arg("progress").none())
      .def("verify", &verify, nb::arg("bytes_per_second"), nb::arg("progress").none())
      .def("refresh", &call<&Collection::refresh>)
      .def("prometheus", &prometheus, nb::arg("labels"))
      .def("stats", &stats_of, nb::sig("def stats(self) -> dict[str, typing.Any]"))
      .def("options", &options_of, nb::sig("def options(self) -> dict[str, typing.Any]"));
}

}  // namespace obliq::python

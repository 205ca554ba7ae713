// obliq._core.Index: the index as Python's obliq.Index needs it. Checks of shapes and types that
// cost nothing here are made here; defaults, padding of arguments and names live in Python.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "index/index_access.h"
#include "index/open_written.h"
#include "obliq/index.h"
#include "obliq/model.h"
#include "python/arrays.h"
#include "python/bindings.h"
#include "python/columns.h"
#include "python/gil.h"
#include "python/learn_options.h"
#include "python/progress.h"
#include "python/range_results.h"
#include "python/search_arrays.h"

namespace obliq::python {
namespace {

/// `path`: to build into; empty: in memory.
Index build(const AnyArray& vectors, const LearnOptions& options, const std::optional<Ids>& ids,
            const std::optional<FloatMatrix>& centroids,
            const std::optional<FloatMatrix>& train_queries, const GivenColumns* columns, bool tune,
            const nb::bytes& path, std::size_t max_memory, const nb::object& progress) {
  const auto source = source_of(vectors);
  BuildOptions build = build_options(options, ids, centroids, train_queries);
  build.columns = given(columns);
  build.tune = tune;
  build.max_memory = max_memory;
  build.progress = progress_of(progress);
  const std::string file = path_of(path);
  return unless_cancelled([&] {
    if (file.empty()) return Index::build(*source, build);
    Index::build_file(*source, file, build);
    return open_written(file);
  });
}

void tune(Index& index, const std::optional<FloatMatrix>& learn_queries,
          const std::optional<IdMatrix>& learn_neighbors, int threads, const nb::object& progress) {
  const MatrixView<float> queries = learn_queries ? view_of(*learn_queries) : MatrixView<float>();
  TuneOptions options = {threads, progress_of(progress), {}};
  if (learn_neighbors) {
    options.neighbours = {learn_neighbors->data(), learn_neighbors->shape(0),
                          learn_neighbors->shape(1)};
  }
  unless_cancelled([&] { index.tune(queries, options); });
}

/// Index::search into the caller's arrays; columns behind those that are there.
void search_slice(const Index& index, MatrixView<float> queries, const SearchOptions& options,
                  float* distances, std::int64_t* ids, Columns& columns) {
  if (options.columns.empty()) {
    index.search(queries, options, distances, ids);
    return;
  }
  const SearchResult found = index.search(queries, options);
  std::copy(found.distances.values.begin(), found.distances.values.end(), distances);
  std::copy(found.ids.values.begin(), found.ids.values.end(), ids);
  append(columns, found.columns);
}

/// Of a batch of any length, which Ctrl-C ends between two slices. Called without the GIL.
void search_slices(const Index& index, MatrixView<float> queries, const SearchOptions& options,
                   float* distances, std::int64_t* ids, SearchWork& work, Columns& columns) {
  constexpr std::size_t kSlice = 16384;
  SearchOptions own = options;
  // So that rows have their numbers.
  if (queries.rows > kSlice) IndexAccess::check(index, queries, options);
  std::size_t first = 0;
  do {
    const std::size_t count = std::min(kSlice, queries.rows - first);
    if (options.lists.rows > 0) own.lists = options.lists.slice(first, count);
    if (options.within.rows > 0) own.within = options.within.slice(first, count);
    search_slice(index, queries.slice(first, count), own, distances + first * options.k,
                 ids + first * options.k, columns);
    work.write(first);
    first += count;
    if (queries.rows <= kSlice) return;
    const GilAcquire gil;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
  } while (first < queries.rows);
}

/// Into arrays [queries][k] of the caller, who makes them in less time than nanobind. Returns the
/// columns that are named, as column_list, or None.
nb::object search(const Index& index, nb::handle query_array, nb::handle distance_array,
                  nb::handle id_array, std::optional<std::int64_t> nprobe, float confidence,
                  int threads, double target_recall, const std::string& batch_order,
                  nb::handle list_array, nb::handle within_array, nb::handle work_array,
                  const Wanted* wanted) {
  const SearchArrays arrays(query_array, distance_array, id_array);
  SearchOptions options =
      search_options(arrays.k(), nprobe, confidence, threads, target_recall, batch_order);
  std::optional<ArrayMemory<const std::uint32_t>> lists;
  if (!list_array.is_none()) {
    lists.emplace(list_array);
    options.lists = {lists->data(), lists->rows(), lists->columns()};
  }
  std::optional<ArrayMemory<const float>> within;
  if (!within_array.is_none()) {
    within.emplace(within_array);
    options.within = {within->data(), within->rows(), within->columns()};
  }
  SearchWork work(work_array);
  options.explain = work.explain();
  if (wanted != nullptr) wanted->put_into(options);
  Columns columns;
  {
    const GilRelease release;
    search_slices(index, arrays.queries(), options, arrays.distances.data(), arrays.ids.data(),
                  work, columns);
  }
  if (options.columns.empty()) return nb::none();
  return column_list(columns);
}

std::size_t count(const Index& index, const Filter& filter) {
  const GilRelease release;
  return index.count(filter);
}

nb::list get_columns(const Index& index, const Ids& ids, const std::vector<std::string>& names) {
  Columns columns;
  {
    const GilRelease release;
    columns = index.get_columns({ids.data(), ids.shape(0)}, names);
  }
  return column_list(columns);
}

/// [ids][dim]
nb::ndarray<nb::numpy, float> reconstruct(const Index& index, const Ids& ids) {
  float* values = nullptr;
  auto array = new_array<float>({ids.shape(0), index.stats().dim}, values);
  const std::span<const std::int64_t> wanted(ids.data(), ids.shape(0));
  const GilRelease release;  // the first call looks for every row
  index.reconstruct(wanted, values);
  return array;
}

/// name -> (quantizer, raw tier, spill)
nb::dict preset_table() {
  nb::dict table;
  for (const Preset& preset : presets()) {
    table[nb::str(preset.name.data(), preset.name.size())] =
        nb::make_tuple(std::string(preset.quantizer), to_string(preset.raw), preset.spill);
  }
  return table;
}

/// None, or (queries, from_base, exact_truth, [(k, max_recall, [(recall, threshold, nprobe,
/// uses_stop_rule, confidence)])])
nb::object tuning_of(const Tuning& tuning) {
  if (tuning.queries == 0) return nb::none();
  nb::list ladders;
  for (const TunedLadder& ladder : tuning.ladders) {
    nb::list targets;
    for (const TunedTarget& target : ladder.targets) {
      targets.append(nb::make_tuple(target.recall, target.threshold, target.nprobe,
                                    target.uses_stop_rule, target.confidence));
    }
    ladders.append(nb::make_tuple(ladder.k, ladder.max_recall, targets));
  }
  return nb::make_tuple(tuning.queries, tuning.from_base, tuning.exact_truth, ladders);
}

nb::dict stats_of(const Index& index) {
  const IndexStats stats = index.stats();
  nb::dict dict;
  dict["n"] = stats.n;
  dict["dim"] = stats.dim;
  dict["nlist"] = stats.nlist;
  dict["list_groups"] = stats.list_groups;
  dict["metric"] = to_string(stats.metric);
  dict["quantizer"] = stats.quantizer;
  dict["raw"] = to_string(stats.raw);
  dict["spill"] = stats.spill;
  dict["bytes_per_vector"] = stats.bytes_per_vector;
  dict["columns"] = schema_dict(stats.columns);
  dict["column_bytes"] = stats.column_bytes;
  dict["id_bytes"] = stats.id_bytes;
  dict["centroid_bytes"] = stats.centroid_bytes;
  dict["file_bytes"] = stats.file_bytes;
  dict["format_version"] = stats.format_version;
  dict["segments"] = stats.segments;
  dict["model_id"] = stats.model_id;
  dict["tuning"] = tuning_of(stats.tuning);
  return dict;
}

OpenOptions open_options(bool in_memory, bool verify, bool read_ahead) {
  return {in_memory ? Residence::memory : Residence::mapped, verify, read_ahead};
}

Index open(const nb::bytes& path, bool in_memory, bool verify, bool read_ahead) {
  const std::string name = path_of(path);
  const GilRelease release;
  return Index::open(name, open_options(in_memory, verify, read_ahead));
}

Index open_segments(const Model& model, const std::vector<nb::bytes>& segments, bool in_memory,
                    bool verify, bool read_ahead) {
  const std::vector<std::string> names = paths_of(segments);
  const GilRelease release;
  return Index::open(model, names, open_options(in_memory, verify, read_ahead));
}

void save(const Index& index, const nb::bytes& path) {
  const std::string name = path_of(path);
  const GilRelease release;
  index.save(name);
}

void bind_columns_of(nb::class_<Index>& type) {
  type.def("count", &count, nb::arg("filter"))
      .def("get_columns", &get_columns, nb::arg("ids"), nb::arg("names"),
           nb::sig("def get_columns(self, ids: NDArray[numpy.int64], "
                   "names: collections.abc.Sequence[str]) -> list[typing.Any]"));
}

void bind_opening(nb::class_<Index>& type) {
  type.def_static("open", &open, nb::arg("path"), nb::arg("in_memory"), nb::arg("verify"),
                  nb::arg("read_ahead"))
      .def_static("open_segments", &open_segments, nb::arg("model"), nb::arg("segments"),
                  nb::arg("in_memory"), nb::arg("verify"), nb::arg("read_ahead"));
}

}  // namespace

void bind_index(nb::module_& module) {
  nb::class_<Index> type(module, "Index");
  bind_opening(type);
  type.def_static("build", &build, nb::arg("vectors"), nb::arg("options"), nb::arg("ids").none(),
                  nb::arg("centroids").none(), nb::arg("train_queries").none(),
                  nb::arg("columns").none(), nb::arg("tune"), nb::arg("path"),
                  nb::arg("max_memory"), nb::arg("progress").none(),
                  nb::sig("def build(vectors: NDArray[typing.Any], options: LearnOptions, "
                          "ids: NDArray[numpy.int64] | None, "
                          "centroids: NDArray[numpy.float32] | None, "
                          "train_queries: NDArray[numpy.float32] | None, "
                          "columns: Columns | None, tune: bool, path: bytes, max_memory: int, "
                          "progress: object) -> Index"))
      .def("save", &save, nb::arg("path"))
      .def("copy", &Index::copy)
      .def("tune", &tune, nb::arg("learn_queries").none(), nb::arg("learn_neighbors").none(),
           nb::arg("threads"), nb::arg("progress").none(),
           nb::sig("def tune(self, learn_queries: NDArray[numpy.float32] | None, "
                   "learn_neighbors: NDArray[numpy.int64] | None, threads: int, "
                   "progress: object) -> None"))
      .def("search", &search, nb::arg("queries"), nb::arg("distances"), nb::arg("ids"),
           nb::arg("nprobe").none(), nb::arg("confidence"), nb::arg("threads"),
           nb::arg("target_recall"), nb::arg("batch_order"), nb::arg("lists").none(),
           nb::arg("within").none(), nb::arg("work").none(), nb::arg("wanted").none(),
           nb::sig("def search(self, queries: NDArray[numpy.float32], "
                   "distances: NDArray[numpy.float32], ids: NDArray[numpy.int64], "
                   "nprobe: int | None, confidence: float, threads: int, target_recall: float, "
                   "batch_order: str, lists: NDArray[numpy.uint32] | None, within: "
                   "NDArray[numpy.float32] | None, work: NDArray[numpy.int64] | None, "
                   "wanted: Wanted | None) -> list[typing.Any] | None"))
      .def("reconstruct", &reconstruct, nb::arg("ids"))
      .def("contains", &Index::contains, nb::arg("id"), nb::call_guard<GilRelease>())
      .def("stats", &stats_of, nb::sig("def stats(self) -> dict[str, typing.Any]"));
  bind_columns_of(type);
  bind_range(module, type);
  module.def("presets", &preset_table,
             nb::sig("def presets() -> dict[str, tuple[str, str, float]]"));
}

}  // namespace obliq::python

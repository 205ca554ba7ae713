// obliq._core.Index: the index as Python's obliq.Index needs it. Checks of shapes and types that
// cost nothing here are made here; defaults, padding of arguments and names live in Python.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <optional>
#include <span>

#include "index/open_written.h"
#include "index/segment/vector_transform.h"
#include "obliq/index.h"
#include "python/arrays.h"
#include "python/bindings.h"
#include "python/gil.h"

namespace obliq::python {
namespace {

/// Everything that Index.build takes besides the vectors.
struct Options {
  std::string metric, preset, quantizer, raw;  // empty: not given; obliq.Index refuses empty names
  std::optional<double> spill;
  std::size_t nlist;
  std::size_t list_groups;
  std::uint64_t seed;
  int threads;
  int kmeans_iterations;
  bool tune;
  nb::bytes path;  // to build into; empty: in memory
  std::size_t max_memory;
};

/// callable(stage, fraction), as a new reference; null when Python raised. Nothing here has a
/// destructor, which would run without the lock where Python ends the thread in the call.
PyObject* call(PyObject* callable, std::string_view stage, double fraction) {
  const auto size = static_cast<Py_ssize_t>(stage.size());
  PyObject* arguments =
      Py_BuildValue("(Nd)", PyUnicode_FromStringAndSize(stage.data(), size), fraction);
  if (arguments == nullptr) return nullptr;
  PyObject* result = PyObject_CallObject(callable, arguments);
  Py_DECREF(arguments);
  return result;
}

/// Calls a Python function with (stage, fraction); it may return False to stop. Also lets Ctrl-C
/// through. What Python raised stays pending.
Progress progress_of(const nb::object& callable) {
  return [&callable](std::string_view stage, double fraction) {
    const GilAcquire gil;
    return stay_while_python_ends([&] {
      if (PyErr_CheckSignals() != 0) return false;
      if (callable.is_none()) return true;
      PyObject* result = call(callable.ptr(), stage, fraction);
      const bool goes_on = result != nullptr && result != Py_False;
      Py_XDECREF(result);
      return goes_on;
    });
  };
}

/// Calls `work` without the GIL; what progress raised in Python is raised again.
template <typename Work>
auto unless_cancelled(const Work& work) {
  try {
    const GilRelease release;
    return work();
  } catch (const Cancelled&) {
    if (PyErr_Occurred() != nullptr) throw nb::python_error();
    throw;
  }
}

using Ids = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

Index build(const AnyArray& vectors, const Options& options, const std::optional<Ids>& ids,
            const std::optional<FloatMatrix>& centroids,
            const std::optional<FloatMatrix>& train_queries, const nb::object& progress) {
  const auto source = source_of(vectors);
  BuildOptions build;
  build.metric = parse_metric(options.metric);
  std::optional<RawTier> raw;
  if (!options.raw.empty()) raw = parse_raw_tier(options.raw);
  const Preset codes = choose_codes(options.preset, options.quantizer, raw, options.spill);
  build.quantizer = codes.quantizer;
  build.raw = codes.raw;
  build.spill = codes.spill;
  build.nlist = options.nlist;
  build.list_groups = options.list_groups;
  build.seed = options.seed;
  build.threads = options.threads;
  build.kmeans_iterations = options.kmeans_iterations;
  build.tune = options.tune;
  build.max_memory = options.max_memory;
  if (ids) build.ids = {ids->data(), ids->shape(0), 1};
  if (centroids) build.centroids = view_of(*centroids);
  if (train_queries) build.train_queries = view_of(*train_queries);
  build.progress = progress_of(progress);
  const std::string path = path_of(options.path);
  return unless_cancelled([&] {
    if (path.empty()) return Index::build(*source, build);
    Index::build_file(*source, path, build);
    return open_written(path);
  });
}

void tune(Index& index, const std::optional<FloatMatrix>& learn_queries, int threads,
          const nb::object& progress) {
  const MatrixView<float> queries = learn_queries ? view_of(*learn_queries) : MatrixView<float>();
  unless_cancelled([&] { index.tune(queries, {threads, progress_of(progress)}); });
}

/// Index::search of a batch of any length, which Ctrl-C ends between two slices. Called without the
/// GIL.
void search_slices(const Index& index, MatrixView<float> queries, const SearchOptions& options,
                   float* distances, std::int64_t* ids) {
  constexpr std::size_t kSlice = 16384;
  // So that rows have their numbers.
  if (queries.rows > kSlice) require_finite(queries, "query", 0, index.stats().metric);
  std::size_t first = 0;
  do {
    const std::size_t count = std::min(kSlice, queries.rows - first);
    index.search(queries.slice(first, count), options, distances + first * options.k,
                 ids + first * options.k);
    first += count;
    if (queries.rows <= kSlice) return;
    const GilAcquire gil;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
  } while (first < queries.rows);
}

/// Into arrays [queries][k] of the caller, who makes them in less time than nanobind.
void search(const Index& index, nb::handle query_array, nb::handle distance_array,
            nb::handle id_array, std::optional<std::int64_t> nprobe, float confidence, int threads,
            double target_recall, const std::string& batch_order) {
  const ArrayMemory<const float> queries(query_array);
  const ArrayMemory<float> distances(distance_array);
  const ArrayMemory<std::int64_t> ids(id_array);
  const std::size_t k = distances.columns();
  if (distances.rows() != queries.rows() || ids.rows() != queries.rows() || ids.columns() != k) {
    throw nb::value_error("distances and ids must both be arrays [queries][k]");
  }
  SearchOptions options{k, {}, confidence, threads, target_recall, parse_batch_order(batch_order)};
  if (nprobe) options.nprobe = count_of(*nprobe, "nprobe");
  const GilRelease release;
  search_slices(index, {queries.data(), queries.rows(), queries.columns()}, options,
                distances.data(), ids.data());
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
/// uses_stop_rule)])])
nb::object tuning_of(const Tuning& tuning) {
  if (tuning.queries == 0) return nb::none();
  nb::list ladders;
  for (const TunedLadder& ladder : tuning.ladders) {
    nb::list targets;
    for (const TunedTarget& target : ladder.targets) {
      targets.append(
          nb::make_tuple(target.recall, target.threshold, target.nprobe, target.uses_stop_rule));
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
  dict["id_bytes"] = stats.id_bytes;
  dict["centroid_bytes"] = stats.centroid_bytes;
  dict["file_bytes"] = stats.file_bytes;
  dict["format_version"] = stats.format_version;
  dict["tuning"] = tuning_of(stats.tuning);
  return dict;
}

Index open(const nb::bytes& path, bool in_memory, bool verify) {
  const std::string name = path_of(path);
  const GilRelease release;
  return Index::open(name, {in_memory ? Residence::memory : Residence::mapped, verify});
}

void save(const Index& index, const nb::bytes& path) {
  const std::string name = path_of(path);
  const GilRelease release;
  index.save(name);
}

}  // namespace

void bind_index(nb::module_& module) {
  nb::class_<Options>(module, "BuildOptions")
      .def(nb::init<std::string, std::string, std::string, std::string, std::optional<double>,
                    std::size_t, std::size_t, std::uint64_t, int, int, bool, nb::bytes,
                    std::size_t>(),
           nb::arg("metric"), nb::arg("preset"), nb::arg("quantizer"), nb::arg("raw"),
           nb::arg("spill").none(), nb::arg("nlist"), nb::arg("list_groups"), nb::arg("seed"),
           nb::arg("threads"), nb::arg("kmeans_iterations"), nb::arg("tune"), nb::arg("path"),
           nb::arg("max_memory"));
  nb::class_<Index>(module, "Index")
      .def_static("build", &build, nb::arg("vectors"), nb::arg("options"), nb::arg("ids").none(),
                  nb::arg("centroids").none(), nb::arg("train_queries").none(),
                  nb::arg("progress").none(),
                  nb::sig("def build(vectors: NDArray[typing.Any], options: BuildOptions, "
                          "ids: NDArray[numpy.int64] | None, "
                          "centroids: NDArray[numpy.float32] | None, "
                          "train_queries: NDArray[numpy.float32] | None, "
                          "progress: object) -> Index"))
      .def_static("open", &open, nb::arg("path"), nb::arg("in_memory"), nb::arg("verify"))
      .def("save", &save, nb::arg("path"))
      .def("copy", &Index::copy)
      .def("tune", &tune, nb::arg("learn_queries").none(), nb::arg("threads"),
           nb::arg("progress").none(),
           nb::sig("def tune(self, learn_queries: NDArray[numpy.float32] | None, threads: int, "
                   "progress: object) -> None"))
      .def("search", &search, nb::arg("queries"), nb::arg("distances"), nb::arg("ids"),
           nb::arg("nprobe").none(), nb::arg("confidence"), nb::arg("threads"),
           nb::arg("target_recall"), nb::arg("batch_order"),
           nb::sig("def search(self, queries: NDArray[numpy.float32], "
                   "distances: NDArray[numpy.float32], ids: NDArray[numpy.int64], "
                   "nprobe: int | None, confidence: float, threads: int, target_recall: float, "
                   "batch_order: str) -> None"))
      .def("reconstruct", &reconstruct, nb::arg("ids"))
      .def("contains", &Index::contains, nb::arg("id"), nb::call_guard<GilRelease>())
      .def("stats", &stats_of, nb::sig("def stats(self) -> dict[str, typing.Any]"));
  module.def("presets", &preset_table,
             nb::sig("def presets() -> dict[str, tuple[str, str, float]]"));
}

}  // namespace obliq::python

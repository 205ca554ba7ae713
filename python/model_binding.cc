// obliq._core.Model and what goes with it: training, segments, merging. LearnOptions is bound here,
// which Index.build takes as well.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "index/segment/vector_transform.h"
#include "obliq/model.h"
#include "python/arrays.h"
#include "python/bindings.h"
#include "python/columns.h"
#include "python/gil.h"
#include "python/learn_options.h"
#include "python/progress.h"

namespace obliq::python {
namespace {

/// int64 [queries][k], contiguous, read-only.
using IdMatrix = nb::ndarray<const std::int64_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

Model train(const AnyArray& vectors, const LearnOptions& options, const std::optional<Ids>& ids,
            const std::optional<FloatMatrix>& centroids,
            const std::optional<FloatMatrix>& train_queries, std::size_t n,
            const nb::object& progress) {
  const auto source = source_of(vectors);
  BuildOptions build = build_options(options, ids, centroids, train_queries);
  build.progress = progress_of(progress);
  return unless_cancelled([&] { return Model::train(*source, build, n); });
}

Model open(const nb::bytes& path, bool in_memory, bool verify) {
  const std::string name = path_of(path);
  const GilRelease release;
  return Model::open(name, {in_memory ? Residence::memory : Residence::mapped, verify});
}

void save(const Model& model, const nb::bytes& path) {
  const std::string name = path_of(path);
  const GilRelease release;
  model.save(name);
}

void encode(const Model& model, const AnyArray& vectors, const nb::bytes& path,
            const std::optional<Ids>& ids, std::uint64_t first, const GivenColumns* columns,
            bool truth, int threads, std::size_t max_memory, const nb::object& progress) {
  const auto source = source_of(vectors);
  EncodeOptions options;
  if (ids) options.ids = {ids->data(), ids->shape(0), 1};
  options.first = first;
  options.columns = given(columns);
  options.truth = truth;
  options.threads = threads;
  options.max_memory = max_memory;
  options.progress = progress_of(progress);
  const std::string name = path_of(path);
  unless_cancelled([&] { model.encode(*source, name, options); });
}

/// A copy of a matrix.
template <class T>
nb::ndarray<nb::numpy, T> array_of(const Matrix<T>& matrix) {
  T* values = nullptr;
  auto array = new_array<T>({matrix.rows, matrix.cols}, values);
  std::copy(matrix.values.begin(), matrix.values.end(), values);
  return array;
}

/// [queries][nprobe, at most nlist]. Ctrl-C ends it between two slices.
nb::ndarray<nb::numpy, std::uint32_t> route(const Model& model, const FloatMatrix& array,
                                            std::int64_t nprobe, int threads) {
  constexpr std::size_t kSlice = 16384;
  const MatrixView<float> queries = view_of(array);
  const ModelStats stats = model.stats();
  const std::size_t count = std::min(count_of(nprobe, "nprobe"), stats.nlist);
  std::uint32_t* lists = nullptr;
  auto routed = new_array<std::uint32_t>({queries.rows, count}, lists);
  const GilRelease release;
  // So that rows have their numbers.
  if (queries.rows > kSlice) require_finite(queries, "query", 0, stats.metric);
  std::size_t first = 0;
  do {
    const std::size_t rows = std::min(kSlice, queries.rows - first);
    const auto part = model.route(queries.slice(first, rows), count_of(nprobe, "nprobe"), threads);
    std::copy(part.values.begin(), part.values.end(), lists + first * count);
    first += rows;
    if (queries.rows <= kSlice) break;
    const GilAcquire gil;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
  } while (first < queries.rows);
  return routed;
}

/// (lists, keys, scale) of Model::rank.
nb::tuple rank(const Model& model, const FloatMatrix& array, std::int64_t nprobe, int threads) {
  RankedLists ranked;
  {
    const GilRelease release;
    ranked = model.rank(view_of(array), count_of(nprobe, "nprobe"), threads);
  }
  return nb::make_tuple(array_of(ranked.lists), array_of(ranked.keys), array_of(ranked.scale));
}

/// (queries, ids) that a merge tunes with.
nb::tuple learn_queries(const Model& model) {
  const std::vector<std::int64_t> ids = model.learn_ids();
  std::int64_t* values = nullptr;
  auto id_array = new_array<std::int64_t>({ids.size()}, values);
  std::copy(ids.begin(), ids.end(), values);
  return nb::make_tuple(array_of(model.learn_queries()), std::move(id_array));
}

/// (distances, ids) that a segment keeps.
nb::tuple truth_of(const Model& model, const nb::bytes& path) {
  const SearchResult truth = read_truth(model, path_of(path));
  return nb::make_tuple(array_of(truth.distances), array_of(truth.ids));
}

nb::dict stats_of(const Model& model) {
  const ModelStats stats = model.stats();
  nb::dict dict;
  dict["id"] = stats.id;
  dict["n"] = stats.n;
  dict["dim"] = stats.dim;
  dict["nlist"] = stats.nlist;
  dict["list_groups"] = stats.list_groups;
  dict["metric"] = to_string(stats.metric);
  dict["quantizer"] = stats.quantizer;
  dict["raw"] = to_string(stats.raw);
  dict["spill"] = stats.spill;
  dict["learn_queries"] = stats.learn_queries;
  dict["seed"] = stats.seed;
  return dict;
}

/// `lists`: none for all; the caller refuses an empty range.
void merge_files(const Model& model, const std::vector<nb::bytes>& segments, const nb::bytes& path,
                 std::optional<std::pair<std::uint32_t, std::uint32_t>> lists, bool segment,
                 bool last_stands, const std::optional<Ids>& deleted, bool tune, int threads,
                 std::size_t max_memory, const nb::object& progress) {
  MergeOptions options;
  if (lists) options.lists = {lists->first, lists->second};
  options.as_segment = segment;
  if (last_stands) options.duplicates = MergeOptions::Duplicates::last;
  if (deleted) options.deleted = {deleted->data(), deleted->shape(0)};
  options.tune = tune;
  options.threads = threads;
  options.max_memory = max_memory;
  options.progress = progress_of(progress);
  const std::vector<std::string> names = paths_of(segments);
  const std::string name = path_of(path);
  unless_cancelled([&] { merge(model, names, name, options); });
}

/// (distances, ids), [queries][k] each, of parts that are such pairs.
nb::tuple join_answers(const std::vector<std::pair<FloatMatrix, IdMatrix>>& parts, std::size_t k) {
  std::vector<SearchResult> results;
  for (const auto& [distances, ids] : parts) {
    SearchResult& result = results.emplace_back();
    result.distances = Matrix<float>(distances.shape(0), distances.shape(1));
    std::copy_n(distances.data(), distances.size(), result.distances.values.data());
    result.ids = Matrix<std::int64_t>(ids.shape(0), ids.shape(1));
    std::copy_n(ids.data(), ids.size(), result.ids.values.data());
  }
  const std::size_t queries = results.empty() ? 0 : results.front().ids.rows;
  float* distances = nullptr;
  std::int64_t* ids = nullptr;
  auto distance_array = new_array<float>({queries, k}, distances);
  auto id_array = new_array<std::int64_t>({queries, k}, ids);
  {
    const GilRelease release;
    const SearchResult merged = merge_topk(results, k);
    std::copy(merged.distances.values.begin(), merged.distances.values.end(), distances);
    std::copy(merged.ids.values.begin(), merged.ids.values.end(), ids);
  }
  return nb::make_tuple(std::move(distance_array), std::move(id_array));
}

nb::ndarray<nb::numpy, std::uint64_t> sample_keys(std::uint64_t seed, const Ids& ids) {
  std::uint64_t* keys = nullptr;
  auto array = new_array<std::uint64_t>({ids.shape(0)}, keys);
  const GilRelease release;
  std::transform(ids.data(), ids.data() + ids.shape(0), keys,
                 [seed](std::int64_t id) { return sample_key(seed, id); });
  return array;
}

/// `given`: the number of centroids that are given; 0: k-means finds them.
std::size_t size_of_sample(std::size_t n, std::size_t nlist, std::size_t kmeans_points,
                           std::size_t given) {
  BuildOptions options;
  options.nlist = nlist;
  options.kmeans_points = kmeans_points;
  options.centroids.rows = given;
  return sample_size(n, options);
}

void bind_merging(nb::module_& module) {
  module.def("merge", &merge_files, nb::arg("model"), nb::arg("segments"), nb::arg("path"),
             nb::arg("lists").none(), nb::arg("segment"), nb::arg("last_stands"),
             nb::arg("deleted").none(), nb::arg("tune"), nb::arg("threads"), nb::arg("max_memory"),
             nb::arg("progress").none(),
             nb::sig("def merge(model: Model, segments: collections.abc.Sequence[bytes], "
                     "path: bytes, lists: tuple[int, int] | None, segment: bool, "
                     "last_stands: bool, deleted: NDArray[numpy.int64] | None, tune: bool, "
                     "threads: int, max_memory: int, progress: object) -> None"));
  module.def("merge_topk", &join_answers, nb::arg("parts"), nb::arg("k"),
             nb::sig("def merge_topk(parts: collections.abc.Sequence["
                     "tuple[NDArray[numpy.float32], NDArray[numpy.int64]]], k: int) -> "
                     "tuple[NDArray[numpy.float32], NDArray[numpy.int64]]"));
  module.def("sample_key", &sample_keys, nb::arg("seed"), nb::arg("ids"));
  module.def("sample_size", &size_of_sample, nb::arg("n"), nb::arg("nlist"),
             nb::arg("kmeans_points"), nb::arg("centroids"));
}

}  // namespace

void bind_model(nb::module_& module) {
  nb::class_<LearnOptions>(module, "LearnOptions")
      .def(nb::init<std::string, std::string, std::string, std::string, std::optional<double>,
                    std::size_t, std::size_t, std::uint64_t, int, int, std::size_t>(),
           nb::arg("metric"), nb::arg("preset"), nb::arg("quantizer"), nb::arg("raw"),
           nb::arg("spill").none(), nb::arg("nlist"), nb::arg("list_groups"), nb::arg("seed"),
           nb::arg("threads"), nb::arg("kmeans_iterations"), nb::arg("kmeans_points"));
  nb::class_<Model>(module, "Model")
      .def_static("train", &train, nb::arg("vectors"), nb::arg("options"), nb::arg("ids").none(),
                  nb::arg("centroids").none(), nb::arg("train_queries").none(), nb::arg("n"),
                  nb::arg("progress").none(),
                  nb::sig("def train(vectors: NDArray[typing.Any], options: LearnOptions, "
                          "ids: NDArray[numpy.int64] | None, "
                          "centroids: NDArray[numpy.float32] | None, "
                          "train_queries: NDArray[numpy.float32] | None, n: int, "
                          "progress: object) -> Model"))
      .def_static("open", &open, nb::arg("path"), nb::arg("in_memory"), nb::arg("verify"))
      .def("save", &save, nb::arg("path"))
      .def("encode", &encode, nb::arg("vectors"), nb::arg("path"), nb::arg("ids").none(),
           nb::arg("first"), nb::arg("columns").none(), nb::arg("truth"), nb::arg("threads"),
           nb::arg("max_memory"), nb::arg("progress").none(),
           nb::sig("def encode(self, vectors: NDArray[typing.Any], path: bytes, "
                   "ids: NDArray[numpy.int64] | None, first: int, columns: Columns | None, "
                   "truth: bool, threads: int, "
                   "max_memory: int, progress: object) -> None"))
      .def("route", &route, nb::arg("queries"), nb::arg("nprobe"), nb::arg("threads"))
      .def("rank", &rank, nb::arg("queries"), nb::arg("nprobe"), nb::arg("threads"),
           nb::sig("def rank(self, queries: NDArray[numpy.float32], nprobe: int, threads: int) -> "
                   "tuple[NDArray[numpy.uint32], NDArray[numpy.float32], NDArray[numpy.float32]]"))
      .def("learn_queries", &learn_queries,
           nb::sig("def learn_queries(self) -> "
                   "tuple[NDArray[numpy.float32], NDArray[numpy.int64]]"))
      .def("truth", &truth_of, nb::arg("segment"),
           nb::sig("def truth(self, segment: bytes) -> "
                   "tuple[NDArray[numpy.float32], NDArray[numpy.int64]]"))
      .def("stats", &stats_of, nb::sig("def stats(self) -> dict[str, typing.Any]"));
  bind_merging(module);
}

}  // namespace obliq::python

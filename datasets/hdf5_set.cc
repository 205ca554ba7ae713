// Datasets `train`, `test`, `neighbors` and `distances`, attribute `distance`; ours besides:
// `learn_queries`, `train_labels`, `test_labels`; and VIBE's `learn` for `learn_queries`.
#include "datasets/hdf5_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <stdexcept>

#include "datasets/hdf5_names.h"
#include "datasets/hdf5_writer.h"

namespace obliq::datasets {
namespace {

[[noreturn]] void fail(const Hdf5Reader& file, std::string_view dataset, std::string_view reason) {
  throw std::invalid_argument(fmt::format("{}: dataset '{}': {}", file.path(), dataset, reason));
}

// Attribute `distance` of a group, if it has one.
std::optional<Metric> read_metric(const Hdf5Reader& file, const std::string& group) {
  const auto name = file.text_attribute("distance", group);
  if (!name) return std::nullopt;
  try {
    return parse_metric(*name);
  } catch (const std::invalid_argument&) {
    throw std::invalid_argument(fmt::format(
        "{}: attribute 'distance' is '{}'; known: euclidean, angular, ip", file.path(), *name));
  }
}

// To distances of Metric's definition.
void from_stored(Metric metric, Matrix<float>& distances) {
  auto& values = distances.values;
  if (metric == Metric::l2) {
    std::transform(values.begin(), values.end(), values.begin(), [](float d) { return d * d; });
  }
  bool falls = false;
  for (std::size_t i = 0; i < distances.rows && distances.cols > 0; ++i) {
    falls |= distances.row(i)[0] > distances.row(i)[distances.cols - 1];
  }
  if (metric == Metric::ip && falls) {
    std::transform(values.begin(), values.end(), values.begin(), [](float d) { return -d; });
  }
}

GroundTruth read_truth(const Hdf5Reader& file, std::size_t n, std::size_t queries, Metric metric) {
  GroundTruth truth;
  if (!file.has("neighbors")) return truth;
  const Hdf5Dataset ids = file.dataset("neighbors");
  if (ids.rows() != queries) {
    fail(file, "neighbors", fmt::format("has {} rows for {} queries", ids.rows(), queries));
  }
  truth.ids = ids.read_integers();
  for (const std::int64_t id : truth.ids.values) {
    if (id < -1 || id >= static_cast<std::int64_t>(n)) {
      fail(file, "neighbors", fmt::format("holds id {}, but train has {} rows", id, n));
    }
  }
  if (!file.has("distances")) return truth;
  const Hdf5Dataset distances = file.dataset("distances");
  if (distances.rows() != queries || distances.cols() != truth.ids.cols) {
    fail(file, "distances", "has another shape than 'neighbors'");
  }
  truth.distances = distances.read_floats(Rounding::allowed);
  from_stored(metric, truth.distances);
  return truth;
}

std::vector<std::string> read_labels(const Hdf5Reader& file, const std::string& name,
                                     std::size_t rows) {
  if (!file.has(name)) return {};
  const Hdf5Dataset labels = file.dataset(name);
  if (labels.rows() != rows) {
    fail(file, name, fmt::format("has {} labels for {} vectors", labels.rows(), rows));
  }
  return labels.read_strings();
}

Matrix<float> read_queries(const Hdf5Reader& file, const std::string& name, std::size_t dim) {
  const Hdf5Dataset dataset = file.dataset(name);
  dataset.require_matrix();
  if (dataset.cols() != dim) {
    fail(file, name, fmt::format("has dim {}, but train has {}", dataset.cols(), dim));
  }
  return dataset.read_floats();
}

void check_shapes(const BenchmarkSet& set) {
  const std::size_t dim = set.train.cols;
  if (dim == 0) throw std::invalid_argument("a set to write needs train vectors of dim 1 or more");
  if (set.test.rows > 0 && set.test.cols != dim) {
    throw std::invalid_argument(
        fmt::format("test has dim {}, but train has {}", set.test.cols, dim));
  }
  const auto& truth = set.truth;
  if (truth.ids.cols > 0 &&
      (truth.ids.rows != set.test.rows || truth.distances.rows != truth.ids.rows ||
       truth.distances.cols != truth.ids.cols)) {
    throw std::invalid_argument(fmt::format(
        "ground truth of {} x {} ids, {} x {} distances for {} "
        "queries",
        truth.ids.rows, truth.ids.cols, truth.distances.rows, truth.distances.cols, set.test.rows));
  }
}

void write_part(Hdf5Writer& file, const std::string& name, const Matrix<float>& part,
                std::size_t dim, Stored stored) {
  file.vectors(name, MatrixSource({part.values.data(), part.rows, dim}), stored);
}

}  // namespace

std::string distance_name(Metric metric) {
  return metric == Metric::l2 ? "euclidean" : metric == Metric::cosine ? "angular" : "ip";
}

Matrix<float> stored_distances(const Matrix<float>& distances, Metric metric) {
  Matrix<float> stored = distances;
  if (metric == Metric::l2) {
    for (float& d : stored.values) d = std::sqrt(d);
  }
  return stored;
}

std::string learn_dataset(const Hdf5Reader& file) {
  return !file.has(kLearnQueries) && file.has("learn") ? "learn" : kLearnQueries;
}

BenchmarkSet read_set(const Hdf5Reader& file, ReadTrain train) {
  BenchmarkSet set;
  const Hdf5Dataset base = file.dataset("train");
  base.require_matrix();
  if (base.cols() == 0) fail(file, "train", "dim is 0");
  const auto metric = read_metric(file, "/");
  if (!metric) throw std::invalid_argument(file.path() + ": has no text attribute 'distance'");
  set.metric = *metric;
  set.test = read_queries(file, "test", base.cols());
  set.truth = read_truth(file, base.rows(), set.test.rows, set.metric);
  const std::string learn = learn_dataset(file);
  if (file.has(learn)) set.learn_queries = read_queries(file, learn, base.cols());
  set.train_labels = read_labels(file, "train_labels", base.rows());
  set.test_labels = read_labels(file, "test_labels", set.test.rows);
  if (train == ReadTrain::yes) set.train = base.read_floats();
  return set;
}

BenchmarkSet read_labelled_queries(const std::string& path) {
  const Hdf5Reader file(path);
  const Hdf5Dataset queries = file.dataset("test");
  queries.require_matrix();
  BenchmarkSet set;
  set.test = queries.read_floats();
  set.test_labels = read_labels(file, "test_labels", set.test.rows);
  if (file.has("train")) {
    set.train_labels = read_labels(file, "train_labels", file.dataset("train").rows());
  }
  return set;
}

std::string learn_neighbors_of(const std::string& spec, std::string_view format, std::size_t n) {
  if (!is_hdf5(spec, format)) return {};
  const Location location = locate(spec, {});
  const Hdf5Reader file(location.path);
  const bool is_learn =
      location.is_named ? location.dataset == "learn" : learn_dataset(file) == "learn";
  if (!is_learn || !file.has(kLearnNeighbors) || !file.has("train")) return {};
  if (file.dataset("train").rows() != n) return {};
  return fmt::format("{}:{}", location.path, kLearnNeighbors);
}

std::string queries_of_set(const std::string& spec) {
  const std::string path = locate(spec, {}).path;
  const Hdf5Reader file(path);
  for (const std::string& dataset : {learn_dataset(file), std::string("test")}) {
    if (file.has(dataset)) return fmt::format("{}:{}", path, dataset);
  }
  return {};
}

std::optional<Metric> told_metric(const std::string& spec, std::string_view format) {
  if (!is_hdf5(spec, format)) return std::nullopt;
  const Location location = locate(spec, "train");
  const Hdf5Reader file(location.path);
  for (std::string name = location.dataset;;) {
    name = group_above(name);
    if (const auto metric = read_metric(file, name)) return metric;
    if (name == "/") return std::nullopt;
  }
}

BenchmarkSet read_set(const std::string& path, ReadTrain train) {
  const Location location = locate(path, "train");
  if (location.is_named) {
    throw std::invalid_argument(fmt::format("a whole set is needed: give '{}' without ':{}'",
                                            location.path, location.dataset));
  }
  return read_set(Hdf5Reader(path), train);
}

void write_set(const std::string& path, const BenchmarkSet& set, Stored stored,
               const Progress& progress) {
  check_shapes(set);
  const std::size_t dim = set.train.cols;
  Hdf5Writer file(path, progress);
  write_part(file, "train", set.train, dim, stored);
  write_part(file, "test", set.test, dim, stored);
  if (set.truth.ids.cols > 0) {
    file.integers("neighbors", set.truth.ids.view());
    file.floats("distances", stored_distances(set.truth.distances, set.metric).view());
  }
  if (set.learn_queries.rows > 0) write_part(file, "learn_queries", set.learn_queries, dim, stored);
  if (!set.train_labels.empty()) file.strings("train_labels", set.train_labels);
  if (!set.test_labels.empty()) file.strings("test_labels", set.test_labels);
  file.attribute("distance", distance_name(set.metric));
  file.attribute("dimension", static_cast<std::int64_t>(dim));
  file.attribute("type", "dense");
  file.attribute("point_type", "float");
  file.commit();
}

}  // namespace obliq::datasets

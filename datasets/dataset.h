// Vector files behind one transform. The format follows from the name, which may have big-ann's
// `.crop_nb_N` behind it, or is given ("fbin"):
//
//     .hdf5 .h5            ann-benchmarks; "FILE:dataset" picks a dataset (floats or integers)
//     .fvecs .bvecs .ivecs TEXMEX: each row has its own little-endian int32 dim
//     .fbin .u8bin .i8bin .f16bin .ibin   big-ann: uint32 n, uint32 dim, then the rows
//     .npy                 NumPy 1.0 to 3.0 arrays of floats or integers, C order, no pickles
//
// Values become floats as they are read, and are refused where floats do not hold them. A damaged
// file gives a std::runtime_error "path: at offset n: reason", for HDF5 "path: dataset 'name':
// reason"; a sound one of another kind, shape or type a std::invalid_argument worded alike. Every
// size in a header is compared with the bytes present before anything is allocated. HDF5 is read by
// the HDF5 library, which is trusted with it; the readers of the other formats trust nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "obliq/matrix_view.h"
#include "obliq/metric.h"
#include "obliq/progress.h"
#include "obliq/vector_source.h"

namespace obliq::datasets {

/// Opens vectors of any format above, mapped or read in chunks. `spec` is PATH or, for HDF5,
/// PATH:DATASET; without one the dataset is `default_dataset`, and `learn` where a file has no
/// `learn_queries`. `format` is a suffix of those above, with or without its dot; empty: that of
/// the name. .ivecs and .ibin hold ids and are opened only where `format` says so.
std::unique_ptr<VectorSource> open_vectors(const std::string& spec,
                                           std::string_view default_dataset = "train",
                                           std::string_view format = {});

/// All of a source in memory.
Matrix<float> read_all(const VectorSource& source);

/// Integer rows (.ivecs, .ibin, .npy of int32/int64/uint32, or an HDF5 dataset): ground truth ids.
/// An .ibin and a file whose name tells no format are big-ann truth files, with distances or
/// without, as their size says.
Matrix<std::int64_t> read_ids(const std::string& spec, std::string_view default_dataset,
                              std::string_view format = {});

/// Where the vectors of a spec are.
struct Location {
  std::string path;
  std::string dataset;    ///< inside the file, where its format has such
  bool is_named = false;  ///< the dataset stands in the spec
};

/// A spec is the path of a file, or PATH:DATASET where a file has that path. Throws
/// std::invalid_argument when it is empty or names no dataset behind its colon.
Location locate(const std::string& spec, std::string_view default_dataset);

/// Whether the spec is read as HDF5.
bool is_hdf5(const std::string& spec, std::string_view format = {});
/// Whether files of this format hold ids. Throws std::invalid_argument when it is not one of those
/// above.
bool can_hold_ids(std::string_view format);
/// The format that a name tells, as "fbin"; empty when it tells none.
std::string_view told_format(std::string_view path);

/// Whether the name ends in a suffix of the table above.
bool names_vectors(std::string_view path);
/// Throws std::invalid_argument naming the path and the valid suffixes where it does not.
void require_vector_suffix(std::string_view path);

struct WriteOptions {
  std::string_view format = {};  ///< a suffix of those above; empty: that of the path
  Progress progress = {};        ///< a false answer leaves the path as it was
};

// All writers go through storage/atomic_file.h: what the path names is replaced whole or not at
// all, or written through where it is a pipe or a device. They throw std::system_error "path:
// cannot
// ...", and Cancelled.

/// Writes vectors in the format that the name asks for (HDF5: into dataset "train"). Halves are
/// rounded; throws std::invalid_argument naming a value that does not fit the format.
void write_vectors(const std::string& path, const VectorSource& source,
                   const WriteOptions& options = {});

/// Writes integer rows (.ivecs, .ibin, .npy; HDF5: into dataset "neighbors").
void write_ids(const std::string& path, MatrixView<std::int64_t> ids,
               const WriteOptions& options = {});

/// Exact neighbours: ids [queries][k] and distances of Metric's definition, nearest first.
struct GroundTruth {
  Matrix<std::int64_t> ids;
  Matrix<float> distances;
};

/// The whole of an ann-benchmarks set in memory. `train` is left out by read_set when asked.
struct BenchmarkSet {
  Metric metric = Metric::l2;
  Matrix<float> train;
  Matrix<float> test;
  GroundTruth truth;                      ///< empty when the file has none
  Matrix<float> learn_queries;            ///< optional dataset of the same name, or `learn`
  std::vector<std::string> train_labels;  ///< optional UTF-8 strings
  std::vector<std::string> test_labels;
};

enum class ReadTrain { yes, no };

/// Reads an ann-benchmarks HDF5 file. Attribute `distance`: "euclidean" is l2 (distances, stored as
/// roots, are squared), "angular" is cosine, "ip" or "dot" is ip (distances that fall along a row
/// are products, and negated). Throws std::runtime_error when parts are damaged,
/// std::invalid_argument when they are missing or do not fit each other.
BenchmarkSet read_set(const std::string& path, ReadTrain train = ReadTrain::yes);

/// The `test` of an HDF5 file and, where there are such, labels; nothing else of it is looked at.
BenchmarkSet read_labelled_queries(const std::string& path);

/// "FILE:dataset" of the queries of an HDF5 file: to learn from, else `test`; empty when it has
/// none.
std::string queries_of_set(const std::string& spec);

/// "FILE:learn_neighbors", VIBE's true neighbours of the queries that `spec` names to learn from;
/// empty where they are others than `learn`, or the set has none or not n vectors to train.
std::string learn_neighbors_of(const std::string& spec, std::string_view format, std::size_t n);

/// The metric that an HDF5 file tells: attribute `distance` of the group of the dataset, or of one
/// above it. Nothing where there is none and for other formats.
std::optional<Metric> told_metric(const std::string& spec, std::string_view format = {});

/// How vectors are stored in a file; in memory they are floats.
enum class Stored { float32, float16 };

/// Writes one: train, test, neighbors, distances, attributes distance, dimension, type,
/// point_type, and the optional parts that are not empty.
void write_set(const std::string& path, const BenchmarkSet& set, Stored stored = Stored::float32,
               const Progress& progress = {});

/// Writes an ann-benchmarks result file: neighbors, distances, times, attributes algo, dataset,
/// distance, count, name, run_count, best_search_time, candidates, build_time, index_size.
struct ResultFile {
  std::string algorithm, dataset, parameters;
  Metric metric = Metric::l2;
  std::size_t k = 0;
  double build_seconds = 0, search_seconds = 0, index_kilobytes = 0;
  Matrix<std::int64_t> ids;
  Matrix<float> distances;
  std::vector<float> query_seconds;
};
void write_results(const std::string& path, const ResultFile& results);

/// The big-ann truth file: uint32 queries, uint32 k, uint32 ids, float32 distances as they are.
/// Ids must fit uint32, so that padded truth cannot be written. Read is also one that ends behind
/// its ids, which are int32 then; its distances are empty.
GroundTruth read_truth_bin(const std::string& path);
void write_truth_bin(const std::string& path, const GroundTruth& truth);

}  // namespace obliq::datasets

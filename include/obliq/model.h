// An index made in parts. What is learnt is separate from what is stored:
//
//     model     all that is learnt, from a sample of the base: trained once, then it never changes
//     segment   vectors encoded under a model: any part of the base, on any machine
//     index     segments merged into one file, with their model
//
// Model::train, Model::encode of each part, and merge() make the same file, byte for byte, as
// Index::build_file of the whole base: however the base is cut, in whatever order the parts come,
// whatever the number of threads and the ISA. Segments can also be searched as they are
// (Index::open with a model).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "obliq/export.h"
#include "obliq/index.h"
#include "obliq/matrix_view.h"
#include "obliq/progress.h"
#include "obliq/vector_source.h"

namespace obliq {

struct EncodeOptions {
  /// Ids of the vectors, [n][1], as BuildOptions::ids. Empty: positions, which count from `first`.
  MatrixView<std::int64_t> ids = {};
  std::uint64_t first = 0;  ///< position of the first vector in the base; not beside ids
  std::span<const ColumnValues> columns = {};  ///< as BuildOptions::columns
  /// Keep the exact nearest neighbours of the model's learn queries, from which a merge tunes.
  /// Costs 1.5 kB per learn query and n * dim operations for each.
  bool truth = true;
  int threads = 0;             ///< 0: as many as the process may use. Changes no byte.
  std::size_t max_memory = 0;  ///< bytes, as BuildOptions::max_memory; changes no byte
  Progress progress = {};
};

/// Lists [first, end); none for all.
struct ListRange {
  std::uint32_t first = 0;
  std::uint32_t end = 0;
};

struct MergeOptions {
  /// What an id is that two segments hold: an error, or the last of them in their order stands.
  enum class Duplicates : std::uint8_t { error, last };

  /// The lists to merge; not all: the outcome is a segment. Segments of ranges that cover all lists
  /// are merged to the same file as all at once. A range that begins and ends at multiples of 256
  /// shares no block with others.
  ListRange lists = {};
  bool as_segment = false;  ///< a segment, without the model, that can be merged again
  Duplicates duplicates = Duplicates::error;
  std::span<const std::int64_t> deleted = {};  ///< ids to leave out; they need not be there
  /// Tune an index, if all segments kept truth and there are 1,000 vectors or more.
  bool tune = true;
  int threads = 0;             ///< of tuning; merging takes one
  std::size_t max_memory = 0;  ///< bytes, 0: no bound; less than what a merge takes is refused
  Progress progress = {};
};

/// What a model is made of.
struct ModelStats {
  std::uint64_t id = 0;  ///< of its bytes: segments name it
  std::size_t n = 0;     ///< vectors of the base that it was trained for
  std::size_t dim = 0;
  std::size_t nlist = 0;
  std::size_t list_groups = 1;
  Metric metric = Metric::l2;
  std::string quantizer;
  RawTier raw = RawTier::none;
  double spill = 0;               ///< share of the vectors that are to have a second entry
  std::size_t learn_queries = 0;  ///< to tune with; none in the file of an index
  std::uint64_t seed = 0;
};

/// Lists of queries, best first, with their keys, [m][nprobe] each. A key is what a list's vectors
/// are from the query, as far as its centroid and radius tell: on the scale of |q-x|^2 behind the
/// transform, on which a distance d of the metric is scale[0] * d + scale[1], [m][2].
struct RankedLists {
  Matrix<std::uint32_t> lists;
  Matrix<float> keys;
  Matrix<float> scale;
};

/// What is learnt from a sample; immutable. A copy shares it. Use it from any number of threads.
class OBLIQ_API Model {
 public:
  /// Learns from `vectors`, the base or part of it, what an index of n vectors needs; n = 0: of as
  /// many as are given. The sample are the vectors of the smallest sample_key(seed, id): give all
  /// of sample_size(n, options) of them, or more, in any order, and the model is the same. Of the
  /// options, ids are those of the vectors; tune has no meaning. Throws as Index::build.
  static Model train(const VectorSource& vectors, const BuildOptions& options = {},
                     std::size_t n = 0);
  static Model train(MatrixView<float> vectors, const BuildOptions& options = {},
                     std::size_t n = 0);

  /// Opens a saved model, or that of an index. Throws as Index::open.
  static Model open(const std::string& path, const OpenOptions& options = {});
  /// Writes one file, as Index::save.
  void save(const std::string& path) const;

  /// Encodes vectors into the file of a segment. Throws as Index::build and Index::save. Cost: the
  /// nearest of nlist centroids for each vector; from 8,192 lists on of those in near groups, so
  /// that up to one vector in a thousand gets another list than the nearest.
  void encode(const VectorSource& vectors, const std::string& path,
              const EncodeOptions& options = {}) const;
  void encode(MatrixView<float> vectors, const std::string& path,
              const EncodeOptions& options = {}) const;

  /// The lists to search for each of m queries, best first: [m][nprobe], at most nlist. What a
  /// search chooses, but for lists that are empty. Throws as Index::search.
  Matrix<std::uint32_t> route(MatrixView<float> queries, std::size_t nprobe, int threads = 0) const;

  /// The same lists with what tells how much each promises.
  RankedLists rank(MatrixView<float> queries, std::size_t nprobe, int threads = 0) const;

  /// The queries that a merge tunes with, [learn_queries][dim], as vectors of the base; and their
  /// ids in it, -1 for queries that were given.
  Matrix<float> learn_queries() const;
  std::vector<std::int64_t> learn_ids() const;

  ModelStats stats() const;

 private:
  friend struct ModelAccess;
  struct Impl;
  explicit Model(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

/// The key by which a vector is chosen for the sample: the smallest are.
OBLIQ_API std::uint64_t sample_key(std::uint64_t seed, std::int64_t id);
/// How many vectors a model of n vectors learns from.
OBLIQ_API std::size_t sample_size(std::size_t n, const BuildOptions& options = {});

/// Merges segments of a model into an index or a segment at `path`, which appears once it is
/// complete. Throws std::invalid_argument naming both models where a segment is of another, naming
/// the id and both segments where one is in two, or on a range of lists that is none;
/// std::runtime_error on a damaged file; Cancelled. Cost: reads every byte twice, first to verify
/// the checksums, and writes it once.
OBLIQ_API void merge(const Model& model, std::span<const std::string> segments,
                     const std::string& path, const MergeOptions& options = {});

/// The 128 exact nearest vectors of each of the model's learn queries that a segment keeps, among
/// all that it was merged from, whatever range of lists it has. No rows where it keeps none. Throws
/// as Index::open.
OBLIQ_API SearchResult read_truth(const Model& model, const std::string& segment);

/// The k best answers of each query of several searches, as of parts of a base: ties go to the
/// smaller id, and an id that comes twice counts once. An id of -1 ends the answers of a part to a
/// query. Throws std::invalid_argument where the parts have different numbers of queries, or a
/// distance is NaN.
OBLIQ_API SearchResult merge_topk(std::span<const SearchResult> parts, std::size_t k);

}  // namespace obliq

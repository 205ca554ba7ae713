// The index: inverted lists of quantized vectors, searched in four stages.
//
//     route   find the nprobe lists nearest to the query (quantized centroids, then exact)
//     scan    sign blocks of those lists: an estimate and a lower bound for every entry
//     refine  the full code of the entries whose bound passes
//     raw     optional exact vectors, for the rows whose own bound passes
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "obliq/export.h"
#include "obliq/matrix_view.h"
#include "obliq/metric.h"
#include "obliq/progress.h"
#include "obliq/search_counters.h"
#include "obliq/tuning.h"
#include "obliq/vector_source.h"

namespace obliq {

/// Exact vectors kept beside the codes.
enum class RawTier : std::uint8_t { none = 0, fp16 = 1, fp32 = 2 };

OBLIQ_API std::string to_string(RawTier raw);
OBLIQ_API RawTier parse_raw_tier(std::string_view name);  ///< throws std::invalid_argument

/// A named choice of quantizer, raw tier and spill.
struct Preset {
  std::string_view name;
  std::string_view quantizer;
  RawTier raw;
  double spill;
};

/// All presets; the first is what the command line and Python build where nothing is named.
OBLIQ_API std::span<const Preset> presets();
OBLIQ_API const Preset& parse_preset(std::string_view name);  ///< throws std::invalid_argument

struct BuildOptions {
  Metric metric = Metric::l2;
  std::string quantizer = "sq8";  ///< spec, see quantizer.h
  std::size_t nlist = 0;          ///< inverted lists; 0 chooses about 4 sqrt(n)
  /// Groups of lists, of which a search looks at the nearest before it ranks lists. 0 chooses
  /// 4 sqrt(nlist) from 32,768 lists on and none below; 1: none; at most one a list.
  std::size_t list_groups = 0;
  RawTier raw = RawTier::none;
  /// Share of the vectors with a second entry in another list, 0 to 1, rounded down: more recall at
  /// an nprobe for dim/8 + 8 bytes each, and 2 to 6 bytes for every vector. docs/design.md.
  double spill = 0;
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: all cores. The index does not depend on it.
  int kmeans_iterations = 10;
  std::size_t kmeans_points = 256;  ///< training vectors a list, at the most
  /// Centroids to use instead of k-means: nlist x dim, in the space of the base vectors.
  MatrixView<float> centroids = {};
  /// Queries like those to come, m x dim, for quantizers that learn (":query"); empty: base vectors
  /// stand in for them.
  MatrixView<float> train_queries = {};
  /// Tune for target recalls, with train_queries or, without, base vectors in their place; see
  /// Index::tune. Fewer than 1,000 vectors are not tuned.
  bool tune = true;
  /// External ids, one a vector; empty: the position in the base.
  MatrixView<std::int64_t> ids = {};
  Progress progress = {};
  /// Bytes that a build into a file may take, 0: no bound. With one, vectors on their way lie in
  /// temporary files beside the output, which have no names. Not counted are what the caller holds,
  /// the stacks of threads, and pages of files, which the system drops when it needs them.
  std::size_t max_memory = 0;
};

constexpr std::size_t kDefaultNprobe = 16;

/// The order in which a call with many queries does its work. The answers are the same, bit by bit.
enum class BatchOrder : std::uint8_t {
  automatic,  ///< list where enough queries would meet at a list, else query
  query,      ///< one query after the other
  list,       ///< many queries under way, which go through the lists that they share together
};

OBLIQ_API std::string to_string(BatchOrder order);              ///< "auto", "query", "list"
OBLIQ_API BatchOrder parse_batch_order(std::string_view name);  ///< throws std::invalid_argument

struct SearchOptions {
  std::size_t k = 10;
  /// Lists to scan; more than nlist means all. Not given: kDefaultNprobe or, with a target recall,
  /// as many as that takes, of which it is otherwise the most.
  std::optional<std::size_t> nprobe = {};
  /// Probability (one-sided, normal model) that a true neighbour passes a stage's bound, in
  /// (0, 1]. 1 prunes nothing: every entry of the probed lists is refined.
  float confidence = 0.964F;
  int threads = 0;  ///< 0: all cores. Answers do not depend on it, nor on the batch.
  /// The mean recall@k to reach, in (0, 1), by what tuning has found (at the default confidence; a
  /// lower one falls short): each query then scans as many lists as it needs. 0: nprobe lists. In
  /// an index of fewer than 1,000 vectors that is not tuned it means all lists.
  double target_recall = 0;
  BatchOrder batch_order = BatchOrder::automatic;
};

/// Where the bytes of an opened index live.
enum class Residence : std::uint8_t {
  mapped,  ///< in the page cache, shared between processes; opening is instant
  memory,  ///< read into memory of its own, on huge pages where the system has them; faster to
           ///< search
};

struct OpenOptions {
  Residence residence = Residence::mapped;
  bool verify = false;  ///< check every byte at opening, not only the small sections
};

/// k answers a query, nearest first. Too few answers: id -1 and distance +infinity.
struct SearchResult {
  Matrix<float> distances;   ///< [queries][k], see Metric
  Matrix<std::int64_t> ids;  ///< [queries][k]
};

/// What an index is made of.
struct IndexStats {
  std::size_t n = 0;
  std::size_t dim = 0;
  std::size_t nlist = 0;
  std::size_t list_groups = 1;  ///< 1: lists are not grouped
  Metric metric = Metric::l2;
  std::string quantizer;
  RawTier raw = RawTier::none;
  double spill = 0;             ///< share of the vectors that are spilled
  double bytes_per_vector = 0;  ///< blocks, rows and raw tier; without external ids and centroids
  std::size_t id_bytes = 0;     ///< external ids
  std::size_t centroid_bytes = 0;  ///< centroids with their quantized copies and groups
  std::size_t file_bytes = 0;      ///< 0 before the index is saved
  std::uint32_t format_version = 0;
  Tuning tuning;  ///< no ladders when the index is not tuned
};

/// An immutable index. Search it from any number of threads.
class OBLIQ_API Index {
 public:
  /// Builds from `base` (n x dim). Throws std::invalid_argument on NaN, infinity (naming the row),
  /// dim 0, unknown quantizer, a spill outside [0, 1], centroids or ids of the wrong shape;
  /// Cancelled when asked to stop.
  static Index build(const VectorSource& base, const BuildOptions& options = {});
  static Index build(MatrixView<float> base, const BuildOptions& options = {});

  /// Builds into one file, byte for byte that of build() and save(), but that max_memory bounds
  /// what a quantizer that learns is trained on. Never holds the whole index: for tuning the
  /// unfinished file is mapped. Nothing is left at `path` unless all is there. Throws as build and
  /// save do, and std::invalid_argument when max_memory is too little.
  static void build_file(const VectorSource& base, const std::string& path,
                         const BuildOptions& options = {});

  /// Opens a saved index. Checks the header, the table and every small section; with
  /// options.verify the checksum of every byte. Throws std::runtime_error naming file, section and
  /// offset when it is damaged, std::system_error when it cannot be read.
  static Index open(const std::string& path, const OpenOptions& options = {});
  /// Writes one file: to a temporary name, synced, then renamed. Cost: n * bytes a vector.
  void save(const std::string& path) const;

  /// The k nearest base vectors of each query. Throws std::invalid_argument on a wrong dim, NaN or
  /// infinity (naming the query), k = 0, nprobe = 0, a confidence outside (0, 1], or a target
  /// recall outside [0, 1), of an index that is not tuned, or beyond what all its lists give.
  SearchResult search(MatrixView<float> queries, const SearchOptions& options = {}) const;
  /// The same into caller's buffers of queries.rows * k values each.
  void search(MatrixView<float> queries, const SearchOptions& options, float* distances,
              std::int64_t* ids, SearchCounters* counters = nullptr) const;

  /// Finds out how to reach target recalls, in place of what was known before: searches all lists
  /// with learn queries (m x dim, like those to come) and compares with their true neighbours; at
  /// most 1,000 of them are used, from 500,000 vectors on fewer, at the least 250. Without queries
  /// base vectors stand in, which serves where queries resemble the base. Truth is exact with a raw
  /// tier; without one it is the index's own exhaustive search, and what the codes lose is taken
  /// from the tuning before, so that all lists give the recall that they gave to build, which has
  /// the base. (An index that was not tuned leaves that loss out.) Other threads may search
  /// meanwhile, but not save. Forgets what was known when the index has fewer than 1,000 vectors.
  /// Throws std::invalid_argument on a wrong dim, NaN or infinity; Cancelled when asked to stop.
  /// Cost: three to four searches through all lists a query.
  void tune(MatrixView<float> learn_queries = {}, const TuneOptions& options = {});

  /// The vector an id stands for as the index remembers it: exact from a raw tier, else decoded.
  /// Writes dim floats; cosine gives unit vectors. Throws std::invalid_argument on unknown ids.
  void reconstruct(std::int64_t id, float* out) const;

  /// Whether an id is in the index. Cost: with external ids a pass over them.
  bool contains(std::int64_t id) const;

  IndexStats stats() const;

  Index(Index&&) noexcept;
  Index& operator=(Index&&) noexcept;
  ~Index();

 private:
  struct Impl;
  explicit Index(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace obliq

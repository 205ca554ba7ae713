// The index: inverted lists of quantized vectors. Build it once from the base, save it as one file,
// search it from any number of threads. A search has four stages:
//
//     route   rank the lists by the codes of their centroids and their mean radius; take the best
//             nprobe, or as many as the query needs for its target recall
//     scan    one bit per dimension of every entry of those lists: an estimate of its distance and
//             a lower bound
//     refine  the full code of the entries whose bound is below the k-th distance so far
//     raw     where the index keeps raw vectors: the exact distance of the rows that still pass
//
// Distances without a raw tier are estimates from the codes. Answers depend on the index, the query
// and the options alone, not on threads or on the other queries of the batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "obliq/columns.h"
#include "obliq/export.h"
#include "obliq/filter.h"
#include "obliq/matrix_view.h"
#include "obliq/metric.h"
#include "obliq/progress.h"
#include "obliq/range_search.h"
#include "obliq/tuning.h"
#include "obliq/vector_source.h"

namespace obliq {

/// Raw vectors kept beside the codes, 2 (fp16) or 4 (fp32) bytes per dimension: the answers of a
/// search are then compared by exact distances, from fp16 with its rounding.
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

/// All presets; the first, `fast`, is what is built where nothing is named.
OBLIQ_API std::span<const Preset> presets();
OBLIQ_API const Preset& parse_preset(std::string_view name);  ///< throws std::invalid_argument

/// What to build where a preset, its parts or both are named; an empty name is not given. Parts win
/// over the preset. Without a preset, a quantizer stands for itself, without raw tier and spill,
/// and without a quantizer the preset is the first. The result views the texts that are given.
/// Throws std::invalid_argument on the unknown name of a preset.
OBLIQ_API Preset choose_codes(std::string_view preset, std::string_view quantizer,
                              std::optional<RawTier> raw, std::optional<double> spill);

struct BuildOptions {
  Metric metric = Metric::l2;
  /// Spec, see quantizer.h. Empty: that of the preset `fast`, and its spill where none is given; a
  /// quantizer that is named has a spill of 0.
  std::string quantizer = {};
  std::size_t nlist = 0;  ///< number of lists, at most n; 0: about 4 sqrt(n)
  /// Number of groups of lists, at most nlist: with more than one, a search ranks only the lists of
  /// the groups nearest to the query, which pays with very many lists. 0: 4 sqrt(nlist) from 32,768
  /// lists on, else 1.
  std::size_t list_groups = 0;
  RawTier raw = RawTier::none;
  /// Share of the vectors that get a second entry, in another list, 0 to 1: more recall at the same
  /// nprobe. The share is that of a sample: in the index it is some percent more or less. Costs
  /// dim/8 + 10 bytes per second entry (12 beyond 65,536 lists). Not given: see quantizer.
  std::optional<double> spill = {};
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: as many as the process may use. The index does not depend on it.
  int kmeans_iterations = 10;
  std::size_t kmeans_points = 256;  ///< most training vectors per list
  /// Centroids to use instead of k-means, [nlist][dim], in the space of the base vectors. Their
  /// number takes the place of `nlist`.
  MatrixView<float> centroids = {};
  /// Queries like those to come, [m][dim], for quantizers that learn (":query"); empty: base
  /// vectors stand in for them.
  MatrixView<float> train_queries = {};
  /// Tune for target recalls, with train_queries or, without, base vectors in their place; see
  /// Index::tune. Fewer than 1,000 vectors are not tuned.
  bool tune = true;
  /// External ids, [n][1], all different and none of them -1, which means "no answer"; empty: the
  /// id of a vector is its position in the base.
  MatrixView<std::int64_t> ids = {};
  /// Attributes of the vectors, each of n values, of different names; the caller keeps them.
  std::span<const ColumnValues> columns = {};
  Progress progress = {};
  /// Bytes of memory that build_file may take, 0: no bound. With a bound, intermediate vectors are
  /// kept in temporary files beside the output. Not counted: what the caller holds, the
  /// stacks of threads, and cached pages of files, which the system drops when it needs memory.
  std::size_t max_memory = 0;
};

/// The order in which a call with many queries does its work. The answers are the same, bit by bit.
enum class BatchOrder : std::uint8_t {
  automatic,  ///< `list` where enough queries share lists for it to be faster, else `query`
  query,      ///< one query after the other
  list,       ///< list by list, each for all queries that probe it
};

OBLIQ_API std::string to_string(BatchOrder order);              ///< "auto", "query", "list"
OBLIQ_API BatchOrder parse_batch_order(std::string_view name);  ///< throws std::invalid_argument

/// Why a search looked into no further list.
enum class SearchEnd : std::uint8_t {
  all_lists,  ///< there are no others
  nprobe,     ///< as many as were asked for or, for a target recall, as tuning found that it takes
  stop_rule,  ///< by what it had seen, the others promised too little for the target recall
  k_found,    ///< the lists asked for held fewer than k vectors, and now there are k
  given,      ///< they are those that SearchOptions::lists named
  all_allowed,  ///< every vector that passes the filter was compared
};

/// "all lists", "nprobe", "stop rule", "k found", "given", "all allowed"
OBLIQ_API std::string to_string(SearchEnd end);

/// How the vectors were chosen whose distances were estimated.
enum class SearchMethod : std::uint8_t {
  lists,         ///< those of the lists that were scanned
  masked_lists,  ///< the same, of those that pass the filter
  direct,        ///< all that pass the filter, one by one
};

/// "lists", "masked lists", "direct"
OBLIQ_API std::string to_string(SearchMethod method);

/// The work of one query.
struct SearchExplanation {
  std::uint64_t lists = 0;    ///< scanned
  std::uint64_t entries = 0;  ///< scanned
  std::uint64_t refined = 0;  ///< rows whose full code was read
  std::uint64_t exact = 0;    ///< raw vectors compared
  SearchEnd end = SearchEnd::all_lists;
  std::uint64_t allowed = 0;  ///< vectors that may be answers
  SearchMethod method = SearchMethod::lists;
};

struct SearchOptions {
  std::size_t k = 10;
  /// The least number of lists to scan per query; more are scanned where they hold fewer than k
  /// vectors, and more than nlist means all. With target_recall it is the most lists to scan. Not
  /// given: as many as target_recall takes or, where that is 0 too, the default: .96 of the recall
  /// that a scan of all lists gives at this k, and .95 at most, as tuning found it. An index that
  /// is not tuned then scans all lists below 1,000 vectors and from there on a number of lists that
  /// grows with nlist and k, without a promise.
  std::optional<std::size_t> nprobe = {};
  /// Probability (one-sided, normal model) that a true neighbour passes the bound of a stage, in
  /// (0, 1]. 1 prunes nothing: every entry of the probed lists is refined. A search for a target
  /// recall, or for the default, has the confidence that tuning found for it (TunedTarget), unless
  /// another than this default is given.
  float confidence = 0.964F;
  /// 0: as many as the process may use. Answers do not depend on it, nor on the batch.
  int threads = 0;
  /// Mean recall@k over queries to aim at, in (0, 1): each query scans as many lists as tuning (see
  /// Index::tune) found that it needs; beyond k = 100, the last that is tuned, rather more. A
  /// confidence below that which tuning found gives less recall. 0: see nprobe. An index of
  /// fewer than 1,000 vectors that is not tuned scans all lists.
  double target_recall = 0;
  BatchOrder batch_order = BatchOrder::automatic;
  /// Lists to scan in the place of those that routing chooses, [queries][any number], best first,
  /// as `route` gives them; kNoList fills rows that name fewer. Then nprobe and target_recall must
  /// not be given, and no other list is scanned, even where there are fewer than k answers.
  MatrixView<std::uint32_t> lists = {};
  /// Answers to a query are nearer than this, [queries][1], each a distance of the metric or
  /// +infinity: those of other parts of a base tell how near an answer must be to count. Beside
  /// `lists` alone. Not given: any are.
  MatrixView<float> within = {};
  /// Which vectors may be answers; none: all. Then a search goes on until it has k of them, if
  /// there are k, and a target_recall is met for the k nearest of these.
  std::optional<Filter> filter = {};
  /// Names of columns to return with the answers (SearchResult::columns).
  std::span<const std::string> columns = {};
  /// Gets one for each query, in the place of what it holds; null: none is made. Answers are the
  /// same, but queries of a batch go one after the other, whatever batch_order says.
  std::vector<SearchExplanation>* explain = nullptr;
};

/// In the place of a list's number: none.
inline constexpr std::uint32_t kNoList = 0xFFFFFFFFU;

/// Where the bytes of an opened index live.
enum class Residence : std::uint8_t {
  mapped,  ///< the file is mapped: opening is instant, pages are shared between processes; a disk
           ///< that fails, or a file that is cut, ends a search by SIGBUS (docs/file_format.md)
  memory,  ///< the file is read into memory, on huge pages where the system has them: slower to
           ///< open, faster to search
};

struct OpenOptions {
  Residence residence = Residence::mapped;
  bool verify = false;  ///< check the checksum of every byte, not only of the small sections
  /// For mapped files that are larger than the memory there is for them: a search asks the system
  /// for the pages it is about to read, many at a time, instead of waiting for one after the other.
  /// Answers are the same. Costs time where the pages are in memory; a range search does not ask,
  /// and a batch is searched query by query.
  bool read_ahead = false;
};

/// k answers per query, nearest first, at equal distances by rising id. Places without an answer:
/// id -1 and distance +infinity.
struct SearchResult {
  Matrix<float> distances;   ///< [queries][k], see Metric
  Matrix<std::int64_t> ids;  ///< [queries][k]
  Columns columns = {};      ///< those asked for, [queries * k] values each; NULL: no answer
};

/// What an index is made of.
struct IndexStats {
  std::size_t n = 0;            ///< number of vectors
  std::size_t dim = 0;          ///< dimensions of a vector
  std::size_t nlist = 0;        ///< number of lists
  std::size_t list_groups = 1;  ///< number of groups of lists; 1: lists are not grouped
  Metric metric = Metric::l2;
  std::string quantizer;  ///< canonical spec, see quantizer.h
  RawTier raw = RawTier::none;
  double spill = 0;  ///< share of the vectors with a second entry, 0 to 1
  /// What a search reads of vectors, divided by n: codes with their factors, second entries, raw
  /// vectors, and two small records per list. Without ids, columns and centroids.
  double bytes_per_vector = 0;
  ColumnSchema columns;              ///< attributes of the vectors, by name
  std::size_t column_bytes = 0;      ///< their values
  std::size_t id_bytes = 0;          ///< ids: 4 bytes per vector, 12 where they were given
  std::size_t centroid_bytes = 0;    ///< what a search reads to choose its lists; grows with nlist
  std::size_t file_bytes = 0;        ///< size of the file that was opened; 0: not from a file
  std::uint32_t format_version = 0;  ///< of the file format
  std::size_t segments = 1;          ///< that are searched together
  std::uint64_t model_id = 0;        ///< of the model (obliq/model.h)
  Tuning tuning;                     ///< tuning.queries is 0 where the index is not tuned
};

class Model;
class SearchIterator;

/// An immutable index. Search it from any number of threads.
class OBLIQ_API Index {
 public:
  /// Builds from `base`, [n][dim], in memory. Reads it twice, three times with tuning. Throws
  /// std::invalid_argument on NaN or infinity (naming the row), dim 0, an unknown quantizer, a
  /// spill outside [0, 1], centroids, queries or ids of the wrong shape, an id that is -1 or given
  /// twice (naming the rows), or a max_memory; Cancelled when options.progress returned false.
  /// Cost: k-means over kmeans_points * nlist vectors at most, then the nearest of nlist centroids
  /// for each of the n vectors.
  static Index build(const VectorSource& base, const BuildOptions& options = {});
  static Index build(MatrixView<float> base, const BuildOptions& options = {});

  /// Builds into one file, of the same bytes as that of build() and save(), whatever max_memory is.
  /// It appears at `path` only once it is complete. Throws as build and save do, and
  /// std::invalid_argument when max_memory is too little.
  static void build_file(const VectorSource& base, const std::string& path,
                         const BuildOptions& options = {});

  /// Opens a saved index. Checks the header, the section table and every small section; with
  /// options.verify every byte. Throws std::runtime_error naming file, section and offset when the
  /// file is damaged, std::system_error when it cannot be read.
  static Index open(const std::string& path, const OpenOptions& options = {});
  /// Opens segments of a model (obliq/model.h), which are searched together, as if they were
  /// merged. Their ids must differ; that is not checked. The index is not tuned. Throws as above,
  /// and std::invalid_argument naming both models where a segment is of another.
  static Index open(const Model& model, std::span<const std::string> segments,
                    const OpenOptions& options = {});
  /// Writes one file: to a temporary name beside `path`, synced, then renamed. Pipes and devices
  /// are written through. Throws std::system_error when that fails; the message tells when the new
  /// file is in place nevertheless. Cost: writes every byte of the index.
  void save(const std::string& path) const;

  /// An index of the same vectors with a tuning of its own, which starts as that of this one. They
  /// share vectors, codes and ids. Other threads may search and tune this one meanwhile. Cost: a
  /// few bytes per list.
  Index copy() const;

  /// The k nearest base vectors of each of m queries, [m][dim]. Throws std::invalid_argument on a
  /// wrong dim, NaN or infinity (naming the query), k = 0, nprobe = 0, a confidence outside (0, 1],
  /// lists that there are not or that a query names twice, a target recall that is outside [0, 1),
  /// above what a scan of all lists gives, or asked of an index that is not tuned. Cost: the stages
  /// at the head of this file.
  SearchResult search(MatrixView<float> queries, const SearchOptions& options = {}) const;
  /// The same into the caller's buffers, [m][k] each. Columns must not be asked for.
  void search(MatrixView<float> queries, const SearchOptions& options, float* distances,
              std::int64_t* ids) const;

  /// All base vectors nearer than `radius` to each of m queries, [m][dim]. Throws
  /// std::invalid_argument as search does, on a radius that is NaN, on `exact` without a raw tier.
  /// Cost: the distance to all centroids, then the lists that may hold an answer.
  RangeSearchResult range_search(MatrixView<float> queries, float radius,
                                 const RangeSearchOptions& options = {}) const;

  /// Hands out the neighbours of one query, [1][dim], batch after batch (search_iterator.h), as
  /// searches with these options find them; k, lists and explain must not be given. The index
  /// outlives it. Throws as search.
  SearchIterator search_iterator(MatrixView<float> query, const SearchOptions& options = {}) const;

  /// How many vectors pass a filter. Evaluates it, so that searches with it need not. Throws
  /// std::invalid_argument where it does not fit.
  std::size_t count(const Filter& filter) const;

  /// Values of columns, all where none is named, of the vectors of ids, in their order; of an id of
  /// -1 NULL. Throws std::invalid_argument on an unknown id or name.
  Columns get_columns(std::span<const std::int64_t> ids,
                      std::span<const std::string> names = {}) const;

  /// Tunes the index for target recalls, in place of what it knew: searches all lists with learn
  /// queries, [m][dim], like those to come, and compares with their true neighbours. At most 1,000
  /// of them are used; fewer from 500,000 vectors on, down to 250. Without learn queries base
  /// vectors stand in, which serves where queries resemble the base. With a raw tier true
  /// neighbours are exact. Without one they are those of the index's own scan of all lists, and the
  /// recall that the codes lose is taken from the previous tuning (build has the base and measures
  /// it); an index that was never tuned leaves that loss out. An index of fewer than 1,000 vectors
  /// ends up not tuned. True neighbours that are given with the queries are taken as they are.
  /// Other threads may search meanwhile, but not save. Throws std::invalid_argument on a wrong dim,
  /// NaN or infinity, neighbours that are too few or not in the index; Cancelled when
  /// options.progress returned false. Cost: three to four searches through all lists per learn
  /// query, and three through those that a recall of .95 takes, twice.
  void tune(MatrixView<float> learn_queries = {}, const TuneOptions& options = {});

  /// Writes the vector of an id, dim floats: from the raw tier, else decoded from its code; of unit
  /// length with the cosine metric. Throws std::invalid_argument on an unknown id. Cost: with ids
  /// that were given a binary search; without one in each list.
  void reconstruct(std::int64_t id, float* out) const;

  /// The same for many ids, which may repeat: [ids.size()][dim], in their order. Writes nothing
  /// when an id is unknown. Cost: without ids that were given one pass over all positions.
  void reconstruct(std::span<const std::int64_t> ids, float* out) const;

  /// Whether an id is in the index. Cost: as reconstruct.
  bool contains(std::int64_t id) const;

  IndexStats stats() const;

  Index(Index&&) noexcept;
  Index& operator=(Index&&) noexcept;
  ~Index();

 private:
  friend struct IndexAccess;  // for profiles; not part of the library's interface
  struct Impl;
  explicit Index(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace obliq

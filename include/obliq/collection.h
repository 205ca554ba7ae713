// A collection: vectors that are added, replaced and removed while they are searched. It is a
// directory that loses nothing when the process or the machine dies, or lives in memory without a
// path.
//
//     first vectors    kept as they are and compared exactly, up to `train_at` of them
//     from there on    a model is trained in the background, all is encoded under it, and one step
//                      switches; the next one is trained when there are 16 times as many vectors
//
// A change is visible to the next search. Searches never wait for changes: each sees all of a batch
// or nothing of it. An Index (obliq/index.h) is what never changes; export_index() makes one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "obliq/collection_stats.h"
#include "obliq/columns.h"
#include "obliq/export.h"
#include "obliq/index.h"
#include "obliq/matrix_view.h"
#include "obliq/metric.h"
#include "obliq/progress.h"
#include "obliq/search_iterator.h"

namespace obliq {

/// When a change outlives a power failure. A process that is killed loses nothing in any case.
enum class Durability : std::uint8_t {
  every,     ///< once the call returns; calls of several threads share a sync
  interval,  ///< CollectionAccess::sync_interval after it
  none,      ///< once sync(), close() or the background has written it
};

OBLIQ_API std::string to_string(Durability durability);        ///< "every", "interval", "none"
OBLIQ_API Durability parse_durability(std::string_view name);  ///< throws std::invalid_argument

/// What the ids of a collection are. Strings, *keys* below, are 1 to 4,096 bytes of UTF-8 without
/// control characters. Inside they stand for numbers, which export_index writes.
enum class IdType : std::uint8_t { int64, string };

OBLIQ_API std::string to_string(IdType ids);            ///< "int64", "string"
OBLIQ_API IdType parse_id_type(std::string_view name);  ///< throws std::invalid_argument

/// What stays as it is for the life of a collection, but for columns, which may be added.
struct CollectionOptions {
  std::size_t dim = 0;  ///< of all vectors; required
  Metric metric = Metric::l2;
  std::string quantizer = {};  ///< as BuildOptions::quantizer
  RawTier raw = RawTier::none;
  std::optional<double> spill = {};  ///< as BuildOptions::spill
  std::uint64_t seed = 1;
  /// Vectors from which on a model is trained, 1,000 or more; below, every search compares all
  /// vectors exactly.
  std::size_t train_at = 20000;
  IdType ids = IdType::int64;
  /// Attributes of the vectors. More may come later: Collection::add_column.
  ColumnSchema columns = {};
};

/// Answers where ids are strings, [queries][k] each.
struct KeyedSearchResult {
  Matrix<float> distances;
  Matrix<std::string> keys;  ///< empty: no answer, its distance is infinity
  Columns columns = {};      ///< as SearchResult::columns
};

/// As RangeSearchResult, where ids are strings.
struct KeyedRangeSearchResult {
  std::vector<std::uint64_t> lims;
  std::vector<float> distances;
  std::vector<std::string> keys;
  std::vector<std::uint8_t> cut;
  Columns columns;
};

/// How a collection is used by this process.
struct CollectionAccess {
  bool read_only = false;  ///< sees what was there when it was opened, and takes no lock
  /// With read_only: looks for what a writer has done every so many seconds, by itself. 0: only
  /// refresh() does.
  double follow = 0;
  Durability durability = Durability::every;
  double sync_interval = 1;  ///< seconds, of Durability::interval
  int threads = 0;           ///< of a call that adds, 0: as many as the process may use
  /// Seconds that a call which adds waits for the background, where vectors come faster than it
  /// merges them; then it throws, and has changed nothing. 0: as long as it takes.
  double wait_limit = 0;
  double background_rate = 0;  ///< bytes per second that merges write at most; 0: any
};

struct VerifyOptions {
  double bytes_per_second = 0;  ///< the most that is read; 0: no limit
  Progress progress = {};
};

/// One writer at a time, of all processes; any number of readers. Use it from any number of
/// threads. Not in a child after fork().
class OBLIQ_API Collection {
 public:
  /// Makes the directory `path`, which may be there if it is empty. Throws std::invalid_argument on
  /// options out of range, std::system_error where that cannot be written.
  static Collection create(const std::string& path, const CollectionOptions& options,
                           const CollectionAccess& access = {});
  /// Opens the collection at `path`, as a writer or to read. Throws std::runtime_error naming file
  /// and offset where it is damaged, and naming the process where another one writes to it.
  static Collection open(const std::string& path, const CollectionAccess& access = {});
  /// A collection without a directory: it is gone with the process.
  static Collection in_memory(const CollectionOptions& options,
                              const CollectionAccess& access = {});

  /// Adds vectors, [n][dim], with these ids, [n][1]: all of them or, when it throws, none. Throws
  /// std::invalid_argument on a wrong shape, NaN or infinity naming the row, an id that is -1,
  /// comes twice or is there already; std::system_error where the change could not be written, or
  /// with ETIMEDOUT after CollectionAccess::wait_limit. Cost: that of encoding them, and of one
  /// sync with Durability::every. It waits for the background where 256 MB of vectors are in memory
  /// alone, or 32 segments wait to be merged; 65,536 vectors or 256 MB of them become a
  /// file at once.
  ///
  /// `columns` are values of these vectors, in their order; of columns that are not given they have
  /// NULL. Throws std::invalid_argument naming a column that the collection does not have, that is
  /// of another type, has another number of values or comes twice.
  void add(MatrixView<float> vectors, MatrixView<std::int64_t> ids,
           std::span<const ColumnValues> columns = {});
  /// The same with new ids, each above all that were ever there. Returns the first; they rise by 1.
  std::int64_t add(MatrixView<float> vectors, std::span<const ColumnValues> columns = {});
  /// Adds vectors, or puts them in the place of those with their ids, whose values are gone, too.
  void upsert(MatrixView<float> vectors, MatrixView<std::int64_t> ids,
              std::span<const ColumnValues> columns = {});
  /// Removes the vectors of these ids. Returns how many were there.
  std::size_t remove(std::span<const std::int64_t> ids);
  /// Gives the vectors of these ids, of which none comes twice, new values of these columns; their
  /// other columns stay, and the vectors, bit for bit as they are encoded. Throws as add,
  /// std::invalid_argument naming an id that is not there; then nothing has changed. Cost: about
  /// that of an upsert without encoding; of each segment that has one of the vectors, its second
  /// entries are looked through, some ms per million; 65,536 vectors or 256 MB of them become a
  /// file at once, for which other changes wait.
  void update(std::span<const std::int64_t> ids, std::span<const ColumnValues> columns);

  /// One more column, in which all vectors that are there have NULL. Throws std::invalid_argument
  /// where its name is none or there already, or there are 1,000 columns; std::system_error where
  /// it could not be written; then nothing has changed. Cost: a sync and a small file.
  void add_column(const ColumnSpec& column);

  /// The calls for a collection whose ids are strings: a call of the other kind throws
  /// std::invalid_argument, also a search. Each takes and throws what its namesake does; errors
  /// name the position and the key. Cost besides: a look-up of each key, some us.
  void add(MatrixView<float> vectors, std::span<const std::string_view> keys,
           std::span<const ColumnValues> columns = {});
  void upsert(MatrixView<float> vectors, std::span<const std::string_view> keys,
              std::span<const ColumnValues> columns = {});
  std::size_t remove(std::span<const std::string_view> keys);
  void update(std::span<const std::string_view> keys, std::span<const ColumnValues> columns);
  bool contains(std::string_view key) const;
  void get(std::span<const std::string_view> keys, float* out) const;
  Columns get_columns(std::span<const std::string_view> keys,
                      std::span<const std::string> names = {}) const;
  KeyedSearchResult search_keys(MatrixView<float> queries, const SearchOptions& options = {}) const;
  /// Calls take(number, key) for each vector; `number` is its id in an exported index, which it
  /// keeps until it is removed.
  void for_each_key(const std::function<void(std::int64_t, std::string_view)>& take) const;

  std::size_t count() const;
  bool contains(std::int64_t id) const;
  /// Writes the vectors of ids, [ids.size()][dim], as Index::reconstruct. Throws
  /// std::invalid_argument on an id that is not there.
  void get(std::span<const std::int64_t> ids, float* out) const;
  /// The values of these columns, all where none is named, of the vectors of ids, which may repeat,
  /// in the order of both. Throws std::invalid_argument on an id that is not there and on a column
  /// that the collection does not have.
  Columns get_columns(std::span<const std::int64_t> ids,
                      std::span<const std::string> names = {}) const;

  /// As Index::search. While no model is trained, answers are exact whatever the options.
  SearchResult search(MatrixView<float> queries, const SearchOptions& options = {}) const;

  /// As Index::range_search. While no model is trained, answers are exact.
  RangeSearchResult range_search(MatrixView<float> queries, float radius,
                                 const RangeSearchOptions& options = {}) const;
  KeyedRangeSearchResult range_search_keys(MatrixView<float> queries, float radius,
                                           const RangeSearchOptions& options = {}) const;
  /// As Index::search_iterator, of what is there now. Where ids are strings, those that it hands
  /// out are numbers, as for_each_key tells them.
  SearchIterator search_iterator(MatrixView<float> query, const SearchOptions& options = {}) const;
  /// How many vectors pass a filter, as Index::count.
  std::size_t count(const Filter& filter) const;

  /// Returns when all changes so far outlive a power failure.
  void sync();
  /// Returns when nothing is left to do in the background. Throws what a step of it failed with.
  void wait();
  /// Trains a model now, for as many vectors as there are, encodes all under it and tunes it. It
  /// takes 1,000 vectors. Throws Cancelled where progress stops it, or somebody closes the
  /// collection; all stays as it was then.
  void train(const Progress& progress = {});
  /// Merges all segments into one, without the deleted vectors. Where there are twice as many
  /// vectors as the model was trained for, it trains. Throws as train.
  void compact(const Progress& progress = {});
  /// Writes an index of one file of what is there now. Throws std::invalid_argument where there is
  /// nothing. Where ids are strings, those of the index are numbers: for_each_key tells the keys.
  /// The index has the columns of which a vector was ever given a value.
  void export_index(const std::string& path) const;
  /// Adds the vectors of an index of one file with their ids, as it remembers them: exact from its
  /// raw tier, else decoded, and their columns. Returns how many. Throws as add,
  /// std::invalid_argument where the metric is another, ids are strings (add its vectors with
  /// keys), or the index has a column that the collection does not have (add_column first) or of
  /// another type; Cancelled when progress returned false; what came before stays.
  std::size_t import_index(const std::string& path, const Progress& progress = {});
  /// Makes a collection of what the directory holds now in the new directory `folder`: links to the
  /// files, or copies where there can be none, and copies of the logs. Takes no lock: the writer
  /// may be another process, and goes on. Throws as create, std::runtime_error where it is damaged,
  /// Cancelled when progress returned false; then it leaves nothing.
  void backup(const std::string& folder, const Progress& progress = {}) const;
  /// Reads every byte of the files and logs and checks it, beside a writer or not. Throws
  /// std::runtime_error naming file and offset, std::system_error where a file is missing;
  /// std::invalid_argument for a rate below 0.
  void verify(const VerifyOptions& options = {}) const;
  /// Sees what a writer has done since: for collections that are open to read. Returns whether
  /// there was something new.
  bool refresh();

  CollectionStats stats() const;
  /// What it was made with, and what was chosen where nothing was given.
  CollectionOptions options() const;

  /// Stops the background, writes all and gives the lock back. Later changes throw; searches go on
  /// with what was there. The destructor does the same but for errors.
  void close();

  Collection(Collection&&) noexcept;
  Collection& operator=(Collection&&) noexcept;
  ~Collection();

 private:
  struct Impl;
  explicit Collection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace obliq

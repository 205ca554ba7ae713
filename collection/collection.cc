// The public face: forwards to the engine, and searches what it shows.
#include "obliq/collection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <utility>

#include "collection/column_schema.h"
#include "collection/column_values.h"
#include "collection/engine.h"
#include "collection/part_keys.h"
#include "index/filter/filter_access.h"
#include "index/iterator_access.h"
#include "index/segment/vector_transform.h"

namespace obliq {
namespace {

void check_dim(MatrixView<float> queries, const ManifestInfo& info) {
  if (queries.cols == info.dim) return;
  throw std::invalid_argument(
      fmt::format("queries have dim {}, the collection has {}", queries.cols, info.dim));
}

// What is asked of a collection without a vector: it must make sense to one with some.
void check_asked(const Snapshot& now, MatrixView<float> queries, const ManifestInfo& info,
                 const std::optional<Filter>& filter) {
  check_dim(queries, info);
  require_finite(queries, "query", 0, static_cast<Metric>(info.metric));
  if (filter) FilterAccess::check(*filter, *now.schema());
}

// Places without an answer, as a search of nothing has them.
SearchResult no_answers(const Snapshot& now, MatrixView<float> queries, const ManifestInfo& info,
                        const SearchOptions& options) {
  check_asked(now, queries, info, options.filter);
  if (options.k == 0) throw std::invalid_argument("k must be 1 or more");
  if (options.explain != nullptr) options.explain->assign(queries.rows, {});
  SearchResult result{Matrix<float>(queries.rows, options.k),
                      Matrix<std::int64_t>(queries.rows, options.k)};
  std::fill(result.distances.values.begin(), result.distances.values.end(),
            std::numeric_limits<float>::infinity());
  std::fill(result.ids.values.begin(), result.ids.values.end(), -1);
  result.columns = null_columns(now, result.ids.values.size(), options.columns);
  return result;
}

// Of the list that all vectors are in while no model is trained.
SearchOptions exact_options(const SearchOptions& options) {
  SearchOptions exact = options;
  exact.nprobe = 1;
  exact.target_recall = 0;
  exact.confidence = 1;
  return exact;
}

// While no model is trained, all vectors are compared.
SearchResult search_with(CollectionEngine& engine, const Snapshot& now, MatrixView<float> queries,
                         const SearchOptions& options) {
  CollectionStatistics& statistics = engine.statistics();
  const LatencyTimer timer(statistics.times(Timed::search));
  statistics.count(Counter::searches, 1);
  statistics.count(Counter::queries, queries.rows);
  if (now.model() == nullptr) return no_answers(now, queries, engine.info(), options);
  if (!now.is_flat()) return now.index().search(queries, options);
  return now.index().search(queries, exact_options(options));
}

// The columns of an index.
ColumnSchema schema_to_import(const SegmentSet& set, const ColumnSchema& known,
                              const std::string& path) {
  ColumnSchema schema;
  for (const Segment& segment : set.segments()) {
    if (segment.columns == nullptr) continue;
    const std::string fault = fault_of_columns(known, segment.columns.get());
    if (!fault.empty()) {
      throw std::invalid_argument(
          fmt::format("{}: {} for the collection: make it one there with add_column, of the same "
                      "type, before the import",
                      path, fault));
    }
    for (const StoredColumn& column : segment.columns->columns) schema.push_back(column.spec);
  }
  return schema;
}

// Later steps write there, wherever the process then works.
std::string absolute(const std::string& path) { return std::filesystem::absolute(path); }

}  // namespace

std::string to_string(Durability durability) {
  switch (durability) {
    case Durability::every:
      return "every";
    case Durability::interval:
      return "interval";
    case Durability::none:
      break;
  }
  return "none";
}

Durability parse_durability(std::string_view name) {
  for (const Durability durability : {Durability::every, Durability::interval, Durability::none}) {
    if (name == to_string(durability)) return durability;
  }
  throw std::invalid_argument(
      fmt::format("durability '{}' is none of every, interval, none", name));
}

std::string to_string(IdType ids) { return ids == IdType::int64 ? "int64" : "string"; }

IdType parse_id_type(std::string_view name) {
  for (const IdType ids : {IdType::int64, IdType::string}) {
    if (name == to_string(ids)) return ids;
  }
  throw std::invalid_argument(fmt::format("ids '{}' are none of int64, string", name));
}

struct OBLIQ_HIDDEN Collection::Impl {
  std::unique_ptr<CollectionEngine> engine;
};

Collection::Collection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Collection::Collection(Collection&&) noexcept = default;
Collection& Collection::operator=(Collection&&) noexcept = default;
Collection::~Collection() = default;

Collection Collection::create(const std::string& path, const CollectionOptions& options,
                              const CollectionAccess& access) {
  if (path.empty()) throw std::invalid_argument("the path is empty: name a directory");
  return Collection(
      std::make_unique<Impl>(Impl{CollectionEngine::create(absolute(path), options, access)}));
}

Collection Collection::open(const std::string& path, const CollectionAccess& access) {
  return Collection(std::make_unique<Impl>(Impl{CollectionEngine::open(absolute(path), access)}));
}

Collection Collection::in_memory(const CollectionOptions& options, const CollectionAccess& access) {
  return Collection(std::make_unique<Impl>(Impl{CollectionEngine::create({}, options, access)}));
}

void Collection::add(MatrixView<float> vectors, MatrixView<std::int64_t> ids,
                     std::span<const ColumnValues> columns) {
  if (ids.rows == 0 && vectors.rows > 0) throw std::invalid_argument("there are no ids");
  const LatencyTimer timer(impl_->engine->statistics().times(Timed::add));
  impl_->engine->add(vectors, ids, columns, false);
}

std::int64_t Collection::add(MatrixView<float> vectors, std::span<const ColumnValues> columns) {
  const LatencyTimer timer(impl_->engine->statistics().times(Timed::add));
  return impl_->engine->add(vectors, {}, columns, false);
}

void Collection::upsert(MatrixView<float> vectors, MatrixView<std::int64_t> ids,
                        std::span<const ColumnValues> columns) {
  const LatencyTimer timer(impl_->engine->statistics().times(Timed::add));
  impl_->engine->add(vectors, ids, columns, true);
}

void Collection::update(std::span<const std::int64_t> ids, std::span<const ColumnValues> columns) {
  const LatencyTimer timer(impl_->engine->statistics().times(Timed::add));
  impl_->engine->update(ids, columns);
}

void Collection::add_column(const ColumnSpec& column) { impl_->engine->add_column(column); }

std::size_t Collection::remove(std::span<const std::int64_t> ids) {
  const LatencyTimer timer(impl_->engine->statistics().times(Timed::remove));
  return impl_->engine->remove(ids);
}

std::size_t Collection::count() const { return impl_->engine->snapshot()->n(); }

bool Collection::contains(std::int64_t id) const {
  impl_->engine->require_ids(IdType::int64);
  return impl_->engine->snapshot()->find(id).has_value();
}

void Collection::get(std::span<const std::int64_t> ids, float* out) const {
  impl_->engine->require_ids(IdType::int64);
  const auto now = impl_->engine->snapshot();
  if (now->model() != nullptr) return now->index().reconstruct(ids, out);
  if (!ids.empty()) {
    throw std::invalid_argument(fmt::format("id {} is not in the collection", ids.front()));
  }
}

SearchResult Collection::search(MatrixView<float> queries, const SearchOptions& options) const {
  impl_->engine->require_ids(IdType::int64);
  return search_with(*impl_->engine, *impl_->engine->snapshot(), queries, options);
}

void Collection::add(MatrixView<float> vectors, std::span<const std::string_view> keys,
                     std::span<const ColumnValues> columns) {
  const LatencyTimer timer(impl_->engine->statistics().times(Timed::add));
  impl_->engine->add_keyed(vectors, keys, columns, false);
}

void Collection::upsert(MatrixView<float> vectors, std::span<const std::string_view> keys,
                        std::span<const ColumnValues> columns) {
  const LatencyTimer timer(impl_->engine->statistics().times(Timed::add));
  impl_->engine->add_keyed(vectors, keys, columns, true);
}

void Collection::update(std::span<const std::string_view> keys,
                        std::span<const ColumnValues> columns) {
  const LatencyTimer timer(impl_->engine->statistics().times(Timed::add));
  impl_->engine->update_keyed(keys, columns);
}

std::size_t Collection::remove(std::span<const std::string_view> keys) {
  const LatencyTimer timer(impl_->engine->statistics().times(Timed::remove));
  return impl_->engine->remove_keyed(keys);
}

bool Collection::contains(std::string_view key) const {
  impl_->engine->require_ids(IdType::string);
  return find_key(*impl_->engine->snapshot(), key).has_value();
}

void Collection::get(std::span<const std::string_view> keys, float* out) const {
  impl_->engine->require_ids(IdType::string);
  const auto now = impl_->engine->snapshot();
  const std::vector<std::int64_t> ids = ids_of(*now, keys);
  if (!ids.empty()) now->index().reconstruct(ids, out);
}

Columns Collection::get_columns(std::span<const std::int64_t> ids,
                                std::span<const std::string> names) const {
  impl_->engine->require_ids(IdType::int64);
  return columns_of(*impl_->engine->snapshot(), ids, names);
}

Columns Collection::get_columns(std::span<const std::string_view> keys,
                                std::span<const std::string> names) const {
  impl_->engine->require_ids(IdType::string);
  const auto now = impl_->engine->snapshot();
  return columns_of(*now, ids_of(*now, keys), names);
}

KeyedSearchResult Collection::search_keys(MatrixView<float> queries,
                                          const SearchOptions& options) const {
  impl_->engine->require_ids(IdType::string);
  const auto now = impl_->engine->snapshot();
  SearchResult found = search_with(*impl_->engine, *now, queries, options);
  KeyedSearchResult result{std::move(found.distances),
                           Matrix<std::string>(found.ids.rows, found.ids.cols)};
  for (std::size_t i = 0; i < found.ids.values.size(); ++i) {
    const std::int64_t id = found.ids.values[i];
    if (id != -1) result.keys.values[i] = key_of(*now, id);
  }
  result.columns = std::move(found.columns);
  return result;
}

namespace {

RangeSearchResult range_search_with(CollectionEngine& engine, const Snapshot& now,
                                    MatrixView<float> queries, float radius,
                                    const RangeSearchOptions& options) {
  CollectionStatistics& statistics = engine.statistics();
  const LatencyTimer timer(statistics.times(Timed::search));
  statistics.count(Counter::searches, 1);
  statistics.count(Counter::queries, queries.rows);
  if (now.model() == nullptr) {
    check_asked(now, queries, engine.info(), options.filter);
    if (std::isnan(radius)) throw std::invalid_argument("the radius is NaN: give a distance");
    RangeSearchResult none;
    none.lims.resize(queries.rows + 1);
    none.cut.resize(queries.rows);
    none.columns = null_columns(now, 0, options.columns);
    return none;
  }
  RangeSearchOptions exact = options;
  exact.exact = options.exact || now.is_flat();
  return now.index().range_search(queries, radius, exact);
}

}  // namespace

RangeSearchResult Collection::range_search(MatrixView<float> queries, float radius,
                                           const RangeSearchOptions& options) const {
  impl_->engine->require_ids(IdType::int64);
  return range_search_with(*impl_->engine, *impl_->engine->snapshot(), queries, radius, options);
}

KeyedRangeSearchResult Collection::range_search_keys(MatrixView<float> queries, float radius,
                                                     const RangeSearchOptions& options) const {
  impl_->engine->require_ids(IdType::string);
  const auto now = impl_->engine->snapshot();
  RangeSearchResult found = range_search_with(*impl_->engine, *now, queries, radius, options);
  KeyedRangeSearchResult result{std::move(found.lims),
                                std::move(found.distances),
                                {},
                                std::move(found.cut),
                                std::move(found.columns)};
  for (const std::int64_t id : found.ids) result.keys.emplace_back(key_of(*now, id));
  return result;
}

SearchIterator Collection::search_iterator(MatrixView<float> query,
                                           const SearchOptions& options) const {
  const std::shared_ptr<const Snapshot> now = impl_->engine->snapshot();
  if (now->model() == nullptr) {
    check_asked(*now, query, impl_->engine->info(), options.filter);
    return IteratorAccess::none();
  }
  return IteratorAccess::make(now->index(), query,
                              now->is_flat() ? exact_options(options) : options, now);
}

std::size_t Collection::count(const Filter& filter) const {
  const auto now = impl_->engine->snapshot();
  if (now->model() != nullptr) return now->index().count(filter);
  FilterAccess::check(filter, *now->schema());
  return 0;
}

void Collection::for_each_key(
    const std::function<void(std::int64_t, std::string_view)>& take) const {
  impl_->engine->require_ids(IdType::string);
  obliq::for_each_key(*impl_->engine->snapshot(), take);
}

void Collection::sync() { impl_->engine->sync(); }
void Collection::wait() { impl_->engine->wait(); }
void Collection::train(const Progress& progress) { impl_->engine->train(progress); }
void Collection::compact(const Progress& progress) { impl_->engine->compact(progress); }
void Collection::verify(const VerifyOptions& options) const { impl_->engine->verify(options); }
void Collection::backup(const std::string& folder, const Progress& progress) const {
  impl_->engine->backup(absolute(folder), progress);
}
bool Collection::refresh() { return impl_->engine->refresh(); }
void Collection::close() { impl_->engine->close(); }
CollectionStats Collection::stats() const { return impl_->engine->stats(); }
CollectionOptions Collection::options() const { return impl_->engine->options(); }

std::size_t Collection::import_index(const std::string& path, const Progress& progress) {
  constexpr std::size_t kBatch = 4096;
  impl_->engine->require_ids(IdType::int64);
  const Index index = Index::open(path);
  const SegmentSet& set = IndexAccess::segments(index);
  const Metric metric = options().metric;
  if (set.model().metric() != metric) {
    throw std::invalid_argument(
        fmt::format("{}: its metric is {}, that of the collection {}: they must be the same", path,
                    to_string(set.model().metric()), to_string(metric)));
  }
  const ColumnSchema schema = schema_to_import(set, options().columns, path);
  std::vector<std::int64_t> ids;
  std::vector<std::uint32_t> slots;
  for_each_vector(set, [&](std::uint32_t slot, std::int64_t id) {
    ids.push_back(id);
    slots.push_back(slot);
  });
  for (std::size_t first = 0; first < ids.size(); first += kBatch) {
    const auto some = std::span(ids).subspan(first, std::min(kBatch, ids.size() - first));
    Matrix<float> vectors(some.size(), set.model().dim());
    index.reconstruct(some, vectors.values.data());
    const auto columns = stored_values(set, schema, std::span(slots).subspan(first, some.size()));
    add(vectors.view(), {some.data(), some.size(), 1}, columns);
    report(progress, "vectors",
           static_cast<double>(first + some.size()) / static_cast<double>(ids.size()));
  }
  return ids.size();
}

void Collection::export_index(const std::string& path) const { impl_->engine->export_index(path); }

}  // namespace obliq

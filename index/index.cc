// The public face: checks what callers give, then hands over to segment, builder and searcher.
#include "obliq/index.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <stdexcept>

#include "core/half.h"
#include "core/kernels/dispatch.h"
#include "core/parallel.h"
#include "index/build/builder.h"
#include "index/search/batch_searcher.h"
#include "index/search/confidence.h"
#include "index/search/searcher.h"
#include "index/segment/centroid_code.h"
#include "index/segment/entry_format.h"
#include "index/segment/segment_file.h"
#include "index/tune/recall_plan.h"
#include "index/tune/tuning.h"

namespace obliq {
namespace {

constexpr std::uint32_t kNowhere = 0xFFFFFFFFU;
constexpr std::size_t kQueriesAPiece = 8;

/// Where a row's primary entry is.
struct Place {
  std::uint32_t list = kNowhere;
  std::uint64_t entry = 0;
};

void check_search(const Segment& segment, MatrixView<float> queries, const SearchOptions& options) {
  if (queries.cols != segment.dim()) {
    throw std::invalid_argument(
        fmt::format("queries have dim {}, the index has {}", queries.cols, segment.dim()));
  }
  if (options.k == 0) throw std::invalid_argument("k must be 1 or more");
  if (options.nprobe == 0) throw std::invalid_argument("nprobe must be 1 or more");
  if (!(options.confidence > 0 && options.confidence <= 1)) {
    throw std::invalid_argument(
        fmt::format("confidence must be in (0, 1], not {}", options.confidence));
  }
  if (!(options.target_recall >= 0 && options.target_recall < 1)) {
    throw std::invalid_argument(fmt::format(
        "target_recall must be in (0, 1), or 0 for none, not {}", options.target_recall));
  }
  require_finite(queries, "query");
}

/// Standard deviations of the bounds. Those of the confidence that most calls have are worked out
/// once, since that takes a hundredth of a query.
float deviations_of(float confidence) {
  const auto found = [](float p) { return static_cast<float>(normal_quantile(p)); };
  static const float usual = found(SearchOptions{}.confidence);
  return confidence == SearchOptions{}.confidence ? usual : found(confidence);
}

/// Throws std::invalid_argument when so many answers have more bytes than there can be.
void check_answers(std::size_t queries, std::size_t k) {
  constexpr std::size_t kMost =
      std::numeric_limits<std::ptrdiff_t>::max() / (sizeof(float) + sizeof(std::int64_t));
  if (queries > 0 && k > kMost / queries) {
    throw std::invalid_argument(
        fmt::format("k is {}: no memory holds the answers of {} queries", k, queries));
  }
}

/// How the queries of a call are divided between threads, and the order in a piece.
struct Pieces {
  std::size_t queries;
  BatchOrder order;
};

Pieces divide(std::size_t queries, const SearchOptions& options, const SearchPlan& plan,
              const Segment& segment) {
  const auto threads = static_cast<std::size_t>(resolve_threads(options.threads));
  // As large as may be, since a list serves more queries of a larger piece.
  const std::size_t rounds = (queries + threads * kMostUnderWay - 1) / (threads * kMostUnderWay);
  const std::size_t pieces = std::max<std::size_t>(1, rounds * threads);
  const std::size_t piece = (queries + pieces - 1) / pieces;
  const bool query_order =
      options.batch_order == BatchOrder::query ||
      (options.batch_order == BatchOrder::automatic && !worth_list_order(piece, plan, segment));
  if (query_order) return {kQueriesAPiece, BatchOrder::query};
  return {piece, options.batch_order};
}

/// Scratch of searches that is not in use.
template <class Search>
class Pool {
 public:
  std::unique_ptr<Search> take(const Segment& segment) {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        auto search = std::move(idle_.back());
        idle_.pop_back();
        return search;
      }
    }
    return std::make_unique<Search>(segment);
  }

  void give_back(std::unique_ptr<Search> search) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(search));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Search>> idle_;
};

}  // namespace

std::string to_string(RawTier raw) {
  switch (raw) {
    case RawTier::none:
      return "none";
    case RawTier::fp16:
      return "fp16";
    case RawTier::fp32:
      return "fp32";
  }
  throw std::invalid_argument("not a raw tier: " + std::to_string(static_cast<int>(raw)));
}

RawTier parse_raw_tier(std::string_view name) {
  for (const RawTier raw : {RawTier::none, RawTier::fp16, RawTier::fp32}) {
    if (name == to_string(raw)) return raw;
  }
  throw std::invalid_argument("unknown raw tier '" + std::string(name) +
                              "'; valid: none, fp16, fp32");
}

BatchOrder parse_batch_order(std::string_view name) {
  for (const BatchOrder order : {BatchOrder::automatic, BatchOrder::query, BatchOrder::list}) {
    if (name == to_string(order)) return order;
  }
  throw std::invalid_argument(
      fmt::format("unknown batch order '{}'; valid: auto, query, list", name));
}

std::string to_string(BatchOrder order) {
  switch (order) {
    case BatchOrder::automatic:
      return "auto";
    case BatchOrder::query:
      return "query";
    case BatchOrder::list:
      return "list";
  }
  throw std::invalid_argument(fmt::format("not a batch order: {}", static_cast<int>(order)));
}

struct Index::Impl {
  Segment segment;
  std::mutex mutex;
  Pool<Searcher> searchers;
  Pool<BatchSearcher> batch_searchers;
  std::once_flag places_made;
  std::vector<Place> places;  ///< of each row; made by the first reconstruct

  explicit Impl(Segment made) : segment(std::move(made)) {}

  bool is_primary(std::size_t row, std::size_t list) const {
    const RowShape& shape = segment.row_shape;
    return shape.primary() == 0 ||
           read_primary(shape, segment.rows.data() + row * shape.bytes()).list == list;
  }

  void find_places() {
    places.resize(segment.info.n);
    for (std::size_t l = 0; l < segment.lists.size(); ++l) {
      const ListRecord& record = segment.lists[l];
      for (std::uint64_t e = record.first; e < record.first + record.count; ++e) {
        const std::uint32_t row = entry_row(segment.blocks.data(), segment.dim(), e);
        if (row < places.size() && is_primary(row, l))
          places[row] = {static_cast<std::uint32_t>(l), e};
      }
    }
  }

  /// kNowhere when the id is not in the index.
  std::size_t row_of(std::int64_t id) const {
    if (segment.ids.empty()) {
      const bool known = id >= 0 && static_cast<std::uint64_t>(id) < segment.info.n;
      return known ? static_cast<std::size_t>(id) : kNowhere;
    }
    const auto found = std::find(segment.ids.begin(), segment.ids.end(), id);
    return found == segment.ids.end() ? kNowhere
                                      : static_cast<std::size_t>(found - segment.ids.begin());
  }

  void decode(std::size_t row, float* out);
  void vector(std::size_t row, float* out);
  SearchPlan plan(const SearchOptions& options);
  void search(MatrixView<float> queries, const SearchPlan& plan, BatchOrder order, float* distances,
              std::int64_t* ids, SearchCounters& counters);
  Tuning tuning() {
    const std::lock_guard lock(mutex);
    return segment.tuning;
  }
  void set_tuning(Tuning tuning) {
    const std::lock_guard lock(mutex);
    segment.tuning = std::move(tuning);
  }
};

SearchPlan Index::Impl::plan(const SearchOptions& options) {
  SearchPlan plan;
  plan.k = options.k;
  plan.deviations = deviations_of(options.confidence);
  plan.nprobe = options.nprobe.value_or(kDefaultNprobe);
  if (options.target_recall == 0 || segment.info.nlist == 0) return plan;
  RecallPlan found = {segment.info.nlist, {}};
  const std::lock_guard lock(mutex);
  if (segment.tuning.queries > 0 || segment.info.n >= kLeastTuned) {
    found = plan_recall(segment.tuning, options.target_recall, options.k, segment.info.nlist);
  }
  plan.nprobe = std::min(found.nprobe, options.nprobe.value_or(found.nprobe));
  plan.stop = found.stop;
  plan.fills = !options.nprobe;
  return plan;
}

void Index::Impl::search(MatrixView<float> queries, const SearchPlan& plan, BatchOrder order,
                         float* distances, std::int64_t* ids, SearchCounters& counters) {
  if (order == BatchOrder::query) {
    auto searcher = searchers.take(segment);
    for (std::size_t i = 0; i < queries.rows; ++i) {
      searcher->search(queries.row(i), plan, distances + i * plan.k, ids + i * plan.k, counters);
    }
    searchers.give_back(std::move(searcher));
  } else {
    auto searcher = batch_searchers.take(segment);
    searcher->search(queries, plan, order, distances, ids, counters);
    batch_searchers.give_back(std::move(searcher));
  }
  if (segment.ids.empty()) return;
  for (std::int64_t& id : std::span(ids, queries.rows * plan.k)) {
    if (id >= 0) id = segment.ids[id];
  }
}

void Index::Impl::decode(std::size_t row, float* out) {
  std::call_once(places_made, [this] { find_places(); });
  const Place place = places[row];
  if (place.list == kNowhere) throw std::runtime_error(fmt::format("row {} has no entry", row));
  const std::size_t dim = segment.dim();
  const RowShape& shape = segment.row_shape;
  const std::uint8_t* stored = segment.rows.data() + row * shape.bytes();
  std::vector<std::uint8_t> code;
  if (shape.leads_with_signs) {
    code.resize(plane_bytes(dim));
    read_entry_signs(segment.blocks.data(), dim, place.entry, code.data());
  }
  code.insert(code.end(), stored, stored + shape.rest);
  segment.quantizer->decode(code.data(),
                            read_row_factors(shape, stored, segment.lists[place.list].scale), out);
  std::vector<float> centroid(dim);
  decode_centroid(segment, place.list, centroid.data());
  for (std::size_t i = 0; i < dim; ++i) out[i] += centroid[i];
  segment.transform->apply_inverse(out);
}

Index::Index(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Index::Index(Index&&) noexcept = default;
Index& Index::operator=(Index&&) noexcept = default;
Index::~Index() = default;

Index Index::build(const VectorSource& base, const BuildOptions& options) {
  auto impl = std::make_unique<Impl>(build_segment(base, options));
  if (options.tune) {
    impl->set_tuning(tune_built(impl->segment, base, options.train_queries,
                                {options.threads, options.progress}));
  }
  return Index(std::move(impl));
}

void Index::build_file(const VectorSource& base, const std::string& path,
                       const BuildOptions& options) {
  build_segment_file(base, options, path);
}

void Index::tune(MatrixView<float> learn_queries, const TuneOptions& options) {
  const RowSource rows(impl_->segment.info.n, impl_->segment.dim(),
                       [this](std::size_t row, float* out) { impl_->vector(row, out); });
  impl_->set_tuning(tune_opened(impl_->segment, rows, learn_queries, impl_->tuning(), options));
}

Index Index::build(MatrixView<float> base, const BuildOptions& options) {
  return build(MatrixSource(base), options);
}

Index Index::open(const std::string& path, const OpenOptions& options) {
  return Index(std::make_unique<Impl>(open_segment(path, options)));
}

void Index::save(const std::string& path) const { save_segment(impl_->segment, path); }

SearchResult Index::search(MatrixView<float> queries, const SearchOptions& options) const {
  check_answers(queries.rows, options.k);
  SearchResult result{Matrix<float>(queries.rows, options.k),
                      Matrix<std::int64_t>(queries.rows, options.k)};
  search(queries, options, result.distances.values.data(), result.ids.values.data());
  return result;
}

void Index::search(MatrixView<float> queries, const SearchOptions& options, float* distances,
                   std::int64_t* ids, SearchCounters* counters) const {
  const Segment& segment = impl_->segment;
  check_search(segment, queries, options);
  const SearchPlan plan = impl_->plan(options);
  const Pieces pieces = divide(queries.rows, options, plan, segment);
  std::mutex counting;
  parallel_for(queries.rows, pieces.queries, options.threads,
               [&](std::size_t begin, std::size_t end, int) {
                 SearchCounters local;
                 if (counters != nullptr) local.times.clock = counters->times.clock;
                 impl_->search(queries.slice(begin, end - begin), plan, pieces.order,
                               distances + begin * plan.k, ids + begin * plan.k, local);
                 if (counters == nullptr) return;
                 const std::lock_guard lock(counting);
                 counters->add(local);
               });
}

void Index::reconstruct(std::int64_t id, float* out) const {
  const std::size_t row = impl_->row_of(id);
  if (row == kNowhere) throw std::invalid_argument(fmt::format("id {} is not in the index", id));
  impl_->vector(row, out);
}

// Exact from a raw tier, else decoded.
void Index::Impl::vector(std::size_t row, float* out) {
  const std::uint8_t* raw = segment.raw.data() + row * raw_bytes(segment.raw_tier(), segment.dim());
  switch (segment.raw_tier()) {
    case RawTier::none:
      decode(row, out);
      break;
    case RawTier::fp32:
      std::copy_n(raw, 4 * segment.dim(), reinterpret_cast<std::uint8_t*>(out));
      break;
    case RawTier::fp16:
      for (std::size_t i = 0; i < segment.dim(); ++i) {
        out[i] = half_to_float(reinterpret_cast<const std::uint16_t*>(raw)[i]);
      }
      break;
  }
}

bool Index::contains(std::int64_t id) const { return impl_->row_of(id) != kNowhere; }

IndexStats Index::stats() const {
  const Segment& segment = impl_->segment;
  IndexStats stats;
  stats.n = segment.info.n;
  stats.dim = segment.info.dim;
  stats.nlist = segment.info.nlist;
  stats.list_groups = std::max<std::size_t>(1, segment.groups.size());
  stats.metric = segment.metric();
  stats.quantizer = segment.info.quantizer;
  stats.raw = segment.raw_tier();
  if (stats.n > 0)
    stats.spill = static_cast<double>(segment.spilled) / static_cast<double>(stats.n);
  const std::size_t bytes =
      segment.blocks.size() + segment.rows.size() + segment.raw.size() + segment.lists.size_bytes();
  if (stats.n > 0) {
    stats.bytes_per_vector = static_cast<double>(bytes) / static_cast<double>(stats.n);
  }
  stats.id_bytes = segment.ids.size_bytes();
  stats.centroid_bytes = segment.centroid_levels.size() + segment.centroid_fine.size() +
                         segment.mean.size_bytes() + segment.router_blocks.size() +
                         segment.groups.size_bytes() + segment.group_panels.size();
  stats.file_bytes = segment.file_bytes;
  stats.format_version = segment.format_version;
  stats.tuning = impl_->tuning();
  return stats;
}

}  // namespace obliq

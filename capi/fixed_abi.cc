// What programs that are compiled already depend on. The numbers of the C interface are those of
// the C++ enumerations, so that they are cast and nothing else; they never change. Structs that
// begin with their size may grow at the end: then the size of the first version, below, becomes
// `least` of read_options or write_stats, and programs that have it go on working.
#include <cstddef>

#include "obliq/c/collection.h"
#include "obliq/c/columns.h"
#include "obliq/c/model.h"
#include "obliq/c/quantizer.h"
#include "obliq/c/results.h"
#include "obliq/c/status.h"
#include "obliq/collection.h"
#include "obliq/columns.h"
#include "obliq/index.h"
#include "obliq/metric.h"

namespace obliq::capi {
namespace {

template <typename Enumeration>
constexpr bool same(int number, Enumeration value) {
  return number == static_cast<int>(value);
}

static_assert(same(OBLIQ_L2, Metric::l2));
static_assert(same(OBLIQ_IP, Metric::ip));
static_assert(same(OBLIQ_COSINE, Metric::cosine));

static_assert(same(OBLIQ_RAW_NONE, RawTier::none));
static_assert(same(OBLIQ_RAW_FP16, RawTier::fp16));
static_assert(same(OBLIQ_RAW_FP32, RawTier::fp32));

static_assert(same(OBLIQ_INT64, ColumnType::int64));
static_assert(same(OBLIQ_DOUBLE, ColumnType::float64));
static_assert(same(OBLIQ_BOOL, ColumnType::boolean));
static_assert(same(OBLIQ_TIMESTAMP, ColumnType::timestamp));
static_assert(same(OBLIQ_KEYWORD, ColumnType::keyword));
static_assert(same(OBLIQ_KEYWORDS, ColumnType::keywords));
static_assert(same(OBLIQ_BYTES, ColumnType::bytes));

static_assert(same(OBLIQ_BATCH_AUTO, BatchOrder::automatic));
static_assert(same(OBLIQ_BATCH_QUERY, BatchOrder::query));
static_assert(same(OBLIQ_BATCH_LIST, BatchOrder::list));

static_assert(same(OBLIQ_END_ALL_LISTS, SearchEnd::all_lists));
static_assert(same(OBLIQ_END_NPROBE, SearchEnd::nprobe));
static_assert(same(OBLIQ_END_STOP_RULE, SearchEnd::stop_rule));
static_assert(same(OBLIQ_END_K_FOUND, SearchEnd::k_found));
static_assert(same(OBLIQ_END_GIVEN, SearchEnd::given));
static_assert(same(OBLIQ_END_ALL_ALLOWED, SearchEnd::all_allowed));

static_assert(same(OBLIQ_METHOD_LISTS, SearchMethod::lists));
static_assert(same(OBLIQ_METHOD_MASKED_LISTS, SearchMethod::masked_lists));
static_assert(same(OBLIQ_METHOD_DIRECT, SearchMethod::direct));

static_assert(same(OBLIQ_DURABLE_EVERY, Durability::every));
static_assert(same(OBLIQ_DURABLE_INTERVAL, Durability::interval));
static_assert(same(OBLIQ_DURABLE_NONE, Durability::none));

/// On the platforms whose pointers have 8 bytes.
template <typename Struct>
constexpr bool is_first_size(std::size_t size) {
  return sizeof(void*) != 8 || sizeof(Struct) == size;
}

static_assert(is_first_size<obliq_search_options>(80));
static_assert(is_first_size<obliq_range_options>(56));
static_assert(is_first_size<obliq_build_options>(160));
static_assert(is_first_size<obliq_open_options>(16));
static_assert(is_first_size<obliq_encode_options>(64));
static_assert(is_first_size<obliq_merge_options>(72));
static_assert(is_first_size<obliq_collection_options>(80));
static_assert(is_first_size<obliq_access_options>(56));
static_assert(is_first_size<obliq_vector_source>(40));
static_assert(is_first_size<obliq_search_explanation>(56));
static_assert(is_first_size<obliq_index_stats>(128));
static_assert(is_first_size<obliq_model_stats>(80));
static_assert(is_first_size<obliq_quantizer_layout>(64));
static_assert(is_first_size<obliq_collection_stats>(208));
static_assert(is_first_size<obliq_tuned_target>(32));

}  // namespace
}  // namespace obliq::capi

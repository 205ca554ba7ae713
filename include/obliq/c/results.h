/* How a search is asked for, and answers: in buffers of the caller, or in results, which also hold
 * string ids, columns and what each query cost. */
#pragma once

#include "obliq/c/columns.h"
#include "obliq/c/filter.h"
#include "obliq/c/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t obliq_batch_order;
enum { OBLIQ_BATCH_AUTO = 0, OBLIQ_BATCH_QUERY = 1, OBLIQ_BATCH_LIST = 2 };

typedef struct obliq_search_options {
  size_t size;
  /** Lists to scan at least; with target_recall at most. 0: as many as the target takes, or,
   * without one, .96 of the recall of a full scan, .95 at most. */
  size_t nprobe;
  /** Mean recall@k to aim at, in (0, 1), of an index that is tuned. 0: see nprobe. */
  double target_recall;
  /** Probability that a true neighbour passes the bound of a stage, in (0, 1]. The default: where
   * tuning leads to the lists, what it found with them. */
  float confidence;
  int32_t threads;
  const obliq_filter* filter; /**< which vectors may be answers; NULL: all */
  /** Names of columns to return, of calls that make results. They end with a zero. */
  const char* const* columns;
  size_t n_columns;
  /** Lists to scan, [queries][list_columns], best first, as obliq_model_route gives them; unused
   * places hold UINT32_MAX. Then nprobe and target_recall stay 0. Of an index only. */
  const uint32_t* lists;
  size_t list_columns;
  obliq_batch_order batch_order;
  int32_t explain; /**< not 0: results keep what each query cost, of an index only */
} obliq_search_options;

/** The defaults into the first `size` bytes, which are sizeof(obliq_search_options). */
OBLIQ_API void obliq_search_options_init(obliq_search_options* options, size_t size);

typedef struct obliq_range_options {
  size_t size;
  const obliq_filter* filter; /**< which vectors may be answers; NULL: all */
  float confidence;           /**< as above; 1 prunes nothing */
  int32_t exact;              /**< not 0: the true set; takes a raw tier */
  size_t max_results;         /**< per query, the nearest; 0: any number */
  int32_t threads;
  int32_t reserved; /**< 0 */
  const char* const* columns;
  size_t n_columns;
} obliq_range_options;

OBLIQ_API void obliq_range_options_init(obliq_range_options* options, size_t size);

/** Why a search looked into no further list. */
enum {
  OBLIQ_END_ALL_LISTS = 0,
  OBLIQ_END_NPROBE = 1,
  OBLIQ_END_STOP_RULE = 2,
  OBLIQ_END_K_FOUND = 3,
  OBLIQ_END_GIVEN = 4,
  OBLIQ_END_ALL_ALLOWED = 5
};
/** How the vectors were chosen whose distances were estimated. */
enum { OBLIQ_METHOD_LISTS = 0, OBLIQ_METHOD_MASKED_LISTS = 1, OBLIQ_METHOD_DIRECT = 2 };

/** The work of one query. */
typedef struct obliq_search_explanation {
  size_t size;
  uint64_t lists;   /**< scanned */
  uint64_t entries; /**< scanned */
  uint64_t refined; /**< rows whose full code was read */
  uint64_t exact;   /**< raw vectors compared */
  uint64_t allowed; /**< vectors that may be answers */
  int32_t end;      /**< OBLIQ_END_... */
  int32_t method;   /**< OBLIQ_METHOD_... */
} obliq_search_explanation;

/** k answers of each query: rank by rank from the nearest on, at equal distances by rising id.
 * Places without an answer: id -1, an empty key, distance +infinity. One thread at a time. */
typedef struct obliq_results obliq_results;

/* Pointers are valid until the results are freed. All of these take NULL, and give 0 or NULL. */
OBLIQ_API size_t obliq_results_queries(const obliq_results* results);
OBLIQ_API size_t obliq_results_k(const obliq_results* results);
/** [queries][k] */
OBLIQ_API const float* obliq_results_distances(const obliq_results* results);
/** [queries][k]; NULL where ids are strings. */
OBLIQ_API const int64_t* obliq_results_ids(const obliq_results* results);
/** The key of an answer, with a zero at the end; *size, if not NULL, is its bytes. NULL where ids
 * are numbers or there is no such place. */
OBLIQ_API const char* obliq_results_key(const obliq_results* results, size_t query, size_t rank,
                                        size_t* size);
/** The columns that were asked for, queries * k rows each, owned by the results; NULL: none. */
OBLIQ_API const obliq_columns* obliq_results_columns(const obliq_results* results);
/** out->size is set by the caller. OBLIQ_INVALID_ARGUMENT where it was not asked to explain. */
OBLIQ_API obliq_status obliq_results_explain(const obliq_results* results, size_t query,
                                             obliq_search_explanation* out);
OBLIQ_API void obliq_results_free(obliq_results* results);

/** The answers of a range search: of query i those of [lims[i], lims[i + 1]), nearest first. */
typedef struct obliq_range_results obliq_range_results;

OBLIQ_API size_t obliq_range_results_queries(const obliq_range_results* results);
/** Answers of all queries: lims[queries]. */
OBLIQ_API size_t obliq_range_results_total(const obliq_range_results* results);
/** [queries + 1] */
OBLIQ_API const uint64_t* obliq_range_results_lims(const obliq_range_results* results);
/** [total] */
OBLIQ_API const float* obliq_range_results_distances(const obliq_range_results* results);
/** [total]; NULL where ids are strings. */
OBLIQ_API const int64_t* obliq_range_results_ids(const obliq_range_results* results);
/** The key of an answer below total, as obliq_results_key. */
OBLIQ_API const char* obliq_range_results_key(const obliq_range_results* results, size_t answer,
                                              size_t* size);
/** [queries]; 1: there were more than max_results. */
OBLIQ_API const uint8_t* obliq_range_results_cut(const obliq_range_results* results);
/** The columns that were asked for, total rows each, owned by the results; NULL: none. */
OBLIQ_API const obliq_columns* obliq_range_results_columns(const obliq_range_results* results);
OBLIQ_API void obliq_range_results_free(obliq_range_results* results);

/** The neighbours of one query, batch after batch, none twice. One thread at a time. */
typedef struct obliq_iterator obliq_iterator;

/** The next k or as many as are left, into buffers of [k]; *count is how many: 0 at the end. Where
 * ids are strings, ids are the numbers that obliq_collection_for_each_key tells. */
OBLIQ_API obliq_status obliq_iterator_next(obliq_iterator* iterator, size_t k, float* distances,
                                           int64_t* ids, size_t* count);
OBLIQ_API void obliq_iterator_free(obliq_iterator* iterator);

/** The k best of `parts` searches of the same queries, as of parts of a base: of part p,
 * distances[p] and ids[p] are [queries][ks[p]], and an id of -1 ends the answers to a query. Ties
 * go to the smaller id; an id that comes twice counts once. Writes [queries][k]. */
OBLIQ_API obliq_status obliq_merge_topk(const float* const* distances, const int64_t* const* ids,
                                        const size_t* ks, size_t parts, size_t queries, size_t k,
                                        float* out_distances, int64_t* out_ids);

#ifdef __cplusplus
}
#endif

/* A collection: vectors that are added, replaced and removed while they are searched, in a
 * directory that loses nothing, or in memory. Where ids are strings, see also collection_keys.h. */
#pragma once

#include "obliq/c/columns.h"
#include "obliq/c/filter.h"
#include "obliq/c/results.h"
#include "obliq/c/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** When a change outlives a power failure. One that returned outlives the process in any case. */
typedef int32_t obliq_durability;
enum {
  OBLIQ_DURABLE_EVERY = 0,    /**< once the call returns */
  OBLIQ_DURABLE_INTERVAL = 1, /**< sync_interval after it */
  OBLIQ_DURABLE_NONE = 2      /**< once sync, close or the background has written it */
};

/** What stays for the life of a collection. */
typedef struct obliq_collection_options {
  size_t size;
  size_t dim; /**< required */
  obliq_metric metric;
  obliq_raw_tier raw;    /**< OBLIQ_RAW_UNSET: that of the preset, or none */
  const char* preset;    /**< NULL: none */
  const char* quantizer; /**< NULL: that of the preset, or of "fast" */
  double spill;          /**< below 0: not given */
  uint64_t seed;
  size_t train_at;             /**< vectors from which on a model is trained, 1,000 or more */
  const obliq_columns* schema; /**< names and types, whose rows do not matter; NULL: none */
  int32_t string_ids;          /**< not 0: ids are strings, keys */
  int32_t reserved;            /**< 0 */
} obliq_collection_options;

OBLIQ_API void obliq_collection_options_init(obliq_collection_options* options, size_t size);

/** How this process uses a collection. */
typedef struct obliq_access_options {
  size_t size;
  int32_t read_only; /**< not 0: sees what was there when it was opened, and takes no lock */
  obliq_durability durability;
  double follow;          /**< read only: look for changes every so many seconds; 0: refresh does */
  double sync_interval;   /**< seconds */
  double wait_limit;      /**< seconds that an add waits for the background; 0: any */
  double background_rate; /**< bytes per second that merges write; 0: any */
  int32_t threads;        /**< of an add */
  int32_t reserved;       /**< 0 */
} obliq_access_options;

OBLIQ_API void obliq_access_options_init(obliq_access_options* options, size_t size);

typedef struct obliq_collection obliq_collection;

/** Makes the directory `path`, which may be there if it is empty. */
OBLIQ_API obliq_status obliq_collection_create(const char* path,
                                               const obliq_collection_options* options,
                                               const obliq_access_options* access,
                                               obliq_collection** out);
/** OBLIQ_BUSY where another process or handle writes to it; OBLIQ_DAMAGED. */
OBLIQ_API obliq_status obliq_collection_open(const char* path, const obliq_access_options* access,
                                             obliq_collection** out);
/** Without a directory: it is gone with the handle. */
OBLIQ_API obliq_status obliq_collection_in_memory(const obliq_collection_options* options,
                                                  const obliq_access_options* access,
                                                  obliq_collection** out);
/** Stops the background, writes all and gives the lock back. Later changes are refused; searches go
 * on. Errors of the last writing are told here, and nowhere by free. */
OBLIQ_API obliq_status obliq_collection_close(obliq_collection* collection);
/** Closes and frees. */
OBLIQ_API void obliq_collection_free(obliq_collection* collection);

/* Changes: all of a call or, when it fails, nothing. `columns`: values of these vectors, n rows
 * each; NULL: none, columns that are not given are NULL. */

/** Adds n vectors with ids, which must not be there. */
OBLIQ_API obliq_status obliq_collection_add(obliq_collection* collection, const float* vectors,
                                            size_t n, size_t dim, const int64_t* ids,
                                            const obliq_columns* columns);
/** The same with new ids, each above all that were ever there. *first is the first of them. */
OBLIQ_API obliq_status obliq_collection_add_new(obliq_collection* collection, const float* vectors,
                                                size_t n, size_t dim, const obliq_columns* columns,
                                                int64_t* first);
/** Adds, or puts in the place of what has the id. */
OBLIQ_API obliq_status obliq_collection_upsert(obliq_collection* collection, const float* vectors,
                                               size_t n, size_t dim, const int64_t* ids,
                                               const obliq_columns* columns);
/** Removes; *removed, where it is not NULL, is how many of the n were there. */
OBLIQ_API obliq_status obliq_collection_remove(obliq_collection* collection, const int64_t* ids,
                                               size_t n, size_t* removed);
/** Gives vectors new values of these columns. OBLIQ_NOT_FOUND where an id is not there. */
OBLIQ_API obliq_status obliq_collection_update(obliq_collection* collection, const int64_t* ids,
                                               size_t n, const obliq_columns* columns);
/** One more column, NULL for all vectors that are there. */
OBLIQ_API obliq_status obliq_collection_add_column(obliq_collection* collection, const char* name,
                                                   obliq_column_type type);

/** How many vectors pass a filter; NULL: all. */
OBLIQ_API obliq_status obliq_collection_count(const obliq_collection* collection,
                                              const obliq_filter* filter, size_t* count);
/** *contains gets 1 or 0. */
OBLIQ_API obliq_status obliq_collection_contains(const obliq_collection* collection, int64_t id,
                                                 int32_t* contains);
/** Vectors of n ids into [n][dim], as obliq_index_reconstruct. */
OBLIQ_API obliq_status obliq_collection_get(const obliq_collection* collection, const int64_t* ids,
                                            size_t n, size_t dim, float* out);
/** Values of the columns `names`, [n_names], or NULL for all, of n ids, which may repeat. */
OBLIQ_API obliq_status obliq_collection_get_columns(const obliq_collection* collection,
                                                    const int64_t* ids, size_t n,
                                                    const char* const* names, size_t n_names,
                                                    obliq_columns** out);

/** As obliq_index_search. Refused where ids are strings. */
OBLIQ_API obliq_status obliq_collection_search(const obliq_collection* collection,
                                               const float* queries, size_t n, size_t dim, size_t k,
                                               const obliq_search_options* options,
                                               float* distances, int64_t* ids);
/** As obliq_index_search_results, with keys where ids are strings. */
OBLIQ_API obliq_status obliq_collection_search_results(const obliq_collection* collection,
                                                       const float* queries, size_t n, size_t dim,
                                                       size_t k,
                                                       const obliq_search_options* options,
                                                       obliq_results** out);
/** As obliq_index_range_search, with keys where ids are strings. */
OBLIQ_API obliq_status obliq_collection_range_search(const obliq_collection* collection,
                                                     const float* queries, size_t n, size_t dim,
                                                     float radius,
                                                     const obliq_range_options* options,
                                                     obliq_range_results** out);
/** As obliq_index_iterator, over what is there now; it may outlive the collection. */
OBLIQ_API obliq_status obliq_collection_iterator(const obliq_collection* collection,
                                                 const float* query, size_t dim,
                                                 const obliq_search_options* options,
                                                 obliq_iterator** out);

/** Returns when all changes so far outlive a power failure. */
OBLIQ_API obliq_status obliq_collection_sync(obliq_collection* collection);
/** Returns when the background has nothing left to do, or with what a step of it failed with. */
OBLIQ_API obliq_status obliq_collection_wait(obliq_collection* collection);
/** Trains a model for what is there, 1,000 vectors or more, encodes all anew and tunes. */
OBLIQ_API obliq_status obliq_collection_train(obliq_collection* collection, obliq_progress progress,
                                              void* progress_user);
/** Merges all segments into one, without what was removed. */
OBLIQ_API obliq_status obliq_collection_compact(obliq_collection* collection,
                                                obliq_progress progress, void* progress_user);
/** Writes an index of one file of what is there now. */
OBLIQ_API obliq_status obliq_collection_export_index(const obliq_collection* collection,
                                                     const char* path);
/** Adds the vectors of the file of an index; *added, where it is not NULL, is how many. What came
 * before a failure stays. */
OBLIQ_API obliq_status obliq_collection_import_index(obliq_collection* collection, const char* path,
                                                     obliq_progress progress, void* progress_user,
                                                     size_t* added);
/** A collection of the same content in the new directory `folder`, of links or copies. */
OBLIQ_API obliq_status obliq_collection_backup(const obliq_collection* collection,
                                               const char* folder, obliq_progress progress,
                                               void* progress_user);
/** Checks every byte of its files. bytes_per_second: the most that is read; 0: no limit. */
OBLIQ_API obliq_status obliq_collection_verify(const obliq_collection* collection,
                                               double bytes_per_second, obliq_progress progress,
                                               void* progress_user);
/** Of a collection that is open to read: sees what a writer has done since. *changed, where it is
 * not NULL, gets 1 where there was something new. */
OBLIQ_API obliq_status obliq_collection_refresh(obliq_collection* collection, int32_t* changed);

typedef struct obliq_collection_stats {
  size_t size; /**< set by the caller */
  size_t n;
  size_t dim;
  obliq_metric metric;
  obliq_raw_tier raw;
  int32_t string_ids;
  int32_t is_exact; /**< 1: no model yet, searches compare all vectors */
  size_t nlist;
  size_t trained_for; /**< vectors */
  size_t train_at;
  size_t segments;
  size_t segments_in_memory;
  size_t rows_in_memory; /**< in the log, not in a file of their own yet */
  size_t deleted_rows;
  uint64_t file_bytes;
  uint64_t column_bytes;
  uint64_t log_bytes;
  uint64_t changes; /**< calls that changed something in its life */
  int32_t is_tuned;
  int32_t is_tuning_outdated;
  size_t tuned_for;           /**< vectors */
  double drift;               /**< NaN: not known */
  double write_amplification; /**< NaN: not known */
  uint64_t searches;          /**< calls of this handle */
  uint64_t queries;
  uint64_t added;
  uint64_t upserted;
  uint64_t removed;
  uint64_t updated;
} obliq_collection_stats;

OBLIQ_API obliq_status obliq_collection_get_stats(const obliq_collection* collection,
                                                  obliq_collection_stats* out);
/** All of what it tells of itself, in the text format of Prometheus. */
OBLIQ_API obliq_status obliq_collection_prometheus(const obliq_collection* collection, char* out,
                                                   size_t capacity, size_t* needed);
OBLIQ_API obliq_status obliq_collection_quantizer(const obliq_collection* collection, char* out,
                                                  size_t capacity, size_t* needed);
/** What a step of the background failed with last; empty: nothing. */
OBLIQ_API obliq_status obliq_collection_background_error(const obliq_collection* collection,
                                                         char* out, size_t capacity,
                                                         size_t* needed);
/** Names and types of its columns, without rows. */
OBLIQ_API obliq_status obliq_collection_schema(const obliq_collection* collection,
                                               obliq_columns** out);

#ifdef __cplusplus
}
#endif

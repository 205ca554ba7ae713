/* The index: built once, saved as one file, searched by any number of threads. */
#pragma once

#include "obliq/c/columns.h"
#include "obliq/c/filter.h"
#include "obliq/c/results.h"
#include "obliq/c/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct obliq_build_options {
  size_t size;
  obliq_metric metric;
  obliq_raw_tier raw;    /**< OBLIQ_RAW_UNSET: that of the preset, or none */
  const char* preset;    /**< "fast" and so on; NULL: none */
  const char* quantizer; /**< as "tqp4"; NULL: that of the preset, or of "fast" */
  /** Share of the vectors with a second entry, 0 to 1; below 0: that of the preset, or 0. */
  double spill;
  size_t nlist;       /**< number of lists; 0: about 4 sqrt(n) */
  size_t list_groups; /**< 0: chosen */
  uint64_t seed;
  int32_t threads;
  int32_t kmeans_iterations;
  size_t kmeans_points;   /**< most training vectors per list */
  const float* centroids; /**< [n_centroids][dim] in the place of k-means; NULL: none */
  size_t n_centroids;
  const float* train_queries; /**< [n_train_queries][dim], like those to come; NULL: none */
  size_t n_train_queries;
  const int64_t* ids;           /**< [n], all different, none -1; NULL: positions */
  const obliq_columns* columns; /**< n rows each; NULL: none */
  int32_t tune;                 /**< not 0: tune for target recalls, from 1,000 vectors on */
  int32_t reserved;             /**< 0 */
  size_t max_memory;            /**< bytes, of calls that write a file; 0: no bound */
  obliq_progress progress;      /**< NULL: none */
  void* progress_user;
} obliq_build_options;

OBLIQ_API void obliq_build_options_init(obliq_build_options* options, size_t size);

/** The name of preset i, NULL from the last on. The first is what is built where none is named.
 * Lives forever. */
OBLIQ_API const char* obliq_preset_name(size_t i);

typedef struct obliq_index obliq_index;

/** Builds in memory. OBLIQ_INVALID_ARGUMENT on NaN or infinity (naming the row), dim 0, an unknown
 * quantizer, ids that come twice; OBLIQ_CANCELLED. Cost: k-means, then the nearest of nlist
 * centroids for each vector. */
OBLIQ_API obliq_status obliq_index_build(const float* vectors, size_t n, size_t dim,
                                         const obliq_build_options* options, obliq_index** out);
OBLIQ_API obliq_status obliq_index_build_from(const obliq_vector_source* source,
                                              const obliq_build_options* options,
                                              obliq_index** out);
/** Builds into one file, of the same bytes as build and save. It appears once it is complete. */
OBLIQ_API obliq_status obliq_index_build_file(const float* vectors, size_t n, size_t dim,
                                              const char* path, const obliq_build_options* options);
OBLIQ_API obliq_status obliq_index_build_file_from(const obliq_vector_source* source,
                                                   const char* path,
                                                   const obliq_build_options* options);

typedef struct obliq_open_options {
  size_t size;
  int32_t in_memory; /**< 0: the file is mapped; else it is read into memory */
  int32_t verify;    /**< not 0: the checksum of every byte, not only of small sections */
} obliq_open_options;

OBLIQ_API void obliq_open_options_init(obliq_open_options* options, size_t size);

/** Opens a file. OBLIQ_DAMAGED naming file, section and offset; OBLIQ_SYSTEM where it cannot be
 * read. */
OBLIQ_API obliq_status obliq_index_open(const char* path, const obliq_open_options* options,
                                        obliq_index** out);
/** Checks every byte of a file, and nothing else. */
OBLIQ_API obliq_status obliq_index_verify(const char* path);
/** Writes one file, complete or not at all. */
OBLIQ_API obliq_status obliq_index_save(const obliq_index* index, const char* path);
/** An index of the same vectors, which it shares, with a tuning of its own. */
OBLIQ_API obliq_status obliq_index_copy(const obliq_index* index, obliq_index** out);
/** Iterators of it must be freed before. */
OBLIQ_API void obliq_index_free(obliq_index* index);

/** The k nearest of each of n queries, into buffers of [n][k]; places without an answer hold -1 and
 * +infinity. Options with columns or explain are refused. A search that a damaged file
 * stops may have written some of the answers. */
OBLIQ_API obliq_status obliq_index_search(const obliq_index* index, const float* queries, size_t n,
                                          size_t dim, size_t k, const obliq_search_options* options,
                                          float* distances, int64_t* ids);
/** The same as results, with columns and explanations where they are asked for. */
OBLIQ_API obliq_status obliq_index_search_results(const obliq_index* index, const float* queries,
                                                  size_t n, size_t dim, size_t k,
                                                  const obliq_search_options* options,
                                                  obliq_results** out);
/** All vectors nearer than `radius`, in the unit of distances: of l2 a squared one. */
OBLIQ_API obliq_status obliq_index_range_search(const obliq_index* index, const float* queries,
                                                size_t n, size_t dim, float radius,
                                                const obliq_range_options* options,
                                                obliq_range_results** out);
/** The neighbours of one query, batch after batch. The index must outlive the iterator. */
OBLIQ_API obliq_status obliq_index_iterator(const obliq_index* index, const float* query,
                                            size_t dim, const obliq_search_options* options,
                                            obliq_iterator** out);

/** How many vectors pass a filter; NULL: all. */
OBLIQ_API obliq_status obliq_index_count(const obliq_index* index, const obliq_filter* filter,
                                         size_t* count);
/** *contains gets 1 or 0. */
OBLIQ_API obliq_status obliq_index_contains(const obliq_index* index, int64_t id,
                                            int32_t* contains);
/** Vectors of n ids, which may repeat, into [n][dim]: raw or decoded; of unit length with cosine.
 * OBLIQ_NOT_FOUND where an id is not there; then nothing is written. */
OBLIQ_API obliq_status obliq_index_reconstruct(const obliq_index* index, const int64_t* ids,
                                               size_t n, size_t dim, float* out);
/** Values of columns of n ids, in their order; of -1 NULL. `names`, [n_names], or NULL for all.
 * OBLIQ_NOT_FOUND where an id is not there. */
OBLIQ_API obliq_status obliq_index_get_columns(const obliq_index* index, const int64_t* ids,
                                               size_t n, const char* const* names, size_t n_names,
                                               obliq_columns** out);

/** Tunes for target recalls with learn queries, [n][dim]; NULL and 0: base vectors stand in. Other
 * threads may search meanwhile, but not save. */
OBLIQ_API obliq_status obliq_index_tune(obliq_index* index, const float* queries, size_t n,
                                        size_t dim, int32_t threads, obliq_progress progress,
                                        void* progress_user);

/** How one target recall is met at one k. */
typedef struct obliq_tuned_target {
  size_t k;
  size_t nprobe;    /**< lists that meet it without the stop rule */
  float recall;     /**< target, in (0, 1) */
  float max_recall; /**< recall@k of a scan of all lists */
  float threshold;  /**< of the stop rule */
  int32_t uses_stop_rule;
} obliq_tuned_target;

/** What tuning found, by rising k and recall, into a buffer of [capacity]. *count is how many there
 * are, 0 where it is not tuned; OBLIQ_TOO_SMALL where capacity is less. NULL only asks. */
OBLIQ_API obliq_status obliq_index_tuning(const obliq_index* index, obliq_tuned_target* out,
                                          size_t capacity, size_t* count);

typedef struct obliq_index_stats {
  size_t size; /**< set by the caller */
  size_t n;
  size_t dim;
  size_t nlist;
  size_t list_groups;
  obliq_metric metric;
  obliq_raw_tier raw;
  double spill;            /**< share of the vectors with a second entry */
  double bytes_per_vector; /**< that a search reads, without ids, columns and centroids */
  size_t column_bytes;
  size_t id_bytes;
  size_t centroid_bytes;
  size_t file_bytes; /**< 0: not from a file */
  size_t segments;
  uint64_t model_id;
  uint32_t format_version;
  uint32_t n_columns;
  size_t tuned_queries; /**< learn queries; 0: not tuned */
} obliq_index_stats;

OBLIQ_API obliq_status obliq_index_get_stats(const obliq_index* index, obliq_index_stats* out);
/** The spec of its quantizer. */
OBLIQ_API obliq_status obliq_index_quantizer(const obliq_index* index, char* out, size_t capacity,
                                             size_t* needed);
/** Names and types of its columns, without rows. */
OBLIQ_API obliq_status obliq_index_schema(const obliq_index* index, obliq_columns** out);

#ifdef __cplusplus
}
#endif

/* An index made in parts: a model is trained from a sample, parts of the base are encoded under it
 * into segments, on any machine, and segments are merged into the file of an index. */
#pragma once

#include "obliq/c/index.h"
#include "obliq/c/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** All that is learnt. Immutable. */
typedef struct obliq_model obliq_model;

/** Learns from vectors what an index of `n_base` vectors needs; 0: of as many as are given. Give
 * all vectors of the n_sample smallest sample keys, or more, and the model is the same. Of the
 * options, `tune` has no meaning. */
OBLIQ_API obliq_status obliq_model_train(const float* vectors, size_t n, size_t dim, size_t n_base,
                                         const obliq_build_options* options, obliq_model** out);
OBLIQ_API obliq_status obliq_model_train_from(const obliq_vector_source* source, size_t n_base,
                                              const obliq_build_options* options,
                                              obliq_model** out);
/** The key by which a vector is chosen for the sample: the smallest are. */
OBLIQ_API uint64_t obliq_sample_key(uint64_t seed, int64_t id);
/** How many vectors a model of n vectors learns from. */
OBLIQ_API obliq_status obliq_sample_size(size_t n, const obliq_build_options* options, size_t* out);

/** Opens a saved model, or that of an index. */
OBLIQ_API obliq_status obliq_model_open(const char* path, const obliq_open_options* options,
                                        obliq_model** out);
OBLIQ_API obliq_status obliq_model_save(const obliq_model* model, const char* path);
OBLIQ_API void obliq_model_free(obliq_model* model);

typedef struct obliq_encode_options {
  size_t size;
  const int64_t* ids;           /**< [n]; NULL: positions, which count from `first` */
  uint64_t first;               /**< position of the first vector in the base */
  const obliq_columns* columns; /**< n rows each; NULL: none */
  int32_t truth;                /**< not 0: keep what a merge tunes from */
  int32_t threads;
  size_t max_memory; /**< bytes; 0: no bound */
  obliq_progress progress;
  void* progress_user;
} obliq_encode_options;

OBLIQ_API void obliq_encode_options_init(obliq_encode_options* options, size_t size);

/** Encodes vectors into the file of a segment. */
OBLIQ_API obliq_status obliq_model_encode(const obliq_model* model, const float* vectors, size_t n,
                                          size_t dim, const char* path,
                                          const obliq_encode_options* options);
OBLIQ_API obliq_status obliq_model_encode_from(const obliq_model* model,
                                               const obliq_vector_source* source, const char* path,
                                               const obliq_encode_options* options);

/** The lists to search for each of n queries, best first, into [n][m] where m is the lesser of
 * nprobe and nlist; *columns is m. A NULL `out` only asks for m. */
OBLIQ_API obliq_status obliq_model_route(const obliq_model* model, const float* queries, size_t n,
                                         size_t dim, size_t nprobe, int32_t threads, uint32_t* out,
                                         size_t* columns);

typedef struct obliq_model_stats {
  size_t size; /**< set by the caller */
  uint64_t id; /**< of its bytes: segments name it */
  size_t n;    /**< vectors of the base that it was trained for */
  size_t dim;
  size_t nlist;
  size_t list_groups;
  obliq_metric metric;
  obliq_raw_tier raw;
  double spill;
  size_t learn_queries;
  uint64_t seed;
} obliq_model_stats;

OBLIQ_API obliq_status obliq_model_get_stats(const obliq_model* model, obliq_model_stats* out);
OBLIQ_API obliq_status obliq_model_quantizer(const obliq_model* model, char* out, size_t capacity,
                                             size_t* needed);

typedef struct obliq_merge_options {
  size_t size;
  uint32_t first_list; /**< the lists [first_list, end_list); both 0: all */
  uint32_t end_list;
  int32_t as_segment;     /**< not 0: a segment, without the model, that can be merged again */
  int32_t last_wins;      /**< not 0: of an id in two segments the later stands; 0: an error */
  const int64_t* deleted; /**< [n_deleted] ids to leave out; NULL: none */
  size_t n_deleted;
  int32_t tune; /**< not 0: tune, where all segments kept truth */
  int32_t threads;
  size_t max_memory; /**< bytes; 0: no bound */
  obliq_progress progress;
  void* progress_user;
} obliq_merge_options;

OBLIQ_API void obliq_merge_options_init(obliq_merge_options* options, size_t size);

/** Merges n segments of a model into the file of an index or a segment, which appears once it is
 * complete. OBLIQ_INVALID_ARGUMENT where a segment is of another model or an id is in two. */
OBLIQ_API obliq_status obliq_merge(const obliq_model* model, const char* const* segments, size_t n,
                                   const char* path, const obliq_merge_options* options);

/** Opens segments of a model, which are searched together as if they were merged, without tuning.
 */
OBLIQ_API obliq_status obliq_index_open_segments(const obliq_model* model,
                                                 const char* const* segments, size_t n,
                                                 const obliq_open_options* options,
                                                 obliq_index** out);

#ifdef __cplusplus
}
#endif

/* The calls for collections whose ids are strings, keys: 1 to 4,096 bytes of UTF-8 without control
 * characters. Lists of keys have `sizes` in bytes, or NULL where all end with a zero. A call of the
 * other kind is refused; searches are those of collection.h that make results. */
#pragma once

#include "obliq/c/collection.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Each as its namesake without _keys. */
OBLIQ_API obliq_status obliq_collection_add_keys(obliq_collection* collection, const float* vectors,
                                                 size_t n, size_t dim, const char* const* keys,
                                                 const size_t* sizes, const obliq_columns* columns);
OBLIQ_API obliq_status obliq_collection_upsert_keys(obliq_collection* collection,
                                                    const float* vectors, size_t n, size_t dim,
                                                    const char* const* keys, const size_t* sizes,
                                                    const obliq_columns* columns);
OBLIQ_API obliq_status obliq_collection_remove_keys(obliq_collection* collection,
                                                    const char* const* keys, const size_t* sizes,
                                                    size_t n, size_t* removed);
OBLIQ_API obliq_status obliq_collection_update_keys(obliq_collection* collection,
                                                    const char* const* keys, const size_t* sizes,
                                                    size_t n, const obliq_columns* columns);
/** `key` is [size] bytes. */
OBLIQ_API obliq_status obliq_collection_contains_key(const obliq_collection* collection,
                                                     const char* key, size_t size,
                                                     int32_t* contains);
OBLIQ_API obliq_status obliq_collection_get_keys(const obliq_collection* collection,
                                                 const char* const* keys, const size_t* sizes,
                                                 size_t n, size_t dim, float* out);
OBLIQ_API obliq_status obliq_collection_get_columns_keys(const obliq_collection* collection,
                                                         const char* const* keys,
                                                         const size_t* sizes, size_t n,
                                                         const char* const* names, size_t n_names,
                                                         obliq_columns** out);
/** Calls take(user, number, key, size) for each vector; `number` is its id in an exported index and
 * in iterators. `key` has no zero at its end and is valid during the call. Anything but 0 stops
 * with OBLIQ_CANCELLED. It must not change the collection. */
OBLIQ_API obliq_status obliq_collection_for_each_key(const obliq_collection* collection,
                                                     int (*take)(void* user, int64_t number,
                                                                 const char* key, size_t size),
                                                     void* user);

#ifdef __cplusplus
}
#endif

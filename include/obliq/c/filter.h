/* Filters: which vectors may be answers. The language of expressions is in docs/filters.md. */
#pragma once

#include "obliq/c/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Values for the `?` of an expression, in their order. One thread at a time. */
typedef struct obliq_params obliq_params;

OBLIQ_API obliq_status obliq_params_create(obliq_params** out);
OBLIQ_API void obliq_params_free(obliq_params* params);
/** `value` is false where it is 0. */
OBLIQ_API obliq_status obliq_params_add_bool(obliq_params* params, int value);
/** Of a timestamp: microseconds since 1970. */
OBLIQ_API obliq_status obliq_params_add_int64(obliq_params* params, int64_t value);
OBLIQ_API obliq_status obliq_params_add_double(obliq_params* params, double value);
/** `size` bytes of text; a timestamp is a text of ISO 8601. */
OBLIQ_API obliq_status obliq_params_add_text(obliq_params* params, const char* text, size_t size);
/* A list, for `in ?`. */
OBLIQ_API obliq_status obliq_params_add_int64_list(obliq_params* params, const int64_t* values,
                                                   size_t n);
OBLIQ_API obliq_status obliq_params_add_double_list(obliq_params* params, const double* values,
                                                    size_t n);
OBLIQ_API obliq_status obliq_params_add_text_list(obliq_params* params, const char* const* texts,
                                                  const size_t* sizes, size_t n);

/** What may be an answer. Immutable; used by any number of threads and searches at once. It keeps
 * what it worked out for the index or collection that it was used with last: make it once and use
 * it often. */
typedef struct obliq_filter obliq_filter;

/** The vectors for which an expression is true, as "tenant = ? and year >= ?". `params` may be NULL
 * where there is no `?`. What users give belongs into params, never into the expression. Columns
 * are looked for when the filter is used. The message of a mistake shows the line with a caret
 * below the place. */
OBLIQ_API obliq_status obliq_filter_where(const char* expression, const obliq_params* params,
                                          obliq_filter** out);
/** The vectors of these ids, or all others; ids need not be there. */
OBLIQ_API obliq_status obliq_filter_allow(const int64_t* ids, size_t n, obliq_filter** out);
OBLIQ_API obliq_status obliq_filter_deny(const int64_t* ids, size_t n, obliq_filter** out);
/** The same of a collection whose ids are strings. */
OBLIQ_API obliq_status obliq_filter_allow_keys(const char* const* keys, const size_t* sizes,
                                               size_t n, obliq_filter** out);
OBLIQ_API obliq_status obliq_filter_deny_keys(const char* const* keys, const size_t* sizes,
                                              size_t n, obliq_filter** out);
/** Vector i where allowed[i] is not 0, for an index of n vectors whose ids are positions. */
OBLIQ_API obliq_status obliq_filter_positions(const uint8_t* allowed, size_t n, obliq_filter** out);
/** The vectors for whose ids `allows` returns anything but 0. Called once for each vector, by one
 * thread, when it is used first; not for string ids. `user` must live until the filter, and those
 * made of it by obliq_filter_all_of, are freed. */
OBLIQ_API obliq_status obliq_filter_callback(int (*allows)(void* user, int64_t id), void* user,
                                             obliq_filter** out);
/** What passes all n of them, which may be freed afterwards. */
OBLIQ_API obliq_status obliq_filter_all_of(const obliq_filter* const* filters, size_t n,
                                           obliq_filter** out);
OBLIQ_API void obliq_filter_free(obliq_filter* filter);

#ifdef __cplusplus
}
#endif

/* Columns: attributes of vectors, kept beside them, to filter by and to be returned. A column has a
 * name, a type, and a value or NULL for each vector. */
#pragma once

#include "obliq/c/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t obliq_column_type;
enum {
  OBLIQ_INT64 = 0,
  OBLIQ_DOUBLE = 1,    /**< not NaN */
  OBLIQ_BOOL = 2,      /**< int64 0 or 1 */
  OBLIQ_TIMESTAMP = 3, /**< int64, microseconds since 1970-01-01T00:00:00Z */
  OBLIQ_KEYWORD = 4,   /**< one text, at most 65,535 bytes */
  OBLIQ_KEYWORDS = 5,  /**< a set of at most 65,535 texts */
  OBLIQ_BYTES = 6      /**< at most 16 MiB, not to filter by */
};

/** Values of several columns, each of a number of rows. Made by the caller to add vectors, or by a
 * call that returns values. One thread at a time. */
typedef struct obliq_columns obliq_columns;

/** Columns without any. */
OBLIQ_API obliq_status obliq_columns_create(obliq_columns** out);
OBLIQ_API void obliq_columns_free(obliq_columns* columns);

/** One more column, without rows; columns count from 0 in the order in which they come. Names are 1
 * to 255 bytes; a name that is there already is refused. A schema is columns without rows. */
OBLIQ_API obliq_status obliq_columns_add(obliq_columns* columns, const char* name,
                                         obliq_column_type type);

/* Each of these adds n rows to a column. `valid`, [n], has 0 for a row that is NULL; NULL: none is.
 * A type that is not the column's, NaN, and text that is too long or no UTF-8 are refused; the rows
 * before it stay. */

/** Of int64, bool and timestamp. */
OBLIQ_API obliq_status obliq_columns_append_int64(obliq_columns* columns, size_t column,
                                                  const int64_t* values, const uint8_t* valid,
                                                  size_t n);
/** Of double. */
OBLIQ_API obliq_status obliq_columns_append_double(obliq_columns* columns, size_t column,
                                                   const double* values, const uint8_t* valid,
                                                   size_t n);
/** Of keyword and bytes. A text that is NULL is a NULL. */
OBLIQ_API obliq_status obliq_columns_append_text(obliq_columns* columns, size_t column,
                                                 const char* const* texts, const size_t* sizes,
                                                 size_t n);
/** One row of keywords, of `count` texts, which may be none. */
OBLIQ_API obliq_status obliq_columns_append_keywords(obliq_columns* columns, size_t column,
                                                     const char* const* texts, const size_t* sizes,
                                                     size_t count);
/** n rows of NULL, of any type. */
OBLIQ_API obliq_status obliq_columns_append_null(obliq_columns* columns, size_t column, size_t n);

/** How many columns there are; 0 for NULL. */
OBLIQ_API size_t obliq_columns_count(const obliq_columns* columns);
/** The number of the column of this name. OBLIQ_NOT_FOUND where there is none. */
OBLIQ_API obliq_status obliq_columns_find(const obliq_columns* columns, const char* name,
                                          size_t* column);
/** Valid until the columns are changed or freed. NULL where there is no such column. */
OBLIQ_API const char* obliq_columns_name(const obliq_columns* columns, size_t column);
/** -1 where there is no such column. */
OBLIQ_API obliq_column_type obliq_columns_type(const obliq_columns* columns, size_t column);
/** 0 where there is no such column. */
OBLIQ_API size_t obliq_columns_rows(const obliq_columns* columns, size_t column);

/* Values of rows [first, first + n) into buffers of [n]. `valid` gets 1, or 0 for NULL, whose value
 * is 0; it may be NULL. */
OBLIQ_API obliq_status obliq_columns_get_int64(const obliq_columns* columns, size_t column,
                                               size_t first, size_t n, int64_t* values,
                                               uint8_t* valid);
OBLIQ_API obliq_status obliq_columns_get_double(const obliq_columns* columns, size_t column,
                                                size_t first, size_t n, double* values,
                                                uint8_t* valid);
/** The text of a row of keyword or bytes: *text points at *size bytes, without a zero at the end,
 * valid until the columns are changed or freed; NULL and 0 for a NULL. */
OBLIQ_API obliq_status obliq_columns_get_text(const obliq_columns* columns, size_t column,
                                              size_t row, const char** text, size_t* size);
/** The texts of a row of keywords, by rising bytes, as above, into buffers of [capacity]. *count is
 * how many there are; OBLIQ_TOO_SMALL where capacity is less. NULL buffers only ask. A NULL has
 * none, and *valid 0; valid may be NULL. */
OBLIQ_API obliq_status obliq_columns_get_keywords(const obliq_columns* columns, size_t column,
                                                  size_t row, const char** texts, size_t* sizes,
                                                  size_t capacity, size_t* count, uint8_t* valid);

#ifdef __cplusplus
}
#endif

/* Status, errors, progress and what all parts of obliq.h use. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "obliq/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a call came to: one of the numbers below, later versions may have more. */
typedef int32_t obliq_status;
enum {
  OBLIQ_OK = 0,
  OBLIQ_INVALID_ARGUMENT = 1, /**< the caller's mistake; the message has the value and the remedy */
  OBLIQ_DAMAGED = 2,          /**< a file, by its checksum or content; names file and offset */
  OBLIQ_SYSTEM = 3,           /**< the system refused: obliq_last_errno() has its number */
  OBLIQ_OUT_OF_MEMORY = 4,
  OBLIQ_CANCELLED = 5, /**< a progress callback asked for it */
  OBLIQ_NOT_FOUND = 6, /**< an id or key that is not there */
  OBLIQ_TOO_SMALL = 7, /**< a buffer; the call tells what it takes */
  OBLIQ_BUSY = 8,      /**< another process or handle writes to the collection */
  OBLIQ_INTERNAL = 9   /**< a fault of the library */
};

/** "ok", "invalid argument", ...; "unknown status" for other numbers. Never NULL, lives forever. */
OBLIQ_API const char* obliq_status_name(obliq_status status);

/** The message of the last call on this thread that failed; "" before the first. Never NULL. Valid
 * until the next call on this thread that fails. Messages beyond 4,095 bytes are cut. */
OBLIQ_API const char* obliq_last_error(void);
/** errno of the last call on this thread that failed with OBLIQ_SYSTEM; 0 after another failure. */
OBLIQ_API int obliq_last_errno(void);

/** The version of the library that runs, "0.2.0". Lives forever. */
OBLIQ_API const char* obliq_version(void);
/** The instruction set that its kernels use here: "scalar", "avx2", ... Lives forever. */
OBLIQ_API const char* obliq_simd(void);

/** Called from time to time on the thread of the call: `done` of `total` of the stage, where done
 * never falls and ends at total. Return 0 to go on; otherwise the call stops with OBLIQ_CANCELLED.
 * `stage` is valid during the call. */
typedef int (*obliq_progress)(void* user, const char* stage, uint64_t done, uint64_t total);

/** How vectors are compared; a smaller distance is nearer. */
typedef int32_t obliq_metric;
enum {
  OBLIQ_L2 = 0,    /**< |q-x|^2 */
  OBLIQ_IP = 1,    /**< -<q,x> */
  OBLIQ_COSINE = 2 /**< 1 - cos */
};

/** Raw vectors kept beside codes, to compare answers exactly. */
typedef int32_t obliq_raw_tier;
enum {
  OBLIQ_RAW_UNSET = -1, /**< what the preset or quantizer has */
  OBLIQ_RAW_NONE = 0,
  OBLIQ_RAW_FP16 = 1,
  OBLIQ_RAW_FP32 = 2
};

/** The number of "l2", "ip" or "cosine". */
OBLIQ_API obliq_status obliq_metric_parse(const char* name, obliq_metric* out);
/** The name, or NULL for another number. Lives forever. */
OBLIQ_API const char* obliq_metric_name(obliq_metric metric);

/** Vectors that are read in pieces, so that there may be more of them than memory holds. */
typedef struct obliq_vector_source {
  size_t size; /**< sizeof(obliq_vector_source) */
  size_t rows;
  size_t dim;
  /** Writes vectors [first, first + count) to out, [count][dim]. Called in any order, by one thread
   * at a time, not always that of the call. Anything but 0 ends the call with OBLIQ_SYSTEM, or with
   * OBLIQ_CANCELLED where it is OBLIQ_CANCELLED. */
  int (*read)(void* user, uint64_t first, uint64_t count, float* out);
  void* user;
} obliq_vector_source;

#ifdef __cplusplus
}
#endif

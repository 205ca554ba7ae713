/* Quantizers alone: codes of vectors without an index. Vectors are rotated by the rotation of the
 * seed on their way in, and back on their way out. */
#pragma once

#include "obliq/c/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Immutable. */
typedef struct obliq_quantizer obliq_quantizer;

/** The quantizer of a spec (docs/quantizers.md) for vectors of `dim`. `state`, [state_bytes]: what
 * obliq_quantizer_state gave for one of this spec, dim and seed; NULL and 0: not trained.
 * OBLIQ_INVALID_ARGUMENT names an unknown spec and the valid ones. */
OBLIQ_API obliq_status obliq_quantizer_create(const char* spec, size_t dim, uint64_t seed,
                                              const uint8_t* state, size_t state_bytes,
                                              obliq_quantizer** out);
OBLIQ_API void obliq_quantizer_free(obliq_quantizer* quantizer);

/** All families with their numbers and options, a line each. */
OBLIQ_API obliq_status obliq_quantizer_grammar(char* out, size_t capacity, size_t* needed);
/** The canonical spec. */
OBLIQ_API obliq_status obliq_quantizer_spec(const obliq_quantizer* quantizer, char* out,
                                            size_t capacity, size_t* needed);

typedef struct obliq_quantizer_layout {
  size_t size; /**< set by the caller */
  size_t dim;
  size_t code_bytes; /**< of a code */
  size_t factors;    /**< floats kept beside a code */
  double bits;       /**< of a code per dimension */
  uint64_t seed;
  size_t state_bytes; /**< of obliq_quantizer_state */
  int32_t learns;     /**< 1: train has something to learn */
  int32_t reserved;
} obliq_quantizer_layout;

OBLIQ_API obliq_status obliq_quantizer_get_layout(const obliq_quantizer* quantizer,
                                                  obliq_quantizer_layout* out);

/** Codes of n vectors, [n][code_bytes], and factors, [n][factors]. */
OBLIQ_API obliq_status obliq_quantizer_encode(const obliq_quantizer* quantizer,
                                              const float* vectors, size_t n, size_t dim,
                                              int32_t threads, uint8_t* codes, float* factors);
/** The vectors [n][dim] that codes stand for. Any bytes are safe. */
OBLIQ_API obliq_status obliq_quantizer_decode(const obliq_quantizer* quantizer,
                                              const uint8_t* codes, const float* factors, size_t n,
                                              int32_t threads, float* out);
/** Estimated inner products [m][n] of m queries, [m][dim], with n coded vectors. */
OBLIQ_API obliq_status obliq_quantizer_estimate(const obliq_quantizer* quantizer,
                                                const uint8_t* codes, const float* factors,
                                                size_t n, const float* queries, size_t m,
                                                size_t dim, int32_t threads, float* out);

/** A quantizer that has learnt from vectors [n][dim] like those to encode and queries [m][dim] like
 * those to come; NULL and 0: vectors stand in. OBLIQ_INVALID_ARGUMENT where it learns nothing. */
OBLIQ_API obliq_status obliq_quantizer_train(const obliq_quantizer* quantizer, const float* vectors,
                                             size_t n, const float* queries, size_t m, size_t dim,
                                             int32_t threads, obliq_quantizer** out);
/** What training taught, as far as decoding needs it: keep it with the codes. Writes *needed bytes;
 * OBLIQ_TOO_SMALL where capacity is less; a NULL `out` only asks. */
OBLIQ_API obliq_status obliq_quantizer_state(const obliq_quantizer* quantizer, uint8_t* out,
                                             size_t capacity, size_t* needed);

#ifdef __cplusplus
}
#endif

/* What the C program expects, and its data. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "obliq/obliq.h"

enum { DIM = 16, N = 1200, SMALL = 300 };

/* Tells where it is not so, and goes on; failures() is how often. */
void expect(int holds, const char* what, const char* file, int line);
int failures(void);

/* n vectors of DIM, the same for the same seed. */
void fill_vectors(float* out, size_t n, uint32_t seed);
const float* vectors(void); /* N of them */

/* The path of a file in the folder that the program was given; valid until the program ends, for
 * 64 of them. */
const char* in_folder(const char* name);

/* A progress callback: counts calls in the int that user points at, and stops none. */
int count_progress(void* user, const char* stage, uint64_t done, uint64_t total);
/* The same that stops at once. */
int stop_progress(void* user, const char* stage, uint64_t done, uint64_t total);

void try_status(void);
void try_columns(void);
void try_filters(void);
void try_index(void);
void try_index_answers(void);
void try_steps(void);
void try_quantizer(void);
void try_collection(void);
void try_collection_upkeep(void);
void try_keys(void);
void try_mistakes(void);

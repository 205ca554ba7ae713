/* Calls every function of obliq.h, as a program in C does. Usage: program FOLDER, an empty one.
 * Exit status 0 when all was as expected, 1 otherwise; each failure is a line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/capi/expect.h"

static const char* folder;
static int failed;

void expect(int holds, const char* what, const char* file, int line) {
  if (holds) return;
  ++failed;
  printf("%s:%d: not so: %s (last error: %s)\n", file, line, what, obliq_last_error());
}

int failures(void) { return failed; }

void fill_vectors(float* out, size_t n, uint32_t seed) {
  uint32_t state = seed * 2654435761U + 1U;
  size_t i;
  for (i = 0; i < n * DIM; ++i) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    out[i] = (float)(state >> 8) / 8388608.0F - 1.0F;
  }
}

const float* vectors(void) {
  static float values[N * DIM];
  static int filled;
  if (!filled) fill_vectors(values, N, 1);
  filled = 1;
  return values;
}

const char* in_folder(const char* name) {
  static char paths[64][512];
  static int next;
  char* path = paths[next++ % 64];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

int count_progress(void* user, const char* stage, uint64_t done, uint64_t total) {
  ++*(int*)user;
  expect(strlen(stage) > 0 && done <= total, "progress is a share of a stage", __FILE__, __LINE__);
  return 0;
}

int stop_progress(void* user, const char* stage, uint64_t done, uint64_t total) {
  (void)stage;
  (void)done;
  (void)total;
  ++*(int*)user;
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  folder = argv[1];
  try_status();
  try_columns();
  try_filters();
  try_index();
  try_index_answers();
  try_steps();
  try_quantizer();
  try_collection();
  try_collection_upkeep();
  try_keys();
  try_mistakes();
  printf("%d failures\n", failures());
  return failures() == 0 ? 0 : 1;
}

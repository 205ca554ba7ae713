/* Indexes: made in all ways, searched in all ways. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/capi/expect.h"

#define EXPECT(condition) expect(condition, #condition, __FILE__, __LINE__)
#define OK(call) EXPECT((call) == OBLIQ_OK)

static int read_vectors(void* user, uint64_t first, uint64_t count, float* out) {
  ++*(int*)user;
  memcpy(out, vectors() + first * DIM, (size_t)count * DIM * sizeof(float));
  return 0;
}

static int read_nothing(void* user, uint64_t first, uint64_t count, float* out) {
  (void)first;
  (void)count;
  (void)out;
  return *(int*)user;
}

static obliq_columns* years(size_t n) {
  obliq_columns* columns = NULL;
  size_t i;
  OK(obliq_columns_create(&columns));
  OK(obliq_columns_add(columns, "year", OBLIQ_INT64));
  for (i = 0; i < n; ++i) {
    const int64_t year = 2000 + (int64_t)(i % 20);
    OK(obliq_columns_append_int64(columns, 0, &year, NULL, 1));
  }
  return columns;
}

/* Of N vectors, with ids 1000, 1001, ..., years and raw vectors. */
static obliq_index* full_index(void) {
  static int64_t ids[N];
  obliq_columns* columns = years(N);
  obliq_build_options options;
  obliq_index* index = NULL;
  int calls = 0;
  size_t i;
  for (i = 0; i < N; ++i) ids[i] = 1000 + (int64_t)i;
  obliq_build_options_init(&options, sizeof options);
  options.quantizer = "tqp4";
  options.raw = OBLIQ_RAW_FP32;
  options.nlist = 20;
  options.ids = ids;
  options.columns = columns;
  options.progress = count_progress;
  options.progress_user = &calls;
  OK(obliq_index_build(vectors(), N, DIM, &options, &index));
  EXPECT(calls > 0);
  obliq_columns_free(columns);
  return index;
}

static void expect_same_answers(const obliq_index* a, const obliq_index* b) {
  float distances[2][10];
  int64_t ids[2][10];
  OK(obliq_index_search(a, vectors(), 1, DIM, 10, NULL, distances[0], ids[0]));
  OK(obliq_index_search(b, vectors(), 1, DIM, 10, NULL, distances[1], ids[1]));
  EXPECT(memcmp(distances[0], distances[1], sizeof distances[0]) == 0);
  EXPECT(memcmp(ids[0], ids[1], sizeof ids[0]) == 0);
}

static void try_sources(const obliq_index* index) {
  obliq_vector_source source;
  obliq_index* other = NULL;
  int calls = 0;
  int status = 7;
  memset(&source, 0, sizeof source);
  source.size = sizeof source;
  source.rows = SMALL;
  source.dim = DIM;
  source.read = read_vectors;
  source.user = &calls;
  OK(obliq_index_build_from(&source, NULL, &other));
  EXPECT(calls > 0);
  expect_same_answers(index, other);
  obliq_index_free(other);
  OK(obliq_index_build_file_from(&source, in_folder("from.obliq"), NULL));
  OK(obliq_index_open(in_folder("from.obliq"), NULL, &other));
  expect_same_answers(index, other);
  obliq_index_free(other);
  source.read = read_nothing;
  source.user = &status;
  EXPECT(obliq_index_build_from(&source, NULL, &other) == OBLIQ_SYSTEM);
  status = OBLIQ_CANCELLED;
  EXPECT(obliq_index_build_from(&source, NULL, &other) == OBLIQ_CANCELLED);
}

void try_index(void) {
  obliq_index* index = NULL;
  obliq_index* other = NULL;
  obliq_open_options open;
  obliq_index_stats stats;
  int calls = 0;
  char name[64];
  size_t needed = 0;
  EXPECT(strcmp(obliq_preset_name(0), "fast") == 0);
  EXPECT(obliq_preset_name(1000) == NULL);
  OK(obliq_index_build(vectors(), SMALL, DIM, NULL, &index));
  OK(obliq_index_save(index, in_folder("saved.obliq")));
  OK(obliq_index_verify(in_folder("saved.obliq")));
  obliq_open_options_init(&open, sizeof open);
  open.in_memory = 1;
  open.verify = 1;
  OK(obliq_index_open(in_folder("saved.obliq"), &open, &other));
  expect_same_answers(index, other);
  obliq_index_free(other);
  OK(obliq_index_build_file(vectors(), SMALL, DIM, in_folder("built.obliq"), NULL));
  OK(obliq_index_open(in_folder("built.obliq"), NULL, &other));
  expect_same_answers(index, other);
  stats.size = sizeof stats;
  OK(obliq_index_get_stats(other, &stats));
  EXPECT(stats.n == SMALL && stats.dim == DIM && stats.file_bytes > 0 && stats.segments == 1);
  OK(obliq_index_quantizer(other, NULL, 0, &needed));
  EXPECT(needed > 1 && needed <= sizeof name);
  OK(obliq_index_quantizer(other, name, sizeof name, NULL));
  EXPECT(strlen(name) + 1 == needed);
  EXPECT(obliq_index_quantizer(other, name, needed - 1, NULL) == OBLIQ_TOO_SMALL);
  obliq_index_free(other);
  OK(obliq_index_copy(index, &other));
  expect_same_answers(index, other);
  obliq_index_free(other);
  try_sources(index);
  EXPECT(obliq_index_tune(index, NULL, 0, 0, 1, stop_progress, &calls) != OBLIQ_INTERNAL);
  obliq_index_free(index);
  obliq_index_free(NULL);
}

static void try_results(const obliq_index* index, const obliq_filter* filter) {
  const char* names[1] = {"year"};
  obliq_search_options options;
  obliq_search_explanation explanation;
  obliq_results* results = NULL;
  float distances[5];
  int64_t ids[5];
  int64_t year = 0;
  obliq_search_options_init(&options, sizeof options);
  options.filter = filter;
  options.threads = 1;
  OK(obliq_index_search(index, vectors(), 1, DIM, 5, &options, distances, ids));
  options.columns = names;
  options.n_columns = 1;
  options.explain = 1;
  OK(obliq_index_search_results(index, vectors(), 2, DIM, 5, &options, &results));
  EXPECT(obliq_results_queries(results) == 2 && obliq_results_k(results) == 5);
  EXPECT(memcmp(obliq_results_distances(results), distances, sizeof distances) == 0);
  EXPECT(memcmp(obliq_results_ids(results), ids, sizeof ids) == 0);
  EXPECT(obliq_results_key(results, 0, 0, NULL) == NULL);
  EXPECT(obliq_columns_rows(obliq_results_columns(results), 0) == 10);
  OK(obliq_columns_get_int64(obliq_results_columns(results), 0, 0, 1, &year, NULL));
  EXPECT(year == 2000);
  explanation.size = sizeof explanation;
  OK(obliq_results_explain(results, 1, &explanation));
  EXPECT(explanation.allowed == N / 20 && explanation.end >= OBLIQ_END_ALL_LISTS);
  EXPECT(obliq_results_explain(results, 2, &explanation) == OBLIQ_INVALID_ARGUMENT);
  EXPECT(obliq_index_search(index, vectors(), 1, DIM, 5, &options, distances, ids) ==
         OBLIQ_INVALID_ARGUMENT);
  obliq_results_free(results);
  obliq_results_free(NULL);
}

static void try_range(const obliq_index* index) {
  const char* names[1] = {"year"};
  obliq_range_options options;
  obliq_range_results* found = NULL;
  size_t i;
  obliq_range_options_init(&options, sizeof options);
  options.exact = 1;
  options.max_results = 4;
  options.columns = names;
  options.n_columns = 1;
  OK(obliq_index_range_search(index, vectors(), 3, DIM, 5.0F, &options, &found));
  EXPECT(obliq_range_results_queries(found) == 3);
  EXPECT(obliq_range_results_lims(found)[3] == obliq_range_results_total(found));
  EXPECT(obliq_range_results_total(found) > 3);
  EXPECT(obliq_range_results_ids(found)[0] == 1000);
  EXPECT(obliq_range_results_key(found, 0, NULL) == NULL);
  EXPECT(obliq_range_results_cut(found)[0] <= 1);
  for (i = 0; i < obliq_range_results_total(found); ++i) {
    EXPECT(obliq_range_results_distances(found)[i] < 5.0F);
  }
  EXPECT(obliq_columns_rows(obliq_range_results_columns(found), 0) ==
         obliq_range_results_total(found));
  obliq_range_results_free(found);
  obliq_range_results_free(NULL);
}

static void try_iterator(const obliq_index* index) {
  static float distances[N];
  static int64_t ids[N];
  obliq_iterator* iterator = NULL;
  size_t count = 0;
  size_t all = 0;
  OK(obliq_index_iterator(index, vectors(), DIM, NULL, &iterator));
  OK(obliq_iterator_next(iterator, 3, distances, ids, &count));
  EXPECT(count == 3 && ids[0] == 1000 && distances[0] <= distances[2]);
  for (all = 3; count > 0; all += count) {
    OK(obliq_iterator_next(iterator, 500, distances, ids, &count));
  }
  EXPECT(all == N);
  EXPECT(obliq_iterator_next(iterator, 0, distances, ids, &count) == OBLIQ_INVALID_ARGUMENT);
  obliq_iterator_free(iterator);
  obliq_iterator_free(NULL);
}

static void try_rows(const obliq_index* index) {
  const int64_t ids[2] = {1007, 1003};
  const int64_t missing = 7;
  const char* names[1] = {"year"};
  float found[2 * DIM];
  int32_t contains = 7;
  int64_t year[2];
  obliq_columns* columns = NULL;
  OK(obliq_index_contains(index, 1007, &contains));
  EXPECT(contains == 1);
  OK(obliq_index_contains(index, 7, &contains));
  EXPECT(contains == 0);
  OK(obliq_index_reconstruct(index, ids, 2, DIM, found));
  EXPECT(memcmp(found, vectors() + 7 * DIM, DIM * sizeof(float)) == 0);
  EXPECT(obliq_index_reconstruct(index, &missing, 1, DIM, found) == OBLIQ_NOT_FOUND);
  EXPECT(obliq_index_reconstruct(index, ids, 2, DIM - 1, found) == OBLIQ_INVALID_ARGUMENT);
  OK(obliq_index_get_columns(index, ids, 2, names, 1, &columns));
  OK(obliq_columns_get_int64(columns, 0, 0, 2, year, NULL));
  EXPECT(year[0] == 2007 && year[1] == 2003);
  obliq_columns_free(columns);
  EXPECT(obliq_index_get_columns(index, &missing, 1, NULL, 0, &columns) == OBLIQ_NOT_FOUND);
  OK(obliq_index_schema(index, &columns));
  EXPECT(obliq_columns_count(columns) == 1 && obliq_columns_rows(columns, 0) == 0);
  obliq_columns_free(columns);
}

static void try_tuning(obliq_index* index) {
  obliq_tuned_target* targets = NULL;
  obliq_search_options options;
  float distances[10];
  int64_t ids[10];
  int calls = 0;
  size_t count = 0;
  EXPECT(obliq_index_tune(index, vectors(), 200, DIM, 0, stop_progress, &calls) == OBLIQ_CANCELLED);
  OK(obliq_index_tune(index, vectors(), 200, DIM, 0, count_progress, &calls));
  OK(obliq_index_tuning(index, NULL, 0, &count));
  EXPECT(count > 0);
  targets = malloc(count * sizeof *targets);
  EXPECT(obliq_index_tuning(index, targets, count - 1, &count) == OBLIQ_TOO_SMALL);
  OK(obliq_index_tuning(index, targets, count, &count));
  EXPECT(targets[0].k == 1 && targets[count - 1].k == 100);
  free(targets);
  obliq_search_options_init(&options, sizeof options);
  options.target_recall = 0.8;
  OK(obliq_index_search(index, vectors(), 1, DIM, 10, &options, distances, ids));
  EXPECT(ids[0] == 1000);
}

void try_index_answers(void) {
  obliq_index* index = full_index();
  obliq_params* params = NULL;
  obliq_filter* filter = NULL;
  OK(obliq_params_create(&params));
  OK(obliq_params_add_int64(params, 2000));
  OK(obliq_filter_where("year = ?", params, &filter));
  obliq_params_free(params);
  try_results(index, filter);
  try_range(index);
  try_iterator(index);
  try_rows(index);
  try_tuning(index);
  obliq_filter_free(filter);
  obliq_index_free(index);
}

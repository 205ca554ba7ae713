/* Collections whose ids are strings; and mistakes, each told and none fatal. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/capi/expect.h"

#define EXPECT(condition) expect(condition, #condition, __FILE__, __LINE__)
#define OK(call) EXPECT((call) == OBLIQ_OK)

static obliq_collection* keyed(void) {
  obliq_collection_options options;
  obliq_collection* collection = NULL;
  obliq_columns* schema = NULL;
  OK(obliq_columns_create(&schema));
  OK(obliq_columns_add(schema, "n", OBLIQ_INT64));
  obliq_collection_options_init(&options, sizeof options);
  options.dim = DIM;
  options.string_ids = 1;
  options.schema = schema;
  OK(obliq_collection_in_memory(&options, NULL, &collection));
  obliq_columns_free(schema);
  return collection;
}

static int count_key(void* user, int64_t number, const char* key, size_t size) {
  EXPECT(number >= 0 && key != NULL && size > 0);
  return ++*(int*)user == 3; /* stops at the third */
}

static void search(const obliq_collection* collection) {
  const char* allowed[1] = {"one"};
  obliq_search_options options;
  obliq_results* results = NULL;
  obliq_range_results* near = NULL;
  obliq_filter* filter = NULL;
  float distance = 0;
  int64_t id = 0;
  size_t size = 0;
  OK(obliq_collection_search_results(collection, vectors(), 1, DIM, 4, NULL, &results));
  EXPECT(obliq_results_ids(results) == NULL);
  EXPECT(strcmp(obliq_results_key(results, 0, 0, &size), "zero") == 0 && size == 4);
  EXPECT(strcmp(obliq_results_key(results, 0, 3, &size), "") == 0 && size == 0);
  EXPECT(obliq_results_distances(results)[3] == INFINITY);
  EXPECT(obliq_results_key(results, 0, 4, NULL) == NULL);
  obliq_results_free(results);
  OK(obliq_collection_range_search(collection, vectors(), 1, DIM, 1e-3F, NULL, &near));
  EXPECT(strcmp(obliq_range_results_key(near, 0, &size), "zero") == 0);
  EXPECT(obliq_range_results_ids(near) == NULL && obliq_range_results_total(near) == 1);
  obliq_range_results_free(near);
  OK(obliq_filter_allow_keys(allowed, NULL, 1, &filter));
  obliq_search_options_init(&options, sizeof options);
  options.filter = filter;
  OK(obliq_collection_search_results(collection, vectors(), 1, DIM, 1, &options, &results));
  EXPECT(strcmp(obliq_results_key(results, 0, 0, NULL), "one") == 0);
  obliq_results_free(results);
  obliq_filter_free(filter);
  EXPECT(obliq_collection_search(collection, vectors(), 1, DIM, 1, NULL, &distance, &id) ==
         OBLIQ_INVALID_ARGUMENT);
}

void try_keys(void) {
  const char* keys[4] = {"zero", "one", "two", "three"};
  const size_t sizes[4] = {4, 3, 3, 5};
  const int64_t number = 77;
  obliq_collection* collection = keyed();
  obliq_columns* columns = NULL;
  float found[DIM];
  int64_t read = 0;
  size_t removed = 0;
  int32_t contains = 7;
  int calls = 0;
  OK(obliq_collection_add_keys(collection, vectors(), 3, DIM, keys, sizes, NULL));
  OK(obliq_collection_upsert_keys(collection, vectors() + 2 * DIM, 2, DIM, keys + 2, NULL, NULL));
  OK(obliq_collection_remove_keys(collection, keys + 3, NULL, 1, &removed));
  EXPECT(removed == 1);
  OK(obliq_columns_create(&columns));
  OK(obliq_columns_add(columns, "n", OBLIQ_INT64));
  OK(obliq_columns_append_int64(columns, 0, &number, NULL, 1));
  OK(obliq_collection_update_keys(collection, keys, sizes, 1, columns));
  EXPECT(obliq_collection_update_keys(collection, keys + 3, NULL, 1, columns) == OBLIQ_NOT_FOUND);
  obliq_columns_free(columns);
  OK(obliq_collection_contains_key(collection, "one", 3, &contains));
  EXPECT(contains == 1);
  OK(obliq_collection_get_keys(collection, keys, NULL, 1, DIM, found));
  EXPECT(fabsf(found[0] - vectors()[0]) < 1e-6F);
  EXPECT(obliq_collection_get_keys(collection, keys + 3, NULL, 1, DIM, found) == OBLIQ_NOT_FOUND);
  OK(obliq_collection_get_columns_keys(collection, keys, NULL, 1, NULL, 0, &columns));
  OK(obliq_columns_get_int64(columns, 0, 0, 1, &read, NULL));
  EXPECT(read == 77);
  obliq_columns_free(columns);
  EXPECT(obliq_collection_for_each_key(collection, count_key, &calls) == OBLIQ_CANCELLED);
  EXPECT(calls == 3);
  search(collection);
  obliq_collection_free(collection);
}

static void try_sizes(const obliq_index* index) {
  struct {
    obliq_search_options known;
    uint64_t newer;
  } options;
  struct {
    obliq_index_stats known;
    uint64_t newer;
  } stats;
  float distance = -1;
  int64_t id = -1;
  obliq_search_options_init(&options.known, sizeof options);
  EXPECT(options.newer == 0 && options.known.size == sizeof options);
  OK(obliq_index_search(index, vectors(), 1, DIM, 1, &options.known, &distance, &id));
  options.newer = 1;
  EXPECT(obliq_index_search(index, vectors(), 1, DIM, 1, &options.known, &distance, &id) ==
         OBLIQ_INVALID_ARGUMENT);
  options.known.size = 0;
  EXPECT(obliq_index_search(index, vectors(), 1, DIM, 1, &options.known, &distance, &id) ==
         OBLIQ_INVALID_ARGUMENT);
  memset(&stats, 0xFF, sizeof stats);
  stats.known.size = sizeof stats;
  OK(obliq_index_get_stats(index, &stats.known));
  EXPECT(stats.known.n == SMALL && stats.newer == 0);
  stats.known.size = 12;
  EXPECT(obliq_index_get_stats(index, &stats.known) == OBLIQ_INVALID_ARGUMENT);
}

static void try_files(const obliq_index* index) {
  const char* path = in_folder("damaged.obliq");
  obliq_index* other = NULL;
  FILE* file = NULL;
  EXPECT(obliq_index_open(in_folder("nothing.obliq"), NULL, &other) == OBLIQ_SYSTEM);
  EXPECT(obliq_last_errno() == 2 /* ENOENT */ && other == NULL);
  EXPECT(strstr(obliq_last_error(), "nothing.obliq") != NULL);
  OK(obliq_index_save(index, path));
  file = fopen(path, "r+b");
  EXPECT(file != NULL && fseek(file, -100, SEEK_END) == 0 && fputs("damage", file) >= 0);
  if (file != NULL) fclose(file);
  EXPECT(obliq_index_verify(path) == OBLIQ_DAMAGED);
  EXPECT(strstr(obliq_last_error(), "damaged.obliq") != NULL && obliq_last_errno() == 0);
}

void try_mistakes(void) {
  obliq_index* index = NULL;
  float distance = -1;
  int64_t id = -7;
  float nan_vector[DIM] = {0};
  OK(obliq_index_build(vectors(), SMALL, DIM, NULL, &index));
  try_sizes(index);
  try_files(index);
  id = -7;
  EXPECT(obliq_index_search(NULL, vectors(), 1, DIM, 1, NULL, &distance, &id) ==
         OBLIQ_INVALID_ARGUMENT);
  EXPECT(strcmp(obliq_last_error(), "index is NULL") == 0);
  EXPECT(obliq_index_search(index, NULL, 1, DIM, 1, NULL, &distance, &id) ==
         OBLIQ_INVALID_ARGUMENT);
  EXPECT(obliq_index_search(index, vectors(), 1, DIM, 1, NULL, NULL, &id) ==
         OBLIQ_INVALID_ARGUMENT);
  EXPECT(obliq_index_search(index, vectors(), 1, DIM + 1, 1, NULL, &distance, &id) ==
         OBLIQ_INVALID_ARGUMENT);
  EXPECT(obliq_index_search(index, vectors(), SIZE_MAX / 2, DIM, 1, NULL, &distance, &id) ==
         OBLIQ_INVALID_ARGUMENT);
  EXPECT(obliq_index_search(index, vectors(), 1, DIM, 0, NULL, &distance, &id) ==
         OBLIQ_INVALID_ARGUMENT);
  nan_vector[3] = NAN;
  EXPECT(obliq_index_search(index, nan_vector, 1, DIM, 1, NULL, &distance, &id) ==
         OBLIQ_INVALID_ARGUMENT);
  EXPECT(id == -7);
  OK(obliq_index_search(index, vectors(), 0, DIM, 1, NULL, NULL, NULL));
  EXPECT(obliq_index_build(vectors(), SMALL, DIM, NULL, NULL) == OBLIQ_INVALID_ARGUMENT);
  EXPECT(obliq_collection_create(in_folder("none"), NULL, NULL, NULL) == OBLIQ_INVALID_ARGUMENT);
  obliq_index_free(index);
}

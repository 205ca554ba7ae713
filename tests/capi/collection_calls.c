/* Collections whose ids are numbers. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/capi/expect.h"

#define EXPECT(condition) expect(condition, #condition, __FILE__, __LINE__)
#define OK(call) EXPECT((call) == OBLIQ_OK)

static obliq_columns* years(size_t n, int64_t first) {
  obliq_columns* columns = NULL;
  size_t i;
  OK(obliq_columns_create(&columns));
  OK(obliq_columns_add(columns, "year", OBLIQ_INT64));
  for (i = 0; i < n; ++i) {
    const int64_t year = first + (int64_t)i;
    OK(obliq_columns_append_int64(columns, 0, &year, NULL, 1));
  }
  return columns;
}

static obliq_collection* create(const char* path, obliq_columns* schema) {
  obliq_collection_options options;
  obliq_collection* collection = NULL;
  obliq_collection_options_init(&options, sizeof options);
  options.dim = DIM;
  options.train_at = 1000;
  options.schema = schema;
  if (path == NULL) {
    OK(obliq_collection_in_memory(&options, NULL, &collection));
  } else {
    OK(obliq_collection_create(path, &options, NULL, &collection));
  }
  return collection;
}

static size_t count_of(const obliq_collection* collection, const obliq_filter* filter) {
  size_t count = 0;
  OK(obliq_collection_count(collection, filter, &count));
  return count;
}

static void change(obliq_collection* collection, obliq_columns* columns) {
  const int64_t ids[4] = {3, 5, 7, 9};
  const int64_t missing[2] = {5, 100};
  obliq_columns* newer = years(2, 1990);
  int64_t first = 0;
  size_t removed = 0;
  int32_t contains = 7;
  OK(obliq_collection_add(collection, vectors(), 4, DIM, ids, columns));
  EXPECT(obliq_collection_add(collection, vectors(), 4, DIM, ids, NULL) == OBLIQ_INVALID_ARGUMENT);
  OK(obliq_collection_add_new(collection, vectors() + 4 * DIM, 2, DIM, NULL, &first));
  EXPECT(first == 10);
  OK(obliq_collection_upsert(collection, vectors() + 6 * DIM, 2, DIM, ids, newer));
  OK(obliq_collection_remove(collection, missing, 2, &removed));
  EXPECT(removed == 1);
  OK(obliq_collection_remove(collection, missing, 2, NULL));
  OK(obliq_collection_update(collection, ids + 2, 2, newer));
  EXPECT(obliq_collection_update(collection, missing, 2, newer) == OBLIQ_NOT_FOUND);
  OK(obliq_collection_add_column(collection, "lang", OBLIQ_KEYWORD));
  OK(obliq_collection_contains(collection, 3, &contains));
  EXPECT(contains == 1 && count_of(collection, NULL) == 5);
  obliq_columns_free(newer);
}

static void ask(const obliq_collection* collection) {
  const int64_t ids[2] = {9, 3};
  const int64_t missing = 5;
  const char* names[1] = {"year"};
  float found[2 * DIM];
  int64_t year[2];
  obliq_columns* columns = NULL;
  obliq_filter* filter = NULL;
  OK(obliq_collection_get(collection, ids, 2, DIM, found));
  EXPECT(fabsf(found[0] - vectors()[3 * DIM]) < 1e-6F);
  EXPECT(obliq_collection_get(collection, &missing, 1, DIM, found) == OBLIQ_NOT_FOUND);
  OK(obliq_collection_get_columns(collection, ids, 2, names, 1, &columns));
  OK(obliq_columns_get_int64(columns, 0, 0, 2, year, NULL));
  EXPECT(year[0] == 1991 && year[1] == 1990);
  obliq_columns_free(columns);
  OK(obliq_collection_schema(collection, &columns));
  EXPECT(obliq_columns_count(columns) == 2);
  obliq_columns_free(columns);
  OK(obliq_filter_where("year = 1991", NULL, &filter));
  EXPECT(count_of(collection, filter) == 1);
  obliq_filter_free(filter);
}

static void search(const obliq_collection* collection) {
  const char* names[1] = {"year"};
  obliq_search_options options;
  obliq_results* results = NULL;
  obliq_range_results* near = NULL;
  obliq_iterator* iterator = NULL;
  float distances[2];
  int64_t ids[2];
  size_t count = 0;
  OK(obliq_collection_search(collection, vectors() + 3 * DIM, 1, DIM, 2, NULL, distances, ids));
  EXPECT(ids[0] == 9 && distances[0] < 1e-6F);
  obliq_search_options_init(&options, sizeof options);
  options.columns = names;
  options.n_columns = 1;
  OK(obliq_collection_search_results(collection, vectors() + 3 * DIM, 1, DIM, 2, &options,
                                     &results));
  EXPECT(obliq_results_ids(results)[0] == 9);
  EXPECT(obliq_columns_rows(obliq_results_columns(results), 0) == 2);
  obliq_results_free(results);
  OK(obliq_collection_range_search(collection, vectors() + 3 * DIM, 1, DIM, 1e-3F, NULL, &near));
  EXPECT(obliq_range_results_total(near) == 1 && obliq_range_results_ids(near)[0] == 9);
  obliq_range_results_free(near);
  OK(obliq_collection_iterator(collection, vectors() + 3 * DIM, DIM, NULL, &iterator));
  OK(obliq_iterator_next(iterator, 2, distances, ids, &count));
  EXPECT(count == 2 && ids[0] == 9);
  obliq_iterator_free(iterator);
}

void try_collection(void) {
  const char* path = in_folder("collection");
  obliq_columns* columns = years(4, 2000);
  obliq_collection* collection = create(path, columns);
  obliq_collection* reader = NULL;
  obliq_access_options access;
  int32_t changed = 7;
  change(collection, columns);
  ask(collection);
  search(collection);
  EXPECT(obliq_collection_open(path, NULL, &reader) == OBLIQ_BUSY);
  obliq_access_options_init(&access, sizeof access);
  access.read_only = 1;
  OK(obliq_collection_open(path, &access, &reader));
  EXPECT(count_of(reader, NULL) == 5);
  OK(obliq_collection_remove(collection, (const int64_t[]){3}, 1, NULL));
  OK(obliq_collection_refresh(reader, &changed));
  EXPECT(changed == 1 && count_of(reader, NULL) == 4);
  OK(obliq_collection_refresh(reader, NULL));
  obliq_collection_free(reader);
  OK(obliq_collection_sync(collection));
  OK(obliq_collection_close(collection));
  EXPECT(obliq_collection_remove(collection, (const int64_t[]){9}, 1, NULL) != OBLIQ_OK);
  obliq_collection_free(collection);
  OK(obliq_collection_open(path, NULL, &collection));
  EXPECT(count_of(collection, NULL) == 4);
  obliq_collection_free(collection);
  obliq_collection_free(NULL);
  obliq_columns_free(columns);
}

static void tell(const obliq_collection* collection) {
  obliq_collection_stats stats;
  static char text[65536];
  char name[64];
  size_t needed = 0;
  stats.size = sizeof stats;
  OK(obliq_collection_get_stats(collection, &stats));
  EXPECT(stats.n == N && stats.dim == DIM && stats.train_at == 1000 && !stats.string_ids);
  EXPECT(stats.is_exact == 0 && stats.added == N && stats.segments >= 1);
  OK(obliq_collection_prometheus(collection, text, sizeof text, &needed));
  EXPECT(strstr(text, "obliq_collection_") != NULL && strlen(text) + 1 == needed);
  OK(obliq_collection_quantizer(collection, name, sizeof name, NULL));
  EXPECT(strlen(name) > 0);
  OK(obliq_collection_background_error(collection, name, sizeof name, NULL));
  EXPECT(strlen(name) == 0);
}

void try_collection_upkeep(void) {
  obliq_collection* collection = create(in_folder("upkeep"), NULL);
  obliq_collection* other = NULL;
  int64_t first = 7;
  size_t added = 0;
  int calls = 0;
  OK(obliq_collection_add_new(collection, vectors(), N, DIM, NULL, &first));
  OK(obliq_collection_wait(collection));
  EXPECT(obliq_collection_train(collection, stop_progress, &calls) == OBLIQ_CANCELLED);
  OK(obliq_collection_train(collection, count_progress, &calls));
  OK(obliq_collection_compact(collection, count_progress, &calls));
  tell(collection);
  OK(obliq_collection_verify(collection, 0, count_progress, &calls));
  EXPECT(obliq_collection_verify(collection, -1, NULL, NULL) == OBLIQ_INVALID_ARGUMENT);
  OK(obliq_collection_export_index(collection, in_folder("exported.obliq")));
  OK(obliq_collection_backup(collection, in_folder("backup"), count_progress, &calls));
  EXPECT(calls > 1);
  OK(obliq_collection_open(in_folder("backup"), NULL, &other));
  EXPECT(count_of(other, NULL) == N);
  obliq_collection_free(other);
  other = create(NULL, NULL);
  OK(obliq_collection_import_index(other, in_folder("exported.obliq"), NULL, NULL, &added));
  EXPECT(added == N && count_of(other, NULL) == N);
  obliq_collection_free(other);
  obliq_collection_free(collection);
}

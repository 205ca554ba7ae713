/* Status, columns, params and filters. */
#include <math.h>
#include <string.h>

#include "tests/capi/expect.h"

#define EXPECT(condition) expect(condition, #condition, __FILE__, __LINE__)
#define OK(call) EXPECT((call) == OBLIQ_OK)

void try_status(void) {
  obliq_metric metric = -1;
  EXPECT(strcmp(obliq_status_name(OBLIQ_OK), "ok") == 0);
  EXPECT(strcmp(obliq_status_name(OBLIQ_INTERNAL), "internal fault") == 0);
  EXPECT(strcmp(obliq_status_name(77), "unknown status") == 0);
  EXPECT(strlen(obliq_last_error()) == 0);
  EXPECT(strchr(obliq_version(), '.') != NULL);
  EXPECT(strlen(obliq_simd()) > 0);
  OK(obliq_metric_parse("cosine", &metric));
  EXPECT(metric == OBLIQ_COSINE);
  EXPECT(strcmp(obliq_metric_name(OBLIQ_IP), "ip") == 0);
  EXPECT(obliq_metric_name(3) == NULL);
  EXPECT(obliq_metric_parse("cosinus", &metric) == OBLIQ_INVALID_ARGUMENT);
  EXPECT(strstr(obliq_last_error(), "cosinus") != NULL);
  EXPECT(metric == OBLIQ_COSINE);
}

static void fill_columns(obliq_columns* columns) {
  const int64_t years[3] = {2019, 0, 2021};
  const uint8_t known[3] = {1, 0, 1};
  const double prices[3] = {0.5, 1.5, INFINITY};
  const char* langs[3] = {"en", NULL, "de!"};
  const size_t sizes[3] = {2, 0, 2};
  const char* tags[2] = {"b", "a"};
  OK(obliq_columns_add(columns, "year", OBLIQ_INT64));
  OK(obliq_columns_add(columns, "price", OBLIQ_DOUBLE));
  OK(obliq_columns_add(columns, "lang", OBLIQ_KEYWORD));
  OK(obliq_columns_add(columns, "tags", OBLIQ_KEYWORDS));
  OK(obliq_columns_append_int64(columns, 0, years, known, 3));
  OK(obliq_columns_append_double(columns, 1, prices, NULL, 3));
  OK(obliq_columns_append_text(columns, 2, langs, sizes, 3));
  OK(obliq_columns_append_keywords(columns, 3, tags, NULL, 2));
  OK(obliq_columns_append_null(columns, 3, 2));
}

static void read_columns(const obliq_columns* columns) {
  int64_t years[2] = {-1, -1};
  double prices[3] = {0, 0, 0};
  uint8_t known[2] = {7, 7};
  uint8_t valid = 7;
  const char* text = "";
  const char* texts[2] = {NULL, NULL};
  size_t sizes[2] = {0, 0};
  size_t size = 7;
  OK(obliq_columns_get_int64(columns, 0, 1, 2, years, known));
  EXPECT(years[0] == 0 && known[0] == 0 && years[1] == 2021 && known[1] == 1);
  OK(obliq_columns_get_double(columns, 1, 0, 3, prices, NULL));
  EXPECT(prices[1] == 1.5 && prices[2] == INFINITY);
  OK(obliq_columns_get_text(columns, 2, 2, &text, &size));
  EXPECT(size == 2 && memcmp(text, "de", 2) == 0);
  OK(obliq_columns_get_text(columns, 2, 1, &text, &size));
  EXPECT(text == NULL && size == 0);
  OK(obliq_columns_get_keywords(columns, 3, 0, NULL, NULL, 0, &size, NULL));
  EXPECT(size == 2);
  EXPECT(obliq_columns_get_keywords(columns, 3, 0, texts, sizes, 1, &size, NULL) ==
         OBLIQ_TOO_SMALL);
  OK(obliq_columns_get_keywords(columns, 3, 0, texts, sizes, 2, &size, &valid));
  EXPECT(valid == 1 && sizes[0] == 1 && texts[0][0] == 'a' && texts[1][0] == 'b');
  OK(obliq_columns_get_keywords(columns, 3, 1, texts, sizes, 2, &size, &valid));
  EXPECT(valid == 0 && size == 0);
}

void try_columns(void) {
  obliq_columns* columns = NULL;
  size_t place = 7;
  int64_t number = 0;
  OK(obliq_columns_create(&columns));
  EXPECT(obliq_columns_count(columns) == 0);
  fill_columns(columns);
  EXPECT(obliq_columns_count(columns) == 4);
  EXPECT(strcmp(obliq_columns_name(columns, 2), "lang") == 0);
  EXPECT(obliq_columns_name(columns, 4) == NULL);
  EXPECT(obliq_columns_type(columns, 3) == OBLIQ_KEYWORDS);
  EXPECT(obliq_columns_type(columns, 4) == -1);
  EXPECT(obliq_columns_rows(columns, 3) == 3);
  EXPECT(obliq_columns_rows(NULL, 0) == 0);
  OK(obliq_columns_find(columns, "price", &place));
  EXPECT(place == 1);
  EXPECT(obliq_columns_find(columns, "prize", &place) == OBLIQ_NOT_FOUND);
  read_columns(columns);
  EXPECT(obliq_columns_add(columns, "year", OBLIQ_BOOL) == OBLIQ_INVALID_ARGUMENT);
  EXPECT(obliq_columns_add(columns, "month", 7) == OBLIQ_INVALID_ARGUMENT);
  EXPECT(obliq_columns_append_int64(columns, 1, &number, NULL, 1) == OBLIQ_INVALID_ARGUMENT);
  EXPECT(obliq_columns_get_int64(columns, 0, 2, 2, &number, NULL) == OBLIQ_INVALID_ARGUMENT);
  EXPECT(obliq_columns_get_int64(columns, 2, 0, 1, &number, NULL) == OBLIQ_INVALID_ARGUMENT);
  EXPECT(obliq_columns_get_int64(columns, 4, 0, 1, &number, NULL) == OBLIQ_INVALID_ARGUMENT);
  obliq_columns_free(columns);
  obliq_columns_free(NULL);
}

static void try_params(void) {
  const int64_t numbers[2] = {3, 4};
  const double doubles[2] = {0.5, 1.5};
  const char* texts[2] = {"en", "de"};
  obliq_params* params = NULL;
  obliq_filter* filter = NULL;
  OK(obliq_params_create(&params));
  OK(obliq_params_add_bool(params, 1));
  OK(obliq_params_add_int64(params, 7));
  OK(obliq_params_add_double(params, 0.25));
  OK(obliq_params_add_text(params, "ab", 1));
  OK(obliq_params_add_int64_list(params, numbers, 2));
  OK(obliq_params_add_double_list(params, doubles, 2));
  OK(obliq_params_add_text_list(params, texts, NULL, 2));
  OK(obliq_filter_where("a = ? or b = ? or c = ? or d = ? or e in ? or f in ? or g in ?", params,
                        &filter));
  obliq_filter_free(filter);
  EXPECT(obliq_filter_where("a = ?", params, &filter) == OBLIQ_INVALID_ARGUMENT);
  obliq_params_free(params);
  obliq_params_free(NULL);
}

static int is_even(void* user, int64_t id) {
  ++*(int*)user;
  return id % 2 == 0;
}

static size_t passing(const obliq_index* index, const obliq_filter* filter) {
  size_t count = 0;
  OK(obliq_index_count(index, filter, &count));
  return count;
}

static obliq_index* small_index(void) {
  obliq_index* index = NULL;
  OK(obliq_index_build(vectors(), SMALL, DIM, NULL, &index));
  return index;
}

void try_filters(void) {
  const int64_t ids[3] = {2, 3, 5000};
  const char* keys[1] = {"a"};
  static uint8_t allowed[SMALL];
  int calls = 0;
  size_t count = 0;
  obliq_filter* filters[4] = {NULL, NULL, NULL, NULL};
  obliq_filter* both = NULL;
  obliq_filter* keyed = NULL;
  obliq_index* index = small_index();
  try_params();
  allowed[2] = allowed[4] = 1;
  OK(obliq_filter_allow(ids, 3, &filters[0]));
  OK(obliq_filter_deny(ids, 3, &filters[1]));
  OK(obliq_filter_positions(allowed, SMALL, &filters[2]));
  OK(obliq_filter_callback(is_even, &calls, &filters[3]));
  EXPECT(passing(index, NULL) == SMALL);
  EXPECT(passing(index, filters[0]) == 2);
  EXPECT(passing(index, filters[1]) == SMALL - 2);
  EXPECT(passing(index, filters[2]) == 2);
  EXPECT(passing(index, filters[3]) == SMALL / 2);
  EXPECT(calls == SMALL);
  OK(obliq_filter_all_of((const obliq_filter* const*)&filters[2], 2, &both));
  EXPECT(passing(index, both) == 2);
  OK(obliq_filter_allow_keys(keys, NULL, 1, &keyed));
  EXPECT(obliq_index_count(index, keyed, &count) == OBLIQ_INVALID_ARGUMENT);
  obliq_filter_free(keyed);
  OK(obliq_filter_deny_keys(keys, NULL, 1, &keyed));
  obliq_filter_free(keyed);
  keyed = NULL;
  EXPECT(obliq_filter_where("year >=", NULL, &keyed) == OBLIQ_INVALID_ARGUMENT);
  EXPECT(keyed == NULL && strchr(obliq_last_error(), '^') != NULL);
  obliq_filter_free(both);
  for (count = 0; count < 4; ++count) obliq_filter_free(filters[count]);
  obliq_filter_free(NULL);
  obliq_index_free(index);
}

/* The steps of a build in parts, and quantizers alone. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/capi/expect.h"

#define EXPECT(condition) expect(condition, #condition, __FILE__, __LINE__)
#define OK(call) EXPECT((call) == OBLIQ_OK)

static int read_vectors(void* user, uint64_t first, uint64_t count, float* out) {
  (void)user;
  memcpy(out, vectors() + first * DIM, (size_t)count * DIM * sizeof(float));
  return 0;
}

static obliq_vector_source source_of(size_t rows) {
  obliq_vector_source source = {0};
  source.size = sizeof source;
  source.rows = rows;
  source.dim = DIM;
  source.read = read_vectors;
  return source;
}

static void try_model(const obliq_model* model) {
  const obliq_vector_source source = source_of(N);
  obliq_model_stats stats;
  obliq_model_stats others;
  obliq_model* other = NULL;
  char name[64];
  size_t needed = 0;
  size_t sample = 0;
  stats.size = others.size = sizeof stats;
  OK(obliq_model_get_stats(model, &stats));
  EXPECT(stats.n == N && stats.dim == DIM && stats.nlist > 1);
  OK(obliq_model_train_from(&source, 0, NULL, &other));
  OK(obliq_model_get_stats(other, &others));
  EXPECT(stats.id == others.id);
  obliq_model_free(other);
  OK(obliq_model_save(model, in_folder("model.obliq")));
  OK(obliq_model_open(in_folder("model.obliq"), NULL, &other));
  OK(obliq_model_get_stats(other, &others));
  EXPECT(stats.id == others.id);
  OK(obliq_model_quantizer(other, name, sizeof name, &needed));
  EXPECT(strlen(name) + 1 == needed);
  obliq_model_free(other);
  obliq_model_free(NULL);
  OK(obliq_sample_size(1000000, NULL, &sample));
  EXPECT(sample > 1000 && sample <= 1000000);
  EXPECT(obliq_sample_key(1, 2) != obliq_sample_key(1, 3));
}

/* Searches the lists that the model routes to. */
static void try_route(const obliq_model* model, const obliq_index* index) {
  uint32_t lists[2 * 3];
  obliq_search_options options;
  float distances[2 * 4];
  int64_t ids[2 * 4];
  size_t columns = 0;
  OK(obliq_model_route(model, vectors(), 2, DIM, 3, 1, NULL, &columns));
  EXPECT(columns == 3);
  OK(obliq_model_route(model, vectors(), 2, DIM, 3, 1, lists, &columns));
  EXPECT(lists[0] != lists[1]);
  obliq_search_options_init(&options, sizeof options);
  options.lists = lists;
  options.list_columns = 3;
  OK(obliq_index_search(index, vectors(), 2, DIM, 4, &options, distances, ids));
  EXPECT(ids[0] == 0 && ids[4] == 1);
}

static void encode_parts(const obliq_model* model, const char* const* segments) {
  obliq_vector_source source = source_of(N / 2);
  obliq_encode_options options;
  int calls = 0;
  obliq_encode_options_init(&options, sizeof options);
  options.progress = count_progress;
  options.progress_user = &calls;
  OK(obliq_model_encode_from(model, &source, segments[0], &options));
  options.first = N / 2;
  OK(obliq_model_encode(model, vectors() + N / 2 * DIM, N - N / 2, DIM, segments[1], &options));
  EXPECT(calls > 0);
}

void try_steps(void) {
  const char* segments[2];
  const int64_t deleted[1] = {5};
  obliq_merge_options merge;
  obliq_model* model = NULL;
  obliq_index* index = NULL;
  size_t count = 0;
  int32_t contains = 7;
  OK(obliq_model_train(vectors(), N, DIM, 0, NULL, &model));
  try_model(model);
  segments[0] = in_folder("part-0");
  segments[1] = in_folder("part-1");
  encode_parts(model, segments);
  OK(obliq_merge(model, segments, 2, in_folder("merged.obliq"), NULL));
  OK(obliq_index_open(in_folder("merged.obliq"), NULL, &index));
  try_route(model, index);
  obliq_index_free(index);
  OK(obliq_index_open_segments(model, segments, 2, NULL, &index));
  OK(obliq_index_count(index, NULL, &count));
  EXPECT(count == N);
  obliq_index_free(index);
  obliq_merge_options_init(&merge, sizeof merge);
  merge.deleted = deleted;
  merge.n_deleted = 1;
  OK(obliq_merge(model, segments, 2, in_folder("merged.obliq"), &merge));
  OK(obliq_index_open(in_folder("merged.obliq"), NULL, &index));
  OK(obliq_index_contains(index, 5, &contains));
  EXPECT(contains == 0);
  obliq_index_free(index);
  segments[1] = segments[0];
  EXPECT(obliq_merge(model, segments, 2, in_folder("twice.obliq"), NULL) == OBLIQ_INVALID_ARGUMENT);
  obliq_model_free(model);
}

static void try_merge_topk(void) {
  const float near[2] = {1, 3};
  const float far[1] = {2};
  const int64_t near_ids[2] = {10, -1};
  const int64_t far_ids[1] = {20};
  const float* distances[2];
  const int64_t* ids[2];
  const size_t ks[2] = {2, 1};
  float out[3];
  int64_t out_ids[3];
  distances[0] = near;
  distances[1] = far;
  ids[0] = near_ids;
  ids[1] = far_ids;
  OK(obliq_merge_topk(distances, ids, ks, 2, 1, 3, out, out_ids));
  EXPECT(out_ids[0] == 10 && out_ids[1] == 20 && out_ids[2] == -1 && out[2] == INFINITY);
  OK(obliq_merge_topk(NULL, NULL, NULL, 0, 1, 3, out, out_ids));
  EXPECT(out_ids[0] == -1);
}

static void try_codes(const obliq_quantizer* quantizer) {
  obliq_quantizer_layout layout;
  uint8_t* codes = NULL;
  float* factors = NULL;
  static float decoded[10 * DIM];
  static float products[2 * 10];
  double error = 0;
  double norm = 0;
  double product = 0;
  size_t i;
  layout.size = sizeof layout;
  OK(obliq_quantizer_get_layout(quantizer, &layout));
  EXPECT(layout.dim == DIM && layout.code_bytes > 0 && layout.seed == 7);
  codes = malloc(10 * layout.code_bytes);
  factors = malloc(10 * layout.factors * sizeof(float) + 1);
  OK(obliq_quantizer_encode(quantizer, vectors(), 10, DIM, 1, codes, factors));
  OK(obliq_quantizer_decode(quantizer, codes, factors, 10, 1, decoded));
  OK(obliq_quantizer_estimate(quantizer, codes, factors, 10, vectors(), 2, DIM, 1, products));
  for (i = 0; i < 10 * DIM; ++i) {
    error += pow((double)decoded[i] - (double)vectors()[i], 2);
    norm += pow((double)vectors()[i], 2);
  }
  EXPECT(error < 0.03 * norm); /* 4 bits: about .01 */
  for (i = 0; i < DIM; ++i) product += (double)decoded[DIM + i] * (double)vectors()[i];
  EXPECT(fabs((double)products[1] - product) < 0.01);
  free(codes);
  free(factors);
}

void try_quantizer(void) {
  obliq_quantizer* quantizer = NULL;
  obliq_quantizer* trained = NULL;
  obliq_quantizer* again = NULL;
  obliq_quantizer_layout layout;
  static char grammar[8192];
  uint8_t* state = NULL;
  char name[64];
  size_t needed = 0;
  try_merge_topk();
  OK(obliq_quantizer_grammar(grammar, sizeof grammar, &needed));
  EXPECT(strstr(grammar, "tqp") != NULL);
  OK(obliq_quantizer_create("tqp4", DIM, 7, NULL, 0, &quantizer));
  OK(obliq_quantizer_spec(quantizer, name, sizeof name, &needed));
  EXPECT(strncmp(name, "tqp4", 4) == 0);
  try_codes(quantizer);
  EXPECT(obliq_quantizer_train(quantizer, vectors(), 9, NULL, 0, DIM, 1, &trained) ==
         OBLIQ_INVALID_ARGUMENT);
  obliq_quantizer_free(quantizer);
  OK(obliq_quantizer_create("wf4", DIM, 7, NULL, 0, &quantizer));
  layout.size = sizeof layout;
  OK(obliq_quantizer_get_layout(quantizer, &layout));
  if (layout.learns) {
    OK(obliq_quantizer_train(quantizer, vectors(), N, vectors(), 9, DIM, 1, &trained));
    OK(obliq_quantizer_state(trained, NULL, 0, &needed));
    EXPECT(needed > 0);
    state = malloc(needed);
    EXPECT(obliq_quantizer_state(trained, state, needed - 1, NULL) == OBLIQ_TOO_SMALL);
    OK(obliq_quantizer_state(trained, state, needed, NULL));
    OK(obliq_quantizer_create("wf4", DIM, 7, state, needed, &again));
    free(state);
  }
  EXPECT(layout.learns == 1);
  EXPECT(obliq_quantizer_create("nothing4", DIM, 1, NULL, 0, &again) == OBLIQ_INVALID_ARGUMENT);
  obliq_quantizer_free(quantizer);
  obliq_quantizer_free(trained);
  obliq_quantizer_free(again);
}

/* A program in C on the shared library: what the C++ tests cannot show, because there the functions
 * come from the static library and the allocator is set before main(). Exit code 0: all was well. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vicinal.h>

static int failures = 0;

#define CHECK(condition)                                                                         \
  do {                                                                                           \
    if (!(condition)) {                                                                          \
      printf("line %d: %s: \"%s\"\n", __LINE__, #condition, vicinal_last_message());             \
      ++failures;                                                                                \
    }                                                                                            \
  } while (0)

static size_t allocations = 0;
static bool refuse = false;

static void* allocate(size_t size, size_t alignment) {
  if (refuse) return NULL;
  ++allocations;
  return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void deallocate(void* pointer, size_t size, size_t alignment) {
  (void)size;
  (void)alignment;
  free(pointer);
}

static bool count(void* context, uint64_t label, const float* vector, size_t dimension) {
  (void)label;
  (void)vector;
  *(size_t*)context += dimension;
  return true;
}

static bool below_ten(void* context, uint64_t label) {
  (void)context;
  return label < 10;
}

static void fill(float* row, uint64_t label, size_t dimension) {
  for (size_t i = 0; i < dimension; ++i) row[i] = sinf((float)(label * dimension + i + 1));
}

static void in_memory(void) {
  enum { kRows = 300, kDimension = 8 };
  static float rows[kRows * kDimension];
  static uint64_t labels[kRows];
  vicinal_index_options options;
  vicinal_index* index = NULL;
  for (uint64_t i = 0; i < kRows; ++i) {
    labels[i] = i;
    fill(rows + i * kDimension, i, kDimension);
  }
  CHECK(vicinal_index_options_init(&options, sizeof options) == VICINAL_OK);
  options.dimension = kDimension;
  CHECK(vicinal_index_create(&options, &index) == VICINAL_OK);
  vicinal_batch_result result;
  CHECK(vicinal_batch_result_init(&result, sizeof result) == VICINAL_OK);
  CHECK(vicinal_index_upsert_batch(index, labels, rows, kRows, kDimension, NULL, &result) ==
        VICINAL_OK);
  CHECK(result.inserted == kRows);
  CHECK(allocations > 0);

  uint64_t found_labels[5];
  float distances[5];
  size_t found = 0;
  vicinal_search_options search;
  CHECK(vicinal_search_options_init(&search, sizeof search) == VICINAL_OK);
  search.predicate = below_ten;
  CHECK(vicinal_index_search(index, rows + 4 * kDimension, kDimension, 5, &search, found_labels,
                             distances, &found, NULL) == VICINAL_OK);
  CHECK(found == 5 && found_labels[0] == 4 && fabsf(distances[0]) < 1e-5f);
  for (size_t i = 0; i < found; ++i) CHECK(found_labels[i] < 10);

  size_t components = 0;
  CHECK(vicinal_index_for_each(index, count, &components) == VICINAL_OK);
  CHECK(components == kRows * kDimension);

  /* Memory that runs out is a status, and the index is as it was. */
  float vector[kDimension];
  fill(vector, 1000, kDimension);
  vicinal_status status = VICINAL_OK;
  for (uint64_t i = 0; i < kRows; ++i) labels[i] += 10000;
  refuse = true;
  status = vicinal_index_upsert_batch(index, labels, rows, kRows, kDimension, NULL, NULL);
  refuse = false;
  CHECK(status == VICINAL_OUT_OF_MEMORY);
  CHECK(strcmp(vicinal_last_message(), "out of memory") == 0);
  uint64_t size = 0;
  CHECK(vicinal_index_size(index, &size) == VICINAL_OK && size == kRows);
  CHECK(vicinal_index_upsert(index, 1000, vector, kDimension, NULL) == VICINAL_OK);
  vicinal_index_free(index);
}

static void stored(const char* path) {
  const float vector[4] = {1, 2, 3, 4};
  float read[4] = {0};
  vicinal_store* store = NULL;
  vicinal_index* index = NULL;
  vicinal_index_options options;
  CHECK(vicinal_store_open(path, NULL, &store) == VICINAL_OK);
  CHECK(vicinal_index_options_init(&options, sizeof options) == VICINAL_OK);
  options.dimension = 4;
  CHECK(vicinal_store_index(store, "text", &options, &index) == VICINAL_OK);
  CHECK(vicinal_index_upsert(index, 42, vector, 4, NULL) == VICINAL_OK);
  CHECK(vicinal_store_close(store) == VICINAL_OK);
  CHECK(vicinal_index_get(index, 42, read, 4) == VICINAL_CLOSED);
  vicinal_store_free(store);
  vicinal_index_free(index);

  CHECK(vicinal_store_open(path, NULL, &store) == VICINAL_OK);
  CHECK(vicinal_store_open_index(store, "text", NULL, &index) == VICINAL_OK);
  CHECK(vicinal_index_get(index, 42, read, 4) == VICINAL_OK);
  CHECK(memcmp(read, vector, sizeof vector) == 0);
  CHECK(vicinal_index_get(index, 43, read, 4) == VICINAL_NOT_FOUND);
  CHECK(strstr(vicinal_last_message(), "label 43") != NULL);
  vicinal_index* missing = index;
  CHECK(vicinal_store_open_index(store, "image", NULL, &missing) == VICINAL_NOT_FOUND);
  CHECK(missing == NULL);
  vicinal_index_free(index);
  vicinal_store_free(store);
}

int main(void) {
  CHECK(strcmp(vicinal_last_message(), "") == 0);
  CHECK(vicinal_set_allocator(allocate, deallocate) == VICINAL_OK);
  in_memory();
  stored("program.vic");
  CHECK(vicinal_set_allocator(allocate, deallocate) == VICINAL_BUSY);
  if (failures == 0) printf("vicinal %s, %zu allocations\n", vicinal_version(), allocations);
  return failures == 0 ? 0 : 1;
}

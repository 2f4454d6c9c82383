/* A user's program in C: an index in memory, filled, asked and checked. */
#include <stdio.h>
#include <vicinal.h>

static int told(const char* what) {
  fprintf(stderr, "%s: %s\n", what, vicinal_last_message());
  return 1;
}

int main(void) {
  const uint64_t labels[3] = {0, 1, 2};
  const float rows[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  const float query[3] = {0.1f, 0.9f, 0.2f};
  uint64_t nearest[2];
  float distances[2];
  size_t found = 0;
  vicinal_index_options options;
  vicinal_index* index = NULL;
  vicinal_store* store = NULL;

  if (vicinal_index_options_init(&options, sizeof options) != VICINAL_OK) return told("options");
  options.dimension = 3;
  if (vicinal_index_create(&options, &index) != VICINAL_OK) return told("create");
  if (vicinal_index_upsert_batch(index, labels, rows, 3, 3, NULL, NULL) != VICINAL_OK) {
    return told("upsert");
  }
  if (vicinal_index_search(index, query, 3, 2, NULL, nearest, distances, &found, NULL) !=
          VICINAL_OK ||
      found != 2 || nearest[0] != 1) {
    return told("the nearest of three was not found");
  }
  printf("vicinal %s, nearest: %d at %.4f\n", vicinal_version(), (int)nearest[0], distances[0]);
  vicinal_index_free(index);

  /* That a wrong path is answered needs the whole library. */
  vicinal_store_options reading;
  if (vicinal_store_options_init(&reading, sizeof reading) != VICINAL_OK) return told("options");
  reading.create = 0;
  return vicinal_store_open("no/such/store", &reading, &store) == VICINAL_NOT_FOUND ? 0 : 1;
}

// The same code in a target's own section, and baseline code beside it: the scan must accept both.
namespace N_AVX2 {
__attribute__((target("avx2"))) void add_ones(int* values) {
  for (int i = 0; i < 1024; ++i) values[i] += 1;
}
}  // namespace N_AVX2

void add_ones(int* values) {
  for (int i = 0; i < 1024; ++i) values[i] += 1;
}

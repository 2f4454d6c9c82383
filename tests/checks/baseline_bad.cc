// Ordinary code that was compiled for AVX2, as a stray flag would do: the baseline scan must
// refuse.
__attribute__((target("avx2"))) void add_ones(int* values) {
  for (int i = 0; i < 1024; ++i) values[i] += 1;
}

// Every kernel on every target that this CPU executes, at the dimensions users have, over rows that
// lie in L1, in L2, or scattered over a table of 512 MiB on huge pages.
//
// A name reads kernel/target/dimension/place. Batches hold 32 ids, as one expanded node gives.
// time_per_row is what to compare; bytes_per_second counts the rows' bytes only. The target "plain"
// reads the same rows with the same prefetch and no arithmetic: the ceiling of `scattered`.
#include <benchmark/benchmark.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/prefetch.h"

namespace {

namespace kernels = vicinal::kernels;
using kernels::KernelTable;

constexpr std::size_t kTableBytes = std::size_t{512} << 20;
constexpr std::size_t kBatch = 32;
constexpr std::size_t kMaxDimension = 1536;

/// 512 MiB of huge pages. Its words are ordinary floats, its bytes ordinary codes.
const std::byte* row_memory() {
  static const std::byte* const memory = [] {
    constexpr std::size_t kHugePage = std::size_t{2} << 20;
    void* const raw = mmap(nullptr, kTableBytes + kHugePage, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED) std::abort();
    const auto address = reinterpret_cast<std::uintptr_t>(raw);
    auto* const base = reinterpret_cast<std::byte*>((address + kHugePage - 1) & ~(kHugePage - 1));
    madvise(base, kTableBytes, MADV_HUGEPAGE);
    std::fill_n(reinterpret_cast<std::uint32_t*>(base), kTableBytes / 4, 0x3F0A3D12u);
    return base;
  }();
  return memory;
}

struct Inputs {
  Inputs(std::size_t row_stride, std::size_t n, std::size_t place_bytes)
      : segment(row_memory()), stride(row_stride), dimension(n) {
    const std::size_t rows = std::max<std::size_t>(1, place_bytes / stride);
    // As many ids as rows, so that `scattered` comes back to a row only after all others.
    ids.resize(std::max(kBatch, rows / kBatch * kBatch));
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::uint32_t>(i % rows);
    std::shuffle(ids.begin(), ids.end(), std::mt19937(1));
    for (float& x : query) x = 0.37f;
    std::fill_n(codes, sizeof codes, std::int8_t{11});
    signs = kernels::make_rotation_signs(n, 1);
  }

  kernels::RowTable table() const { return {&segment, 31, 0x7FFFFFFF, stride}; }
  const float* row(std::size_t id) const {
    return reinterpret_cast<const float*>(segment + id * stride);
  }
  const std::int8_t* code_row(std::size_t id) const {
    return reinterpret_cast<const std::int8_t*>(segment + id * stride);
  }

  const std::byte* segment;
  std::size_t stride;
  std::size_t dimension;
  std::vector<std::uint32_t> ids;
  alignas(64) float query[kMaxDimension];
  alignas(64) std::int8_t codes[kMaxDimension + 64];
  std::vector<float> signs;
  alignas(64) float out[kMaxDimension];
};

using Run = void (*)(const KernelTable&, Inputs&, const std::uint32_t* ids);

void for_each_float_row(Inputs& in, const std::uint32_t* ids, const auto& call) {
  for (std::size_t i = 0; i < kBatch; ++i) benchmark::DoNotOptimize(call(in.row(ids[i])));
}

struct Kernel {
  const char* name;
  bool codes;  // rows of int8, else of float32
  Run run;
};

/// The ceiling: the prefetch of the kernels and one load per line.
void read_rows(const KernelTable&, Inputs& in, const std::uint32_t* ids) {
  using kernels::kRowsAhead;
  const kernels::RowTable table = in.table();
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kRowsAhead; ++i) kernels::prefetch_row(table.row(ids[i]), in.stride);
  for (std::size_t i = 0; i < kBatch; ++i) {
    if (i + kRowsAhead < kBatch) {
      kernels::prefetch_row(table.row(ids[i + kRowsAhead]), in.stride);
    }
    const std::byte* const row = table.row(ids[i]);
    for (std::size_t offset = 0; offset < in.stride; offset += 64) {
      std::uint64_t word;
      std::memcpy(&word, row + offset, sizeof word);
      sum += word;
    }
  }
  benchmark::DoNotOptimize(sum);
}

constexpr Kernel kPlain[] = {{"read_rows_i8", true, read_rows},
                             {"read_rows_f32", false, read_rows}};

constexpr Kernel kKernels[] = {
    {"distance_i8_many", true,
     [](const KernelTable& t, Inputs& in, const std::uint32_t* ids) {
       const std::size_t bytes = kernels::code_bytes(in.dimension);
       const kernels::CodeQuery query = {in.codes, bytes, -0.01f, 1.0f,
                                         11 * static_cast<std::int32_t>(bytes)};
       t.distance_i8_many(query, in.table(), ids, kBatch, in.out);
     }},
    {"dot_i8", true,
     [](const KernelTable& t, Inputs& in, const std::uint32_t* ids) {
       const std::size_t bytes = kernels::code_bytes(in.dimension);
       for (std::size_t i = 0; i < kBatch; ++i) {
         benchmark::DoNotOptimize(t.dot_i8(in.codes, in.code_row(ids[i]), bytes));
       }
     }},
    {"sum_i8", true,
     [](const KernelTable& t, Inputs& in, const std::uint32_t* ids) {
       const std::size_t bytes = kernels::code_bytes(in.dimension);
       for (std::size_t i = 0; i < kBatch; ++i) {
         benchmark::DoNotOptimize(t.sum_i8(in.code_row(ids[i]), bytes));
       }
     }},
    {"dot_f32_many", false,
     [](const KernelTable& t, Inputs& in, const std::uint32_t* ids) {
       t.dot_f32_many(in.query, in.table(), ids, kBatch, in.dimension, in.out);
     }},
    {"squared_l2_f32_many", false,
     [](const KernelTable& t, Inputs& in, const std::uint32_t* ids) {
       t.squared_l2_f32_many(in.query, in.table(), ids, kBatch, in.dimension, in.out);
     }},
    {"dot_f32_rows", false,
     [](const KernelTable& t, Inputs& in, const std::uint32_t* ids) {
       const float* rows[kBatch];
       for (std::size_t i = 0; i < kBatch; ++i) rows[i] = in.row(ids[i]);
       t.dot_f32_rows(in.query, rows, kBatch, in.dimension, in.out);
     }},
    {"squared_l2_f32_rows", false,
     [](const KernelTable& t, Inputs& in, const std::uint32_t* ids) {
       const float* rows[kBatch];
       for (std::size_t i = 0; i < kBatch; ++i) rows[i] = in.row(ids[i]);
       t.squared_l2_f32_rows(in.query, rows, kBatch, in.dimension, in.out);
     }},
    {"dot_f32", false,
     [](const KernelTable& t, Inputs& in, const std::uint32_t* ids) {
       for_each_float_row(in, ids,
                          [&](const float* row) { return t.dot_f32(in.query, row, in.dimension); });
     }},
    {"squared_l2_f32", false,
     [](const KernelTable& t, Inputs& in, const std::uint32_t* ids) {
       for_each_float_row(in, ids, [&](const float* row) {
         return t.squared_l2_f32(in.query, row, in.dimension);
       });
     }},
    {"norm_f32", false,
     [](const KernelTable& t, Inputs& in, const std::uint32_t* ids) {
       for_each_float_row(in, ids, [&](const float* row) { return t.norm_f32(row, in.dimension); });
     }},
    {"scale_f32", false,
     [](const KernelTable& t, Inputs& in, const std::uint32_t* ids) {
       for_each_float_row(in, ids, [&](const float* row) {
         t.scale_f32(row, 0.7f, in.dimension, in.out);
         return in.out[0];
       });
     }},
    {"all_finite_f32", false,
     [](const KernelTable& t, Inputs& in, const std::uint32_t* ids) {
       for_each_float_row(in, ids,
                          [&](const float* row) { return t.all_finite_f32(row, in.dimension); });
     }},
    {"rotate_f32", false,
     [](const KernelTable& t, Inputs& in, const std::uint32_t* ids) {
       for_each_float_row(in, ids, [&](const float* row) {
         std::memcpy(in.out, row, in.dimension * sizeof(float));
         t.rotate_f32(in.out, in.signs.data(), in.dimension);
         return in.out[0];
       });
     }},
    {"encode_i8", false,
     [](const KernelTable& t, Inputs& in, const std::uint32_t* ids) {
       for_each_float_row(in, ids, [&](const float* row) {
         return t.encode_i8(row, in.dimension, kernels::code_bytes(in.dimension), in.codes).sum;
       });
     }},
};

struct Place {
  const char* name;
  std::size_t bytes;
};
constexpr Place kPlaces[] = {{"L1", 24 << 10}, {"L2", 320 << 10}, {"scattered", kTableBytes}};
constexpr std::size_t kDimensions[] = {96, 128, 300, 384, 512, 768, 1024, 1536};

void register_one(const Kernel& kernel, const std::string& target, const KernelTable* table,
                  std::size_t dimension, const Place& place) {
  const std::string name =
      std::string(kernel.name) + "/" + target + "/" + std::to_string(dimension) + "/" + place.name;
  benchmark::RegisterBenchmark(
      name.c_str(), [kernel, table, dimension, place](benchmark::State& state) {
        const std::size_t stride = kernel.codes ? kernels::code_stride(dimension)
                                                : (dimension * sizeof(float) + 63) / 64 * 64;
        Inputs in(stride, dimension, place.bytes);
        std::size_t at = 0;
        for (auto _ : state) {
          kernel.run(*table, in, in.ids.data() + at);
          benchmark::ClobberMemory();
          at += kBatch;
          if (at == in.ids.size()) at = 0;
        }
        const auto rows = static_cast<double>(state.iterations()) * kBatch;
        state.SetBytesProcessed(static_cast<std::int64_t>(rows * static_cast<double>(stride)));
        state.counters["time_per_row"] =
            benchmark::Counter(rows, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
      });
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  std::vector<std::string_view> names;
  for (const kernels::TargetInfo& target : kernels::targets()) {
    if (target.supported) {
      names.push_back(target.name);
    } else {
      std::fprintf(stderr, "%s: %s\n", std::string(target.name).c_str(),
                   std::string(target.why_not).c_str());
    }
  }
  for (const Place& place : kPlaces) {
    for (const std::size_t dimension : kDimensions) {
      for (const Kernel& kernel : kPlain) {
        register_one(kernel, "plain", *kernels::kernels_for_target(names.back()), dimension, place);
      }
      for (const Kernel& kernel : kKernels) {
        for (const std::string_view name : names) {
          register_one(kernel, std::string(name), *kernels::kernels_for_target(name), dimension,
                       place);
        }
      }
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

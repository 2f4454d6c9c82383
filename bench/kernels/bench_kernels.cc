// Every kernel on every target that this CPU executes, at the dimensions users have, over rows that
// lie in L1, in L2, or scattered over a table of 512 MiB on huge pages.
//
// A name reads kernel/target/dimension/place. Batches hold 32 ids, as one expanded node gives.
// Counters:
//   time_per_row        what to compare
//   GB_per_s            of the rows' bytes only
//   elements_per_cycle  components by ticks of the time stamp counter, where there is one
//   load_share          in L1 and L2: of what loads as wide as the target's vectors reach over the
//                       same rows. A kernel that loads its query again for every row can reach
//                       half.
//   plain_share         scattered: of what the target "plain" reaches, which reads the same rows
//                       with the same prefetch and no arithmetic
//   ceiling_GB_per_s, ceiling_load_bytes, row_bytes
//                       what the share is of, as far as known then, and which cells share it. It is
//                       measured again beside every kernel, and the report takes the best: a moment
//                       in which the machine is slow must not be the limit of a whole record.
// VICINAL_BENCH_COMMAND goes into the context as it is, which --benchmark_context would split at
// commas.
#include <benchmark/benchmark.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "bench/common/machine.h"
#include "bench/kernels/ceilings.h"
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

/// Ids of `rows` rows in random order: as many as rows, so that `scattered` comes back to a row
/// only after all others.
const std::vector<std::uint32_t>& shuffled_ids(std::size_t rows) {
  static std::map<std::size_t, std::vector<std::uint32_t>> by_rows;
  std::vector<std::uint32_t>& ids = by_rows[rows];
  if (!ids.empty()) return ids;
  ids.resize(std::max(kBatch, rows / kBatch * kBatch));
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::uint32_t>(i % rows);
  std::shuffle(ids.begin(), ids.end(), std::mt19937(1));
  return ids;
}

struct Inputs {
  Inputs(std::size_t row_stride, std::size_t n, std::size_t place_bytes)
      : segment(row_memory()),
        stride(row_stride),
        dimension(n),
        ids(shuffled_ids(std::max<std::size_t>(1, place_bytes / row_stride))),
        where(place_bytes == kTableBytes ? kernels::Rows::kScattered : kernels::Rows::kCached) {
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
  const std::vector<std::uint32_t>& ids;
  kernels::Rows where;
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
  const kernels::RowTable table = in.table();
  const auto row_at = [&](std::size_t i) { return table.row(ids[i]); };
  std::uint64_t sum = 0;
  kernels::RowsAhead ahead(kernels::Rows::kScattered, in.stride, kBatch);
  ahead.start(row_at);
  for (std::size_t i = 0; i < kBatch; ++i) {
    if (i % kernels::kRowsPerPass == 0) ahead.pass(row_at);
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
       t.distance_i8_many(query, in.table(), ids, kBatch, in.where, in.out);
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
       t.float32.dot_many(in.query, in.table(), ids, kBatch, in.dimension, in.where, in.out);
     }},
    {"squared_l2_f32_many", false,
     [](const KernelTable& t, Inputs& in, const std::uint32_t* ids) {
       t.float32.squared_l2_many(in.query, in.table(), ids, kBatch, in.dimension, in.where, in.out);
     }},
    {"dot_f32_rows", false,
     [](const KernelTable& t, Inputs& in, const std::uint32_t* ids) {
       const std::byte* rows[kBatch];
       for (std::size_t i = 0; i < kBatch; ++i) rows[i] = in.table().row(ids[i]);
       t.float32.dot_rows(in.query, rows, kBatch, in.dimension, in.out);
     }},
    {"squared_l2_f32_rows", false,
     [](const KernelTable& t, Inputs& in, const std::uint32_t* ids) {
       const std::byte* rows[kBatch];
       for (std::size_t i = 0; i < kBatch; ++i) rows[i] = in.table().row(ids[i]);
       t.float32.squared_l2_rows(in.query, rows, kBatch, in.dimension, in.out);
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

bool is_scattered(const Place& place) { return place.bytes == kTableBytes; }

/// Processor time of this thread, as Google Benchmark counts it: other work on the machine shows
/// less.
double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// Bytes of rows a second that `read` gets through, batch after batch; the best of the turns.
double bytes_per_second(const Inputs& in, int turns, double seconds_a_turn, const auto& read) {
  // Asking for the time is a call of the kernel's, as long as hundreds of short rows take.
  constexpr std::size_t kBatches = 256;
  double best = 0;
  std::size_t at = 0;
  for (int turn = 0; turn < turns; ++turn) {
    std::size_t rows = 0;
    double seconds = 0;
    const double start = thread_seconds();
    do {
      for (std::size_t i = 0; i < kBatches; ++i) {
        read(in.ids.data() + at);
        at = at + kBatch == in.ids.size() ? 0 : at + kBatch;
      }
      rows += kBatches * kBatch;
      seconds = thread_seconds() - start;
    } while (seconds < seconds_a_turn);
    best = std::max(best, static_cast<double>(rows * in.stride) / seconds);
  }
  return best;
}

/// The ceiling of a target's loads in a cache, or of plain reading where rows are scattered: the best
/// of three turns, and of another one at every later call.
double ceiling(Inputs& in, std::size_t width, const Place& place) {
  static std::map<std::tuple<std::size_t, std::size_t, std::size_t>, double> known;
  double& bytes = known[{is_scattered(place) ? 0 : width, in.stride, place.bytes}];
  const int turns = bytes > 0 ? 1 : 3;
  double measured = 0;
  if (is_scattered(place)) {
    const KernelTable unused = {};
    measured = bytes_per_second(in, turns, 0.03,
                                [&](const std::uint32_t* ids) { read_rows(unused, in, ids); });
  } else {
    measured = bytes_per_second(in, turns, 0.002, [&](const std::uint32_t* ids) {
      benchmark::DoNotOptimize(
          vicinal::bench::load_rows(in.segment, ids, kBatch, in.stride, width));
    });
  }
  bytes = std::max(bytes, measured);
  return bytes;
}

struct Case {
  Kernel kernel;
  std::string target;
  const KernelTable* table;
  std::size_t dimension;
  Place place;
};

void run_case(benchmark::State& state, const Case& c) {
  const std::size_t stride = c.kernel.codes ? kernels::code_stride(c.dimension)
                                            : (c.dimension * sizeof(float) + 63) / 64 * 64;
  Inputs in(stride, c.dimension, c.place.bytes);
  const std::size_t width = vicinal::bench::load_bytes(c.target);
  double limit = ceiling(in, width, c.place);
  std::size_t at = 0;
  const double start = thread_seconds();
  const auto first_cycle = vicinal::bench::cycles();
  for (auto _ : state) {
    c.kernel.run(*c.table, in, in.ids.data() + at);
    benchmark::ClobberMemory();
    at += kBatch;
    if (at == in.ids.size()) at = 0;
  }
  const auto last_cycle = vicinal::bench::cycles();
  const double seconds = thread_seconds() - start;
  const auto rows = static_cast<double>(state.iterations()) * kBatch;
  const double rate = rows * static_cast<double>(stride) / seconds;
  state.SetBytesProcessed(static_cast<std::int64_t>(rows * static_cast<double>(stride)));
  state.counters["time_per_row"] =
      benchmark::Counter(rows, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["GB_per_s"] = rate / 1e9;
  if (first_cycle && last_cycle) {
    state.counters["elements_per_cycle"] =
        rows * static_cast<double>(c.dimension) / static_cast<double>(*last_cycle - *first_cycle);
  }
  if (c.target != "plain" || is_scattered(c.place)) {
    // What a kernel does, plain loads can do: a ceiling below it was measured in a slow moment.
    for (int again = 0; again < 5 && rate > limit; ++again) limit = ceiling(in, width, c.place);
    state.counters["ceiling_GB_per_s"] = limit / 1e9;
    state.counters["ceiling_load_bytes"] = is_scattered(c.place) ? 0 : static_cast<double>(width);
    state.counters["row_bytes"] = static_cast<double>(stride);
    state.counters[is_scattered(c.place) ? "plain_share" : "load_share"] = rate / limit;
  }
}

void register_one(const Kernel& kernel, const std::string& target, const KernelTable* table,
                  std::size_t dimension, const Place& place) {
  const std::string name =
      std::string(kernel.name) + "/" + target + "/" + std::to_string(dimension) + "/" + place.name;
  const Case c = {kernel, target, table, dimension, place};
  benchmark::RegisterBenchmark(name.c_str(), [c](benchmark::State& state) { run_case(state, c); });
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
  const auto machine = vicinal::bench::describe_machine();
  for (const auto& [name, value] : machine.items()) {
    benchmark::AddCustomContext("machine." + name, value.get<std::string>());
  }
  if (const char* command = std::getenv("VICINAL_BENCH_COMMAND"); command != nullptr) {
    benchmark::AddCustomContext("command", command);
  }
  const std::size_t matched = benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  // The library says so, and ends well.
  return matched == 0 ? 1 : 0;
}

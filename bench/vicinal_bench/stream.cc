// vicinal-bench stream: an index in memory is saved to bytes and loaded from them, against copying the
// same bytes into fresh memory by one thread.
#include <cstring>
#include <memory>
#include <random>

#include "bench/vicinal_bench/common.h"
#include "tools/arguments.h"
#include "tools/names.h"

namespace vicinal::bench {
namespace {

struct Arguments {
  IndexArguments index;
  std::string base;
  std::uint64_t rows = 100'000;
  std::uint32_t dimension = 384;
  std::uint64_t repeats = 5;
};

Result<matrix::Matrix> rows_of(const Arguments& arguments) {
  if (!arguments.base.empty()) return load_rows(arguments.base, arguments.rows);
  matrix::Matrix random;
  random.rows = arguments.rows;
  random.dimension = arguments.dimension;
  random.values.resize(arguments.rows * arguments.dimension);
  std::mt19937_64 bits(arguments.index.seed);
  std::normal_distribution<float> component;
  for (float& value : random.values) value = component(bits);
  return random;
}

/// Every byte is written to memory that the process did not have before.
double copy_seconds(const std::vector<std::byte>& bytes) {
  const Clock::time_point start = Clock::now();
  const std::unique_ptr<std::byte[]> fresh(new std::byte[bytes.size()]);
  std::memcpy(fresh.get(), bytes.data(), bytes.size());
  // The copy is looked at, or it need not be made.
  volatile std::byte last = fresh[bytes.size() - 1];
  static_cast<void>(last);
  return seconds_since(start);
}

Status measure(const Arguments& arguments) {
  Result<matrix::Matrix> base = rows_of(arguments);
  if (!base.ok()) return base.status();
  const IndexOptions options = arguments.index.options(base->dimension);
  Result<Index> index = Index::in_memory(options);
  if (!index.ok()) return index.status();
  if (Status s = preload(*index, *base, arguments.rows, "building"); !s.ok()) return s;
  std::vector<double> saving;
  std::vector<double> loading;
  std::vector<double> copying;
  std::vector<std::byte> bytes;
  for (std::uint64_t i = 0; i < arguments.repeats; ++i) {
    bytes.clear();
    Clock::time_point start = Clock::now();
    const Status saved = index->save([&](std::span<const std::byte> piece) {
      bytes.insert(bytes.end(), piece.begin(), piece.end());
      return Status();
    });
    if (!saved.ok()) return saved;
    saving.push_back(seconds_since(start));
    copying.push_back(copy_seconds(bytes));
    std::size_t at = 0;
    start = Clock::now();
    const Result<Index> copy = Index::load(
        [&](std::span<std::byte> room) -> Result<std::size_t> {
          const std::size_t count = std::min(room.size(), bytes.size() - at);
          std::memcpy(room.data(), bytes.data() + at, count);
          at += count;
          return count;
        },
        {.threads = arguments.index.threads});
    if (!copy.ok()) return copy.status();
    loading.push_back(seconds_since(start));
  }
  const double load = median(loading);
  const double copy = median(copying);
  print_line({{"engine", "vicinal"},
              {"n", arguments.rows},
              {"dim", base->dimension},
              {"quantization", quantization_name(index->options().quantization)},
              {"threads", arguments.index.thread_count()},
              {"bytes", bytes.size()},
              {"save_s", rounded(median(saving), 4)},
              {"copy_s", rounded(copy, 4)},
              {"load_s", rounded(load, 4)},
              {"load_by_copy", rounded(load / copy, 2)}});
  return {};
}

}  // namespace

void add_stream(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("stream", "Saving to bytes and loading, against copying the bytes");
  tools::add_text(*command, "--base", arguments->base, "Vectors (default: random ones)");
  tools::add_whole(*command, "--rows", arguments->rows, tools::kSomeRows, "Vectors")
      ->capture_default_str();
  command->add_option("--dimension", arguments->dimension, "Of random vectors")
      ->check(CLI::Range(1, 65'536))
      ->capture_default_str();
  command->add_option("--repeats", arguments->repeats, "Times; the median is told")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  add_index_arguments(*command, arguments->index);
  command->callback([arguments, &exit_code] {
    const Status status = measure(*arguments);
    exit_code = status.ok() ? 0 : print_error(status);
  });
}

}  // namespace vicinal::bench

// Vicinal as one of the engines compared.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "bench/compare/engine.h"
#include "bench/vicinal_bench/common.h"

namespace vicinal::bench {
namespace {

class VicinalEngine : public Engine {
 public:
  VicinalEngine(Index index, Feeding feeding) : index_(std::move(index)), feeding_(feeding) {}

  Status build(const float* rows, std::size_t count, unsigned threads) override {
    if (feeding_ == Feeding::kSingle) return build_singly(rows, count, threads);
    BatchOptions options;
    options.threads = threads;
    options.progress = until_interrupted();
    const std::span<const float> values(rows, count * index_.dimension());
    const Result<BatchResult> done = index_.upsert_batch(counted_labels(0, count), values, options);
    return done.ok() ? Status() : done.status();
  }

  Status insert(std::size_t row_number, const float* row) override {
    const Result<UpsertOutcome> done = index_.upsert(row_number, {row, index_.dimension()});
    return done.ok() ? Status() : done.status();
  }

  Status erase(std::size_t row_number) override {
    const Result<EraseOutcome> done = index_.erase(row_number);
    if (!done.ok()) return done.status();
    return *done == EraseOutcome::kErased
               ? Status()
               : Status::invalid_argument("vicinal: the row is not there");
  }

  Status restore(std::size_t row_number, const float* row) override {
    const Result<UpsertOutcome> done = index_.upsert(row_number, {row, index_.dimension()});
    if (!done.ok()) return done.status();
    return *done == UpsertOutcome::kResurrected
               ? Status()
               : Status::invalid_argument("vicinal: the row was not erased as it was");
  }

  std::size_t search(const float* query, std::size_t k, std::size_t ef, Label* labels) override {
    const std::size_t found = search_counted(query, k, ef, nullptr);
    for (std::size_t i = 0; i < found; ++i) labels[i] = hits_[i].label;
    return found;
  }

  std::uint64_t row_bytes_read(const float* query, std::size_t k, std::size_t ef) override {
    SearchCounters counters;
    search_counted(query, k, ef, &counters);
    return counters.row_bytes;
  }

  std::uint64_t bytes() const override { return index_.stats().bytes_in_memory(); }

 private:
  std::size_t search_counted(const float* query, std::size_t k, std::size_t ef,
                             SearchCounters* counters) {
    hits_.resize(k);
    SearchOptions options;
    options.k = k;
    options.ef_search = ef;
    const Result<std::size_t> found =
        index_.search_into({query, index_.dimension()}, options, hits_, counters);
    return found.ok() ? *found : 0;
  }

  Status build_singly(const float* rows, std::size_t count, unsigned threads) {
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    Status first_error;
    std::vector<std::thread> workers;
    for (unsigned t = 0; t < threads; ++t) {
      workers.emplace_back([&] {
        for (std::size_t row = next++; row < count; row = next++) {
          Status s = insert(row, rows + row * index_.dimension());
          if (s.ok()) s = check_interrupted();
          if (s.ok()) continue;
          const std::lock_guard lock(mutex);
          if (first_error.ok()) first_error = s;
          return;
        }
      });
    }
    for (std::thread& worker : workers) worker.join();
    return first_error;
  }

  Index index_;
  Feeding feeding_;
  std::vector<Hit> hits_;
};

}  // namespace

std::unique_ptr<Engine> make_vicinal(const Shape& shape, Quantization quantization,
                                     Feeding feeding) {
  IndexOptions options;
  options.dimension = static_cast<std::uint32_t>(shape.dimension);
  options.M = static_cast<std::uint32_t>(shape.M);
  options.ef_construction = static_cast<std::uint32_t>(shape.ef_construction);
  options.seed = shape.seed;
  options.quantization = quantization;
  options.reserve = shape.capacity;
  if (shape.keeps_erased) options.repair_share = 0;
  Result<Index> index = Index::in_memory(options);
  if (!index.ok()) return nullptr;
  return std::make_unique<VicinalEngine>(std::move(*index), feeding);
}

}  // namespace vicinal::bench

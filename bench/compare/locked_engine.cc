// An engine as those use it who do not trust it beside writers: behind a shared mutex.
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "bench/compare/engine.h"

namespace vicinal::bench {
namespace {

class LockedEngine : public Engine {
 public:
  explicit LockedEngine(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}

  Status build(const float* rows, std::size_t count, unsigned threads) override {
    const std::lock_guard lock(mutex_);
    return engine_->build(rows, count, threads);
  }

  Status insert(std::size_t row_number, const float* row) override {
    const std::lock_guard lock(mutex_);
    return engine_->insert(row_number, row);
  }

  Status erase(std::size_t row_number) override {
    const std::lock_guard lock(mutex_);
    return engine_->erase(row_number);
  }

  Status restore(std::size_t row_number, const float* row) override {
    const std::lock_guard lock(mutex_);
    return engine_->restore(row_number, row);
  }

  std::size_t search(const float* query, std::size_t k, std::size_t ef, Label* labels) override {
    const std::shared_lock lock(mutex_);
    return engine_->search(query, k, ef, labels);
  }

  std::uint64_t row_bytes_read(const float* query, std::size_t k, std::size_t ef) override {
    const std::shared_lock lock(mutex_);
    return engine_->row_bytes_read(query, k, ef);
  }

  std::uint64_t bytes() const override { return engine_->bytes(); }

 private:
  std::shared_ptr<Engine> engine_;
  std::shared_mutex mutex_;
};

}  // namespace

std::unique_ptr<Engine> make_locked(std::shared_ptr<Engine> engine) {
  return std::make_unique<LockedEngine>(std::move(engine));
}

}  // namespace vicinal::bench

#include "bench/vicinal_bench/live_world.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <utility>

#include "tools/progress.h"

namespace vicinal::bench {
namespace {

// A write into the bystander waits for the machine only; it need not be large for that.
constexpr std::uint64_t kBystanderRows = 1000;
constexpr std::uint64_t kBystanderSpare = 16;

std::vector<std::uint32_t> counted_rows(std::uint64_t count) {
  std::vector<std::uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), 0u);
  return rows;
}

/// `rows` without those in `out`, both of a base of `base_rows`; keeps the order.
std::vector<std::uint32_t> without(std::vector<std::uint32_t> rows,
                                   const std::vector<std::uint32_t>& out, std::uint64_t base_rows) {
  std::vector<bool> gone(base_rows, false);
  for (const std::uint32_t row : out) gone[row] = true;
  std::erase_if(rows, [&gone](std::uint32_t row) { return gone[row]; });
  return rows;
}

bool starts_with(const std::vector<std::uint32_t>& all, const std::vector<std::uint32_t>& part) {
  return part.size() <= all.size() && std::equal(part.begin(), part.end(), all.begin());
}

void begin_with(LiveIndex& made, const std::vector<std::uint32_t>& rows) {
  made.first.clear();
  for (const std::uint32_t row : rows) made.first.push_back({row, row});
  made.count.reset(rows.size());
}

}  // namespace

void RowPool::fill(std::uint64_t first, std::uint64_t end) {
  const std::lock_guard lock(mutex_);
  rows_.resize(end - first);
  std::iota(rows_.begin(), rows_.end(), static_cast<std::uint32_t>(first));
}

std::optional<std::uint32_t> RowPool::take() {
  const std::lock_guard lock(mutex_);
  if (rows_.empty()) return std::nullopt;
  const std::uint32_t row = rows_.front();
  rows_.pop_front();
  return row;
}

std::vector<std::uint32_t> RowPool::take(std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  const auto end =
      rows_.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(count, rows_.size()));
  std::vector<std::uint32_t> taken(rows_.begin(), end);
  rows_.erase(rows_.begin(), end);
  return taken;
}

void RowPool::give(std::uint32_t row) {
  const std::lock_guard lock(mutex_);
  rows_.push_back(row);
}

std::size_t RowPool::size() {
  const std::lock_guard lock(mutex_);
  return rows_.size();
}

LiveWorld::~LiveWorld() {
  for (LiveIndex* made : {&measured_, &control_, &bystander_}) drop(*made);
  std::error_code ignored;
  if (made_folder_) std::filesystem::remove(arguments_.store, ignored);
}

Status LiveWorld::open() {
  if (!stored()) return {};
  std::error_code error;
  made_folder_ = std::filesystem::create_directories(arguments_.store, error);
  if (error) {
    return Status::io_error(fmt::format("{}: {}", arguments_.store, error.message()));
  }
  const auto entries = std::distance(std::filesystem::directory_iterator(arguments_.store),
                                     std::filesystem::directory_iterator());
  if (entries == 0) return {};
  return Status::invalid_argument(
      fmt::format("{}: {} entries, live makes its stores in an empty folder and removes them",
                  arguments_.store, entries));
}

void LiveWorld::drop(LiveIndex& made) {
  if (made.bench == nullptr) return;
  made.bench.reset();
  std::error_code ignored;
  if (stored()) std::filesystem::remove_all(folder(made.name), ignored);
}

Status LiveWorld::build(LiveIndex& made, std::vector<std::uint32_t> rows, double repair_share) {
  drop(made);
  made.ranking = {};
  IndexArguments arguments = arguments_;
  if (stored()) arguments.store = folder(made.name);
  IndexOptions options = arguments.options(base_.dimension);
  options.repair_share = repair_share;
  options.reserve = base_.rows;
  Result<Bench> bench = make_bench(arguments, options);
  if (!bench.ok()) return bench.status();
  made.bench = std::make_unique<Bench>(std::move(*bench));
  const std::vector<Label> labels(rows.begin(), rows.end());
  std::vector<float> vectors;
  vectors.reserve(rows.size() * base_.dimension);
  for (const std::uint32_t row : rows) {
    const std::span<const float> values = base_.row(row);
    vectors.insert(vectors.end(), values.begin(), values.end());
  }
  tools::ProgressBar bar("building, " + made.name, rows.size(), "rows");
  BatchOptions batch;
  batch.progress = bar.callback_from(0);
  if (Status s = made.index().upsert_batch(labels, vectors, batch).status(); !s.ok()) return s;
  made.built = std::move(rows);
  return made.index().checkpoint();
}

Status LiveWorld::prepare(const Setup& setup) {
  if (Status s = prepare_measured(setup); !s.ok()) return s;
  if (Status s = prepare_control(setup); !s.ok()) return s;
  return prepare_bystander(setup);
}

Status LiveWorld::prepare_measured(const Setup& setup) {
  const bool usable = measured_.bench != nullptr && !touched_ &&
                      measured_.built.size() == setup.preload &&
                      repair_share_ == setup.repair_share && starts_with(setup.erased, erased_);
  if (!usable) {
    Status s = build(measured_, counted_rows(setup.preload), setup.repair_share);
    if (!s.ok()) return s;
    touched_ = false;
    erased_.clear();
    repair_share_ = setup.repair_share;
  }
  const std::vector<Label> more(setup.erased.begin() + static_cast<std::ptrdiff_t>(erased_.size()),
                                setup.erased.end());
  if (!more.empty()) {
    if (Status s = measured_.index().erase_batch(more).status(); !s.ok()) return s;
    if (Status s = measured_.index().checkpoint(); !s.ok()) return s;
  }
  erased_ = setup.erased;
  begin_with(measured_, without(measured_.built, erased_, base_.rows));
  measured_.pool.fill(setup.preload, base_.rows);
  return {};
}

Status LiveWorld::prepare_control(const Setup& setup) {
  std::vector<std::uint32_t> rows = counted_rows(setup.preload);
  if (setup.fresh_control) rows = without(std::move(rows), setup.erased, base_.rows);
  if (control_.bench == nullptr || control_.built != rows) {
    if (Status s = build(control_, rows, setup.repair_share); !s.ok()) return s;
  }
  begin_with(control_, rows);
  return {};
}

Status LiveWorld::prepare_bystander(const Setup& setup) {
  if (!setup.bystander) return {};
  const std::uint64_t rows = std::min(kBystanderRows, setup.preload);
  if (Status s = build(bystander_, counted_rows(rows), 0.2); !s.ok()) return s;
  begin_with(bystander_, bystander_.built);
  bystander_.pool.fill(rows, std::min(base_.rows, rows + kBystanderSpare));
  return {};
}

}  // namespace vicinal::bench

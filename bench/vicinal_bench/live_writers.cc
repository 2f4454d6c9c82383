#include "bench/vicinal_bench/live_writers.h"

#include <optional>
#include <thread>

namespace vicinal::bench {
namespace {

constexpr std::chrono::milliseconds kTricklePause{1};

Status write_once(WriteKind kind, Writer& writer) {
  switch (kind) {
    case WriteKind::kInsert:
      return writer.insert();
    case WriteKind::kUpdate:
      return writer.update();
    case WriteKind::kErase:
      return writer.erase();
    case WriteKind::kNone:
      break;
  }
  return writer.can_insert() ? writer.insert() : Status();
}

}  // namespace

Writer::Writer(LiveWorld& world, LiveIndex& made, std::size_t part, std::size_t parts,
               std::uint64_t seed)
    : world_(world), made_(made), random_(seed + part) {
  for (std::size_t i = part; i < made.first.size(); i += parts) owned_.push_back(made.first[i]);
}

std::size_t Writer::pick() {
  return std::uniform_int_distribution<std::size_t>(0, owned_.size() - 1)(random_);
}

Result<std::uint32_t> Writer::take_row() {
  const bool own_first = keeps_rows_ && !spare_.empty();
  const std::optional<std::uint32_t> row = own_first ? std::nullopt : made_.pool.take();
  if (row.has_value()) return *row;
  if (spare_.empty()) {
    if (owned_.size() <= 1) return Status::full("no vector is left to write");
    if (Status s = erase_at(0, false); !s.ok()) return s;
  }
  const std::uint32_t spare = spare_.front();
  spare_.pop_front();
  return spare;
}

void Writer::free_row(std::uint32_t row) {
  if (keeps_rows_ || spare_.empty()) {
    spare_.push_back(row);
  } else {
    made_.pool.give(row);
  }
}

Status Writer::upsert(Write write) {
  const std::span<const float> vector = world_.base().row(write.row_in);
  write.timed = true;
  write.begin = now_ns();
  Result<UpsertOutcome> done = made_.index().upsert(write.label, vector);
  write.end = now_ns();
  if (done.ok()) log_.push_back(write);
  return done.status();
}

Status Writer::erase_at(std::size_t at, bool timed) {
  const Entry entry = owned_[at];
  Write write{.label = entry.label, .row_out = entry.row, .timed = timed};
  made_.count.erasing();
  write.begin = now_ns();
  Result<EraseOutcome> done = made_.index().erase(entry.label);
  write.end = now_ns();
  if (!done.ok()) return done.status();
  log_.push_back(write);
  owned_.erase(owned_.begin() + static_cast<std::ptrdiff_t>(at));
  free_row(entry.row);
  return {};
}

Status Writer::insert() {
  const Result<std::uint32_t> row = take_row();
  if (!row.ok()) return row.status();
  const Entry entry{world_.next_label(), *row};
  if (Status s = upsert({.label = entry.label, .row_in = entry.row}); !s.ok()) return s;
  made_.count.added(1);
  owned_.push_back(entry);
  return {};
}

Status Writer::update() {
  const Result<std::uint32_t> row = take_row();
  if (!row.ok()) return row.status();
  Entry& entry = owned_[pick()];
  Status s = upsert({.label = entry.label, .row_out = entry.row, .row_in = *row});
  if (!s.ok()) return s;
  free_row(entry.row);
  entry.row = *row;
  return {};
}

Status Writer::erase() {
  if (owned_.size() <= 1) return {};
  // The last takes the place of the one picked, so that taking out is cheap.
  std::swap(owned_[pick()], owned_.back());
  return erase_at(owned_.size() - 1, true);
}

Status write_until(const WriterPlan& plan, Writer& writer, Writer* bystander,
                   std::atomic<bool>& stop) {
  const std::chrono::duration<double> between(plan.between);
  const Clock::time_point start = Clock::now();
  Status status;
  for (std::uint64_t i = 0; !stop.load(std::memory_order_relaxed) && status.ok(); ++i) {
    status = write_once(plan.kind, writer);
    if (status.ok() && bystander != nullptr) status = write_once(WriteKind::kUpdate, *bystander);
    if (plan.trickle) {
      std::this_thread::sleep_for(kTricklePause);
    } else if (plan.between > 0) {
      std::this_thread::sleep_until(start + std::chrono::duration_cast<Clock::duration>(
                                                between * static_cast<double>(i + 1)));
    }
  }
  if (!status.ok()) stop = true;
  return status;
}

}  // namespace vicinal::bench

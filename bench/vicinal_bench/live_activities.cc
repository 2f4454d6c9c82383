#include "bench/vicinal_bench/live_activities.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>

namespace vicinal::bench {
namespace {

Result<Store> store_of(LiveWorld& world) {
  const std::optional<Store>& store = world.measured().bench->store;
  if (!store.has_value()) return Status::invalid_argument("the index is in memory");
  return *store;
}

/// A call without writes and without anything to make ready.
class PlainActivity final : public Activity {
 public:
  using Call = std::function<Status(const ProgressCallback& go_on)>;
  explicit PlainActivity(Call call) : call_(std::move(call)) {}

 protected:
  Status round(const ProgressCallback& go_on) override { return call_(go_on); }

 private:
  Call call_;
};

/// One upsert_batch by one thread.
class BatchActivity final : public Activity {
 public:
  BatchActivity(LiveWorld& world, std::uint64_t rows) : world_(world), wanted_(rows) {}
  std::vector<Write> log() const override { return log_; }

 protected:
  bool once() const override { return true; }

  Status make_ready() override {
    LiveIndex& made = world_.measured();
    const std::vector<std::uint32_t> rows = made.pool.take(wanted_);
    const Label first = world_.next_label(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      log_.push_back({.label = first + i, .row_in = rows[i]});
      labels_.push_back(first + i);
      const std::span<const float> values = world_.base().row(rows[i]);
      vectors_.insert(vectors_.end(), values.begin(), values.end());
    }
    return {};
  }

  Status round(const ProgressCallback& go_on) override {
    LiveIndex& made = world_.measured();
    BatchOptions options;
    options.threads = 1;
    options.progress = go_on;
    const std::int64_t begin = now_ns();
    Status status = made.index().upsert_batch(labels_, vectors_, options).status();
    const std::int64_t end = now_ns();
    if (status.ok()) made.count.added(labels_.size());
    for (Write& write : log_) {
      write.begin = begin;
      write.end = end;
    }
    return status;
  }

 private:
  LiveWorld& world_;
  std::uint64_t wanted_;
  std::vector<Label> labels_;
  std::vector<float> vectors_;
  std::vector<Write> log_;
};

/// Erases some of what it owns, after giving back as many from the second round on; then repairs.
class RepairActivity final : public Activity {
 public:
  RepairActivity(LiveWorld& world, Writer& own) : world_(world), own_(own) { own_.keep_rows(); }

 protected:
  Status make_ready() override {
    const std::uint64_t count = std::max<std::uint64_t>(1, world_.measured().first.size() / 20);
    Status status;
    for (std::uint64_t i = 0; i < count && status.ok() && rounds() > 0; ++i) status = own_.insert();
    for (std::uint64_t i = 0; i < count && status.ok(); ++i) status = own_.erase();
    return status;
  }
  Status round(const ProgressCallback& go_on) override {
    RepairOptions options;
    options.progress = go_on;
    return world_.measured().index().repair(options).status();
  }

 private:
  LiveWorld& world_;
  Writer& own_;
};

class CheckpointActivity final : public Activity {
 public:
  CheckpointActivity(LiveWorld& world, Writer& own) : world_(world), own_(own) {}

 protected:
  Status make_ready() override {
    const std::uint64_t count = std::max<std::uint64_t>(1, world_.measured().first.size() / 100);
    Status status;
    for (std::uint64_t i = 0; i < count && status.ok(); ++i) status = own_.update();
    return status;
  }
  Status round(const ProgressCallback& go_on) override {
    return world_.measured().index().checkpoint(go_on);
  }

 private:
  LiveWorld& world_;
  Writer& own_;
};

class BackupActivity final : public Activity {
 public:
  explicit BackupActivity(LiveWorld& world) : world_(world), folder_(world.folder("backup")) {}
  ~BackupActivity() override { remove(); }

 protected:
  Status make_ready() override {
    remove();
    return {};
  }
  Status round(const ProgressCallback&) override {
    Result<Store> store = store_of(world_);
    return store.ok() ? store->backup(folder_) : store.status();
  }

 private:
  void remove() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  LiveWorld& world_;
  std::string folder_;
};

PlainActivity::Call plain_call(ActivityKind kind, LiveWorld& world) {
  if (kind == ActivityKind::kRebuild) {
    return [&world](const ProgressCallback& go_on) {
      BatchOptions options;
      options.threads = 1;
      options.progress = go_on;
      return world.measured().index().rebuild(options);
    };
  }
  if (kind == ActivityKind::kValidateDeep) {
    return [&world](const ProgressCallback& go_on) {
      ValidateOptions options;
      options.deep = true;
      options.progress = go_on;
      return world.measured().index().validate(options).status();
    };
  }
  return [&world](const ProgressCallback&) {
    Result<Store> store = store_of(world);
    if (!store.ok()) return store.status();
    return store->index("bench", world.measured().index().options()).status();
  };
}

}  // namespace

Status Activity::run(std::atomic<bool>& stop) {
  Status status;
  const ProgressCallback go_on = [&stop](const Progress&) { return !stop; };
  while (!stop) {
    status = make_ready();
    if (!status.ok() || stop) break;
    const std::int64_t begin = now_ns();
    open_ = true;
    status = round(go_on);
    open_ = false;
    spans_.emplace_back(begin, now_ns());
    if (!status.ok()) break;
    ++rounds_;
    if (once()) break;
  }
  over_ = true;
  if (status.code() == StatusCode::kCancelled && stop) return {};
  if (!status.ok()) stop = true;
  return status;
}

std::unique_ptr<Activity> make_activity(ActivityKind kind, LiveWorld& world, Writer& own) {
  const std::uint64_t live = world.measured().first.size();
  switch (kind) {
    case ActivityKind::kNone:
      return nullptr;
    case ActivityKind::kBatchQuarter:
      return std::make_unique<BatchActivity>(world, live / 4);
    case ActivityKind::kBatchTenfold:
      return std::make_unique<BatchActivity>(world, live * 10);
    case ActivityKind::kRepair:
      return std::make_unique<RepairActivity>(world, own);
    case ActivityKind::kCheckpoint:
      return std::make_unique<CheckpointActivity>(world, own);
    case ActivityKind::kBackup:
      return std::make_unique<BackupActivity>(world);
    case ActivityKind::kRebuild:
    case ActivityKind::kValidateDeep:
    case ActivityKind::kOpenAgain:
      break;
  }
  return std::make_unique<PlainActivity>(plain_call(kind, world));
}

}  // namespace vicinal::bench

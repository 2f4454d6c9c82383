#include "engine/store_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "engine/base/check.h"
#include "engine/options_check.h"
#include "graph/row_codec.h"

namespace vicinal::engine {
namespace {

Status refused_inside(const IndexCore& index) {
  return Status::busy(
      fmt::format("index \"{}\" cannot be closed from a callback of its own calls", index.name()));
}

// A rebuild waits for the searches of before: who waits for the rebuild must not be in one.
Status refused_in_search(const std::string& path) {
  return Status::busy(
      fmt::format("store \"{}\": neither it nor its indexes can be closed from the callback of a "
                  "search, save() or validate()",
                  path));
}

}  // namespace

Result<std::shared_ptr<StoreCore>> StoreCore::open(const std::string& path,
                                                   const StoreOptions& options) {
  Result<std::unique_ptr<persist::StoreFile>> file = persist::StoreFile::open(path, options);
  if (!file) return file.status();
  try {
    return std::shared_ptr<StoreCore>(new StoreCore(std::move(*file)),
                                      [](StoreCore* core) { CallScope::finish_outside(*core); });
  } catch (const std::system_error& e) {
    return Status::io_error(fmt::format("no thread for the store \"{}\": {}", path, e.what()));
  }
}

StoreCore::StoreCore(std::unique_ptr<persist::StoreFile> file)
    : path_(file->path()), file_(std::move(file)), watch_(*file_) {
  const StoreOptions& options = file_->options();
  if (options.background && !options.read_only) {
    const auto look = [this] {
      watch_.look();
      return file_->delete_dropped();
    };
    background_ = std::make_unique<Background>(look, options.checkpoint_bytes);
    if (file_->has_dropped()) background_->wake();
  }
}

void StoreCore::finish() noexcept {
  if (!calls_.forked()) {
    if (background_ != nullptr && background_->is_this_thread()) {
      background_->end_with(*this);
      return;
    }
    // Who has paused writes would wait for writers that wait for him. Put off, this may be gone at once.
    while (const std::shared_ptr<IndexCore> paused = paused_by_this_thread()) {
      if (paused->put_off_until_writes(*this)) return;
    }
  }
  delete this;
}

StoreCore::~StoreCore() {
  if (calls_.forked()) {  // all of it is the parent's
    static_cast<void>(background_.release());
    static_cast<void>(file_.release());
    return;
  }
  // Nobody is left to tell; what could not be checkpointed stands in the journal.
  if (file_ != nullptr) static_cast<void>(end());
}

Status StoreCore::closed_status() const {
  if (calls_.forked()) {
    return Status::closed(fmt::format(
        "store \"{}\" was opened before fork(): this process must open it itself", path_));
  }
  return Status::closed(fmt::format("store \"{}\" is closed", path_));
}

Status StoreCore::refused() const {
  return Status::busy(fmt::format(
      "store \"{}\" is opening or changing an index, for which a callback must not wait", path_));
}

std::vector<std::shared_ptr<IndexCore>> StoreCore::open_indexes() {
  const internal::MutexLock lock(registry_);
  std::vector<std::shared_ptr<IndexCore>> open;
  open.reserve(indexes_.size());
  for (const auto& entry : indexes_) open.push_back(entry.second);
  return open;
}

std::shared_ptr<IndexCore> StoreCore::paused_by_this_thread() {
  const internal::MutexLock lock(registry_);
  const auto found = std::find_if(indexes_.begin(), indexes_.end(), [](const auto& entry) {
    return entry.second->paused_by_this_thread();
  });
  return found == indexes_.end() ? nullptr : found->second;
}

std::shared_ptr<IndexCore> StoreCore::find(std::string_view name) {
  const internal::MutexLock lock(registry_);
  const auto found = indexes_.find(name);
  return found == indexes_.end() ? nullptr : found->second;
}

Result<std::shared_ptr<IndexCore>> StoreCore::load(std::string_view name,
                                                   const IndexOptions& options,
                                                   std::unique_ptr<persist::IndexRecords> records) {
  StoreLink link;
  link.file = file_.get();
  link.records = std::move(records);
  Background* const background = background_.get();
  const auto watched = std::make_shared<Background::Watched>();
  if (background != nullptr) {
    link.on_write = [background, watched] { background->wake(watched); };
  } else if (file_->options().on_event && !file_->options().read_only) {
    link.on_write = [this] { watch_.look(); };
  }
  Result<std::shared_ptr<IndexCore>> core =
      IndexCore::make(std::string(name), options, std::move(link));
  if (!core) return core.status();
  const internal::MutexLock lock(registry_);
  indexes_.emplace(name, *core);
  if (background != nullptr) background->begin(watched, *core);
  return *core;
}

Result<std::shared_ptr<IndexCore>> StoreCore::load_stored(std::string_view name,
                                                          const IndexOptions& tuning,
                                                          Agreement& agree) {
  for (;;) {
    Result<std::unique_ptr<persist::IndexRecords>> records = file_->open_index(name);
    if (!records) return records.status();
    const persist::StoredOptions stored = (*records)->options();
    VICINAL_RETURN_IF_ERROR(agree(name, tuning, stored));
    const std::uint32_t id = (*records)->id();
    Result<std::shared_ptr<IndexCore>> loaded =
        load(name, with_stored(tuning, stored), std::move(*records));
    if (loaded.status().code() != StatusCode::kCorruption || file_->dropped_since(name, id).ok()) {
      return loaded;
    }
  }
}

template <typename Load>
Result<std::shared_ptr<IndexCore>> StoreCore::open_once(std::string_view name,
                                                        const IndexOptions& options,
                                                        Agreement& agree, const Load& load) {
  VICINAL_RETURN_IF_ERROR(check_index_name(name));
  const Gate::Pass pass(calls_);
  if (!pass) return closed_status();
  const auto find_open = [&]() -> Result<std::shared_ptr<IndexCore>> {
    std::shared_ptr<IndexCore> open = find(name);
    if (open != nullptr) {
      VICINAL_RETURN_IF_ERROR(agree(name, options, stored_part(open->options())));
    }
    return open;
  };
  // What is open is compared in memory: nobody is asked for a turn, nor the file.
  if (Result<std::shared_ptr<IndexCore>> open = find_open(); !open || *open) return open;
  const NamedTurns::Taken turn(opening_, name, !CallbackScope::active());
  if (!turn) return refused();
  if (Result<std::shared_ptr<IndexCore>> open = find_open(); !open || *open) return open;
  return load();
}

Result<std::shared_ptr<IndexCore>> StoreCore::index(std::string_view name,
                                                    const IndexOptions& options) {
  return open_once(name, options, check_agreement, [&]() -> Result<std::shared_ptr<IndexCore>> {
    Result<std::shared_ptr<IndexCore>> loaded = load_stored(name, options, check_agreement);
    if (loaded.status().code() != StatusCode::kNotFound) return loaded;
    VICINAL_RETURN_IF_ERROR(check_options(options));
    Result<std::unique_ptr<persist::IndexRecords>> records =
        file_->create_index(name, stored_part(options));
    if (!records) return records.status();
    return load(name, options, std::move(*records));
  });
}

Result<std::shared_ptr<IndexCore>> StoreCore::open_index(std::string_view name,
                                                         const IndexOptions& tuning) {
  return open_once(name, tuning, check_tuning,
                   [&] { return load_stored(name, tuning, check_tuning); });
}

Result<std::vector<std::string>> StoreCore::index_names() {
  const Gate::Pass pass(calls_);
  if (!pass) return closed_status();
  return file_->index_names();
}

Status StoreCore::drop_index(std::string_view name) {
  VICINAL_RETURN_IF_ERROR(check_index_name(name));
  const Gate::Pass pass(calls_);
  if (!pass) return closed_status();
  VICINAL_RETURN_IF_ERROR(take_from_catalog(name));
  // The name is free: whoever makes it anew does not wait for this.
  while (file_->delete_dropped()) {
  }
  return {};
}

Status StoreCore::take_from_catalog(std::string_view name) {
  // Ends behind the turn: what a caller's callback owns ends with it, and may call us.
  std::shared_ptr<IndexCore> open;
  const NamedTurns::Taken turn(opening_, name, !CallbackScope::active());
  if (!turn) return refused();
  if (file_->options().read_only) {
    return Status::read_only(fmt::format("store \"{}\" is opened for reading", path_));
  }
  open = find(name);
  if (open != nullptr) {
    if (open->thread_is_inside()) return refused_inside(*open);
    if (graph::Moment::thread_is_inside()) return refused_in_search(path_);
    static_cast<void>(open->close(false));
    const internal::MutexLock registry(registry_);
    indexes_.erase(indexes_.find(name));
  }
  return file_->drop_index(name);
}

Status StoreCore::checkpoint() {
  const Gate::Pass pass(calls_);
  if (!pass) return closed_status();
  while (file_->delete_dropped()) {
  }
  for (const std::shared_ptr<IndexCore>& index : open_indexes()) {
    VICINAL_RETURN_IF_ERROR(index->checkpoint({}));
  }
  if (background_ == nullptr) watch_.look();
  return {};
}

Status StoreCore::sync() {
  const Gate::Pass pass(calls_);
  if (!pass) return closed_status();
  return file_->sync();
}

Status StoreCore::backup(const std::string& path) {
  const Gate::Pass pass(calls_);
  if (!pass) return closed_status();
  return file_->backup(path);
}

namespace {

/// The records of an index that is not open.
Result<std::uint64_t> verify_closed(persist::StoreFile& file, const std::string& name,
                                    std::vector<std::string>* lines) {
  const Result<std::unique_ptr<persist::IndexRecords>> records = file.open_index(name);
  if (!records) return records.status();
  Result<std::uint64_t> failed = (*records)->verify(lines);
  if (failed && *failed == 0) return failed;
  const Status dropped = file.dropped_since(name, (*records)->id());
  return dropped.ok() ? std::move(failed) : dropped;
}

}  // namespace

Result<std::uint64_t> StoreCore::verify_records(std::vector<std::string>* messages) {
  constexpr std::size_t kMostMessages = 100;
  const Gate::Pass pass(calls_);
  if (!pass) return closed_status();
  const Result<std::vector<std::string>> names = file_->index_names();
  if (!names) return names.status();
  const Result<std::uint64_t> strays = file_->verify_ids(messages);
  if (!strays) return strays.status();
  std::uint64_t failures = *strays;
  for (const std::string& name : *names) {
    const NamedTurns::Taken turn(opening_, name, !CallbackScope::active());
    if (!turn) return refused();
    std::vector<std::string> lines;
    Result<std::uint64_t> failed = std::uint64_t{0};
    if (const std::shared_ptr<IndexCore> open = find(name)) {
      failed = open->verify_records(&lines);
    } else {
      failed = verify_closed(*file_, name, &lines);
    }
    if (failed.status().code() == StatusCode::kNotFound) continue;  // dropped since
    if (!failed) return failed.status();
    failures += *failed;
    for (std::string& line : lines) {
      if (messages != nullptr && messages->size() < kMostMessages) {
        messages->push_back(fmt::format("index \"{}\": {}", name, line));
      }
    }
  }
  return failures;
}

Status StoreCore::for_each_journal_entry(std::string_view name,
                                         const std::function<bool(const std::string&)>& visit) {
  VICINAL_RETURN_IF_ERROR(check_index_name(name));
  const Gate::Pass pass(calls_);
  if (!pass) return closed_status();
  const auto told = [&](const std::string& entry) {
    const CallbackScope scope(CallbackScope::Holds::kNothing);
    return visit(entry);
  };
  if (const std::shared_ptr<IndexCore> open = find(name)) return open->for_each_journal_entry(told);
  const NamedTurns::Taken turn(opening_, name, !CallbackScope::active());
  if (!turn) return refused();
  const Result<std::unique_ptr<persist::IndexRecords>> records = file_->open_index(name);
  if (!records) return records.status();
  Status status = (*records)->for_each_journal_entry(told);
  if (status.code() != StatusCode::kCorruption) return status;
  Status dropped = file_->dropped_since(name, (*records)->id());
  return dropped.ok() ? status : dropped;
}

Result<StoredStats> StoreCore::stored_stats(std::string_view name) {
  VICINAL_RETURN_IF_ERROR(check_index_name(name));
  const Gate::Pass pass(calls_);
  if (!pass) return closed_status();
  // Whoever drops or makes the index has the turn at its name.
  const NamedTurns::Taken turn(opening_, name, !CallbackScope::active());
  if (!turn) return refused();
  persist::StoredOptions options;
  Result<StoredStats> stats = file_->stored_stats(name, options);
  if (!stats) return stats;
  stats->options = with_stored({}, options);
  // What has no links yet, and is opened flat, links nothing.
  const std::uint64_t slots = stats->live + stats->tombstones + stats->free_slots;
  if (stats->bytes_links == 0 && graph::fits_flat(graph_config(stats->options), slots)) {
    stats->rows_to_link = 0;
  }
  return stats;
}

Result<std::vector<std::vector<float>>> StoreCore::stored_vectors(std::string_view name,
                                                                  std::span<const Label> labels) {
  VICINAL_RETURN_IF_ERROR(check_index_name(name));
  const Gate::Pass pass(calls_);
  if (!pass) return closed_status();
  const NamedTurns::Taken turn(opening_, name, !CallbackScope::active());
  if (!turn) return refused();
  const Result<persist::StoredVectors> found = file_->stored_vectors(name, labels);
  return found ? graph::decode_all(found->shape, found->rows) : found.status();
}

Status StoreCore::close() {
  if (calls_.forked()) return closed_status();
  if (Gate::Pass::thread_is_inside(calls_)) return refused();
  for (const std::shared_ptr<IndexCore>& index : open_indexes()) {
    if (index->thread_is_inside()) return refused_inside(*index);
  }
  if (graph::Moment::thread_is_inside()) return refused_in_search(path_);
  const Turn::Taken turn(closing_, !CallbackScope::active());
  if (!turn) return refused();
  if (file_ == nullptr) return {};
  if (background_ != nullptr && background_->is_this_thread()) {
    return Status::busy(
        fmt::format("store \"{}\" cannot be closed from a callback of its own thread", path_));
  }
  return end();
}

Status StoreCore::end() noexcept {
  calls_.close();
  if (background_ != nullptr) background_->stop();
  std::map<std::string, std::shared_ptr<IndexCore>, std::less<>> open;
  {
    const internal::MutexLock registry(registry_);
    open.swap(indexes_);
  }
  Status first_error;
  for (const auto& entry : open) {
    Status status = entry.second->close(true);
    if (first_error.ok()) first_error = std::move(status);
  }
  {
    // With the last copies of callbacks ends what these own, which may call us: it is refused, as they are.
    const CallbackScope callbacks(CallbackScope::Holds::kNothing);
    open.clear();
  }
  background_.reset();  // no index is inside wake() any more
  try {
    Status status = file_->finish();
    if (first_error.ok()) first_error = std::move(status);
  } catch (const std::bad_alloc&) {
    first_error = Status(StatusCode::kFull, "out of memory");
  }
  const CallbackScope callbacks(CallbackScope::Holds::kNothing);  // as above: it has one of events
  file_.reset();
  return first_error;
}

}  // namespace vicinal::engine

// Store: the handle over StoreCore.
#include "vicinal/store.h"

#include "engine/store_core.h"
#include "persist/convert.h"

namespace vicinal {

Store::Store(std::shared_ptr<engine::StoreCore> core) : core_(std::move(core)) {}
Store::Store(const Store&) = default;
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(const Store&) = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Result<Store> Store::open(const std::string& path, const StoreOptions& options) {
  Result<std::shared_ptr<engine::StoreCore>> core = engine::StoreCore::open(path, options);
  if (!core) return core.status();
  return Store(std::move(*core));
}

Result<bool> Store::convert(const std::string& path) { return persist::convert(path); }

Result<Index> Store::index(std::string_view name, const IndexOptions& options) {
  Result<std::shared_ptr<engine::IndexCore>> core = core_->index(name, options);
  if (!core) return core.status();
  return Index(std::move(*core));
}

Result<Index> Store::open_index(std::string_view name, const IndexOptions& tuning) {
  Result<std::shared_ptr<engine::IndexCore>> core = core_->open_index(name, tuning);
  if (!core) return core.status();
  return Index(std::move(*core));
}

Result<std::vector<std::string>> Store::index_names() const { return core_->index_names(); }
Status Store::drop_index(std::string_view name) { return core_->drop_index(name); }
Status Store::checkpoint() { return core_->checkpoint(); }
Status Store::sync() { return core_->sync(); }
Status Store::backup(const std::string& path) const { return core_->backup(path); }

Result<std::uint64_t> Store::verify_records(std::vector<std::string>* messages) const {
  return core_->verify_records(messages);
}

Status Store::for_each_journal_entry(
    std::string_view name, const std::function<bool(const std::string& json)>& visit) const {
  return core_->for_each_journal_entry(name, visit);
}

Result<StoredStats> Store::stored_stats(std::string_view name) const {
  return core_->stored_stats(name);
}

Result<std::vector<std::vector<float>>> Store::stored_vectors(std::string_view name,
                                                              std::span<const Label> labels) const {
  return core_->stored_vectors(name, labels);
}

Status Store::close() {
  const std::shared_ptr<engine::StoreCore> core = core_;  // a callback may let this handle go
  return core->close();
}
const std::string& Store::path() const { return core_->path(); }

}  // namespace vicinal

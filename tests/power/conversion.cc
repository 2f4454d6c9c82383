#include "tests/power/conversion.h"

#include <filesystem>
#include <span>
#include <utility>

#include "tests/power/workload.h"

namespace vicinal::testing {
namespace {

Result<Store> open(const std::string& path) {
  StoreOptions options;
  options.durability = Durability::kNone;
  options.background = false;
  options.create = false;
  return Store::open(path, options);
}

}  // namespace

void Conversion::lay(const std::string& root) const {
  const std::filesystem::path path = root + kPowerStore;
  std::filesystem::create_directories(path.parent_path());
  std::filesystem::copy(VICINAL_OLD_FORMAT, path);
}

Status Conversion::run(Device& device) {
  const std::string path = device.root() + kPowerStore;
  const Result<bool> converted = Store::convert(path);
  acknowledged_ = device.mark();
  if (!converted) return converted.status();
  if (!*converted) return Status::corruption("nothing was to be converted");
  observe(nullptr);
  Result<Store> store = open(path);
  if (!store) return store.status();
  Result<Rows> rows = read(*store);
  if (!rows) return rows.status();
  if (rows->empty()) return Status::corruption("the old store is empty");
  rows_ = std::move(*rows);
  return store->close();
}

Result<Conversion::Rows> Conversion::read(Store& store) {
  const Result<std::vector<std::string>> names = store.index_names();
  if (!names) return names.status();
  Rows rows;
  for (const std::string& name : *names) {
    const Result<Index> index = store.open_index(name);
    if (!index) return index.status();
    const Status visited = index->for_each([&](Label label, std::span<const float> vector) {
      rows[name][label].assign(vector.begin(), vector.end());
      return true;
    });
    if (!visited.ok()) return visited;
    const Result<ValidateReport> report = index->validate({.deep = true});
    if (!report) return report.status();
    if (!report->sound()) return Status::corruption(name + " is not sound");
  }
  return rows;
}

Status Conversion::write_and_read(Store store, const std::string& path, Rows rows) {
  for (auto& [name, vectors] : rows) {
    Result<Index> index = store.open_index(name);
    if (!index) return index.status();
    const auto first = vectors.begin();
    if (Status s = index->erase(first->first).status(); !s.ok()) return s;
    vectors.erase(first);
  }
  if (Status s = store.close(); !s.ok()) return s;
  Result<Store> again = open(path);
  if (!again) return again.status();
  const Result<Rows> found = read(*again);
  if (!found) return found.status();
  return *found == rows ? again->close() : Status::corruption("wrong: another content");
}

Outcome Conversion::judge(const std::string& folder, std::size_t position, bool go_on) const {
  const std::string path = folder + kPowerStore;
  Outcome outcome;
  const Result<bool> converted = Store::convert(path);
  if (!converted) {
    outcome.broken = "converting again: " + converted.status().to_string();
    return outcome;
  }
  if (*converted && acknowledged_ < position) {
    outcome.broken = "it was acknowledged, and is not converted";
    return outcome;
  }
  Result<Store> store = open(path);
  const Result<Rows> found = store ? read(*store) : Result<Rows>(store.status());
  if (!found) {
    outcome.broken = "reading it: " + found.status().to_string();
  } else if (*found != rows_) {
    outcome.broken = "it has other vectors";
  } else if (go_on) {
    const Status status = write_and_read(std::move(*store), path, *found);
    if (!status.ok()) outcome.broken = "going on: " + status.to_string();
  }
  return outcome;
}

}  // namespace vicinal::testing

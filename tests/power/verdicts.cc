#include "tests/power/verdicts.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "tests/power/workload.h"
#include "vicinal/store.h"

namespace vicinal::testing {
namespace {

StoreOptions reading_options() {
  StoreOptions options;
  options.durability = Durability::kNone;
  options.background = false;
  return options;
}

/// A writer's part of it. The first one answers for which indexes there are.
Contents part_of(const Contents& contents, std::size_t writer) {
  Contents part;
  for (const auto& [name, labels] : contents) {
    if (writer == 0) part[name];
    for (const auto& [label, generation] : labels) {
      if (History::writer_of(label) == writer) part[name][label] = generation;
    }
  }
  return part;
}

Status write_and_open_again(Store store, const std::string& path, const Contents& contents) {
  constexpr Label kNew = 999;
  for (const auto& [name, labels] : contents) {
    Result<Index> index = store.open_index(name, contents_index(name));
    if (!index) return index.status();
    Status s = index->upsert(kNew, contents_vector(kNew, 1)).status();
    if (s.ok()) s = index->repair().status();
    if (!s.ok()) return s;
  }
  if (Status s = store.close(); !s.ok()) return s;
  Result<Store> again = Store::open(path, reading_options());
  if (!again) return again.status();
  Result<Contents> found = read_contents(*again);
  if (!found) return found.status();
  Contents expected = contents;
  for (auto& [name, labels] : expected) labels[kNew] = 1;
  return *found == expected ? again->close() : Status::corruption("wrong: another content");
}

}  // namespace

Verdicts::Verdicts(const Device& device, const History& history) : history_(history) {
  FileId data = 0;
  const std::string path = device.root() + kPowerStore + "/data.mdb";
  for (std::size_t i = 0; i < device.events().size(); ++i) {
    const Event& event = device.events()[i];
    if (event.kind == Event::Kind::kName && event.path == path) data = event.file;
    if (event.kind != Event::Kind::kSyncEnd || event.file != data || data == 0) continue;
    // A meta page that is written through is no sync of what came before.
    if (device.events()[event.of].kind == Event::Kind::kSyncBegin) syncs_.emplace_back(i, event.of);
  }
}

std::size_t Verdicts::last_sync(std::size_t position) const {
  std::size_t begin = 0;
  for (const auto& [end, begun] : syncs_) {
    if (end < position) begin = std::max(begin, begun);
  }
  return begin;
}

std::size_t Verdicts::promised(std::size_t writer, std::size_t position, bool whole) const {
  std::size_t safe = position;
  if (history_.durability != Durability::kFull && !whole) safe = last_sync(position);
  const std::vector<DoneCall>& lane = history_.lanes[writer];
  std::size_t calls = 0;
  while (calls < lane.size() && lane[calls].acknowledged < safe) ++calls;
  return calls;
}

std::string Verdicts::compare(const Contents& found, std::size_t position, bool whole,
                              bool* lost) const {
  for (std::size_t writer = 0; writer < history_.lanes.size(); ++writer) {
    const std::vector<DoneCall>& lane = history_.lanes[writer];
    const std::size_t least = promised(writer, position, whole);
    std::size_t begun = least;
    while (begun < lane.size() && lane[begun].begun < position) ++begun;
    const Contents part = part_of(found, writer);
    bool fits = false;
    for (std::size_t calls = begun + 1; calls-- > least && !fits;) {
      const Contents expected = calls == 0 ? Contents() : part_of(lane[calls - 1].after, writer);
      fits = expected == part;
      *lost |= fits && calls < lane.size() && lane[calls].acknowledged < position;
    }
    if (fits) continue;
    return fmt::format(
        "writer {} has '{}'; after its {} promised calls there were '{}', the next is {}", writer,
        described(part), least, least == 0 ? "" : described(part_of(lane[least - 1].after, writer)),
        least < lane.size() ? lane[least].what : "none");
  }
  return {};
}

Outcome Verdicts::judge_store(const std::string& folder, std::size_t position, bool whole,
                              bool go_on) const {
  const bool bulk = history_.durability == Durability::kNone && !whole;
  const std::string path = folder + kPowerStore;
  const auto damage = [&](const char* what, const Status& status) {
    Outcome outcome;
    if (!bulk) outcome.broken = fmt::format("{}: {}", what, status.to_string());
    outcome.named = true;
    return outcome;
  };
  Result<Store> store = Store::open(path, reading_options());
  if (!store) return damage("opening", store.status());
  Result<Contents> found = read_contents(*store);
  if (!found) return damage("reading", found.status());
  Outcome outcome;
  if (!bulk) {
    outcome.broken = compare(*found, position, whole, &outcome.lost);
  } else {
    outcome.lost = !compare(*found, position, true, &outcome.lost).empty();
  }
  if (!outcome.broken.empty() || !go_on || bulk) return outcome;
  const Status status = write_and_open_again(std::move(*store), path, *found);
  if (!status.ok()) outcome.broken = "going on: " + status.to_string();
  return outcome;
}

std::string Verdicts::judge_backup(const std::string& folder, const DoneBackup& backup,
                                   std::size_t position) const {
  const std::string path = folder + backup.path;
  if (backup.acknowledged >= position && !std::filesystem::exists(path + "/data.mdb")) return {};
  StoreOptions options = reading_options();
  options.create = false;
  Result<Store> store = Store::open(path, options);
  if (!store) return fmt::format("opening {}: {}", backup.path, store.status().to_string());
  Result<Contents> found = read_contents(*store);
  if (!found) return fmt::format("reading {}: {}", backup.path, found.status().to_string());
  if (*found == backup.contents) return {};
  return fmt::format("{} has '{}' and not '{}'", backup.path, described(*found),
                     described(backup.contents));
}

Outcome Verdicts::judge(const std::string& folder, std::size_t position, bool whole,
                        bool go_on) const {
  Outcome outcome = judge_store(folder, position, whole, go_on);
  for (const DoneBackup& backup : history_.backups) {
    if (!outcome.broken.empty()) return outcome;
    if (!std::filesystem::exists(folder + backup.path) && backup.acknowledged >= position) continue;
    outcome.broken = judge_backup(folder, backup, position);
  }
  return outcome;
}

}  // namespace vicinal::testing

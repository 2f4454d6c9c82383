#include "tests/damage/examiner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/damage/expected.h"

namespace vicinal::testing {
namespace {

constexpr float kSame = 1e-4F;  // distances of a vector to itself, by any metric

IndexOptions tuning(bool salvage) {
  IndexOptions options;
  options.threads = 1;
  options.repair_share = 0;
  options.salvage = salvage;
  return options;
}

ByteSource out_of(const std::byte* bytes, std::size_t size) {
  return [=, at = std::size_t{0}](std::span<std::byte> room) mutable -> Result<std::size_t> {
    const std::size_t count = std::min(room.size(), size - at);
    if (count > 0) std::memcpy(room.data(), bytes + at, count);
    at += count;
    return count;
  };
}

}  // namespace

Examiner::Examiner(const Sample& sample, std::string folder)
    : sample_(sample),
      folder_(std::move(folder)),
      path_(folder_ + "/store"),
      copy_(folder_ + "/copy"),
      judge_(sample) {
  std::filesystem::create_directories(path_);
  std::ofstream(path_ + "/vicinal.lock") << "vicinal store\n";  // it was made once
  for (const Contents& contents : sample_.history) {
    for (const auto& [name, rows] : contents) {
      for (const auto& [label, row] : rows) labels_[name].insert(label);
    }
  }
  for (const auto& [name, rows] : sample_.contents) labels_[name].insert(kAdded);
}

Verdict Examiner::examine(const Damaged& damaged) {
  judge_.begin(damaged.rolled_back);
  // What loads and is right is in memory: not each time the same is saved.
  through_streams_ = ++examined_ % 16 == 1;
  expected_ = sample_.contents;
  if (damaged.of_stream) {
    examine_stream(damaged.bytes);
  } else {
    examine_file(damaged.bytes);
  }
  return judge_.verdict();
}

// -- What a user does -----------------------------------------------------------------------------

void Examiner::put_file(const std::string& bytes) const {
  const std::string file = path_ + "/data.mdb";
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  const ssize_t written = ::write(fd, bytes.data(), bytes.size());
  must(written == static_cast<ssize_t>(bytes.size()),
       fmt::format("cannot write {}: {}", file, std::strerror(errno)));
  ::close(fd);
}

void Examiner::examine_file(const std::string& bytes) {
  put_file(bytes);
  read();
  // Who writes has to be told by what he calls himself.
  const std::string named_to_readers = std::exchange(judge_.verdict().named, "");
  put_file(bytes);
  if (write()) read_again();
  if (!judge_.named()) judge_.name(named_to_readers);
}

void Examiner::examine_stream(const std::string& bytes) {
  const auto* const begin = reinterpret_cast<const std::byte*>(bytes.data());
  const Result<Index> index = Index::load(out_of(begin, bytes.size()), tuning(false));
  if (!judge_.good(index.status(), "loading")) {
    judge_.verdict().refused = true;
    return;
  }
  Seen seen{"loaded from the stream", {}, true};
  seen.contents = sample_.contents;
  seen.contents[kStreamed] = look_at(*index, kStreamed, &seen.whole);
  judge_.judge(seen, sample_.contents);
}

std::optional<Store> Examiner::open(const std::string& path, bool read_only) {
  StoreOptions options;
  options.durability = Durability::kNone;
  options.background = false;
  options.read_only = read_only;
  options.map_bytes = 64 << 20;
  options.on_event = [this](const Event& event) {
    if (event.kind == EventKind::kDamage) judge_.name("event: " + event.message);
  };
  Result<Store> store = Store::open(path, options);
  if (!judge_.good(store.status(), read_only ? "opening to read" : "opening")) return std::nullopt;
  return *store;
}

std::optional<Index> Examiner::open_index(Store& store, const std::string& name, bool salvage) {
  Result<Index> index = store.open_index(name, tuning(salvage));
  // Missing is what judge_.judge() looks at.
  if (index.status().code() == StatusCode::kNotFound) return std::nullopt;
  if (!judge_.good(index.status(), "opening '" + name + "'")) return std::nullopt;
  return *index;
}

void Examiner::list(Store& store, Seen& seen) {
  const Result<std::vector<std::string>> names = store.index_names();
  if (!judge_.good(names.status(), "names")) {
    seen.whole = false;
    return;
  }
  for (const std::string& name : *names) seen.contents[name];
}

void Examiner::verify(Store& store) {
  std::vector<std::string> messages;
  const Result<std::uint64_t> failures = store.verify_records(&messages);
  if (!judge_.good(failures.status(), "verify_records") || *failures == 0) return;
  judge_.name(messages.empty() ? "verify_records" : messages[0]);
}

void Examiner::read() {
  std::optional<Store> store = open(path_, true);
  if (!store) return;
  Seen unloaded{"unloaded", {}, true};
  Seen loaded{"loaded to read", {}, true};
  list(*store, unloaded);
  loaded = {loaded.how, unloaded.contents, unloaded.whole};
  for (auto& [name, rows] : unloaded.contents) {
    read_unloaded(*store, name, unloaded);
    const std::optional<Index> index = open_index(*store, name, false);
    if (!index) {
      loaded.whole = false;
      const std::optional<Index> rest = open_index(*store, name, true);
      if (rest) look_at(*rest, name, &loaded.whole);
      continue;
    }
    loaded.contents[name] = look_at(*index, name, &loaded.whole);
    if (through_streams_ || judge_.named()) {
      pass_through_stream(*index, name, loaded.contents[name]);
    }
  }
  verify(*store);
  read_backup(*store);
  judge_.good(store->close(), "closing what was read");
  judge_.judge(unloaded, sample_.contents);
  judge_.judge(loaded, sample_.contents);
}

void Examiner::read_unloaded(Store& store, const std::string& name, Seen& seen) {
  const std::vector<Label> labels(labels_[name].begin(), labels_[name].end());
  const auto vectors = store.stored_vectors(name, labels);
  const auto stats = store.stored_stats(name);
  std::uint64_t entries = 0;
  const Status walked = store.for_each_journal_entry(name, [&](const std::string&) {
    ++entries;
    return true;
  });
  seen.whole = judge_.good(vectors.status(), "stored_vectors") && seen.whole;
  if (vectors.ok()) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const std::vector<float>& row = (*vectors)[i];
      if (row.empty()) continue;
      judge_.check_row(name, labels[i], row, "stored_vectors");
      seen.contents[name][labels[i]] = std::make_shared<std::vector<float>>(row);
    }
  }
  if (!judge_.good(stats.status(), "stored_stats") || !judge_.good(walked, "journal") ||
      !vectors.ok())
    return;
  const bool agree = stats->live == seen.contents[name].size() && stats->journal_entries == entries;
  if (!agree) seen.whole = false;
}

void Examiner::read_backup(Store& store) {
  std::filesystem::remove_all(copy_);
  if (!judge_.good(store.backup(copy_), "backup")) return;
  std::optional<Store> copy = open(copy_, true);
  if (!copy) return;
  Seen seen{"in the backup", {}, true};
  list(*copy, seen);
  const Contents listed = seen.contents;
  for (const auto& [name, rows] : listed) read_unloaded(*copy, name, seen);
  verify(*copy);
  judge_.judge(seen, sample_.contents);
}

bool Examiner::write() {
  std::optional<Store> store = open(path_, false);
  if (!store) {
    judge_.verdict().refused = true;
    return false;
  }
  Seen seen{"loaded", {}, true};
  list(*store, seen);
  std::vector<std::string> opened;
  for (auto& [name, rows] : seen.contents) {
    std::optional<Index> index = open_index(*store, name, false);
    if (!index) {
      seen.whole = false;
      judge_.verdict().refused = true;
      index = open_index(*store, name, true);
    }
    if (!index) continue;
    rows = look_at(*index, name, &seen.whole);
    opened.push_back(name);
  }
  verify(*store);
  judge_.judge(seen, sample_.contents);
  if (!judge_.named()) judge_.naming_is_too_late();
  expected_ = seen.contents;
  for (const std::string& name : opened) write_to(*store, name);
  judge_.good(store->close(), "closing");
  return judge_.verdict().wrong.empty();
}

void Examiner::write_to(Store& store, const std::string& name) {
  std::optional<Index> index = open_index(store, name, false);
  if (!index) return;
  Rows& rows = expected_[name];
  const std::vector<float> row = row_of(kAdded, kAddedGeneration, index->dimension());
  if (judge_.good(index->upsert(kAdded, row).status(), "upsert")) {
    const Result<std::vector<float>> stored = index->get(kAdded);
    if (judge_.good(stored.status(), "get of what was upserted")) {
      rows[kAdded] = std::make_shared<std::vector<float>>(*stored);
    }
  }
  const Label first = rows.empty() ? kAdded : rows.begin()->first;
  if (first != kAdded && judge_.good(index->erase(first).status(), "erase")) rows.erase(first);
  judge_.good(index->repair().status(), "repair");
  judge_.good(index->checkpoint(), "checkpoint");
}

void Examiner::read_again() {
  Seen seen{"after writing", {}, true};
  std::optional<Store> store = open(path_, false);
  if (!store) {
    seen.whole = false;
    judge_.judge(seen, expected_);
    return;
  }
  list(*store, seen);
  for (auto& [name, rows] : seen.contents) {
    const std::optional<Index> index = open_index(*store, name, false);
    if (index) {
      rows = look_at(*index, name, &seen.whole);
    } else {
      seen.whole = false;
    }
  }
  verify(*store);
  judge_.judge(seen, expected_);
}

Rows Examiner::look_at(const Index& index, const std::string& name, bool* whole) {
  Rows rows;
  for (const Label label : labels_[name]) {
    const Result<std::vector<float>> row = index.get(label);
    if (row.status().code() == StatusCode::kNotFound) continue;
    if (!judge_.good(row.status(), "get")) {
      *whole = false;
      continue;
    }
    judge_.check_row(name, label, *row, "get");
    rows[label] = std::make_shared<std::vector<float>>(*row);
  }
  if (index.size() != rows.size()) *whole = false;
  const Stats stats = index.stats();
  if (stats.salvaged > 0 || stats.repaired_links > 0) judge_.name("stats");
  validate(index);
  search(index, name, rows);
  return rows;
}

void Examiner::validate(const Index& index) {
  ValidateOptions options;
  options.deep = true;
  const Result<ValidateReport> report = index.validate(options);
  if (!judge_.good(report.status(), "validate") || report->sound()) return;
  judge_.name(report->messages.empty() ? "validate" : "validate: " + report->messages[0]);
}

void Examiner::search(const Index& index, const std::string& name, const Rows& rows) {
  std::size_t asked = 0;
  for (const auto& [label, row] : rows) {
    if (++asked % 16 != 1) continue;
    const Result<SearchResult> found = index.search(*row, {.k = 5});
    if (!judge_.good(found.status(), "search")) continue;
    for (const Hit& hit : *found) {
      if (!rows.contains(hit.label)) {
        judge_.wrong(
            fmt::format("a search of '{}' finds label {}, which is not there", name, hit.label));
      }
    }
    const bool itself = !found->empty() && (*found)[0].distance <= kSame;
    if (!itself && !judge_.named()) {
      judge_.wrong(fmt::format("label {} of '{}' does not find itself", label, name));
    }
  }
}

void Examiner::pass_through_stream(const Index& index, const std::string& name, const Rows& rows) {
  std::vector<std::byte> bytes;
  const Status saved = index.save([&](std::span<const std::byte> more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
    return Status();
  });
  if (!judge_.good(saved, "save")) return;
  const Result<Index> loaded = Index::load(out_of(bytes.data(), bytes.size()), tuning(false));
  if (!judge_.good(loaded.status(), "loading what was saved")) return;
  bool whole = true;
  const Rows again = look_at(*loaded, name, &whole);
  if (!whole || !same_rows(again, rows))
    judge_.wrong("what was saved is other than what was there");
}

}  // namespace vicinal::testing

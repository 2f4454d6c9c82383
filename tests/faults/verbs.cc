#include "tests/faults/verbs.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <span>
#include <utility>

#include "persist/descriptor.h"

namespace vicinal::testing {
namespace {

constexpr Label kStored = 40;      ///< labels of each first index
constexpr Label kLateLabels = 12;  ///< of them, those that wait for a checkpoint

std::vector<Label> labels_from(Label first, std::size_t count) {
  std::vector<Label> labels(count);
  std::iota(labels.begin(), labels.end(), first);
  return labels;
}

Status upsert(Index& index, std::span<const Label> labels, std::uint32_t generation) {
  std::vector<float> rows;
  for (const Label label : labels) {
    const std::vector<float> row = contents_vector(label, generation);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  return index.upsert_batch(labels, rows).status();
}

/// A change of every first index.
template <typename Change>
std::function<void(Contents&)> in_each(Change change) {
  return [change](Contents& contents) {
    for (auto& [name, labels] : contents) change(labels);
  };
}

template <typename Call>
std::function<Status(Scene&)> on_each(Call call) {
  return [call](Scene& scene) {
    for (auto& [name, index] : scene.indexes) {
      if (Status s = call(index); !s.ok()) return s;
    }
    return Status();
  };
}

std::string system_error(const char* what) { return std::string(what) + ": " + ::strerror(errno); }

Status save(const Index& index, const std::string& file) {
  persist::Descriptor out(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (out.get() < 0) return Status::io_error(system_error("open"));
  Status s = index.save([&](std::span<const std::byte> piece) -> Status {
    const int error = persist::write_all(out.get(), piece.data(), piece.size());
    return error == 0 ? Status() : Status::io_error(::strerror(error));
  });
  if (s.ok() && ::fsync(out.get()) != 0) s = Status::io_error(system_error("fsync"));
  if (s.ok() && out.close() != 0) s = Status::io_error(system_error("close"));
  return s;
}

Result<Index> load(const std::string& file) {
  const persist::Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (in.get() < 0) return Status::io_error(system_error("open"));
  return Index::load([&](std::span<std::byte> room) -> Result<std::size_t> {
    for (;;) {
      const ssize_t n = ::read(in.get(), room.data(), room.size());
      if (n >= 0) return static_cast<std::size_t>(n);
      if (errno != EINTR) return Status::io_error(system_error("read"));
    }
  });
}

/// That what was saved is what is there.
Status compare(const Index& loaded, const Index& stored) {
  const auto one = read_labels(loaded);
  const auto other = read_labels(stored);
  if (!one) return one.status();
  if (!other) return other.status();
  return *one == *other ? Status() : Status::corruption("loaded another index than was saved");
}

Status find_all(Scene& scene) {
  for (auto& [name, index] : scene.indexes) {
    for (Label label = 0; label < kStored; ++label) {
      const std::uint32_t generation = 1;
      const std::vector<float> wanted = contents_vector(label, generation);
      const Result<std::vector<float>> vector = index.get(label);
      if (!vector) return vector.status();
      if (*vector != wanted) return Status::corruption("get() gave another vector");
      const Result<SearchResult> hits = index.search(wanted, {.k = 1});
      if (!hits) return hits.status();
      if (hits->size() != 1 || (*hits)[0].label != label) {
        return Status::corruption("search() found another label");
      }
    }
  }
  return {};
}

Verb verb(std::string name, std::function<Status(Scene&)> run) {
  Verb made;
  made.name = std::move(name);
  made.run = std::move(run);
  return made;
}

Verb changing(std::string name, std::function<Status(Scene&)> run,
              std::function<void(Contents&)> change) {
  Verb made = verb(std::move(name), std::move(run));
  made.change = std::move(change);
  return made;
}

void add_opening(std::vector<Verb>* verbs) {
  Verb making = verb("open, new", [](Scene& scene) { return scene.open(); });
  making.before = Verb::Before::kNothing;
  making.change = [](Contents& contents) { contents.clear(); };
  verbs->push_back(making);
  Verb opening = verb("open", [](Scene& scene) { return scene.open(); });
  opening.before = Verb::Before::kClosed;
  verbs->push_back(opening);
  opening.name = "open, with a thread of its own";
  opening.options.background = true;
  verbs->push_back(opening);
  opening.options.background = false;
  opening.name = "open, read-only";
  opening.options.read_only = true;
  verbs->push_back(opening);
  Verb converting =
      verb("convert", [](Scene& scene) { return Store::convert(scene.path()).status(); });
  converting.before = Verb::Before::kOldFormat;
  converting.leaves_open = false;
  verbs->push_back(converting);
  Verb closing = verb("close", [](Scene& scene) { return scene.store->close(); });
  closing.leaves_open = false;
  verbs->push_back(closing);
}

void add_writing(std::vector<Verb>* verbs) {
  verbs->push_back(changing(
      "index, new",
      [](Scene& scene) {
        const Result<Index> made = scene.store->index("third", contents_index("third"));
        if (made.ok()) scene.indexes.insert_or_assign("third", *made);
        return made.status();
      },
      [](Contents& contents) { contents["third"]; }));
  for (const char* const name : {"flat", "graph"}) {
    verbs->push_back(changing(
        std::string("upsert, ") + name,
        [name](Scene& scene) {
          return scene.index(name).upsert(500, contents_vector(500, 1)).status();
        },
        [name](Contents& contents) { contents[name][500] = 1; }));
  }
  verbs->push_back(changing(
      "upsert, again",
      [](Scene& scene) { return scene.index("graph").upsert(3, contents_vector(3, 2)).status(); },
      [](Contents& contents) { contents["graph"][3] = 2; }));
  const auto batch = [](std::size_t count) {
    return
        [count](Scene& scene) { return upsert(scene.index("graph"), labels_from(20, count), 2); };
  };
  const auto with_batch = [](std::size_t count) {
    return [count](Contents& contents) {
      for (const Label label : labels_from(20, count)) contents["graph"][label] = 2;
    };
  };
  verbs->push_back(changing("upsert_batch", batch(60), with_batch(60)));
  Verb growing = changing("upsert_batch, the map grows", batch(3000), with_batch(3000));
  growing.options.map_bytes = 128 << 10;
  verbs->push_back(growing);
  verbs->push_back(changing(
      "erase", [](Scene& scene) { return scene.index("mapped").erase(5).status(); },
      [](Contents& contents) { contents["mapped"].erase(5); }));
  verbs->push_back(changing(
      "erase_batch",
      [](Scene& scene) { return scene.index("graph").erase_batch(labels_from(10, 20)).status(); },
      [](Contents& contents) {
        for (const Label label : labels_from(10, 20)) contents["graph"].erase(label);
      }));
  verbs->push_back(changing(
      "drop_index", [](Scene& scene) { return scene.store->drop_index("flat"); },
      [](Contents& contents) { contents.erase("flat"); }));
}

void add_maintenance(std::vector<Verb>* verbs) {
  verbs->push_back(verb("checkpoint", on_each([](Index& index) { return index.checkpoint(); })));
  verbs->push_back(verb("repair", on_each([](Index& index) { return index.repair().status(); })));
  verbs->push_back(verb("rebuild", on_each([](Index& index) { return index.rebuild(); })));
  verbs->push_back(verb("sync", [](Scene& scene) { return scene.store->sync(); }));
  verbs->push_back(verb("backup", [](Scene& scene) {
    Status s = scene.store->backup(scene.folder + "/copy");
    if (!s.ok()) return s;
    StoreOptions options = scene.options;
    options.create = false;
    Result<Store> copy = Store::open(scene.folder + "/copy", options);
    if (!copy) return copy.status();
    const Result<Contents> contents = read_contents(*copy);
    if (!contents) return contents.status();
    return *contents == first_contents() ? Status() : Status::corruption("another backup");
  }));
}

void add_reading(std::vector<Verb>* verbs) {
  verbs->push_back(verb("validate", on_each([](Index& index) {
                          const Result<ValidateReport> report = index.validate({.deep = true});
                          if (!report) return report.status();
                          return report->sound() ? Status() : Status::corruption("not sound");
                        })));
  verbs->push_back(verb("get, search", find_all));
  verbs->push_back(verb("verify_records, stored_vectors", [](Scene& scene) {
    const Result<std::uint64_t> damaged = scene.store->verify_records();
    if (!damaged) return damaged.status();
    if (*damaged != 0) return Status::corruption("damaged records");
    const Label label = 7;
    const auto rows = scene.store->stored_vectors("graph", std::span(&label, 1));
    if (!rows) return rows.status();
    return (*rows)[0] == contents_vector(7, 1) ? Status() : Status::corruption("another vector");
  }));
  verbs->push_back(verb("save, load", [](Scene& scene) {
    const std::string file = scene.folder + "/saved";
    if (Status s = save(scene.index("graph"), file); !s.ok()) return s;
    const Result<Index> loaded = load(file);
    return loaded ? compare(*loaded, scene.index("graph")) : loaded.status();
  }));
}

}  // namespace

Status Scene::open() {
  Result<Store> opened = Store::open(path(), options);
  if (!opened) return opened.status();
  store = std::make_unique<Store>(*opened);
  const Result<std::vector<std::string>> names = store->index_names();
  if (!names) return names.status();
  for (const std::string& name : *names) {
    const Result<Index> index = store->open_index(name, contents_index(name));
    if (!index) return index.status();
    indexes.insert_or_assign(name, *index);
  }
  return {};
}

Result<Contents> Scene::contents() const {
  Contents contents;
  for (const auto& [name, index] : indexes) {
    Result<std::map<Label, std::uint32_t>> labels = read_labels(index);
    if (labels.status().code() == StatusCode::kClosed) {  // dropped, or not
      const Result<Index> again = store->open_index(name, contents_index(name));
      if (again.status().code() == StatusCode::kNotFound) continue;
      if (!again) return again.status();
      labels = read_labels(*again);
    }
    if (!labels) return labels.status();
    contents[name] = std::move(*labels);
  }
  return contents;
}

Contents first_contents() {
  Contents contents;
  for (const char* const name : {"flat", "graph", "mapped"}) {
    for (Label label = 0; label < kStored; ++label) contents[name][label] = 1;
  }
  return contents;
}

Status make_first_store(const std::string& path) {
  StoreOptions options;
  options.background = false;
  Scene scene{std::filesystem::path(path).parent_path().string(), options};
  if (Status s = scene.open(); !s.ok()) return s;
  for (const char* const name : {"flat", "graph", "mapped"}) {
    Result<Index> made = scene.store->index(name, contents_index(name));
    if (!made) return made.status();
    Index index = *made;
    Status s = upsert(index, labels_from(0, kStored + 8), 1);
    if (s.ok()) s = index.checkpoint();
    // A journal, tombstones and rows that are there twice.
    if (s.ok()) s = index.erase_batch(labels_from(kStored, 8)).status();
    for (Label label = 0; label < kLateLabels && s.ok(); ++label) {
      s = index.upsert(label, contents_vector(label, 9)).status();
      if (s.ok()) s = index.upsert(label, contents_vector(label, 1)).status();
    }
    if (!s.ok()) return s;
    // A copy of the files as they are: closing would write a checkpoint.
  }
  std::filesystem::copy(path, path + ".copy");
  if (Status s = scene.store->close(); !s.ok()) return s;
  scene.indexes.clear();
  scene.store.reset();
  std::filesystem::remove_all(path);
  std::filesystem::rename(path + ".copy", path);
  return {};
}

std::vector<Verb> all_verbs() {
  std::vector<Verb> verbs;
  add_opening(&verbs);
  add_writing(&verbs);
  add_maintenance(&verbs);
  add_reading(&verbs);
  for (Verb& each : verbs) {
    if (each.name != "open, with a thread of its own") each.options.background = false;
  }
  return verbs;
}

}  // namespace vicinal::testing

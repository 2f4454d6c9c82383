// What the sweep over allocations does: every verb, in a small world that it begins with.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tests/engine/stream_support.h"

namespace vicinal::testing {

/// Set around the one call whose allocations fail; those of its thread only.
inline thread_local bool armed = false;

/// Around what a verb needs before it is called.
class Unarmed {
 public:
  Unarmed() = default;
  ~Unarmed() { armed = was_; }
  Unarmed(const Unarmed&) = delete;
  Unarmed& operator=(const Unarmed&) = delete;

 private:
  const bool was_ = std::exchange(armed, false);
};

/// The generation of each live label.
using State = std::map<Label, int>;

/// An index in memory or in a store, in a state that the sweep begins with.
class World {
 public:
  explicit World(bool stored, bool vectors_in_memory = true) : stored_(stored) {
    options_ = small_options();
    options_.dimension = 6;
    options_.M = 4;
    options_.ef_construction = 16;
    options_.threads = 1;
    options_.repair_share = 0;
    options_.vectors_in_memory = vectors_in_memory;
    open();
    for (Label label = 0; label < 24; ++label) put(label, 0);
    for (Label label = 20; label < 24; ++label) must(index_->erase(label).ok());
    state_ = seen();
  }

  Index& index() { return *index_; }
  Store* store() { return store_ ? &*store_ : nullptr; }
  const State& state() const { return state_; }
  std::vector<float> vector(Label label, int generation) const {
    return vector_of(label, static_cast<std::uint64_t>(generation), 6);
  }
  void put(Label label, int generation) {
    must(index_->upsert(label, vector(label, generation)).ok());
  }
  static void must(bool ok) {
    if (!ok) std::abort();
  }

  /// What get() says of the labels that the sweep uses.
  State seen() const {
    State state;
    for (Label label = 0; label < 60; ++label) {
      const Result<std::vector<float>> got = index_->get(label);
      if (!got) continue;
      for (int generation = 0; generation < 3; ++generation) {
        if (*got == vector(label, generation)) state[label] = generation;
      }
      if (!state.contains(label)) state[label] = -1;
    }
    return state;
  }
  /// What a search for everything says; a label that stands twice gets -2.
  State searched(bool exact) const {
    State state;
    const Result<SearchResult> found =
        index_->search(vector(3, 0), {.k = 100, .ef_search = 200, .exact = exact});
    if (!found) return {{0, -3}};
    for (const Hit& hit : *found) {
      const auto [at, fresh] = state.emplace(hit.label, 0);
      if (!fresh) at->second = -2;
    }
    return state;
  }
  void reopen() {
    if (!stored_) return;
    close();
    open();
  }
  void close() {
    index_.reset();
    if (store_) must(store_->close().ok());
    store_.reset();
  }
  /// As close(), but nobody is told.
  void let_go() {
    index_.reset();
    store_.reset();
  }
  /// Opens what close() has closed, if it is.
  Status open_store() {
    if (!store_) {
      Result<Store> store = Store::open(folder_.file("store"), store_options());
      if (!store) return store.status();
      store_ = *store;
    }
    if (!index_) {
      Result<Index> index = store_->index("t", options_);
      if (!index) return index.status();
      index_ = *index;
    }
    return {};
  }
  /// Of a store of its own; not there.
  std::string other_folder() const {
    const Unarmed unarmed;
    std::filesystem::remove_all(folder_.file("other"));
    return folder_.file("other/of its own");
  }
  static StoreOptions store_options() {
    StoreOptions options;
    options.durability = Durability::kNone;
    options.background = false;
    options.map_bytes = 1 << 20;
    return options;
  }
  const IndexOptions& options() const { return options_; }
  bool stored() const { return stored_; }

 private:
  void open() {
    if (!stored_) {
      index_ = *Index::in_memory(options_);
      return;
    }
    must(open_store().ok());
  }

  const bool stored_;
  IndexOptions options_;
  TemporaryFolder folder_;
  std::optional<Store> store_;
  std::optional<Index> index_;
  State state_;
};

struct Verb {
  const char* name;
  std::function<Status(World&)> call;
  /// What the call makes of the state.
  std::function<void(State&)> done = [](State&) {};
};

inline std::vector<Verb> writing_verbs() {
  const auto batch = [](World& world, std::vector<Label> labels, int generation) {
    std::vector<float> rows;
    for (const Label label : labels) {
      const std::vector<float> row = world.vector(label, generation);
      rows.insert(rows.end(), row.begin(), row.end());
    }
    return world.index().upsert_batch(labels, rows).status();
  };
  return {
      {"insert", [](World& w) { return w.index().upsert(50, w.vector(50, 1)).status(); },
       [](State& s) { s[50] = 1; }},
      {"update", [](World& w) { return w.index().upsert(3, w.vector(3, 1)).status(); },
       [](State& s) { s[3] = 1; }},
      {"resurrect", [](World& w) { return w.index().upsert(21, w.vector(21, 0)).status(); },
       [](State& s) { s[21] = 0; }},
      {"erase", [](World& w) { return w.index().erase(5).status(); }, [](State& s) { s.erase(5); }},
      {"erase_batch",
       [](World& w) {
         return w.index().erase_batch(std::vector<Label>{1, 2, 22}).status();
       },
       [](State& s) {
         s.erase(1);
         s.erase(2);
       }},
      {"batch",
       [=](World& w) {
         return batch(w, {4, 23, 51, 52, 53, 54}, 1);
       },
       [](State& s) {
         for (const Label label : {4, 23, 51, 52, 53, 54}) s[label] = 1;
       }},
      {"batch that resurrects",
       [=](World& w) {
         return batch(w, {20, 21}, 0);
       },
       [](State& s) { s[20] = s[21] = 0; }},
      {"reserve", [](World& w) { return w.index().reserve(2000); }},
      {"repair", [](World& w) { return w.index().repair().status(); }},
      {"rebuild", [](World& w) { return w.index().rebuild(); }},
      {"checkpoint", [](World& w) { return w.index().checkpoint(); }},
      {"sync", [](World& w) { return w.index().sync(); }},
  };
}

inline std::vector<Verb> reading_verbs() {
  return {
      {"search", [](World& w) { return w.index().search(w.vector(9, 0), {.k = 30}).status(); }},
      {"filtered search",
       [](World& w) {
         SearchOptions options{.k = 5};
         options.filter = Filter::among(LabelSet(std::vector<Label>{1, 2, 3, 40}));
         return w.index().search(w.vector(9, 0), options).status();
       }},
      {"more",
       [](World& w) {
         const std::vector<Hit> before{{9, 0.0F}};
         return w.index().more(w.vector(9, 0), before, 4).status();
       }},
      {"search_batch",
       [](World& w) {
         std::vector<float> queries = w.vector(9, 0);
         const std::vector<float> second = w.vector(11, 0);
         queries.insert(queries.end(), second.begin(), second.end());
         return w.index().search_batch(queries, {.k = 4}).status();
       }},
      {"search_radius",
       [](World& w) { return w.index().search_radius(w.vector(9, 0), 1.5F).status(); }},
      {"recall", [](World& w) { return w.index().recall({.samples = 3}).status(); }},
      {"get", [](World& w) { return w.index().get(7).status(); }},
      {"get_stored", [](World& w) { return w.index().get_stored(7).status(); }},
      {"for_each",
       [](World& w) {
         return w.index().for_each([](Label, std::span<const float>) { return true; });
       }},
      {"node", [](World& w) { return w.index().node(7).status(); }},
      {"for_each_node",
       [](World& w) { return w.index().for_each_node([](const auto&) { return true; }); }},
      {"validate", [](World& w) { return w.index().validate({.deep = true}).status(); }},
      {"stats",
       [](World& w) {
         w.index().stats();
         return Status();
       }},
      {"pause_writes", [](World& w) { return w.index().pause_writes().status(); }},
      {"save and load",
       [](World& w) {
         StreamBytes stream;
         const Status saving = w.index().save(into(stream));
         if (!saving.ok()) return saving;
         IndexOptions tuning;
         tuning.threads = 1;
         const Result<Index> copy = Index::load(out_of(stream), tuning);
         if (copy.ok() && copy->size() != w.index().size()) std::abort();
         return copy.status();
       }},
  };
}

inline std::vector<Verb> store_verbs() {
  return {
      {"open",
       [](World& w) {
         {
           const Unarmed unarmed;
           w.close();
         }
         return w.open_store();
       }},
      {"make",
       [](World& w) { return Store::open(w.other_folder(), World::store_options()).status(); }},
      {"make in a folder",
       [](World& w) {
         const std::string folder = w.other_folder();
         {
           const Unarmed unarmed;
           std::filesystem::create_directories(folder);
         }
         return Store::open(folder, World::store_options()).status();
       }},
      {"an index made and dropped",
       [](World& w) {
         const Result<Index> made = w.store()->index("second", w.options());
         // Of the call before, it may be there.
         return made.ok() ? w.store()->drop_index("second") : made.status();
       }},
      {"backup", [](World& w) { return w.store()->backup(w.other_folder()); }},
      {"index_names", [](World& w) { return w.store()->index_names().status(); }},
      {"stored_stats", [](World& w) { return w.store()->stored_stats("t").status(); }},
      {"stored_vectors",
       [](World& w) {
         return w.store()->stored_vectors("t", std::vector<Label>{7, 30, 9}).status();
       }},
      {"verify_records", [](World& w) { return w.store()->verify_records().status(); }},
      {"for_each_journal_entry",
       [](World& w) {
         return w.store()->for_each_journal_entry("t", [](const std::string&) { return true; });
       }},
  };
}

/// Where vectors are in memory, a store's index reads as one without a store.
inline std::vector<Verb> verbs(bool stored, bool vectors_in_memory) {
  std::vector<Verb> all = writing_verbs();
  const auto add = [&](std::vector<Verb> more) {
    std::move(more.begin(), more.end(), std::back_inserter(all));
  };
  if (stored) add(store_verbs());
  if (!stored || !vectors_in_memory) add(reading_verbs());
  if (!stored) {
    // Thousands of allocations, none of them a store's.
    all.push_back(
        {"expected_recall", [](World& w) { return w.index().expected_recall(3).status(); }});
  }
  return all;
}

}  // namespace vicinal::testing

#include "tests/power/workload.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <span>
#include <thread>

#include "tests/power/contents.h"
#include "vicinal/store.h"

namespace vicinal::testing {
namespace {

constexpr std::size_t kWriters = 3;
constexpr Label kSpread = 60;  ///< labels of a writer in use

class Workload {
 public:
  Workload(Device& device, Durability durability, std::uint64_t seed)
      : device_(device), path_(device.root() + kPowerStore), random_(seed) {
    history_.durability = durability;
    history_.lanes.resize(kWriters);
    options_.durability = durability;
    options_.map_bytes = 128 << 10;  // it grows
    options_.background = seed % 2 == 0;
    options_.checkpoint_bytes = 4 << 10;
  }

  History run(std::size_t calls) {
    open();
    for (std::size_t done = 0; done < calls && !failed_;) {
      const std::size_t alone = 5 + random_() % 15;
      for (std::size_t i = 0; i < alone; ++i) step(0, random_);
      const std::size_t together = random_() % 2 == 0 ? 0 : 3 + random_() % 6;
      beside_each_other(together);
      for (std::size_t i = 0; i < 2; ++i) alone_only();
      done += alone + kWriters * together + 2;
    }
    if (!failed_) call(0, "close", [&] { return store_->close(); });
    return std::move(history_);
  }

 private:
  using Random = std::mt19937_64;

  /// Makes a call of a writer's; `change` has been made to what it expects.
  template <typename Verb>
  bool call(std::size_t writer, const std::string& what, const Verb& verb) {
    DoneCall& done = history_.lanes[writer].emplace_back();
    done.what = what;
    done.after = expected_[writer];
    done.begun = device_.mark();
    const Status status = verb();
    if (!status.ok()) {
      const std::lock_guard lock(failure_mutex_);
      history_.failure = what + ": " + status.to_string();
      failed_ = true;
      return false;
    }
    done.acknowledged = device_.mark();
    return true;
  }

  bool open_store() {
    return call(0, "open", [&] {
      Result<Store> store = Store::open(path_, options_);
      if (!store) return store.status();
      store_ = std::make_unique<Store>(*store);
      return Status();
    });
  }

  void open() {
    if (!open_store()) return;
    for (const char* const name : {"graph", "flat"}) {
      expected_[0][name];
      call(0, "index", [&] { return make(name); });
    }
  }

  Status make(const std::string& name) {
    Result<Index> index = store_->index(name, contents_index(name));
    if (!index) return index.status();
    indexes_.insert_or_assign(name, *index);
    return {};
  }

  /// One call of a writer's on its own labels.
  void step(std::size_t writer, Random& random) {
    if (failed_) return;
    const std::string name = random() % 3 == 0 ? "flat" : "graph";
    Index index = indexes_.at(name);
    std::map<Label, std::uint32_t>& labels = expected_[writer][name];
    const unsigned die = random() % 16;
    if (die < 7) {
      const Label label = label_of(writer, random() % kSpread);
      const std::uint32_t generation = ++generation_[writer];
      labels[label] = generation;
      call(writer, "upsert",
           [&] { return index.upsert(label, contents_vector(label, generation)).status(); });
    } else if (die < 9) {
      batch(writer, name, 4 + random() % 28, random);
    } else if (die < 12) {
      const Label label = label_of(writer, random() % kSpread);
      labels.erase(label);
      call(writer, "erase", [&] { return index.erase(label).status(); });
    } else if (die < 13) {
      std::vector<Label> some;
      for (Label i = random() % kSpread; i < kSpread && some.size() < 9; i += 2) {
        some.push_back(label_of(writer, i));
        labels.erase(some.back());
      }
      call(writer, "erase_batch", [&] { return index.erase_batch(some).status(); });
    } else if (die < 14) {
      call(writer, "checkpoint", [&] { return unless_busy(index.checkpoint()); });
    } else {
      call(writer, "repair", [&] { return unless_busy(index.repair({.slice = 64}).status()); });
    }
  }

  void batch(std::size_t writer, const std::string& name, std::size_t count, Random& random) {
    Index index = indexes_.at(name);
    const std::uint32_t generation = ++generation_[writer];
    std::vector<Label> labels;
    std::vector<float> rows;
    const Label first = random() % (kSpread - count);
    for (Label i = first; i < first + count; ++i) {
      labels.push_back(label_of(writer, i));
      const std::vector<float> row = contents_vector(labels.back(), generation);
      rows.insert(rows.end(), row.begin(), row.end());
      expected_[writer][name][labels.back()] = generation;
    }
    call(writer, "upsert_batch", [&] { return index.upsert_batch(labels, rows).status(); });
  }

  void beside_each_other(std::size_t calls) {
    if (calls == 0 || failed_) return;
    std::vector<std::thread> threads;
    for (std::size_t writer = 0; writer < kWriters; ++writer) {
      threads.emplace_back([this, writer, calls, seed = random_()] {
        Random random(seed);
        for (std::size_t i = 0; i < calls; ++i) step(writer, random);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  /// What one writer does while no other is there.
  void alone_only() {
    if (failed_) return;
    switch (random_() % 7) {
      case 0:
        call(0, "rebuild", [&] { return unless_busy(indexes_.at("graph").rebuild()); });
        return;
      case 1:
        drop();
        return;
      case 2:
        back_up();
        return;
      case 3:
        call(0, "sync", [&] { return store_->sync(); });
        return;
      case 4:
        call(0, "repair", [&] { return unless_busy(indexes_.at("graph").repair().status()); });
        return;
      case 5:
        mapped_batch();
        return;
      default:
        reopen();
        return;
    }
  }

  void mapped_batch() {
    expected_[0]["mapped"];
    if (!call(0, "index", [&] { return make("mapped"); })) return;
    batch(0, "mapped", kSpread - 1, random_);
  }

  void drop() {
    if (expected_[0].erase("mapped") == 0) return;
    indexes_.erase("mapped");
    call(0, "drop_index", [&] { return store_->drop_index("mapped"); });
  }

  void back_up() {
    const std::string path = "/in/copy" + std::to_string(history_.backups.size());
    DoneBackup backup{path, kNever, {}};
    for (const auto& [writer, contents] : expected_) {
      for (const auto& [name, labels] : contents) {
        backup.contents[name].insert(labels.begin(), labels.end());
      }
    }
    if (!call(0, "backup", [&] { return store_->backup(device_.root() + path); })) return;
    backup.acknowledged = history_.lanes[0].back().acknowledged;
    history_.backups.push_back(std::move(backup));
  }

  void reopen() {
    if (!call(0, "close", [&] { return store_->close(); })) return;
    indexes_.clear();
    store_.reset();
    if (!open_store()) return;
    for (const auto& [name, labels] : expected_[0]) {
      if (!call(0, "open_index", [&, &index = name] { return make(index); })) return;
    }
  }

  static Status unless_busy(Status status) {
    return status.code() == StatusCode::kBusy ? Status() : status;
  }

  static Label label_of(std::size_t writer, Label label) {
    return writer * History::kLabels + label;
  }

  Device& device_;
  const std::string path_;
  Random random_;
  StoreOptions options_;
  History history_;
  std::mutex failure_mutex_;
  std::atomic<bool> failed_{false};
  std::unique_ptr<Store> store_;
  std::map<std::string, Index> indexes_;
  std::map<std::size_t, Contents> expected_{{0, {}}, {1, {}}, {2, {}}};  ///< by writer
  std::map<std::size_t, std::uint32_t> generation_{{0, 0}, {1, 0}, {2, 0}};
};

}  // namespace

History run_workload(Device& device, Durability durability, std::uint64_t seed, std::size_t calls) {
  return Workload(device, durability, seed).run(calls);
}

}  // namespace vicinal::testing

#include "tests/crash/workload.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "vicinal/index.h"
#include "vicinal/store.h"

namespace vicinal::testing {
namespace {

using Random = std::mt19937_64;

/// A writer: the only one of its labels.
class Writer {
 public:
  Writer(const Plan& plan, Ledger& ledger, Index index, std::size_t number, std::uint64_t seed)
      : plan_(plan),
        ledger_(ledger),
        call_(ledger.calls[number]),
        index_(std::move(index)),
        first_(number * kLabelsPerWriter),
        random_(seed) {}

  [[noreturn]] void run() {
    for (;;) {
      const std::uint64_t dice = random_() % 100;
      if (dice < 55) {
        draw(1, true);
        upsert();
      } else if (dice < 75) {
        draw(1, false);
        erase();
      } else if (dice < 95) {
        draw(2 + random_() % 60, true);
        upsert_batch();
      } else if (dice < 97) {
        draw(kLabelsPerWriter - random_() % 40, true);
        upsert_batch();
      } else {
        draw(1 + random_() % 30, false);
        erase_batch();
      }
    }
  }

 private:
  /// Draws labels in a row; each gets its next generation. A tenth of the vectors are those that the
  /// label has or had: unchanged, or brought back.
  void draw(std::size_t count, bool store) {
    const std::size_t first = random_() % (kLabelsPerWriter - count + 1);
    const bool again = random_() % 10 == 0;
    for (std::size_t i = 0; i < count; ++i) {
      const Label label = first_ + first + i;
      const LabelState before = ledger_.states[label];
      LabelState after = before + 1;
      if (store && !is_stored(after)) after = again ? before : before + 2;
      if (!store && is_stored(after)) after = before;
      if (store && again && before != 0 && !is_stored(before)) after = before - 1;
      call_.labels[i] = label;
      call_.before[i] = before;
      call_.after[i] = after;
    }
    count_ = count;
  }

  std::vector<float> rows() const {
    std::vector<float> rows;
    for (std::size_t i = 0; i < count_; ++i) {
      const std::vector<float> row = row_of(call_.labels[i], call_.after[i], plan_.index.dimension);
      rows.insert(rows.end(), row.begin(), row.end());
    }
    return rows;
  }

  std::span<const Label> labels() const { return {call_.labels.data(), count_}; }

  template <typename Call>
  void make(const char* what, const Call& call) {
    call_.acknowledged.store(false);
    call_.count.store(static_cast<std::uint32_t>(count_));  // Y1
    const auto answer = call();
    if (!answer) wrong_answer(ledger_, fmt::format("{}: {}", what, answer.status().to_string()));
    call_.acknowledged.store(true);  // Y2
    for (std::size_t i = 0; i < count_; ++i) ledger_.states[call_.labels[i]] = call_.after[i];
    call_.count.store(0);
    ++ledger_.acknowledged;
  }

  void upsert() {
    const std::vector<float> row = rows();
    make("upsert", [&] { return index_.upsert(call_.labels[0], row); });
  }
  void erase() {
    make("erase", [&] { return index_.erase(call_.labels[0]); });
  }
  void upsert_batch() {
    const std::vector<float> matrix = rows();
    make("upsert_batch", [&] { return index_.upsert_batch(labels(), matrix); });
  }
  void erase_batch() {
    make("erase_batch", [&] { return index_.erase_batch(labels()); });
  }

  const Plan& plan_;
  Ledger& ledger_;
  CallInFlight& call_;
  Index index_;
  const Label first_;
  Random random_;
  std::size_t count_ = 0;
};

void expect_ok(Ledger& ledger, const char* what, const Status& status) {
  if (!status.ok()) wrong_answer(ledger, fmt::format("{}: {}", what, status.to_string()));
}

void back_up(const Plan& plan, Ledger& ledger, const Store& store) {
  ledger.backup = false;
  std::error_code ignored;
  std::filesystem::remove_all(plan.backup_path(), ignored);
  expect_ok(ledger, "backup", store.backup(plan.backup_path()));
  ledger.backup = true;
}

[[noreturn]] void maintain(const Plan& plan, Ledger& ledger, Store store, Index index,
                           std::uint64_t seed) {
  Random random(seed);
  for (;;) {
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 4000));
    const std::uint64_t dice = random() % 100;
    if (dice < 40) {
      expect_ok(ledger, "checkpoint", index.checkpoint());
    } else if (dice < 75) {
      expect_ok(ledger, "repair", index.repair({.slice = 1 + random() % 400}).status());
    } else if (dice < 83) {
      expect_ok(ledger, "repair of all", index.repair().status());
    } else if (dice < 91) {
      expect_ok(ledger, "rebuild", index.rebuild());
    } else if (dice < 95) {
      expect_ok(ledger, "sync", store.sync());
    } else {
      back_up(plan, ledger, store);
    }
  }
}

[[noreturn]] void make_and_drop(Ledger& ledger, Store store, std::uint64_t seed) {
  Random random(seed);
  IndexOptions options;
  options.dimension = kSideDimension;
  std::vector<Label> labels;
  std::vector<float> matrix;
  for (Label label = 0; label < kSideLabels; ++label) {
    labels.push_back(label);
    const std::vector<float> row = row_of(label, 1, kSideDimension);
    matrix.insert(matrix.end(), row.begin(), row.end());
  }
  for (;;) {
    ledger.side = SideStage::kMaking;
    Result<Index> index = store.index(kSideName, options);
    if (!index) wrong_answer(ledger, "second index: " + index.status().to_string());
    ledger.side = SideStage::kEmpty;
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 2000));
    ledger.side = SideStage::kFilling;
    expect_ok(ledger, "second index's batch", index->upsert_batch(labels, matrix).status());
    ledger.side = SideStage::kFilled;
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 4000));
    ledger.side = SideStage::kDropping;
    expect_ok(ledger, "drop", store.drop_index(kSideName));
    ledger.side = SideStage::kAbsent;
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 4000));
  }
}

}  // namespace

void wrong_answer(Ledger& ledger, const std::string& words) {
  std::strncpy(ledger.message.data(), words.c_str(), ledger.message.size() - 1);
  ::_exit(kWrongAnswer);
}

void work_until_killed(const Plan& plan, Ledger& ledger, std::uint64_t seed) {
  Result<Store> store = Store::open(plan.path(), plan.store);
  if (!store) wrong_answer(ledger, "open: " + store.status().to_string());
  // It is written to while it is loaded: by the other index's thread, and by these as soon as they
  // have it.
  Random random(seed);
  std::vector<std::thread> threads;
  threads.emplace_back([&, mine = random()] { make_and_drop(ledger, *store, mine); });
  Result<Index> index = store->index(kIndexName, plan.index);
  if (!index) wrong_answer(ledger, "index: " + index.status().to_string());
  for (std::size_t i = 0; i < kWriters; ++i) {
    threads.emplace_back([&, i, mine = random()] { Writer(plan, ledger, *index, i, mine).run(); });
  }
  threads.emplace_back([&, mine = random()] { maintain(plan, ledger, *store, *index, mine); });
  for (std::thread& thread : threads) thread.join();
  ::_exit(0);
}

void reopen_until_killed(const Plan& plan, Ledger& ledger) {
  for (int opening = 0; opening < 2; ++opening) {
    Result<Store> store = Store::open(plan.path(), plan.store);
    if (!store) wrong_answer(ledger, "opening again: " + store.status().to_string());
    const Result<Index> index = store->index(kIndexName, plan.index);
    if (!index) wrong_answer(ledger, "index, again: " + index.status().to_string());
    expect_ok(ledger, "close", store->close());
  }
  ::_exit(0);
}

}  // namespace vicinal::testing

#include "tests/soak/soak.h"

#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <filesystem>
#include <numeric>
#include <random>
#include <set>
#include <thread>
#include <vector>

namespace vicinal::testing {
namespace {

using Random = std::mt19937_64;

void expect(const Status& status, const char* what) {
  if (!status.ok()) throw std::runtime_error(fmt::format("{}: {}", what, status.to_string()));
}

template <typename T>
T need(Result<T> result, const char* what) {
  expect(result.status(), what);
  return std::move(*result);
}

}  // namespace

Soak::Soak(Plan plan) : plan_(std::move(plan)) {
  open();
  std::vector<Label> labels;
  std::vector<float> matrix;
  for (Label label = kSoakLabels; label < kSoakLabels + kResting; ++label) {
    labels.push_back(label);
    const std::vector<float> row = row_of(label, 1, plan_.index.dimension);
    matrix.insert(matrix.end(), row.begin(), row.end());
  }
  expect(index_->upsert_batch(labels, matrix).status(), "first batch");
}

void Soak::open() {
  store_ = std::make_unique<Store>(need(Store::open(plan_.path(), plan_.store), "open"));
  index_ = std::make_unique<Index>(need(store_->index(kIndexName, plan_.index), "index"));
}

void Soak::wrong(const std::string& words) {
  stop_ = true;
  const std::lock_guard lock(mutex_);
  if (wrong_.empty()) wrong_ = words;
}

void Soak::run(const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& error) {
    wrong(error.what());
  }
}

std::string Soak::shift(std::uint64_t seed, std::chrono::milliseconds length) {
  stop_ = false;
  Random random(seed);
  std::vector<std::thread> threads;
  const auto start = [&](auto work) {
    threads.emplace_back([this, work, mine = random()] { run([&] { work(mine); }); });
  };
  for (std::size_t i = 0; i < kSoakWriters; ++i) {
    start([this, i](std::uint64_t mine) { write(i, mine); });
  }
  for (std::size_t i = 1; i < kSoakSearchers; ++i) {
    start([this](std::uint64_t mine) { search(mine); });
  }
  start([this](std::uint64_t mine) { look(mine); });
  start([this](std::uint64_t mine) { maintain(mine); });
  const auto end = std::chrono::steady_clock::now() + length;
  while (going_on() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  stop_ = true;
  for (std::thread& thread : threads) thread.join();
  if (!wrong_.empty()) return wrong_;
  run([&] {
    compare();
    expect(store_->close(), "close");
    index_.reset();
    store_.reset();
    file_bytes_ = std::filesystem::file_size(plan_.path() + "/data.mdb");
    open();
    compare();
  });
  return wrong_;
}

std::vector<float> Soak::begin_call(std::span<const Label> labels, bool store) {
  std::vector<float> matrix;
  for (const Label label : labels) {
    Model::State& state = model_.states[label];
    LabelState after = state.done + 1;
    if (is_stored(after) != store) after = store ? after + 1 : LabelState{state.done};
    state.begun = after;
    if (!store) continue;
    const std::vector<float> row = row_of(label, after, plan_.index.dimension);
    matrix.insert(matrix.end(), row.begin(), row.end());
  }
  return matrix;
}

void Soak::write(std::size_t writer, std::uint64_t seed) {
  Random random(seed);
  const Label first = writer * kSoakLabelsPerWriter;
  std::vector<Label> labels;
  while (going_on()) {
    const std::uint64_t dice = random() % 100;
    const std::size_t count = dice < 85 ? 1 : dice < 99 ? 2 + random() % 50 : kSoakLabelsPerWriter;
    const bool store = dice % 4 != 0;
    const Label begin = first + random() % (kSoakLabelsPerWriter - count + 1);
    labels.resize(count);
    std::iota(labels.begin(), labels.end(), begin);
    const std::vector<float> matrix = begin_call(labels, store);
    if (count == 1) {
      expect(store ? index_->upsert(begin, matrix).status() : index_->erase(begin).status(),
             "write");
    } else {
      expect(store ? index_->upsert_batch(labels, matrix).status()
                   : index_->erase_batch(labels).status(),
             "batch");
    }
    for (const Label label : labels) model_.states[label].done = model_.states[label].begun.load();
    counts_.writes += count;
  }
}

// S2
void Soak::check_hits(const SearchResult& found, std::size_t wanted) {
  std::set<Label> seen;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i].label >= kSoakLabels + kResting || !seen.insert(found[i].label).second) {
      return wrong(
          fmt::format("a search finds label {} that is not there, or twice", found[i].label));
    }
    if (i > 0 && found[i].distance < found[i - 1].distance) {
      return wrong(fmt::format("hit {} is nearer than the one before", i));
    }
  }
  if (found.size() != wanted) {
    wrong(fmt::format("a search for {} finds {}", wanted, found.size()));
  }
}

void Soak::search(std::uint64_t seed) {
  Random random(seed);
  while (going_on()) {
    const Label label = kSoakLabels + random() % kResting;
    const std::vector<float> query = row_of(label, 1, plan_.index.dimension);
    SearchOptions options{.k = 1 + random() % kResting};
    options.exact = random() % 8 == 0;
    if (random() % 8 == 0) options.filter = Filter::by([](Label l) { return l >= kSoakLabels; });
    const SearchResult found = need(index_->search(query, options), "search");
    check_hits(found, options.k);
    if (found.empty() || found[0].label != label) {  // S3
      wrong(fmt::format("label {} does not find itself", label));
    }
    ++counts_.searches;
  }
}

// S1
void Soak::look(std::uint64_t seed) {
  Random random(seed);
  while (going_on()) {
    const Label label = random() % kSoakLabels;
    const LabelState before = model_.states[label].done;
    const Result<std::vector<float>> stored = index_->get(label);
    const LabelState after = model_.states[label].begun;
    if (!stored && stored.status().code() != StatusCode::kNotFound) {
      expect(stored.status(), "get");
    }
    bool known = false;
    for (LabelState state = before; state <= after && !known; ++state) {
      known = stored ? is_stored(state) && *stored == row_of(label, state, plan_.index.dimension)
                     : !is_stored(state);
    }
    if (!known) {
      wrong(fmt::format("get({}) gives what no state from {} to {} is", label, before, after));
    }
    ++counts_.looks;
  }
}

void Soak::maintain(std::uint64_t seed) {
  Random random(seed);
  while (going_on()) {
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 20'000));
    const std::uint64_t dice = random() % 100;
    if (dice < 40) {
      expect(index_->checkpoint(), "checkpoint");
    } else if (dice < 75) {
      expect(index_->repair({.slice = 1 + random() % 400}).status(), "repair");
    } else if (dice < 80) {
      expect(index_->repair().status(), "repair of all");
    } else if (dice < 88) {
      expect(index_->rebuild(), "rebuild");
    } else if (dice < 95) {
      std::filesystem::remove_all(plan_.backup_path());
      expect(store_->backup(plan_.backup_path()), "backup");
    } else {
      expect(index_->save([](std::span<const std::byte>) { return Status(); }), "save");
    }
    ++counts_.maintenance;
  }
}

void Soak::compare() {
  std::uint64_t live = kResting;
  for (Label label = 0; label < kSoakLabels; ++label) {
    const LabelState state = model_.states[label].done;
    const Result<std::vector<float>> stored = index_->get(label);
    const bool right = is_stored(state)
                           ? stored && *stored == row_of(label, state, plan_.index.dimension)
                           : stored.status().code() == StatusCode::kNotFound;
    if (!right) {
      return wrong(fmt::format("label {} is not as the model has it, state {}", label, state));
    }
    live += is_stored(state) ? 1 : 0;
  }
  if (index_->size() != live) {
    return wrong(fmt::format("size() is {}, the model has {}", index_->size(), live));
  }
  const ValidateReport report = need(index_->validate({.deep = true}), "validate");
  if (!report.sound()) {
    wrong(fmt::format("{} problems: {}", report.problems,
                      report.messages.empty() ? "" : report.messages.front()));
  }
}

}  // namespace vicinal::testing

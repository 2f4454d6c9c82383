#include "tests/crash/audit.h"

#include <fmt/format.h>

#include <filesystem>
#include <span>
#include <vector>

#include "vicinal/index.h"
#include "vicinal/store.h"

namespace vicinal::testing {
namespace {

/// Why a comparison ended.
struct Wrong {
  std::string words;
};

class Audit {
 public:
  Audit(const Plan& plan, Ledger& ledger)
      : plan_(plan),
        ledger_(ledger),
        audited_(ledger.audited),
        store_(open(plan.path())),
        // Made by the workload's first call: a crash before it leaves none.
        index_(need(store_.index(kIndexName, plan.index), "index")) {}

  void run(bool with_recall) {
    for (CallInFlight& call : ledger_.calls) settle(call);
    compare_labels();
    compare_all();
    check_sound(index_, kIndexName);
    check_records();
    check_side();
    if (ledger_.backup) check_backup();
    if (with_recall) compare_recall();
    const Status closed = store_.close();
    if (!closed.ok()) throw Wrong{"close: " + closed.to_string()};
  }

 private:
  template <typename T>
  static T need(Result<T> result, const char* what) {
    if (!result) throw Wrong{fmt::format("{}: {}", what, result.status().to_string())};
    return std::move(*result);
  }

  Store open(const std::string& path) const { return need(Store::open(path, plan_.store), "open"); }

  bool has(Label label, LabelState state) const {
    const Result<std::vector<float>> stored = index_.get(label);
    if (!stored) {
      if (stored.status().code() == StatusCode::kNotFound) return !is_stored(state);
      throw Wrong{fmt::format("get({}): {}", label, stored.status().to_string())};
    }
    return is_stored(state) && *stored == row_of(label, state, plan_.index.dimension);
  }

  /// All or nothing.
  void settle(CallInFlight& call) {
    const std::size_t count = call.count;
    if (count == 0) return;
    std::size_t before = 0;
    std::size_t after = 0;
    for (std::size_t i = 0; i < count; ++i) {
      before += has(call.labels[i], call.before[i]) ? 1 : 0;
      after += has(call.labels[i], call.after[i]) ? 1 : 0;
    }
    const bool acknowledged = call.acknowledged;
    if (after != count && (acknowledged || before != count)) {
      throw Wrong{fmt::format(
          "a call of {} labels from {} on, {}: {} have what it gave, {} what they had before",
          count, call.labels[0], acknowledged ? "acknowledged" : "cut off", after, before)};
    }
    const auto& states = after == count ? call.after : call.before;
    for (std::size_t i = 0; i < count; ++i) ledger_.states[call.labels[i]] = states[i];
    call.count = 0;
    if (acknowledged) return;
    ++audited_.unacknowledged;
    if (after == count) ++audited_.kept;
  }

  void compare_labels() {
    for (Label label = 0; label < kLabels; ++label) {
      const LabelState state = ledger_.states[label];
      if (!has(label, state)) {
        throw Wrong{
            fmt::format("label {} does not have what was acknowledged, state {}", label, state)};
      }
      if (index_.contains(label) != is_stored(state)) {
        throw Wrong{fmt::format("contains({}) and get() do not agree", label)};
      }
      live_ += is_stored(state) ? 1 : 0;
    }
    audited_.labels += kLabels;
  }

  void compare_all() {
    if (index_.size() != live_) {
      throw Wrong{fmt::format("size() is {}, {} labels are stored", index_.size(), live_)};
    }
    std::uint64_t visited = 0;
    const Status status = index_.for_each([&](Label label, std::span<const float>) {
      if (label >= kLabels) throw Wrong{fmt::format("label {} was never stored", label)};
      ++visited;
      return true;
    });
    if (!status.ok()) throw Wrong{"for_each: " + status.to_string()};
    if (visited != live_) {
      throw Wrong{fmt::format("for_each() visits {} of {} labels", visited, live_)};
    }
    const std::vector<float> query = row_of(kLabels, 1, plan_.index.dimension);
    const SearchResult exact = need(index_.search(query, {.k = kLabels, .exact = true}), "search");
    if (exact.size() != live_) {
      throw Wrong{fmt::format("an exact search finds {} of {} labels", exact.size(), live_)};
    }
    const Stats stats = index_.stats();
    if (stats.salvaged != 0) throw Wrong{fmt::format("{} records set aside", stats.salvaged)};
  }

  static void check_sound(const Index& index, const char* name) {
    const ValidateReport report = need(index.validate({.deep = true}), "validate");
    if (report.sound()) return;
    throw Wrong{fmt::format("\"{}\" has {} problems: {}", name, report.problems,
                            report.messages.empty() ? "" : report.messages.front())};
  }

  void check_records() {
    std::vector<std::string> messages;
    const std::uint64_t damaged = need(store_.verify_records(&messages), "verify_records");
    if (damaged == 0) return;
    throw Wrong{
        fmt::format("{} records fail: {}", damaged, messages.empty() ? "" : messages.front())};
  }

  void check_side() {
    const SideStage stage = ledger_.side;
    Result<Index> side = store_.open_index(kSideName);
    if (!side) {
      const bool may_be_absent = stage == SideStage::kAbsent || stage == SideStage::kMaking ||
                                 stage == SideStage::kDropping;
      if (side.status().code() == StatusCode::kNotFound && may_be_absent) return;
      throw Wrong{fmt::format("second index, stage {}: {}", static_cast<int>(stage),
                              side.status().to_string())};
    }
    const std::uint64_t size = side->size();
    const bool as_it_should =
        (size == 0 && (stage == SideStage::kMaking || stage == SideStage::kEmpty ||
                       stage == SideStage::kFilling)) ||
        (size == kSideLabels && (stage == SideStage::kFilling || stage == SideStage::kFilled ||
                                 stage == SideStage::kDropping));
    if (!as_it_should) {
      throw Wrong{
          fmt::format("second index, stage {}, has {} labels", static_cast<int>(stage), size)};
    }
    for (Label label = 0; label < size; ++label) {
      if (need(side->get(label), "second index's vector") != row_of(label, 1, kSideDimension)) {
        throw Wrong{fmt::format("second index: label {} has another vector", label)};
      }
    }
    check_sound(*side, kSideName);
    const Status dropped = store_.drop_index(kSideName);
    if (!dropped.ok()) throw Wrong{"drop: " + dropped.to_string()};
    ledger_.side = SideStage::kAbsent;
  }

  /// Of which moment it is nobody knows: every label has a vector that it was given once.
  void check_backup() const {
    Store copy = open(plan_.backup_path());
    const Index index = need(copy.open_index(kIndexName), "index of the copy");
    check_sound(index, "of the copy");
    const Status status = index.for_each([&](Label label, std::span<const float> row) {
      const LabelState newest = ledger_.states[label] + 3;
      bool known = false;
      for (LabelState state = 1; state <= newest && !known; state += 2) {
        const std::vector<float> given = row_of(label, state, plan_.index.dimension);
        known = std::equal(row.begin(), row.end(), given.begin(), given.end());
      }
      if (!known) throw Wrong{fmt::format("copy: label {} has a vector of nobody", label)};
      return true;
    });
    if (!status.ok()) throw Wrong{"copy: " + status.to_string()};
  }

  void compare_recall() {
    if (live_ < 100) return;
    Index fresh = need(Index::in_memory(plan_.index), "fresh index");
    std::vector<Label> labels;
    std::vector<float> matrix;
    const Status status = index_.for_each([&](Label label, std::span<const float> row) {
      labels.push_back(label);
      matrix.insert(matrix.end(), row.begin(), row.end());
      return true;
    });
    if (!status.ok()) throw Wrong{"for_each: " + status.to_string()};
    (void)need(fresh.upsert_batch(labels, matrix), "fresh index's batch");
    const RecallOptions options{.samples = kLabels, .k = 10, .ef_search = 10};
    audited_.recall = need(index_.recall(options), "recall");
    audited_.fresh_recall = need(fresh.recall(options), "recall of the fresh index");
  }

  const Plan& plan_;
  Ledger& ledger_;
  Audited& audited_;
  Store store_;
  Index index_;
  std::uint64_t live_ = 0;
};

}  // namespace

std::string audit(const Plan& plan, Ledger& ledger, bool with_recall) {
  try {
    ledger.audited = {};
    Audit(plan, ledger).run(with_recall);
    return {};
  } catch (const Wrong& wrong) {
    return wrong.words;
  }
}

}  // namespace vicinal::testing

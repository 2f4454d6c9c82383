// Seeded scripts of random operations, compared with a map after every one that looks.
//
// VICINAL_MODEL_SCRIPTS sets how many scripts are run. A failing script is shrunk by leaving
// operations out while it still fails, and printed.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <sstream>

#include "tests/engine/engine_testing.h"

namespace vicinal::testing {
namespace {

enum class Verb { kUpsert, kErase, kBatch, kEraseBatch, kReopen, kRepair, kRebuild, kCheckpoint };

struct Step {
  Verb verb;
  Label label;
  std::uint64_t generation;
  std::size_t count;
};

using Script = std::vector<Step>;

Script draw_script(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Script script;
  for (int i = 0; i < 80; ++i) {
    const std::uint64_t dice = random() % 100;
    const Verb verb = dice < 45   ? Verb::kUpsert
                      : dice < 65 ? Verb::kErase
                      : dice < 77 ? Verb::kBatch
                      : dice < 82 ? Verb::kEraseBatch
                      : dice < 87 ? Verb::kReopen
                      : dice < 93 ? Verb::kRepair
                      : dice < 96 ? Verb::kRebuild
                                  : Verb::kCheckpoint;
    script.push_back({verb, random() % 40, random() % 3, random() % 30});
  }
  return script;
}

std::string print(const Script& script) {
  std::ostringstream out;
  for (const Step& s : script) {
    out << "{" << static_cast<int>(s.verb) << "," << s.label << "," << s.generation << ","
        << s.count << "} ";
  }
  return out.str();
}

/// A live index beside the map it should equal.
class Pair {
 public:
  /// `seed` chooses where rows are kept and whether the index is flat.
  explicit Pair(std::uint64_t seed) : rows_in_memory_(seed % 2 == 0), flat_(seed % 4 < 2) {
    open();
  }

  /// What is wrong after `step`, or empty.
  std::string apply(const Step& step) {
    const std::vector<Label> labels = labels_up_to(step.count, step.label);
    bool ok = true;
    switch (step.verb) {
      case Verb::kUpsert:
        ok = index_->upsert(step.label, vector_of(step.label, step.generation)).ok();
        model_[step.label] = step.generation;
        break;
      case Verb::kErase:
        ok = *index_->erase(step.label) ==
             (model_.erase(step.label) > 0 ? EraseOutcome::kErased : EraseOutcome::kAbsent);
        break;
      case Verb::kBatch:
        ok = index_->upsert_batch(labels, matrix_of(labels, step.generation)).ok();
        for (const Label label : labels) model_[label] = step.generation;
        break;
      case Verb::kEraseBatch: {
        std::uint64_t erased = 0;
        for (const Label label : labels) erased += model_.erase(label);
        ok = *index_->erase_batch(labels) == erased;
        break;
      }
      case Verb::kReopen:
        ok = store_->close().ok();
        open();
        break;
      case Verb::kRepair:
        ok = index_->repair({.slice = step.count * 4}).ok();
        break;
      case Verb::kRebuild:
        ok = index_->rebuild().ok();
        break;
      case Verb::kCheckpoint:
        ok = index_->checkpoint().ok();
        break;
    }
    return ok ? differences() : "the call's answer is wrong";
  }

  std::string differences() const {
    if (index_->size() != model_.size()) return "size";
    for (const auto& [label, generation] : model_) {
      const std::vector<float> wanted = vector_of(label, generation);
      const auto stored = index_->get(label);
      if (!stored || *stored != wanted) return "vector of " + std::to_string(label);
      const auto found = index_->search(wanted, {.k = 1, .ef_search = 100});
      if (!found || found->empty() || (*found)[0].label != label) {
        return "label " + std::to_string(label) + " does not find itself";
      }
    }
    const std::vector<float> query = vector_of(777);
    if (index_->search(query, {.k = 100, .ef_search = 200})->hits !=
        index_->search(query, {.k = 100, .exact = true})->hits) {
      return "walk and exact search differ";
    }
    const auto report = index_->validate({.deep = true});
    if (!report) return report.status().to_string();
    return report->sound() ? "" : report->messages.front();
  }

 private:
  void open() {
    index_.reset();
    store_.reset();
    StoreOptions quiet = quick_store();
    quiet.background = false;  // validate() wants a quiet index, and scripts must repeat
    store_.emplace(*Store::open(folder_.file("s"), quiet));
    IndexOptions options = flat_ ? flat_options() : small_options();
    options.vectors_in_memory = rows_in_memory_;
    index_.emplace(*store_->index("text", options));
  }

  const bool rows_in_memory_;
  const bool flat_;
  TemporaryFolder folder_;
  std::optional<Store> store_;
  std::optional<Index> index_;
  std::map<Label, std::uint64_t> model_;
};

std::string run(const Script& script, std::uint64_t seed) {
  Pair pair(seed);
  for (const Step& step : script) {
    if (std::string wrong = pair.apply(step); !wrong.empty()) return wrong;
  }
  return {};
}

TEST(Model, RandomScriptsEqualAMap) {
  const char* const asked = std::getenv("VICINAL_MODEL_SCRIPTS");
  const std::uint64_t scripts = asked == nullptr ? 40 : std::strtoull(asked, nullptr, 10);
  for (std::uint64_t seed = 1; seed <= scripts; ++seed) {
    Script script = draw_script(seed);
    const std::string wrong = run(script, seed);
    if (wrong.empty()) continue;
    for (std::size_t i = script.size(); i-- > 0;) {
      Script shorter;
      for (std::size_t j = 0; j < script.size(); ++j) {
        if (j != i) shorter.push_back(script[j]);
      }
      if (!run(shorter, seed).empty()) script = shorter;
    }
    FAIL() << "seed " << seed << ": " << wrong << " after " << print(script);
  }
}

}  // namespace
}  // namespace vicinal::testing

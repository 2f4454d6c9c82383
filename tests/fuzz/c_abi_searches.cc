// Calls that search, and those on sets of labels.
#include <algorithm>

#include "tests/fuzz/c_abi_script.h"

namespace vicinal::fuzz {
namespace {

constexpr std::size_t kBeyondMemory = std::size_t{1} << 62;

bool* wanted(Caller& caller, bool& value) { return caller.script.byte() < 240 ? &value : nullptr; }

void search(Caller& caller) {
  const Sized<vicinal_search_options> options(caller.script, draw_search_options(caller));
  const Sized<vicinal_search_counters> counters(caller.script, {});
  const std::size_t dimension = caller.dimension();
  const std::vector<float> query = caller.floats(dimension);
  std::vector<std::uint64_t> labels(caller.script.byte());
  std::vector<float> distances(labels.size());
  std::size_t found = 0;
  const vicinal_status status = vicinal_index_search(
      caller.index(), query.data(), dimension, labels.size(), options.get(), labels.data(),
      caller.script.flag() ? distances.data() : nullptr, &found, counters.get());
  caller.expect_answer(status);
  expect(found <= labels.size(), "no more are found than there is room for");
}

void more(Caller& caller) {
  const Sized<vicinal_search_options> options(caller.script, draw_search_options(caller));
  const std::size_t dimension = caller.dimension();
  const std::vector<float> query = caller.floats(dimension);
  const std::vector<std::uint64_t> known = caller.labels();
  std::vector<std::uint64_t> labels(caller.script.below(20));
  std::vector<float> distances(labels.size());
  std::size_t found = 0;
  const bool beyond = caller.script.byte() >= 250;
  const vicinal_status status =
      vicinal_index_more(caller.index(), query.data(), dimension, known.data(), known.size(),
                         beyond ? kBeyondMemory : labels.size(), options.get(), labels.data(),
                         caller.script.flag() ? distances.data() : nullptr, &found, nullptr);
  caller.expect_answer(status);
  expect(!beyond || status != VICINAL_OK, "what memory cannot have is refused");
  expect(found <= labels.size(), "no more are found than there is room for");
}

void search_batch(Caller& caller) {
  const Sized<vicinal_search_options> options(caller.script, draw_search_options(caller));
  const std::size_t dimension = caller.dimension();
  const std::size_t rows = caller.script.below(6);
  const std::size_t k = caller.script.below(20);
  const std::vector<float> queries = caller.floats(rows * dimension);
  std::vector<std::uint64_t> labels(rows * k);
  std::vector<float> distances(rows * k);
  std::vector<std::size_t> counts(rows);
  std::vector<vicinal_search_counters> counters(rows);
  for (vicinal_search_counters& one : counters) one.size = sizeof one;
  const bool beyond = caller.script.byte() >= 250;
  const std::uint32_t threads = caller.script.byte() < 250 ? 1 + (rows & 1) : 4097;
  caller.expect_answer(vicinal_index_search_batch(
      caller.index(), queries.data(), beyond ? kBeyondMemory : rows, dimension, k, options.get(),
      threads, labels.data(), distances.data(), caller.script.flag() ? counts.data() : nullptr,
      caller.script.flag() ? counters.data() : nullptr));
}

void search_radius(Caller& caller) {
  const vicinal_search_options search = draw_search_options(caller);
  vicinal_radius_options filled = {};
  filled.max_hits = caller.script.byte() % 16;
  filled.ef_search = search.ef_search;
  filled.predicate = search.predicate;
  filled.predicate_context = search.predicate_context;
  filled.labels = search.labels;
  filled.exact = search.exact;
  const Sized<vicinal_radius_options> options(caller.script, filled);
  const std::size_t dimension = caller.dimension();
  const std::vector<float> query = caller.floats(dimension);
  const float radius = caller.script.flag() ? 10'000.0F : caller.script.number<float>();
  vicinal_hits* hits = nullptr;
  const vicinal_status status = vicinal_index_search_radius(caller.index(), query.data(), dimension,
                                                            radius, options.get(), &hits, nullptr);
  caller.expect_answer(status);
  expect((status == VICINAL_OK) == (hits != nullptr), "a call that fails makes no handle");
  const std::uint64_t* const labels = vicinal_hits_labels(hits);
  const float* const distances = vicinal_hits_distances(hits);
  for (std::size_t i = 0; i < vicinal_hits_count(hits); ++i) {
    expect(distances[i] <= radius, "hits lie within the radius");
    expect(i == 0 || distances[i - 1] < distances[i] || labels[i - 1] < labels[i], "in order");
  }
  expect(!vicinal_hits_cut(hits) || filled.max_hits != 0, "what has no limit is not cut");
  vicinal_hits_free(hits);
}

void recall(Caller& caller) {
  vicinal_recall_options filled = {};
  filled.samples = caller.script.byte();
  filled.k = caller.script.byte();
  filled.ef_search = caller.script.number<std::uint16_t>();
  filled.seed = caller.script.byte();
  filled.threads = 1;
  const Sized<vicinal_recall_options> options(caller.script, filled);
  double found = -1;
  const vicinal_status status = vicinal_index_recall(caller.index(), options.get(), &found);
  caller.expect_answer(status);
  expect(status != VICINAL_OK || (found >= 0 && found <= 1), "recall is a share");
}

void expected_recall(Caller& caller) {
  std::vector<std::size_t> efs(caller.script.below(30));
  std::vector<double> recalls(efs.size());
  std::size_t count = 0;
  caller.expect_answer(vicinal_index_expected_recall(caller.index(), caller.script.below(12),
                                                     efs.data(), recalls.data(), efs.size(), &count,
                                                     nullptr, nullptr));
  expect(count <= 26, "there are no more rows than are said");
}

void make_set(Caller& caller) {
  const std::vector<std::uint64_t> labels = caller.labels();
  vicinal_label_set* made = nullptr;
  const vicinal_status status = caller.script.byte() < 200
                                    ? vicinal_label_set_create(labels.data(), labels.size(), &made)
                                    : vicinal_label_set_all(&made);
  caller.keep(status, made, caller.set(), vicinal_label_set_free);
}

void combine_sets(Caller& caller) {
  const vicinal_label_set* const a = caller.set();
  const vicinal_label_set* const b = caller.set();
  vicinal_label_set* made = nullptr;
  vicinal_status status = VICINAL_OK;
  switch (caller.script.below(4)) {
    case 0:
      status = vicinal_label_set_and(a, b, &made);
      break;
    case 1:
      status = vicinal_label_set_or(a, b, &made);
      break;
    case 2:
      status = vicinal_label_set_minus(a, b, &made);
      break;
    default:
      status = vicinal_label_set_not(a, &made);
  }
  caller.keep(status, made, caller.set(), vicinal_label_set_free);
}

void ask_set(Caller& caller) {
  const vicinal_label_set* const set = caller.set();
  bool yes = false;
  std::uint64_t number = 0;
  caller.expect_answer(vicinal_label_set_equal(set, caller.set(), wanted(caller, yes)));
  caller.expect_answer(vicinal_label_set_contains(set, caller.label(), wanted(caller, yes)));
  caller.expect_answer(vicinal_label_set_inverted(set, wanted(caller, yes)));
  caller.expect_answer(vicinal_label_set_size(set, &number));
  caller.expect_answer(vicinal_label_set_bytes(set, &number));
  caller.expect_answer(vicinal_label_set_stored(set, &number));
  std::vector<std::uint64_t> stored(caller.script.below(50));
  std::size_t count = 0;
  const vicinal_status status =
      vicinal_label_set_copy_stored(set, stored.data(), stored.size(), &count);
  caller.expect_answer(status);
  expect(count <= stored.size() && std::is_sorted(stored.begin(), stored.begin() + count),
         "stored labels are told ascending");
  caller.expect_answer(vicinal_label_set_for_each_stored(
      set, on_label, caller.context({.answer = caller.script.flag()})));
}

}  // namespace

vicinal_search_options draw_search_options(Caller& caller) {
  vicinal_search_options options = {};
  options.size = sizeof options;
  ScriptReader& script = caller.script;
  const std::uint8_t which = script.byte();
  if ((which & 1) != 0) options.labels = caller.set();
  if ((which & 2) != 0) {
    options.predicate = on_label;
    options.predicate_context =
        caller.context({.answer = (which & 128) != 0, .calls = script.byte()});
  }
  options.exact = (which & 4) != 0 ? 1 : 0;
  if ((which & 8) != 0) options.ef_search = script.number<std::uint16_t>();
  if ((which & 16) != 0) options.max_distances = script.number<std::uint64_t>();
  if ((which & 32) != 0) options.timeout_us = script.number<std::uint64_t>();
  if ((which & 64) != 0 && (which & 48) != 0) options.recall = script.number<double>();
  if (which == 255) options.reserved = 1;
  return options;
}

std::span<const Call> search_calls() {
  static constexpr std::array<Call, 12> kCalls = {
      search, search,   search_batch, search_radius, more,     recall,
      search, make_set, combine_sets, ask_set,       make_set, expected_recall};
  return kCalls;
}

}  // namespace vicinal::fuzz

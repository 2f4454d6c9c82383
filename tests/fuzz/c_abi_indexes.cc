// Calls on indexes: made, written, read, kept well, saved and loaded.
#include <algorithm>

#include "tests/fuzz/c_abi_script.h"

namespace vicinal::fuzz {
namespace {

/// Rows that are there, or more than memory can have, which is refused before one is read.
std::size_t rows_of(Caller& caller, std::size_t given) {
  return caller.script.byte() < 250 ? given : std::size_t{1} << 62;
}

void create(Caller& caller) {
  const Sized<vicinal_index_options> options(caller.script, draw_index_options(caller));
  vicinal_index* made = nullptr;
  const vicinal_status status = vicinal_index_create(options.get(), &made);
  caller.keep(status, made, caller.index(), vicinal_index_free);
}

void free_one(Caller& caller) {
  vicinal_index*& index = caller.index();
  vicinal_index_free(index);
  index = nullptr;
}

void upsert(Caller& caller) {
  const std::size_t dimension = caller.dimension();
  const std::vector<float> vector = caller.floats(dimension);
  vicinal_upsert_outcome outcome = -1;
  const std::uint64_t label = caller.label();
  const vicinal_status status = vicinal_index_upsert(
      caller.index(), label, vector.data(), dimension, caller.script.flag() ? &outcome : nullptr);
  caller.expect_answer(status);
  expect(status == VICINAL_OK || outcome == -1, "a failed call leaves its results alone");
}

void upsert_batch(Caller& caller) {
  const std::vector<std::uint64_t> labels = caller.labels();
  const std::size_t dimension = caller.dimension();
  const std::vector<float> vectors = caller.floats(labels.size() * dimension);
  vicinal_batch_options filled = {};
  filled.threads = caller.script.byte() < 250 ? caller.script.below(3) : 5000;
  if (caller.script.flag()) {
    filled.progress = on_progress;
    filled.progress_context =
        caller.context({.answer = caller.script.byte() % 8 != 0, .calls = caller.script.byte()});
  }
  const Sized<vicinal_batch_options> options(caller.script, filled);
  const Sized<vicinal_batch_result> result(caller.script, {});
  caller.expect_answer(vicinal_index_upsert_batch(caller.index(), labels.data(), vectors.data(),
                                                  rows_of(caller, labels.size()), dimension,
                                                  options.get(), result.get()));
}

void get(Caller& caller) {
  const std::size_t dimension = caller.dimension();
  std::vector<float> vector(dimension);
  const std::uint64_t label = caller.label();
  caller.expect_answer(vicinal_index_get(caller.index(), label, vector.data(), dimension));
  std::vector<std::byte> stored(caller.script.byte() < 128 ? 16 : caller.script.byte());
  caller.expect_answer(
      vicinal_index_get_stored(caller.index(), label, stored.data(), stored.size()));
  bool live = false;
  caller.expect_answer(vicinal_index_contains(caller.index(), label, &live));
}

void erase(Caller& caller) {
  vicinal_erase_outcome outcome = -1;
  const std::uint64_t label = caller.label();
  caller.expect_answer(
      vicinal_index_erase(caller.index(), label, caller.script.flag() ? &outcome : nullptr));
}

void erase_batch(Caller& caller) {
  const std::vector<std::uint64_t> labels = caller.labels();
  std::uint64_t erased = 0;
  caller.expect_answer(vicinal_index_erase_batch(caller.index(), labels.data(), labels.size(),
                                                 caller.script.flag() ? &erased : nullptr));
}

void numbers(Caller& caller) {
  vicinal_index* const index = caller.index();
  std::uint64_t size = 0;
  std::uint32_t dimension = 0;
  caller.expect_answer(vicinal_index_size(index, &size));
  caller.expect_answer(vicinal_index_dimension(index, &dimension));
  caller.expect_answer(vicinal_index_size(index, nullptr));
  const Sized<vicinal_index_options> options(caller.script, {});
  caller.expect_answer(vicinal_index_get_options(index, options.get()));
  const Sized<vicinal_stats> stats(caller.script, {});
  caller.expect_answer(vicinal_index_stats(index, stats.get()));
}

void reserve(Caller& caller) {
  const std::uint64_t count = caller.script.number<std::uint16_t>();
  caller.expect_answer(vicinal_index_reserve(caller.index(), count));
}

bool on_vector(void* context, std::uint64_t label, const float* vector, std::size_t dimension) {
  expect(vector != nullptr && dimension > 0, "a vector is told");
  return on_label(context, label);
}

bool on_node(void* context, const vicinal_node_view* node) {
  std::uint64_t sum = 0;  // touches all that the view says is there
  for (std::uint32_t level = 0; level < node->link_levels; ++level) {
    for (std::size_t i = 0; i < node->link_counts[level]; ++i) {
      sum += node->links[level][i] ^ node->link_nodes[level][i];
    }
  }
  return on_label(context, sum);
}

void visit(Caller& caller) {
  Context* const context =
      caller.context({.answer = caller.script.byte() % 8 != 0, .calls = caller.script.byte()});
  vicinal_index* const index = caller.index();
  switch (caller.script.below(4)) {
    case 0:
      return caller.expect_answer(vicinal_index_for_each(index, on_vector, context));
    case 1:
      return caller.expect_answer(vicinal_index_node(index, caller.label(), on_node, context));
    case 2:
      return caller.expect_answer(vicinal_index_for_each_node(index, on_node, context));
    default:
      return caller.expect_answer(vicinal_index_for_each(index, nullptr, context));
  }
}

void maintain(Caller& caller) {
  Context* const context =
      caller.context({.answer = caller.script.byte() % 8 != 0, .calls = caller.script.byte()});
  vicinal_index* const index = caller.index();
  vicinal_batch_options batch = {};
  batch.threads = 1;
  batch.progress = on_progress;
  batch.progress_context = context;
  vicinal_repair_options repair = {};
  repair.slice = caller.script.byte();
  repair.progress = on_progress;
  repair.progress_context = context;
  switch (caller.script.below(4)) {
    case 0:
      return caller.expect_answer(vicinal_index_checkpoint(index, on_progress, context));
    case 1:
      return caller.expect_answer(vicinal_index_sync(index));
    case 2: {
      const Sized<vicinal_batch_options> options(caller.script, batch);
      return caller.expect_answer(vicinal_index_rebuild(index, options.get()));
    }
    default: {
      const Sized<vicinal_repair_options> options(caller.script, repair);
      const Sized<vicinal_repair_result> result(caller.script, {});
      return caller.expect_answer(vicinal_index_repair(index, options.get(), result.get()));
    }
  }
}

void validate(Caller& caller) {
  Context* const context = caller.context({.calls = caller.script.byte()});
  vicinal_validate_options filled = {};
  filled.deep = caller.script.byte() & 1;
  filled.max_messages = caller.script.byte();
  filled.on_message = on_text;
  filled.message_context = context;
  filled.progress = on_progress;
  filled.progress_context = context;
  const Sized<vicinal_validate_options> options(caller.script, filled);
  vicinal_validate_report report = {};
  vicinal_validate_report_init(&report, sizeof report);
  const vicinal_status status = vicinal_index_validate(caller.index(), options.get(), &report);
  caller.expect_answer(status);
  // One whose callback writes, or that runs inside a call, is of no quiet index.
  expect(context->calls != 0 || caller.depth != 0 || report.problems == 0, "the index is sound");
}

vicinal_status to_bytes(void* context, const void* bytes, std::size_t count) {
  auto* const all = static_cast<std::vector<std::byte>*>(context);
  const auto* const begin = static_cast<const std::byte*>(bytes);
  all->insert(all->end(), begin, begin + count);
  return VICINAL_OK;
}

vicinal_status from_bytes(void* context, void* room, std::size_t capacity, std::size_t* count) {
  auto* const own = static_cast<Context*>(context);
  if (!own->answer) return own->calls;
  *count = own->calls == 255 ? capacity + 1 : std::min(capacity, own->bytes.size());
  if (*count > capacity) return VICINAL_OK;
  std::copy_n(own->bytes.begin(), *count, static_cast<std::byte*>(room));
  own->bytes = own->bytes.subspan(*count);
  return VICINAL_OK;
}

void save_and_load(Caller& caller) {
  std::vector<std::byte> bytes;
  const vicinal_status saved = caller.paused() != nullptr && caller.script.flag()
                                   ? vicinal_paused_writes_save(caller.paused(), to_bytes, &bytes)
                                   : vicinal_index_save(caller.index(), to_bytes, &bytes);
  caller.expect_answer(saved);
  if (caller.script.byte() < 32) bytes.resize(bytes.size() / 2);
  Context* const context = caller.context(
      {.answer = caller.script.byte() % 8 != 0, .calls = caller.script.byte(), .bytes = bytes});
  const Sized<vicinal_index_options> tuning(caller.script, {});
  vicinal_index* made = nullptr;
  const vicinal_status status = vicinal_index_load(from_bytes, context, tuning.get(), &made);
  caller.keep(status, made, caller.index(), vicinal_index_free);
}

void pause(Caller& caller) {
  vicinal_paused_writes*& paused = caller.paused();
  if (paused != nullptr || caller.script.byte() < 32) {
    vicinal_paused_writes_free(paused);
    paused = nullptr;
    return;
  }
  caller.expect_answer(vicinal_index_pause_writes(caller.index(), &paused));
}

}  // namespace

vicinal_index_options draw_index_options(Caller& caller) {
  vicinal_index_options options = {};
  vicinal_index_options_init(&options, sizeof options);
  ScriptReader& script = caller.script;
  options.dimension = static_cast<std::uint32_t>(caller.dimension());
  options.M = 4;
  options.ef_construction = 16;
  options.threads = 1;
  const std::uint8_t which = script.byte();
  options.metric = which % 4;
  options.quantization = which / 4 % 4 == 0 ? 0 : 1;
  options.storage = which / 16 % 4;
  options.reserve = which >= 128 ? 500 : 0;
  if (script.flag()) return options;
  switch (script.below(10)) {
    case 0:
      options.M = script.byte();
      break;
    case 1:
      options.ef_construction = script.number<std::uint16_t>();
      break;
    case 2:
      options.ef_search = script.number<std::uint32_t>();
      break;
    case 3:
      options.repair_share = script.number<double>();
      break;
    case 4:
      options.threads = script.flag() ? 2 : 4097;
      break;
    case 5:
      options.vectors_in_memory = script.byte();
      break;
    case 6:
      options.rebuild_on_upsert = script.byte() & 1;
      break;
    case 7:
      options.salvage = script.byte() & 1;
      break;
    case 8:
      options.reserved = script.byte();
      break;
    default:
      options.dimension = script.number<std::uint32_t>() | 65536;
  }
  return options;
}

std::span<const Call> index_calls() {
  static constexpr std::array<Call, 16> kCalls = {
      create,  create,  upsert, upsert,   upsert_batch,  get,   erase,    erase_batch,
      numbers, reserve, visit,  maintain, save_and_load, pause, validate, free_one};
  return kCalls;
}

void call_inside(Caller& caller, std::uint8_t which) {
  constexpr std::array kCalls = {upsert,  upsert_batch, get,   erase,    erase_batch,
                                 numbers, reserve,      visit, maintain, validate};
  kCalls[which % kCalls.size()](caller);
}

}  // namespace vicinal::fuzz

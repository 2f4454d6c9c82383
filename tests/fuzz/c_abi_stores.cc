// Calls on stores, on files of hnswlib, and on what belongs to nothing.
#include <algorithm>
#include <cstdio>

#include "tests/fuzz/c_abi_script.h"

namespace vicinal::fuzz {
namespace {

void on_event(void*, const vicinal_event* event) {
  expect(event->size == sizeof *event && event->message != nullptr, "an event is told");
}

void open(Caller& caller) {
  vicinal_store_options filled = {};
  vicinal_store_options_init(&filled, sizeof filled);
  filled.durability = VICINAL_DURABILITY_NONE;
  filled.background = 0;
  filled.on_event = on_event;
  const std::uint8_t which = caller.script.byte();
  if ((which & 1) != 0) filled.create = 0;
  if ((which & 6) == 6) filled.read_only = 1;
  if ((which & 24) == 24) filled.max_map_bytes = std::uint64_t{caller.script.byte()} << 16;
  if ((which & 96) == 96) filled.map_bytes = caller.script.number<std::uint32_t>();
  if (which >= 250) filled.durability = caller.script.byte() % 4;
  if (which >= 253) filled.background = 1;
  if (which == 249) filled.checkpoint_bytes = caller.script.byte();
  const Sized<vicinal_store_options> options(caller.script, filled);
  vicinal_store* made = nullptr;
  const vicinal_status status = vicinal_store_open(caller.path(), options.get(), &made);
  caller.keep(status, made, caller.store(), vicinal_store_free);
}

void close(Caller& caller) { caller.expect_answer(vicinal_store_close(caller.store())); }

void free_one(Caller& caller) {
  vicinal_store*& store = caller.store();
  vicinal_store_free(store);
  store = nullptr;
}

void open_index(Caller& caller) {
  const Sized<vicinal_index_options> options(caller.script, draw_index_options(caller));
  vicinal_index* made = nullptr;
  vicinal_store* const store = caller.store();
  const char* const name = caller.name();
  const vicinal_status status = caller.script.flag()
                                    ? vicinal_store_open_index(store, name, options.get(), &made)
                                    : vicinal_store_index(store, name, options.get(), &made);
  caller.keep(status, made, caller.index(), vicinal_index_free);
}

void tell(Caller& caller) {
  vicinal_store* const store = caller.store();
  Context* const context =
      caller.context({.answer = caller.script.byte() % 8 != 0, .calls = caller.script.byte()});
  std::uint64_t failed = 0;
  switch (caller.script.below(5)) {
    case 0:
      return caller.expect_answer(vicinal_store_for_each_index_name(store, on_text, context));
    case 1:
      return caller.expect_answer(
          vicinal_store_for_each_journal_entry(store, caller.name(), on_text, context));
    case 2:
      caller.expect_answer(vicinal_store_verify_records(store, on_text, context, &failed));
      return expect(failed == 0, "no record is damaged");
    case 3: {
      const Sized<vicinal_stored_stats> stats(caller.script, {});
      const Sized<vicinal_index_options> options(caller.script, {});
      return caller.expect_answer(
          vicinal_store_stored_stats(store, caller.name(), stats.get(), options.get()));
    }
    default:
      expect((vicinal_store_path(store) == nullptr) == (store == nullptr), "a store has a path");
  }
}

void stored_vectors(Caller& caller) {
  const std::vector<std::uint64_t> labels = caller.labels();
  const std::size_t dimension = caller.dimension();
  std::vector<float> vectors(labels.size() * dimension);
  const auto live = std::make_unique<bool[]>(labels.size());
  caller.expect_answer(vicinal_store_stored_vectors(caller.store(), caller.name(), labels.data(),
                                                    labels.size(), dimension, vectors.data(),
                                                    caller.script.flag() ? live.get() : nullptr));
}

void change(Caller& caller) {
  vicinal_store* const store = caller.store();
  bool converted = false;
  switch (caller.script.below(5)) {
    case 0:
      return caller.expect_answer(vicinal_store_drop_index(store, caller.name()));
    case 1:
      return caller.expect_answer(vicinal_store_checkpoint(store));
    case 2:
      return caller.expect_answer(vicinal_store_sync(store));
    case 3:
      return caller.expect_answer(vicinal_store_backup(store, caller.path()));
    default:
      return caller.expect_answer(vicinal_store_convert(caller.path(), &converted));
  }
}

void read_hnswlib(Caller& caller) {
  const std::string path = caller.file("input");
  std::FILE* const out = std::fopen(path.c_str(), "wbe");
  expect(out != nullptr, "the file can be written");
  const std::span<const std::byte> bytes = caller.script.bytes(caller.script.byte());
  std::fwrite(bytes.data(), 1, bytes.size(), out);
  std::fclose(out);
  vicinal_hnswlib* file = nullptr;
  const vicinal_status status = vicinal_hnswlib_open(
      caller.script.byte() < 250 ? path.c_str() : nullptr, caller.script.byte(), &file);
  caller.expect_answer(status);
  expect((status == VICINAL_OK) == (file != nullptr), "a call that fails makes no handle");
  const Sized<vicinal_hnswlib_info> info(caller.script, {});
  caller.expect_answer(vicinal_hnswlib_get_info(file, info.get()));
  const std::size_t dimension = caller.dimension();
  constexpr std::size_t kRows = 5;
  std::vector<std::uint64_t> labels(kRows);
  std::vector<float> vectors(kRows * dimension);
  std::vector<std::uint8_t> deleted(kRows);
  std::size_t read = 0;
  caller.expect_answer(vicinal_hnswlib_read(file, caller.script.number<std::uint64_t>(), kRows,
                                            dimension, labels.data(), vectors.data(),
                                            deleted.data(), &read));
  expect(read <= kRows, "no more are read than there is room for");
  vicinal_hnswlib_free(file);
}

bool on_target(void* context, const vicinal_cpu_target* target) {
  expect(target->name != nullptr && target->why_not != nullptr, "a target has a name");
  return on_label(context, 0);
}

void ask_nothing(Caller& caller) {
  const auto value = caller.script.number<std::int32_t>();
  for (const char* const word :
       {vicinal_metric_name(value), vicinal_quantization_name(value), vicinal_storage_name(value),
        vicinal_durability_name(value), vicinal_upsert_outcome_name(value),
        vicinal_erase_outcome_name(value), vicinal_search_path_name(value),
        vicinal_event_name(value), vicinal_severity_name(value), vicinal_status_name(value),
        vicinal_version()}) {
    expect(word != nullptr && *word != '\0', "there is a word for every value");
  }
  expect(vicinal_stored_bytes(1, 7) == 14, "two bytes a component");
  static_cast<void>(vicinal_stored_bytes(value, caller.script.byte()));
  caller.expect_answer(
      vicinal_for_each_cpu_target(on_target, caller.context({.answer = caller.script.flag()})));
  std::vector<char> name(caller.script.below(40));
  caller.expect_answer(vicinal_chosen_cpu_target(name.data(), name.size()));
  caller.expect_answer(vicinal_force_cpu_target("no such target"));
  expect(vicinal_set_allocator(nullptr, nullptr) == VICINAL_INVALID_ARGUMENT, "NULL is refused");
}

template <typename T>
void initialise(Caller& caller, vicinal_status (*init)(T*, std::size_t)) {
  const std::size_t size = caller.script.number<std::uint16_t>();
  const auto bytes = std::make_unique<std::byte[]>(size);
  const bool null = caller.script.byte() >= 250;
  const vicinal_status status = init(null ? nullptr : reinterpret_cast<T*>(bytes.get()), size);
  caller.expect_answer(status);
  expect(!null || status == VICINAL_INVALID_ARGUMENT, "NULL is refused");
}

void initialise_any(Caller& caller) {
  switch (caller.script.below(8)) {
    case 0:
      return initialise(caller, vicinal_index_options_init);
    case 1:
      return initialise(caller, vicinal_store_options_init);
    case 2:
      return initialise(caller, vicinal_search_options_init);
    case 3:
      return initialise(caller, vicinal_stats_init);
    case 4:
      return initialise(caller, vicinal_validate_report_init);
    case 5:
      return initialise(caller, vicinal_hnswlib_info_init);
    case 6:
      return initialise(caller, vicinal_batch_options_init);
    default:
      return initialise(caller, vicinal_stored_stats_init);
  }
}

}  // namespace

std::span<const Call> store_calls() {
  static constexpr std::array<Call, 12> kCalls = {
      open,   open,  open_index, open_index,   tell,        stored_vectors,
      change, close, free_one,   read_hnswlib, ask_nothing, initialise_any};
  return kCalls;
}

}  // namespace vicinal::fuzz

// Fuzz target: the C ABI by a script of calls. Each answers a status that can be, none ends the
// process, whatever the numbers, NULLs and sizes of structs that it gets.
#include <algorithm>
#include <filesystem>

#include "tests/fuzz/c_abi_script.h"
#include "tests/temporary_folder.h"

namespace vicinal::fuzz {
namespace {

constexpr std::size_t kMostCalls = 40;

const testing::TemporaryFolder& folder() {
  static const testing::TemporaryFolder folder;
  return folder;
}

}  // namespace

Caller::~Caller() {
  vicinal_paused_writes_free(paused_);
  for (vicinal_index* const index : indexes_) vicinal_index_free(index);
  for (vicinal_store* const store : stores_) vicinal_store_free(store);
  for (vicinal_label_set* const set : sets_) vicinal_label_set_free(set);
  for (const char* const name : {"a", "b", "copy", "file", "input"}) {
    std::filesystem::remove_all(folder().file(name));
  }
}

void Caller::expect_answer(vicinal_status status) {
  if (status == VICINAL_OK) return;
  const bool known = status > VICINAL_OK && status <= VICINAL_CANCELLED;
  if (!known) std::fprintf(stderr, "%d: %s\n", status, vicinal_last_message());
  expect(known, "a call answers a status that can be");
  expect(*vicinal_last_message() != '\0', "and says why it failed");
  expect(std::strcmp(vicinal_status_name(status), "unknown") != 0, "a status has a name");
}

Context* Caller::context(Context filled) {
  filled.caller = this;
  contexts_.push_back(std::make_unique<Context>(filled));
  return contexts_.back().get();
}

std::size_t Caller::dimension() {
  const std::uint8_t byte = script.byte();
  return byte < 192 ? 4 : byte % 16;
}

std::uint64_t Caller::label() {
  const std::uint8_t byte = script.byte();
  return byte < 240 ? byte % 64 : script.number<std::uint64_t>();
}

std::vector<std::uint64_t> Caller::labels() {
  std::vector<std::uint64_t> labels(script.below(40));
  for (std::uint64_t& one : labels) one = label();
  return labels;
}

std::vector<float> Caller::floats(std::size_t count) {
  std::vector<float> floats(count);
  const bool whole = !script.flag();
  for (float& x : floats) {
    x = whole ? static_cast<float>(script.number<std::int8_t>()) + 0.5F : script.number<float>();
  }
  return floats;
}

const char* Caller::path() {
  constexpr std::array kNames = {"a", "a", "a", "b", "copy", "file", "none/such", ""};
  const std::size_t which = script.below(kNames.size() + 1);
  if (which == kNames.size()) return nullptr;
  path_ = *kNames[which] == '\0' ? "" : file(kNames[which]);
  return path_.c_str();
}

const char* Caller::name() {
  constexpr std::array kNames = {"text", "text", "text", "other", "", "no name", "-._Z9"};
  const std::size_t which = script.below(kNames.size() + 1);
  return which == kNames.size() ? nullptr : kNames[which];
}

std::string Caller::file(const std::string& name) const { return folder().file(name); }

namespace {

/// What a callback does before it answers.
bool answer(void* context) {
  auto* const own = static_cast<Context*>(context);
  Caller& caller = *own->caller;
  if (own->calls != 0 && caller.depth < 2) {
    ++caller.depth;
    call_inside(caller, own->calls);
    --caller.depth;
  }
  return own->answer;
}

}  // namespace

bool on_progress(void* context, const vicinal_progress* progress) {
  expect(progress->size == sizeof *progress && progress->phase != nullptr, "progress is told");
  expect(progress->total == 0 || progress->done <= progress->total, "and not beyond its end");
  return answer(context);
}
bool on_label(void* context, std::uint64_t) { return answer(context); }
bool on_text(void* context, const char* text) {
  expect(text != nullptr, "a text is told");
  return answer(context);
}

}  // namespace vicinal::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vicinal::fuzz;
  Caller caller(ScriptReader(data, size));
  const std::array groups = {index_calls(), search_calls(), store_calls()};
  for (std::size_t i = 0; i < kMostCalls && !caller.script.empty(); ++i) {
    const std::span<const Call> calls = groups[caller.script.below(groups.size())];
    calls[caller.script.below(calls.size())](caller);
  }
  return 0;
}

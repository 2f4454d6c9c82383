// Fuzz target: page_check and the recovery behind it. The input is a script of changes to the data
// file of a small store; whatever they are, the store is refused by name or can be used, and what was
// used for writing can be opened again.
//
// Of an input: one byte how the store is used, one which store, then changes until it ends.
#include <algorithm>
#include <cstring>
#include <string>

#include "tests/fuzz/script_reader.h"
#include "tests/fuzz/stored_seeds.h"

namespace {

using vicinal::fuzz::expect;
using vicinal::fuzz::ScriptReader;
using vicinal::fuzz::StoredSeeds;
using vicinal::fuzz::Use;

constexpr std::size_t kPage = 4096;
constexpr std::size_t kPageHeader = 16;
constexpr std::size_t kMostBytes = 1 << 20;

class Damage {
 public:
  Damage(std::string file, ScriptReader& script) : file_(std::move(file)), script_(script) {}

  const std::string& file() const { return file_; }

  void change() {
    switch (script_.below(8)) {
      case 0:
        return put(page() + script_.number<std::uint16_t>() % kPage, 1);
      case 1:
        return put(page() + script_.number<std::uint16_t>() % kPage, 2);
      case 2:
        return put(page() + script_.number<std::uint16_t>() % kPage / 8 * 8, 8);
      case 3: {  // the header or the list of places
        const std::size_t at = page();
        return put(at + 2 * script_.below(64), 2);
      }
      case 4: {  // a node: the eight bytes before its key, or what follows
        const std::size_t at = page();
        const std::size_t node = number_at(at + kPageHeader + 2 * script_.below(64));
        return put(at + node + script_.below(64), 2);
      }
      case 5: {  // a page in place of another
        const std::size_t from = page();
        const std::size_t to = page();
        if (std::max(from, to) + kPage <= file_.size()) {
          file_.replace(to, kPage, file_.substr(from, kPage));
        }
        return;
      }
      case 6:
        return put(page() + script_.number<std::uint16_t>() % kPage, script_.below(64));
      default:  // shorter or longer
        file_.resize(std::min(script_.below(80) * kPage + script_.number<std::uint16_t>() % kPage,
                              kMostBytes));
    }
  }

 private:
  std::size_t page() { return script_.byte() * kPage; }
  std::size_t number_at(std::size_t at) const {
    std::uint16_t number = 0;
    if (at + sizeof number <= file_.size()) std::memcpy(&number, &file_[at], sizeof number);
    return number;
  }
  void put(std::size_t at, std::size_t count) {
    const std::span<const std::byte> bytes = script_.bytes(count);
    if (at + bytes.size() > file_.size() || bytes.empty()) return;
    std::memcpy(&file_[at], bytes.data(), bytes.size());
  }

  std::string file_;
  ScriptReader& script_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const StoredSeeds& seeds = StoredSeeds::get();
  ScriptReader script(data, size);
  const std::uint8_t flags = script.byte();
  const Use use = {.read_only = (flags & 1) != 0,
                   .salvage = (flags & 2) != 0,
                   .rows_in_memory = (flags & 4) == 0,
                   .write = (flags & 8) == 0,
                   .drop = (flags & 16) != 0};
  Damage damage(seeds.file(script.byte()), script);
  while (!script.empty()) damage.change();
  seeds.put(damage.file());
  if (seeds.use(use) && !use.read_only) {
    expect(seeds.use({}), "what was written can be opened for writing again");
  }
  return 0;
}

#include "tests/damage/sample.h"

#include <unistd.h>

#include <fstream>
#include <iterator>

#include "persist/catalog.h"
#include "persist/lmdb_env.h"
#include "tests/damage/expected.h"
#include "vicinal/store.h"

namespace vicinal::testing {
namespace {

std::string file_of(const std::string& path) {
  std::ifstream file(path + "/data.mdb", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// Writes, and remembers what was there after each write.
class Maker {
 public:
  explicit Maker(std::string path) : path_(std::move(path)) { open(); }

  Sample make() {
    make_text();
    make_others();
    change_in_place();
    leave_records();
    fill_journal();
    sample_.file = file_of(path_);
    sample_.earlier.pop_back();
    sample_.contents = sample_.history.back();
    for (const std::string& name : must(store_->index_names(), "names")) {
      sample_.journal_entries[name] = must(store_->stored_stats(name), name).journal_entries;
    }
    const Index text = must(store_->open_index(kStreamed), kStreamed);
    must(text.save([this](std::span<const std::byte> more) {
      sample_.stream.insert(sample_.stream.end(), more.begin(), more.end());
      return Status();
    }),
         "saving");
    return std::move(sample_);
  }

 private:
  static constexpr std::uint32_t kTextDimension = 8;
  static constexpr std::uint32_t kWideDimension = 1100;  // a row is more than a page

  void open() {
    StoreOptions options;
    options.durability = Durability::kNone;
    options.background = false;
    options.map_bytes = 64 << 20;
    store_.emplace(must(Store::open(path_, options), "making the sample"));
  }

  void wrote() {
    sample_.history.push_back(now_);
    sample_.earlier.push_back(file_of(path_));
  }

  void upsert(Index& index, const std::string& name, Label label, std::uint64_t generation) {
    must(index.upsert(label, row_of(label, generation, index.dimension())).status(), name);
    remember(index, name, label);
    wrote();
  }
  void remember(const Index& index, const std::string& name, Label label) {
    now_[name][label] = std::make_shared<std::vector<float>>(must(index.get(label), name));
  }
  void batch(Index& index, const std::string& name, Label first, Label count,
             std::uint64_t generation) {
    std::vector<Label> labels;
    std::vector<float> rows;
    for (Label label = first; label < first + count; ++label) {
      labels.push_back(label);
      const std::vector<float> row = row_of(label, generation, index.dimension());
      rows.insert(rows.end(), row.begin(), row.end());
    }
    must(index.upsert_batch(labels, rows, {.threads = 1}).status(), name);
    for (const Label label : labels) remember(index, name, label);
    wrote();
  }
  void erase(Index& index, const std::string& name, Label label) {
    must(index.erase(label).status(), name);
    now_[name].erase(label);
    if (name == kStreamed) sample_.erased.insert(label);
    wrote();
  }
  void checkpoint(Index& index) {
    must(index.checkpoint(), "checkpoint");
    wrote();
  }

  Index make_index(const std::string& name, const IndexOptions& options) {
    Index index = must(store_->index(name, options), name);
    now_[name] = {};
    wrote();
    return index;
  }

  static IndexOptions options_of(std::uint32_t dimension) {
    IndexOptions options;
    options.dimension = dimension;
    options.M = 4;
    options.ef_construction = 40;
    options.threads = 1;
    options.repair_share = 0;
    return options;
  }

  /// A graph whose slots were used again, at rest in a checkpoint.
  void make_text() {
    IndexOptions options = options_of(kTextDimension);
    options.reserve = 500;
    Index text = make_index(kStreamed, options);
    batch(text, kStreamed, 0, 70, 0);
    checkpoint(text);
    for (Label label = 3; label < 70; label += 9) erase(text, kStreamed, label);
    checkpoint(text);
    must(text.repair().status(), "repair");
    wrote();
    for (Label label = 100; label < 103; ++label) upsert(text, kStreamed, label, 0);
    for (Label label = 4; label < 70; label += 16) upsert(text, kStreamed, label, 1);
    checkpoint(text);
  }

  void make_others() {
    Index wide = make_index("wide", options_of(kWideDimension));
    batch(wide, "wide", 0, 3, 0);
    checkpoint(wide);
    IndexOptions codes = options_of(12);
    codes.storage = Storage::kInt8;
    codes.metric = Metric::kSquaredL2;
    Index small = make_index("codes.int8", codes);
    batch(small, "codes.int8", 500, 20, 0);
    checkpoint(small);
    make_index("empty", options_of(2));
    Index dropped = make_index("dropped", options_of(4));
    batch(dropped, "dropped", 0, 5, 0);
    checkpoint(dropped);
    Index leaves = make_index("leaves-records", options_of(4));
    batch(leaves, "leaves-records", 0, 40, 0);
    checkpoint(leaves);
    must(store_->drop_index("dropped"), "drop");
    now_.erase("dropped");
    wrote();
  }

  /// Checkpoints that write the same records anew, as many and as long: of their pages the earlier ones
  /// could pass for the last.
  void change_in_place() {
    Index text = must(store_->open_index(kStreamed), kStreamed);
    for (Label label = 5; label < 35; label += 5) {
      erase(text, kStreamed, label);
      checkpoint(text);
    }
    for (Label label = 10; label < 30; label += 10) {
      upsert(text, kStreamed, label, 0);  // resurrected
      checkpoint(text);
    }
  }

  /// As a crash between two steps of dropping leaves them.
  void leave_records() {
    must(store_->close(), "closing");
    wrote();
    {
      const auto environment = must(persist::Environment::open(path_, {}), "LMDB");
      persist::Catalog catalog(path_);
      must(environment->with_handles([&](persist::Transaction& transaction) -> Status {
        if (Status s = catalog.open(transaction, false); !s.ok()) return s;
        return catalog.drop(transaction, "leaves-records");
      }),
           "leaving records");
    }
    now_.erase("leaves-records");
    wrote();
    open();
  }

  /// What no checkpoint has taken yet: every kind of entry.
  void fill_journal() {
    Index text = must(store_->open_index(kStreamed), kStreamed);
    for (Label label = 200; label < 204; ++label) upsert(text, kStreamed, label, 0);
    for (const Label label : {Label{20}, Label{200}}) upsert(text, kStreamed, label, 2);
    for (const Label label : {Label{1}, Label{201}, Label{40}}) erase(text, kStreamed, label);
    upsert(text, kStreamed, 1, 0);  // resurrected
    must(text.erase_batch(std::vector<Label>{50, 51}).status(), "erase_batch");
    for (const Label label : {Label{50}, Label{51}}) {
      now_[kStreamed].erase(label);
      sample_.erased.insert(label);
    }
    wrote();
    batch(text, kStreamed, 300, 3, 0);
    Index wide = must(store_->open_index("wide"), "wide");
    upsert(wide, "wide", 9, 0);
    upsert(wide, "wide", 1, 1);
    Index small = must(store_->open_index("codes.int8"), "codes.int8");
    upsert(small, "codes.int8", 600, 0);
    for (const auto& [label, row] : now_[kStreamed]) sample_.erased.erase(label);
  }

  const std::string path_;
  std::optional<Store> store_;
  Contents now_;
  Sample sample_;
};

}  // namespace

Sample make_sample(const std::string& path) {
  Sample sample = Maker(path).make();
  must(::sysconf(_SC_PAGESIZE) == kPageBytes && sample.file.size() % kPageBytes == 0,
       "another page size");
  return sample;
}

}  // namespace vicinal::testing

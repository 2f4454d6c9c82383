// Fuzz target: a script of operations on an index, in memory or stored, against a map from labels to
// vectors: outcomes, get, contains, size, and exact search are the map's; every search returns what
// is there, with right distances, and as many as there are.
//
// Of an input: the options of the index, then operations until it ends. Vectors are of whole numbers
// that every storage holds as they are.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/fuzz/script_reader.h"
#include "tests/temporary_folder.h"
#include "vicinal/index.h"
#include "vicinal/store.h"

namespace {

using namespace vicinal;
using fuzz::expect;
using fuzz::expect_ok;
using fuzz::ScriptReader;

constexpr std::uint32_t kDimension = 4;
constexpr std::size_t kMostOperations = 60;

using Vector = std::vector<float>;

/// One component is 127 or -127, so int8 codes are the components and no vector is zero.
Vector draw_vector(ScriptReader& script) {
  Vector vector(kDimension);
  const std::uint8_t shape = script.byte();
  for (std::uint32_t i = 0; i < kDimension; ++i) {
    const int step = (shape >> 4) % 4;
    vector[i] = step == 0 ? 0.0F : static_cast<float>(script.byte() / step % 128);
  }
  vector[shape % kDimension] = (shape & 4) != 0 ? 127.0F : -127.0F;
  return vector;
}

Label draw_label(ScriptReader& script) {
  const std::uint8_t byte = script.byte();
  if (byte == 255) return ~Label{0};
  return byte < 240 ? byte % 60 : Label{byte} << 32;
}

double distance(Metric metric, const Vector& a, const Vector& b) {
  double dot = 0;
  double l2 = 0;
  double aa = 0;
  double bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = a[i];
    const double y = b[i];
    dot += x * y;
    l2 += (x - y) * (x - y);
    aa += x * x;
    bb += y * y;
  }
  if (metric == Metric::kSquaredL2) return l2;
  if (metric == Metric::kInnerProduct) return 1 - dot;
  return 1 - dot / std::sqrt(aa * bb);
}

/// What float32 may differ by: sums of such products are exact, norms are not.
double tolerance(Metric metric) { return metric == Metric::kCosine ? 1e-5 : 1e-3; }

/// What a label is in the model: live, or erased with a tombstone that may have been freed since.
struct Known {
  Vector vector;
  bool live = true;
};

class Pair {
 public:
  explicit Pair(ScriptReader& script) : script_(script) {
    const std::uint8_t shape = script_.byte();
    options_.dimension = kDimension;
    options_.metric = static_cast<Metric>(shape % 3);
    options_.storage = static_cast<Storage>(shape / 3 % 3);
    options_.quantization = (shape & 16) != 0 ? Quantization::kInt8 : Quantization::kNone;
    options_.reserve = (shape & 32) != 0 ? 500 : 0;
    options_.rebuild_on_upsert = shape >= 252;
    options_.M = 4;
    options_.ef_construction = 16;
    options_.threads = 1;
    const std::uint8_t where = script_.byte();
    options_.repair_share = (where & 2) != 0 ? 0.2 : 0;
    stored_ = (where & 1) != 0;
    if (stored_) {
      options_.vectors_in_memory = (where & 4) == 0 || options_.quantization == Quantization::kNone;
      folder_ = std::make_unique<testing::TemporaryFolder>();
      path_ = folder_->file("0");
      open();
      reloaded_ = false;
    } else {
      index_.emplace(*Index::in_memory(options_));
    }
  }

  void run() {
    for (std::size_t i = 0; i < kMostOperations && !script_.empty(); ++i) step();
    compare();
    if (!stored_) return;
    expect_ok(store_->close());
    open();
    compare();
    expect(*store_->verify_records() == 0, "no record is damaged");
  }

 private:
  void step() {
    switch (script_.below(16)) {
      case 0:
      case 1:
      case 2:
        return upsert();
      case 3:
      case 4:
        return erase();
      case 5:
      case 6:
        return upsert_batch();
      case 7:
        return erase_batch();
      case 8:
        return search();
      case 9:
        return repair();
      case 10:
        return rebuild();
      case 11:
        return expect_ok(index_->checkpoint());
      case 12:
        return save_and_load();
      case 13:
        return reopen();
      case 14:
        return crash();
      default:
        return compare();
    }
  }

  bool is_live(Label label) const {
    const auto found = model_.find(label);
    return found != model_.end() && found->second.live;
  }
  std::uint64_t live() const {
    return static_cast<std::uint64_t>(std::count_if(
        model_.begin(), model_.end(), [](const auto& entry) { return entry.second.live; }));
  }

  /// Whether `outcome` is right for `label`, which gets `vector`.
  bool right(UpsertOutcome outcome, Label label, const Vector& vector) const {
    const auto found = model_.find(label);
    if (found == model_.end()) return outcome == UpsertOutcome::kInserted;
    const bool same = found->second.vector == vector;
    if (found->second.live) {
      return outcome == (same ? UpsertOutcome::kUnchanged : UpsertOutcome::kUpdated);
    }
    // Its tombstone may be there yet, or not; of several a file does not say which was the last.
    if (outcome == UpsertOutcome::kInserted || reloaded_)
      return outcome != UpsertOutcome::kUnchanged;
    return outcome == (same ? UpsertOutcome::kResurrected : UpsertOutcome::kUpdated);
  }

  void upsert() {
    const Label label = draw_label(script_);
    const Vector vector = draw_vector(script_);
    const Result<UpsertOutcome> outcome = index_->upsert(label, vector);
    expect_ok(outcome.status());
    expect(right(*outcome, label, vector), "an upsert says what it found");
    model_[label] = {vector};
  }

  void erase() {
    const Label label = draw_label(script_);
    const Result<EraseOutcome> outcome = index_->erase(label);
    expect_ok(outcome.status());
    expect((*outcome == EraseOutcome::kErased) == is_live(label), "an erasure says what it found");
    if (is_live(label)) model_[label].live = false;
  }

  void upsert_batch() {
    const std::size_t rows = script_.below(40);
    const bool step = script_.flag();  // of rows that follow each other, or drawn one by one
    std::vector<Label> labels;
    Vector vectors;
    std::map<Label, Vector> last;
    for (std::size_t i = 0; i < rows; ++i) {
      labels.push_back(step && i > 0 ? labels.back() + 1 : draw_label(script_));
      const Vector vector =
          step && i > 0 ? Vector{127, static_cast<float>(i), 3, 5} : draw_vector(script_);
      vectors.insert(vectors.end(), vector.begin(), vector.end());
      last[labels.back()] = vector;
    }
    const Result<BatchResult> result = index_->upsert_batch(labels, vectors);
    expect_ok(result.status());
    BatchResult least;
    for (const auto& [label, vector] : last) {
      if (is_live(label)) ++(model_[label].vector == vector ? least.unchanged : least.updated);
      model_[label] = {vector};
    }
    expect(result->repeated == labels.size() - last.size(), "a batch counts repeated labels");
    expect(result->unchanged == least.unchanged && result->updated >= least.updated &&
               result->inserted + result->updated + result->resurrected + result->unchanged ==
                   last.size(),
           "a batch says what it found");
  }

  void erase_batch() {
    std::vector<Label> labels(script_.below(20));
    std::uint64_t erased = 0;
    for (Label& label : labels) {
      label = draw_label(script_);
      if (!is_live(label)) continue;
      ++erased;
      model_[label].live = false;
    }
    const Result<std::uint64_t> result = index_->erase_batch(labels);
    expect_ok(result.status());
    expect(*result == erased, "erased labels are counted");
  }

  /// That `hits` are live labels that pass, with their distances, in order.
  void check_hits(const Vector& query, const std::vector<Hit>& hits,
                  const std::optional<LabelSet>& among) const {
    for (std::size_t i = 0; i < hits.size(); ++i) {
      const Hit& hit = hits[i];
      expect(is_live(hit.label), "a hit is live");
      expect(!among || among->contains(hit.label), "a hit passes the filter");
      const double right = distance(options_.metric, query, model_.at(hit.label).vector);
      expect(std::abs(right - hit.distance) <= tolerance(options_.metric), "distances are exact");
      if (i == 0) continue;
      const Hit& before = hits[i - 1];
      expect(before.distance < hit.distance ||
                 (before.distance == hit.distance && before.label < hit.label),
             "hits come nearest first, ties by label");
    }
  }

  /// That nothing which is not among `hits` is nearer than the last of them.
  void check_nearest(const Vector& query, const std::vector<Hit>& hits,
                     const std::optional<LabelSet>& among) const {
    if (hits.empty()) return;
    const double last = hits.back().distance - 2 * tolerance(options_.metric);
    for (const auto& [label, known] : model_) {
      if (!known.live || (among && !among->contains(label))) continue;
      if (distance(options_.metric, query, known.vector) >= last) continue;
      const Label wanted = label;
      expect(std::any_of(hits.begin(), hits.end(),
                         [wanted](const Hit& hit) { return hit.label == wanted; }),
             "exact hits are the nearest");
    }
  }

  void search() {
    const Vector query = draw_vector(script_);
    SearchOptions options;
    options.k = script_.below(80);
    const std::uint8_t how = script_.byte();
    if ((how & 1) != 0) {
      std::vector<Label> labels(script_.below(30));
      for (Label& label : labels) label = draw_label(script_);
      options.filter.labels = LabelSet(labels);
      if ((how & 2) != 0) options.filter.labels = ~*options.filter.labels;
    }
    const std::optional<LabelSet>& among = options.filter.labels;
    const std::uint64_t pass = static_cast<std::uint64_t>(
        std::count_if(model_.begin(), model_.end(), [&](const auto& entry) {
          return entry.second.live && (!among || among->contains(entry.first));
        }));
    options.ef_search = how >> 4;
    const Result<SearchResult> walk = index_->search(query, options);
    expect_ok(walk.status());
    check_hits(query, walk->hits, among);
    expect(among || walk->size() == std::min<std::uint64_t>(options.k, pass),
           "as many are found as there are");
    options.exact = true;
    const Result<SearchResult> exact = index_->search(query, options);
    expect_ok(exact.status());
    check_hits(query, exact->hits, among);
    check_nearest(query, exact->hits, among);
    expect(exact->size() == std::min<std::uint64_t>(options.k, pass), "an exact search finds all");
  }

  void repair() {
    const Result<RepairResult> result = index_->repair({.slice = script_.below(30)});
    expect_ok(result.status());
  }

  void rebuild() {
    const bool cancel = script_.flag();
    const Status status =
        index_->rebuild({.threads = 1, .progress = [cancel](const Progress&) { return !cancel; }});
    expect(status.ok() || (cancel && status.code() == StatusCode::kCancelled), "a rebuild ends");
  }

  void save_and_load() {
    std::vector<std::byte> bytes;
    expect_ok(index_->save([&bytes](std::span<const std::byte> piece) {
      bytes.insert(bytes.end(), piece.begin(), piece.end());
      return Status();
    }));
    std::size_t at = 0;
    const Result<Index> loaded = Index::load(
        [&](std::span<std::byte> room) -> Result<std::size_t> {
          const std::size_t count = std::min(room.size(), bytes.size() - at);
          if (count > 0) std::memcpy(room.data(), bytes.data() + at, count);
          at += count;
          return count;
        },
        {.threads = 1});
    expect_ok(loaded.status());
    expect(at == bytes.size(), "what was written is read, and not more");
    compare(*loaded);
    if (stored_) return;
    index_ = *loaded;
    reloaded_ = true;
  }

  void open() {
    index_.reset();
    store_.reset();
    StoreOptions options;
    options.durability = Durability::kNone;
    options.background = false;
    options.map_bytes = 16 << 20;
    const Result<Store> store = Store::open(path_, options);
    expect_ok(store.status());
    store_ = *store;
    const Result<Index> index = store_->index("text", options_);
    expect_ok(index.status());
    index_ = *index;
    reloaded_ = true;
  }

  void reopen() {
    if (!stored_) return;
    expect_ok(store_->close());
    open();
  }

  /// Goes on with what stands in the file now, as after a kill.
  void crash() {
    if (!stored_) return;
    const std::string copy = folder_->file(std::to_string(++crashes_));
    std::filesystem::create_directory(copy);
    for (const char* const file : {"data.mdb", "vicinal.lock"}) {
      std::filesystem::copy_file(path_ + "/" + file, copy + "/" + file);
    }
    path_ = copy;
    open();
  }

  void compare() const { compare(*index_); }

  void compare(const Index& index) const {
    expect(index.size() == live(), "the index has as many vectors as the model");
    for (const auto& [label, known] : model_) {
      expect(index.contains(label) == known.live, "labels are as in the model");
      const Result<Vector> vector = index.get(label);
      expect(vector.ok() == known.live, "and so are their vectors");
      expect(!known.live || *vector == known.vector, "bit by bit");
    }
    const Result<ValidateReport> report = index.validate({.deep = true, .max_messages = 3});
    expect_ok(report.status());
    for (const std::string& message : report->messages)
      std::fprintf(stderr, "%s\n", message.c_str());
    expect(report->sound(), "the index is sound");
    expect(report->live == live(), "and every vector is reached");
  }

  ScriptReader& script_;
  IndexOptions options_;
  bool stored_ = false;
  std::unique_ptr<testing::TemporaryFolder> folder_;
  std::string path_;
  int crashes_ = 0;
  bool reloaded_ = false;
  std::optional<Store> store_;
  std::optional<Index> index_;
  std::map<Label, Known> model_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ScriptReader script(data, size);
  Pair pair(script);
  pair.run();
  return 0;
}

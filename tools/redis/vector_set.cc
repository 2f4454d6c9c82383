#include "tools/redis/vector_set.h"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tools/redis/settings.h"

namespace vicinal::redis {
namespace {

// All sets of the process. Sets go in any thread, so the list has a lock; the sum has none.
std::mutex list_mutex;
VectorSet* list = nullptr;
std::atomic<std::uint64_t> arena_sum{0};
std::atomic<std::uint64_t> next_uid{1};

// FreeElsewhere of this thread.
thread_local ThreadPool* free_in = nullptr;

// A set taken apart: by whoever destroys this.
class Remains final : public ThreadPool::Task {
 public:
  Remains(Index index, std::unique_ptr<Elements> elements)
      : index_(std::move(index)), elements_(std::move(elements)) {}
  void run() noexcept override {}

 private:
  const Index index_;
  const std::unique_ptr<Elements> elements_;
};

// Of one element beside its vector: links, label, level, name, attribute.
constexpr std::uint64_t kSerializedBeside = 200;

// Fewer slots than an index has when it gets a graph (Stats::flat). A write takes one at most.
std::uint64_t least_graph(std::uint32_t dimension) {
  constexpr std::uint64_t kSlots = 400;
  constexpr std::uint64_t kRowBytes = std::uint64_t{2} << 20;
  return std::min(kSlots, kRowBytes / (dimension * sizeof(float)));
}

// The engine's words for a bad row have its label, which the client never saw: its name instead.
Status by_name(const Status& status, const Elements& elements) {
  constexpr std::string_view kMark = "(label ";
  std::string message = status.message();
  const std::size_t begin = message.find(kMark);
  if (begin == std::string::npos) return status;
  Label label = 0;
  const char* const digits = message.data() + begin + kMark.size();
  const auto [end, error] = std::from_chars(digits, message.data() + message.size(), label);
  const auto name = error == std::errc() ? elements.name_of(label) : std::nullopt;
  if (!name) return status;
  std::string text = "(element \"";
  text.append(*name).append("\"");
  message.replace(begin, static_cast<std::size_t>(end - message.data()) - begin, text);
  return {status.code(), std::move(message)};
}

/// Names that are given labels for one call: taken back unless the call succeeds.
class NewNames {
 public:
  explicit NewNames(Elements& elements) : elements_(elements) {}
  ~NewNames() {
    for (const Label label : labels_) elements_.remove(label);
  }
  NewNames(const NewNames&) = delete;
  NewNames& operator=(const NewNames&) = delete;

  Label label_of(std::string_view name) {
    if (const std::optional<Label> known = elements_.find(name)) return *known;
    labels_.push_back(0);  // first: what is added must be taken back
    try {
      labels_.back() = elements_.add(name);
    } catch (...) {
      labels_.pop_back();
      throw;
    }
    return labels_.back();
  }
  std::uint64_t count() const { return labels_.size(); }
  void keep() { labels_.clear(); }

 private:
  Elements& elements_;
  std::vector<Label> labels_;
};

}  // namespace

VectorSet::VectorSet(Index index, std::unique_ptr<Elements> elements)
    : index_(std::move(index)),
      dimension_(index_.options().dimension),
      elements_(elements != nullptr ? std::move(elements) : std::make_unique<Elements>()),
      uid_(next_uid.fetch_add(1)),
      next_measure_(least_graph(dimension_)) {
  const std::lock_guard lock(list_mutex);
  after_ = std::exchange(list, this);
  if (after_ != nullptr) after_->before_ = this;
}

VectorSet::~VectorSet() {
  set_arena_bytes(0);
  {
    const std::lock_guard lock(list_mutex);
    (before_ == nullptr ? list : before_->after_) = after_;
    if (after_ != nullptr) after_->before_ = before_;
  }
  constexpr std::uint64_t kLarge = 1000;  // a tenth of a millisecond
  if (free_in == nullptr || size() < kLarge || !free_in->has_threads()) return;
  try {
    free_in->submit(std::make_unique<Remains>(std::move(index_), std::move(elements_)));
  } catch (const std::bad_alloc&) {
    // It goes here.
  }
}

FreeElsewhere::FreeElsewhere(ThreadPool& pool) { free_in = &pool; }
FreeElsewhere::~FreeElsewhere() { free_in = nullptr; }

Result<bool> VectorSet::put(std::string_view name, std::span<const float> vector,
                            std::optional<std::string_view> attribute) {
  constexpr std::size_t kMostBytes = 0xfffffffe;  // their lengths are saved in 32 bits
  if (name.size() > kMostBytes || (attribute && attribute->size() > kMostBytes)) {
    return Status::invalid_argument("a name and an attribute take 4,294,967,294 bytes at most");
  }
  NewNames names(*elements_);
  const Label label = names.label_of(name);
  const bool fresh = names.count() > 0;
  OwnedAttribute made = attribute ? make_attribute(label, *attribute) : nullptr;
  // A new one before the vector can be found: a filter that sees one sees the other. One that replaces
  // another after it, when nothing can be refused any more.
  if (fresh && attribute) elements_->set_attribute(label, std::move(made));
  const Result<UpsertOutcome> done = index_.upsert(label, vector);
  if (!done) return done.status();
  if (!fresh && attribute) elements_->set_attribute(label, std::move(made));
  names.keep();
  account();
  return fresh;
}

Result<std::uint64_t> VectorSet::put_all(std::span<const std::string_view> names,
                                         std::span<const float> rows, unsigned threads) {
  NewNames fresh(*elements_);
  std::vector<Label> labels;
  labels.reserve(names.size());
  for (const std::string_view name : names) labels.push_back(fresh.label_of(name));
  const Result<BatchResult> done = index_.upsert_batch(labels, rows, {.threads = threads});
  if (!done) return by_name(done.status(), *elements_);
  const std::uint64_t count = fresh.count();
  fresh.keep();
  writes_ += names.size();
  account();
  return count;
}

Result<bool> VectorSet::remove(std::string_view name) {
  const std::optional<Label> label = elements_->find(name);
  if (!label) return false;
  const Result<EraseOutcome> done = index_.erase(*label);
  if (!done) return done.status();
  elements_->remove(*label);
  account();
  return true;
}

void VectorSet::set_attribute(Label label, std::string_view attribute) {
  elements_->set_attribute(label, make_attribute(label, attribute));
  shown_attributes_.store(elements_->attribute_count(), std::memory_order_relaxed);
}

std::uint64_t VectorSet::max_level() {
  if (writes_ > measured_nodes_ / 64 || (writes_ > 0 && size() <= 4096)) measure();
  return measured_levels_ == 0 ? 0 : measured_levels_ - 1;
}

// stats() looks at every node and page, so it is asked when a set has changed by an eighth, and when one without
// a graph may have got one: its pages come at once, where the heap had its rows before, and more with the
// next writes, which link what was there. Between, a write counts as much as those before it did on average.
void VectorSet::account() {
  warn_when_large();
  shown_size_.store(size(), std::memory_order_relaxed);
  shown_attributes_.store(elements_->attribute_count(), std::memory_order_relaxed);
  ++writes_;
  if (writes_ >= next_measure_) return measure();
  if (measured_bytes_ == 0) return;
  const std::uint64_t each = measured_bytes_ / measured_nodes_;
  const std::uint64_t now = size();
  set_arena_bytes(measured_bytes_ + (now > measured_nodes_ ? (now - measured_nodes_) * each : 0));
}

void VectorSet::measure() {
  const Stats stats = index_.stats();
  // A flat index has no arenas: its rows are of the heap.
  measured_bytes_ =
      stats.flat ? 0
                 : stats.bytes_vectors + stats.bytes_codes + stats.bytes_links + stats.bytes_nodes;
  measured_nodes_ = stats.live + stats.tombstones;
  measured_levels_ = static_cast<std::uint8_t>(stats.levels);
  next_measure_ = writes_until_measure(stats);
  writes_ = 0;
  shown_size_.store(size(), std::memory_order_relaxed);
  shown_attributes_.store(elements_->attribute_count(), std::memory_order_relaxed);
  set_arena_bytes(measured_bytes_);
}

std::uint64_t VectorSet::writes_until_measure(const Stats& stats) const {
  if (stats.flat) {
    const std::uint64_t slots = measured_nodes_ + stats.free_slots;
    const std::uint64_t most = least_graph(dimension_);
    return slots < most ? most - slots : 1;
  }
  // To look costs by nodes, a write by its components: some percent of that is spent, for segments come
  // in pages of 2 MiB, which are few rows of many components.
  constexpr std::uint64_t kSmall = 4096;
  const std::uint64_t part =
      std::max<std::uint64_t>(1, measured_nodes_ / std::max(8U, dimension_ / 8));
  return measured_nodes_ < kSmall ? std::min(part, 2 * writes_ + 1) : part;
}

void VectorSet::warn_when_large() {
  const auto large = static_cast<std::uint64_t>(settings.max_migrate_bytes.load());
  if (warned_ || serialized_bytes() <= large) return;
  warned_ = true;
  api.Log(
      nullptr, "notice",
      "vicinal: a vector set of %llu elements takes more than %llu bytes when it is sent: MIGRATE "
      "would stop both servers meanwhile; above 256 MB move the server, not the slot",
      static_cast<unsigned long long>(size()), static_cast<unsigned long long>(large));
}

void VectorSet::set_arena_bytes(std::uint64_t bytes) {
  const std::uint64_t before = arena_bytes_.exchange(bytes, std::memory_order_relaxed);
  arena_sum.fetch_add(bytes, std::memory_order_relaxed);
  arena_sum.fetch_sub(before, std::memory_order_relaxed);
}

std::uint64_t VectorSet::graph_bytes() const {
  const bool codes = options().quantization == Quantization::kInt8;
  const std::uint64_t rows = measured_nodes_ * dimension_ * (sizeof(float) + (codes ? 1 : 0));
  return arena_bytes() - std::min(rows, arena_bytes());
}

std::size_t VectorSet::memory() const {
  return sizeof(VectorSet) + sizeof(Elements) + index_.stats().bytes_in_memory() +
         elements_->bytes();
}

std::uint64_t VectorSet::serialized_bytes() const {
  return shown_size_.load(std::memory_order_relaxed) *
         (std::uint64_t{dimension_} * sizeof(float) + kSerializedBeside);
}

VectorSet::Totals VectorSet::totals(std::uint64_t large_bytes) {
  Totals totals;
  const std::lock_guard lock(list_mutex);
  for (const VectorSet* set = list; set != nullptr; set = set->after_) {
    ++totals.sets;
    totals.elements += set->shown_size_.load(std::memory_order_relaxed);
    totals.attributes += set->shown_attributes_.load(std::memory_order_relaxed);
    totals.arena_bytes += set->arena_bytes();
    if (set->serialized_bytes() > large_bytes) ++totals.large_sets;
  }
  return totals;
}

std::uint64_t VectorSet::all_arena_bytes() { return arena_sum.load(std::memory_order_relaxed); }

}  // namespace vicinal::redis

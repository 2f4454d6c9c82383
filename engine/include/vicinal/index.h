// Index: a searchable, mutable, durable set of labelled vectors.
//
// What: the handle that users hold. Copies share one index. Made by Store::index() (durable) or
// Index::in_memory(). After Store::close() every call on its indexes answers kClosed.
// Threads: every method may be called from any thread beside any other, on copies or the same
// handle; searches never wait for writers. Only assignment to, and destruction of, a handle need
// the usual care.
//
// Moments: every search, get(), contains() and node() sees the index as it was at one moment after
// the call began: all that was acknowledged before, of what runs beside it a part in the order in
// which it is acknowledged. An upsert, an erasure, an erase_batch and an upsert_batch of at most an
// eighth of what is live are one step of that order; a larger batch is shown piece by piece.
//
// Callbacks (filters, visitors, progress) may call the index, and write to it. What would have to
// wait for the call that they belong to answers kBusy: closing its store or dropping the index
// (inside a filter, a sink of save() or the progress of validate(): closing or dropping anything; inside
// for_each_node() neither waits, and is done), maintenance inside maintenance, a whole repair() inside
// those three, and, in the progress of a batch, labels that are being written.
//
// Vectors are spans of `dimension()` float32 components; matrices are row-major, a
// vector per row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "vicinal/options.h"
#include "vicinal/requirements.h"
#include "vicinal/status.h"
#include "vicinal/stream.h"
#include "vicinal/types.h"

namespace vicinal {

namespace engine {
class IndexCore;
}  // namespace engine

class Index {
 public:
  /// A new empty index that lives in memory only.
  /// Errors: kInvalidArgument  dimension 0 or any option out of its range.
  static Result<Index> in_memory(const IndexOptions& options);
  /// An index in memory of what save() wrote, links included: a copy, not a build.
  ///
  /// Takes from `source` the bytes of the index and not one more, so that something else may follow.
  /// `tuning` as for Store::open_index(): stored options that it sets must agree; those of performance
  /// are taken from it, and its `threads` work. Codes are made anew.
  /// Errors: of the source; kInvalidArgument  tuning; kFormatVersion  a later release wrote it.
  ///         kCorruption  it is no index, is damaged or ends early, or holds what no index can:
  ///                      whatever the bytes, no more memory is taken than an index of those that came
  ///                      needs.
  ///         kCancelled   tuning.progress said so.
  /// Cost: a copy, not a build: the bytes, and memory that is touched for the first time.
  static Result<Index> load(const ByteSource& source, const IndexOptions& tuning = {});

  /// Stores `vector` under `label`, replacing whatever was there.
  ///
  /// When this returns OK the change is as durable as StoreOptions::durability says, and every
  /// search that begins later sees it. A search already running returns the old vector or the new
  /// one, never a mixture, never neither, and never one label twice.
  /// Threads: any, beside any other call. Racing upserts of one label apply in some order.
  /// Errors: kInvalidArgument  wrong dimension; NaN or infinity; a norm without a finite distance
  ///                           to every other: under cosine 0, below 2.9e-39 or above 8.5e37; under
  ///                           squared L2 and inner product above 6.5e18; what
  ///                           IndexOptions::storage has no number for (see Storage).
  ///                           Squares of differences below about 1e-19 are no normal float32:
  ///                           under squared L2 such vectors are told apart less well.
  ///         kIoError, kFull   the commit failed; nothing changed in memory.
  ///         kBusy             see Callbacks above.
  ///         kReadOnly, kClosed
  /// Cost: O(ef_construction * M * dimension) and, when durable, one shared commit.
  Result<UpsertOutcome> upsert(Label label, std::span<const float> vector);

  /// Stores row i of `vectors` under labels[i]; a label that stands twice gets its last row.
  ///
  /// Validated as a whole before anything changes, one transaction (very large batches: several, of
  /// which the last makes all of them count), linked by all threads. Searches see a batch of at
  /// most an eighth of what is live at once, a larger one piece by piece as it is linked, and lose
  /// nothing of what was there meanwhile. From 4,096 rows on, vectors near each other are laid near
  /// each other in memory, whatever the order of the rows.
  /// Shapes: vectors.size() == labels.size() * dimension().
  /// Cost: where they are not stored as float32, the rows once more while it lasts.
  /// Errors: as upsert(), naming the first bad row.
  ///         kCancelled  the progress callback said so while links were made: what was linked by
  ///                     then is stored and searchable, the rest is as if never given; the message
  ///                     has the numbers.
  Result<BatchResult> upsert_batch(std::span<const Label> labels, std::span<const float> vectors,
                                   const BatchOptions& options = {});

  /// What was stored under `label`: the exact bits under Storage::kFloat32, else the numbers that the
  /// vector was rounded to; upserted again, they are `unchanged`. What only the file has
  /// (vectors_in_memory false, or not loaded yet) is verified as it is read.
  /// Errors: kNotFound; kCorruption, kIoError  the file does not give the vector any more.
  Result<std::vector<float>> get(Label label) const;
  /// The same as it is stored: stored_bytes() of them.
  Result<std::vector<std::byte>> get_stored(Label label) const;

  /// True when `label` is live.
  bool contains(Label label) const;

  /// Erases `label`: hidden from every search that begins later. Says whether it was live.
  /// Errors: as upsert(), but for those of a vector.
  /// Cost: O(1) plus, when durable, one shared commit.
  Result<EraseOutcome> erase(Label label);
  /// Erases many in one commit. Returns how many were live.
  Result<std::uint64_t> erase_batch(std::span<const Label> labels);

  /// The k nearest live vectors, nearest first. Never fails for having fewer than k: without a
  /// filter min(k, live) of them are returned whatever else is going on.
  ///
  /// The graph is walked, or what may be returned is compared one by one, whichever is the cheaper
  /// by the numbers of this index; SearchCounters::path says which.
  /// Threads: any; takes no lock but, where the labels of a LabelSet are looked up one by one,
  /// those of the label map for one look each; allocates only the result once warm (vectors that
  /// are not in memory are read through the store: IndexOptions::vectors_in_memory).
  /// Errors: kInvalidArgument  a query that upsert() would refuse; an option outside its range.
  ///         kCorruption, kIoError  a vector that is not in memory is damaged or cannot be read.
  Result<SearchResult> search(std::span<const float> query,
                              const SearchOptions& options = {}) const;

  /// The next `n` behind `before`, the hits that the same query got so far, nearest first: a new
  /// search at a moment of its own, for before.size() + n, without the labels of `before`. Nothing is
  /// held between the calls: what was upserted meanwhile may come, nearer ones too. Append what comes
  /// to go on; fewer than `n` (not stopped by options.deadline or max_distances) are the last. Options
  /// as for search(), but for k, which is ignored.
  /// Errors: as search().
  Result<SearchResult> more(std::span<const float> query, std::span<const Hit> before,
                            std::size_t n, const SearchOptions& options = {}) const;

  /// As search(), into `hits` (its size is the most returned; options.k is ignored). Returns how
  /// many were written. Allocates nothing once warm.
  Result<std::size_t> search_into(std::span<const float> query, const SearchOptions& options,
                                  std::span<Hit> hits, SearchCounters* counters = nullptr) const;

  /// One search per row of `queries`, spread over `threads` (0: the index's). Each sees a moment of
  /// its own.
  /// Shapes: queries.size() a multiple of dimension().
  /// Errors: as search(), naming the first bad row.
  Result<std::vector<SearchResult>> search_batch(std::span<const float> queries,
                                                 const SearchOptions& options = {},
                                                 unsigned threads = 0) const;

  /// Live vectors within `radius` (distance <= radius), nearest first: all that the walk finds, and
  /// with options.exact all that there are.
  /// Errors: as search(); kInvalidArgument  a radius that is not a number.
  Result<RadiusResult> search_radius(std::span<const float> query, float radius,
                                     const RadiusOptions& options = {}) const;

  /// Live vectors.
  std::uint64_t size() const;
  std::uint32_t dimension() const;
  /// The options in force (stored ones filled in).
  IndexOptions options() const;
  Stats stats() const;

  /// A hint that `count` vectors will be held.
  Status reserve(std::uint64_t count);

  /// Writes what changed since the last checkpoint, so that reopening need not replay it. Readers
  /// and writers go on. No effect in memory.
  Status checkpoint(const ProgressCallback& progress = {});

  /// Makes every acknowledged write survive a power cut, whatever the durability.
  /// Errors: as Store::sync().
  Status sync();

  /// Builds a fresh graph of the live vectors beside the old one and swaps it in; tombstones are
  /// gone afterwards. Readers and writers go on.
  /// Errors: kBusy (another rebuild runs), kCancelled (nothing changed).
  Status rebuild(const BatchOptions& options = {});

  /// Unlinks tombstones and frees their slots, and mends what validate() would report, in bounded
  /// slices beside readers and writers.
  /// Errors: kCancelled  leaves a sound index; call again to go on.
  ///         kBusy       see Callbacks above.
  Result<RepairResult> repair(const RepairOptions& options = {});

  /// Walks the graph from the entry point on every level and checks the invariants. Read-only;
  /// meant for a quiet index: writers may go on, but what they change meanwhile can be reported as
  /// a problem.
  Result<ValidateReport> validate(const ValidateOptions& options = {}) const;

  /// Recall@k of search() against exact search on a sample of live vectors; 1 when empty.
  Result<double> recall(const RecallOptions& options = {}) const;

  /// What is known of recall@k by ef_search, where SearchOptions::recall is said: measured on the
  /// index's own vectors, and learned from the queries asked with a recall and without a filter, some
  /// of which a thread of the index compares with all vectors, in a tenth of its time at most. It is
  /// measured again when the index has grown, shrunk or gained tombstones by a tenth.
  /// Cost: where nothing is known of that k, a second or so.
  /// Errors: kInvalidArgument  k is 0;  kClosed.
  Result<ExpectedRecall> expected_recall(std::size_t k = 10) const;

  /// Calls `visit` for every live label with its stored vector, in unspecified order; stops when it
  /// returns false. A label that is live all the time is visited once, whatever is written
  /// meanwhile, with a vector it had then. Vectors are read as get() reads them, and its errors end
  /// the walk.
  Status for_each(const std::function<bool(Label, std::span<const float>)>& visit) const;

  /// Writes the index as bytes, as it is at one moment: vectors, links and the options that are stored
  /// with an index; load() reads them. persist/FORMAT.md says which bytes.
  ///
  /// Threads: beside any other call; writers go on. What they give up meanwhile (lists that are
  /// replaced, slots of what was erased) is not used again before the call ends, and a repair pass that
  /// begins waits for it: a sink that takes long costs the memory of what is written meanwhile. Of an
  /// index of a store, closing waits too.
  /// Callbacks: `sink` may call the index, see Callbacks above.
  /// Errors: of the sink, as they are; as get() for vectors that are not in memory; kClosed.
  /// Cost: reads what it writes; 3 bits a node and a buffer of at most 4 MiB, or of one vector.
  Status save(const ByteSink& sink) const;
  /// Waits until no write is at work, and has those that follow wait until the answer goes; searches go
  /// on.
  ///
  /// A write is at work while it changes what save() writes: long ones stop between two small changes (a
  /// batch in the middle of a round, a rebuild before it is swapped in, repair after a node), so that this
  /// returns within some milliseconds. What was acknowledged before is in; of a write that waits, what
  /// searches see of it.
  /// Threads: any, several at once. The thread that called it is refused (kBusy) what would wait for
  /// itself: writes, repair(), rebuild(), checkpoint(), reserve(), closing the store. Other threads must
  /// not be waited for that may be writing.
  /// Errors: kBusy  in a callback of any index.
  /// Cost: memory as save() needs it; a child that saves writes to it first.
  Result<PausedWrites> pause_writes() const;

  /// The links of `label`'s node on `level`, as labels; `parent` (may be null) is the label this
  /// node hangs from. For dumps and debugging.
  /// Errors: kNotFound.
  struct NodeView {
    Label label = 0;
    std::uint32_t node = 0;
    std::uint32_t level = 0;  ///< the node's highest level
    bool live = true;
    std::vector<std::vector<Label>> links;  ///< per level, 0 first; empty while Stats::flat
    std::vector<std::vector<std::uint32_t>> link_nodes;  ///< the same as node ids
  };
  Result<NodeView> node(Label label) const;
  /// Every node that is linked (while Stats::flat every node), tombstones included, in node order.
  Status for_each_node(const std::function<bool(const NodeView&)>& visit) const;

  explicit Index(std::shared_ptr<engine::IndexCore>
                     core);  ///< internal: handles are made by Store and in_memory
  Index(const Index&);
  Index(Index&&) noexcept;
  Index& operator=(const Index&);
  Index& operator=(Index&&) noexcept;
  ~Index();

 private:
  std::shared_ptr<engine::IndexCore> core_;
};

}  // namespace vicinal

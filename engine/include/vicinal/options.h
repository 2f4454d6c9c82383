// Options and results of the public API: plain values, no ownership, no threads of their own.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "vicinal/event.h"
#include "vicinal/label_set.h"
#include "vicinal/requirements.h"
#include "vicinal/status.h"
#include "vicinal/types.h"

namespace vicinal {

/// What long work tells its caller now and then: at once, then a few times a second at most, and when
/// a phase is done, which is too late to cancel it. Within a phase `done` never falls and is at most
/// `total`, which may grow; the last that is told of a phase that ends well has them equal.
struct Progress {
  const char* phase = "";   ///< what is being done: "vectors", "links", "repair", ...
  std::uint64_t done = 0;   ///< units done
  std::uint64_t total = 0;  ///< units in all; 0 when unknown
};

/// Called by long work from one thread at a time, not always the caller's. Return false to cancel:
/// the call then ends with kCancelled as its documentation says.
using ProgressCallback = std::function<bool(const Progress&)>;

/// How an index is made. All fields of the first group are stored with it; opening an existing
/// index with a field that differs is kInvalidArgument naming both values. A number that is 0
/// accepts what is stored; with Store::open_index fields as they are by default do, too.
struct IndexOptions {
  // -- Behaviour, stored with the index.

  /// Components per vector, 1 to 65,536. Required to create an index; 0 accepts what is stored.
  std::uint32_t dimension = 0;
  /// See Metric. hnswlib: the space; faiss: metric_type.
  Metric metric = Metric::kCosine;
  /// Links per node: at most M on levels 1 and up, 2M on level 0. 4 to 64. The paper's M (hnswlib:
  /// 16, faiss: 32, usearch: 16).
  std::uint32_t M = 16;
  /// Candidates kept, and expanded, when a node is linked, M to 10,000. The paper's efConstruction
  /// (hnswlib: 200, faiss: 40, usearch: 128).
  std::uint32_t ef_construction = 200;
  /// Candidates a search keeps unless told otherwise, 1 to 100,000. The paper's ef.
  std::uint32_t ef_search = 64;
  /// What is traversed. See Quantization.
  Quantization quantization = Quantization::kInt8;
  /// Seed of levels and of the code rotation. A batch build with the same seed and data gives the
  /// same bytes at any number of threads.
  std::uint64_t seed = 42;
  /// What vectors are stored as. See Storage. float16 halves and int8 quarters what they take in memory
  /// and on disk. faiss: SQfp16, SQ8; usearch: quantization.
  Storage storage = Storage::kFloat32;

  // -- Performance, this process only.

  /// Keep the stored vectors in memory. When false they are read from the store's map for re-ranking
  /// and `get` (ignored without a store, and where they are traversed themselves: Quantization::kInt8
  /// over Storage::kInt8; a store that was opened for reading keeps them: a writer beside it may change the
  /// file). False needs Quantization::kInt8.
  bool vectors_in_memory = true;
  /// Do what services did before: every upsert or batch stores its vectors, then rebuilds the whole
  /// graph. For comparison only.
  bool rebuild_on_upsert = false;
  /// Run a slice of repair after writes once tombstones pass this share of all nodes; 0 never.
  double repair_share = 0.2;
  /// Threads for batch work when the call does not say, at most 4,096: 0 means one per CPU.
  unsigned threads = 0;
  /// Vectors expected; a hint that spares growth. From 500 on there is a graph from the first vector.
  std::uint64_t reserve = 0;
  /// Progress of the work that opening itself does (reading, linking what is not checkpointed). May
  /// be empty.
  ProgressCallback progress = {};
  /// Opens although vector records are damaged: they are set aside and counted in Stats::salvaged.
  bool salvage = false;
};

/// How a store is opened.
struct StoreOptions {
  /// When an acknowledged write survives what.
  Durability durability = Durability::kFull;
  /// False: kNotFound when there is no store at the path.
  bool create = true;
  /// Open for reading: every write answers kReadOnly. Works on a read-only file system, and beside a
  /// writer process if lock.mdb may be written, in which readers say what they read; where it may not,
  /// readers and writers of other processes exclude each other (kBusy). An index is as it was at the moment
  /// it was opened.
  bool read_only = false;
  /// Bytes of address space for the map at first; it grows by itself up to `max_map_bytes`. 0: a
  /// default. A store opened for reading maps as much as the system grants, whatever these two say.
  std::uint64_t map_bytes = 0;
  /// The most the file may grow to; kFull beyond. Half of it, at most 64 MiB, is kept from
  /// upserts, so that erase, checkpoint, repair and close go on and give room back. 0: no limit but
  /// the disk's.
  std::uint64_t max_map_bytes = 0;
  /// Let one background thread of the store write checkpoints and repair slices when they are due.
  /// What fails is tried again every second, and told by on_event; when checkpoints keep failing
  /// until eight times checkpoint_bytes wait for one, upserts answer with that failure. False
  /// leaves both to checkpoint() and repair().
  bool background = true;
  /// Bytes of vectors written to an index since its last checkpoint after which the next is due:
  /// what a crash makes the next opening link again.
  std::uint64_t checkpoint_bytes = 64ull << 20;
  /// Permissions of the files that are made, before the umask takes away: 0666 leaves them to it.
  std::uint32_t file_mode = 0666;
  /// Told what happens in the store and no call returns. May be empty.
  EventCallback on_event = {};
};

/// A predicate over labels; called only for candidates, from the searching thread (search_batch:
/// several).
using LabelPredicate = std::function<bool(Label)>;

/// Which labels a search may return: those that pass both, where both are set; all by default.
struct Filter {
  /// May call the index, and write to it too; a search sees the moment at which it began, whatever
  /// its own filter does. Must not throw.
  LabelPredicate predicate = {};
  /// Labels that are not live are ignored. An empty set: nothing may be returned.
  std::optional<LabelSet> labels = {};

  bool active() const { return static_cast<bool>(predicate) || labels.has_value(); }
  static Filter by(LabelPredicate p) { return {std::move(p), std::nullopt}; }
  static Filter among(LabelSet set) { return {{}, std::move(set)}; }
};

struct SearchOptions {
  /// Most hits returned; 0 returns none.
  std::size_t k = 10;
  /// Candidates kept during the walk, at most 100,000; at least k is used; 0 means what `recall` says,
  /// or the index's ef_search.
  std::size_t ef_search = 0;
  /// In place of ef_search: the share of the k nearest that is to be found on average, 0 to 1; 0: not
  /// said, 1: exact. The index knows by measuring which ef that takes (Index::expected_recall()):
  /// the first search that says a recall waits for that, a second or so (not with a deadline or a
  /// bound: then the index's ef_search is used meanwhile). A filter changes nothing of the ef.
  double recall = 0;
  Filter filter = {};
  /// Compare with every live vector instead of walking the graph: exact, O(n).
  bool exact = false;
  /// When to stop, exact or not: the best met until then is returned, and SearchCounters::stopped
  /// says so. Looked at with every few nodes, some microseconds apart; filters and rows that are not
  /// in memory may take longer.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  /// Most distances computed before it stops in the same way, and a step more, and those that put the k
  /// returned in order; 0: no limit.
  std::uint64_t max_distances = 0;

  bool has_limit() const {
    return max_distances != 0 || deadline != std::chrono::steady_clock::time_point::max();
  }
};

/// How vectors within a distance are looked for.
struct RadiusOptions {
  /// Most hits returned, the nearest; RadiusResult::cut says when there were more. 0: no limit.
  std::size_t max_hits = 0;
  /// As in SearchOptions: how far the walk looks around before it follows what lies within.
  std::size_t ef_search = 0;
  Filter filter = {};
  /// Compare with every live vector instead of walking the graph: exact, O(n).
  bool exact = false;
};

struct Hit {
  Label label = 0;
  float distance = 0;  ///< exact, from the stored vector; smaller is nearer

  friend bool operator==(const Hit&, const Hit&) = default;
};

struct SearchCounters {
  std::uint64_t distances = 0;      ///< distances computed, codes and vectors together
  std::uint64_t nodes_visited = 0;  ///< nodes expanded
  std::uint64_t row_bytes = 0;      ///< of the sketches, codes and vectors that were compared
  SearchPath path = SearchPath::kEmpty;
  std::uint64_t ef_search = 0;  ///< candidates kept; 0 where all were compared as asked
  bool stopped = false;         ///< SearchOptions::deadline or max_distances ended the search
};

struct SearchResult {
  std::vector<Hit> hits;  ///< nearest first, ties by label
  SearchCounters counters;

  std::size_t size() const { return hits.size(); }
  bool empty() const { return hits.empty(); }
  const Hit& operator[](std::size_t i) const { return hits[i]; }
  auto begin() const { return hits.begin(); }
  auto end() const { return hits.end(); }
};

/// What an index knows of recall by ef (SearchOptions::recall).
struct ExpectedRecall {
  struct Row {
    std::size_t ef_search = 0;
    double recall = 0;  ///< expected; rows that are few samples apart may fall by chance
  };
  std::vector<Row> rows;          ///< ascending ef from k on; none where all vectors are compared
  std::uint64_t own_vectors = 0;  ///< vectors of the index that were sought, each as if not there
  std::uint64_t queries = 0;      ///< queries asked that were compared with all vectors
};

/// What search_radius() found.
struct RadiusResult : SearchResult {
  bool cut = false;  ///< more lie within the radius than RadiusOptions::max_hits
};

struct BatchOptions {
  /// Threads to use, at most 4,096; 0 means the index's `threads`.
  unsigned threads = 0;
  ProgressCallback progress = {};
};

/// What upsert_batch did, by label.
struct BatchResult {
  std::uint64_t inserted = 0;
  std::uint64_t updated = 0;
  std::uint64_t resurrected = 0;
  std::uint64_t unchanged = 0;
  std::uint64_t repeated =
      0;  ///< earlier rows of a label that stood again later in the batch: ignored
};

struct RepairOptions {
  /// Most nodes looked at in one call, a search for new links counting as eight; 0 finishes the
  /// pass, waiting for searches that began before it, then rebuilds the graph if something in it
  /// was damaged and hangs loose.
  std::uint64_t slice = 0;
  ProgressCallback progress = {};
};

struct RepairResult {
  std::uint64_t nodes_examined = 0;
  std::uint64_t nodes_relinked = 0;
  std::uint64_t slots_freed = 0;
  std::uint64_t unreachable_mended = 0;  ///< nodes that hung loose, for which the graph was rebuilt
  bool finished = false;  ///< the pass is complete: nothing dead is linked to any more
  /// Searches that began before the pass must end before it goes on: call again. Only with a slice.
  bool waiting = false;
};

struct ValidateOptions {
  /// Also verify every stored checksum, and that stored vectors equal those in memory.
  bool deep = false;
  /// Most problems described in words; all are counted.
  std::size_t max_messages = 20;
  ProgressCallback progress = {};
};

/// What validate() found. `problems` is 0 for a sound index.
struct ValidateReport {
  std::uint64_t problems = 0;
  std::uint64_t live = 0;
  std::uint64_t tombstones = 0;
  std::uint64_t unreachable =
      0;  ///< live nodes not reached from the entry point on a level they have
  std::uint64_t dead_links = 0;  ///< links to tombstones: not a problem, repair's work
  std::uint64_t invalid_links =
      0;  ///< links to free slots, to levels a node does not have, or to itself
  std::uint64_t duplicate_links = 0;     ///< an id twice in one list
  std::uint64_t overfull_lists = 0;      ///< more links than max_links(level)
  std::uint64_t tree_errors = 0;         ///< parents and children that do not agree (graph.h, G9)
  std::uint64_t asymmetric_links = 0;    ///< links without a link back: allowed
  std::uint64_t entry_point_errors = 0;  ///< the entry point is not a node of the highest level
  std::uint64_t label_errors = 0;        ///< labels that do not lead to their node and back
  std::uint64_t record_errors = 0;  ///< deep: stored records that fail their checksum or disagree
  std::vector<std::uint64_t> degree_histogram;  ///< level 0: nodes with i links
  std::vector<std::uint64_t> nodes_by_level;    ///< nodes whose highest level is i
  std::vector<std::string> messages;

  bool sound() const { return problems == 0; }
};

struct RecallOptions {
  std::size_t samples =
      1000;  ///< live vectors drawn by seed, used as queries; each one's own label is left out
  std::size_t k = 10;
  std::size_t ef_search = 0;
  std::uint64_t seed = 1;
  unsigned threads = 0;
};

/// A snapshot of an index's numbers; each is right for some moment during the call.
struct Stats {
  std::string name;  ///< empty for an index in memory
  IndexOptions options;
  std::string target;  ///< the CPU target of the kernels in use
  std::uint64_t live = 0;
  std::uint64_t tombstones = 0;
  std::uint64_t free_slots = 0;  ///< node slots waiting for reuse
  /// Fewer vectors than are worth a graph (about 500, or 2 MiB of rows): searches compare with all
  /// of them, and there are no links. An index that once had links keeps them.
  bool flat = false;
  /// Searches go by two bits a component and read int8 codes at their end: from 512 dimensions on,
  /// where a trial on the index's own vectors, with every doubling, says that they find as much.
  bool sketches = false;
  std::uint32_t levels = 0;                   ///< levels in use; 0 when empty
  std::vector<std::uint64_t> nodes_by_level;  ///< nodes whose highest level is, or will be, i
  std::vector<std::uint64_t> links_by_level;  ///< links in all lists of level i

  // What the process holds: pages and blocks, not what is in use of them.
  std::uint64_t bytes_vectors = 0;  ///< stored vectors in memory
  /// int8 codes, none where stored vectors are traversed; two bits a component from 512 dimensions on.
  std::uint64_t bytes_codes = 0;
  std::uint64_t bytes_links = 0;
  std::uint64_t bytes_nodes = 0;   ///< per-node fields
  std::uint64_t bytes_labels = 0;  ///< label map
  std::uint64_t bytes_scratch = 0;
  std::uint64_t bytes_disk = 0;  ///< the store's file; all indexes together

  /// Searches whose walk met too few nodes that count, because most of what lies near was erased or
  /// does not pass the filter, and that went on wider, or compared with all that is live instead:
  /// right, and slow.
  std::uint64_t wider_walks = 0;
  std::uint64_t fallback_scans = 0;

  std::uint64_t journal_entries = 0;  ///< operations since the last checkpoint
  std::uint64_t journal_bytes = 0;
  double checkpoint_age_s = 0;  ///< seconds since the last checkpoint of this process; -1 for none
  std::uint64_t salvaged = 0;   ///< damaged records set aside at open
  std::uint64_t repaired_links = 0;  ///< damaged link records mended at open
  double open_seconds = 0;
  std::uint64_t background_failures = 0;  ///< of the store's own thread, in a row until now
  std::string background_error;           ///< the last of them in this process; empty: none
  double background_error_age_s = -1;     ///< seconds since then; -1 for none

  std::uint64_t bytes_in_memory() const {
    return bytes_vectors + bytes_codes + bytes_links + bytes_nodes + bytes_labels + bytes_scratch;
  }
};

}  // namespace vicinal

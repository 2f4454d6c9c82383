//! How stores and indexes are made, and how long work is done. Defaults are the library's own.

use std::fmt;
use std::sync::Arc;

use crate::callback::{Filter, ProgressClosure};
use crate::error::{initialized, Result};
use crate::event::Event;
use crate::label_set::LabelSet;
use crate::sys;
use crate::types::{Durability, Metric, Quantization, Storage};

/// How an index is made. The first group is stored with it; opening an existing index with a field
/// that differs is `InvalidArgument` naming both values. A number that is 0 accepts what is stored;
/// with [`Store::open_index`](crate::Store::open_index) fields as they are by default do, too.
#[allow(non_snake_case)]
#[derive(Clone, Debug, PartialEq)]
pub struct IndexOptions {
    /// Components per vector, 1 to 65,536. Required to create an index; 0 (default) accepts what is
    /// stored.
    pub dimension: u32,
    /// Default cosine.
    pub metric: Metric,
    /// Links per node: at most M on levels 1 and up, 2M on level 0. 4 to 64, default 16.
    pub M: u32,
    /// Candidates kept when a node is linked, M to 10,000, default 200.
    pub ef_construction: u32,
    /// Candidates a search keeps unless told otherwise, 1 to 100,000, default 64.
    pub ef_search: u32,
    /// Default int8.
    pub quantization: Quantization,
    /// Seed of levels and of the code rotation, default 42. A batch build with the same seed and
    /// data gives the same bytes at any number of threads.
    pub seed: u64,
    /// What vectors are stored as. Default float32.
    pub storage: Storage,

    /// Vectors expected; a hint that spares growth. This and what follows is not stored. Default 0.
    pub reserve: u64,
    /// Run a slice of repair after writes once tombstones pass this share of all nodes, 0 (never)
    /// to 1. Default 0.2.
    pub repair_share: f64,
    /// Threads for batch work when the call does not say, at most 4,096; 0 (default): one per CPU.
    pub threads: u32,
    /// True (default): the stored vectors are kept in memory. False: they are read from the store's map
    /// for re-ranking and get (ignored without a store, and where int8 ones are traversed themselves);
    /// needs int8 quantization.
    pub vectors_in_memory: bool,
    /// Every upsert or batch rebuilds the whole graph; for comparison only. Default false.
    pub rebuild_on_upsert: bool,
    /// Opens although vector records are damaged: they are set aside and counted. Default false.
    pub salvage: bool,
}

impl IndexOptions {
    pub(crate) fn from_c(c: &sys::vicinal_index_options) -> Result<IndexOptions> {
        Ok(IndexOptions {
            dimension: c.dimension,
            metric: Metric::known(c.metric)?,
            M: c.M,
            ef_construction: c.ef_construction,
            ef_search: c.ef_search,
            quantization: Quantization::known(c.quantization)?,
            seed: c.seed,
            storage: Storage::known(c.storage)?,
            reserve: c.reserve,
            repair_share: c.repair_share,
            threads: c.threads,
            vectors_in_memory: c.vectors_in_memory != 0,
            rebuild_on_upsert: c.rebuild_on_upsert != 0,
            salvage: c.salvage != 0,
        })
    }

    pub(crate) fn to_c(&self) -> sys::vicinal_index_options {
        let mut c = initialized(sys::vicinal_index_options_init);
        c.dimension = self.dimension;
        c.metric = self.metric.to_c();
        c.M = self.M;
        c.ef_construction = self.ef_construction;
        c.ef_search = self.ef_search;
        c.quantization = self.quantization.to_c();
        c.seed = self.seed;
        c.storage = self.storage.to_c();
        c.reserve = self.reserve;
        c.repair_share = self.repair_share;
        c.threads = self.threads;
        c.vectors_in_memory = self.vectors_in_memory.into();
        c.rebuild_on_upsert = self.rebuild_on_upsert.into();
        c.salvage = self.salvage.into();
        c
    }
}

impl Default for IndexOptions {
    fn default() -> IndexOptions {
        IndexOptions::from_c(&initialized(sys::vicinal_index_options_init))
            .expect("the library's defaults are of this crate's release")
    }
}

/// Told what happens in a store and no call returns: called from any thread of the store or of its
/// callers, perhaps from several at once. It may call the store; what would wait for the work that
/// it interrupts answers `Busy`. A panic ends there.
///
/// A handle of that store, or of an index of it, that the closure owns keeps the store open for
/// ever: the store keeps the closure, and nobody sees what is in it. Only
/// [`Store::close`](crate::Store::close) closes it then, and lets go of the closure.
///
/// What the closure owns is dropped while the store closes, by the thread that closes it. A call of
/// that store in such a `Drop` answers `Busy` or `Closed`; to drop handles is allowed. A forked child
/// does not drop the closures of its parent's stores.
pub type EventClosure = dyn Fn(&Event<'_>) + Send + Sync;

/// How a store is opened.
#[derive(Clone)]
pub struct StoreOptions {
    /// Default full.
    pub durability: Durability,
    /// False: `NotFound` when there is no store at the path. Default true.
    pub create: bool,
    /// Every write answers `ReadOnly`. Works on a read-only file system, and beside a writer
    /// process if lock.mdb may be written; where it may not, readers and writers of other processes
    /// exclude each other (`Busy`). An index is as it was at the moment it was opened. Default false.
    pub read_only: bool,
    /// True (default): a thread of the store writes checkpoints and repair slices when they are
    /// due. What fails is tried again every second, and told by `on_event`. False leaves both to
    /// the caller.
    pub background: bool,
    /// Bytes of address space for the map at first; it grows by itself. 0 (default): the library's
    /// choice.
    pub map_bytes: u64,
    /// The most bytes the file may grow to; `Full` beyond. Half of it, at most 64 MiB, is kept from
    /// upserts. 0 (default): no limit but the disk's.
    pub max_map_bytes: u64,
    /// Bytes of vectors written to an index since its last checkpoint after which the next is due.
    /// Default 64 MiB.
    pub checkpoint_bytes: u64,
    /// Permissions of the files that are made, before the umask takes away. Default 0o666.
    pub file_mode: u32,
    /// Told what happens in the store. It lives until the store is closed. Default none.
    pub on_event: Option<Arc<EventClosure>>,
}

impl StoreOptions {
    /// All but `on_event`.
    pub(crate) fn to_c(&self) -> sys::vicinal_store_options {
        let mut c = initialized(sys::vicinal_store_options_init);
        c.durability = self.durability.to_c();
        c.create = self.create.into();
        c.read_only = self.read_only.into();
        c.background = self.background.into();
        c.map_bytes = self.map_bytes;
        c.max_map_bytes = self.max_map_bytes;
        c.checkpoint_bytes = self.checkpoint_bytes;
        c.file_mode = self.file_mode;
        c
    }
}

impl Default for StoreOptions {
    fn default() -> StoreOptions {
        let c = initialized(sys::vicinal_store_options_init);
        StoreOptions {
            durability: Durability::from_c(c.durability)
                .expect("the library's defaults are of this crate's release"),
            create: c.create != 0,
            read_only: c.read_only != 0,
            background: c.background != 0,
            map_bytes: c.map_bytes,
            max_map_bytes: c.max_map_bytes,
            checkpoint_bytes: c.checkpoint_bytes,
            file_mode: c.file_mode,
            on_event: None,
        }
    }
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StoreOptions")
            .field("durability", &self.durability)
            .field("create", &self.create)
            .field("read_only", &self.read_only)
            .field("background", &self.background)
            .field("map_bytes", &self.map_bytes)
            .field("max_map_bytes", &self.max_map_bytes)
            .field("checkpoint_bytes", &self.checkpoint_bytes)
            .field("file_mode", &self.file_mode)
            .field("on_event", &self.on_event.is_some())
            .finish()
    }
}

/// How a batch or a rebuild is done.
#[derive(Default)]
pub struct BatchOptions<'a> {
    /// Threads to use, at most 4,096; 0 (default): the index's.
    pub threads: u32,
    /// Default none.
    pub progress: Option<&'a mut ProgressClosure<'a>>,
}

/// How a search is done. One value serves any number of searches.
#[derive(Clone, Copy, Default)]
pub struct SearchOptions<'a> {
    /// Candidates kept during the walk, at most 100,000; at least k is used; 0 (default): what
    /// `recall` says, else the index's.
    pub ef_search: usize,
    /// Which labels may be returned, by a closure. Default none: all may.
    pub filter: Option<&'a Filter<'a>>,
    /// Which labels may be returned, as a set; with a filter, both count. Default none: all may.
    pub labels: Option<&'a LabelSet>,
    /// Compares with every live vector instead of walking the graph: exact, O(n). Default false.
    pub exact: bool,
    /// In place of `ef_search`: the share of the k nearest that is to be found on average, 0 to 1; 0
    /// (default): not said, 1: exact. The first search that says a recall waits for what
    /// [`expected_recall`](crate::Index::expected_recall) measures, unless it has one of the two
    /// limits that follow.
    pub recall: f64,
    /// Most distances computed before the search stops with the best met until then, and a step more,
    /// and those that put the k returned in order; 0 (default): no limit.
    /// [`SearchCounters::stopped`](crate::SearchCounters::stopped) says that it did.
    pub max_distances: u64,
    /// Time after which the call stops in the same way. Default none: no limit.
    pub timeout: Option<std::time::Duration>,
}

/// How vectors within a distance are looked for.
#[derive(Clone, Copy, Default)]
pub struct RadiusOptions<'a> {
    /// Most hits returned, the nearest; [`RadiusHits::cut`](crate::RadiusHits::cut) says when there
    /// were more. 0 (default): no limit.
    pub max_hits: usize,
    /// How far the walk looks before it follows what lies within; 0 (default): the index's.
    pub ef_search: usize,
    /// As in [`SearchOptions`], and so are the next two.
    pub filter: Option<&'a Filter<'a>>,
    pub labels: Option<&'a LabelSet>,
    pub exact: bool,
}

/// How much a repair does.
#[derive(Default)]
pub struct RepairOptions<'a> {
    /// Most nodes looked at in one call, a search for new links counting as eight; 0 (default)
    /// finishes the pass, waiting for searches that began before it.
    pub slice: u64,
    /// Default none.
    pub progress: Option<&'a mut ProgressClosure<'a>>,
}

/// What a validation looks at.
pub struct ValidateOptions<'a> {
    /// Also verifies every stored checksum, and that stored vectors equal those in memory. Default
    /// false.
    pub deep: bool,
    /// Most problems described in words; all are counted. Default 20.
    pub max_messages: usize,
    /// Default none.
    pub progress: Option<&'a mut ProgressClosure<'a>>,
}

impl Default for ValidateOptions<'_> {
    fn default() -> Self {
        let c = initialized(sys::vicinal_validate_options_init);
        ValidateOptions { deep: c.deep != 0, max_messages: c.max_messages, progress: None }
    }
}

/// How recall is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecallOptions {
    /// Live vectors drawn by seed and used as queries; each one's own label is left out. Default
    /// 1000.
    pub samples: usize,
    /// Default 10.
    pub k: usize,
    /// 0 (default): the index's.
    pub ef_search: usize,
    /// Default 1.
    pub seed: u64,
    /// At most 4,096; 0 (default): the index's.
    pub threads: u32,
}

impl RecallOptions {
    pub(crate) fn to_c(&self) -> sys::vicinal_recall_options {
        let mut c = initialized(sys::vicinal_recall_options_init);
        c.samples = self.samples;
        c.k = self.k;
        c.ef_search = self.ef_search;
        c.seed = self.seed;
        c.threads = self.threads;
        c
    }
}

impl Default for RecallOptions {
    fn default() -> RecallOptions {
        let c = initialized(sys::vicinal_recall_options_init);
        RecallOptions {
            samples: c.samples,
            k: c.k,
            ef_search: c.ef_search,
            seed: c.seed,
            threads: c.threads,
        }
    }
}

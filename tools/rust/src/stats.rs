//! The numbers of an index: as it is in memory, and as its store's file says.

use std::os::raw::c_char;

use crate::error::text;
use crate::sys;

/// A snapshot of an index's numbers; each is right for some moment during the call.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// "" for an index in memory.
    pub name: String,
    /// The CPU target of the kernels in use.
    pub target: String,
    pub live: u64,
    pub tombstones: u64,
    /// Node slots waiting for reuse.
    pub free_slots: u64,
    /// Levels in use; 0 when empty.
    pub levels: u64,
    /// Nodes whose highest level is i.
    pub nodes_by_level: Vec<u64>,
    /// Links in all lists of level i.
    pub links_by_level: Vec<u64>,

    /// Of stored vectors in memory.
    pub bytes_vectors: u64,
    /// 0 where the stored vectors are traversed.
    pub bytes_codes: u64,
    pub bytes_links: u64,
    /// Of per-node fields.
    pub bytes_nodes: u64,
    /// Of the label map.
    pub bytes_labels: u64,
    pub bytes_scratch: u64,
    /// The six above together.
    pub bytes_in_memory: u64,
    /// The store's file; all indexes together.
    pub bytes_disk: u64,

    /// Searches that went on wider because too few nodes counted.
    pub wider_walks: u64,
    /// Searches that compared with all that is live instead.
    pub fallback_scans: u64,

    /// Operations since the last checkpoint.
    pub journal_entries: u64,
    pub journal_bytes: u64,
    /// Seconds since the last checkpoint of this process; None when there was none.
    pub checkpoint_age_s: Option<f64>,
    /// Damaged records set aside at open.
    pub salvaged: u64,
    /// Damaged link records mended at open.
    pub repaired_links: u64,
    pub open_seconds: f64,
    /// Of the store's own thread, in a row until now.
    pub background_failures: u64,
    /// Seconds since the last of them; None when there was none.
    pub background_error_age_s: Option<f64>,
    /// The last of them in this process; "": none.
    pub background_error: String,
    /// Fewer vectors than are worth a graph, about 500: searches compare with all.
    pub flat: bool,
    /// Searches go by two bits a component: many dimensions only.
    pub sketches: bool,
}

impl Stats {
    pub(crate) fn from_c(c: &sys::vicinal_stats) -> Stats {
        Stats {
            name: text_of(&c.name),
            target: text_of(&c.target),
            live: c.live,
            tombstones: c.tombstones,
            free_slots: c.free_slots,
            levels: c.levels,
            nodes_by_level: c.nodes_by_level.to_vec(),
            links_by_level: c.links_by_level.to_vec(),
            bytes_vectors: c.bytes_vectors,
            bytes_codes: c.bytes_codes,
            bytes_links: c.bytes_links,
            bytes_nodes: c.bytes_nodes,
            bytes_labels: c.bytes_labels,
            bytes_scratch: c.bytes_scratch,
            bytes_in_memory: c.bytes_in_memory,
            bytes_disk: c.bytes_disk,
            wider_walks: c.wider_walks,
            fallback_scans: c.fallback_scans,
            journal_entries: c.journal_entries,
            journal_bytes: c.journal_bytes,
            checkpoint_age_s: age(c.checkpoint_age_s),
            salvaged: c.salvaged,
            repaired_links: c.repaired_links,
            open_seconds: c.open_seconds,
            background_failures: c.background_failures,
            background_error_age_s: age(c.background_error_age_s),
            background_error: text_of(&c.background_error),
            flat: c.flat != 0,
            sketches: c.sketches != 0,
        }
    }
}

/// What a store's file says about an index, learnt without loading it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredStats {
    pub name: String,
    pub live: u64,
    pub tombstones: u64,
    /// Node slots waiting for reuse.
    pub free_slots: u64,
    /// Nodes whose highest level is i.
    pub nodes_by_level: Vec<u64>,

    /// Completed since the index was made.
    pub checkpoints: u64,
    /// Operations since the last of them.
    pub journal_entries: u64,
    pub journal_bytes: u64,
    /// Rows of the journal: every opening links them anew.
    pub rows_to_link: u64,

    /// On disk, of this index.
    pub bytes_vectors: u64,
    pub bytes_links: u64,
    pub bytes_nodes: u64,
    /// The store's file; all indexes together.
    pub bytes_disk: u64,
}

impl StoredStats {
    pub(crate) fn from_c(c: &sys::vicinal_stored_stats) -> StoredStats {
        StoredStats {
            name: text_of(&c.name),
            live: c.live,
            tombstones: c.tombstones,
            free_slots: c.free_slots,
            nodes_by_level: c.nodes_by_level.to_vec(),
            checkpoints: c.checkpoints,
            journal_entries: c.journal_entries,
            journal_bytes: c.journal_bytes,
            rows_to_link: c.rows_to_link,
            bytes_vectors: c.bytes_vectors,
            bytes_links: c.bytes_links,
            bytes_nodes: c.bytes_nodes,
            bytes_disk: c.bytes_disk,
        }
    }
}

/// Seconds; the ABI says -1 for "never".
fn age(seconds: f64) -> Option<f64> {
    (seconds >= 0.0).then_some(seconds)
}

/// The text in an array of the ABI, which has a NUL.
fn text_of(array: &[c_char]) -> String {
    assert!(array.contains(&0), "a text of libvicinal without its end");
    // SAFETY: there is a NUL within the array.
    unsafe { text(array.as_ptr()) }
}

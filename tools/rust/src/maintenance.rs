//! Keeping an [`Index`] well: checkpoint, sync, rebuild, repair, validate, recall, stats.

use crate::callback::{keep_in, on_text, LentProgress, LentVisitor, ProgressClosure};
use crate::error::{check, initialized, Result};
use crate::index::Index;
use crate::options::{BatchOptions, RecallOptions, RepairOptions, ValidateOptions};
use crate::stats::Stats;
use crate::sys;

/// What a repair did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RepairResult {
    pub nodes_examined: u64,
    pub nodes_relinked: u64,
    pub slots_freed: u64,
    /// Nodes that hung loose, for which the graph was rebuilt.
    pub unreachable_mended: u64,
    /// The pass is complete: nothing dead is linked to any more.
    pub finished: bool,
    /// Searches of before must end first: call again.
    pub waiting: bool,
}

/// What a validation found. `problems` is 0 for a sound index.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ValidateReport {
    pub problems: u64,
    pub live: u64,
    pub tombstones: u64,
    /// Live nodes not reached on a level they have.
    pub unreachable: u64,
    /// Links to tombstones: not a problem, repair's work.
    pub dead_links: u64,
    /// Links to free slots, to levels a node does not have, or to itself.
    pub invalid_links: u64,
    /// An id twice in one list.
    pub duplicate_links: u64,
    /// More links than a level allows.
    pub overfull_lists: u64,
    /// Parents and children that do not agree.
    pub tree_errors: u64,
    /// Links without a link back: allowed.
    pub asymmetric_links: u64,
    /// The entry point is not a node of the highest level.
    pub entry_point_errors: u64,
    /// Labels that do not lead to their node and back.
    pub label_errors: u64,
    /// Deep: stored records that fail their checksum or disagree.
    pub record_errors: u64,
    /// Level 0: nodes with i links; the last entry has those with that many or more.
    pub degree_histogram: Vec<u64>,
    /// Nodes whose highest level is i.
    pub nodes_by_level: Vec<u64>,
    /// The problems in words, at most [`ValidateOptions::max_messages`].
    pub messages: Vec<String>,
}

impl Index {
    /// Writes what changed since the last checkpoint, so that reopening need not replay it. Readers
    /// and writers go on. No effect in memory. `Cancelled` when `progress` breaks.
    ///
    /// Errors: `Busy`, `IoError`, `Full`, `ReadOnly`, `Cancelled`.
    pub fn checkpoint<'a>(&self, progress: Option<&'a mut ProgressClosure<'a>>) -> Result<()> {
        let mut progress = LentProgress::new(progress);
        let (function, context) = progress.lend();
        // SAFETY: `progress` outlives the call.
        let done =
            check(unsafe { sys::vicinal_index_checkpoint(self.pointer(), function, context) });
        progress.resume();
        done
    }

    /// Makes every acknowledged write survive a power cut, whatever the durability.
    pub fn sync(&self) -> Result<()> {
        // SAFETY: the handle is good.
        check(unsafe { sys::vicinal_index_sync(self.pointer()) })
    }

    /// Builds a fresh graph of the live vectors beside the old one and swaps it in; tombstones are
    /// gone afterwards. Readers and writers go on.
    ///
    /// Errors: `Busy` while another rebuild runs; `Cancelled`: nothing changed.
    pub fn rebuild(&self, options: BatchOptions<'_>) -> Result<()> {
        let mut progress = LentProgress::new(options.progress);
        let mut c = initialized(sys::vicinal_batch_options_init);
        c.threads = options.threads;
        (c.progress, c.progress_context) = progress.lend();
        // SAFETY: `progress` outlives the call.
        let done = check(unsafe { sys::vicinal_index_rebuild(self.pointer(), &c) });
        progress.resume();
        done
    }

    /// Unlinks tombstones and frees their slots, and mends what a validation would report, in
    /// bounded slices beside readers and writers.
    ///
    /// Errors: `Cancelled` leaves a sound index, call again to go on; `Busy` for a whole repair
    /// inside a filter.
    pub fn repair(&self, options: RepairOptions<'_>) -> Result<RepairResult> {
        let mut progress = LentProgress::new(options.progress);
        let mut c = initialized(sys::vicinal_repair_options_init);
        c.slice = options.slice;
        (c.progress, c.progress_context) = progress.lend();
        let mut result = initialized(sys::vicinal_repair_result_init);
        // SAFETY: `progress` outlives the call.
        let done = check(unsafe { sys::vicinal_index_repair(self.pointer(), &c, &mut result) });
        progress.resume();
        done?;
        Ok(RepairResult {
            nodes_examined: result.nodes_examined,
            nodes_relinked: result.nodes_relinked,
            slots_freed: result.slots_freed,
            unreachable_mended: result.unreachable_mended,
            finished: result.finished != 0,
            waiting: result.waiting != 0,
        })
    }

    /// Walks the graph from the entry point on every level and checks the invariants. Read-only;
    /// meant for a quiet index: writers may go on, but what they change meanwhile can be reported as
    /// a problem. A problem found is no failure of the call.
    ///
    /// Errors: `Cancelled`.
    pub fn validate(&self, options: ValidateOptions<'_>) -> Result<ValidateReport> {
        let mut messages = Vec::new();
        let mut progress = LentProgress::new(options.progress);
        let mut visitor = LentVisitor::new(keep_in(&mut messages));
        let mut c = initialized(sys::vicinal_validate_options_init);
        c.deep = options.deep.into();
        c.max_messages = options.max_messages;
        c.on_message = text_function(&visitor);
        c.message_context = visitor.context();
        (c.progress, c.progress_context) = progress.lend();
        let mut report = initialized(sys::vicinal_validate_report_init);
        // SAFETY: `progress` and `visitor` outlive the call.
        let done = check(unsafe { sys::vicinal_index_validate(self.pointer(), &c, &mut report) });
        progress.resume();
        visitor.resume();
        drop(visitor);
        done?;
        Ok(ValidateReport {
            problems: report.problems,
            live: report.live,
            tombstones: report.tombstones,
            unreachable: report.unreachable,
            dead_links: report.dead_links,
            invalid_links: report.invalid_links,
            duplicate_links: report.duplicate_links,
            overfull_lists: report.overfull_lists,
            tree_errors: report.tree_errors,
            asymmetric_links: report.asymmetric_links,
            entry_point_errors: report.entry_point_errors,
            label_errors: report.label_errors,
            record_errors: report.record_errors,
            degree_histogram: report.degree_histogram.to_vec(),
            nodes_by_level: report.nodes_by_level.to_vec(),
            messages,
        })
    }

    /// Recall@k of searches against exact search on a sample of live vectors, 0 to 1; 1 when the
    /// index is empty.
    pub fn recall(&self, options: &RecallOptions) -> Result<f64> {
        let mut recall = 0.0;
        // SAFETY: the handle is good.
        check(unsafe { sys::vicinal_index_recall(self.pointer(), &options.to_c(), &mut recall) })?;
        Ok(recall)
    }

    /// The index's numbers.
    pub fn stats(&self) -> Result<Stats> {
        let mut stats = initialized(sys::vicinal_stats_init);
        // SAFETY: the handle is good, the struct initialised.
        check(unsafe { sys::vicinal_index_stats(self.pointer(), &mut stats) })?;
        Ok(Stats::from_c(&stats))
    }
}

/// What C calls for a visitor of this type.
fn text_function<F>(_visitor: &LentVisitor<F>) -> sys::vicinal_text_visitor
where
    F: FnMut(&str) -> std::ops::ControlFlow<()>,
{
    Some(on_text::<F>)
}

//! Vicinal, an embedded vector index: an HNSW graph that stays searchable while vectors are
//! inserted, replaced and erased, and an LMDB store that keeps every acknowledged write.
//!
//! A safe face of the C ABI (`vicinal.h`), linked to `libvicinal.so.0`; no other dependency.
//!
//! **Building and starting.** The build finds the library by pkg-config, or in the folder
//! `VICINAL_LIB_DIR`. The program looks for `libvicinal.so.0` again when it starts, and the build
//! does not tell it where: after an installation to `/usr/local` run `ldconfig` once; in any other
//! folder say where it is by `LD_LIBRARY_PATH`, or build with
//! `RUSTFLAGS="-C link-arg=-Wl,-rpath,/that/folder"`.
//!
//! ```
//! use vicinal::{Index, IndexOptions, SearchOptions};
//!
//! # fn main() -> vicinal::Result<()> {
//! let index = Index::in_memory(&IndexOptions { dimension: 2, ..Default::default() })?;
//! index.upsert(7, &[1.0, 0.0])?;
//! index.upsert(8, &[0.0, 1.0])?;
//! let hits = index.search(&[0.9, 0.1], 1, &SearchOptions::default())?;
//! assert_eq!(hits[0].label, 7);
//! # Ok(())
//! # }
//! ```
//!
//! **Shapes.** A vector is a slice of [`Index::dimension`] components of float32, a matrix a slice
//! of rows without gaps. One that is too short or too long is refused, never read beyond.
//!
//! **Threads.** [`Store`], [`Index`] and [`LabelSet`] are `Send`, `Sync` and cheap to clone; every
//! method may run beside any other, and searches never wait for writers.
//!
//! **Handles.** An index keeps its store open: the store closes when the last handle of it and of
//! its indexes is dropped, or when [`Store::close`] says so; that one reports errors. Afterwards
//! every method answers [`Status::Closed`], but for those of an index that cannot fail while there is
//! a handle: [`len`](Index::len) is 0, [`is_empty`](Index::is_empty) true and
//! [`contains`](Index::contains) false, [`dimension`](Index::dimension), [`options`](Index::options)
//! and [`stats`](Index::stats) are as they were, and [`pause_writes`](Index::pause_writes) has nothing
//! to wait for. To close once more is `Ok`.
//!
//! **fork().** In a child the handles of its parent's stores and of their indexes answer `Closed`
//! likewise, [`Store::close`] too, and to drop them does nothing; it may open the store itself. An
//! index in memory and a [`LabelSet`] are the child's own from then on and work, if no other thread
//! was inside a call on them when it was forked. [`PausedWrites`] is for a child that saves what
//! other threads of its parent use.
//!
//! **Closures.** Filters, visitors and progress closures may call the index, and write to it. What
//! would have to wait for the call that they belong to answers [`Status::Busy`]. A panic in one does
//! not unwind into C: the closure is not called any more, and the panic goes on in the caller when the
//! call has ended. A visitor's or a progress closure's ends it soon; after a [`Filter`]'s the search
//! goes on with every label refused. Readers and writers that [`Index::load`] and [`Index::save`] use
//! are treated as visitors are. What an [`EventClosure`] panics with ends there.
//!
//! **Errors.** [`Error`] has a [`Status`], which is for programs, and a message with the numbers.
//! What every fallible method can answer, and is not said again: `OutOfMemory`, `Internal`, and, for
//! indexes of a store, `Closed`.
#![warn(rust_2018_idioms)]

mod callback;
mod cpu;
mod error;
mod event;
mod hits;
mod index;
mod label_set;
mod maintenance;
mod nodes;
mod options;
mod rooms;
mod search;
mod stats;
mod store;
mod stream;
mod sys;
mod types;

#[cfg(test)]
mod declarations;

pub use callback::{Filter, Progress, ProgressClosure};
pub use cpu::{chosen_cpu_target, cpu_targets, force_cpu_target, version, CpuTarget};
pub use error::{Error, Result, Status};
pub use event::Event;
pub use hits::{BatchHits, RadiusHits};
pub use index::{BatchResult, Index};
pub use label_set::LabelSet;
pub use maintenance::{RepairResult, ValidateReport};
pub use nodes::NodeView;
pub use options::{
    BatchOptions, EventClosure, IndexOptions, RadiusOptions, RecallOptions, RepairOptions,
    SearchOptions, StoreOptions, ValidateOptions,
};
pub use search::{ExpectedRecall, SearchCounters};
pub use stats::{Stats, StoredStats};
pub use store::{Store, StoredVectors};
pub use stream::PausedWrites;
pub use types::{
    Durability, EraseOutcome, EventKind, Hit, Label, Metric, Quantization, SearchPath, Severity,
    Storage, UpsertOutcome,
};

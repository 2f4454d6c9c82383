//! [`Index`]: a searchable, mutable, durable set of labelled vectors.

use std::fmt;
use std::ops::ControlFlow;
use std::os::raw::c_void;
use std::sync::Arc;

use crate::callback::{LentProgress, LentVisitor};
use crate::error::{check, initialized, Error, Result, Status};
use crate::options::{BatchOptions, IndexOptions};
use crate::store::StoreHandle;
use crate::sys;
use crate::types::{EraseOutcome, Label, UpsertOutcome};

/// An index: of a store ([`Store::index`](crate::Store::index), durable) or in memory
/// ([`Index::in_memory`]). Clones are the same index.
///
/// Every search, get, contains and node sees the index as it was at one moment after the call
/// began: all that was acknowledged before, and of what runs beside it a part, in the order in which
/// it is acknowledged. An upsert, an erasure, an erase batch, and an upsert batch of at most an
/// eighth of what is live are one step of that order; a larger batch is shown piece by piece.
#[derive(Clone)]
pub struct Index {
    handle: Arc<IndexHandle>,
}

/// Frees the library's handle. The store's comes after it, in the order of the fields.
struct IndexHandle {
    pointer: *mut sys::vicinal_index,
    dimension: usize,
    /// None for an index in memory.
    store: Option<Arc<StoreHandle>>,
}

// SAFETY: the library's functions may be called from any thread beside any other on one handle; it
// is freed when nobody holds it any more.
unsafe impl Send for IndexHandle {}
unsafe impl Sync for IndexHandle {}

impl Drop for IndexHandle {
    fn drop(&mut self) {
        // SAFETY: made by the library, freed once; nobody else holds it.
        unsafe { sys::vicinal_index_free(self.pointer) }
    }
}

/// What a batch did, by label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchResult {
    pub inserted: u64,
    pub updated: u64,
    pub resurrected: u64,
    pub unchanged: u64,
    /// Earlier rows of a label that stood again later in the batch: ignored.
    pub repeated: u64,
}

impl Index {
    /// Makes an empty index that lives in memory only; it is gone with its last handle.
    ///
    /// Errors: `InvalidArgument` for dimension 0 or any option out of its range.
    pub fn in_memory(options: &IndexOptions) -> Result<Index> {
        let mut pointer = std::ptr::null_mut();
        // SAFETY: both point to what they should.
        check(unsafe { sys::vicinal_index_create(&options.to_c(), &mut pointer) })?;
        Index::from_handle(pointer, None)
    }

    /// Takes over a handle that the library made.
    pub(crate) fn from_handle(
        pointer: *mut sys::vicinal_index,
        store: Option<Arc<StoreHandle>>,
    ) -> Result<Index> {
        let mut handle = IndexHandle { pointer, dimension: 0, store };
        let mut dimension = 0;
        // SAFETY: the handle is good, and freed by `handle`.
        check(unsafe { sys::vicinal_index_dimension(pointer, &mut dimension) })?;
        handle.dimension = dimension as usize;
        Ok(Index { handle: Arc::new(handle) })
    }

    pub(crate) fn pointer(&self) -> *mut sys::vicinal_index {
        self.handle.pointer
    }

    /// How many rows `components` are; they must be a matrix of this index's dimension.
    pub(crate) fn rows(&self, what: &str, components: &[f32]) -> Result<usize> {
        let dimension = self.dimension();
        if components.len() % dimension != 0 {
            return Err(Error::new(
                Status::InvalidArgument,
                format!(
                    "{what}: {} components are not whole rows of dimension {dimension}",
                    components.len()
                ),
            ));
        }
        Ok(components.len() / dimension)
    }

    /// Stores `vector` under `label`, replacing whatever was there.
    ///
    /// When this returns `Ok` the change is as durable as the store's durability says, and every
    /// search that begins later sees it. A search already running returns the old vector or the new
    /// one, never a mixture, never neither, and never one label twice. Racing upserts of one label
    /// apply in some order.
    ///
    /// Shape: `vector` has [`dimension`](Index::dimension) components.
    ///
    /// Errors: `InvalidArgument` for a wrong dimension, NaN or infinity, or a norm without a finite
    /// distance to every other (under cosine 0, below 2.9e-39 or above 8.5e37; under squared L2
    /// and inner product above 6.5e18), or what the index's [`Storage`](crate::Storage) cannot hold;
    /// `IoError`, `Full` when the commit failed:
    /// nothing changed in memory; `Busy` in the progress of a batch that writes this label;
    /// `ReadOnly`.
    ///
    /// Cost: O(ef_construction * M * dimension) and, when durable, one shared commit.
    pub fn upsert(&self, label: Label, vector: &[f32]) -> Result<UpsertOutcome> {
        let mut outcome = 0;
        // SAFETY: the library reads as many components as it is told.
        check(unsafe {
            sys::vicinal_index_upsert(
                self.pointer(),
                label,
                vector.as_ptr(),
                vector.len(),
                &mut outcome,
            )
        })?;
        UpsertOutcome::known(outcome)
    }

    /// Stores row i of `vectors` under `labels[i]`; a label that stands twice gets its last row.
    ///
    /// Validated as a whole before anything changes, one transaction (very large batches: several,
    /// of which the last makes all of them count), linked by all threads. Searches see a batch of at
    /// most an eighth of what is live at once, a larger one piece by piece as it is linked. From
    /// 4,096 rows on, vectors near each other are laid near each other in memory.
    ///
    /// Shape: `vectors` has `labels.len() * dimension` components, row after row.
    ///
    /// Errors: as [`upsert`](Index::upsert), naming the first bad row; `Cancelled` when the progress
    /// closure said so while links were made: what was linked by then is stored and searchable, the
    /// rest is as if never given, and the message has the numbers.
    pub fn upsert_batch(
        &self,
        labels: &[Label],
        vectors: &[f32],
        options: BatchOptions<'_>,
    ) -> Result<BatchResult> {
        let rows = self.rows("vectors", vectors)?;
        if rows != labels.len() {
            return Err(Error::new(
                Status::InvalidArgument,
                format!("vectors: {rows} rows for {} labels", labels.len()),
            ));
        }
        let mut progress = LentProgress::new(options.progress);
        let mut c = initialized(sys::vicinal_batch_options_init);
        c.threads = options.threads;
        (c.progress, c.progress_context) = progress.lend();
        let mut result = initialized(sys::vicinal_batch_result_init);
        // SAFETY: labels and vectors are as long as told; `progress` outlives the call.
        let done = check(unsafe {
            sys::vicinal_index_upsert_batch(
                self.pointer(),
                labels.as_ptr(),
                vectors.as_ptr(),
                rows,
                self.dimension(),
                &c,
                &mut result,
            )
        });
        progress.resume();
        done?;
        Ok(BatchResult {
            inserted: result.inserted,
            updated: result.updated,
            resurrected: result.resurrected,
            unchanged: result.unchanged,
            repeated: result.repeated,
        })
    }

    /// Stores each vector of `items` under its label: [`upsert_batch`](Index::upsert_batch) for rows
    /// that do not stand together. They are copied into one matrix first.
    ///
    /// Shape: every vector has [`dimension`](Index::dimension) components.
    ///
    /// Errors: as [`upsert_batch`](Index::upsert_batch).
    pub fn upsert_items<V: AsRef<[f32]>>(
        &self,
        items: impl IntoIterator<Item = (Label, V)>,
        options: BatchOptions<'_>,
    ) -> Result<BatchResult> {
        let (mut labels, mut vectors) = (Vec::new(), Vec::new());
        for (row, (label, vector)) in items.into_iter().enumerate() {
            let vector = vector.as_ref();
            if vector.len() != self.dimension() {
                return Err(Error::new(
                    Status::InvalidArgument,
                    format!(
                        "row {row} (label {label}): dimension {}, index has {}",
                        vector.len(),
                        self.dimension()
                    ),
                ));
            }
            labels.push(label);
            vectors.extend_from_slice(vector);
        }
        self.upsert_batch(&labels, &vectors, options)
    }

    /// What was stored under `label`: the exact bits as float32, else the numbers that it was rounded to.
    ///
    /// Errors: `NotFound`; `Corruption`, `IoError` when the file does not give the vector any more.
    pub fn get(&self, label: Label) -> Result<Vec<f32>> {
        let mut vector = vec![0.0; self.dimension()];
        self.get_into(label, &mut vector)?;
        Ok(vector)
    }

    /// As [`get`](Index::get), into `vector`, which is left alone when the call fails.
    ///
    /// Shape: `vector` has [`dimension`](Index::dimension) components, else `InvalidArgument`.
    pub fn get_into(&self, label: Label, vector: &mut [f32]) -> Result<()> {
        // SAFETY: the library writes as many components as it is told that there are.
        check(unsafe {
            sys::vicinal_index_get(self.pointer(), label, vector.as_mut_ptr(), vector.len())
        })
    }

    /// The same as it is stored: `dimension` f32 or float16, or int8 codes, zeros up to a multiple of
    /// 4, and the scale as an f32; little-endian.
    ///
    /// Errors: as [`get`](Index::get).
    pub fn get_stored(&self, label: Label) -> Result<Vec<u8>> {
        let storage = self.options()?.storage.to_c();
        // SAFETY: no pointer is taken.
        let mut row = vec![0; unsafe { sys::vicinal_stored_bytes(storage, self.dimension()) }];
        // SAFETY: the library writes as many bytes as it is told that there are.
        check(unsafe {
            let at = row.as_mut_ptr().cast();
            sys::vicinal_index_get_stored(self.pointer(), label, at, row.len())
        })?;
        Ok(row)
    }

    /// Whether `label` is live. Of a closed index nothing is.
    pub fn contains(&self, label: Label) -> Result<bool> {
        let mut live = false;
        // SAFETY: the handle is good.
        check(unsafe { sys::vicinal_index_contains(self.pointer(), label, &mut live) })?;
        Ok(live)
    }

    /// Erases `label`: hidden from every search that begins later.
    ///
    /// Errors: as [`upsert`](Index::upsert), but for those of a vector.
    ///
    /// Cost: O(1) plus, when durable, one shared commit.
    pub fn erase(&self, label: Label) -> Result<EraseOutcome> {
        let mut outcome = 0;
        // SAFETY: the handle is good.
        check(unsafe { sys::vicinal_index_erase(self.pointer(), label, &mut outcome) })?;
        EraseOutcome::known(outcome)
    }

    /// Erases `labels` in one commit; returns how many were live.
    ///
    /// Errors: as [`erase`](Index::erase).
    pub fn erase_batch(&self, labels: &[Label]) -> Result<u64> {
        let mut erased = 0;
        // SAFETY: labels are as many as told.
        check(unsafe {
            sys::vicinal_index_erase_batch(
                self.pointer(),
                labels.as_ptr(),
                labels.len(),
                &mut erased,
            )
        })?;
        Ok(erased)
    }

    /// Live vectors; of a closed index 0. Cost: O(1).
    pub fn len(&self) -> Result<u64> {
        let mut size = 0;
        // SAFETY: the handle is good.
        check(unsafe { sys::vicinal_index_size(self.pointer(), &mut size) })?;
        Ok(size)
    }

    /// Whether nothing is live. Cost: O(1).
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Components per vector, 1 to 65,536.
    pub fn dimension(&self) -> usize {
        self.handle.dimension
    }

    /// The options in force, stored ones filled in.
    pub fn options(&self) -> Result<IndexOptions> {
        let mut c = initialized(sys::vicinal_index_options_init);
        // SAFETY: the handle is good, the struct initialised.
        check(unsafe { sys::vicinal_index_get_options(self.pointer(), &mut c) })?;
        IndexOptions::from_c(&c)
    }

    /// A hint that `count` vectors will be held.
    pub fn reserve(&self, count: u64) -> Result<()> {
        // SAFETY: the handle is good.
        check(unsafe { sys::vicinal_index_reserve(self.pointer(), count) })
    }

    /// Calls `visit` for every live label with its stored vector, in unspecified order, until it
    /// breaks, which is no failure. A label that is live all the time is visited once, whatever is
    /// written meanwhile, with a vector it had then. Vectors are read as [`get`](Index::get) reads
    /// them, and its errors end the walk.
    pub fn for_each<F>(&self, visit: F) -> Result<()>
    where
        F: FnMut(Label, &[f32]) -> ControlFlow<()> + Send,
    {
        unsafe extern "C" fn on_vector<F>(
            context: *mut c_void,
            label: u64,
            vector: *const f32,
            dimension: usize,
        ) -> bool
        where
            F: FnMut(Label, &[f32]) -> ControlFlow<()>,
        {
            let vector = std::slice::from_raw_parts(vector, dimension);
            LentVisitor::<F>::visit(context, |visit| visit(label, vector))
        }
        let mut lent = LentVisitor::new(visit);
        // SAFETY: `lent` outlives the call.
        let walked = check(unsafe {
            sys::vicinal_index_for_each(self.pointer(), Some(on_vector::<F>), lent.context())
        });
        lent.resume();
        walked
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Index")
            .field("dimension", &self.dimension())
            .field("in_memory", &self.handle.store.is_none())
            .finish_non_exhaustive()
    }
}

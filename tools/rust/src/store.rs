//! [`Store`]: one LMDB environment on disk that holds any number of named indexes.

use std::ffi::CString;
use std::fmt;
use std::ops::ControlFlow;
use std::os::raw::c_void;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::callback::{keep_in, on_text, LentProgress, LentVisitor, ProgressClosure};
use crate::error::{check, initialized, Error, Result, Status};
use crate::event::{on_event, release};
use crate::index::Index;
use crate::options::{IndexOptions, StoreOptions};
use crate::stats::StoredStats;
use crate::sys;
use crate::types::Label;

/// A store. Clones are the same store.
///
/// One process opens a path for writing once: a second one, or a second open in the same process,
/// gets `Busy`.
#[derive(Clone)]
pub struct Store {
    handle: Arc<StoreHandle>,
}

/// Frees the library's handle, which closes the store; inside a callback, when the call has ended.
pub(crate) struct StoreHandle {
    pointer: *mut sys::vicinal_store,
    path: PathBuf,
}

// SAFETY: the library's functions may be called from any thread beside any other on one handle; it
// is freed when nobody holds it any more. The event closure is Send and Sync.
unsafe impl Send for StoreHandle {}
unsafe impl Sync for StoreHandle {}

impl Drop for StoreHandle {
    fn drop(&mut self) {
        // SAFETY: it was made once and is freed once; no index has a handle any more.
        unsafe { sys::vicinal_store_free(self.pointer) };
    }
}

/// The most components that a vector has.
const MOST_DIMENSION: usize = 65_536;

/// What [`Store::stored_vectors`] read.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StoredVectors {
    /// A row a label, without gaps; zeros for a label that is not live.
    pub vectors: Vec<f32>,
    /// Whether the label is live.
    pub live: Vec<bool>,
}

impl Store {
    /// Opens the store at the folder `path`, making it when `options.create` says so.
    ///
    /// Errors: `NotFound` when no store is there and `create` is false; `InvalidArgument` when the
    /// path is a file or a folder with other content, or has a NUL byte; `Busy` when it is open for
    /// writing elsewhere (this process or another); `IoError` for no permission, a read-only file
    /// system, no thread for `options.background`; `Corruption` when it is truncated, not LMDB's, or
    /// a page that LMDB would walk is damaged; `FormatVersion` for another release's, see
    /// [`convert`](Store::convert).
    pub fn open(path: impl AsRef<Path>, options: &StoreOptions) -> Result<Store> {
        let path = path.as_ref();
        let mut handle = StoreHandle { pointer: std::ptr::null_mut(), path: path.to_owned() };
        let path = path_to_c(path)?;
        let mut c = options.to_c();
        if let Some(closure) = &options.on_event {
            c.on_event = Some(on_event);
            c.event_context = Box::into_raw(Box::new(closure.clone())).cast();
            c.event_release = Some(release);
        }
        // SAFETY: all point to what they should; the library releases the context.
        check(unsafe { sys::vicinal_store_open(path.as_ptr(), &c, &mut handle.pointer) })?;
        Ok(Store { handle: Arc::new(handle) })
    }

    /// Checkpoints (unless read-only) and closes; this store and its indexes answer `Closed` from
    /// then on (the crate's documentation has the exceptions). A second call is `Ok`.
    ///
    /// Threads: any; a call beside it is done before, or answers `Closed`.
    ///
    /// Errors: `Busy` inside a closure of this store or of one of its indexes, inside the filter of
    /// any search, and on a thread that has paused the writes to one of its indexes; but
    /// [`Index::for_each_node`]'s closure closes it, and the walk goes on. `IoError`, `Full` for what
    /// could not be written.
    pub fn close(&self) -> Result<()> {
        // SAFETY: the handle is good.
        check(unsafe { sys::vicinal_store_close(self.pointer()) })
    }

    /// Makes a store of an earlier format one that this release opens; false when there is nothing
    /// to do. It is copied beside itself, so there must be room for that, and the copy takes its
    /// place at once: a crash leaves one or the other.
    ///
    /// Errors: `NotFound`, `InvalidArgument`, `Corruption` as [`open`](Store::open); `Busy` when open
    /// for writing; `FormatVersion` of a later release; `IoError`, `Full`. Nothing is changed then.
    pub fn convert(path: impl AsRef<Path>) -> Result<bool> {
        let path = path_to_c(path.as_ref())?;
        let mut converted = false;
        // SAFETY: the path is NUL-terminated.
        check(unsafe { sys::vicinal_store_convert(path.as_ptr(), &mut converted) })?;
        Ok(converted)
    }

    /// The path as it was opened.
    pub fn path(&self) -> &Path {
        &self.handle.path
    }

    /// The index called `name` (1 to 100 bytes of letters, digits, '_', '-', '.'), opened or created.
    ///
    /// The first call in a process loads it, by all threads: vectors and checkpointed links are
    /// verified and read, the journal is replayed. Later calls give the same index.
    ///
    /// Errors: `InvalidArgument` when stored options differ (both values named), for dimension 0 of
    /// a new index, a bad name; `Corruption` when a node or vector record is damaged (its label
    /// named), see [`IndexOptions::salvage`]; `IoError` when the file cannot be read; `ReadOnly`.
    pub fn index(&self, name: &str, options: &IndexOptions) -> Result<Index> {
        self.opened(sys::vicinal_store_index, name, options, None)
    }

    /// As [`index`](Store::index), telling how far it is; `Cancelled` when `progress` breaks.
    pub fn index_with_progress<'a>(
        &self,
        name: &str,
        options: &IndexOptions,
        progress: &'a mut ProgressClosure<'a>,
    ) -> Result<Index> {
        self.opened(sys::vicinal_store_index, name, options, Some(progress))
    }

    /// The existing index called `name` as it is stored; `tuning` gives the fields that are not
    /// stored. A stored field in it may be as stored or as it is by default.
    ///
    /// Errors: `NotFound`, and as [`index`](Store::index).
    pub fn open_index(&self, name: &str, tuning: &IndexOptions) -> Result<Index> {
        self.opened(sys::vicinal_store_open_index, name, tuning, None)
    }

    fn opened<'a>(
        &self,
        open: Open,
        name: &str,
        options: &IndexOptions,
        progress: Option<&'a mut ProgressClosure<'a>>,
    ) -> Result<Index> {
        let name = to_c(name)?;
        let mut progress = LentProgress::new(progress);
        let mut c = options.to_c();
        (c.progress, c.progress_context) = progress.lend();
        let mut pointer = std::ptr::null_mut();
        // SAFETY: all point to what they should; `progress` outlives the call.
        let done = check(unsafe { open(self.pointer(), name.as_ptr(), &c, &mut pointer) });
        // The handle first: it is freed when the progress closure's panic goes on.
        let index = done.and_then(|()| Index::from_handle(pointer, Some(self.handle.clone())));
        progress.resume();
        index
    }

    /// The names of the stored indexes, sorted.
    pub fn index_names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        self.texts(keep_in(&mut names), |visit, context| {
            // SAFETY: the visitor outlives the call.
            unsafe { sys::vicinal_store_for_each_index_name(self.pointer(), visit, context) }
        })?;
        Ok(names)
    }

    /// The exact bits stored under `labels` in the index called `name`, open or not, without loading
    /// it.
    ///
    /// Shape: the answer's `vectors` are `labels.len()` rows of `dimension` components.
    ///
    /// Errors: `InvalidArgument` when `dimension` is not the index's (noticed when a label is live,
    /// or when no index can have it);
    /// `NotFound` for no such index; `Corruption` when a record that had to be read is damaged;
    /// `IoError`.
    ///
    /// Cost: one walk over node blocks and journal for all labels together, and a chunk (at most 64
    /// KiB, or a row) for each vector. Memory: twice the answer.
    pub fn stored_vectors(
        &self,
        name: &str,
        labels: &[Label],
        dimension: usize,
    ) -> Result<StoredVectors> {
        let name_to_c = to_c(name)?;
        let mut read = StoredVectors { vectors: Vec::new(), live: vec![false; labels.len()] };
        let components = labels
            .len()
            .checked_mul(dimension)
            .filter(|_| dimension <= MOST_DIMENSION)
            .filter(|&components| read.vectors.try_reserve_exact(components).is_ok())
            .ok_or_else(|| self.no_room(name, labels.len(), dimension))?;
        // SAFETY: all are of the lengths told; a call that succeeds writes every component.
        unsafe {
            check(sys::vicinal_store_stored_vectors(
                self.pointer(),
                name_to_c.as_ptr(),
                labels.as_ptr(),
                labels.len(),
                dimension,
                read.vectors.as_mut_ptr(),
                read.live.as_mut_ptr(),
            ))?;
            read.vectors.set_len(components);
        }
        Ok(read)
    }

    /// Why there can be no answer of `rows` rows. Only now is it worth asking what is stored: it
    /// costs more than the vectors of a few labels.
    fn no_room(&self, name: &str, rows: usize, dimension: usize) -> Error {
        match self.stored_stats(name) {
            Err(error) => error,
            Ok((_, options)) if options.dimension as usize != dimension => Error::new(
                Status::InvalidArgument,
                format!("dimension {dimension}, index has {}", options.dimension),
            ),
            Ok(_) => Error::new(
                Status::OutOfMemory,
                format!("no memory for {rows} rows of {dimension} components"),
            ),
        }
    }

    /// What the file says about the index called `name`, open or not, without loading it, and its
    /// stored options (the others as they are by default). Waits for whoever opens that index.
    ///
    /// Errors: `NotFound`; `Corruption` when a record that had to be read is damaged; `IoError`.
    ///
    /// Cost: reads the node blocks and the journal; of vectors and links only how long their records
    /// are. Holds a byte a node.
    pub fn stored_stats(&self, name: &str) -> Result<(StoredStats, IndexOptions)> {
        let name = to_c(name)?;
        let mut stats = initialized(sys::vicinal_stored_stats_init);
        let mut options = initialized(sys::vicinal_index_options_init);
        // SAFETY: the name is NUL-terminated, the structs initialised.
        check(unsafe {
            sys::vicinal_store_stored_stats(self.pointer(), name.as_ptr(), &mut stats, &mut options)
        })?;
        Ok((StoredStats::from_c(&stats), IndexOptions::from_c(&options)?))
    }

    /// Deletes the index and everything stored for it; handles to it answer `Closed` afterwards. It
    /// is gone, and the name free, by one commit; what it had stored follows in steps.
    ///
    /// Errors: `NotFound`, `Busy`, `IoError`, `ReadOnly`.
    pub fn drop_index(&self, name: &str) -> Result<()> {
        let name = to_c(name)?;
        // SAFETY: the name is NUL-terminated.
        check(unsafe { sys::vicinal_store_drop_index(self.pointer(), name.as_ptr()) })
    }

    /// Checkpoints every open index.
    pub fn checkpoint(&self) -> Result<()> {
        // SAFETY: the handle is good.
        check(unsafe { sys::vicinal_store_checkpoint(self.pointer()) })
    }

    /// Makes every acknowledged write survive a power cut, whatever the durability. After one that
    /// failed all fail, closing too where durability is not full: what could not be written may be lost.
    /// A backup to another disk has it.
    pub fn sync(&self) -> Result<()> {
        // SAFETY: the handle is good.
        check(unsafe { sys::vicinal_store_sync(self.pointer()) })
    }

    /// Writes a compact copy of the whole store to the folder `path` (absent or empty, or
    /// with what a backup left that was killed) while readers and writers go on. The copy is a store of
    /// its own. This is also the way to shrink. `Busy`: another backup into it is under way.
    pub fn backup(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path_to_c(path.as_ref())?;
        // SAFETY: the path is NUL-terminated.
        check(unsafe { sys::vicinal_store_backup(self.pointer(), path.as_ptr()) })
    }

    /// Verifies the checksum of every stored record of every index without loading graphs. Returns
    /// how many records fail, and a line for each, at most 100. One that fails is no failure of the
    /// call.
    pub fn verify_records(&self) -> Result<(u64, Vec<String>)> {
        let mut failed = 0;
        let mut lines = Vec::new();
        self.texts(keep_in(&mut lines), |visit, context| {
            // SAFETY: the visitor outlives the call.
            unsafe {
                sys::vicinal_store_verify_records(self.pointer(), visit, context, &mut failed)
            }
        })?;
        Ok((failed, lines))
    }

    /// Visits the journal of the index called `name`, oldest first, one JSON object an entry
    /// (`{"seq":..,"op":..,...}`), until `visit` breaks, which is no failure.
    ///
    /// Errors: `NotFound`, `Corruption`, `IoError`.
    pub fn for_each_journal_entry<F>(&self, name: &str, visit: F) -> Result<()>
    where
        F: FnMut(&str) -> ControlFlow<()> + Send,
    {
        let name = to_c(name)?;
        self.texts(visit, |visit, context| {
            // SAFETY: the visitor outlives the call.
            unsafe {
                sys::vicinal_store_for_each_journal_entry(
                    self.pointer(),
                    name.as_ptr(),
                    visit,
                    context,
                )
            }
        })
    }

    /// Calls `walk` with `visit` as C takes it.
    fn texts<F>(
        &self,
        visit: F,
        walk: impl FnOnce(sys::vicinal_text_visitor, *mut c_void) -> sys::vicinal_status,
    ) -> Result<()>
    where
        F: FnMut(&str) -> ControlFlow<()>,
    {
        let mut lent = LentVisitor::new(visit);
        let walked = check(walk(Some(on_text::<F>), lent.context()));
        lent.resume();
        walked
    }

    fn pointer(&self) -> *mut sys::vicinal_store {
        self.handle.pointer
    }
}

type Open = unsafe extern "C" fn(
    *mut sys::vicinal_store,
    *const std::os::raw::c_char,
    *const sys::vicinal_index_options,
    *mut *mut sys::vicinal_index,
) -> sys::vicinal_status;

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Store").field("path", &self.path()).finish_non_exhaustive()
    }
}

pub(crate) fn to_c(text: impl AsRef<[u8]>) -> Result<CString> {
    let bytes = text.as_ref();
    CString::new(bytes).map_err(|error| {
        Error::new(
            Status::InvalidArgument,
            format!(
                "a NUL byte at {} of \"{}\"",
                error.nul_position(),
                String::from_utf8_lossy(bytes).escape_default()
            ),
        )
    })
}

fn path_to_c(path: &Path) -> Result<CString> {
    to_c(path.as_os_str().as_bytes())
}

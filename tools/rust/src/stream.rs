//! An [`Index`] as bytes: saved to a [`Write`], loaded from a [`Read`]; writes paused for hosts that
//! fork.

use std::fmt;
use std::io::{self, Read, Write};
use std::os::raw::c_void;

use crate::callback::{LentProgress, Panic, ProgressClosure};
use crate::error::{check, Error, Result};
use crate::index::Index;
use crate::options::IndexOptions;
use crate::sys;

/// The most bytes that a reader is offered at once. They are set to zero before, because a reader
/// may look at what it is to fill; one that gives little at a time must not pay for much.
const MOST_READ: usize = 64 << 10;

impl Index {
    /// Writes the index as bytes to `to`, as it is at one moment: vectors, links and the options
    /// that are stored with an index; then flushes `to`. Whole pieces of at most 32 MiB come in one
    /// `write_all`, so a buffer around `to` gains little.
    ///
    /// Threads: any; writers go on. What they give up meanwhile is not used again before the call
    /// ends, and a repair pass that begins waits for it. Closing the index's store waits too.
    ///
    /// Errors: `IoError` of `to`, whose own error is the [`source`](std::error::Error::source);
    /// `Corruption`, `IoError` for vectors that are not in memory. What `to` got by then is no
    /// index.
    ///
    /// Cost: reads what it writes; 3 bits a node and a buffer of at most 4 MiB, or of one vector.
    pub fn save(&self, to: impl Write) -> Result<()> {
        save(to, |sink, context| {
            // SAFETY: the handle is good; `context` is what `sink` takes, until C returns.
            unsafe { sys::vicinal_index_save(self.pointer(), sink, context) }
        })
    }

    /// Makes an index in memory of what [`save`](Index::save) wrote, links included. Takes the bytes
    /// of the index from `from` and not one more, so that what follows them there is the caller's.
    /// `tuning` gives the fields that are not stored; a stored field in it may be as stored or as it
    /// is by default.
    ///
    /// Errors: `IoError` of `from`, whose own error is the [`source`](std::error::Error::source);
    /// `InvalidArgument` for `tuning`; `FormatVersion` when a later release wrote it; `Corruption`
    /// when it is no index, is damaged, ends early or holds what no index can: no more memory is
    /// taken than an index of the bytes that came needs.
    ///
    /// Cost: 2 to 3 times that of copying the bytes into fresh memory by one thread.
    pub fn load(from: impl Read, tuning: &IndexOptions) -> Result<Index> {
        loaded(from, tuning, None)
    }

    /// As [`load`](Index::load), telling how far it is; `Cancelled` when `progress` breaks.
    pub fn load_with_progress<'a>(
        from: impl Read,
        tuning: &IndexOptions,
        progress: &'a mut ProgressClosure<'a>,
    ) -> Result<Index> {
        loaded(from, tuning, Some(progress))
    }

    /// Waits until no write is at work on the index, some milliseconds at most beside a batch, a
    /// rebuild or repair, and has those that follow wait until the answer is dropped; searches go
    /// on. For hosts that `fork()` to save: fork while it lives, [`PausedWrites::save`] in the child.
    ///
    /// Threads: any, several at once. The thread that called it is refused (`Busy`) what would wait
    /// for itself: writes, repair, rebuild, checkpoint, reserve, closing the store. No other thread
    /// is: one that was given the answer waits for itself, for ever, when it writes to the index,
    /// repairs or rebuilds it before the answer is dropped. Who holds it must not wait for other
    /// threads that may be writing.
    ///
    /// Errors: `Busy` in a closure of any index.
    pub fn pause_writes(&self) -> Result<PausedWrites> {
        let mut pointer = std::ptr::null_mut();
        // SAFETY: the handle is good; the answer is freed by PausedWrites.
        check(unsafe { sys::vicinal_index_pause_writes(self.pointer(), &mut pointer) })?;
        Ok(PausedWrites { pointer, index: self.clone() })
    }
}

/// Writes to an index are paused while this lives. See [`Index::pause_writes`].
///
/// It may go to another thread, and be used and dropped there. That thread must not write to the
/// index, repair or rebuild it before: only the thread that paused is refused (`Busy`), any other
/// waits, and that one would wait for itself for ever.
#[must_use = "the writes go on as soon as it is dropped"]
pub struct PausedWrites {
    pointer: *mut sys::vicinal_paused_writes,
    /// Lives longer than the pause.
    index: Index,
}

// SAFETY: the library lets it go on another thread than it came on; one at a time, as `&mut` says.
unsafe impl Send for PausedWrites {}

impl PausedWrites {
    /// As [`Index::save`], but the index stands still. In a child that was forked while this lived
    /// it takes no lock and uses no memory that was not there before; `to` must be content with the
    /// same (a `File`, a pipe), and the child may end with `_exit()` afterwards. Only an error
    /// allocates.
    ///
    /// Errors: of `to`, as in [`Index::save`]; `InvalidArgument` when vectors are not in memory.
    pub fn save(&mut self, to: impl Write) -> Result<()> {
        save(to, |sink, context| {
            // SAFETY: the handle is good; `context` is what `sink` takes, until C returns.
            unsafe { sys::vicinal_paused_writes_save(self.pointer, sink, context) }
        })
    }
}

impl Drop for PausedWrites {
    fn drop(&mut self) {
        // SAFETY: made by the library, freed once.
        unsafe { sys::vicinal_paused_writes_free(self.pointer) }
    }
}

impl fmt::Debug for PausedWrites {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PausedWrites").field("index", &self.index).finish_non_exhaustive()
    }
}

/// A stream of the caller's on loan, and what went wrong in it.
struct LentStream<S> {
    stream: S,
    failed: Option<io::Error>,
    panic: Panic,
}

impl<S> LentStream<S> {
    fn new(stream: S) -> LentStream<S> {
        LentStream { stream, failed: None, panic: Panic::default() }
    }

    /// Does `work` with the stream of `context`; what is not VICINAL_OK ends C's call.
    ///
    /// # Safety
    /// `context` is a `LentStream<S>` whose owner waits for C.
    unsafe fn use_stream(
        context: *mut c_void,
        work: impl FnOnce(&mut S) -> io::Result<()>,
    ) -> sys::vicinal_status {
        let lent = &mut *context.cast::<LentStream<S>>();
        let (stream, failed) = (&mut lent.stream, &mut lent.failed);
        lent.panic.guard(sys::VICINAL_IO_ERROR, || match work(stream) {
            Ok(()) => sys::VICINAL_OK,
            Err(error) => {
                *failed = Some(error);
                sys::VICINAL_IO_ERROR
            }
        })
    }

    /// What the call is to say that C answered with `code`: the stream's own panic or error first.
    fn answer(&mut self, who: &str, code: sys::vicinal_status) -> Result<()> {
        self.panic.resume();
        match self.failed.take() {
            Some(error) => Err(Error::of_stream(who, error)),
            None => check(code),
        }
    }
}

fn save<W: Write>(
    to: W,
    call: impl FnOnce(sys::vicinal_sink, *mut c_void) -> sys::vicinal_status,
) -> Result<()> {
    unsafe extern "C" fn put<W: Write>(
        context: *mut c_void,
        bytes: *const c_void,
        count: usize,
    ) -> sys::vicinal_status {
        let bytes = std::slice::from_raw_parts(bytes.cast::<u8>(), count);
        LentStream::<W>::use_stream(context, |to| to.write_all(bytes))
    }
    let mut lent = LentStream::new(to);
    let code = call(Some(put::<W>), (&mut lent as *mut LentStream<W>).cast());
    lent.answer("the writer", code)?;
    lent.stream.flush().map_err(|error| Error::of_stream("the writer", error))
}

fn loaded<'a, R: Read>(
    from: R,
    tuning: &IndexOptions,
    progress: Option<&'a mut ProgressClosure<'a>>,
) -> Result<Index> {
    unsafe extern "C" fn take<R: Read>(
        context: *mut c_void,
        room: *mut c_void,
        capacity: usize,
        count: *mut usize,
    ) -> sys::vicinal_status {
        let most = capacity.min(MOST_READ);
        // SAFETY: C has room for `capacity` bytes, and nobody else has it meanwhile.
        room.cast::<u8>().write_bytes(0, most);
        let room = std::slice::from_raw_parts_mut(room.cast::<u8>(), most);
        LentStream::<R>::use_stream(context, |from| {
            let read = loop {
                match from.read(room) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    read => break read?,
                }
            };
            if read > most {
                // Bytes that were never written must not count as read.
                let words = format!("{read} bytes read where there was room for {most}");
                return Err(io::Error::new(io::ErrorKind::InvalidData, words));
            }
            *count = read;
            Ok(())
        })
    }
    let mut lent = LentStream::new(from);
    let mut progress = LentProgress::new(progress);
    let mut c = tuning.to_c();
    (c.progress, c.progress_context) = progress.lend();
    let mut pointer = std::ptr::null_mut();
    let context = (&mut lent as *mut LentStream<R>).cast();
    // SAFETY: all point to what they should; `lent` and `progress` outlive the call.
    let code = unsafe { sys::vicinal_index_load(Some(take::<R>), context, &c, &mut pointer) };
    // The handle first: a panic that goes on must not lose it.
    let made = (!pointer.is_null()).then(|| Index::from_handle(pointer, None));
    progress.resume();
    lent.answer("the reader", code)?;
    made.expect("a load that succeeded without an index")
}

//! An index as bytes: saved, loaded, refused; streams that fail or panic; writes paused, and a child
//! that saves.

use std::error::Error as _;
use std::fs::File;
use std::io::{self, Cursor, ErrorKind, Read, Write};
use std::ops::ControlFlow;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};

use vicinal::{
    BatchOptions, Error, Index, IndexOptions, PausedWrites, Progress, SearchOptions, Status, Store,
    StoreOptions,
};
use vicinal_tests::{filled, matrix, of_dimension, vector, Folder};

fn saved(index: &Index) -> Vec<u8> {
    let mut bytes = Vec::new();
    index.save(&mut bytes).unwrap();
    bytes
}

fn loaded(bytes: &[u8]) -> Index {
    Index::load(bytes, &IndexOptions::default()).unwrap()
}

/// That `index` holds the labels 0 to `count` - 1, and searches.
#[track_caller]
fn holds(index: &Index, count: u64, dimension: usize) {
    assert_eq!(index.len().unwrap(), count);
    for label in 0..count {
        assert_eq!(index.get(label).unwrap(), vector(label, 0, dimension));
        let hits = index.search(&vector(label, 0, dimension), 1, &Default::default()).unwrap();
        assert_eq!(hits[0].label, label);
    }
    assert_eq!(index.validate(Default::default()).unwrap().problems, 0);
}

/// That `result` failed because a stream did, with `kind` and all of `words`; the stream's error.
#[track_caller]
fn of_stream<T: std::fmt::Debug>(result: vicinal::Result<T>, kind: ErrorKind, words: &str) {
    let error: Error = result.unwrap_err();
    assert_eq!(error.status(), Status::IoError, "{error}");
    assert!(error.message().contains(words), "{error}");
    let source = error.source().expect("the stream's error is lost").downcast_ref::<io::Error>();
    assert_eq!(source.unwrap().kind(), kind);
    assert!(error.clone().source().is_some() && error == error.clone());
}

/// Gives at most `most` bytes a read, and is interrupted before each.
struct Slow<'a> {
    bytes: &'a [u8],
    most: usize,
    interrupted: bool,
}

impl Read for Slow<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(ErrorKind::Interrupted.into());
        }
        assert!(room.iter().all(|&byte| byte == 0), "a reader sees what is not its own");
        let most = self.most.min(room.len());
        self.bytes.read(&mut room[..most])
    }
}

/// Takes `left` bytes, then does `then`; nothing is to reach it afterwards.
struct Until<F> {
    left: usize,
    then: F,
    over: bool,
}

impl<F> Until<F> {
    fn new(left: usize, then: F) -> Until<F> {
        Until { left, then, over: false }
    }
}

impl<F: FnMut() -> io::Error> Until<F> {
    fn next(&mut self, count: usize) -> io::Result<usize> {
        assert!(!self.over, "called after the end");
        if self.left == 0 {
            self.over = true;
            return Err((self.then)());
        }
        let count = count.min(self.left);
        self.left -= count;
        Ok(count)
    }
}

impl<F: FnMut() -> io::Error> Write for Until<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.next(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        self.next(0).map(drop)
    }
}

/// Reads of `bytes` what `until` allows.
struct ReadUntil<'a, F>(&'a [u8], Until<F>);

impl<F: FnMut() -> io::Error> Read for ReadUntil<'_, F> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.1.next(room.len())?;
        self.0.read(&mut room[..count])
    }
}

#[test]
fn what_is_saved_is_loaded() {
    for count in [0, 1, 100, 900] {
        let index = filled(count, 8);
        let mut bytes = saved(&index);
        let end = bytes.len();
        bytes.extend(b"of the host");
        let mut slow = Slow { bytes: &bytes, most: 1_000, interrupted: false };
        let back = Index::load(&mut slow, &IndexOptions::default()).unwrap();
        assert_eq!(slow.bytes, b"of the host", "{count} vectors: {end} bytes");
        holds(&back, count, 8);
        // Links and all: saved again it is the same.
        assert!(saved(&back) == bytes[..end], "{count} vectors");
        back.upsert(5_000, &vector(5_000, 0, 8)).unwrap();
        assert_eq!(index.len().unwrap(), count);
    }
}

#[test]
fn tuning_is_not_stored() {
    let options = IndexOptions { M: 8, threads: 2, ..of_dimension(4) };
    let index = Index::in_memory(&options).unwrap();
    let bytes = saved(&index);
    let tuning = IndexOptions { threads: 3, ..Default::default() };
    let back = Index::load(&bytes[..], &tuning).unwrap().options().unwrap();
    assert_eq!((back.dimension, back.M, back.threads), (4, 8, 3));
    let error = Index::load(&bytes[..], &of_dimension(5)).unwrap_err();
    assert_eq!(error.status(), Status::InvalidArgument);
    assert!(error.message().contains('4') && error.message().contains('5'), "{error}");
    assert!(error.source().is_none());
}

#[test]
fn what_is_no_index_is_refused() {
    let bytes = saved(&filled(20, 4));
    for end in [0, 1, bytes.len() / 2, bytes.len() - 1] {
        let error = Index::load(&bytes[..end], &IndexOptions::default()).unwrap_err();
        assert_eq!(error.status(), Status::Corruption, "{end} bytes: {error}");
    }
    let mut damaged = bytes.clone();
    damaged[bytes.len() / 2] ^= 1;
    let error = Index::load(&damaged[..], &IndexOptions::default()).unwrap_err();
    assert_eq!(error.status(), Status::Corruption, "{error}");
    let error = Index::load(&b"no index at all, but some words"[..], &IndexOptions::default());
    assert_eq!(error.unwrap_err().status(), Status::Corruption);
}

#[test]
fn errors_of_a_stream_are_kept() {
    let index = filled(50, 8);
    let bytes = saved(&index);
    let refuse = || io::Error::new(ErrorKind::PermissionDenied, "not today");
    for left in [0, 100, bytes.len()] {
        let result = index.save(Until::new(left, refuse)); // the last: it is flush() that fails
        of_stream(result, ErrorKind::PermissionDenied, "writer failed: not today");
    }
    for left in [0, 100, bytes.len() - 1] {
        let from = ReadUntil(&bytes, Until::new(left, refuse));
        let result = Index::load(from, &IndexOptions::default());
        of_stream(result, ErrorKind::PermissionDenied, "reader failed: not today");
    }
    let mut small = [0; 64];
    of_stream(index.save(&mut small[..]), ErrorKind::WriteZero, "writer");

    /// Says that it read more than there was room for.
    struct Liar;
    impl Read for Liar {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            Ok(room.len() + 1)
        }
    }
    let result = Index::load(Liar, &IndexOptions::default());
    of_stream(result, ErrorKind::InvalidData, "bytes read where there was room for");
    holds(&index, 50, 8);
}

/// What `call` panics with.
#[track_caller]
fn panic_of<R>(call: impl FnOnce() -> R) -> String {
    let payload = catch_unwind(AssertUnwindSafe(call)).err().expect("no panic came through");
    payload.downcast_ref::<&str>().map_or_else(|| "other".to_owned(), |words| words.to_string())
}

#[test]
fn panics_of_a_stream_go_on_in_the_caller() {
    let index = filled(50, 8);
    let bytes = saved(&index);
    let panics = || -> io::Error { panic!("stream") };
    for left in [0, 100, bytes.len()] {
        assert_eq!(panic_of(|| index.save(Until::new(left, panics))), "stream");
        let mut paused = index.pause_writes().unwrap();
        assert_eq!(panic_of(|| paused.save(Until::new(left, panics))), "stream");
    }
    for left in [0, 100, bytes.len() - 1] {
        let from = ReadUntil(&bytes, Until::new(left, panics));
        assert_eq!(panic_of(|| Index::load(from, &IndexOptions::default())), "stream");
    }
    index.upsert(50, &vector(50, 0, 8)).unwrap();
    holds(&loaded(&saved(&index)), 51, 8);
}

#[test]
fn loading_tells_progress_and_cancels() {
    let bytes = saved(&filled(2_000, 8));
    let options = IndexOptions::default();
    let mut told = 0;
    let mut count = |_: &Progress<'_>| {
        told += 1;
        ControlFlow::Continue(())
    };
    let back = Index::load_with_progress(&bytes[..], &options, &mut count).unwrap();
    assert!(told > 0 && back.len().unwrap() == 2_000);
    let mut cancel = |_: &Progress<'_>| ControlFlow::Break(());
    let error = Index::load_with_progress(&bytes[..], &options, &mut cancel).unwrap_err();
    assert_eq!(error.status(), Status::Cancelled);
    let mut panics = |_: &Progress<'_>| -> ControlFlow<()> { panic!("loading") };
    let words = panic_of(|| Index::load_with_progress(&bytes[..], &options, &mut panics));
    assert_eq!(words, "loading");
}

#[test]
fn an_index_of_a_store_is_saved_beside_writers() {
    let folder = Folder::new();
    let store = Store::open(folder.path(), &StoreOptions::default()).unwrap();
    let tuning = IndexOptions { vectors_in_memory: false, ..of_dimension(8) };
    let index = store.index("text", &tuning).unwrap();
    let labels: Vec<u64> = (0..600).collect();
    index.upsert_batch(&labels, &matrix(&labels, 0, 8), BatchOptions::default()).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for label in (1_000..).take_while(|_| !done.load(Ordering::Relaxed)) {
                index.upsert(label, &vector(label, 0, 8)).unwrap();
            }
        });
        for _ in 0..3 {
            let back = loaded(&saved(&index));
            assert!(back.len().unwrap() >= 600);
            back.erase_batch(&(1_000..=index.len().unwrap() + 1_000).collect::<Vec<_>>()).unwrap();
            holds(&back, 600, 8);
        }
        done.store(true, Ordering::Relaxed);
    });
    let error = index.pause_writes().unwrap().save(io::sink()).unwrap_err();
    assert_eq!(error.status(), Status::InvalidArgument, "{error}");
    store.close().unwrap();
    assert_eq!(index.save(io::sink()).unwrap_err().status(), Status::Closed);
}

#[test]
fn paused_writes_wait() {
    fn sent<T: Send + 'static>() {}
    sent::<PausedWrites>();

    let index = filled(100, 8);
    let paused = index.pause_writes().unwrap();
    let error = index.upsert(100, &vector(100, 0, 8)).unwrap_err();
    assert_eq!(error.status(), Status::Busy, "{error}");
    let hits = index.search(&vector(7, 0, 8), 1, &SearchOptions::default()).unwrap();
    assert_eq!(hits[0].label, 7);
    let go_on = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let (tell, begun) = std::sync::mpsc::channel();
        let (index, go_on) = (&index, &go_on);
        threads.spawn(move || {
            tell.send(()).unwrap();
            index.upsert(100, &vector(100, 0, 8)).unwrap();
            assert!(go_on.load(Ordering::SeqCst), "a write did not wait");
        });
        begun.recv().unwrap();
        // The pause goes to another thread, which saves what stands still.
        threads.spawn(move || {
            let mut paused = paused;
            let mut bytes = Cursor::new(Vec::new());
            paused.save(&mut bytes).unwrap();
            holds(&loaded(bytes.get_ref()), 100, 8);
            go_on.store(true, Ordering::SeqCst);
            drop(paused);
        });
    });
    holds(&index, 101, 8);
}

#[test]
fn a_pause_keeps_its_index_and_its_store() {
    let folder = Folder::new();
    let store = Store::open(folder.path(), &StoreOptions::default()).unwrap();
    let index = store.index("text", &of_dimension(4)).unwrap();
    index.upsert(0, &vector(0, 0, 4)).unwrap();
    let mut paused = index.pause_writes().unwrap();
    let mut refused = None;
    index
        .for_each(|_, _| {
            refused = Some(index.pause_writes().map(drop).unwrap_err().status());
            ControlFlow::Break(())
        })
        .unwrap();
    assert_eq!(refused, Some(Status::Busy));
    drop((store, index));
    let busy = Store::open(folder.path(), &StoreOptions::default()).unwrap_err();
    assert_eq!(busy.status(), Status::Busy);
    let mut bytes = Vec::new();
    paused.save(&mut bytes).unwrap();
    holds(&loaded(&bytes), 1, 4);
    drop(paused);
    Store::open(folder.path(), &StoreOptions::default()).unwrap();
}

extern "C" {
    fn fork() -> i32;
    fn waitpid(process: i32, status: *mut i32, options: i32) -> i32;
    fn _exit(code: i32) -> !;
}

#[test]
fn a_child_saves_while_writes_are_paused() {
    let folder = Folder::new();
    let index = filled(300, 8);
    let file = File::create(folder.join("saved")).unwrap();
    let mut paused = index.pause_writes().unwrap();
    // SAFETY: the child saves to a file, which takes no lock and no memory, and is gone.
    let child = unsafe { fork() };
    if child == 0 {
        let code = if paused.save(&file).is_ok() { 0 } else { 1 };
        unsafe { _exit(code) }
    }
    drop(paused);
    assert!(child > 0);
    index.erase(0).unwrap();
    let mut status = 0;
    // SAFETY: `child` is this process's.
    assert_eq!(unsafe { waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0);
    let back = Index::load(File::open(folder.join("saved")).unwrap(), &IndexOptions::default());
    holds(&back.unwrap(), 300, 8);
}

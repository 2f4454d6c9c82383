//! Closures that panic, cancel, and call back.

use std::ops::ControlFlow;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use vicinal::{
    BatchOptions, EventKind, Index, IndexOptions, Progress, RadiusOptions, RepairOptions,
    SearchOptions, Status, Store, StoreOptions, ValidateOptions,
};
use vicinal_tests::{filled, matrix, of_dimension, vector, Folder};

/// What `call` panics with.
#[track_caller]
fn panic_of<R>(call: impl FnOnce() -> R) -> String {
    let payload = catch_unwind(AssertUnwindSafe(call)).err().expect("no panic came through");
    payload.downcast_ref::<&str>().map_or_else(|| "other".to_owned(), |words| words.to_string())
}

#[test]
fn a_panic_of_a_filter_goes_on_in_the_caller() {
    let index = filled(300, 8);
    let query = vector(1, 0, 8);
    let calls = AtomicUsize::new(0);
    let filter = |_: u64| -> bool {
        calls.fetch_add(1, Ordering::Relaxed);
        panic!("filter")
    };
    let options = SearchOptions { filter: Some(&filter), ..Default::default() };
    assert_eq!(panic_of(|| index.search(&query, 3, &options)), "filter");
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert_eq!(panic_of(|| index.search(&query, 300, &options)), "filter");
    let queries = matrix(&[1, 2, 3, 4], 0, 8);
    assert_eq!(panic_of(|| index.search_batch(&queries, 3, 4, &options)), "filter");
    let near = RadiusOptions { filter: Some(&filter), ..Default::default() };
    assert_eq!(panic_of(|| index.search_radius(&query, 1.0, &near)), "filter");
    assert_eq!(index.search(&query, 3, &SearchOptions::default()).unwrap()[0].label, 1);
}

#[test]
fn a_panic_of_a_visitor_goes_on_in_the_caller() {
    let index = filled(20, 4);
    let mut visited = 0;
    let words = panic_of(|| {
        index.for_each(|_, _| {
            visited += 1;
            if visited == 2 {
                panic!("visitor")
            }
            ControlFlow::Continue(())
        })
    });
    assert_eq!((words.as_str(), visited), ("visitor", 2));
    assert_eq!(panic_of(|| index.for_each_node(|_| panic!("node"))), "node");
    assert_eq!(index.len().unwrap(), 20);
}

#[test]
fn a_panic_of_a_progress_closure_goes_on_in_the_caller() {
    let index = filled(2_000, 8);
    let labels: Vec<u64> = (0..6_000).collect();
    let rows = matrix(&labels, 1, 8);
    let panics = || |_: &Progress<'_>| -> ControlFlow<()> { panic!("progress") };
    let words = panic_of(|| {
        let mut panics = panics();
        let options = BatchOptions { progress: Some(&mut panics), ..Default::default() };
        index.upsert_batch(&labels, &rows, options)
    });
    assert_eq!(words, "progress");
    let words = panic_of(|| {
        index.rebuild(BatchOptions { progress: Some(&mut panics()), ..Default::default() })
    });
    assert_eq!(words, "progress");
    let words = panic_of(|| {
        index.validate(ValidateOptions { progress: Some(&mut panics()), ..Default::default() })
    });
    assert_eq!(words, "progress");
    assert_eq!(index.validate(ValidateOptions::default()).unwrap().problems, 0);
    index.upsert_batch(&labels, &rows, BatchOptions::default()).unwrap();
    assert_eq!(index.get(5_999).unwrap(), vector(5_999, 1, 8));
}

#[test]
fn progress_is_told_and_cancels() {
    let index = filled(2_000, 8);
    let mut phases = Vec::new();
    let mut progress = |progress: &Progress<'_>| {
        assert!(progress.total.map_or(true, |total| progress.done <= total), "{progress:?}");
        phases.push(progress.phase.to_owned());
        ControlFlow::Continue(())
    };
    index.rebuild(BatchOptions { progress: Some(&mut progress), ..Default::default() }).unwrap();
    assert!(!phases.is_empty() && phases.iter().all(|phase| !phase.is_empty()));

    let mut cancel = |_: &Progress<'_>| ControlFlow::Break(());
    let error = index
        .rebuild(BatchOptions { progress: Some(&mut cancel), ..Default::default() })
        .unwrap_err();
    assert_eq!(error.status(), Status::Cancelled);
    index.erase_batch(&(0..500).collect::<Vec<_>>()).unwrap();
    let mut cancel = |_: &Progress<'_>| ControlFlow::Break(());
    let options = RepairOptions { progress: Some(&mut cancel), ..Default::default() };
    assert_eq!(index.repair(options).unwrap_err().status(), Status::Cancelled);
    assert_eq!(index.len().unwrap(), 1_500);
}

#[test]
fn opening_tells_progress_and_cancels() {
    let folder = Folder::new();
    let labels: Vec<u64> = (0..3_000).collect();
    {
        let store = Store::open(folder.path(), &StoreOptions::default()).unwrap();
        let index = store.index("text", &of_dimension(8)).unwrap();
        index.upsert_batch(&labels, &matrix(&labels, 0, 8), BatchOptions::default()).unwrap();
    }
    let store = Store::open(folder.path(), &StoreOptions::default()).unwrap();
    let mut cancel = |_: &Progress<'_>| ControlFlow::Break(());
    let options = IndexOptions::default();
    let error = store.index_with_progress("text", &options, &mut cancel).unwrap_err();
    assert_eq!(error.status(), Status::Cancelled);
    let mut panics = |_: &Progress<'_>| -> ControlFlow<()> { panic!("opening") };
    assert_eq!(panic_of(|| store.index_with_progress("text", &options, &mut panics)), "opening");
    let mut told = 0;
    let mut count = |_: &Progress<'_>| {
        told += 1;
        ControlFlow::Continue(())
    };
    let index = store.index_with_progress("text", &options, &mut count).unwrap();
    assert!(told > 0 && index.len().unwrap() == 3_000);
}

#[test]
fn closures_call_back() {
    let folder = Folder::new();
    let store = Store::open(folder.path(), &StoreOptions::default()).unwrap();
    let index = store.index("text", &of_dimension(4)).unwrap();
    let labels: Vec<u64> = (0..100).collect();
    index.upsert_batch(&labels, &matrix(&labels, 0, 4), BatchOptions::default()).unwrap();
    // A filter may write.
    let filter = |label: u64| index.upsert(label + 1_000, &vector(label, 1, 4)).is_ok();
    let options = SearchOptions { filter: Some(&filter), ..Default::default() };
    assert_eq!(index.search(&vector(1, 0, 4), 2, &options).unwrap().len(), 2);
    // What would wait for the walk that it is called from is refused; what would not is done.
    let mut refused = None;
    index
        .for_each(|label, _| {
            refused = Some(store.close().unwrap_err().status());
            assert!(index.search(&vector(1, 0, 4), 2, &SearchOptions::default()).is_ok());
            index.erase(label).unwrap();
            ControlFlow::Break(())
        })
        .unwrap();
    assert_eq!(refused, Some(Status::Busy));
    assert!(index.len().unwrap() > 100);
}

/// A walk over nodes holds nothing up: the store is closed, and the walk goes on to its end.
#[test]
fn a_walk_over_nodes_may_close_the_store() {
    let folder = Folder::new();
    let store = Store::open(folder.path(), &StoreOptions::default()).unwrap();
    let index = store.index("text", &of_dimension(4)).unwrap();
    let labels: Vec<u64> = (0..10).collect();
    index.upsert_batch(&labels, &matrix(&labels, 0, 4), BatchOptions::default()).unwrap();
    let mut seen = Vec::new();
    index
        .for_each_node(|node| {
            store.close().unwrap();
            seen.push(node.label);
            ControlFlow::Continue(())
        })
        .unwrap();
    seen.sort_unstable();
    assert_eq!(seen, labels);
    assert_eq!(index.get(1).unwrap_err().status(), Status::Closed);
}

/// A filter cannot end its search: every label is refused, and the closure is left alone.
#[test]
fn after_a_panic_every_label_is_refused() {
    let index = filled(2_000, 8);
    let calls = AtomicUsize::new(0);
    let filter = |_: u64| -> bool {
        calls.fetch_add(1, Ordering::SeqCst);
        panic!("filter")
    };
    let options = SearchOptions { filter: Some(&filter), ..Default::default() };
    assert_eq!(panic_of(|| index.search(&vector(1, 0, 8), 3, &options)), "filter");
    assert_eq!(panic_of(|| index.search(&vector(1, 0, 8), usize::MAX, &options)), "filter");
    assert_eq!(panic_of(|| index.search_batch(&vector(1, 0, 8), 3, 1, &options)), "filter");
    assert_eq!(panic_of(|| index.more(&vector(1, 0, 8), &[1], 3, &options)), "filter");
    assert_eq!(calls.load(Ordering::SeqCst), 4);
}

/// Nobody sees what a closure owns: its own store is closed by hand only.
#[test]
fn an_event_closure_that_owns_its_store_keeps_it_open() {
    let folder = Folder::new();
    let slot: Arc<Mutex<Option<Store>>> = Arc::default();
    let owned = Arc::clone(&slot);
    let options = StoreOptions {
        on_event: Some(Arc::new(move |_| drop(owned.lock().unwrap().clone()))),
        ..Default::default()
    };
    let store = Store::open(folder.path(), &options).unwrap();
    *slot.lock().unwrap() = Some(store.clone());
    drop(options);
    let closure_lives = Arc::downgrade(&slot);
    let by_hand = store.clone();
    drop((store, slot));
    let busy = Store::open(folder.path(), &StoreOptions::default()).unwrap_err();
    assert_eq!(busy.status(), Status::Busy);
    by_hand.close().unwrap();
    assert!(closure_lives.upgrade().is_none(), "the closure outlives the close");
    Store::open(folder.path(), &StoreOptions::default()).unwrap();
}

#[test]
fn events_are_told_and_may_panic() {
    let folder = Folder::new();
    let (tell, told) = std::sync::mpsc::channel();
    let tell = Mutex::new(tell);
    let options = StoreOptions {
        map_bytes: 1 << 20,
        on_event: Some(Arc::new(move |event| {
            let _ = tell.lock().unwrap().send((event.kind, event.message.to_owned()));
            panic!("event")
        })),
        ..Default::default()
    };
    let store = Store::open(folder.path(), &options).unwrap();
    let index = store.index("text", &of_dimension(256)).unwrap();
    let labels: Vec<u64> = (0..3_000).collect();
    index.upsert_batch(&labels, &matrix(&labels, 0, 256), BatchOptions::default()).unwrap();
    // Told by a thread of the store, when it comes to it.
    let (_, message) = told.iter().find(|(kind, _)| *kind == Some(EventKind::FileGrown)).unwrap();
    assert!(message.contains("grown"), "{message}");
    assert_eq!(index.get(2_999).unwrap(), vector(2_999, 0, 256));
}

/// Sets it when it goes.
struct Canary(Arc<AtomicUsize>);
impl Drop for Canary {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// The last handles of a store, dropped in the filter of a search on another index: closing is put off, and
/// events may come until then.
#[test]
fn an_event_closure_lives_until_the_store_is_closed() {
    let folder = Folder::new();
    let gone = Arc::new(AtomicUsize::new(0));
    let canary = Canary(Arc::clone(&gone));
    let options = StoreOptions {
        map_bytes: 1 << 20,
        on_event: Some(Arc::new(move |_| assert_eq!(canary.0.load(Ordering::SeqCst), 0))),
        ..Default::default()
    };
    let store = Store::open(folder.path(), &options).unwrap();
    drop(options);
    let index = store.index("text", &of_dimension(64)).unwrap();
    let held = Mutex::new(Some((store, index)));
    let labels: Vec<u64> = (0..2_000).collect();
    let rows = matrix(&labels, 0, 64);
    let filter = |_: u64| -> bool {
        if let Some((store, index)) = held.lock().unwrap().take() {
            index.upsert_batch(&labels, &rows, BatchOptions::default()).unwrap();
            drop(index);
            drop(store);
            std::thread::sleep(std::time::Duration::from_millis(50));
            assert_eq!(gone.load(Ordering::SeqCst), 0);
        }
        true
    };
    let options = SearchOptions { filter: Some(&filter), ..Default::default() };
    filled(20, 4).search(&vector(1, 0, 4), 3, &options).unwrap();
    assert_eq!(gone.load(Ordering::SeqCst), 1);
    let again = Store::open(folder.path(), &StoreOptions::default()).unwrap();
    assert_eq!(again.stored_stats("text").unwrap().0.live, 2_000);
}

/// The last handles of a store and of its index, dropped by an event on the store's own thread, for
/// which closing waits.
#[test]
fn an_event_may_drop_the_store() {
    let folder = Folder::new();
    let slot: Arc<Mutex<Option<(Store, Index)>>> = Arc::default();
    let from_event = Arc::clone(&slot);
    let (go_on, may_go_on) = std::sync::mpsc::channel();
    let (dropped, was_dropped) = std::sync::mpsc::channel();
    let channels = Mutex::new((may_go_on, dropped));
    let opener = std::thread::current().id();
    let options = StoreOptions {
        map_bytes: 1 << 20,
        on_event: Some(Arc::new(move |_| {
            if std::thread::current().id() == opener {
                return;
            }
            let (may_go_on, dropped) = &*channels.lock().unwrap();
            if may_go_on.recv().is_ok() {
                drop(from_event.lock().unwrap().take());
                let _ = dropped.send(());
            }
        })),
        ..Default::default()
    };
    let store = Store::open(folder.path(), &options).unwrap();
    let index = store.index("text", &of_dimension(256)).unwrap();
    let labels: Vec<u64> = (0..3_000).collect();
    index.upsert_batch(&labels, &matrix(&labels, 0, 256), BatchOptions::default()).unwrap();
    *slot.lock().unwrap() = Some((store, index));
    go_on.send(()).unwrap();
    drop(go_on); // later events do not wait
    was_dropped.recv().unwrap();
    // It is closed in its own time.
    let again = loop {
        match Store::open(folder.path(), &StoreOptions::default()) {
            Err(error) if error.status() == Status::Busy => std::thread::yield_now(),
            other => break other.unwrap(),
        }
    };
    assert_eq!(again.stored_stats("text").unwrap().0.live, 3_000);
}

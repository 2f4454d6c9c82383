//! Stores and their handles: dropped in any order, shared between threads, opened again.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use vicinal::{
    BatchOptions, Durability, Index, IndexOptions, LabelSet, RadiusOptions, SearchOptions, Status,
    Store, StoreOptions,
};
use vicinal_tests::{filled, matrix, of_dimension, vector, Folder};

fn shared<T: Send + Sync + Clone + 'static>() {}

#[test]
fn handles_are_shared() {
    shared::<Store>();
    shared::<Index>();
    shared::<LabelSet>();
    shared::<vicinal::Error>();
}

#[test]
fn an_index_keeps_its_store_open() {
    let folder = Folder::new();
    let options = StoreOptions { durability: Durability::None, ..Default::default() };
    for order in 0..6 {
        let store = Store::open(folder.path(), &options).unwrap();
        let text = store.index("text", &of_dimension(4)).unwrap();
        let image = store.index("image", &of_dimension(6)).unwrap();
        text.upsert(order, &vector(order, 0, 4)).unwrap();
        image.upsert(order, &vector(order, 0, 6)).unwrap();
        let mut handles: Vec<Box<dyn std::any::Any>> =
            vec![Box::new(store), Box::new(text.clone()), Box::new(image)];
        handles.swap(0, order as usize % 3);
        handles.swap(1, 1 + order as usize / 3);
        drop(handles);
        assert_eq!(text.get(order).unwrap(), vector(order, 0, 4));
        let busy = Store::open(folder.path(), &options).unwrap_err();
        assert_eq!(busy.status(), Status::Busy);
        drop(text);
    }
    let store = Store::open(folder.path(), &options).unwrap();
    assert_eq!(store.index_names().unwrap(), ["image", "text"]);
    assert_eq!(store.stored_stats("image").unwrap().0.live, 6);
}

#[test]
fn hits_and_sets_outlive_what_they_came_from() {
    let index = filled(10, 4);
    let all = RadiusOptions { exact: true, ..Default::default() };
    let hits = index.search_radius(&vector(3, 0, 4), 2.0, &all).unwrap();
    drop(index);
    assert_eq!((hits.len(), hits.labels()[0]), (10, 3));
    let set = LabelSet::new(&[1, 2]).unwrap();
    let not = set.complement().unwrap();
    drop(set);
    assert!(!not.contains(2) && not.contains(3));
}

#[test]
fn what_a_store_is_asked() {
    let folder = Folder::new();
    let store = Store::open(folder.join("store"), &StoreOptions::default()).unwrap();
    assert_eq!(store.path(), folder.join("store"));
    // The store's own thread repairs nothing, which would stand in the journal too.
    let options = IndexOptions { repair_share: 0.0, ..of_dimension(4) };
    let text = store.index("text", &options).unwrap();
    text.upsert(1, &vector(1, 0, 4)).unwrap();
    text.upsert(2, &vector(2, 0, 4)).unwrap();
    text.erase(2).unwrap();
    let mut entries = Vec::new();
    store
        .for_each_journal_entry("text", |entry| {
            entries.push(entry.to_owned());
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(entries.len(), 3);
    assert!(entries[0].contains("\"op\""), "{}", entries[0]);
    store.checkpoint().unwrap();
    store.sync().unwrap();
    assert_eq!(store.verify_records().unwrap(), (0, vec![]));
    let read = store.stored_vectors("text", &[9, 1, 2], 4).unwrap();
    assert_eq!(read.live, [false, true, false]);
    assert_eq!(read.vectors[4..8], vector(1, 0, 4));
    assert_eq!(read.vectors[..4], [0.0; 4]);
    let (stats, options) = store.stored_stats("text").unwrap();
    assert_eq!((stats.live, stats.journal_entries, options.dimension), (1, 0, 4));
    assert!(stats.checkpoints >= 1 && stats.bytes_disk > 0);
    assert!(text.stats().unwrap().checkpoint_age_s.unwrap() >= 0.0);

    store.backup(folder.join("copy")).unwrap();
    store.index("image", &of_dimension(6)).unwrap();
    store.drop_index("text").unwrap();
    assert_eq!(text.get(1).unwrap_err().status(), Status::Closed);
    assert_eq!(store.index_names().unwrap(), ["image"]);
    assert!(!Store::convert(folder.join("copy")).unwrap());
    let copy = Store::open(folder.join("copy"), &StoreOptions::default()).unwrap();
    let text = copy.open_index("text", &IndexOptions { threads: 1, ..Default::default() }).unwrap();
    assert_eq!(text.get(1).unwrap(), vector(1, 0, 4));
    assert_eq!(text.options().unwrap().threads, 1);
}

/// What cannot fail while there is a handle; everything else is refused.
#[test]
fn what_a_closed_store_answers() {
    let folder = Folder::new();
    let store = Store::open(folder.join("store"), &StoreOptions::default()).unwrap();
    let index = store.index("text", &of_dimension(4)).unwrap();
    let vector = vector(1, 0, 4);
    index.upsert(1, &vector).unwrap();
    store.close().unwrap();
    store.close().unwrap();
    assert_eq!((index.len().unwrap(), index.is_empty().unwrap()), (0, true));
    assert!(!index.contains(1).unwrap());
    assert_eq!((index.dimension(), index.options().unwrap().dimension), (4, 4));
    assert_eq!(index.stats().unwrap().live, 1);
    drop(index.pause_writes().unwrap());
    assert_eq!(store.path(), folder.join("store"));
    let go_on = |_: u64, _: &[f32]| ControlFlow::Continue(());
    let none = SearchOptions::default();
    let refused = [
        index.upsert(1, &vector).map(drop),
        index.upsert_batch(&[], &[], BatchOptions::default()).map(drop),
        index.erase(1).map(drop),
        index.erase_batch(&[]).map(drop),
        index.get(1).map(drop),
        index.get_stored(1).map(drop),
        index.node(1).map(drop),
        index.search(&vector, 1, &none).map(drop),
        index.search(&vector, 0, &none).map(drop),
        index.search(&vector, usize::MAX, &none).map(drop),
        index.search_batch(&[], 1, 0, &none).map(drop),
        index.search_radius(&vector, 1.0, &RadiusOptions::default()).map(drop),
        index.more(&vector, &[], 1, &none).map(drop),
        index.expected_recall(3).map(drop),
        index.recall(&Default::default()).map(drop),
        index.validate(Default::default()).map(drop),
        index.for_each(go_on),
        index.for_each_node(|_| ControlFlow::Continue(())),
        index.reserve(10),
        index.sync(),
        index.checkpoint(None),
        index.rebuild(BatchOptions::default()),
        index.repair(Default::default()).map(drop),
        index.save(std::io::sink()),
        store.index("text", &of_dimension(4)).map(drop),
        store.open_index("text", &of_dimension(4)).map(drop),
        store.index_names().map(drop),
        store.stored_vectors("text", &[1], 4).map(drop),
        store.stored_stats("text").map(drop),
        store.drop_index("text"),
        store.checkpoint(),
        store.sync(),
        store.backup(folder.join("copy")),
        store.verify_records().map(drop),
        store.for_each_journal_entry("text", |_| ControlFlow::Continue(())),
    ];
    for (number, result) in refused.into_iter().enumerate() {
        assert_eq!(result.unwrap_err().status(), Status::Closed, "number {number}");
    }
}

/// Writers of labels of their own, writers of one label, searches, an eraser and a rebuild at once.
#[test]
fn threads() {
    const DIMENSION: usize = 16;
    let folder = Folder::new();
    let options = StoreOptions { durability: Durability::None, ..Default::default() };
    let store = Store::open(folder.path(), &options).unwrap();
    let index = store.index("text", &of_dimension(DIMENSION as u32)).unwrap();
    let labels: Vec<u64> = (0..200).collect();
    let rows = matrix(&labels, 0, DIMENSION);
    index.upsert_batch(&labels, &rows, BatchOptions::default()).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let searchers: Vec<_> = (0..2)
            .map(|seed| {
                let (index, done) = (index.clone(), &done);
                threads.spawn(move || {
                    let mut searches = 0u64;
                    while !done.load(Ordering::Relaxed) || searches == 0 {
                        let query = vector(searches + seed, 9, DIMENSION);
                        let hits = index.search(&query, 10, &SearchOptions::default()).unwrap();
                        assert_eq!(hits.len(), 10);
                        let label = searches % 200;
                        let seen = index.get(label).unwrap();
                        assert!(
                            seen == vector(label, 0, DIMENSION)
                                || seen == vector(label, 1, DIMENSION),
                            "label {label} is torn"
                        );
                        searches += 1;
                    }
                })
            })
            .collect();
        let writers: Vec<_> = (0..3u64)
            .map(|writer| {
                let index = index.clone();
                threads.spawn(move || {
                    for i in 0..200 {
                        index.upsert(i, &vector(i, i % 2, DIMENSION)).unwrap();
                        let own = 1_000 * (writer + 1) + i;
                        index.upsert(own, &vector(own, 0, DIMENSION)).unwrap();
                        if i % 4 == 0 {
                            index.erase(own).unwrap();
                        }
                    }
                })
            })
            .collect();
        index.rebuild(BatchOptions::default()).unwrap();
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        for searcher in searchers {
            searcher.join().unwrap();
        }
    });
    assert_eq!(index.len().unwrap(), 200 + 3 * 150);
    assert_eq!(index.validate(Default::default()).unwrap().problems, 0);
}

/// A store closed by one thread while others use its index: they are refused, nothing else.
#[test]
fn closed_beside_others() {
    let folder = Folder::new();
    let options = StoreOptions { durability: Durability::None, ..Default::default() };
    let store = Store::open(folder.path(), &options).unwrap();
    let index = store.index("text", &of_dimension(8)).unwrap();
    std::thread::scope(|threads| {
        for writer in 0..3u64 {
            let index = index.clone();
            threads.spawn(move || {
                for i in 0.. {
                    if let Err(error) = index.upsert(writer << 32 | i, &vector(i, 0, 8)) {
                        assert_eq!(error.status(), Status::Closed, "{error}");
                        break;
                    }
                }
            });
        }
        while index.len().unwrap() < 100 {
            std::thread::yield_now();
        }
        store.close().unwrap();
    });
    drop((store, index));
    let store = Store::open(folder.path(), &options).unwrap();
    assert!(store.stored_stats("text").unwrap().0.live >= 100);
}

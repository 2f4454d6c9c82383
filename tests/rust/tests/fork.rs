//! Handles in a child of `fork()`. In a process of its own: no other test's thread is inside a call
//! when it forks.

use vicinal::{LabelSet, SearchOptions, Status, Store, StoreOptions};
use vicinal_tests::{filled, of_dimension, vector, Folder};

extern "C" {
    fn fork() -> i32;
    fn waitpid(process: i32, status: *mut i32, options: i32) -> i32;
    fn alarm(seconds: u32) -> u32;
    fn _exit(code: i32) -> !;
}

#[test]
fn handles_in_a_child() {
    let folder = Folder::new();
    let store = Store::open(folder.path(), &StoreOptions::default()).unwrap();
    let index = store.index("text", &of_dimension(4)).unwrap();
    index.upsert(1, &vector(1, 0, 4)).unwrap();
    let memory = filled(10, 4);
    let set = LabelSet::new(&[1, 2]).unwrap();
    let none = SearchOptions::default();
    // SAFETY: the child looks at what is its own, and is gone.
    let child = unsafe { fork() };
    if child == 0 {
        // SAFETY: a child that waits for ever is killed.
        unsafe { alarm(60) };
        let closed = |result: vicinal::Result<()>| {
            result.err().map(|error| error.status()) == Some(Status::Closed)
        };
        let wrong = [
            closed(index.upsert(2, &vector(2, 0, 4)).map(drop)),
            closed(index.search(&vector(1, 0, 4), 1, &none).map(drop)),
            closed(index.get(1).map(drop)),
            closed(store.index_names().map(drop)),
            closed(store.close()),
            index.len() == Ok(0) && index.contains(1) == Ok(false),
            memory.upsert(20, &vector(20, 0, 4)).is_ok(),
            memory.search(&vector(20, 0, 4), 1, &none).map(|hits| hits[0].label) == Ok(20),
            set.contains(2) && !set.contains(3),
            {
                drop((index, store, memory, set));
                true
            },
        ]
        .iter()
        .position(|&right| !right);
        // SAFETY: ends the child.
        unsafe { _exit(wrong.map_or(0, |number| 1 + number as i32)) }
    }
    assert!(child > 0);
    let mut status = 0;
    // SAFETY: `child` is this process's.
    assert_eq!(unsafe { waitpid(child, &mut status, 0) }, child);
    assert_eq!((status & 0x7f, status >> 8), (0, 0), "a signal, or the number of what is wrong");
    // The parent's are what they were.
    assert_eq!(memory.len().unwrap(), 10);
    index.upsert(2, &vector(2, 0, 4)).unwrap();
    store.close().unwrap();
    let again = Store::open(folder.path(), &StoreOptions::default()).unwrap();
    assert_eq!(again.stored_stats("text").unwrap().0.live, 2);
}

//! Every kind of refusal: the status for the program, the numbers for people.

use vicinal::{
    BatchOptions, Error, Index, IndexOptions, Quantization, RadiusOptions, SearchOptions, Status,
    Store, StoreOptions,
};
use vicinal_tests::{filled, of_dimension, vector, Folder};

/// That `result` fails with `status` and its message has all of `words`.
#[track_caller]
fn refused<T: std::fmt::Debug>(result: vicinal::Result<T>, status: Status, words: &[&str]) {
    let error: Error = result.unwrap_err();
    assert_eq!(error.status(), status, "{error}");
    for word in words {
        assert!(error.message().contains(word), "\"{error}\" lacks \"{word}\"");
    }
}

#[test]
fn wrong_shapes() {
    let index = filled(3, 4);
    let none = SearchOptions::default();
    let invalid = Status::InvalidArgument;
    for length in [0, 3, 5] {
        let short = vec![1.0; length];
        let number = length.to_string();
        refused(index.upsert(1, &short), invalid, &[&number, "4"]);
        refused(index.search(&short, 2, &none), invalid, &[&number, "4"]);
        refused(
            index.search_radius(&short, 1.0, &RadiusOptions::default()),
            invalid,
            &[&number, "4"],
        );
        refused(index.get_into(1, &mut vec![0.0; length]), invalid, &[&number, "4"]);
    }
    refused(index.search_batch(&[1.0; 7], 2, 0, &none), invalid, &["7", "4"]);
    refused(
        index.upsert_batch(&[1, 2], &[1.0; 4], BatchOptions::default()),
        invalid,
        &["1 rows", "2 labels"],
    );
    refused(index.upsert_batch(&[1], &[1.0; 6], BatchOptions::default()), invalid, &["6", "4"]);
    // Rows that make whole rows together, but are none.
    let ragged = [(8, vec![1.0; 3]), (9, vec![1.0; 5])];
    refused(
        index.upsert_items(ragged, BatchOptions::default()),
        invalid,
        &["row 0", "label 8", "3", "4"],
    );
    refused(index.search_into(&[1.0; 4], &mut [0; 2], &mut [0.0; 3], &none), invalid, &["2", "3"]);
    assert_eq!(index.len().unwrap(), 3);
}

/// A k that nobody has memory for finds what there is, as in C.
#[test]
fn a_large_k_finds_all_that_is_live() {
    let index = filled(3, 4);
    let query = vector(1, 0, 4);
    let even = |label| label % 2 == 0;
    let some = SearchOptions { filter: Some(&even), ..Default::default() };
    let all = index.search(&query, 3, &SearchOptions::default()).unwrap();
    assert_eq!((all.len(), all[0].label), (3, 1));
    for k in [129, 1 << 16, (1 << 16) + 1, 1 << 32, 1 << 40, usize::MAX / 2, usize::MAX] {
        let none = SearchOptions::default();
        assert_eq!(index.search(&query, k, &none).unwrap(), all, "k = {k}");
        assert_eq!(index.search_counted(&query, k, &none).unwrap().0, all, "k = {k}");
        assert_eq!(index.more(&query, &[1], k, &none).unwrap(), all[1..], "k = {k}");
        assert_eq!(index.search(&query, k, &some).unwrap().len(), 2, "k = {k}");
        let batch = index.search_batch(&[query.clone(), query.clone()].concat(), k, 0, &none);
        let batch = batch.unwrap();
        assert_eq!(batch.row(1).collect::<Vec<_>>(), all, "k = {k}");
        assert!(batch.columns() <= k && batch.columns() >= 3, "k = {k}");
        assert_eq!(batch.matrices().0.len(), 2 * batch.columns(), "k = {k}");
        assert!(batch.matrices().0[3..batch.columns()].iter().all(|&label| label == u64::MAX));
        assert_eq!(index.search_batch(&[], k, 0, &none).unwrap().rows(), 0);
        refused(index.search(&[1.0; 3], k, &none), Status::InvalidArgument, &["3", "4"]);
    }
}

#[test]
fn wrong_values() {
    let index = filled(3, 4);
    let invalid = Status::InvalidArgument;
    refused(index.upsert(9, &[1.0, f32::NAN, 0.0, 0.0]), invalid, &[]);
    refused(index.upsert(9, &[0.0; 4]), invalid, &["cosine"]);
    refused(
        index.search(&[f32::INFINITY, 0.0, 0.0, 0.0], 1, &SearchOptions::default()),
        invalid,
        &[],
    );
    let beyond = SearchOptions { ef_search: 100_001, ..Default::default() };
    refused(index.search(&vector(1, 0, 4), 1, &beyond), invalid, &["100001"]);
    refused(
        index.search_radius(&vector(1, 0, 4), f32::NAN, &RadiusOptions::default()),
        invalid,
        &[],
    );
    refused(index.get(77), Status::NotFound, &["77"]);
    refused(Index::in_memory(&IndexOptions::default()), invalid, &["dimension"]);
    refused(Index::in_memory(&IndexOptions { M: 65, ..of_dimension(4) }), invalid, &["65"]);
}

#[test]
fn stores() {
    let folder = Folder::new();
    let absent = StoreOptions { create: false, ..Default::default() };
    refused(Store::open(folder.join("absent"), &absent), Status::NotFound, &["absent"]);
    refused(Store::open("with\0zero", &absent), Status::InvalidArgument, &["NUL byte at 4"]);
    std::fs::write(folder.join("file"), "words").unwrap();
    let any = StoreOptions::default();
    refused(Store::open(folder.join("file"), &any), Status::InvalidArgument, &["file"]);

    let path = folder.join("store");
    let store = Store::open(&path, &any).unwrap();
    refused(Store::open(&path, &any), Status::Busy, &["store"]);
    let index = store.index("text", &of_dimension(4)).unwrap();
    index.upsert(1, &vector(1, 0, 4)).unwrap();
    refused(store.index("text", &of_dimension(5)), Status::InvalidArgument, &["4", "5"]);
    refused(store.index("a name", &of_dimension(4)), Status::InvalidArgument, &["a name"]);
    refused(store.index("a\0b", &of_dimension(4)), Status::InvalidArgument, &["NUL"]);
    refused(store.index("new", &IndexOptions::default()), Status::InvalidArgument, &["dimension"]);
    refused(store.open_index("other", &IndexOptions::default()), Status::NotFound, &["other"]);
    let plain = IndexOptions { quantization: Quantization::None, ..of_dimension(4) };
    refused(store.index("text", &plain), Status::InvalidArgument, &["none", "int8"]);
    refused(store.drop_index("other"), Status::NotFound, &["other"]);
    refused(store.stored_stats("other"), Status::NotFound, &["other"]);
    refused(store.stored_vectors("text", &[1], 9), Status::InvalidArgument, &["9", "4"]);
    for dimension in [65_536, 65_537, 1 << 38, 1 << 50, 1 << 60, usize::MAX] {
        let both = format!("dimension {dimension}, index has 4");
        for labels in [&[1][..], &[1, 2]] {
            let read = store.stored_vectors("text", labels, dimension);
            refused(read, Status::InvalidArgument, &[&both]);
            let read = store.stored_vectors("other", labels, dimension);
            refused(read, Status::NotFound, &["other"]);
        }
    }

    let beside = StoreOptions { read_only: true, ..Default::default() };
    let reader = Store::open(&path, &beside);
    store.close().unwrap();
    store.close().unwrap();
    refused(index.upsert(2, &vector(2, 0, 4)), Status::Closed, &["text"]);
    refused(index.search(&vector(2, 0, 4), 1, &SearchOptions::default()), Status::Closed, &[]);
    refused(store.index_names(), Status::Closed, &[]);
    refused(store.stored_vectors("text", &[1], 1 << 60), Status::Closed, &[]);
    assert!(!index.contains(1).unwrap());
    drop(reader);
    let reader = Store::open(&path, &beside).unwrap();
    let read = reader.open_index("text", &IndexOptions::default()).unwrap();
    refused(read.upsert(2, &vector(2, 0, 4)), Status::ReadOnly, &[]);
    assert_eq!(read.get(1).unwrap(), vector(1, 0, 4));
}

#[test]
fn errors_are_values() {
    let error = filled(1, 2).get(5).unwrap_err();
    assert_eq!(error.to_string(), format!("not_found: {}", error.message()));
    assert_eq!(error.status().to_string(), "not_found");
    assert_eq!(error.status().code(), 2);
    let boxed: Box<dyn std::error::Error + Send + Sync> = error.clone().into();
    assert_eq!(boxed.downcast_ref::<Error>(), Some(&error));
    // A message is its thread's and its call's: a later failure does not change it.
    let words = error.message().to_owned();
    let _ = filled(1, 2).get(6);
    assert_eq!(error.message(), words);
}

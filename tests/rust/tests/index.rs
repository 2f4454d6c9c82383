//! Writing, reading and searching one index.

use std::ops::ControlFlow;

use vicinal::{
    BatchOptions, EraseOutcome, Index, IndexOptions, LabelSet, Metric, RadiusOptions,
    RecallOptions, RepairOptions, SearchOptions, SearchPath, Status, Storage, UpsertOutcome,
    ValidateOptions,
};
use vicinal_tests::{filled, matrix, of_dimension, vector};

#[test]
fn what_is_written_is_read_again() {
    let index = Index::in_memory(&of_dimension(5)).unwrap();
    assert!(index.is_empty().unwrap());
    assert_eq!(index.dimension(), 5);
    assert_eq!(index.upsert(u64::MAX, &vector(1, 0, 5)).unwrap(), UpsertOutcome::Inserted);
    assert_eq!(index.upsert(u64::MAX, &vector(1, 0, 5)).unwrap(), UpsertOutcome::Unchanged);
    assert_eq!(index.upsert(u64::MAX, &vector(2, 0, 5)).unwrap(), UpsertOutcome::Updated);
    assert_eq!(index.get(u64::MAX).unwrap(), vector(2, 0, 5));
    assert!(index.contains(u64::MAX).unwrap() && !index.contains(0).unwrap());
    assert_eq!(index.erase(u64::MAX).unwrap(), EraseOutcome::Erased);
    assert_eq!(index.erase(u64::MAX).unwrap(), EraseOutcome::Absent);
    assert_eq!(index.upsert(u64::MAX, &vector(2, 0, 5)).unwrap(), UpsertOutcome::Resurrected);
    assert_eq!(index.len().unwrap(), 1);
}

#[test]
fn vectors_are_stored_as_their_type_has_them() {
    let made = |storage| {
        let index = Index::in_memory(&IndexOptions { storage, ..of_dimension(3) }).unwrap();
        assert_eq!(index.options().unwrap().storage, storage);
        index.upsert(1, &[-254.0, 0.3, 2.0]).unwrap();
        assert_eq!(index.upsert(1, &index.get(1).unwrap()).unwrap(), UpsertOutcome::Unchanged);
        (index.get(1).unwrap(), index.get_stored(1).unwrap())
    };
    let (vector, stored) = made(Storage::Float32);
    assert_eq!(vector, [-254.0, 0.3, 2.0]);
    assert_eq!(stored[8..], 2.0f32.to_le_bytes());
    let (vector, stored) = made(Storage::Float16);
    assert_eq!((vector[0], vector[2]), (-254.0, 2.0));
    assert!((vector[1] - 0.3).abs() < 2e-4 && vector[1] != 0.3);
    assert_eq!((stored.len(), &stored[4..]), (6, &[0, 0x40][..]));
    let (vector, stored) = made(Storage::Int8);
    assert_eq!(vector, [-254.0, 0.0, 2.0]);
    assert_eq!(stored, [0x81, 0, 1, 0, 0, 0, 0, 0x40]);
    let small = |storage| {
        let index = Index::in_memory(&IndexOptions {
            storage,
            metric: Metric::SquaredL2,
            ..of_dimension(3)
        });
        index.unwrap().upsert(1, &[1.4e-36, 0.0, 0.0]).map_err(|error| error.status())
    };
    assert_eq!(small(Storage::Int8), Err(Status::InvalidArgument));
    assert!(small(Storage::Float16).is_ok());
    let none = Index::in_memory(&of_dimension(3)).unwrap().get_stored(9);
    assert_eq!(none.unwrap_err().status(), Status::NotFound);
}

#[test]
fn batches_tell_what_they_did() {
    let index = filled(10, 4);
    let rows = matrix(&[3, 20, 21, 20], 1, 4);
    let done = index.upsert_batch(&[3, 20, 21, 20], &rows, BatchOptions::default()).unwrap();
    assert_eq!((done.inserted, done.updated, done.repeated), (2, 1, 1));
    let items = [(20, vector(20, 1, 4)), (22, vector(22, 1, 4))];
    let done = index.upsert_items(items, BatchOptions::default()).unwrap();
    assert_eq!((done.inserted, done.unchanged), (1, 1));
    assert_eq!(index.get(22).unwrap(), vector(22, 1, 4));
    assert_eq!(index.erase_batch(&[20, 21, 99]).unwrap(), 2);
    assert_eq!(index.upsert_batch(&[], &[], BatchOptions::default()).unwrap(), Default::default());
    assert_eq!(index.erase_batch(&[]).unwrap(), 0);
    assert_eq!(index.len().unwrap(), 11);
}

#[test]
fn odd_sizes() {
    for (dimension, count) in [(1, 1), (1, 3), (3, 200), (17, 65), (129, 129), (65_536, 2)] {
        let options = IndexOptions { metric: Metric::SquaredL2, ..of_dimension(dimension) };
        let index = Index::in_memory(&options).unwrap();
        let labels: Vec<u64> = (0..count).map(|i| i * i).collect();
        let rows = matrix(&labels, 0, dimension as usize);
        index.upsert_batch(&labels, &rows, BatchOptions::default()).unwrap();
        let exact = SearchOptions { exact: true, ..Default::default() };
        for k in [0, 1, 127, 128, 129, 1_000] {
            let query = vector(0, 0, dimension as usize);
            let hits = index.search(&query, k, &exact).unwrap();
            assert_eq!(hits.len(), k.min(labels.len()), "{dimension} {count} {k}");
            if k > 0 {
                assert_eq!((hits[0].label, hits[0].distance), (0, 0.0));
            }
            assert!(hits.windows(2).all(|two| two[0].distance <= two[1].distance));
            let all = index.search_batch(&rows, k, 2, &exact).unwrap();
            assert_eq!(all.rows(), labels.len());
            for (row, &label) in labels.iter().enumerate() {
                assert_eq!(all.labels(row).len(), k.min(labels.len()));
                assert_eq!(all.labels(row).len(), all.distances(row).len());
                if k > 0 {
                    assert_eq!(all.row(row).next().unwrap().label, label);
                }
            }
        }
    }
}

#[test]
fn searches_agree_with_one_another() {
    let index = filled(500, 24);
    let query = vector(77, 0, 24);
    let options = SearchOptions::default();
    let hits = index.search(&query, 10, &options).unwrap();
    assert_eq!(hits[0].label, 77);
    let (counted, counters) = index.search_counted(&query, 10, &options).unwrap();
    assert_eq!(counted, hits);
    assert!(counters.distances > 0 && counters.path.is_some());
    let (mut labels, mut distances) = ([9; 10], [9.0; 10]);
    assert_eq!(index.search_into(&query, &mut labels, &mut distances, &options).unwrap(), 10);
    assert!(hits.iter().zip(labels).all(|(hit, label)| hit.label == label));
    assert!(hits.iter().zip(distances).all(|(hit, distance)| hit.distance == distance));
    let batch = index.search_batch(&query, 10, 0, &options).unwrap();
    assert_eq!(batch.row(0).collect::<Vec<_>>(), hits);
    assert_eq!(batch.counters(0).path, counters.path);
    assert_eq!(batch.matrices().0, labels);

    let all = RadiusOptions { exact: true, ..Default::default() };
    let near = index.search_radius(&query, hits[4].distance, &all).unwrap();
    assert_eq!(near.iter().collect::<Vec<_>>(), &hits[..5]);
    assert!(!near.cut() && !near.is_empty());
    let first = RadiusOptions { max_hits: 2, ..all };
    let near = index.search_radius(&query, hits[4].distance, &first).unwrap();
    assert_eq!((near.len(), near.cut()), (2, true));
    assert_eq!(near.counters().path, Some(SearchPath::ExactScan));
    assert!(index.search_radius(&query, -1.0, &all).unwrap().is_empty());

    let empty = Index::in_memory(&of_dimension(24)).unwrap();
    let (none, counters) = empty.search_counted(&query, 10, &options).unwrap();
    assert!(none.is_empty());
    assert_eq!(counters.path, Some(SearchPath::Empty));
    let none = empty.search_batch(&query, 2, 1, &options).unwrap();
    assert!(none.labels(0).is_empty());
    assert_eq!(none.matrices(), (&[u64::MAX; 2][..], &[f32::INFINITY; 2][..]));
    assert_eq!(empty.search_batch(&[], 2, 1, &options).unwrap().rows(), 0);
}

#[test]
fn recall_limits_and_more() {
    let index = filled(3000, 8);
    let query = vector(50_000, 0, 8);
    let exact = SearchOptions { exact: true, ..Default::default() };
    let nearest = index.search(&query, 20, &exact).unwrap();
    let all = SearchOptions { recall: 1.0, ..Default::default() };
    assert_eq!(index.search(&query, 20, &all).unwrap(), nearest);
    let most = SearchOptions { recall: 0.9, ..Default::default() };
    let (hits, counters) = index.search_counted(&query, 10, &most).unwrap();
    assert!(hits.len() == 10 && counters.ef_search >= 10 && !counters.stopped);
    assert!(counters.row_bytes > counters.distances);
    let known: Vec<_> = nearest[..10].iter().map(|hit| hit.label).collect();
    assert_eq!(index.more(&query, &known, 10, &exact).unwrap(), nearest[10..]);
    let few = SearchOptions { max_distances: 100, ..Default::default() };
    assert!(index.search_counted(&query, 10, &few).unwrap().1.stopped);
    let timeout = Some(std::time::Duration::MAX);
    let patient = SearchOptions { timeout, ..Default::default() };
    assert!(!index.search_counted(&query, 10, &patient).unwrap().1.stopped);
    let expected = index.expected_recall(10).unwrap();
    assert_eq!(expected.rows[0].0, 10);
    assert!(expected.rows.last().unwrap().1 > 0.95 && expected.own_vectors >= 64);
    let wrong = SearchOptions { recall: 1.5, ..Default::default() };
    assert_eq!(index.search(&query, 1, &wrong).unwrap_err().status(), Status::InvalidArgument);
}

#[test]
fn filters_and_sets() {
    let index = filled(300, 8);
    let query = vector(5, 0, 8);
    let even = |label| label % 2 == 0;
    let by_closure = SearchOptions { filter: Some(&even), ..Default::default() };
    let hits = index.search(&query, 20, &by_closure).unwrap();
    assert!(hits.len() == 20 && hits.iter().all(|hit| hit.label % 2 == 0));
    let low = LabelSet::new(&(0..50).rev().collect::<Vec<_>>()).unwrap();
    let by_both = SearchOptions { labels: Some(&low), ..by_closure };
    let hits = index.search(&query, 100, &by_both).unwrap();
    assert!(hits.len() == 25 && hits.iter().all(|hit| hit.label < 50 && hit.label % 2 == 0));
    let others = low.complement().unwrap();
    let by_set = SearchOptions { labels: Some(&others), ..Default::default() };
    let batch = index.search_batch(&matrix(&[1, 2, 3], 0, 8), 7, 2, &by_set).unwrap();
    assert!((0..3).all(|row| batch.labels(row).len() == 7));
    assert!((0..3).all(|row| batch.labels(row).iter().all(|&label| label >= 50)));
    let near = RadiusOptions { filter: Some(&even), labels: Some(&low), ..Default::default() };
    assert_eq!(index.search_radius(&query, 2.0, &near).unwrap().len(), 25);
    // A filter may write to the index that it filters.
    let writing = |label| index.erase(label).is_ok();
    let options = SearchOptions { filter: Some(&writing), ..Default::default() };
    assert_eq!(index.search(&query, 1, &options).unwrap()[0].label, 5);
    assert!(!index.contains(5).unwrap());
}

#[test]
fn label_sets_are_values() {
    let a = LabelSet::new(&[5, 1, 5, u64::MAX]).unwrap();
    let b = LabelSet::new(&[1, 2]).unwrap();
    assert_eq!(a.stored().unwrap(), [1, 5, u64::MAX]);
    assert_eq!(a.and(&b).unwrap().stored().unwrap(), [1]);
    assert_eq!(a.or(&b).unwrap().len(), 4);
    assert_eq!(a.minus(&b).unwrap(), LabelSet::new(&[5, u64::MAX]).unwrap());
    let not = a.complement().unwrap();
    assert!(not.inverted() && !not.contains(5) && not.contains(6) && a.contains(5));
    assert_eq!(not.len(), u64::MAX - 2);
    assert_eq!(a.or(&not).unwrap(), LabelSet::all().unwrap());
    assert!(LabelSet::new(&[]).unwrap().is_empty() && a.clone() == a && a != b);
    assert!(a.bytes() > 0);
}

/// Few vectors have no links, and are nodes all the same.
#[test]
fn nodes_of_a_flat_index() {
    let index = filled(10, 4);
    assert!(index.stats().unwrap().flat);
    let mut seen = Vec::new();
    index
        .for_each_node(|node| {
            assert!(node.live && node.links.iter().all(Vec::is_empty), "{node:?}");
            seen.push(node.label);
            ControlFlow::Continue(())
        })
        .unwrap();
    seen.sort_unstable();
    assert_eq!(seen, (0..10).collect::<Vec<_>>());
}

#[test]
fn walks() {
    let index = filled(900, 6); // enough for a graph
    let mut seen = Vec::new();
    index
        .for_each(|label, row| {
            assert_eq!(row, vector(label, 0, 6));
            seen.push(label);
            ControlFlow::Continue(())
        })
        .unwrap();
    seen.sort_unstable();
    assert_eq!(seen, (0..900).collect::<Vec<_>>());
    let mut visited = 0;
    index
        .for_each(|_, _| {
            visited += 1;
            if visited == 3 {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(visited, 3);

    let node = index.node(7).unwrap();
    assert!(node.label == 7 && node.live && node.links.len() == node.level as usize + 1);
    assert!(!node.links[0].is_empty() && node.links[0].len() == node.link_nodes[0].len());
    let mut nodes = Vec::new();
    index
        .for_each_node(|node| {
            nodes.push(node.label);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(nodes.len(), 900);
    assert_eq!(index.node(990).unwrap_err().status(), Status::NotFound);
}

#[test]
fn maintenance_and_numbers() {
    let index = filled(1_000, 12);
    index.erase_batch(&(0..100).collect::<Vec<_>>()).unwrap();
    let report = index.validate(ValidateOptions { deep: true, ..Default::default() }).unwrap();
    assert_eq!((report.problems, report.live, report.messages.len()), (0, 900, 0));
    assert_eq!(report.degree_histogram.iter().sum::<u64>(), 900 + report.tombstones);
    let repaired = index.repair(RepairOptions::default()).unwrap();
    assert!(repaired.finished && !repaired.waiting);
    assert_eq!(index.stats().unwrap().tombstones, 0);
    index.rebuild(BatchOptions::default()).unwrap();
    index.checkpoint(None).unwrap();
    index.sync().unwrap();
    index.reserve(1_000).unwrap();
    assert!(index.recall(&RecallOptions { samples: 50, ..Default::default() }).unwrap() > 0.9);
    let stats = index.stats().unwrap();
    assert_eq!((stats.live, stats.name.as_str()), (900, ""));
    assert_eq!(stats.nodes_by_level.iter().sum::<u64>(), 900);
    assert!(stats.bytes_vectors > 0 && stats.checkpoint_age_s.is_none());
    assert_eq!(vicinal::chosen_cpu_target().unwrap(), stats.target);
    let targets = vicinal::cpu_targets().unwrap();
    assert!(targets.iter().any(|target| target.chosen && target.name == stats.target));
    let options = index.options().unwrap();
    assert_eq!((options.dimension, options.M, options.ef_construction), (12, 16, 200));
    assert!(!vicinal::version().is_empty());
}

//! What the calls of a program cost in Rust: see bindings.cc, which says what is measured.
//!
//! `search` gives a new vector of hits; `smallest_into`, which Rust alone has, is search_smallest
//! into two slices that are there already.
//!
//! usage: rust ROWS DIMENSION

use std::time::Instant;

use vicinal::{BatchOptions, Index, IndexOptions, SearchOptions};

const MANY: usize = 1_000;
const SMALLEST_CALLS: usize = 100_000;
const BLOCK: usize = 20;
const PASSES: usize = 3;
const HITS: usize = 10;
const FIRST_QUERY: u64 = 1_000_000_000;

fn component(i: u64) -> f32 {
    let i = i.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let i = (i ^ (i >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let i = (i ^ (i >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let i = i ^ (i >> 31);
    (i >> 40) as f32 / (1 << 23) as f32 - 1.0
}

fn vectors(first: u64, count: usize, dimension: usize) -> Vec<f32> {
    let begin = first * dimension as u64;
    (begin..begin + (count * dimension) as u64).map(component).collect()
}

fn labels(first: u64, count: usize) -> Vec<u64> {
    (first..first + count as u64).collect()
}

/// Calls work(first, last) for `count` in blocks of `block` and prints what the fastest took for
/// each.
fn measure(operation: &str, count: usize, block: usize, mut work: impl FnMut(usize, usize)) {
    let mut least = f64::INFINITY;
    for first in (0..count).step_by(block) {
        let start = Instant::now();
        work(first, first + block);
        least = least.min(start.elapsed().as_nanos() as f64 / block as f64);
    }
    println!("{{\"binding\":\"rust\",\"operation\":\"{operation}\",\"ns\":{least:.1}}}");
}

fn filled(rows: usize, dimension: usize) -> vicinal::Result<Index> {
    let options = IndexOptions { dimension: dimension as u32, ..Default::default() };
    let index = Index::in_memory(&options)?;
    index.upsert_batch(&labels(0, rows), &vectors(0, rows, dimension), by_one_thread())?;
    Ok(index)
}

fn by_one_thread() -> BatchOptions<'static> {
    BatchOptions { threads: 1, ..Default::default() }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.len() != 2 {
        return Err("usage: rust ROWS DIMENSION".into());
    }
    let (rows, dimension): (usize, usize) = (arguments[0].parse()?, arguments[1].parse()?);
    let queries = vectors(FIRST_QUERY, MANY, dimension);
    let small = vectors(0, 1, 4);
    let smallest = filled(1, 4)?;
    let index = filled(rows, dimension)?;
    let search = SearchOptions::default();
    let mut next = rows as u64;
    for _ in 0..PASSES {
        measure("search_smallest", SMALLEST_CALLS, MANY, |first, last| {
            for _ in first..last {
                smallest.search(&small, HITS, &search).unwrap();
            }
        });
        let (mut to_labels, mut to_distances) = ([0; HITS], [0.0; HITS]);
        measure("smallest_into", SMALLEST_CALLS, MANY, |first, last| {
            for _ in first..last {
                smallest.search_into(&small, &mut to_labels, &mut to_distances, &search).unwrap();
            }
        });
        measure("search", MANY, BLOCK, |first, last| {
            for query in queries[first * dimension..last * dimension].chunks_exact(dimension) {
                index.search(query, HITS, &search).unwrap();
            }
        });
        measure("search_batch", MANY, MANY, |_, _| {
            index.search_batch(&queries, HITS, 1, &search).unwrap();
        });
        let single = vectors(next, MANY, dimension);
        measure("upsert", MANY, BLOCK, |first, last| {
            for i in first..last {
                let vector = &single[i * dimension..(i + 1) * dimension];
                index.upsert(next + i as u64, vector).unwrap();
            }
        });
        next += MANY as u64;
        let (numbers, batch) = (labels(next, MANY), vectors(next, MANY, dimension));
        measure("upsert_batch", MANY, MANY, |_, _| {
            index.upsert_batch(&numbers, &batch, by_one_thread()).unwrap();
        });
        next += MANY as u64;
    }
    Ok(())
}

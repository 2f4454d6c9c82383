//! What the Rust crate costs: one search, one upsert, batches of 1,000, in an index in memory.
//!
//! usage: rust ROWS.f32 DIMENSION [K]
//!
//! ROWS.f32 is float32 rows without gaps, little-endian, more than 2,000 of them. All but the last
//! 2,000 are the index; of those the first 1,000 are queries and then upserted one by one, the second
//! are upserted as a batch. One thread throughout, cosine, the library's defaults, k 10 unless told.
//!
//! Prints a JSON object a line: {"binding": "rust", "what": ..., "ns": ...}. `ns` is the time of one
//! call: the median of the single calls, the best of the batches of searches, that of the one batch
//! of upserts.

use std::time::Instant;

use vicinal::{BatchOptions, Index, IndexOptions, SearchOptions};

const BATCH: usize = 1_000;
const ROUNDS: usize = 5;

fn tell(what: &str, ns: u128) {
    println!("{{\"binding\": \"rust\", \"what\": \"{what}\", \"ns\": {ns}}}");
}

/// Nanoseconds of `call`.
fn timed<R>(call: impl FnOnce() -> R) -> u128 {
    let start = Instant::now();
    drop(call()); // freeing the answer belongs to it
    start.elapsed().as_nanos()
}

fn median(mut times: Vec<u128>) -> u128 {
    times.sort_unstable();
    times[times.len() / 2]
}

fn read(path: &str, dimension: usize) -> Result<Vec<f32>, Box<dyn std::error::Error>> {
    let bytes = std::fs::read(path)?;
    let rows = bytes.len() / 4 / dimension.max(1);
    if dimension == 0 || bytes.len() != rows * dimension * 4 || rows <= 2 * BATCH {
        return Err(format!(
            "{path}: {} bytes are not more than {} rows of dimension {dimension}",
            bytes.len(),
            2 * BATCH
        )
        .into());
    }
    Ok(bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !(2..=3).contains(&arguments.len()) {
        return Err("usage: rust ROWS.f32 DIMENSION [K]".into());
    }
    let dimension: usize = arguments[1].parse()?;
    let k: usize = arguments.get(2).map_or(Ok(10), |k| k.parse())?;
    let rows = read(&arguments[0], dimension)?;
    let count = rows.len() / dimension - 2 * BATCH;
    let (base, rest) = rows.split_at(count * dimension);
    let (queries, last) = rest.split_at(BATCH * dimension);
    let labels: Vec<u64> = (0..(count + 2 * BATCH) as u64).collect();

    let options = IndexOptions { dimension: dimension as u32, threads: 1, ..Default::default() };
    let index = Index::in_memory(&options)?;
    index.upsert_batch(&labels[..count], base, BatchOptions::default())?;

    let search = SearchOptions::default();
    let (mut to_labels, mut to_distances) = (vec![0; k], vec![0.0; k]);
    let (mut hits, mut into, mut batches) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for query in queries.chunks_exact(dimension) {
            hits.push(timed(|| index.search(query, k, &search).unwrap()));
        }
        for query in queries.chunks_exact(dimension) {
            into.push(timed(|| {
                index.search_into(query, &mut to_labels, &mut to_distances, &search).unwrap()
            }));
        }
        batches.push(timed(|| index.search_batch(queries, k, 1, &search).unwrap()));
    }
    tell("search", median(hits));
    tell("search_into", median(into));
    tell("search_batch_1000", batches.into_iter().min().unwrap());

    let upserts = queries
        .chunks_exact(dimension)
        .zip(&labels[count..])
        .map(|(vector, &label)| timed(|| index.upsert(label, vector).unwrap()))
        .collect();
    tell("upsert", median(upserts));
    let new = &labels[count + BATCH..];
    tell(
        "upsert_batch_1000",
        timed(|| index.upsert_batch(new, last, BatchOptions::default()).unwrap()),
    );
    Ok(())
}

//! Searching an [`Index`]: the nearest, many at once, and all within a radius.
//!
//! Hits come nearest first, ties by label, with exact distances (from the stored float32 vectors,
//! smaller is nearer).

use crate::callback::LentFilter;
use crate::error::{check, initialized, Error, Result, Status};
use crate::hits::{BatchHits, RadiusHits};
use crate::index::Index;
use crate::options::{RadiusOptions, SearchOptions};
use crate::rooms::room_for;
use crate::sys;
use crate::types::{Hit, Label, SearchPath};

/// What a search cost, so that a surprising latency can be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SearchCounters {
    /// Distances computed, codes and float32 together.
    pub distances: u64,
    /// Nodes expanded.
    pub nodes_visited: u64,
    /// None: a path of a later library.
    pub path: Option<SearchPath>,
    /// Of the sketches, codes and vectors that were compared.
    pub row_bytes: u64,
    /// Candidates kept; 0 where all were compared as asked.
    pub ef_search: u64,
    /// A time or a number of distances ended the search.
    pub stopped: bool,
}

/// What an index knows of recall by `ef_search`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ExpectedRecall {
    /// Rising `ef_search` from k on, each with the recall expected of it; none where all vectors are
    /// compared.
    pub rows: Vec<(usize, f64)>,
    /// Vectors of the index that were sought, each as if it were new.
    pub own_vectors: u64,
    /// Queries asked with a recall that were compared with all vectors.
    pub queries: u64,
}

impl SearchCounters {
    pub(crate) fn from_c(c: &sys::vicinal_search_counters) -> SearchCounters {
        SearchCounters {
            distances: c.distances,
            nodes_visited: c.nodes_visited,
            path: SearchPath::from_c(c.path),
            row_bytes: c.row_bytes,
            ef_search: c.ef_search,
            stopped: c.stopped != 0,
        }
    }
}

impl Index {
    /// The `k` nearest live vectors. Never fails for having fewer: without a filter min(k, live)
    /// are found whatever else is going on. k = 0 finds none.
    ///
    /// The graph is walked, or what may be returned is compared one by one, whichever is the cheaper
    /// by the numbers of this index.
    ///
    /// Shape: `query` has [`dimension`](Index::dimension) components.
    ///
    /// Errors: `InvalidArgument` for a query that [`upsert`](Index::upsert) would refuse or an
    /// option outside its range; `Corruption`, `IoError` when a vector that is not in memory is
    /// damaged or cannot be read.
    ///
    /// Cost: allocates nothing but the answer once warm while `k` is at most 128. `k` may be
    /// `usize::MAX`: memory is taken for what is live, not for `k`. Where so much is written beside
    /// a search for more than 65,536 that this was too little, it is made again, with its limits
    /// anew.
    pub fn search(&self, query: &[f32], k: usize, options: &SearchOptions<'_>) -> Result<Vec<Hit>> {
        self.search_hits(query, k, options, std::ptr::null_mut())
    }

    /// As [`search`](Index::search), with what it cost.
    pub fn search_counted(
        &self,
        query: &[f32],
        k: usize,
        options: &SearchOptions<'_>,
    ) -> Result<(Vec<Hit>, SearchCounters)> {
        let mut counters = initialized(sys::vicinal_search_counters_init);
        let hits = self.search_hits(query, k, options, &mut counters)?;
        Ok((hits, SearchCounters::from_c(&counters)))
    }

    /// As [`search`](Index::search) for the `labels.len()` nearest: writes their labels and
    /// distances to the beginning of `labels` and `distances`, and returns how many there are.
    /// Allocates nothing once warm for at most 128.
    ///
    /// Errors: also `InvalidArgument` when the two are not of one length.
    pub fn search_into(
        &self,
        query: &[f32],
        labels: &mut [Label],
        distances: &mut [f32],
        options: &SearchOptions<'_>,
    ) -> Result<usize> {
        if labels.len() != distances.len() {
            return Err(Error::new(
                Status::InvalidArgument,
                format!("room for {} labels and {} distances", labels.len(), distances.len()),
            ));
        }
        let (k, no_counters) = (labels.len(), std::ptr::null_mut());
        // SAFETY: both have room for k.
        unsafe {
            self.search_raw(
                query,
                k,
                options,
                labels.as_mut_ptr(),
                distances.as_mut_ptr(),
                no_counters,
            )
        }
    }

    fn search_hits(
        &self,
        query: &[f32],
        k: usize,
        options: &SearchOptions<'_>,
        counters: *mut sys::vicinal_search_counters,
    ) -> Result<Vec<Hit>> {
        // SAFETY: there is room for what is asked where it writes; the first `found` are written.
        unsafe {
            self.collect_hits(k, |asked, labels, distances| {
                self.search_raw(query, asked, options, labels, distances, counters)
            })
        }
    }

    /// # Safety
    /// `labels` and `distances` have room for `k`; `counters` is NULL or initialised.
    unsafe fn search_raw(
        &self,
        query: &[f32],
        k: usize,
        options: &SearchOptions<'_>,
        labels: *mut Label,
        distances: *mut f32,
        counters: *mut sys::vicinal_search_counters,
    ) -> Result<usize> {
        let filter = LentFilter::new(options.filter);
        let mut found = 0;
        let searched = check(sys::vicinal_index_search(
            self.pointer(),
            query.as_ptr(),
            query.len(),
            k,
            &search_options(options, &filter),
            labels,
            distances,
            &mut found,
            counters,
        ));
        filter.resume();
        searched.map(|()| found)
    }

    /// The next `n` hits behind those with the labels `known`, which earlier searches of the same
    /// query found: a search for known + n at a moment of its own, without those. Nothing is held
    /// between calls.
    ///
    /// Errors: as [`search`](Index::search).
    pub fn more(
        &self,
        query: &[f32],
        known: &[Label],
        n: usize,
        options: &SearchOptions<'_>,
    ) -> Result<Vec<Hit>> {
        let filter = LentFilter::new(options.filter);
        let mut found = 0;
        // SAFETY: there is room for what is asked where it writes; the first `found` are written.
        let hits = unsafe {
            self.collect_hits(n, |asked, labels, distances| {
                check(sys::vicinal_index_more(
                    self.pointer(),
                    query.as_ptr(),
                    query.len(),
                    known.as_ptr(),
                    known.len(),
                    asked,
                    &search_options(options, &filter),
                    labels,
                    distances,
                    &mut found,
                    std::ptr::null_mut(),
                ))
                .map(|()| found)
            })
        };
        filter.resume();
        hits
    }

    /// What is known of recall@k by `ef_search`, where [`SearchOptions::recall`] is said: measured on
    /// the index's own vectors, and learned from queries asked with a recall and without a filter.
    /// Where nothing is known of that k it is measured now, a second or so.
    ///
    /// Errors: `InvalidArgument` when `k` is 0.
    pub fn expected_recall(&self, k: usize) -> Result<ExpectedRecall> {
        const MOST: usize = 64;
        let (mut efs, mut recalls) = ([0_usize; MOST], [0_f64; MOST]);
        let (mut count, mut own_vectors, mut queries) = (0, 0, 0);
        // SAFETY: both have room for MOST.
        check(unsafe {
            sys::vicinal_index_expected_recall(
                self.pointer(),
                k,
                efs.as_mut_ptr(),
                recalls.as_mut_ptr(),
                MOST,
                &mut count,
                &mut own_vectors,
                &mut queries,
            )
        })?;
        let rows = efs.into_iter().zip(recalls).take(count).collect();
        Ok(ExpectedRecall { rows, own_vectors, queries })
    }

    /// One search per row of `queries`, spread over `threads` (0: the index's, at most 4,096). Each
    /// sees a moment of its own.
    ///
    /// Shape: `queries` has rows * [`dimension`](Index::dimension) components, row after row.
    ///
    /// Errors: as [`search`](Index::search), naming the first bad row; `InvalidArgument` when
    /// `queries` is not whole rows, or rows * min(k, live) is beyond what memory can have.
    ///
    /// Cost: 12 bytes for each of rows * k hits; beyond a k of 65,536, of rows * min(k, live) or a
    /// little more.
    pub fn search_batch(
        &self,
        queries: &[f32],
        k: usize,
        threads: u32,
        options: &SearchOptions<'_>,
    ) -> Result<BatchHits> {
        let rows = self.rows("queries", queries)?;
        let filter = LentFilter::new(options.filter);
        let c = search_options(options, &filter);
        let found = self.ask(k, |columns| {
            let mut made = BatchHits {
                columns,
                labels: room_for(rows, columns)?,
                distances: room_for(rows, columns)?,
                counts: vec![0; rows],
                counters: vec![initialized(sys::vicinal_search_counters_init); rows],
            };
            // SAFETY: all are of the lengths told; a search of all rows writes all of both.
            unsafe {
                check(sys::vicinal_index_search_batch(
                    self.pointer(),
                    queries.as_ptr(),
                    rows,
                    self.dimension(),
                    columns,
                    &c,
                    threads,
                    made.labels.as_mut_ptr(),
                    made.distances.as_mut_ptr(),
                    made.counts.as_mut_ptr(),
                    made.counters.as_mut_ptr(),
                ))?;
                made.labels.set_len(rows * columns);
                made.distances.set_len(rows * columns);
            }
            let full = made.counts.contains(&columns);
            Ok((made, full))
        });
        filter.resume();
        found
    }

    /// Live vectors within `radius` (distance <= radius): all that the walk finds, and with
    /// `exact` all that there are.
    ///
    /// Errors: as [`search`](Index::search); `InvalidArgument` for a radius that is not a number.
    pub fn search_radius(
        &self,
        query: &[f32],
        radius: f32,
        options: &RadiusOptions<'_>,
    ) -> Result<RadiusHits> {
        let filter = LentFilter::new(options.filter);
        let mut c = initialized(sys::vicinal_radius_options_init);
        c.max_hits = options.max_hits;
        c.ef_search = options.ef_search;
        (c.predicate, c.predicate_context) = filter.lend();
        c.labels = options.labels.map_or(std::ptr::null(), |labels| labels.pointer());
        c.exact = options.exact.into();
        let mut counters = initialized(sys::vicinal_search_counters_init);
        let mut pointer = std::ptr::null_mut();
        // SAFETY: the query is as long as told; filter and set outlive the call.
        let searched = check(unsafe {
            sys::vicinal_index_search_radius(
                self.pointer(),
                query.as_ptr(),
                query.len(),
                radius,
                &c,
                &mut pointer,
                &mut counters,
            )
        });
        let hits = RadiusHits { pointer, counters: SearchCounters::from_c(&counters) };
        filter.resume();
        searched.map(|()| hits)
    }
}

fn search_options(
    options: &SearchOptions<'_>,
    filter: &LentFilter<'_>,
) -> sys::vicinal_search_options {
    let mut c = initialized(sys::vicinal_search_options_init);
    c.ef_search = options.ef_search;
    (c.predicate, c.predicate_context) = filter.lend();
    c.labels = options.labels.map_or(std::ptr::null(), |labels| labels.pointer());
    c.exact = options.exact.into();
    c.recall = options.recall;
    c.max_distances = options.max_distances;
    // 0 is no limit.
    let microseconds = |timeout: std::time::Duration| timeout.as_micros().clamp(1, u64::MAX.into());
    c.timeout_us = options.timeout.map_or(0, |timeout| microseconds(timeout) as u64);
    c
}

pub(crate) fn hits<'a>(
    labels: &'a [Label],
    distances: &'a [f32],
) -> impl Iterator<Item = Hit> + 'a {
    labels.iter().zip(distances).map(|(&label, &distance)| Hit { label, distance })
}

//! What searches found: [`BatchHits`] and [`RadiusHits`].

use std::fmt;

use crate::search::{hits, SearchCounters};
use crate::sys;
use crate::types::{Hit, Label};

/// What [`Index::search_batch`](crate::Index::search_batch) found: two matrices of a row a query and
/// [`columns`](BatchHits::columns) columns.
#[derive(Clone)]
pub struct BatchHits {
    pub(crate) columns: usize,
    pub(crate) labels: Vec<Label>,
    pub(crate) distances: Vec<f32>,
    pub(crate) counts: Vec<usize>,
    pub(crate) counters: Vec<sys::vicinal_search_counters>,
}

impl BatchHits {
    /// Queries.
    pub fn rows(&self) -> usize {
        self.counts.len()
    }

    /// Columns of the matrices: k; for a k beyond 65,536 perhaps less, but room for all that was
    /// found.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Labels that `row` found, nearest first, at most k. Panics when there is no such row.
    pub fn labels(&self, row: usize) -> &[Label] {
        &self.labels[row * self.columns..][..self.counts[row]]
    }

    /// Their distances. Panics when there is no such row.
    pub fn distances(&self, row: usize) -> &[f32] {
        &self.distances[row * self.columns..][..self.counts[row]]
    }

    /// Both. Panics when there is no such row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = Hit> + '_ {
        hits(self.labels(row), self.distances(row))
    }

    /// What `row` cost. Panics when there is no such row.
    pub fn counters(&self, row: usize) -> SearchCounters {
        SearchCounters::from_c(&self.counters[row])
    }

    /// The whole matrices, rows * columns; what a row has not found is `u64::MAX` and infinity.
    pub fn matrices(&self) -> (&[Label], &[f32]) {
        (&self.labels, &self.distances)
    }
}

impl fmt::Debug for BatchHits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries((0..self.rows()).map(|row| self.labels(row))).finish()
    }
}

/// What [`Index::search_radius`](crate::Index::search_radius) found, nearest first.
pub struct RadiusHits {
    pub(crate) pointer: *mut sys::vicinal_hits,
    pub(crate) counters: SearchCounters,
}

// SAFETY: nothing changes in it before it is freed.
unsafe impl Send for RadiusHits {}
unsafe impl Sync for RadiusHits {}

impl RadiusHits {
    /// How many were found.
    pub fn len(&self) -> usize {
        // SAFETY: the handle is good.
        unsafe { sys::vicinal_hits_count(self.pointer) }
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Their labels.
    pub fn labels(&self) -> &[Label] {
        // SAFETY: as long as the handle lives.
        unsafe { slice(sys::vicinal_hits_labels(self.pointer), self.len()) }
    }

    /// Their distances.
    pub fn distances(&self) -> &[f32] {
        // SAFETY: as long as the handle lives.
        unsafe { slice(sys::vicinal_hits_distances(self.pointer), self.len()) }
    }

    /// Both.
    pub fn iter(&self) -> impl Iterator<Item = Hit> + '_ {
        hits(self.labels(), self.distances())
    }

    /// Whether more lie within the radius than
    /// [`RadiusOptions::max_hits`](crate::RadiusOptions::max_hits).
    pub fn cut(&self) -> bool {
        // SAFETY: the handle is good.
        unsafe { sys::vicinal_hits_cut(self.pointer) }
    }

    /// What the search cost.
    pub fn counters(&self) -> SearchCounters {
        self.counters
    }
}

impl Drop for RadiusHits {
    fn drop(&mut self) {
        // SAFETY: made by the library (or NULL), freed once.
        unsafe { sys::vicinal_hits_free(self.pointer) }
    }
}

impl fmt::Debug for RadiusHits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

unsafe fn slice<'a, T>(pointer: *const T, count: usize) -> &'a [T] {
    if count == 0 {
        return &[];
    }
    std::slice::from_raw_parts(pointer, count)
}

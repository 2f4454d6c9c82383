//! Room for what searches find, taken where C is to write it.
//!
//! A k that means "all" is larger than any index: room is taken for what can be found, not for k.

use std::mem::MaybeUninit;

use crate::error::{Error, Result, Status};
use crate::index::Index;
use crate::search::hits;
use crate::types::{Hit, Label};

/// Hits of up to this many are gathered on the stack.
const ON_STACK: usize = 128;

/// For so many hits room is taken unasked (768 KiB a row); only more are worth a look at the index.
const UNASKED: usize = 1 << 16;

/// How many hits to ask for where `k` are wanted: never less than min(k, what is live now).
fn worth_asking(k: usize, live: impl FnOnce() -> Result<u64>) -> Result<usize> {
    if k <= UNASKED {
        return Ok(k);
    }
    // An eighth more, so that who writes beside the search seldom has it made again.
    let live = live()?;
    let likely = usize::try_from(live.saturating_add(live / 8)).unwrap_or(usize::MAX);
    Ok(k.min(likely.max(UNASKED)))
}

impl Index {
    /// What `search` finds when asked for as many as there can be of `k` hits. It is given how many
    /// to ask for, and tells whether it found as many.
    pub(crate) fn ask<R>(
        &self,
        k: usize,
        mut search: impl FnMut(usize) -> Result<(R, bool)>,
    ) -> Result<R> {
        let mut asked = worth_asking(k, || self.len())?;
        loop {
            let (answer, full) = search(asked)?;
            if !full || asked == k {
                return Ok(answer);
            }
            // More became live between the look and the search, so there may be hits beyond those.
            // Twice as many each time: at most 2^32 vectors can be live, so this ends soon.
            asked = worth_asking(k, || self.len())?.max(asked.saturating_mul(2)).min(k);
        }
    }

    /// The hits that `call` finds when asked for a number, of which it answers how many there are.
    ///
    /// # Safety
    /// `call` writes at most as many labels and distances as it is asked for, and at least as many
    /// as it answers.
    pub(crate) unsafe fn collect_hits(
        &self,
        k: usize,
        mut call: impl FnMut(usize, *mut Label, *mut f32) -> Result<usize>,
    ) -> Result<Vec<Hit>> {
        if k <= ON_STACK {
            let mut labels = MaybeUninit::<[Label; ON_STACK]>::uninit();
            let mut distances = MaybeUninit::<[f32; ON_STACK]>::uninit();
            let (to_labels, to_distances) =
                (labels.as_mut_ptr().cast::<Label>(), distances.as_mut_ptr().cast::<f32>());
            let found = call(k, to_labels, to_distances)?;
            return Ok(hits(
                std::slice::from_raw_parts(to_labels, found),
                std::slice::from_raw_parts(to_distances, found),
            )
            .collect());
        }
        self.ask(k, |asked| {
            let mut labels = room_for::<Label>(1, asked)?;
            let mut distances = room_for::<f32>(1, asked)?;
            let found = call(asked, labels.as_mut_ptr(), distances.as_mut_ptr())?;
            labels.set_len(found);
            distances.set_len(found);
            Ok((hits(&labels, &distances).collect(), found == asked))
        })
    }
}

/// An empty vector with room for `rows` rows of `k` elements.
pub(crate) fn room_for<T>(rows: usize, k: usize) -> Result<Vec<T>> {
    let mut made = Vec::new();
    rows.checked_mul(k).filter(|&room| made.try_reserve_exact(room).is_ok()).ok_or_else(|| {
        Error::new(
            Status::InvalidArgument,
            format!("{rows} rows of k = {k} hits are beyond what memory can have"),
        )
    })?;
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::IndexOptions;

    /// What a search of an index that has `there` by then finds of `k`, and what it was asked for.
    fn asked(there: usize, k: usize) -> (usize, Vec<usize>) {
        let options = IndexOptions { dimension: 2, ..Default::default() };
        let index = Index::in_memory(&options).unwrap(); // nothing is live when it is looked at
        let mut asked = Vec::new();
        // SAFETY: writes as many as it says, and no more than there is room for.
        let hits = unsafe {
            index.collect_hits(k, |most, labels, distances| {
                asked.push(most);
                let found = there.min(most);
                for i in 0..found {
                    labels.add(i).write(i as Label);
                    distances.add(i).write(0.0);
                }
                Ok(found)
            })
        };
        (hits.unwrap().len(), asked)
    }

    #[test]
    fn room_is_taken_for_what_is_live() {
        assert_eq!(worth_asking(UNASKED, || panic!("asked for little")).unwrap(), UNASKED);
        assert_eq!(worth_asking(usize::MAX, || Ok(3)).unwrap(), UNASKED);
        assert_eq!(worth_asking(usize::MAX, || Ok(800_000)).unwrap(), 900_000);
        assert_eq!(worth_asking(850_000, || Ok(800_000)).unwrap(), 850_000);
        assert_eq!(worth_asking(usize::MAX, || Ok(u64::MAX)).unwrap(), usize::MAX);
    }

    #[test]
    fn what_came_meanwhile_is_asked_for_again() {
        assert_eq!(asked(1_000, 500), (500, vec![500]));
        assert_eq!(asked(1_000, UNASKED), (1_000, vec![UNASKED]));
        assert_eq!(asked(1_000, usize::MAX), (1_000, vec![UNASKED]));
        let twice = vec![UNASKED, 2 * UNASKED, 4 * UNASKED];
        assert_eq!(asked(3 * UNASKED, usize::MAX), (3 * UNASKED, twice));
        let all = vec![UNASKED, UNASKED + 1];
        assert_eq!(asked(3 * UNASKED, UNASKED + 1), (UNASKED + 1, all));
    }
}

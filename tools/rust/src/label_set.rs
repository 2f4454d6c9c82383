//! [`LabelSet`]: a set of labels, prepared once and used by any number of searches.

use std::fmt;
use std::sync::Arc;

use crate::error::{check, Result};
use crate::sys;
use crate::types::Label;

/// An immutable set: a finite set of labels, compressed, or all labels but those. Nothing in it
/// belongs to an index: labels need not be live. Clones share.
///
/// Memory: 8 KiB at most for 65,536 values that share their upper 48 bits, next to nothing for
/// unbroken ranges, 9 to 10 bytes a label when few share them.
#[derive(Clone)]
pub struct LabelSet {
    handle: Arc<Handle>,
}

struct Handle(*mut sys::vicinal_label_set);

// SAFETY: an immutable value, freed when nobody holds it any more.
unsafe impl Send for Handle {}
unsafe impl Sync for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: made by the library, freed once.
        unsafe { sys::vicinal_label_set_free(self.0) }
    }
}

impl LabelSet {
    /// The set of `labels`: in any order, repeats allowed; none is the empty set.
    ///
    /// Cost: O(n log n), O(n) when ascending already; 8 bytes a label meanwhile.
    pub fn new(labels: &[Label]) -> Result<LabelSet> {
        // SAFETY: labels are as many as told.
        made(|set| unsafe { sys::vicinal_label_set_create(labels.as_ptr(), labels.len(), set) })
    }

    /// The set of every label there can be.
    pub fn all() -> Result<LabelSet> {
        // SAFETY: writes a handle.
        made(|set| unsafe { sys::vicinal_label_set_all(set) })
    }

    /// The labels in both.
    ///
    /// Cost: O(a.stored + b.stored) at worst; where both are dense, 64 labels at a time.
    pub fn and(&self, other: &LabelSet) -> Result<LabelSet> {
        // SAFETY: both handles are good.
        made(|set| unsafe { sys::vicinal_label_set_and(self.pointer(), other.pointer(), set) })
    }

    /// The labels in at least one. Cost: as [`and`](LabelSet::and).
    pub fn or(&self, other: &LabelSet) -> Result<LabelSet> {
        // SAFETY: both handles are good.
        made(|set| unsafe { sys::vicinal_label_set_or(self.pointer(), other.pointer(), set) })
    }

    /// The labels in this set and not in `other`. Cost: as [`and`](LabelSet::and).
    pub fn minus(&self, other: &LabelSet) -> Result<LabelSet> {
        // SAFETY: both handles are good.
        made(|set| unsafe { sys::vicinal_label_set_minus(self.pointer(), other.pointer(), set) })
    }

    /// Every label that is not in this set; shares what it stores. Cost: O(1).
    pub fn complement(&self) -> Result<LabelSet> {
        // SAFETY: the handle is good.
        made(|set| unsafe { sys::vicinal_label_set_not(self.pointer(), set) })
    }

    /// Whether `label` is in the set. Takes no lock and allocates nothing.
    ///
    /// Cost: some tens of nanoseconds; at worst O(log n).
    pub fn contains(&self, label: Label) -> bool {
        let mut contained = false;
        // SAFETY: the handle is good.
        asked(unsafe { sys::vicinal_label_set_contains(self.pointer(), label, &mut contained) });
        contained
    }

    /// Labels in the set; 2^64 - 1 for all, which has one more. Cost: O(1).
    pub fn len(&self) -> u64 {
        let mut size = 0;
        // SAFETY: the handle is good.
        asked(unsafe { sys::vicinal_label_set_size(self.pointer(), &mut size) });
        size
    }

    /// Whether no label is in the set. Cost: O(1).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the set is every label but the stored ones.
    pub fn inverted(&self) -> bool {
        let mut inverted = false;
        // SAFETY: the handle is good.
        asked(unsafe { sys::vicinal_label_set_inverted(self.pointer(), &mut inverted) });
        inverted
    }

    /// The stored labels, ascending: those in the set or, when it is inverted, those that are not.
    ///
    /// Cost: O(stored), a few nanoseconds each; 8 bytes a label.
    pub fn stored(&self) -> Result<Vec<Label>> {
        let mut stored = 0;
        // SAFETY: the handle is good.
        asked(unsafe { sys::vicinal_label_set_stored(self.pointer(), &mut stored) });
        let mut labels = vec![0; usize::try_from(stored).expect("held in memory")];
        let mut count = 0;
        // SAFETY: there is room for as many as told.
        check(unsafe {
            sys::vicinal_label_set_copy_stored(
                self.pointer(),
                labels.as_mut_ptr(),
                labels.len(),
                &mut count,
            )
        })?;
        labels.truncate(count);
        Ok(labels)
    }

    /// Heap bytes held, about; sets that share hold the same bytes together.
    pub fn bytes(&self) -> u64 {
        let mut bytes = 0;
        // SAFETY: the handle is good.
        asked(unsafe { sys::vicinal_label_set_bytes(self.pointer(), &mut bytes) });
        bytes
    }

    pub(crate) fn pointer(&self) -> *const sys::vicinal_label_set {
        self.handle.0
    }
}

/// Whether both have the same labels, however they were made. Cost: O(stored) at worst.
impl PartialEq for LabelSet {
    fn eq(&self, other: &LabelSet) -> bool {
        let mut equal = false;
        // SAFETY: both handles are good.
        asked(unsafe { sys::vicinal_label_set_equal(self.pointer(), other.pointer(), &mut equal) });
        equal
    }
}

impl Eq for LabelSet {}

impl fmt::Debug for LabelSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LabelSet")
            .field("len", &self.len())
            .field("inverted", &self.inverted())
            .finish_non_exhaustive()
    }
}

fn made(
    make: impl FnOnce(*mut *mut sys::vicinal_label_set) -> sys::vicinal_status,
) -> Result<LabelSet> {
    let mut pointer = std::ptr::null_mut();
    check(make(&mut pointer))?;
    Ok(LabelSet { handle: Arc::new(Handle(pointer)) })
}

/// What a question about a good handle answers: it fails for want of memory only, which Rust's
/// collections do not survive either.
fn asked(code: sys::vicinal_status) {
    if let Err(error) = check(code) {
        panic!("label set: {error}");
    }
}

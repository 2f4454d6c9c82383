//! What the tests of the crate `vicinal` share: vectors that tell whose they are, folders, stores.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use vicinal::{BatchOptions, Index, IndexOptions, Label};

/// A vector that nobody else has: computable from label and generation, so that a torn one shows.
pub fn vector(label: Label, generation: u64, dimension: usize) -> Vec<f32> {
    let mut state =
        label.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ generation.wrapping_mul(0xd1b5_4a32);
    (0..dimension)
        .map(|_| {
            state =
                state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
            (state >> 40) as f32 / (1u32 << 23) as f32 - 1.0
        })
        .collect()
}

/// The rows of `labels`, one after another.
pub fn matrix(labels: &[Label], generation: u64, dimension: usize) -> Vec<f32> {
    labels.iter().flat_map(|&label| vector(label, generation, dimension)).collect()
}

pub fn of_dimension(dimension: u32) -> IndexOptions {
    IndexOptions { dimension, ..Default::default() }
}

/// An index in memory with the labels 0 to `count` - 1, each its vector of generation 0.
pub fn filled(count: u64, dimension: u32) -> Index {
    let index = Index::in_memory(&of_dimension(dimension)).unwrap();
    let labels: Vec<Label> = (0..count).collect();
    let rows = matrix(&labels, 0, dimension as usize);
    index.upsert_batch(&labels, &rows, BatchOptions::default()).unwrap();
    index
}

/// A new folder, removed with its content at the end.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name =
            format!("vicinal-rust-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Default for Folder {
    fn default() -> Folder {
        Folder::new()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

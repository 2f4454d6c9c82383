//! The service of the decision record: what it needs of a vector index is a trait of three methods;
//! a text index of 384 and an image index of 512 dimensions stand in one store, used from several
//! threads at once, and the service is restarted.

use std::path::Path;
use std::sync::Arc;

use vicinal::{
    BatchOptions, Hit, Index, IndexOptions, Result, SearchOptions, Status, Store, StoreOptions,
};
use vicinal_tests::{vector, Folder};

struct Item {
    id: u64,
    embedding: Vec<f32>,
}

trait VectorIndex: Send + Sync {
    /// Stores or replaces; what was acknowledged survives a restart, and the next search sees it.
    fn upsert_embeddings(&self, items: &[Item]) -> Result<()>;
    /// The `k` nearest, nearest first.
    fn search(&self, query: &[f32], k: usize) -> Result<Vec<Hit>>;
    /// How many there were.
    fn delete(&self, ids: &[u64]) -> Result<u64>;
}

impl VectorIndex for Index {
    fn upsert_embeddings(&self, items: &[Item]) -> Result<()> {
        let rows = items.iter().map(|item| (item.id, &item.embedding));
        self.upsert_items(rows, BatchOptions::default()).map(drop)
    }

    fn search(&self, query: &[f32], k: usize) -> Result<Vec<Hit>> {
        Index::search(self, query, k, &SearchOptions::default())
    }

    fn delete(&self, ids: &[u64]) -> Result<u64> {
        self.erase_batch(ids)
    }
}

struct Service {
    text: Arc<dyn VectorIndex>,
    image: Arc<dyn VectorIndex>,
}

const TEXT: u32 = 384;
const IMAGE: u32 = 512;

impl Service {
    fn start(path: &Path) -> Result<Service> {
        let store = Store::open(path, &StoreOptions::default())?;
        let open = |name, dimension| -> Result<Arc<dyn VectorIndex>> {
            let options = IndexOptions { dimension, ef_search: 200, ..Default::default() };
            Ok(Arc::new(store.index(name, &options)?))
        };
        Ok(Service { text: open("text", TEXT)?, image: open("image", IMAGE)? })
    }

    fn both(&self) -> [(&dyn VectorIndex, usize); 2] {
        [(&*self.text, TEXT as usize), (&*self.image, IMAGE as usize)]
    }
}

fn items(ids: impl Iterator<Item = u64>, generation: u64, dimension: usize) -> Vec<Item> {
    ids.map(|id| Item { id, embedding: vector(id, generation, dimension) }).collect()
}

/// That `index` finds exactly what it should of the ids below 600, each at itself.
fn check(index: &dyn VectorIndex, dimension: usize) {
    for id in 0..600 {
        let generation = u64::from(id % 5 == 0);
        let hits = index.search(&vector(id, generation, dimension), 3).unwrap();
        assert_eq!(hits.len(), 3);
        let found = hits[0].label == id && hits[0].distance < 1e-5;
        assert_eq!(found, id % 3 != 0, "id {id} of {dimension} dimensions: {hits:?}");
    }
}

#[test]
fn the_service() {
    let folder = Folder::new();
    let service = Service::start(folder.path()).unwrap();
    std::thread::scope(|threads| {
        for (index, dimension) in service.both() {
            // Three writers a kind: batches of 50, a part of them replaced, every third deleted.
            for writer in 0..3u64 {
                threads.spawn(move || {
                    for first in (200 * writer..200 * (writer + 1)).step_by(50) {
                        let ids = first..first + 50;
                        index.upsert_embeddings(&items(ids.clone(), 0, dimension)).unwrap();
                        let replaced = ids.clone().filter(|id| id % 5 == 0);
                        index.upsert_embeddings(&items(replaced, 1, dimension)).unwrap();
                        // Seen at once by him who wrote it.
                        let query = vector(first, 1, dimension);
                        assert_eq!(index.search(&query, 1).unwrap()[0].label, first);
                        let deleted: Vec<u64> = ids.filter(|id| id % 3 == 0).collect();
                        assert_eq!(index.delete(&deleted).unwrap(), deleted.len() as u64);
                    }
                });
            }
            threads.spawn(move || {
                for i in 0..200 {
                    let hits = index.search(&vector(i, 0, dimension), 10).unwrap();
                    let sorted = |two: &[Hit]| two[0].distance <= two[1].distance;
                    assert!(hits.len() <= 10 && hits.windows(2).all(sorted));
                }
            });
        }
    });
    for (index, dimension) in service.both() {
        check(index, dimension);
        assert_eq!(index.delete(&[0, 3, 600]).unwrap(), 0);
        let wrong = [Item { id: 700, embedding: vec![1.0; dimension - 1] }];
        let error = index.upsert_embeddings(&wrong).unwrap_err();
        assert_eq!(error.status(), Status::InvalidArgument);
        assert!(error.message().contains("700"), "{error}");
    }
    // The running service owns the store; once it is gone another finds what it left.
    assert_eq!(Service::start(folder.path()).err().unwrap().status(), Status::Busy);
    drop(service);
    let service = Service::start(folder.path()).unwrap();
    for (index, dimension) in service.both() {
        check(index, dimension);
    }
}

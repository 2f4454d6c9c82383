"""Vectors stored as float16 and int8: what is taken, and what comes back."""

import pickle
import unittest

import numpy as np

import vicinal
from testing import DIMENSION, Case, rows
from vicinal import Storage, UpsertOutcome


class Types(Case):
    def made(self, storage, **settings):
        index = vicinal.Index(dimension=DIMENSION, metric="l2", storage=storage, **settings)
        index.upsert_batch(range(200), rows(200))
        return index

    def test_float32(self):
        index = self.made("float32")
        self.assertIs(index.options.storage, Storage.FLOAT32)
        stored = index.get_stored(3)
        self.assertEqual(stored.dtype, np.float32)
        self.same(stored, rows(200)[3])
        self.assertIs(vicinal.Index(dimension=2).options.storage, Storage.FLOAT32)

    def test_float16(self):
        index = self.made(Storage.FLOAT16)
        self.assertEqual(str(index.options.storage), "float16")
        stored = index.get_stored(3)
        self.assertEqual((stored.dtype, stored.shape), (np.float16, (DIMENSION,)))
        self.same(stored, rows(200)[3].astype(np.float16))  # numpy rounds alike
        self.same(index.get(3), stored.astype(np.float32))
        self.assertIs(index.upsert(3, stored), UpsertOutcome.UNCHANGED)
        again = index.upsert_batch(range(200), rows(200).astype(np.float16))
        self.assertEqual(again.unchanged, 200)
        with self.refused(vicinal.InvalidArgument, "component 0 is 70000, beyond 65504"):
            index.upsert(4, np.full(DIMENSION, 70000))

    def test_int8(self):
        index = self.made("int8")
        codes, scale = index.get_stored(3)
        self.assertEqual((codes.dtype, codes.shape), (np.int8, (DIMENSION,)))
        self.assertEqual(np.abs(codes).max(), 127)
        vector = rows(200)[3]
        self.assertAlmostEqual(float(scale) * 127, float(np.abs(vector).max()), delta=1e-4)
        self.same(index.get(3), scale * codes.astype(np.float32))
        self.assertLess(np.abs(index.get(3) - vector).max(), scale * 0.51)
        self.assertIs(index.upsert(3, vector), UpsertOutcome.UNCHANGED)
        self.assertIs(index.upsert(3, scale * codes), UpsertOutcome.UNCHANGED)
        labels, _ = index.search(rows(200), k=1)
        self.same(labels[:, 0], np.arange(200))
        with self.refused(vicinal.NotFound, "label 999"):
            index.get_stored(999)

    def test_it_is_kept(self):
        for storage in ("float16", "int8"):
            index = self.made(storage)
            back = pickle.loads(pickle.dumps(index))
            self.assertEqual(str(back.options.storage), storage)
            self.same(back.get(7), index.get(7))
            with vicinal.Store(self.path(storage)) as store:
                kept = store.index("i", dimension=DIMENSION, storage=storage)
                kept.upsert(7, rows(200)[7])
                self.same(kept.get(7), index.get(7))
            with vicinal.Store(self.path(storage)) as store:
                self.assertEqual(str(store.stored_stats("i").options.storage), storage)
                with self.refused(vicinal.InvalidArgument, f"storage float32 asked.*has {storage}"):
                    store.index("i", dimension=DIMENSION, storage="float32")
                self.same(store.open_index("i").get(7), index.get(7))

    def test_refusals(self):
        with self.refused(vicinal.InvalidArgument, "'float64' is none of float32, float16, int8"):
            vicinal.Index(dimension=4, storage="float64")
        with self.refused(vicinal.InvalidArgument, "3 is none of float32, float16, int8"):
            vicinal.Index(dimension=4, storage=3)


if __name__ == "__main__":
    unittest.main()

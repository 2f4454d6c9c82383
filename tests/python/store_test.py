"""Stores: opened, filled, closed, opened again; events; errors by kind."""

import gc
import os
import shutil
import time
import unittest
import weakref
from pathlib import Path

import numpy as np

import vicinal
from testing import DIMENSION, Case, rows

GOLDEN = os.environ["VICINAL_GOLDEN"]


class Store(Case):
    def test_what_is_written_is_there_again(self):
        with vicinal.Store(Path(self.path())) as store:
            index = store.index("text", dimension=DIMENSION, metric="squared_l2", M=8)
            index.upsert_batch(range(100), rows(100))
            index.upsert(100, rows(1, seed=2)[0])
            index.erase(5)
            before = index.search(rows(5, seed=3), exact=True)
            self.assertEqual(store.index_names(), ["text"])
            self.assertEqual(Path(store.path), Path(self.path()))
        with self.assertRaises(vicinal.Closed):
            index.get(1)
        self.assertEqual(len(index), 0)
        store.close()
        with vicinal.Store(self.path(), read_only=True, durability="relaxed") as store:
            index = store.index("text")
            self.assertEqual((len(index), index.options.M), (100, 8))
            self.assertIs(index.options.metric, vicinal.Metric.SQUARED_L2)
            after = index.search(rows(5, seed=3), exact=True)
            self.same(after[0], before[0])
            self.same(after[1], before[1])
            self.same(index.get(100), rows(1, seed=2)[0])
            self.assertGreaterEqual(index.stats().open_seconds, 0)
            for write in (
                lambda: index.upsert(1, rows(1)[0]),
                lambda: index.upsert_batch([1], rows(1)),
                lambda: index.erase(1),
                lambda: store.drop_index("text"),
            ):
                with self.assertRaises(vicinal.ReadOnly):
                    write()

    def test_errors_by_kind(self):
        with self.refused(vicinal.NotFound, "store.vic"):
            vicinal.Store(self.path(), create=False)
        with self.refused(TypeError, "create must be a bool"):
            vicinal.Store(self.path(), create=0)
        with self.refused(vicinal.InvalidArgument, "none of full, relaxed, none"):
            vicinal.Store(self.path(), durability="often")
        with self.refused(vicinal.InvalidArgument, "map_bytes is -1"):
            vicinal.Store(self.path(), map_bytes=-1)
        with self.refused(vicinal.InvalidArgument, "has a NUL in it"):
            vicinal.Store(self.path("a\0b"))
        with self.assertRaises(TypeError):
            vicinal.Store(3)
        with vicinal.Store(self.path()) as store:
            with self.assertRaises(vicinal.Busy):
                vicinal.Store(self.path())
            with self.assertRaises(vicinal.NotFound):
                store.open_index("text")
            with self.refused(vicinal.InvalidArgument, "dimension"):
                store.index("text")
            store.index("text", dimension=4)
            with self.refused(vicinal.InvalidArgument, "4.*5|5.*4"):
                store.index("text", dimension=5)
            store.index("other", dimension=4, metric="squared_l2", M=8, quantization="none", seed=1)
            for open_index in (store.index, store.open_index):
                self.assertEqual(open_index("other", M=8, ef_search=0).options.seed, 1)
                for settings, words in (  # defaults, too, are meant when they are given
                    ({"metric": "cosine"}, "metric cosine asked, index 'other' has l2"),
                    ({"quantization": 1}, "quantization int8 asked, index 'other' has none"),
                    ({"M": 16}, "M 16 asked, index 'other' has 8"),
                    ({"seed": 42}, "seed 42 asked, index 'other' has 1"),
                    ({"M": 17}, "17.*8"),
                ):
                    with self.refused(vicinal.InvalidArgument, words):
                        open_index("other", **settings)
            for name in ("", "a/b", "a\0b", "ü"):
                with self.assertRaises(vicinal.InvalidArgument):
                    store.index(name, dimension=4)
            with self.refused(TypeError, "name must be a str, not bytes"):
                store.index(b"text")
            with self.assertRaises(vicinal.NotFound):
                store.drop_index("image")
            with self.assertRaises(vicinal.NotFound):
                store.stored_stats("image")
        with self.assertRaises(vicinal.Closed):
            store.index("text")
        with self.assertRaises(vicinal.Error):
            vicinal.Store(__file__)

    def test_a_path_that_is_no_utf8(self):
        path = os.path.join(os.fsencode(self.folder), b"\xff\xfe.vic")
        with vicinal.Store(path) as store:
            store.index("text", dimension=4)
            self.assertEqual(store.path, path)
        with vicinal.Store(os.fsdecode(path), create=False) as store:
            self.assertEqual(store.index_names(), ["text"])
            with self.assertRaises(vicinal.Busy):
                vicinal.Store(path)

    def test_many_indexes_and_drop(self):
        with vicinal.Store(self.path()) as store:
            for number in range(3):
                index = store.index(f"i{number}", dimension=4 + number)
                index.upsert(number, np.ones(4 + number))
            self.assertEqual(store.index_names(), ["i0", "i1", "i2"])
            same = store.open_index("i2")
            same.upsert(9, np.ones(6))
            self.assertIn(9, index)
            store.drop_index("i2")
            self.assertEqual(store.index_names(), ["i0", "i1"])
            for gone in (index, same):
                with self.assertRaises(vicinal.Closed):
                    gone.upsert(1, np.ones(6))

    def test_what_the_file_says(self):
        with vicinal.Store(self.path()) as store:
            index = store.index("text", dimension=DIMENSION, seed=7)
            index.upsert_batch(range(50), rows(50))
            index.checkpoint()
            index.upsert(50, rows(1, seed=2)[0])
            index.erase(3)
            stats = store.stored_stats("text")
            self.assertEqual((stats.name, stats.live, stats.journal_entries), ("text", 50, 2))
            self.assertEqual((stats.options.dimension, stats.options.seed), (DIMENSION, 7))
            vectors, live = store.stored_vectors("text", [1, 3, 50, 99])
            self.assertEqual(live.tolist(), [True, False, True, False])
            self.same(vectors, [rows(50)[1], [0] * DIMENSION, rows(1, seed=2)[0], [0] * DIMENSION])
            self.assertEqual(store.stored_vectors("text", [])[0].shape, (0, DIMENSION))
            entries = []
            store.for_each_journal_entry("text", entries.append)
            self.assertEqual(len(entries), 2)
            self.assertLess(entries[0]["seq"], entries[1]["seq"])
            first = []
            store.for_each_journal_entry("text", lambda entry: first.append(entry) or False)
            self.assertEqual(first, entries[:1])
            with self.refused(KeyError, "none"):
                store.for_each_journal_entry("text", lambda entry: entry["none"])
            self.assertEqual(store.verify_records(), (0, []))
            store.checkpoint()
            store.sync()
            index.sync()
            self.assertEqual(store.stored_stats("text").journal_entries, 0)
            self.assertGreaterEqual(index.stats().checkpoint_age_s, 0)

    def test_damage_is_told_and_refused(self):
        with vicinal.Store(self.path()) as store:
            index = store.index("text", dimension=64)
            index.upsert_batch(range(2000), rows(2000, dimension=64))
        (data,) = [file for file in Path(self.path()).iterdir() if file.stat().st_size > 300_000]
        whole = bytearray(data.read_bytes())
        place = whole.find(rows(2000, dimension=64)[1000].tobytes())
        self.assertGreater(place, 0)
        whole[place] ^= 0xFF
        data.write_bytes(whole)
        with vicinal.Store(self.path()) as store:
            failed, lines = store.verify_records()
            self.assertEqual(failed, len(lines))
            self.assertRegex(lines[0], "checksum")
            with self.assertRaises(vicinal.Corruption):
                store.index("text")
            index = store.index("text", salvage=True)
            self.assertGreater(index.stats().salvaged, 0)

    def test_backup_and_convert(self):
        with vicinal.Store(self.path()) as store:
            index = store.index("text", dimension=DIMENSION)
            index.upsert_batch(range(50), rows(50))
            store.backup(self.path("copy"))
            with self.assertRaises(vicinal.Error):
                store.backup(self.path("copy"))
        with vicinal.Store(self.path("copy"), create=False) as store:
            self.same(store.index("text").get(7), rows(50)[7])
        self.assertIs(vicinal.convert(self.path("copy")), False)
        with self.assertRaises(vicinal.NotFound):
            vicinal.convert(self.path("none"))
        old = self.path("old")
        shutil.copytree(GOLDEN, old)
        with self.assertRaises(vicinal.FormatVersion):
            vicinal.Store(old)
        self.assertIs(vicinal.convert(Path(old)), True)
        with vicinal.Store(old, read_only=True) as store:
            for name in store.index_names():
                self.assertEqual(store.index(name).validate(deep=True).problems, 0)

    def test_full_and_vectors_on_disk(self):
        events = []
        with vicinal.Store(
            self.path(), durability="none", map_bytes=1 << 20, max_map_bytes=8 << 20,
            checkpoint_bytes=1 << 20, on_event=events.append,
        ) as store:
            index = store.index("text", dimension=256, vectors_in_memory=False)
            with self.assertRaises(vicinal.Full):
                for first in range(0, 100_000, 500):
                    index.upsert_batch(
                        range(first, first + 500), rows(500, seed=first, dimension=256)
                    )
            self.assertGreaterEqual(len(index), 500)
            self.same(index.get(3), rows(500, seed=0, dimension=256)[3])
            self.assertTrue(index.erase(3))
            for _ in range(3000):  # the store's own thread tells
                if events:
                    break
                time.sleep(0.01)
        kinds = {event.kind for event in events}
        self.assertIn(vicinal.EventKind.FILE_GROWN, kinds)
        for event in events:
            self.assertIsInstance(event.severity, vicinal.Severity)
            self.assertTrue(event.message)
        grown = [event for event in events if event.kind == vicinal.EventKind.FILE_GROWN]
        self.assertTrue(all(event.limit == 8 << 20 for event in grown), grown)

    def test_progress_while_opening(self):
        with vicinal.Store(self.path()) as store:
            store.index("text", dimension=DIMENSION).upsert_batch(range(3000), rows(3000))
        told = []
        with vicinal.Store(self.path()) as store:
            with self.assertRaises(vicinal.Cancelled):
                store.index("text", progress=lambda progress: False)
            with self.refused(ZeroDivisionError, "division"):
                store.index("text", progress=lambda progress: 1 / 0)
            self.assertEqual(len(store.index("text", progress=told.append)), 3000)
        self.assertTrue(told)

    def test_handles_outlive_the_store_in_any_order(self):
        store = vicinal.Store(self.path(), on_event=lambda event: None)
        index = store.index("text", dimension=4)
        index.upsert(1, [1, 2, 3, 4])
        del store  # frees the handle, which closes
        gc.collect()
        with self.assertRaises(vicinal.Closed):
            index.upsert(2, [1, 2, 3, 4])
        self.assertNotIn(1, index)
        with self.assertRaises(vicinal.Closed):
            index.search(np.ones(4, np.float32))
        del index
        gc.collect()
        with vicinal.Store(self.path(), create=False) as store:
            self.assertIn(1, store.index("text"))

    def test_the_last_reference_goes_inside_a_callback(self):
        for way in ("for_each", "filter"):
            store = [vicinal.Store(self.path(way))]
            index = store[0].index("text", dimension=4)
            index.upsert(1, [1, 2, 3, 4])
            if way == "filter":
                index.search([1, 2, 3, 4], filter=lambda label: store.clear() or True)
            else:
                index.for_each(lambda label, vector: store.clear())
            self.assertEqual(store, [])
            del index
            with vicinal.Store(self.path(way), create=False) as again:
                self.assertIn(1, again.index("text"))

    def test_what_events_are_told_to_lives_until_the_store_is_closed(self):
        """The last reference goes in a filter, by hand and by the collector's doing: closing is put off."""

        class Told:
            def __call__(self, event):
                pass

        class Cycle:
            pass

        other = vicinal.Index(dimension=2)
        other.upsert_batch([1, 2, 3], [[1, 0], [1, 1], [0, 1]])
        for way in ("by hand", "collected"):
            told = Told()
            listener = weakref.ref(told)
            cycle = Cycle()
            cycle.self = cycle if way == "collected" else None
            cycle.store = vicinal.Store(self.path(way), map_bytes=1 << 20, on_event=told)
            cycle.index = cycle.store.index("text", dimension=64)
            held = [cycle]
            del told, cycle
            alive = []

            def accepts(label):
                if held:
                    held[0].index.upsert_batch(range(2000), rows(2000, dimension=64))
                    held.clear()
                    gc.collect()
                    time.sleep(0.05)  # what the store's thread tells
                    alive.append(listener() is not None)
                return True

            other.search([1, 0], 2, filter=accepts)
            self.assertEqual(alive, [True])
            self.assertIsNone(listener())
            with vicinal.Store(self.path(way), create=False) as again:
                self.assertEqual(len(again.index("text")), 2000)

    def test_closing_inside_a_callback_is_refused(self):
        with vicinal.Store(self.path()) as store:
            index = store.index("text", dimension=4)
            index.upsert(1, [1, 2, 3, 4])
            with self.assertRaises(vicinal.Busy):
                index.for_each(lambda label, vector: store.close())
            self.assertIn(1, index)


if __name__ == "__main__":
    unittest.main()

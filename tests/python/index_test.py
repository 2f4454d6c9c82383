"""An index in memory: what is written, read, erased, visited; progress."""

import copy
import pickle
import unittest

import numpy as np

import vicinal
from testing import DIMENSION, Case, filled, rows
from vicinal import UpsertOutcome


class Index(Case):
    def test_outcomes(self):
        index = vicinal.Index(dimension=DIMENSION)
        a, b = rows(2)
        self.assertIs(index.upsert(7, a), UpsertOutcome.INSERTED)
        self.assertIs(index.upsert(7, a), UpsertOutcome.UNCHANGED)
        self.assertIs(index.upsert(7, b), UpsertOutcome.UPDATED)
        self.assertIs(index.erase(7), True)
        self.assertIs(index.erase(7), False)
        self.assertIs(index.upsert(7, b.astype(np.float64)), UpsertOutcome.RESURRECTED)
        self.assertEqual(str(UpsertOutcome.RESURRECTED), "resurrected")
        self.assertEqual((len(index), index.dimension), (1, DIMENSION))
        self.assertTrue(vicinal.Index(dimension=1))  # empty, and an index all the same

    def test_batches(self):
        index = filled(100)
        index.erase_batch([1, 2])
        result = index.upsert_batch(
            [0, 1, 2, 3, 500, 500], np.vstack([rows(4)[:2], rows(4)[:1], rows(1, 9), rows(2, 8)])
        )
        self.assertEqual(
            result,
            vicinal.BatchResult(inserted=1, updated=2, resurrected=1, unchanged=1, repeated=1),
        )
        self.same(index.get(500), rows(2, 8)[1])
        self.assertEqual(index.upsert_batch([], np.empty((0, DIMENSION))).inserted, 0)
        self.assertEqual(index.erase_batch([]), 0)
        self.assertEqual(index.erase_batch([500, 501, 0]), 2)
        bad = rows(5)
        bad[3, 2] = np.nan
        with self.refused(vicinal.InvalidArgument, "3"):
            index.upsert_batch(range(900, 905), bad)
        self.assertNotIn(900, index)

    def test_get_and_not_found(self):
        index = filled(10)
        vector = index.get(3)
        self.assertEqual((vector.dtype, vector.shape), (np.float32, (DIMENSION,)))
        self.same(vector, rows(10)[3])
        vector[:] = 0  # the caller's own
        self.same(index.get(3), rows(10)[3])
        with self.refused(vicinal.NotFound, "77"):
            index.get(77)
        with self.assertRaises(LookupError):
            index.node(77)

    def test_options_and_stats(self):
        index = filled(300, M=8, ef_construction=50, ef_search=33, seed=5, threads=1,
                       repair_share=0, quantization="none", reserve=500)
        options = index.options
        self.assertEqual(
            (options.M, options.ef_construction, options.ef_search, options.seed, options.threads),
            (8, 50, 33, 5, 1),
        )
        self.assertEqual(options.repair_share, 0.0)
        self.assertIs(options.metric, vicinal.Metric.SQUARED_L2)
        self.assertIs(options.quantization, vicinal.Quantization.NONE)
        self.assertIs(options.vectors_in_memory, True)
        index.erase(3)
        index.reserve(1000)
        stats = index.stats()
        self.assertEqual((stats.live, stats.tombstones, stats.name), (299, 1, ""))
        self.assertEqual(sum(stats.nodes_by_level), 300)
        self.assertEqual(len(stats.nodes_by_level), stats.levels)
        self.assertEqual(stats.target, vicinal.chosen_cpu_target())
        self.assertIsNone(stats.checkpoint_age_s)
        self.assertGreater(stats.bytes_in_memory, stats.bytes_vectors)
        with self.assertRaises(AttributeError):
            stats.live = 3
        with self.refused(vicinal.InvalidArgument, "M"):
            vicinal.Index(dimension=4, M=3)
        with self.refused(vicinal.InvalidArgument, "dimension"):
            vicinal.Index()

    def test_for_each(self):
        index, seen = filled(50), {}
        index.erase(9)
        index.for_each(seen.__setitem__)
        self.assertEqual(sorted(seen), [label for label in range(50) if label != 9])
        for label, vector in seen.items():
            self.same(vector, rows(50)[label])
        visits = []

        def three(label, vector):
            visits.append(label)
            return len(visits) < 3

        index.for_each(three)
        self.assertEqual(len(visits), 3)
        with self.refused(ZeroDivisionError, "division"):
            index.for_each(lambda label, vector: 1 / 0)

    def test_nodes(self):
        index = filled(700)  # enough for a graph
        index.erase(4)
        node = index.node(3)
        self.assertEqual((node.label, node.live, len(node.links)), (3, True, node.level + 1))
        self.assertEqual((node.links[0].dtype, node.link_nodes[0].dtype), (np.uint64, np.uint32))
        nodes = []
        index.for_each_node(nodes.append)
        self.assertEqual(sorted(node.label for node in nodes), list(range(700)))
        self.assertEqual([node.label for node in nodes if not node.live], [4])
        label_of = {node.node: node.label for node in nodes}
        for node in nodes:
            for labels, ids in zip(node.links, node.link_nodes):
                self.assertEqual([label_of[id] for id in ids.tolist()], labels.tolist())
        visited = []
        index.for_each_node(lambda node: visited.append(node) or False)
        self.assertEqual(len(visited), 1)

    def test_closing(self):
        with filled(10) as index:
            self.assertEqual(len(index), 10)
        index.close()
        for call in (
            lambda: len(index),
            lambda: index.upsert(1, rows(1)[0]),
            lambda: index.search(rows(1)[0]),
            lambda: index.search(rows(2)),
            lambda: index.search(rows(1)[0], exact=True),
            index.stats,
            index.repair,
            index.checkpoint,
        ):
            with self.refused(vicinal.Closed, "the index was closed"):
                call()
        self.assertIn("closed", repr(index))

    def test_closing_waits_for_nobody_and_frees_nothing_in_use(self):
        index = filled(50)
        answers = []

        def closes(label):
            index.close()
            return True

        answers.append(index.search(rows(1)[0], 50, filter=closes)[0])
        self.assertEqual(len(answers[0]), 50)
        with self.assertRaises(vicinal.Closed):
            index.get(1)

    def test_label_sets_are_neither_copied_nor_pickled(self):
        what = vicinal.LabelSet([1])
        with self.refused(TypeError, "neither copied nor pickled"):
            copy.deepcopy(what)
        with self.assertRaises(TypeError):
            pickle.dumps(what)


class Maintenance(Case):
    def test_repair_rebuild_validate_recall(self):
        index = filled(500, repair_share=0)
        index.erase_batch(range(0, 100))
        report = index.validate()
        self.assertEqual((report.problems, report.live, report.tombstones), (0, 400, 100))
        self.assertEqual((len(report.degree_histogram), report.messages), (130, ()))
        part = index.repair(slice=50)
        self.assertFalse(part.finished)
        self.assertGreater(part.nodes_examined, 0)
        whole = index.repair()
        self.assertTrue(whole.finished)
        self.assertEqual(part.slots_freed + whole.slots_freed, 100)
        index.erase_batch(range(100, 150))
        index.rebuild(threads=2)
        self.assertEqual((index.stats().tombstones, len(index)), (0, 350))
        self.assertGreater(index.recall(samples=50, k=5), 0.9)
        self.assertEqual(vicinal.Index(dimension=3).recall(), 1.0)
        self.assertEqual(index.validate(deep=True).problems, 0)
        index.sync()
        index.checkpoint()
        with self.refused(vicinal.InvalidArgument, "threads is 4294967296"):
            index.rebuild(threads=2**32)
        with self.refused(TypeError, "deep must be a bool"):
            index.validate(deep=1)


class FakeBar:
    """The interface of tqdm's bar, as far as it is used."""

    def __init__(self):
        self.n, self.total, self.phases = 0, None, []

    def reset(self, total=None):
        self.n, self.total = 0, total

    def set_description(self, desc=None, refresh=True):
        self.phases.append((desc, self.total))

    def update(self, n=1):
        self.n += n
        assert self.total is None or 0 <= self.n <= self.total, (self.n, self.total)


class Progress(Case):
    COUNT = 4000

    def calls(self, index):
        numbers, matrix = np.arange(self.COUNT), rows(self.COUNT)
        return {
            "upsert_batch": lambda **how: index.upsert_batch(numbers, matrix, **how),
            "rebuild": index.rebuild,
            "validate": index.validate,
            "repair": index.repair,
        }

    def test_is_told_with_ints_and_a_phase(self):
        index = vicinal.Index(dimension=DIMENSION, repair_share=0)
        for name, call in self.calls(index).items():
            with self.subTest(name):
                if name == "repair":
                    index.erase_batch(range(0, 2000))
                told = []
                call(progress=told.append)
                self.assertTrue(told)
                for progress in told:
                    self.assertIsInstance(progress, vicinal.Progress)
                    self.assertTrue(progress.phase)
                    self.assertEqual((type(progress.done), type(progress.total)), (int, int))
                    self.assertGreater(progress.total, 0)

    def test_cancels_by_false_and_by_what_it_raises(self):
        def fails(progress):
            raise ZeroDivisionError("my own")

        index = vicinal.Index(dimension=DIMENSION, repair_share=0)
        for name, call in self.calls(index).items():
            with self.subTest(name):
                if name == "repair":
                    index.erase_batch(range(0, 2000))
                with self.assertRaises(vicinal.Cancelled):
                    call(progress=lambda progress: False)
                with self.refused(ZeroDivisionError, "my own"):
                    call(progress=fails)
                call(progress=lambda progress: None)
        self.assertEqual(len(index), self.COUNT - 2000)

    def test_drives_a_bar_of_tqdm(self):
        bars = [FakeBar]
        try:
            import io

            from tqdm import tqdm

            bars.append(lambda: tqdm(file=io.StringIO()))
        except ImportError:
            pass  # the stand-in has been shown
        for make in bars:
            index = vicinal.Index(dimension=DIMENSION)
            for call in list(self.calls(index).values())[:3]:
                bar = make()
                call(progress=bar)
                if isinstance(bar, FakeBar):
                    self.assertTrue(bar.phases)
                self.assertTrue(bar.total is None or bar.n <= bar.total)
        with self.refused(TypeError, "progress must be callable, or a bar"):
            filled(10).rebuild(progress=3)


if __name__ == "__main__":
    unittest.main()

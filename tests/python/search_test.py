"""Search of one and of many, filters, radius."""

import unittest

import numpy as np

import vicinal
from testing import DIMENSION, Case, filled, rows, truth


class Search(Case):
    def test_one_and_many_agree_with_numpy(self):
        index, matrix, queries = filled(), rows(300), rows(20, seed=2)
        labels, distances = index.search(queries, k=5, exact=True)
        self.assertEqual((labels.shape, labels.dtype), ((20, 5), np.uint64))
        self.assertEqual((distances.shape, distances.dtype), ((20, 5), np.float32))
        for query, found, far in zip(queries, labels, distances):
            self.same(found, truth(matrix, query, 5))
            np.testing.assert_allclose(far, ((matrix[found] - query) ** 2).sum(1), rtol=1e-5)
            for answer in (
                index.search(query, k=5, exact=True),
                index.search(query, 5),
                index.search(query.tolist(), 5, ef_search=300),
            ):
                self.same(answer[0], found)
                self.same(answer[1], far)
        self.same(index.search(queries, k=5, ef_search=300, threads=2)[0], labels)
        self.assertEqual(index.search(queries[0])[0].shape, (10,))

    def test_fewer_hits_than_k(self):
        index = filled(3)
        labels, distances = index.search(rows(1)[0], k=5)
        self.assertEqual((labels.shape, distances.shape), ((3,), (3,)))
        labels, distances = index.search(rows(2), k=5)
        self.assertEqual(labels[:, 3:].tolist(), [[vicinal.NO_LABEL] * 2] * 2)
        self.assertEqual(distances[:, 3:].tolist(), [[np.inf] * 2] * 2)
        self.assertTrue((labels[:, :3] < 3).all() and np.isfinite(distances[:, :3]).all())
        empty = vicinal.Index(dimension=DIMENSION)
        self.assertEqual(empty.search(rows(1)[0])[0].shape, (0,))
        self.assertEqual(empty.search(rows(2))[0].tolist(), [[vicinal.NO_LABEL] * 10] * 2)

    def test_k_of_any_kind(self):
        index = filled(20)
        query = rows(1)[0]
        for k in (0, 1, 20, 21, np.int64(7), np.uint8(3)):
            self.assertEqual(len(index.search(query, k)[0]), min(int(k), 20))
            self.assertEqual(index.search(rows(2), k)[0].shape, (2, k))
        self.assertEqual(index.search(np.empty((0, DIMENSION)), 3)[0].shape, (0, 3))
        for queries in (query, rows(2), query.tolist()):
            with self.refused(vicinal.InvalidArgument, "k is -1, not from 0"):
                index.search(queries, -1)
            with self.assertRaises(TypeError):
                index.search(queries, 2.0)
            with self.assertRaises((vicinal.InvalidArgument, MemoryError)):
                index.search(queries, 2**62)

    def test_options_out_of_range(self):
        index = filled(20)
        for queries in (rows(1)[0], rows(2)):
            with self.assertRaises(vicinal.InvalidArgument):
                index.search(queries, ef_search=100_001)
            with self.refused(vicinal.InvalidArgument, "ef_search is -1"):
                index.search(queries, ef_search=-1)
            with self.refused(TypeError, "exact must be a bool"):
                index.search(queries, exact=1)
            with self.refused(TypeError, "filter must be callable, not list"):
                index.search(queries, filter=[1])
        with self.assertRaises(vicinal.InvalidArgument):
            index.search(rows(2), threads=4097)

    def test_a_filter_by_callable_and_by_labels(self):
        index, matrix = filled(), rows(300)
        query = rows(1, seed=3)[0]
        odd = np.arange(1, 300, 2)
        few = [5, 17, 250]
        expected = odd[truth(matrix[odd], query, 8)]
        ways = {
            "callable": {"filter": lambda label: label % 2},
            "array": {"labels": odd},
            "LabelSet": {"labels": vicinal.LabelSet(odd)},
            "inverted": {"labels": ~vicinal.LabelSet(range(0, 300, 2))},
            "both": {"labels": range(1, 300), "filter": lambda label: label % 2},
        }
        for name, how in ways.items():
            with self.subTest(name):
                self.same(index.search(query, 8, ef_search=300, **how)[0], expected)
                self.same(index.search(query, 8, exact=True, **how)[0], expected)
                self.same(index.search([query, query], 8, exact=True, **how)[0], [expected] * 2)
                self.same(index.search_radius(query, 1e9, exact=True, max_hits=8, **how).labels,
                          expected)
        self.assertEqual(sorted(index.search(query, 8, labels=few)[0].tolist()), few)
        self.assertEqual(index.search(query, 8, labels=[])[0].size, 0)
        self.assertEqual(index.search(query, 8, filter=lambda label: False)[0].size, 0)

    def test_a_filter_gets_ints_and_may_call_the_index(self):
        index = filled(50)
        seen = []

        def accepts(label):
            self.assertIs(type(label), int)
            seen.append(label)
            index.upsert(1000 + label, rows(1, seed=label)[0])
            return label in index

        self.assertEqual(len(index.search(rows(1)[0], 5, filter=accepts)[0]), 5)
        self.assertTrue(seen)
        self.assertEqual(len(index), 50 + len(set(seen)))

    def test_what_a_filter_raises_comes_out(self):
        index = filled(50)
        calls = []

        def fails(label):
            calls.append(label)
            raise ZeroDivisionError("my own")

        for search in (
            lambda: index.search(rows(1)[0], 5, filter=fails),
            lambda: index.search(rows(1)[0], 5, filter=fails, exact=True),
            lambda: index.search_radius(rows(1)[0], 10, filter=fails),
        ):
            calls.clear()
            with self.refused(ZeroDivisionError, "my own"):
                search()
            self.assertEqual(len(calls), 1)  # not asked again after it failed
        with self.refused(ZeroDivisionError, "my own"):
            index.search(rows(3), 5, filter=fails)

        def interrupted(label):
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            index.search(rows(1)[0], 5, filter=interrupted)
        self.assertEqual(len(index.search(rows(1)[0], 5)[0]), 5)

    def test_recall_limits_and_more(self):
        index = filled(3000)
        query = rows(1)[0]
        counters = []
        labels, _ = index.search(query, recall=0.9, counters=counters)
        self.assertEqual(labels.shape, (10,))
        self.assertGreaterEqual(counters[0].ef_search, 10)
        self.assertGreater(counters[0].row_bytes, counters[0].distances)
        nearest, distances = index.search(query, 20, recall=1)
        self.same(nearest, index.search(query, 20, exact=True)[0])
        further, their = index.more(query, nearest[:10], 10, exact=True)
        self.same(further, nearest[10:])
        self.same(their, distances[10:])
        index.search(query, max_distances=100, counters=counters)
        index.search(query, timeout=3600, counters=counters)
        self.assertEqual([cost.stopped for cost in counters], [False, True, False])
        known = index.expected_recall(10)
        self.assertEqual(known.efs[0], 10)
        self.assertEqual(len(known.efs), len(known.recalls))
        self.assertGreater(known.recalls[-1], 0.95)
        self.assertGreaterEqual(known.own_vectors, 64)
        self.assertEqual(filled(20).expected_recall().efs, ())
        for options in ({"recall": 1.5}, {"timeout": -1}, {"timeout": float("nan")}):
            with self.assertRaises(vicinal.InvalidArgument):
                index.search(query, **options)
        with self.assertRaises(TypeError):
            index.search(query, recall="all")
        with self.assertRaises(vicinal.InvalidArgument):
            index.expected_recall(0)

    def test_counters(self):
        index = filled()
        counters = []
        index.search(rows(1)[0], counters=counters)
        index.search(rows(3), exact=True, counters=counters)
        index.search(rows(1)[0], k=0, counters=counters)
        index.search_radius(rows(1)[0], 3, counters=counters)
        self.assertEqual(len(counters), 6)
        self.assertTrue(all(isinstance(cost, vicinal.SearchCounters) for cost in counters))
        self.assertGreater(counters[0].distances, 0)
        self.assertEqual([str(cost.path) for cost in counters[1:4]], ["exact_scan"] * 3)
        self.assertTrue(all(cost.distances >= 300 for cost in counters[1:4]))
        self.assertIs(counters[4].path, vicinal.SearchPath.EMPTY)

    def test_radius(self):
        index, matrix = filled(), rows(300)
        query = rows(1, seed=4)[0]
        distances = ((matrix - query) ** 2).sum(1)
        radius = float(np.sort(distances)[20] + 1e-4)
        hits = index.search_radius(query, radius, exact=True)
        self.assertEqual(hits.labels.tolist(), truth(matrix, query, 21).tolist())
        self.assertFalse(hits.cut)
        self.assertTrue((np.diff(hits.distances) >= 0).all() and hits.distances[-1] <= radius)
        hits = index.search_radius(query.astype(np.float64)[::-1][::-1], radius, max_hits=4)
        self.assertEqual(len(hits.labels), 4)
        self.assertTrue(hits.cut)
        labels, distances, cut = index.search_radius(query, 0)
        self.assertEqual((labels.size, distances.size, cut), (0, 0, False))
        with self.assertRaises(vicinal.InvalidArgument):
            index.search_radius(query, float("nan"))
        with self.refused(vicinal.InvalidArgument, "query must have 1 dimension, not 2"):
            index.search_radius([query], 1)
        with self.assertRaises(TypeError):
            index.search_radius(query, "far")

    def test_metrics(self):
        matrix = rows(200)
        unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
        for metric, expected in (
            ("cosine", 1 - unit @ unit[7]),
            (vicinal.Metric.INNER_PRODUCT, 1 - matrix @ matrix[7]),
            ("l2", ((matrix - matrix[7]) ** 2).sum(1)),
        ):
            index = filled(200, metric=metric)
            labels, distances = index.search(matrix[7], 200, exact=True)
            np.testing.assert_allclose(distances, expected[labels], atol=1e-4, rtol=1e-4)
        with self.assertRaises(vicinal.InvalidArgument):
            filled(2, metric="cosine").search(np.zeros(DIMENSION))


class LabelSet(Case):
    def test_is_a_set(self):
        generator = np.random.default_rng(5)
        a = set(generator.integers(0, 5000, 1000).tolist()) | {2**64 - 1}
        b = set(generator.integers(0, 5000, 1000).tolist()) | {2**63}
        left, right = vicinal.LabelSet(a), vicinal.LabelSet(np.array(sorted(b), np.uint64))
        for made, expected in (
            (left & right, a & b),
            (left | right, a | b),
            (left - right, a - b),
            (left & ~right, a - b),
            (~(~left | ~right), a & b),
            (left, a),
        ):
            self.assertEqual(made.stored().tolist(), sorted(expected))
            self.assertEqual((made.size, len(made)), (len(expected),) * 2)
            self.assertEqual(made, vicinal.LabelSet(expected))
        self.assertNotEqual(left, right)
        for label in (0, 1, 17, 2**63, 2**64 - 1):
            self.assertEqual(label in left, label in a)
            self.assertEqual(label in ~left, label not in a)

    def test_everything_nothing_and_repeats(self):
        everything = vicinal.LabelSet.all()
        self.assertTrue(everything.inverted and bool(everything))
        self.assertEqual(everything.size, 2**64 - 1)
        with self.assertRaises(OverflowError):
            len(everything)
        self.assertEqual((~everything).stored().tolist(), [])
        self.assertFalse(vicinal.LabelSet())
        self.assertEqual(vicinal.LabelSet([3, 1, 3]).stored().tolist(), [1, 3])
        self.assertLess(vicinal.LabelSet(range(100_000)).bytes, 10_000)
        self.assertIn("all but 3 labels", repr(~vicinal.LabelSet([1, 2, 3])))

    def test_what_it_refuses(self):
        one = vicinal.LabelSet([1])
        self.assertFalse(one == {1})
        for operation in (lambda: one & {1}, lambda: one | [1], lambda: one - 1, lambda: hash(one)):
            with self.assertRaises(TypeError):
                operation()


if __name__ == "__main__":
    unittest.main()

"""Programs written for hnswlib's Python module run with vicinal.hnswlib, and answer alike.

Each program takes the module and answers what it saw. Where hnswlib itself (python3-hnswlib) is
installed it runs beside; what its release lacks (filter, replace_deleted, BFIndex before 0.7) is
held against what its documentation says.
"""

import os
import pickle
import threading
import unittest

import numpy as np

import vicinal
import vicinal.hnswlib as ours
from testing import Case, rows, truth

try:
    import hnswlib as theirs
except ImportError:
    theirs = None

MODULES = [module for module in (ours, theirs) if module]
DIM, COUNT = 24, 3000
DATA = rows(COUNT, dimension=DIM)
QUERIES = rows(50, seed=2, dimension=DIM)


def made(module, space="l2", count=COUNT, threads=-1, **settings):
    index = module.Index(space=space, dim=DIM)
    index.init_index(**{"max_elements": COUNT, "ef_construction": 100, "M": 16, **settings})
    index.set_ef(50)
    if count:
        index.add_items(DATA[:count], num_threads=threads)
    return index


def wanted(space, k, matrix=DATA):
    """Labels and distances of the nearest to QUERIES, computed here in float64."""
    a, b = matrix.astype("f8"), QUERIES.astype("f8")
    if space == "cosine":
        a = a / np.linalg.norm(a, axis=1)[:, None]
        b = b / np.linalg.norm(b, axis=1)[:, None]
    if space == "l2":
        distances = ((b[:, None] - a[None]) ** 2).sum(2)
    else:
        distances = 1 - b @ a.T
    labels = np.argsort(distances, 1, kind="stable")[:, :k]
    return labels, np.take_along_axis(distances, labels, 1)


def recall(found, true):
    return np.mean([len(set(f) & set(t)) / len(t) for f, t in zip(found.tolist(), true.tolist())])


class Programs(Case):
    def test_distances_are_the_spaces_and_recall_is_not_lower(self):
        for space in ("l2", "ip", "cosine"):
            true, exact = wanted(space, 10)
            reached = []
            for module in MODULES:
                # By one thread: the graph is the same in every run.
                labels, distances = made(module, space, threads=1).knn_query(QUERIES, k=10)
                self.assertEqual((labels.dtype, labels.shape), (np.uint64, (50, 10)))
                self.assertEqual((distances.dtype, distances.shape), (np.float32, (50, 10)))
                same = labels == true
                np.testing.assert_allclose(distances[same], exact[same], atol=1e-4)
                reached.append(recall(labels, true))
            print(f"{space}: recall@10 of ours and theirs", *reached)
            self.assertGreater(reached[0], 0.9)
            self.assertGreaterEqual(reached[0], max(reached) - 0.01)

    def test_small_indexes_answer_alike(self):
        def program(module, space):
            index = module.Index(space, DIM)
            index.init_index(max_elements=100)
            index.add_items(DATA[:40], np.arange(100, 140))
            index.add_items(DATA[40], 7)
            index.add_items(DATA[41:43].tolist(), num_threads=1, ids=[8, 9])
            index.add_items(DATA[50:51], [100])  # in place of row 0
            index.mark_deleted(101)
            index.set_ef(100)
            labels, distances = index.knn_query(QUERIES, k=42, num_threads=2)
            one = index.knn_query(QUERIES[0], k=3)[0].shape
            index.unmark_deleted(101)
            return (labels.tolist(), one, index.knn_query(DATA[1])[0].tolist(),
                    sorted(index.get_ids_list()), index.get_current_count(),
                    index.get_max_elements(), np.array(index.get_items([100, 7])).round(5).tolist())

        for space in ("l2", "ip", "cosine"):
            answers = [program(module, space) for module in MODULES]
            for answer in answers:
                self.assertEqual(answer[1:3], ((1, 3), answers[0][2]))
                for mine, other in zip(answer[6], answers[0][6]):
                    np.testing.assert_allclose(mine, other, atol=2e-5)
                self.assertEqual((*answer[:1], *answer[3:6]), (*answers[0][:1], *answers[0][3:6]))
            self.assertEqual(answers[0][3:6], ([7, 8, 9, *range(100, 140)], 43, 100))

    def test_attributes(self):
        def program(module):
            index = module.Index(space="ip", dim=DIM)
            index.num_threads = 2
            index.init_index(max_elements=77, M=8, ef_construction=50, random_seed=3)
            index.ef = 30
            index.add_items(DATA[:5])
            index.add_items(DATA[5:8])
            return [index.space, index.dim, index.M, index.ef_construction, index.ef,
                    index.max_elements, index.element_count, index.num_threads, repr(index),
                    sorted(index.get_ids_list())]

        answers = [program(module) for module in MODULES]
        for answer in answers:
            self.assertEqual(answer, ["ip", DIM, 8, 50, 30, 77, 8, 2,
                                      f"<hnswlib.Index(space='ip', dim={DIM})>", [*range(8)]])

    def test_exceptions(self):
        for module in MODULES:
            index = made(module, count=20, max_elements=20)
            index.mark_deleted(3)
            for words, call in (
                ("Space name", lambda: module.Index("cubic", 4)),
                ("already initiated", lambda: index.init_index(5)),
                ("exceeds the specified limit", lambda: index.add_items(DATA[:1], [500])),
                ("(?i)dimensionality", lambda: index.add_items(DATA[:2, :5])),
                ("(?i)label", lambda: index.add_items(DATA[:2], [1])),
                ("(?i)1d/2d|1D or 2D", lambda: index.add_items(DATA[:2].reshape(1, 2, DIM))),
                ("contiguous 2D array", lambda: index.knn_query(DATA[:2], k=21)),
                ("(?i)label not found", lambda: index.mark_deleted(500)),
                ("already deleted", lambda: index.mark_deleted(3)),
                ("not deleted", lambda: index.unmark_deleted(4)),
                ("(?i)label not found", lambda: index.get_items([500])),
                ("(?i)label not found", lambda: index.get_items([3])),
                ("Cannot resize", lambda: index.resize_index(19)),
                ("Cannot open", lambda: module.Index("l2", 4).load_index(self.path("none"))),
            ):
                with self.refused(RuntimeError, words if module is ours else "."):
                    call()
            with self.assertRaises(ValueError):
                index.get_items(3)
            self.assertEqual(index.get_current_count(), 20)
            index.add_items(DATA[:1], [5])  # in place of another: there is room
            index.resize_index(21)
            index.add_items(DATA[30:31], [500])
            self.assertEqual(index.knn_query(DATA[30])[0].tolist(), [[500]])
        with self.refused(RuntimeError, "not initiated"):
            ours.Index("l2", 4).knn_query([1, 2, 3, 4])
        with self.refused(RuntimeError, "dimensionality"):  # hnswlib 0.6 reads beyond the rows
            made(ours, count=20).knn_query(DATA[:2, :5])
        with self.refused(RuntimeError, "row 0|finite|NaN"):
            made(ours, count=0).add_items(np.full(DIM, np.nan))

    def test_saving_loading_and_pickling(self):
        for module in MODULES:
            index = made(module, "cosine", count=1000)
            index.mark_deleted(3)
            path = self.path(module.__name__)
            index.save_index(path)
            loaded = module.Index("cosine", DIM)
            loaded.load_index(path)
            self.assertEqual((loaded.get_max_elements(), loaded.M), (COUNT, 16))
            larger = module.Index(space="cosine", dim=DIM)
            larger.load_index(path, max_elements=COUNT + 5)
            self.assertEqual(larger.get_max_elements(), COUNT + 5)
            pickled = pickle.loads(pickle.dumps(index))
            self.assertEqual(pickled.ef, 50)
            for back in (loaded, larger, pickled):
                back.set_ef(50)
                self.same(back.knn_query(QUERIES, k=5)[0], index.knn_query(QUERIES, k=5)[0])
                self.assertEqual(back.get_current_count(), 1000)
                back.unmark_deleted(3)
                self.assertEqual(back.knn_query(DATA[3])[0].tolist(), [[3]])
                back.add_items(DATA[1000:1002])
                self.assertEqual(max(back.get_ids_list()), 1001)

    def test_files(self):
        index, path = made(ours, count=30), self.path("saved")
        index.mark_deleted(3)
        index.save_index(path)
        self.assertEqual(len(vicinal.Index.load(path)), 29)
        self.assertEqual(index.index_file_size(), os.path.getsize(path))
        data = open(path, "rb").read()
        for space, dim, bad in (("ip", DIM, data), ("l2", 5, data), ("l2", DIM, data[:-1]),
                                ("l2", DIM, data[:-9] + b"x" + data[-8:]), ("l2", DIM, b"")):
            with open(path, "wb") as file:
                file.write(bad)
            with self.assertRaises(RuntimeError):
                ours.Index(space, dim).load_index(path)
        plain = vicinal.Index(dimension=DIM, metric="l2")
        plain.upsert_batch(range(30), DATA[:30])
        plain.save(path)
        loaded = ours.Index("l2", DIM)
        loaded.load_index(path)
        self.assertEqual(loaded.knn_query(DATA[4])[0].tolist(), [[4]])
        self.assertEqual(os.listdir(self.folder), ["saved"])

    @unittest.skipUnless(theirs, "python3-hnswlib is not installed")
    def test_files_that_hnswlib_wrote(self):
        for space in ("l2", "ip", "cosine"):
            index, path = made(theirs, space), self.path(space)
            index.mark_deleted(3)
            index.mark_deleted(77)
            index.save_index(path)
            back = ours.Index(space, DIM)
            back.load_index(path)
            self.assertEqual((back.M, back.ef_construction, back.max_elements, back.element_count),
                             (16, 100, COUNT, COUNT))
            back.set_ef(100)
            true = wanted(space, 10, np.delete(DATA, [3, 77], 0))[0]
            true += (true >= 3).astype(int)
            true += (true >= 77).astype(int)
            self.assertGreater(recall(back.knn_query(QUERIES, k=10)[0], true), 0.95)
            self.same(back.get_items([5]), np.float32(index.get_items([5])))
            back.unmark_deleted(77)
            with self.refused(RuntimeError, "already deleted"):
                back.mark_deleted(3)
            self.assertEqual(sorted(back.get_ids_list()), [*range(COUNT)])
            with self.refused(RuntimeError, str(DIM + 1)):
                ours.Index(space, DIM + 1).load_index(path)
            with self.refused(RuntimeError, "corrupted or unsupported"):
                ours.BFIndex(space, DIM).load_index(path)

    def test_filters(self):
        index = made(ours)
        odd = wanted("l2", 10, DATA[1::2])[0] * 2 + 1
        found, _ = index.knn_query(QUERIES, k=10, num_threads=1, filter=lambda id: id % 2 == 1)
        self.assertTrue((found % 2 == 1).all())
        self.assertGreater(recall(found, odd), 0.9)
        with self.refused(RuntimeError, "contiguous 2D array"):
            index.knn_query(QUERIES, k=2, filter=lambda id: id == 7)

    def test_deleted_elements_are_replaced(self):
        index = made(ours, count=100, max_elements=100, allow_replace_deleted=True)
        for label in range(50):
            index.mark_deleted(label)
        with self.refused(RuntimeError, "addPoint to update a deleted element"):
            index.add_items(DATA[:1], [3])
        with self.refused(RuntimeError, "exceeds the specified limit"):
            index.add_items(DATA[:1], [1000])
        index.add_items(DATA[200:250], np.arange(200, 250), replace_deleted=True)
        self.assertEqual(sorted(index.get_ids_list()), [*range(50, 100), *range(200, 250)])
        self.assertEqual(index.get_current_count(), 100)
        with self.refused(RuntimeError, "exceeds the specified limit"):
            index.add_items(DATA[:1], [1000], replace_deleted=True)
        with self.refused(RuntimeError, "is disabled in constructor"):
            made(ours, count=5).add_items(DATA[:1], [1000], replace_deleted=True)
        index = made(ours, count=100, max_elements=100)
        index.mark_deleted(3)
        index.add_items(DATA[500:501], [3])  # brings it back
        self.assertEqual(index.knn_query(DATA[500])[0].tolist(), [[3]])

    def test_the_exact_index(self):
        for space in ("l2", "ip", "cosine"):
            index = ours.BFIndex(space=space, dim=DIM)
            index.init_index(max_elements=COUNT)
            index.set_num_threads(2)
            index.add_items(DATA)
            true, exact = wanted(space, 10)
            labels, distances = index.knn_query(QUERIES, k=10)
            self.same(labels, true)
            np.testing.assert_allclose(distances, exact, atol=1e-4)
            first = int(true[0, 0])
            index.delete_vector(first)
            self.assertEqual(index.knn_query(QUERIES[0])[0], true[0, 1])
            even = index.knn_query(QUERIES, k=3, filter=lambda id: id % 2 == 0)[0]
            self.assertTrue((even % 2 == 0).all())
            index.add_items(DATA[first], first)
            with self.refused(RuntimeError, "exceeds the specified limit"):
                index.add_items(DATA[0], COUNT)
            index.save_index(self.path("saved"))
            back = ours.BFIndex(space, DIM)
            back.load_index(self.path("saved"))
            self.same(back.knn_query(QUERIES, k=10)[0], true)
            self.assertEqual((back.get_max_elements(), back.get_current_count()), (COUNT, COUNT))

    def test_threads_add_and_search_together(self):
        index, problems = made(ours, count=500), []

        def add(part):
            try:
                for start in range(500 + part, COUNT, 100 * 2):
                    index.add_items(DATA[start : start + 100], np.arange(start, start + 100))
                    index.knn_query(QUERIES, k=5)
            except Exception as error:
                problems.append(error)

        threads = [threading.Thread(target=add, args=(part,)) for part in (0, 100)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        self.assertEqual((problems, index.get_current_count()), ([], COUNT))
        self.assertEqual(index.knn_query(DATA[77])[0].tolist(), [[truth(DATA, DATA[77], 1)[0]]])


if __name__ == "__main__":
    if theirs is None:
        print("hnswlib itself is not here (python3-hnswlib): ours runs alone")
    unittest.main()

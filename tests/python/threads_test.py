"""Threads: the GIL is released where the library works, and eight threads share an index."""

import io
import itertools
import sys
import threading
import time
import unittest

import numpy as np

import vicinal
from testing import DIMENSION, Case, filled, rows


class Counter:
    """A thread that counts whenever it is let.

    With a switch interval without end nobody is asked to let go of the GIL: the count moves within
    a call of another thread only when that call releases it.
    """

    def __enter__(self):
        self.count = 0
        self._stop = False
        self._interval = sys.getswitchinterval()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        while not self.count:
            time.sleep(0.001)
        sys.setswitchinterval(1000)
        time.sleep(0.05)  # whoever waits for the GIL since before asks for it by the old interval
        return self

    def _run(self):
        while not self._stop:
            self.count += 1
            time.sleep(0)  # lets go

    def __exit__(self, *_):
        sys.setswitchinterval(self._interval)
        self._stop = True
        self._thread.join()

    def during(self, call):
        """How far it counts while `call` runs."""
        before = self.count
        call()
        return self.count - before

    def moves_during(self, call):
        """Whether it counts while `call` runs, again and again for up to 30 seconds.

        A call of a microsecond has often ended before the other thread is awake.
        """
        before, end = self.count, time.monotonic() + 30
        while self.count == before and time.monotonic() < end:
            call()
        return self.count != before


class Gil(Case):
    def test_is_released_in_every_call_that_computes(self):
        many, queries = rows(3000), rows(1000, seed=2)
        descending = np.arange(300_000, 0, -1).astype(np.uint64)  # taken as it is
        with vicinal.Store(self.path(), durability="none") as store, Counter() as counter:
            index = store.index("text", dimension=DIMENSION, repair_share=0)
            query, label = queries[0], itertools.count(10_000)

            calls = {
                "upsert_batch": lambda: index.upsert_batch(range(3000), many),
                "search of one": lambda: index.search(query),
                "search of one, exact": lambda: index.search(query, exact=True),
                "search of many": lambda: index.search(queries),
                "radius": lambda: index.search_radius(query, 0.2),
                "upsert": lambda: index.upsert(next(label), query),
                "get": lambda: index.get(3),
                "recall": index.recall,
                "validate": index.validate,
                "checkpoint": index.checkpoint,
                "sync": index.sync,
                "erase_batch": lambda: index.erase_batch(range(2000)),
                "repair": index.repair,
                "rebuild": index.rebuild,
                "backup": lambda: store.backup(self.path(f"copy{next(label)}")),
                "verify_records": store.verify_records,
                "LabelSet": lambda: vicinal.LabelSet(descending),
                "open and close": lambda: vicinal.Store(self.path("other")).close(),
            }
            # The measure itself: what holds the GIL stands still.
            self.assertEqual(counter.during(lambda: sum(range(1_000_000))), 0)
            for name, call in calls.items():
                with self.subTest(name):
                    self.assertTrue(counter.moves_during(call))
            self.assertEqual(counter.during(lambda: sum(range(1_000_000))), 0)


class EightThreads(Case):
    """Each vector tells its label and its generation, so one that was torn or mixed up shows."""

    THREADS, LABELS, ROUNDS = 8, 40, 25

    @staticmethod
    def vector(label, generation):
        return rows(1, seed=label * 1000 + generation)[0]

    def test_write_and_read_one_index(self):
        with vicinal.Store(self.path(), durability="none") as store:
            index = store.index("text", dimension=DIMENSION, metric="squared_l2")
            failures = []
            final = {}

            def work(number):
                try:
                    generator = np.random.default_rng(number)
                    mine = range(number * self.LABELS, (number + 1) * self.LABELS)
                    for generation in range(self.ROUNDS):
                        for label in generator.permutation(mine)[:10].tolist():
                            vector = self.vector(label, generation)
                            index.upsert(label, vector)
                            final[label] = vector
                            self.same(index.get(label), vector)
                            labels, distances = index.search(vector, 3)
                            self.assertEqual((labels[0], distances[0]), (label, 0))
                            self.assertEqual(len(set(labels.tolist())), len(labels))
                        label = int(generator.choice(mine))
                        if index.erase(label):
                            del final[label]
                        self.assertNotIn(label, index)
                        found = index.search(rows(4, seed=generation), 5, filter=mine.__contains__)
                        live = {label for label in final if label in mine}
                        self.assertLessEqual(
                            set(found[0].ravel().tolist()) - {vicinal.NO_LABEL}, live
                        )
                except BaseException as error:
                    failures.append(error)

            threads = [threading.Thread(target=work, args=(n,)) for n in range(self.THREADS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(failures, [])
            self.assertEqual(len(index), len(final))
        with vicinal.Store(self.path()) as store:
            index = store.index("text")
            self.assertEqual(len(index), len(final))
            for label, vector in final.items():
                self.same(index.get(label), vector)
            self.assertEqual(index.validate(deep=True).problems, 0)

    def test_every_read_of_an_index_that_is_closed_meanwhile(self):
        """The call that is under way has a handle of its own."""
        calls = {
            "expected_recall": lambda index: index.expected_recall(10),
            "recall": lambda index: index.recall(samples=200),
            "validate": lambda index: index.validate(deep=True),
            "search": lambda index: index.search(rows(2000), 10),
            "save": lambda index: index.save(io.BytesIO()),
        }
        for name, call in calls.items():
            index = filled(4000)
            begun = threading.Event()
            answers = []

            def read():
                begun.set()
                try:
                    answers.append(call(index))
                except vicinal.Closed as closed:
                    answers.append(closed)

            with self.subTest(name):
                reader = threading.Thread(target=read)
                reader.start()
                begun.wait()
                time.sleep(0.005)
                index.close()
                noise = [np.full(1 << 16, 0x41, np.uint8) for _ in range(50)]
                reader.join()
                self.assertEqual((len(answers), len(noise)), (1, 50))

    def test_close_an_index_that_others_use(self):
        for _ in range(20):
            index = filled(200)
            ended = []

            def work():
                try:
                    while True:
                        index.search(rows(1)[0], 5)
                        index.search(rows(3), 5)
                        index.upsert(3, rows(1)[0])
                except vicinal.Closed:
                    ended.append(True)

            threads = [threading.Thread(target=work) for _ in range(8)]
            for thread in threads:
                thread.start()
            time.sleep(0.002)
            index.close()
            for thread in threads:
                thread.join()
            self.assertEqual(len(ended), 8)


if __name__ == "__main__":
    unittest.main()

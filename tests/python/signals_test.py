"""Exceptions of signals' handlers, which may come at any moment: nothing is lost or kept for ever."""

import gc
import os
import signal
import threading
import unittest

import numpy as np

import vicinal
from testing import Case, rows


class Stop(Exception):
    pass


class Signals(Case):
    """A timer's handler raises Stop; `fired` says that it has."""

    def setUp(self):
        super().setUp()
        self.fired = False

        def handler(*_):
            self.fired = True
            raise Stop

        self.addCleanup(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, handler))

    def during(self, seconds, call):
        """What the call answers, or Stop. It raises Stop where that was raised, and nothing else."""
        self.fired = False
        answer = None
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            answer = call()
            self.assertFalse(self.fired, "Stop was lost")
            signal.setitimer(signal.ITIMER_REAL, 0)
        except Stop:
            answer = Stop
        return answer

    def moments(self, call, count=24):
        """Times that lie in a call, spread over it."""
        signal.setitimer(signal.ITIMER_REAL, 1000)
        call()
        whole = 1000 - signal.setitimer(signal.ITIMER_REAL, 0)[0]
        return [max(whole * (i * 0.618034 % 1), 1e-5) for i in range(count)]

    def test_comes_out_of_a_call_that_calls_back(self):
        index = vicinal.Index(dimension=16, quantization="none", M=4, ef_construction=4)
        index.upsert_batch(range(3000), rows(3000))
        queries = rows(20)
        saved = index.to_bytes()
        calls = {
            "filter": lambda: index.search(queries, 5, exact=True, filter=lambda _: True),
            "visitor": lambda: index.for_each(lambda label, vector: True),
            "progress": lambda: index.rebuild(progress=lambda _: True),
            "sink": index.to_bytes,
            "source": lambda: vicinal.Index.from_bytes(saved),
        }
        for name, call in calls.items():
            with self.subTest(name):
                for seconds in self.moments(call):
                    self.during(seconds, call)
        self.assertEqual(index.to_bytes(), index.to_bytes())
        self.assertEqual(index.validate().problems, 0)

    def test_a_file_stays_whole(self):
        index = vicinal.Index(dimension=16)
        index.upsert_batch(range(20_000), rows(20_000), threads=2)
        path = self.path("kept")
        for seconds in self.moments(lambda: index.save(path)):
            self.during(seconds, lambda: index.save(path))
            self.assertEqual(os.listdir(self.folder), ["kept"])
            self.assertEqual(len(vicinal.Index.load(path)), 20_000)

    def test_a_store_that_was_opening_can_be_opened(self):
        path = self.path()
        vicinal.Store(path).close()
        for seconds in self.moments(lambda: vicinal.Store(path).close()):
            with self.subTest(seconds):
                opened = self.during(seconds, lambda: vicinal.Store(path))
                if opened is not Stop:
                    opened.close()
                vicinal.Store(path).close()

    def test_writes_that_were_being_paused_go_on(self):
        index = vicinal.Index(dimension=16)
        index.upsert_batch(range(2000), rows(2000))
        over = threading.Event()

        def write():
            while not over.is_set():
                index.upsert_batch(range(500), rows(500, seed=2))

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for i in range(60):
                self.during((i % 20 + 1) * 2e-4, lambda: index.pause_writes().resume())
                index.upsert(5000, rows(1)[0])  # or it would be refused, for it would wait
        finally:
            over.set()
            writer.join()


class References(Case):
    def test_nothing_of_a_call_is_left_to_the_garbage_collector(self):
        index = vicinal.Index(dimension=16)
        index.upsert_batch(range(100), rows(100))
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)

        def search(store):
            index.search(rows(1)[0], filter=lambda _: store is not None)

        store = vicinal.Store(self.path())
        search(store)
        del store
        vicinal.Store(self.path()).close()  # it is closed
        with open(self.path("saved"), "wb") as file:
            index.save(file)
        self.assertEqual(len(vicinal.Index.load(self.path("saved"))), 100)

    def test_an_interrupt_in_an_event_comes_out_of_the_main_thread(self):
        def listen(event):
            raise KeyboardInterrupt

        caught = False
        store = vicinal.Store(self.path(), background=False, max_map_bytes=1 << 20, on_event=listen)
        try:
            index = store.index("text", dimension=16)
            for i in range(0, 100_000, 500):
                index.upsert_batch(range(i, i + 500), np.ones((500, 16), np.float32))
        except KeyboardInterrupt:
            caught = True
        except vicinal.Full:
            pass
        self.assertTrue(caught)
        store.close()


if __name__ == "__main__":
    unittest.main()

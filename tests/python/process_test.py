"""Ends of processes: the interpreter exits with stores open, and it forks."""

import os
import subprocess
import sys
import textwrap
import unittest

import numpy as np

import vicinal
from testing import DIMENSION, Case, filled, rows


class Exit(Case):
    def run_program(self, text, code=0):
        """Runs `text` with an open store and a filled index; answers what it printed."""
        program = (
            "import os, sys, threading, time, numpy as np, vicinal\n"
            "from testing import DIMENSION, rows\n"
            "store = vicinal.Store(sys.argv[1], durability='none', on_event=lambda event: None)\n"
            f"index = store.index('text', dimension={DIMENSION})\n"
            "index.upsert_batch(range(3000), rows(3000))\n"
        ) + textwrap.dedent(text)
        path = os.environ["PYTHONPATH"] + os.pathsep + os.path.dirname(__file__)
        done = subprocess.run(
            [sys.executable, "-B", "-X", "faulthandler", "-c", program, self.path()],
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "PYTHONPATH": path},
        )
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def check_store(self, least=3000):
        # Nothing is promised with durability "none" but by a clean close.
        with vicinal.Store(self.path(), create=False) as store:
            index = store.index("text")
            self.assertGreaterEqual(len(index), least)
            self.assertEqual(index.stats().journal_entries, 0)
            self.assertEqual(index.validate(deep=True).problems, 0)

    def test_open_stores_are_closed(self):
        done = self.run_program("index.upsert(5000, rows(1)[0])\nprint('end')")
        self.assertEqual((done.stdout, done.stderr), ("end\n", ""))
        self.check_store(3001)

    def test_a_handle_that_outlives_the_package(self):
        for keeper in ("sys", "np"):
            with self.subTest(keeper):
                done = self.run_program(f"{keeper}.keep = (index, store)\nprint('end')")
                self.assertEqual((done.stdout, done.stderr), ("end\n", ""))
                done = self.run_program(f"{keeper}.keep = index\nprint('end')")
                self.assertEqual((done.stdout, done.stderr), ("end\n", ""))

    def test_writes_that_stay_paused(self):
        self.run_program(
            """
            paused = index.pause_writes()
            batch = lambda: index.upsert_batch([1], rows(1))
            threading.Thread(target=batch, daemon=True).start()
            time.sleep(0.2)
            """
        )
        self.check_store()

    def test_after_an_exception(self):
        done = self.run_program("index.search([1, 2])", code=1)
        self.assertIn("vicinal._errors.InvalidArgument: dimension 2, index has 16", done.stderr)
        self.check_store()

    def test_beside_daemons_in_the_middle_of_calls(self):
        done = self.run_program(
            """
            started = [threading.Event() for _ in range(4)]
            def searches():
                while True:
                    index.search(rows(1)[0], filter=lambda label: started[0].set() or label % 2)
            def scans():
                while True:
                    index.search(rows(5), exact=True,
                                 filter=lambda label: started[1].set() or label % 3 == 0)
            def rebuilds():
                while True:
                    index.rebuild(progress=lambda progress: started[2].set())
            def writes():
                label = 10_000
                while True:
                    index.upsert(label, rows(1, seed=label)[0])
                    started[3].set()
                    label += 1
            for work in (searches, scans, rebuilds, writes):
                threading.Thread(target=work, daemon=True).start()
            for event in started:
                event.wait()
            time.sleep(0.05)
            print('end')
            """
        )
        self.assertEqual(done.stdout, "end\n")
        self.assertNotIn("Fatal", done.stderr)
        self.check_store()

    def test_the_callers_own_handlers_may_still_write(self):
        self.run_program("import atexit\natexit.register(lambda: index.upsert(9999, rows(1)[0]))")
        self.check_store(3001)


class Fork(Case):
    def in_child(self, work):
        """Runs `work` in a forked child, which ends as a program does; answers its exit code."""
        child = os.fork()
        if child == 0:
            code = 1
            try:
                work()
                code = 0
            except BaseException:
                import traceback

                traceback.print_exc()
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def test_handles_do_not_pass_over_and_indexes_in_memory_do(self):
        with vicinal.Store(self.path()) as store:
            index = store.index("text", dimension=DIMENSION)
            index.upsert_batch(range(100), rows(100))
            memory = filled(100)
            expected = memory.search(rows(3), 5)

            def work():
                for call in (
                    lambda: index.upsert(1, rows(1)[0]),
                    lambda: index.search(rows(1)[0]),
                    lambda: index.search(rows(2), filter=lambda label: True),
                    lambda: store.index("text"),
                    store.index_names,
                ):
                    with self.assertRaises(vicinal.Closed):
                        call()
                self.same(memory.search(rows(3), 5)[0], expected[0])
                memory.upsert(1000, rows(1)[0])
                self.assertEqual(len(memory), 101)
                with vicinal.Store(self.path(), read_only=True) as own:
                    self.assertEqual(len(own.index("text")), 100)
                with vicinal.Store(self.path("other")) as own:
                    own.index("text", dimension=4).upsert(1, np.ones(4))

            self.assertEqual(self.in_child(work), 0)
            index.upsert(200, rows(1)[0])
            self.assertEqual((len(index), len(memory)), (101, 100))
        with vicinal.Store(self.path()) as store:
            self.assertEqual(store.index("text").validate(deep=True).problems, 0)

    def test_a_child_that_ends_as_programs_do(self):
        Exit.run_program(
            self,
            """
            def filters():
                while True:
                    index.search(rows(1)[0], filter=lambda label: True)
            threading.Thread(target=filters, daemon=True).start()
            time.sleep(0.05)
            child = os.fork()
            if child == 0:
                sys.exit(3)  # handlers at exit run; the thread stayed behind
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            assert code == 3, code
            index.upsert(7777, rows(1)[0])
            """,
        )
        Exit.check_store(self, 3001)


if __name__ == "__main__":
    unittest.main()

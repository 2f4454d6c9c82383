"""An index as bytes: files, streams, memory, pickles, paused writes."""

import copy
import io
import os
import pickle
import threading
import unittest
from pathlib import Path

import numpy as np

import vicinal
from testing import DIMENSION, Case, filled, rows


class Slow:
    """A file that gives and takes by pieces, and fails after `fails_after` calls."""

    def __init__(self, file, fails_after=None):
        self.file, self.left = file, fails_after

    def _call(self):
        if self.left == 0:
            raise ZeroDivisionError("my own")
        if self.left is not None:
            self.left -= 1

    def read(self, count):
        self._call()
        return bytearray(self.file.read(min(count, 1000)))

    def write(self, data):
        self._call()
        self.file.write(data)


class Partly(io.RawIOBase):
    """A raw file that takes at most 1,000 bytes a call, as a pipe may."""

    def __init__(self, full_at=None):
        self.taken, self.full_at = bytearray(), full_at

    def writable(self):
        return True

    def write(self, data):
        if self.full_at is not None and len(self.taken) >= self.full_at:
            return None
        self.taken += bytes(data[:1000])
        return min(1000, len(data))


class Stream(Case):
    def holds(self, index, count=300):
        self.assertEqual(len(index), count)
        for label in range(0, count, 17):
            self.same(index.get(label), rows(count)[label])
        self.assertEqual(index.validate(deep=True).problems, 0)

    def test_every_way_gives_the_same_index(self):
        index = filled(300, M=8, ef_search=33, seed=5)
        data = index.to_bytes()
        self.assertIs(type(data), bytes)
        path = self.path("saved")
        index.save(path)
        self.assertEqual(Path(path).read_bytes(), data)
        index.save(Path(path))  # over the old one
        index.save(os.fsencode(path))
        self.assertEqual(os.listdir(self.folder), ["saved"])
        with open(path, "wb") as file:
            index.save(file)
        partly = Partly()
        index.save(partly)
        self.assertEqual(bytes(partly.taken), data)
        pieces = io.BytesIO()
        index.save(Slow(pieces))
        self.assertEqual(pieces.getvalue(), data)
        for back in (
            vicinal.Index.load(path),
            vicinal.Index.load(os.fsencode(path)),
            vicinal.Index.load(Path(path), threads=1, metric="squared_l2"),
            vicinal.Index.load(Slow(io.BytesIO(data))),
            vicinal.Index.from_bytes(data),
            vicinal.Index.from_bytes(np.frombuffer(data, np.uint8)),
            vicinal.Index.from_bytes(memoryview(bytearray(data))),
        ):
            self.holds(back)
            self.assertEqual((back.options.M, back.options.ef_search), (8, 33))
            self.assertEqual(back.to_bytes(), data)
            back.upsert(1000, rows(1)[0])
        self.assertEqual(len(vicinal.Index.from_bytes(filled(0).to_bytes())), 0)

    def test_a_stream_goes_on_behind_an_index(self):
        file = io.BytesIO()
        filled(20).save(file)
        file.write(b"between")
        filled(900).save(file)
        file.seek(0)
        self.holds(vicinal.Index.load(file), 20)
        self.assertEqual(file.read(7), b"between")
        self.holds(vicinal.Index.load(file), 900)
        self.assertEqual(file.read(), b"")

    def test_what_the_callers_object_raises_comes_out(self):
        index = filled(300)
        data = index.to_bytes()
        for calls in range(2):
            with self.refused(ZeroDivisionError, "my own"):
                index.save(Slow(io.BytesIO(), calls))
            with self.refused(ZeroDivisionError, "my own"):
                vicinal.Index.load(Slow(io.BytesIO(data), calls))
        with self.refused(BlockingIOError, "no more bytes"):
            index.save(Partly(full_at=2000))

        class Stopped:
            def write(self, data):
                raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            index.save(Stopped())
        self.holds(index)  # none of it did the index any harm

        class Answers:
            def __init__(self, answer):
                self.read = lambda count: answer

        with self.refused(TypeError, "binary mode"):
            vicinal.Index.load(Answers("text"))
        with self.refused(BlockingIOError, "no bytes"):
            vicinal.Index.load(Answers(None))
        with self.refused(ValueError, r"answered 100000000 bytes"):
            vicinal.Index.load(Answers(b"x" * 100_000_000))
        with self.refused(TypeError, "write"):
            index.save(3)
        with self.refused(TypeError, "read"):
            vicinal.Index.load(3)

    def test_a_failed_save_leaves_the_old_file(self):
        index, path = filled(300), self.path("saved")
        index.save(path)
        old = Path(path).read_bytes()
        index.close()
        with self.assertRaises(vicinal.Closed):
            index.save(path)
        self.assertEqual(Path(path).read_bytes(), old)
        self.assertEqual(os.listdir(self.folder), ["saved"])
        with self.assertRaises(FileNotFoundError):
            filled(3).save(self.path("no/folder"))
        with self.assertRaises(FileNotFoundError):
            vicinal.Index.load(self.path("none"))
        os.symlink(path, self.path("link"))
        filled(20).save(self.path("link"))
        self.holds(vicinal.Index.load(path), 20)

    def test_what_is_no_index_is_refused(self):
        data = filled(300).to_bytes()
        with self.refused(vicinal.InvalidArgument, f"3 bytes follow the {len(data)} of"):
            vicinal.Index.from_bytes(data + b"abc")
        for bad in (data[:-1], data[:10], b"", b"x" * 1000):
            with self.assertRaises(vicinal.Corruption):
                vicinal.Index.from_bytes(bad)
        with self.refused(vicinal.InvalidArgument, str(DIMENSION)):
            vicinal.Index.from_bytes(data, dimension=DIMENSION + 1)
        with self.refused(TypeError, "no option 'colour'"):
            vicinal.Index.from_bytes(data, colour=3)

    def test_pickles_and_copies(self):
        index = filled(300, repair_share=0.5, threads=1)
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            back = pickle.loads(pickle.dumps(index, protocol))
            self.holds(back)
            self.assertEqual((back.options.repair_share, back.options.threads), (0.5, 1))
        twin = copy.deepcopy(index)
        twin.erase(3)
        self.assertIn(3, index)

    def test_an_index_of_a_store_is_saved_but_not_pickled(self):
        with vicinal.Store(self.path()) as store:
            index = store.index("text", dimension=DIMENSION, metric="l2")
            index.upsert_batch(range(300), rows(300))
            self.holds(vicinal.Index.from_bytes(index.to_bytes()))
            for call in (pickle.dumps, copy.copy, copy.deepcopy):
                with self.refused(TypeError, "neither copied nor pickled"):
                    call(index)

    def test_writes_wait_while_they_are_paused(self):
        index = filled(300)
        with index.pause_writes() as paused:
            with self.assertRaises(vicinal.Busy):
                index.upsert(1000, rows(1)[0])
            writer = threading.Thread(target=index.upsert, args=(1000, rows(1)[0]))
            writer.start()
            file = io.BytesIO()
            paused.save(file)
            paused.save(self.path("saved"))
            with self.refused(ZeroDivisionError, "my own"):
                paused.save(Slow(io.BytesIO(), 0))
            index.search(rows(1)[0])
            self.assertNotIn(1000, index)
        writer.join()
        self.assertIn(1000, index)
        self.holds(vicinal.Index.from_bytes(file.getvalue()))
        self.assertEqual(Path(self.path("saved")).read_bytes(), file.getvalue())
        with self.refused(vicinal.Closed, "go on again"):
            paused.save(file)
        index.close()
        with self.refused(vicinal.Closed, "closed"):
            index.pause_writes()

    def test_one_pause_is_saved_once_at_a_time(self):
        index = filled(2000)
        seen = []

        class Twice(io.BytesIO):
            def write(self, data):
                if not seen:
                    seen.append(None)
                    with case.refused(vicinal.Busy, "one save at a time"):
                        paused.save(io.BytesIO())
                return super().write(data)

        case = self
        with index.pause_writes() as paused:
            file = Twice()
            paused.save(file)
        self.assertEqual(len(vicinal.Index.from_bytes(file.getvalue())), 2000)

    def test_a_file_keeps_its_permissions_and_its_name_may_be_long(self):
        index = filled(20)
        for name in ("saved", "s" * 255):
            path = self.path(name)
            index.save(path)
            os.chmod(path, 0o640)
            index.save(path)
            self.assertEqual(os.stat(path).st_mode & 0o7777, 0o640)
            self.assertEqual(len(vicinal.Index.load(path)), 20)

    def test_writes_may_be_resumed_in_the_middle_of_a_save(self):
        index = filled(300)
        paused = index.pause_writes()

        class Resumes(io.BytesIO):
            def write(self, data):
                paused.resume()
                return super().write(data)

        file = Resumes()
        paused.save(file)
        index.upsert(1000, rows(1)[0])
        self.holds(vicinal.Index.from_bytes(file.getvalue()))
        with self.refused(vicinal.Closed, "go on again"):
            paused.save(file)

    def test_a_forked_child_saves(self):
        index, path = filled(300), self.path("saved")
        with index.pause_writes() as paused:
            child = os.fork()
            if child == 0:
                try:
                    paused.save(path)
                finally:
                    os._exit(0 if os.path.exists(path) else 1)
        index.upsert(1000, rows(1)[0])  # while the child may still be at it
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.holds(vicinal.Index.load(path))


if __name__ == "__main__":
    unittest.main()

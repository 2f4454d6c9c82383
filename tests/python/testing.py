"""What the tests of the Python package share."""

import os
import shutil
import tempfile
import unittest

import numpy as np

import vicinal

DIMENSION = 16


def rows(count, seed=1, dimension=DIMENSION):
    """`count` float32 vectors drawn by `seed`."""
    return np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)


def filled(count=300, **settings):
    """An index in memory with rows(count) under 0, 1, ..."""
    index = vicinal.Index(**{"dimension": DIMENSION, "metric": "squared_l2", **settings})
    index.upsert_batch(np.arange(count), rows(count))
    return index


class Case(unittest.TestCase):
    """With a folder that is gone afterwards, and errors looked at with their words."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="vicinal-python-")
        self.addCleanup(shutil.rmtree, self.folder, True)

    def path(self, name="store.vic"):
        return os.path.join(self.folder, name)

    def refused(self, kind, words):
        """As assertRaisesRegex, of exactly this kind."""
        case = self

        class Context:
            def __enter__(self):
                return None

            def __exit__(self, raised, error, _):
                case.assertIs(raised, kind, f"{error!r}")
                case.assertRegex(str(error), words)
                return True

        return Context()

    def same(self, left, right):
        np.testing.assert_array_equal(left, right)


def truth(matrix, query, k):
    """The k nearest of `matrix` by squared L2, computed here."""
    distances = ((matrix.astype(np.float64) - query) ** 2).sum(1)
    return np.argsort(distances, kind="stable")[:k]

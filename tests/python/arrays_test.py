"""Dtypes, strides, labels of any kind, and what is refused."""

import array
import unittest

import numpy as np

import vicinal
from testing import DIMENSION, Case, filled, rows
from vicinal import _arrays


class Vectors(Case):
    def test_contiguous_float32_is_not_copied(self):
        matrix = rows(5)
        self.assertTrue(np.shares_memory(_arrays.vectors(matrix, "x"), matrix))
        self.assertTrue(np.shares_memory(_arrays.vectors(matrix[2], "x"), matrix))
        self.assertTrue(np.shares_memory(_arrays.vectors(matrix[1:4], "x"), matrix))
        read_only = matrix.copy()
        read_only.flags.writeable = False
        self.assertTrue(np.shares_memory(_arrays.vectors(read_only, "x"), read_only))
        self.assertFalse(np.shares_memory(_arrays.vectors(matrix[:, ::2], "x"), matrix))

    def test_every_kind_and_layout_gives_the_same_bits(self):
        whole = np.random.default_rng(1).integers(-100, 100, (40, DIMENSION))
        plain = whole.astype(np.float32)
        wide = np.zeros((80, 3 * DIMENSION), np.float32)
        wide[::2, ::3] = plain
        unaligned = np.zeros(plain.nbytes + 1, np.uint8)[1:].view(np.float32).reshape(plain.shape)
        unaligned[:] = plain
        read_only = plain.copy()
        read_only.flags.writeable = False
        layouts = {
            "float16": plain.astype(np.float16),
            "float64": plain.astype(np.float64),
            "int8": whole.astype(np.int8),
            "int64": whole,
            "list": whole.tolist(),
            "Fortran": np.asfortranarray(plain),
            "strided": wide[::2, ::3],
            "backwards": plain[::-1, ::-1][::-1, ::-1],
            "big-endian": plain.astype(">f4"),
            "unaligned": unaligned,
            "read-only": read_only,
            "float32": plain,
        }
        expected = None
        for name, matrix in layouts.items():
            with self.subTest(name):
                index = vicinal.Index(dimension=DIMENSION)
                index.upsert_batch(range(40), matrix)
                alone = vicinal.Index(dimension=DIMENSION)
                for label in range(40):
                    alone.upsert(label, matrix[label])
                    self.same(index.get(label), plain[label])
                    self.same(alone.get(label), plain[label])
                many = index.search(matrix, k=3, exact=True)
                one = [index.search(row, k=3, exact=True) for row in matrix]
                fast = [index.search(row, k=3, ef_search=40) for row in matrix]
                expected = expected or many
                for answer in (many, tuple(zip(*one)), tuple(zip(*fast))):
                    self.same(answer[0], expected[0])
                    self.same(answer[1], expected[1])

    def test_buffers_that_are_no_numpy_arrays(self):
        index = vicinal.Index(dimension=3)
        index.upsert(1, array.array("f", [1, 2, 3]))
        index.upsert(2, memoryview(array.array("d", [3, 2, 1])))
        self.same(index.get(1), [1, 2, 3])
        self.same(index.get(2), [3, 2, 1])
        self.assertEqual(index.search(array.array("f", [1, 2, 3]), k=1)[0].tolist(), [1])

    def test_what_is_no_vector_is_refused(self):
        index = filled(10)
        with self.refused(TypeError, "vector must be numbers, not complex128"):
            index.upsert(1, np.ones(DIMENSION, complex))
        with self.refused(TypeError, "queries must be numbers, not bool"):
            index.search(np.ones(DIMENSION, bool))
        with self.refused(TypeError, "vector must be numbers, not <U"):
            index.upsert(1, ["a"] * DIMENSION)
        with self.refused(vicinal.InvalidArgument, "vector must have 1 dimension, not 2"):
            index.upsert(1, rows(1))
        with self.refused(vicinal.InvalidArgument, "1 or 2 dimensions, not 3"):
            index.search(np.zeros((1, 1, DIMENSION)))
        with self.refused(vicinal.InvalidArgument, "2 dimensions .rows, components., not 1"):
            index.upsert_batch([1], rows(1)[0])
        with self.refused(vicinal.InvalidArgument, "dimension 3, index has 16"):
            index.upsert(1, [1, 2, 3])
        with self.refused(vicinal.InvalidArgument, "dimension 3, index has 16"):
            index.search(np.float32([1, 2, 3]))
        with self.refused(vicinal.InvalidArgument, "dimension 3, index has 16"):
            index.search(np.ones((2, 3)))
        for value in (np.nan, np.inf, 1e300):
            with self.assertRaises(vicinal.InvalidArgument):
                index.upsert(1, np.full(DIMENSION, value))
            with self.assertRaises(vicinal.InvalidArgument):
                index.search(np.full(DIMENSION, value, np.float64))
        self.assertEqual(len(index), 10)


class Labels(Case):
    def test_integers_of_any_kind(self):
        for kind in (np.int8, np.uint8, np.int16, ">i2", np.int32, np.uint32, np.int64, np.uint64):
            with self.subTest(str(kind)):
                index = vicinal.Index(dimension=DIMENSION)
                numbers = np.arange(0, 100, 7).astype(kind)
                index.upsert_batch(numbers, rows(len(numbers)))
                index.upsert(numbers[0], rows(1)[0])
                self.assertIn(numbers[3], index)
                self.same(index.get(numbers[3]), rows(len(numbers))[3])
                self.assertEqual(index.erase_batch(numbers[::-1][:3]), 3)
                self.assertTrue(index.erase(numbers[0]))
                self.assertEqual(len(index), len(numbers) - 4)

    def test_the_whole_range_in_every_container(self):
        ends = [0, 2**63 - 1, 2**63, 2**64 - 1]  # numpy makes floats of this list
        containers = (ends, tuple(ends), iter(ends), np.array(ends, object), set(ends))
        for container in containers + (np.array(ends, np.uint64), np.array(ends * 2, "u8")[:4]):
            numbers = _arrays.labels(container)
            self.assertEqual(sorted(numbers.tolist()), ends)
        index = vicinal.Index(dimension=DIMENSION)
        for row, label in enumerate(ends):
            self.assertEqual(index.upsert(label, rows(4)[row]), vicinal.UpsertOutcome.INSERTED)
            self.same(index.get(label), rows(4)[row])
        self.assertEqual(sorted(index.search(rows(1)[0], k=9)[0].tolist()), ends)

    def test_uint64_is_not_copied(self):
        numbers = np.arange(9, dtype=np.uint64)
        self.assertTrue(np.shares_memory(_arrays.labels(numbers), numbers))

    def test_what_is_no_label_is_refused(self):
        index = filled(10)
        row = rows(1)[0]
        for label in (-1, 2**64, np.int64(-1), -(2**70)):
            for call in (
                lambda: index.upsert(label, row),
                lambda: index.erase(label),
                lambda: index.get(label),
                lambda: label in index,
                lambda: index.node(label),
                lambda: index.upsert_batch([label], [row]),
                lambda: index.erase_batch([3, label]),
                lambda: vicinal.LabelSet([label]),
            ):
                with self.refused(vicinal.InvalidArgument, f"label {label} is not from 0 to 2"):
                    call()
        with self.refused(vicinal.InvalidArgument, "label -2 is below 0"):
            index.erase_batch(np.array([3, -2]))
        for label in (1.0, "1", None, True, np.float64(1), np.bool_(True)):
            for call in (
                lambda: index.upsert(label, row),
                lambda: index.erase(label),
                lambda: index.upsert_batch([label], [row]),
            ):
                with self.refused(TypeError, "label must be an integer, not"):
                    call()
        with self.refused(TypeError, "labels must be integers, not float64"):
            index.erase_batch(np.array([1.0]))
        with self.refused(TypeError, "labels must be integers, not bool"):
            index.erase_batch(np.array([True]))
        with self.refused(vicinal.InvalidArgument, "labels must have 1 dimension, not 2"):
            index.erase_batch(np.array([[1]]))
        with self.refused(vicinal.InvalidArgument, "2 labels for 1 vectors"):
            index.upsert_batch([1, 2], [row])
        self.assertEqual(len(index), 10)


class Numbers(Case):
    def test_no_number_is_cut_to_fit(self):
        # ctypes would make 16 of 2**32 + 16.
        for settings in (
            {"M": 2**32 + 16},
            {"threads": -1},
            {"seed": 2**64},
            {"dimension": 2**40},
        ):
            with self.refused(vicinal.InvalidArgument, "not from 0 to"):
                vicinal.Index(**{"dimension": 4, **settings})
        with self.refused(TypeError, "M must be an integer, not float"):
            vicinal.Index(dimension=4, M=16.0)
        with self.refused(TypeError, "salvage must be a bool, not int"):
            vicinal.Index(dimension=4, salvage=1)
        with self.refused(TypeError, "no option 'dimensions'"):
            vicinal.Index(dimensions=4)
        with self.refused(vicinal.InvalidArgument, "'l1' is none of cosine, inner_product, l2"):
            vicinal.Index(dimension=4, metric="l1")
        with self.refused(vicinal.InvalidArgument, "7 is none of none, int8"):
            vicinal.Index(dimension=4, quantization=7)


if __name__ == "__main__":
    unittest.main()

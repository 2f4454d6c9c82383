"""The package beside the C ABI: layouts, words and functions agree; everything is documented."""

import ctypes
import inspect
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

import numpy as np

import vicinal
from testing import Case
from vicinal import _call, _errors, _library, _structs

ROOT = Path(__file__).resolve().parents[2]
HEADERS = "\n".join(file.read_text() for file in sorted((ROOT / "engine/c/vicinal/c").glob("*.h")))

# Functions of the C ABI that Python has no use for, and why.
UNUSED = {
    "vicinal_set_allocator": "functions of C, before any other use",
    "vicinal_store_path": "the path is kept as it was given",
    "vicinal_label_set_for_each_stored": "stored() has them in one array",
    "vicinal_status_name": "an exception's class is its name",
}


def structs():
    return {
        re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower(): kind
        for kind in vars(_structs).values()
        if inspect.isclass(kind) and issubclass(kind, ctypes.Structure)
        if kind is not ctypes.Structure
    }


class Layout(Case):
    def test_every_field_stands_where_a_c_compiler_puts_it(self):
        kinds = structs()
        lines, expected = [], []
        for name, kind in kinds.items():
            lines.append(f'printf("%zu\\n", sizeof(vicinal_{name}));')
            expected.append((name, ctypes.sizeof(kind)))
            for field, *_ in kind._fields_:
                of = f"vicinal_{name}, {field}"
                lines.append(f'printf("%zu\\n", offsetof({of}));')
                expected.append((of, getattr(kind, field).offset))
                lines.append(f'printf("%zu\\n", sizeof(((vicinal_{name}*)0)->{field}));')
                expected.append((f"size of {of}", getattr(kind, field).size))
        source = self.path("layout.c")
        Path(source).write_text(
            "#include <stddef.h>\n#include <stdio.h>\n#include <vicinal.h>\n"
            "int main(void) {\n" + "\n".join(lines) + "\n}\n"
        )
        program = self.path("layout")
        subprocess.run(
            [os.environ["VICINAL_CC"], "-std=c11", "-I", ROOT / "engine/c", source, "-o", program],
            check=True,
        )
        told = subprocess.run([program], check=True, capture_output=True, text=True).stdout
        self.assertEqual([int(number) for number in told.split()], [size for _, size in expected])

    def test_every_struct_of_the_headers_is_here_with_every_field(self):
        declared = dict(
            re.findall(r"typedef struct vicinal_(\w+) \{(.*?)\n\} vicinal_\1;", HEADERS, re.S)
        )
        self.assertEqual(sorted(declared), sorted(structs()))
        for name, body in declared.items():
            body = re.sub(r"//.*", "", body)
            fields = re.findall(r"[ *](\w+)(?:\[\w+\])?;", body)
            self.assertEqual(fields, [field for field, *_ in structs()[name]._fields_], name)


class Words(Case):
    def test_enumerations_have_the_words_of_the_library(self):
        for kind, function in (
            (vicinal.Metric, "metric"),
            (vicinal.Quantization, "quantization"),
            (vicinal.Storage, "storage"),
            (vicinal.Durability, "durability"),
            (vicinal.UpsertOutcome, "upsert_outcome"),
            (vicinal.SearchPath, "search_path"),
            (vicinal.EventKind, "event"),
            (vicinal.Severity, "severity"),
        ):
            word = getattr(_library.lib, f"vicinal_{function}_name")
            word.restype = ctypes.c_char_p
            for member in kind:  # no aliases
                self.assertEqual(str(member), word(int(member)).decode(), kind)
            self.assertEqual(word(len(kind)), b"unknown", kind)

    def test_every_status_has_its_exception(self):
        declared = dict(
            (name.lower(), int(number))
            for name, number in re.findall(
                r"VICINAL_(\w+) = (\d+)", HEADERS.split("int32_t vicinal_status;")[1].split("};")[0]
            )
        )
        del declared["ok"]
        snake = {
            re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower(): code
            for code, kind in _errors.BY_CODE.items()
        }
        self.assertEqual(snake, declared)
        for kind in _errors.BY_CODE.values():
            self.assertIs(getattr(vicinal, kind.__name__), kind)
            self.assertTrue(issubclass(kind, vicinal.Error))
        self.assertTrue(issubclass(vicinal.InvalidArgument, ValueError))

    def test_lengths(self):
        for name in ("MAX_LEVELS", "DEGREES", "NAME_BYTES", "TARGET_BYTES", "ERROR_BYTES"):
            self.assertIn(f"VICINAL_{name} = {getattr(_structs, name)}", HEADERS)

    def test_the_version(self):
        cmake = (ROOT / "CMakeLists.txt").read_text()
        self.assertIn(f"project(vicinal VERSION {vicinal.__version__} ", cmake)


class Functions(Case):
    def test_every_function_of_the_library_is_used(self):
        exported = set(re.findall(r"vicinal_\w+", (ROOT / "engine/c/vicinal.map").read_text()))
        source = "\n".join(
            file.read_text() for file in (ROOT / "tools/python/vicinal").glob("*.[pc]*")
        )
        for name in sorted(exported):
            if re.search(r"_(metric|quantization|storage|durability|outcome|path|event|severity)_name$",
                         name):
                continue  # see Words
            used = len(re.findall(rf"\b{name}\b", source)) > (name in _library._FALLIBLE)
            self.assertEqual(used, name not in UNUSED, name)

    def test_every_library_function_is_declared_with_as_many_arguments(self):
        code = re.sub(r"//.*", "", HEADERS)
        for name, arguments in _library._FALLIBLE.items():
            (declared,) = re.findall(rf"\b{name}\((.*?)\);", code, re.S)
            self.assertEqual(len(arguments), declared.count(",") + 1, name)

    def test_everything_public_is_documented_and_annotated(self):
        self.assertEqual(vicinal.__all__, sorted(vicinal.__all__))
        for name in vicinal.__all__:
            thing = getattr(vicinal, name)
            if not callable(thing):
                continue
            self.assertTrue(inspect.getdoc(thing), name)
            functions = [(name, thing)] if inspect.isfunction(thing) else []
            if inspect.isclass(thing) and thing.__module__ in (
                *("vicinal._index", "vicinal._store", "vicinal._stream", "vicinal._label_set"),
            ):
                functions = inspect.getmembers(thing, inspect.isfunction)
                functions += [
                    (key, value.fget)
                    for key, value in inspect.getmembers(thing, lambda m: isinstance(m, property))
                ]
            for key, function in functions:
                if key.startswith("_") and not key.startswith("__") or key in ("__reduce__",):
                    continue
                signature = inspect.signature(function)
                with self.subTest(f"{name}.{key}"):
                    self.assertIsNot(signature.return_annotation, inspect.Signature.empty)
                    for parameter in list(signature.parameters.values()):
                        if parameter.name not in ("self", "cls", "_"):
                            self.assertIsNot(parameter.annotation, inspect.Parameter.empty)
                    if not key.startswith("__"):
                        self.assertTrue(inspect.getdoc(function))
        for words in ("(rows, dimension)", "(found,)", "float32", "NO_LABEL", "Errors:", "GIL"):
            self.assertIn(words, vicinal.Index.search.__doc__)
        for function in (vicinal.Index.upsert, vicinal.Index.upsert_batch, vicinal.Index.get):
            self.assertIn("shape", function.__doc__)
            self.assertIn("Errors:", function.__doc__)


class Extension(Case):
    """_call.c takes no memory that is not what it says."""

    def setUp(self):
        super().setUp()
        self.index = vicinal.Index(dimension=4)
        self.index.upsert(1, [1, 2, 3, 4])
        self.query = np.float32([1, 2, 3, 4])

    def search(self, *, address=None, query=None, ef=0, exact=False, labels=None, distances=None):
        return _call.search(
            self.index._handle.address if address is None else address,
            self.query if query is None else query,
            ef,
            exact,
            0,
            np.empty(3, np.uint64) if labels is None else labels,
            np.empty(3, np.float32) if distances is None else distances,
        )

    def test_search(self):
        self.assertEqual(self.search(), 1)
        self.assertEqual(self.search(ef=7, exact=True), 1)
        self.assertEqual(self.search(query=self.query[:3]), -1)
        for query in (self.query[::2], self.query.astype("f8"), [1, 2], self.query.reshape(2, 2)):
            self.assertIsNone(self.search(query=query))
        read_only = np.empty(3, np.uint64)
        read_only.flags.writeable = False
        for wrong in (
            {"labels": read_only},
            {"labels": np.empty(3, np.int64)},
            {"labels": np.empty(6, np.uint64)[::2]},
            {"labels": np.empty((3, 1), np.uint64)},
            {"distances": np.empty(2, np.float32)},
            {"distances": np.empty(3, np.float64)},
            {"exact": 1},
            {"ef": "many"},
            {"address": "here"},
        ):
            with self.assertRaises(TypeError, msg=wrong):
                self.search(**wrong)
        with self.assertRaises(OverflowError):
            self.search(ef=-1)
        self.assertEqual(self.search(address=0), -vicinal.InvalidArgument.code)
        with self.assertRaises(TypeError):
            _call.search(1, 2)

    def test_upsert(self):
        address = self.index._handle.address
        self.assertEqual(_call.upsert(address, 1, self.query), vicinal.UpsertOutcome.UNCHANGED)
        self.assertIsNone(_call.upsert(address, 1, self.query[::-1]))
        self.assertEqual(_call.upsert(0, 1, self.query), -vicinal.InvalidArgument.code)
        for arguments in ((address, 1), (address, "1", self.query), (address, True, self.query)):
            with self.assertRaises(TypeError):
                _call.upsert(*arguments)
        with self.assertRaises(OverflowError):
            _call.upsert(address, 2**64, self.query)

    def test_keeps_no_reference(self):
        before = [sys.getrefcount(self.query), sys.getrefcount(None)]
        for _ in range(1000):
            self.search()
            self.search(query=[1])
            _call.upsert(self.index._handle.address, 1, self.query)
        after = [sys.getrefcount(self.query), sys.getrefcount(None)]
        self.assertEqual(after[0], before[0])
        self.assertLess(abs(after[1] - before[1]), 100)


class CpuTargets(Case):
    def test_listed_forced_and_refused(self):
        targets = vicinal.cpu_targets()
        self.assertEqual([target.chosen for target in targets].count(True), 1)
        (chosen,) = [target.name for target in targets if target.chosen]
        self.assertEqual(vicinal.chosen_cpu_target(), chosen)
        last = [target for target in targets if target.supported][-1].name
        vicinal.force_cpu_target(last)
        try:
            self.assertEqual(vicinal.chosen_cpu_target(), last)
            self.assertEqual(vicinal.Index(dimension=4).stats().target, last)
        finally:
            vicinal.force_cpu_target("")
        self.assertEqual(vicinal.chosen_cpu_target(), chosen)
        with self.refused(vicinal.InvalidArgument, last):
            vicinal.force_cpu_target("abacus")


if __name__ == "__main__":
    unittest.main()

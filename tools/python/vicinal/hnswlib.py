"""The interface of hnswlib's Python module (0.8), for programs written for it.

    import vicinal.hnswlib as hnswlib

    index = hnswlib.Index(space="cosine", dim=128)
    index.init_index(max_elements=10_000, ef_construction=200, M=16)
    index.add_items(data, ids)
    labels, distances = index.knn_query(data, k=3)

What hnswlib says of its methods holds; errors are RuntimeErrors with its words. What differs:

- Components must be finite, and in space cosine no vector may be zero: RuntimeError.
- Where add_items() finds no room, or a row it refuses, none of its rows is stored.
- Searches and writes of any kind may run at the same time, in any number of threads.
- An index used before init_index() or load_index() is refused; there it ends the process.
- M is taken as the nearest of 4 to 64; graphs are walked over int8 codes, distances are exact.
- save_index() writes a stream of vicinal's, which vicinal.Index.load() reads, too; load_index()
  takes it and hnswlib's own files.

`vicinal` itself does more: durable stores, upserts, searches by radius and by sets of labels.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np
from numpy.typing import ArrayLike

from ._errors import NotFound
from ._hnswlib import Common, errors
from ._types import Labels, Vectors

__all__ = ["BFIndex", "Index"]


class Index(Common):
    """An approximate index: hnswlib.Index(space, dim), with space "l2", "ip" or "cosine".

    Attributes as there: space, dim, M, ef_construction, max_elements, element_count, and, to be
    set, ef and num_threads.
    """

    def __init__(self, space: str, dim: int) -> None:
        super().__init__(space, dim)
        self._settings = {"M": 0, "ef_construction": 0}
        self._replaces = False
        self.ef = 10

    @property
    def M(self) -> int:
        """Links per node, as given."""
        return self._settings["M"]

    @property
    def ef_construction(self) -> int:
        """Candidates while building, as given, M at least."""
        return self._settings["ef_construction"]

    @property
    def max_elements(self) -> int:
        """As get_max_elements()."""
        return self.get_max_elements()

    @property
    def element_count(self) -> int:
        """As get_current_count()."""
        return self.get_current_count()

    def init_index(
        self,
        max_elements: int,
        M: int = 16,
        ef_construction: int = 200,
        random_seed: int = 100,
        allow_replace_deleted: bool = False,
    ) -> None:
        """Makes the index, empty. RuntimeError when there is one."""
        self._make(max_elements, seed=random_seed, **_nearest(M, ef_construction))
        self._settings = {"M": M, "ef_construction": max(ef_construction, M)}
        self._replaces = allow_replace_deleted

    def set_ef(self, ef: int) -> None:
        """Sets the candidates of a search."""
        self.ef = ef

    def add_items(
        self,
        data: ArrayLike,
        ids: Optional[ArrayLike] = None,
        num_threads: int = -1,
        replace_deleted: bool = False,
    ) -> None:
        """Stores the rows of `data` under `ids`, by default consecutive numbers.

        A row whose id is there replaces it. With `replace_deleted` new ones take the place of
        deleted ones, as long as there are any.
        RuntimeError: a wrong shape; no room; a deleted id where deleted ones are to be replaced.
        """
        self._ready()
        rows = self._rows(data)
        if replace_deleted and not self._replaces:
            raise RuntimeError("Replacement of deleted elements is disabled in constructor")
        with self._lock:
            numbers = self._ids(ids, len(rows))
            if self._replaces and not replace_deleted and self._deleted:
                if not self._deleted.keys().isdisjoint(numbers.tolist()):
                    raise RuntimeError("Can't use addPoint to update a deleted element. It will be "
                                       "replaced by another element.")
            self._store(rows, numbers, self._threads(num_threads), replace_deleted)

    def knn_query(
        self,
        data: ArrayLike,
        k: int = 1,
        num_threads: int = -1,
        filter: Optional[Callable[[int], Any]] = None,
    ) -> Tuple[Labels, Vectors]:
        """(labels, distances) of the k nearest to each row, both of shape (rows, k).

        RuntimeError where there are fewer than k.
        """
        width = max(self.ef, k, 1)
        # A narrow walk by int8 codes finds a little less than hnswlib's by float32: two more make up.
        width += 2 + width // 32
        return self._search(data, k, num_threads, filter, ef_search=min(width, 100_000))

    def mark_deleted(self, label: int) -> None:
        """Hides `label` from searches. RuntimeError: it is not there, or is deleted."""
        with self._lock:
            if label in self._deleted:
                raise RuntimeError("The requested to delete element is already deleted")
            row = self._get(label)
            with errors():
                self._ready().erase(label)
            self._deleted[int(label)] = row

    def unmark_deleted(self, label: int) -> None:
        """Has searches find a deleted `label` again. RuntimeError: it is not deleted."""
        with self._lock:
            row = self._deleted.get(label)
            if row is None:
                self._get(label)
                raise RuntimeError("The requested to undelete element is not deleted")
            with errors():
                self._ready().upsert(label, row)
            del self._deleted[label]

    def resize_index(self, new_size: int) -> None:
        """Sets max_elements. RuntimeError below the elements that there are."""
        with self._lock:
            self._ready()
            if new_size < self.get_current_count():
                raise RuntimeError("Cannot resize, max element is less than the current number of "
                                   "elements")
            self._max_elements = int(new_size)

    def _get(self, label):
        try:
            with errors():
                return self._ready().get(label)
        except RuntimeError as error:
            if isinstance(error.__cause__, NotFound):
                raise RuntimeError("Label not found") from error
            raise

    def get_items(self, ids: Optional[ArrayLike] = None, return_type: str = "numpy") -> Any:
        """The vectors under `ids`, normalized in space cosine: a matrix, or lists ("list").

        RuntimeError: one is not there, or is deleted.
        """
        if return_type not in ("numpy", "list"):
            raise RuntimeError("return_type should be \"numpy\" or \"list\"")
        if ids is not None and np.ndim(ids) == 0:
            raise ValueError("get_items accepts a list of indices and returns a list of vectors")
        labels = [] if ids is None else np.asarray(ids, np.uint64).tolist()
        rows = [self._get(label) for label in labels]
        return np.array(rows, np.float32) if return_type == "numpy" else [r.tolist() for r in rows]

    def get_ids_list(self) -> List[int]:
        """All ids, those of deleted elements among them, in no order."""
        with self._lock:
            index = self._ready()
            with errors():
                query = np.ones(self._dim, np.float32)
                labels, _ = index.search(query, len(index), exact=True)
            return [*labels.tolist(), *self._deleted]

    def index_file_size(self) -> int:
        """Bytes that save_index() would write. Cost: as save_index(), in memory."""
        return len(self._to_bytes())

    def load_index(
        self, path_to_index: str, max_elements: int = 0, allow_replace_deleted: bool = False
    ) -> None:
        """Takes over what save_index() wrote here or in hnswlib, or the file of a vicinal.Index, in
        place of what is here. Of hnswlib's files the rows are linked anew, by all threads; they do
        not say their space.
        RuntimeError: no such file, or of another kind, dimension or space."""
        self._load(path_to_index, max_elements)
        self._adopt(allow_replace_deleted)

    def _options_of(self, info):
        return None if info.brute_force else _nearest(info.M, info.ef_construction)

    def _adopt(self, allow_replace_deleted):
        options = self._ready().options
        self._settings = {"M": options.M, "ef_construction": options.ef_construction}
        self._replaces = allow_replace_deleted
        self.ef = 10

    def __getstate__(self) -> Dict[str, Any]:
        kept = ("_space", "_dim", "_settings", "_replaces", "_next", "ef", "num_threads")
        with self._lock:
            state = {key: getattr(self, key) for key in kept}
            state["data"] = None if self._index is None else self._to_bytes()
        return state

    def __setstate__(self, state: Dict[str, Any]) -> None:
        state = dict(state)
        data = state.pop("data")
        Index.__init__(self, state["_space"], state["_dim"])
        if data is not None:
            self._read(data)
        self.__dict__.update(state)


def _nearest(M, ef_construction):
    """The options nearest to those of hnswlib, which takes any."""
    M = min(max(M, 4), 64)
    return {"M": M, "ef_construction": min(max(ef_construction, M), 10_000)}


class BFIndex(Common):
    """An exact index: hnswlib.BFIndex(space, dim); every search compares with all vectors."""

    # Searches pass the graph over.
    _SMALLEST: Dict[str, Any] = {"M": 4, "ef_construction": 4, "quantization": "none"}

    def _options_of(self, info):
        return self._SMALLEST if info.brute_force else None

    def init_index(self, max_elements: int) -> None:
        """Makes the index, empty. RuntimeError when there is one."""
        self._make(max_elements, **self._SMALLEST)

    def add_items(self, data: ArrayLike, ids: Optional[ArrayLike] = None) -> None:
        """Stores the rows of `data` under `ids`, by default consecutive numbers."""
        self._ready()
        rows = self._rows(data)
        with self._lock:
            self._store(rows, self._ids(ids, len(rows)), self._threads(-1), False)

    def delete_vector(self, label: int) -> None:
        """Erases `label`, if it is there."""
        with self._lock, errors():
            self._ready().erase(label)

    def knn_query(
        self,
        data: ArrayLike,
        k: int = 1,
        num_threads: int = -1,
        filter: Optional[Callable[[int], Any]] = None,
    ) -> Tuple[Labels, Vectors]:
        """(labels, distances) of the k nearest to each row, both of shape (rows, k).

        RuntimeError where there are fewer than k.
        """
        return self._search(data, k, num_threads, filter, exact=True)

    def load_index(self, path_to_index: str, max_elements: int = 0) -> None:
        """As Index.load_index()."""
        self._load(path_to_index, max_elements)

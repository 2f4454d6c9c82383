"""Searching an index: the nearest, many at once, and all within a radius."""

from __future__ import annotations

import ctypes
from typing import Any, Callable, Iterable, List, Optional, SupportsFloat, Tuple, Union

import numpy as np
from numpy.typing import ArrayLike

from . import _arrays, _call, _structs
from ._arrays import F32, U64
from ._callbacks import Callbacks, copied
from ._errors import InvalidArgument
from ._label_set import LabelSet, as_label_set
from ._library import Handle, check, failure, free_of, lib, new
from ._types import ExpectedRecall, Hits, Labels, SearchCounters, Vectors, answer

_empty = np.empty
_search_one = _call.search


class Searching:
    """The part of Index that searches."""

    _handle: Any

    def search(
        self,
        queries: ArrayLike,
        k: int = 10,
        *,
        ef_search: int = 0,
        filter: Optional[Callable[[int], Any]] = None,
        labels: Optional[Union[LabelSet, Iterable[Any]]] = None,
        exact: bool = False,
        recall: float = 0.0,
        max_distances: int = 0,
        timeout: Optional[float] = None,
        threads: int = 0,
        counters: Optional[List[SearchCounters]] = None,
    ) -> Tuple[Labels, Vectors]:
        """The k nearest live vectors: (labels, distances), nearest first, ties by label.

        queries    One query, shape (dimension,): labels and distances have shape (found,), where
                   found is at most k; without a filter it is min(k, live).
                   Many, shape (rows, dimension): both have shape (rows, k); where a row has fewer
                   hits its rest is NO_LABEL (2**64 - 1) and infinity. Each row sees a moment of its
                   own. float32, float16, float64 or integers with any strides; contiguous float32
                   is not copied.
        k          0 finds none.
        ef_search  Candidates kept during the walk, at most 100,000; at least k is used; 0: the
                   index's. More cost time and find more of the true nearest.
        filter     Which labels may be returned: those for which this callable is true. It may call
                   the index, and write to it.
        labels     Which labels may be returned, as a LabelSet or integers; with a filter both
                   count. A LabelSet is prepared once for many searches.
        exact      Compare with every live vector instead of walking the graph.
        recall     In place of ef_search: the share of the k nearest that is to be found on average,
                   0 to 1; 0: not said, 1: exact. The first search that says one waits for what
                   expected_recall() measures, unless it has one of the two limits that follow.
        max_distances  Distances computed before a search stops with the best met until then; 0: no
                   limit. SearchCounters.stopped says that it did.
        timeout    Seconds after which the call stops in the same way; None: no limit.
        threads    For many queries, at most 4,096; 0: the index's.
        counters   A list that gets a SearchCounters for each query.

        Labels are uint64, distances float32 and exact: computed from the stored vectors, smaller is
        nearer. The GIL is released; any number of threads may search while others write.
        Errors: InvalidArgument (wrong dimension, NaN or infinity, under cosine a zero vector, an
        option out of range), Corruption, IoError (a vector that is not in memory), Closed; what the
        filter raises.
        """
        allowed = None if labels is None else as_label_set(labels)
        limits = recall, max_distances, timeout
        if filter is None and counters is None and limits == (0, 0, None):
            how = (self._handle, ef_search, exact, allowed)
            try:
                found_labels, distances = _empty(k, U64), _empty(k, F32)
            except ValueError:
                raise _refused_k(k) from None
            found = _search_of(how, queries, found_labels, distances)
            if found is None:  # many, or one to be converted
                rows = _arrays.vectors(queries, "queries")
                found = _search_of(how, rows, found_labels, distances)
            if found is not None:
                if found == k:
                    return found_labels, distances
                return found_labels[:found], distances[:found]
        rows = _arrays.vectors(queries, "queries")
        k = _arrays.unsigned(k, 64, "k")
        with Callbacks() as callbacks:
            options, keeps = _options(
                _structs.SearchOptions, callbacks, ef_search, filter, allowed, exact
            )
            _set_limits(options, *limits)
            if rows.ndim == 1:
                handle = self._handle  # lives as long as the call
                query = (handle.address, rows.ctypes.data, rows.size)
                told = self._one(
                    lib.vicinal_index_search, query, k, options, callbacks, counters
                )
            elif rows.ndim == 2:
                told = self._many(rows, k, options, threads, callbacks, counters)
            else:
                raise InvalidArgument(f"queries must have 1 or 2 dimensions, not {rows.ndim}")
        del keeps
        return told

    def _one(self, function, arguments, k, options, callbacks, counters):
        """What `function` of the library finds, which takes `arguments` and then k, options and the
        places of an answer."""
        labels, distances = _arrays.results(k)
        found = ctypes.c_size_t()
        cost = new(_structs.SearchCounters)
        callbacks.check(
            function(
                *arguments,
                k,
                ctypes.addressof(options),
                labels.ctypes.data,
                distances.ctypes.data,
                ctypes.byref(found),
                ctypes.addressof(cost),
            )
        )
        if counters is not None:
            counters.append(answer(SearchCounters, cost))
        return labels[: found.value], distances[: found.value]

    def _many(self, queries, k, options, threads, callbacks, counters):
        handle = self._handle
        rows, dimension = queries.shape
        labels, distances = _arrays.results((rows, k))
        costs = None
        if counters is not None and rows:
            costs = (_structs.SearchCounters * rows)()
            costs[0].size = ctypes.sizeof(_structs.SearchCounters)
        callbacks.check(
            lib.vicinal_index_search_batch(
                handle.address,
                queries.ctypes.data,
                rows,
                dimension,
                k,
                ctypes.addressof(options),
                _arrays.unsigned(threads, 32, "threads"),
                labels.ctypes.data,
                distances.ctypes.data,
                None,
                None if costs is None else ctypes.addressof(costs),
            )
        )
        if costs is not None:
            counters.extend(answer(SearchCounters, cost) for cost in costs)
        return labels, distances

    def more(
        self,
        query: ArrayLike,
        known: ArrayLike,
        n: int,
        *,
        ef_search: int = 0,
        filter: Optional[Callable[[int], Any]] = None,
        labels: Optional[Union[LabelSet, Iterable[Any]]] = None,
        exact: bool = False,
        recall: float = 0.0,
        max_distances: int = 0,
        timeout: Optional[float] = None,
        counters: Optional[List[SearchCounters]] = None,
    ) -> Tuple[Labels, Vectors]:
        """The next `n` hits of `query`, shape (dimension,), behind those with the labels `known`.

        A search for len(known) + n at a moment of its own, without those: nothing is held between
        calls. The others, the answer and the errors are as in search() of one query.
        """
        row = _arrays.vectors(query, "query")
        if row.ndim != 1:
            raise InvalidArgument(f"query must have 1 dimension, not {row.ndim}")
        behind = _arrays.labels(known)
        handle = self._handle  # lives as long as the call
        sought = (handle.address, row.ctypes.data, row.size, behind.ctypes.data, behind.size)
        n = _arrays.unsigned(n, 64, "n")
        with Callbacks() as callbacks:
            options, keeps = _options(
                _structs.SearchOptions, callbacks, ef_search, filter, labels, exact
            )
            _set_limits(options, recall, max_distances, timeout)
            told = self._one(lib.vicinal_index_more, sought, n, options, callbacks, counters)
        del keeps
        return told

    def expected_recall(self, k: int = 10) -> ExpectedRecall:
        """What is known of recall@k by ef_search, where search() is given a recall.

        Measured on the index's own vectors, and learned from queries asked with a recall and without
        a filter; measured again when the index changes by a tenth. Where nothing is known of that k
        it is measured now, a second or so.
        Errors: InvalidArgument (k is 0), Closed.
        """
        most = 64
        efs = (ctypes.c_size_t * most)()
        recalls = (ctypes.c_double * most)()
        count = ctypes.c_size_t()
        own, queries = ctypes.c_uint64(), ctypes.c_uint64()
        handle = self._handle
        check(
            lib.vicinal_index_expected_recall(
                handle.address,
                _arrays.unsigned(k, 64, "k"),
                ctypes.addressof(efs),
                ctypes.addressof(recalls),
                most,
                ctypes.byref(count),
                ctypes.byref(own),
                ctypes.byref(queries),
            )
        )
        rows = min(count.value, most)
        return ExpectedRecall(tuple(efs[:rows]), tuple(recalls[:rows]), own.value, queries.value)

    def search_radius(
        self,
        query: ArrayLike,
        radius: SupportsFloat,
        *,
        max_hits: int = 0,
        ef_search: int = 0,
        filter: Optional[Callable[[int], Any]] = None,
        labels: Optional[Union[LabelSet, Iterable[Any]]] = None,
        exact: bool = False,
        counters: Optional[List[SearchCounters]] = None,
    ) -> Hits:
        """The live vectors within `radius` (distance <= radius) of `query`, shape (dimension,).

        Answers Hits(labels, distances, cut), nearest first: all that the walk finds, and with
        `exact` all that there are. `max_hits` is the most returned, 0: no limit; `cut` says whether
        there were more. The others are as in search().
        Errors: as search(); InvalidArgument for a radius that is not a number.
        """
        handle = self._handle
        row = _arrays.vectors(query, "query")
        if row.ndim != 1:
            raise InvalidArgument(f"query must have 1 dimension, not {row.ndim}")
        hits = Handle(free_of("vicinal_hits_free"))
        cost = new(_structs.SearchCounters)
        with Callbacks() as callbacks:
            options, keeps = _options(
                _structs.RadiusOptions, callbacks, ef_search, filter, labels, exact
            )
            options.max_hits = _arrays.unsigned(max_hits, 64, "max_hits")
            callbacks.check(
                hits.made_by(
                    lib.vicinal_index_search_radius,
                    handle.address,
                    row.ctypes.data,
                    row.size,
                    _arrays.number(radius, "radius"),
                    ctypes.addressof(options),
                    then=(ctypes.addressof(cost),),
                )
            )
        del keeps
        if counters is not None:
            counters.append(answer(SearchCounters, cost))
        count = lib.vicinal_hits_count(hits.address)
        return Hits(
            copied(lib.vicinal_hits_labels(hits.address), count, U64),
            copied(lib.vicinal_hits_distances(hits.address), count, F32),
            lib.vicinal_hits_cut(hits.address),
        )


def _search_of(how, query, labels, distances):
    """How many were found; None where `query` is not one of float32, or an option of another type
    than most (an integer of numpy's), or of a wrong one."""
    handle, ef_search, exact, allowed = how
    label_set = 0 if allowed is None else allowed._handle.address
    try:
        found = _search_one(handle.address, query, ef_search, exact, label_set, labels, distances)
    except (TypeError, OverflowError):
        return None
    if found is not None and found < 0:
        raise failure(-found)
    return found


def _options(struct, callbacks, ef_search, filter, labels, exact):
    """The options, and what must live as long as the call."""
    options = new(struct)
    options.ef_search = _arrays.unsigned(ef_search, 64, "ef_search")
    options.predicate, options.predicate_context = callbacks.predicate(filter)
    options.exact = _arrays.flag(exact, "exact")
    if labels is not None:
        labels = as_label_set(labels)
        options.labels = labels._handle.address
    return options, labels


def _set_limits(options, recall, max_distances, timeout):
    options.recall = _arrays.number(recall, "recall")
    options.max_distances = _arrays.unsigned(max_distances, 64, "max_distances")
    if timeout is None:
        return
    seconds = _arrays.number(timeout, "timeout")
    if not 0 <= seconds < 2**40:
        raise InvalidArgument(f"timeout is {seconds:g}, not from 0 to {2**40 - 1:,} seconds")
    options.timeout_us = max(1, int(seconds * 1e6))  # 0 is no limit


def _refused_k(k):
    try:
        _arrays.unsigned(k, 64, "k")
    except (TypeError, InvalidArgument) as error:
        return error
    return InvalidArgument(f"k is {k:,}, beyond what memory can have")

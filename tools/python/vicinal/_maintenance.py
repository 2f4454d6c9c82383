"""Keeping an index well: checkpoint, sync, rebuild, repair, validate, recall."""

from __future__ import annotations

import ctypes
from typing import Any, List, Optional

from . import _arrays, _structs
from ._callbacks import Callbacks
from ._library import check, lib, new
from ._options import ProgressLike
from ._types import RepairResult, Stats, ValidateReport, answer


class Maintenance:
    """The part of Index that keeps it well."""

    _handle: Any

    def stats(self) -> Stats:
        """The index's numbers: a Stats."""
        handle = self._handle
        stats = new(_structs.Stats)
        check(lib.vicinal_index_stats(handle.address, ctypes.addressof(stats)))
        return answer(Stats, stats)

    def checkpoint(self, progress: Optional[ProgressLike] = None) -> None:
        """Writes what changed since the last checkpoint, so that reopening need not replay it.

        Readers and writers go on.
        Errors: Cancelled, Busy, IoError, Full, ReadOnly, Closed.
        """
        handle = self._handle
        with Callbacks() as callbacks:
            callbacks.check(
                lib.vicinal_index_checkpoint(handle.address, *callbacks.progress(progress))
            )

    def sync(self) -> None:
        """Makes every acknowledged write survive a power cut, whatever the durability."""
        handle = self._handle
        check(lib.vicinal_index_sync(handle.address))

    def rebuild(self, *, threads: int = 0, progress: Optional[ProgressLike] = None) -> None:
        """Builds a fresh graph of the live vectors beside the old one and swaps it in.

        Tombstones are gone afterwards. Readers and writers go on. `threads`: at most 4,096; 0: the
        index's.
        Errors: Busy (another rebuild runs), Cancelled (nothing changed), Closed.
        """
        handle = self._handle
        with Callbacks() as callbacks:
            options = new(_structs.BatchOptions)
            options.threads = _arrays.unsigned(threads, 32, "threads")
            options.progress, options.progress_context = callbacks.progress(progress)
            callbacks.check(lib.vicinal_index_rebuild(handle.address, ctypes.addressof(options)))

    def repair(
        self, *, slice: int = 0, progress: Optional[ProgressLike] = None
    ) -> RepairResult:
        """Unlinks tombstones and frees their slots, and mends what validate() would report.

        `slice` is the most nodes looked at in this call, a search for new links counting as eight;
        0 finishes the pass, waiting for searches that began before it. Answers a RepairResult.
        Errors: Cancelled (the index is sound; call again to go on), Busy, Closed.
        """
        handle = self._handle
        result = new(_structs.RepairResult)
        with Callbacks() as callbacks:
            options = new(_structs.RepairOptions)
            options.slice = _arrays.unsigned(slice, 64, "slice")
            options.progress, options.progress_context = callbacks.progress(progress)
            callbacks.check(
                lib.vicinal_index_repair(
                    handle.address, ctypes.addressof(options), ctypes.addressof(result)
                )
            )
        return answer(RepairResult, result)

    def validate(
        self,
        *,
        deep: bool = False,
        max_messages: int = 20,
        progress: Optional[ProgressLike] = None,
    ) -> ValidateReport:
        """Walks the graph on every level and checks its invariants: a ValidateReport.

        Read-only; meant for a quiet index: what writers change meanwhile can be reported as a
        problem. `deep` also verifies every stored checksum, and that stored vectors equal those in
        memory. A problem found is no failure of the call: look at `problems` and `messages`.
        Errors: Cancelled, Closed.
        """
        handle = self._handle
        report = new(_structs.ValidateReport)
        messages: List[str] = []
        with Callbacks() as callbacks:
            options = new(_structs.ValidateOptions)
            options.deep = _arrays.flag(deep, "deep")
            options.max_messages = _arrays.unsigned(max_messages, 64, "max_messages")
            options.on_message, options.message_context = callbacks.texts(messages.append)
            options.progress, options.progress_context = callbacks.progress(progress)
            callbacks.check(
                lib.vicinal_index_validate(
                    handle.address, ctypes.addressof(options), ctypes.addressof(report)
                )
            )
        return answer(ValidateReport, report, messages=tuple(messages))

    def recall(
        self,
        *,
        samples: int = 1000,
        k: int = 10,
        ef_search: int = 0,
        seed: int = 1,
        threads: int = 0,
    ) -> float:
        """recall@k of searches against exact search on a sample of live vectors, 0 to 1.

        `samples` vectors are drawn by `seed` and used as queries; each one's own label is left out.
        1 when the index is empty.
        """
        handle = self._handle
        options = new(_structs.RecallOptions)
        options.samples = _arrays.unsigned(samples, 64, "samples")
        options.k = _arrays.unsigned(k, 64, "k")
        options.ef_search = _arrays.unsigned(ef_search, 64, "ef_search")
        options.seed = _arrays.unsigned(seed, 64, "seed")
        options.threads = _arrays.unsigned(threads, 32, "threads")
        recall = ctypes.c_double()
        check(
            lib.vicinal_index_recall(
                handle.address, ctypes.addressof(options), ctypes.byref(recall)
            )
        )
        return recall.value

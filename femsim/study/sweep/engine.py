"""Engines: here in this process, or a pool of processes on this machine.

The pool is one `concurrent.futures.ProcessPoolExecutor` of a single process for every worker. In a common pool a
process that crashes breaks it for all (loky, concurrent.futures), or can leave the lock of the common pipe taken
(pebble): here it costs its own case, and its place is filled again.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from femsim.errors import StudyError
from femsim.study.sweep import folder
from femsim.study.sweep.work import Answer, Job, failed, work

#: Seconds between two looks at time and memory of the workers.
_LOOK = 0.2
#: Share of the machine's memory below which the largest worker is ended, before the system ends any process.
_RESERVE = 0.03


def here(jobs: Sequence[Job]) -> Iterator[tuple[Job, Answer]]:
    """Do the jobs one after the other in this process; time and memory limits are not kept."""
    for job in jobs:
        yield job, work(job)


@dataclass(frozen=True)
class Limits:
    """What one case may take.

    Attributes
    ----------
    seconds : float or None
    gigabytes : float or None
    """

    seconds: float | None = None
    gigabytes: float | None = None


def guarded(job: Job, seconds: float) -> Answer:
    """One job in a worker that this process keeps, ended after a time; for engines that know no time limit."""
    slot = getattr(_own, "slot", None) or _started(job.threads)
    _own.slot = None
    slot.job, slot.start, slot.ended = job, time.monotonic(), None
    slot.future = slot.executor.submit(work, job)
    try:
        while not slot.future.done():
            wait([slot.future], timeout=_LOOK)
            _look([slot], Limits(seconds))
        answer, whole = _answer(slot)
    except BaseException:
        _end(slot)
        raise
    if whole:
        slot.future = None
        _own.slot = slot
    else:
        _end(slot)
    return answer


#: The worker that this thread keeps for `guarded`.
_own = threading.local()


@dataclass
class _Slot:
    """A worker and what it does."""

    executor: ProcessPoolExecutor
    process: Future[int]
    job: Job | None = None
    future: Future[Answer] | None = None
    start: float = 0.0
    ended: BaseException | None = None


class Pending:
    """Jobs that wait, given out so that a worker stays with its mesh and its matrices while there are some."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._groups: OrderedDict[str, OrderedDict[str, deque[Job]]] = OrderedDict()
        for job in jobs:
            mesh = self._groups.setdefault(job.task.mesh, OrderedDict())
            mesh.setdefault(job.task.matrix, deque()).append(job)

    def __bool__(self) -> bool:
        return bool(self._groups)

    def take(self, last: Job | None, busy: Iterable[Job]) -> Job:
        """The next job for a worker whose last job was `last`, while others do `busy`."""
        working = list(busy)
        meshes, matrices = {one.task.mesh for one in working}, {one.task.matrix for one in working}
        mesh = _prefer(self._groups, None if last is None else last.task.mesh, meshes)
        matrix = _prefer(self._groups[mesh], None if last is None else last.task.matrix, matrices)
        queue = self._groups[mesh][matrix]
        job = queue.popleft()
        if not queue:
            del self._groups[mesh][matrix]
        if not self._groups[mesh]:
            del self._groups[mesh]
        return job


def _prefer(groups: OrderedDict[str, Any], mine: str | None, others: set[str]) -> str:
    if mine is not None and mine in groups:
        return mine
    return next((name for name in groups if name not in others), next(iter(groups)))


def pool(jobs: Sequence[Job], workers: int, limits: Limits) -> Iterator[tuple[Job, Answer]]:
    """Do the jobs in processes of this machine, each case as it is finished.

    Parameters
    ----------
    jobs : sequence of Job
    workers : int
        Processes.
    limits : Limits
        A case beyond them is given up and its process replaced.
    """
    pending = Pending(jobs)
    threads = jobs[0].threads if jobs else 1
    slots = [_started(threads) for _ in range(min(workers, len(jobs)))]
    try:
        for slot in slots:
            _give(slot, slots, pending)
        while busy := [slot for slot in slots if slot.future is not None]:
            wait([slot.future for slot in busy if slot.future], timeout=_LOOK, return_when=FIRST_COMPLETED)
            _look(busy, limits)
            for number, slot in enumerate(slots):
                if slot.future is None or not slot.future.done():
                    continue
                assert slot.job is not None
                job, answer, whole = slot.job, *_answer(slot)
                if whole:
                    slot.future = None
                else:
                    _end(slot)
                    slots[number] = _started(threads)
                # before the answer is looked at, so that no worker waits while the driver writes its table
                _give(slots[number], slots, pending)
                yield job, answer
    finally:
        for slot in slots:
            _end(slot)


def _give(slot: _Slot, slots: Sequence[_Slot], pending: Pending) -> None:
    """The next job for a free worker, if there is one."""
    if pending:
        job = pending.take(slot.job, [one.job for one in slots if one.future and one.job])
        slot.job, slot.start, slot.ended = job, time.monotonic(), None
        slot.future = slot.executor.submit(work, job)


def _answer(slot: _Slot) -> tuple[Answer, bool]:
    """What came back, and whether the process is still good."""
    assert slot.future is not None
    assert slot.job is not None
    try:
        return slot.future.result(), True
    except BrokenProcessPool:
        error = slot.ended or StudyError(
            "The process that worked on the case ended without an answer.",
            "It crashed in the code of a library, or was ended from outside: by the system for lack of memory, or by "
            "hand.",
            "Run the same command again; if it happens again, repeat the case alone to see what it prints.",
        )
    except Exception as raised:  # an answer that could not be sent
        error = slot.ended or raised
    record, files = failed(slot.job.task, error, slot.job.command)
    if not slot.job.out:
        return Answer(record, files), False
    try:
        folder.write_case(Path(slot.job.out), slot.job.task.id, files)
    except OSError as full:
        return Answer(record, unwritten=f"{slot.job.out}: {full.strerror or full}"), False
    return Answer(record), False


def _look(busy: Sequence[_Slot], limits: Limits) -> None:
    """End what is beyond its limits; the executor then says that its process is gone."""
    now = time.monotonic()
    for slot in busy:
        if not slot.process.done():
            slot.start = now  # it is still starting: that is not the case's time
        if limits.seconds is not None and now - slot.start > limits.seconds:
            _give_up(slot, f"was given up after its time limit of {limits.seconds:g} s", "run.time_limit")
        # to look for the processes of a worker takes some milliseconds: only where a limit asks for it
        elif limits.gigabytes is not None and _memory(slot) > limits.gigabytes:
            _give_up(slot, f"took more than its memory limit of {limits.gigabytes:g} GiB", "run.memory_limit")
    machine = psutil.virtual_memory()
    if machine.available < _RESERVE * machine.total:
        used, largest = max(((_memory(slot), slot) for slot in busy), key=lambda pair: pair[0])
        _give_up(largest, f"took {used:.1f} GiB, and the memory of the machine was at its end", "--workers")


def _give_up(slot: _Slot, how: str, key: str) -> None:
    if slot.ended is None and slot.future is not None and not slot.future.done():
        slot.ended = StudyError(
            f"The case {how}.",
            "It would have held up, or ended, all others.",
            f"Change {key}, use a coarser mesh, or repeat the case alone to see where it stays.",
        )
        _kill(slot)


def _memory(slot: _Slot) -> float:
    """GiB that a worker and its own processes take."""
    total = 0
    for one in _family(slot):
        with contextlib.suppress(psutil.Error):
            total += one.memory_info().rss
    return total / 2**30


def _family(slot: _Slot) -> list[psutil.Process]:
    if not slot.process.done() or slot.process.exception() is not None:
        return []
    with contextlib.suppress(psutil.Error):
        parent = psutil.Process(slot.process.result())
        return [*parent.children(recursive=True), parent]
    return []


def _kill(slot: _Slot) -> None:
    """End a worker and the mesher it may have started, at once."""
    family = _family(slot)
    for one in family:
        with contextlib.suppress(psutil.Error):
            one.kill()
    psutil.wait_procs(family, timeout=5.0)


def _end(slot: _Slot) -> None:
    if slot.future is not None and not slot.future.done():
        _kill(slot)
    slot.executor.shutdown(wait=not slot.process.cancelled() and slot.future is None, cancel_futures=True)


def _started(threads: int) -> _Slot:
    """A new worker. It starts now, and imports what it needs while the driver goes on."""
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(1, mp_context=context, initializer=_begin)
    with _clean_start(threads):
        return _Slot(executor, executor.submit(os.getpid))


@contextlib.contextmanager
def _clean_start(threads: int) -> Iterator[None]:
    """Start processes with their threads limited, and without the user's script, which a worker does not need.

    Spawned processes run the main module again; a script without ``if __name__ == "__main__"`` would start a study in
    every worker, and a notebook or standard input cannot be run again at all.
    """
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    main = sys.modules["__main__"]
    hidden = {name: getattr(main, name) for name in ("__spec__", "__file__") if hasattr(main, name)}
    os.environ.update(dict.fromkeys(names, str(threads)))
    try:
        main.__spec__ = None
        if "__file__" in hidden:
            del main.__file__
        yield
    finally:
        for name, value in hidden.items():
            setattr(main, name, value)
        for name, old in before.items():
            if old is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = old


def _begin() -> None:
    """In a new worker: end with the driver, leave Ctrl-C to it, and import what the first case needs."""
    import faulthandler

    with contextlib.suppress(ValueError, AttributeError):  # standard error may not be a file
        faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_driver, daemon=True).start()
    import femsim.study.export
    import femsim.study.sweep.worker  # noqa: F401


def _end_with_driver() -> None:
    """Where the driver was killed nobody takes the answer: end, and end a mesher that may run, too."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    parent.join()
    with contextlib.suppress(psutil.Error):
        for one in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                one.kill()
    os._exit(1)

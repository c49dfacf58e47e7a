"""Engines: here in this process, or a pool of processes on this machine.

The pool is one `concurrent.futures.ProcessPoolExecutor` of a single process for every worker. In a common pool a
process that crashes breaks it for all (loky, concurrent.futures), or can leave the lock of the common pipe taken
(pebble): here it costs its own case, and its place is filled again.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from femsim.errors import StudyError
from femsim.study.sweep import folder
from femsim.study.sweep.process import Slot, end, kill, memory, started
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
    slot = getattr(_own, "slot", None) or started(job.threads)
    _own.slot = None
    slot.job, slot.start, slot.ended = job, time.monotonic(), None
    slot.future = slot.executor.submit(work, job)
    try:
        while not slot.future.done():
            wait([slot.future], timeout=_LOOK)
            _look([slot], Limits(seconds))
        answer, whole = _answer(slot)
    except BaseException:
        end(slot)
        raise
    if whole:
        slot.future = None
        _own.slot = slot
    else:
        end(slot)
    return answer


#: The worker that this thread keeps for `guarded`.
_own = threading.local()


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
    slots = [started(threads) for _ in range(min(workers, len(jobs)))]
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
                    end(slot)
                    slots[number] = started(threads)
                # before the answer is looked at, so that no worker waits while the driver writes its table
                _give(slots[number], slots, pending)
                yield job, answer
    finally:
        for slot in slots:
            end(slot)


def _give(slot: Slot, slots: Sequence[Slot], pending: Pending) -> None:
    """The next job for a free worker, if there is one."""
    if pending:
        job = pending.take(slot.job, [one.job for one in slots if one.future and one.job])
        slot.job, slot.start, slot.ended = job, time.monotonic(), None
        slot.future = slot.executor.submit(work, job)


def _answer(slot: Slot) -> tuple[Answer, bool]:
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


def _look(busy: Sequence[Slot], limits: Limits) -> None:
    """End what is beyond its limits; the executor then says that its process is gone."""
    now = time.monotonic()
    for slot in busy:
        if not slot.process.done():
            slot.start = now  # it is still starting: that is not the case's time
        if limits.seconds is not None and now - slot.start > limits.seconds:
            _give_up(slot, f"was given up after its time limit of {limits.seconds:g} s", "run.time_limit")
        # to look for the processes of a worker takes some milliseconds: only where a limit asks for it
        elif limits.gigabytes is not None and memory(slot) > limits.gigabytes:
            _give_up(slot, f"took more than its memory limit of {limits.gigabytes:g} GiB", "run.memory_limit")
    machine = psutil.virtual_memory()
    if machine.available < _RESERVE * machine.total:
        used, largest = max(((memory(slot), slot) for slot in busy), key=lambda pair: pair[0])
        _give_up(largest, f"took {used:.1f} GiB, and the memory of the machine was at its end", "--workers")


def _give_up(slot: Slot, how: str, key: str) -> None:
    if slot.ended is None and slot.future is not None and not slot.future.done():
        slot.ended = StudyError(
            f"The case {how}.",
            "It would have held up, or ended, all others.",
            f"Change {key}, use a coarser mesh, or repeat the case alone to see where it stays.",
        )
        kill(slot)

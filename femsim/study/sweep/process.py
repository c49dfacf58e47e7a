"""A worker of the pool: a process of its own, how it starts and how it ends."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass

import psutil

from femsim.study.sweep.work import Answer, Job


@dataclass
class Slot:
    """A worker and what it does."""

    executor: ProcessPoolExecutor
    process: Future[int]
    job: Job | None = None
    future: Future[Answer] | None = None
    start: float = 0.0
    ended: BaseException | None = None


def memory(slot: Slot) -> float:
    """GiB that a worker and its own processes take."""
    total = 0.0
    for one in _family(slot):
        with contextlib.suppress(psutil.Error):
            total += one.memory_info().rss
    return total / 2**30


def _family(slot: Slot) -> list[psutil.Process]:
    if not slot.process.done() or slot.process.exception() is not None:
        return []
    with contextlib.suppress(psutil.Error):
        parent = psutil.Process(slot.process.result())
        return [*parent.children(recursive=True), parent]
    return []


def kill(slot: Slot) -> None:
    """End a worker and the mesher it may have started, at once."""
    gone = _family(slot)
    for one in gone:
        with contextlib.suppress(psutil.Error):
            one.kill()
    psutil.wait_procs(gone, timeout=5.0)


def end(slot: Slot) -> None:
    """Let a worker go; one that is at work, at once."""
    if slot.future is not None and not slot.future.done():
        kill(slot)
    slot.executor.shutdown(wait=not slot.process.cancelled() and slot.future is None, cancel_futures=True)


def started(threads: int) -> Slot:
    """A new worker. It starts now, and imports what it needs while the driver goes on."""
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(1, mp_context=context, initializer=_begin)
    with _clean_start(threads):
        return Slot(executor, executor.submit(os.getpid))


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

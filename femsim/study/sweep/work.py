"""What a worker is told and what it answers; the same in every engine."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from femsim.errors import FemsimError, StudyError
from femsim.study import provenance
from femsim.study.sweep import folder
from femsim.study.sweep.tasks import Task, input_files


@dataclass(frozen=True)
class Job:
    """A task with everything a worker must know.

    Attributes
    ----------
    task : Task
    out : str
        Folder of the study; empty where the worker does not see it and sends its files back.
    threads : int
    keep_matrices : bool
        Whether other tasks have the same matrices.
    fields : bool
        Whether the fields are kept.
    command : tuple of str
        How the study was started, for the provenance.
    """

    task: Task
    out: str = ""
    threads: int = 1
    keep_matrices: bool = False
    fields: bool = False
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What a case gave.

    Attributes
    ----------
    record : mapping
        The content of ``metrics.json``.
    files : mapping of str to bytes
        The files of the case, where the worker could not write them itself.
    unwritten : str
        Why the worker could not write them, empty where it did: the study cannot go on.
    """

    record: Mapping[str, Any]
    files: Mapping[str, bytes] = field(default_factory=dict)
    unwritten: str = ""


#: What this thread keeps from case to case; a worker of Dask may have several threads.
_own = threading.local()


def work(job: Job) -> Answer:
    """Solve one case and write or return its files; a failure is an answer, too."""
    record, files = _solved(job)
    if not job.out:
        return Answer(record, files)
    try:
        folder.write_case(Path(job.out), job.task.id, files)
    except OSError as error:
        return Answer(record, unwritten=f"{error.filename or job.out}: {error.strerror or error}")
    return Answer(record)


def _solved(job: Job) -> tuple[dict[str, Any], dict[str, bytes]]:
    from femsim.mesh import in_short
    from femsim.study.export import vtu
    from femsim.study.sweep import worker

    if getattr(_own, "memory", None) is None:
        _own.memory = worker.Memory()
    try:
        done = worker.run(
            job.task, _own.memory, threads=job.threads, keep_matrices=job.keep_matrices, fields=job.fields
        )
    except Exception as error:
        if not isinstance(error, FemsimError):
            _own.memory = None  # whatever the failure left behind, and its memory, goes
        return failed(job.task, error, job.command, detail=traceback.format_exc())
    record = {
        "id": job.task.id,
        "status": "done",
        "method": "full",
        "params": dict(job.task.params),
        "rows": [dict(one.metrics) for one in done.result],
        "seconds": round(done.seconds, 4),
        "peak_memory": done.peak_memory,
        "made": dict(done.made),
        "reused": dict(done.reused),
        "mesh": dict(in_short(done.result.mesh)),
        "hashes": {"case": job.task.id, "mesh": job.task.mesh, "matrix": job.task.matrix},
        "warnings": list(done.result.warnings),
    }
    about = _about(job.task, job.command)
    about |= {"seconds": dict(done.result.seconds), "warnings": list(done.result.warnings)}
    files = folder.packed(job.task.case, record, about)
    if job.fields:
        files |= {f"fields/{one.name}.vtu": vtu(one.mesh, one.fields) for one in done.result}
    return record, files


def failed(
    task: Task, error: BaseException, command: tuple[str, ...] = (), detail: str = ""
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Record and files of a case that failed."""
    known = error if isinstance(error, FemsimError) else _unexpected(error)
    record = {
        "id": task.id,
        "status": "failed",
        "method": "full",
        "params": dict(task.params),
        "rows": [{"strategy": name} for name in _names(task)],
        "hashes": {"case": task.id, "mesh": task.mesh, "matrix": task.matrix},
        "error": {"class": type(known).__name__, "what": known.what, "why": known.why, "do": known.do},
        "warnings": [],
    }
    about = _about(task, command) | {"traceback": detail}
    return record, folder.packed(task.case, record, about)


def _names(task: Task) -> list[str]:
    given = list(task.case["strategies"])
    intact = [name for name in given if task.case["strategies"][name].get("kind") == "intact"]
    return [*(intact or ["intact"]), *(name for name in given if name not in intact)]


def _unexpected(error: BaseException) -> FemsimError:
    if isinstance(error, MemoryError):
        return StudyError(
            "The case ran out of memory.",
            str(error) or "An array could not be made.",
            "Use a larger mesh.near and mesh.far, fewer workers, or a machine with more memory.",
        )
    return FemsimError(
        f"An error that femsim did not expect: {type(error).__name__}: {error}",
        "This is a fault of femsim, not of the case.",
        "Report it with the traceback in provenance.json and the case file.",
    )


_static: dict[str, Any] = {}


def _about(task: Task, command: tuple[str, ...]) -> dict[str, Any]:
    """Versions, machine and inputs; what does not change in a process is asked for once."""
    if not _static:
        full = provenance.record(case_key="", inputs=(), timings={}, checks={}, warnings=())
        _static.update({key: full[key] for key in ("revision", "versions", "machine")})
    made = provenance.record_time()
    return {"made": made, "command": list(command), **_static, "case": task.id, "inputs": input_files(task.case)}

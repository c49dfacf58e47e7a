"""The driver of a study: what is missing is done, what is finished is kept, and the table grows."""

from __future__ import annotations

import logging
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from femsim.errors import FemsimError, FemsimWarning, StudyError
from femsim.study.sweep import engine, estimate, folder, reduced, table
from femsim.study.sweep.spec import StudySpec
from femsim.study.sweep.tasks import Task, expand, in_order
from femsim.study.sweep.work import Answer, Job

logger = logging.getLogger("femsim")

#: An engine takes jobs and gives each back with its answer, in any order.
Engine = Callable[[Sequence[Job]], Iterator[tuple[Job, Answer]]]
#: Share of the time that may go into renewing the table while the study runs.
_TABLE_SHARE = 0.01


@dataclass
class Report:
    """What a run of a study did.

    Attributes
    ----------
    cases, kept, done, failed, reduced : int
        All cases; those finished before; those solved, failed and answered by a reduced basis now.
    made, reused : Counter
        Stages, by name.
    seconds : float
        Wall time.
    notes : list of str
        What else the user should know.
    """

    cases: int = 0
    kept: int = 0
    done: int = 0
    failed: int = 0
    reduced: int = 0
    made: Counter[str] = field(default_factory=Counter)
    reused: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [
            f"{self.cases} cases: {self.kept} finished before, {self.done} solved, {self.reduced} by reduced basis, "
            f"{self.failed} failed; {self.seconds:.1f} s"
        ]
        stages = sorted({*self.made, *self.reused}, key=lambda name: _ORDER.get(name, 99))
        if stages:
            told = (f"{name} {self.reused[name]}/{self.made[name] + self.reused[name]}" for name in stages)
            lines.append(f"reused: {', '.join(told)}")
        return "\n".join([*lines, *self.notes])


_ORDER = {name: number for number, name in enumerate(("bone", "background", "mesh", "matrix", "solve"))}


def drive(
    spec: StudySpec,
    out: Path,
    *,
    workers: int = 2,
    threads: int = 1,
    resume: bool = False,
    cluster: Any = None,
    tell: Callable[[str], None] | None = None,
) -> Report:
    """Run what is missing of a study.

    Parameters
    ----------
    spec : StudySpec
    out : Path
        Folder of the study; what is finished there is kept.
    workers : int
        Processes; 0 solves in this one.
    threads : int
        Of every worker.
    resume : bool
        Go on in the folder of a study that was changed since.
    cluster : optional
        A Dask scheduler address, cluster or client that does the work instead.
    tell : callable, optional
        Takes a line of progress.

    Raises
    ------
    StudyError
        If another run works in the folder, it holds something else, or nothing more can be written.
    FemsimError
        If a case of the study is not allowed; nothing is run then.
    """
    start = time.perf_counter()
    tasks = in_order(expand(spec))
    report = Report(cases=len(tasks))
    with folder.owned(out):
        folder.settle(out, spec, resume=resume)
        known = reduced.known(out, [one.id for one in tasks])
        finished = {name: record for name, record in known.items() if record["status"] == "done"}
        report.kept = len(finished)
        books = _Books(spec, out, tasks, finished)
        missing = [one for one in tasks if one.id not in finished]
        missing = _by_reduced_basis(spec, out, missing, books, report, tell)
        jobs = _jobs(spec, out, missing, threads)
        for job, answer in _engine(spec, workers, jobs, cluster, report)(jobs):
            _take(out, job, answer, books, report)
            if tell is not None:
                tell(_line(job, answer, report, len(missing), time.perf_counter() - start))
        books.write()
    report.seconds = time.perf_counter() - start
    return report


def _jobs(spec: StudySpec, out: Path, tasks: Sequence[Task], threads: int) -> list[Job]:
    shared = Counter(one.matrix for one in tasks)
    command = (Path(sys.argv[0]).name, *sys.argv[1:])
    return [
        Job(one, str(out.absolute()), threads, shared[one.matrix] > 1, spec.run.fields == "all", command)
        for one in tasks
    ]


def _engine(spec: StudySpec, workers: int, jobs: Sequence[Job], cluster: Any, report: Report) -> Engine:
    if cluster is not None:
        from femsim.study.sweep import cluster as dask

        return lambda jobs: dask.away(jobs, cluster, spec.run.time_limit)
    if workers == 0 or not jobs:
        return engine.here
    count, note = estimate.affordable(workers, jobs[0].task)
    if note:
        report.notes.append(note)
    limits = engine.Limits(spec.run.time_limit, spec.run.memory_limit)
    return lambda jobs: engine.pool(jobs, count, limits)


def _by_reduced_basis(
    spec: StudySpec, out: Path, tasks: list[Task], books: _Books, report: Report, tell: Callable[[str], None] | None
) -> list[Task]:
    """Answer what a reduced basis can, and return what it cannot."""
    from femsim.study.sweep.reduced import answer, store

    memory: Any = None
    for group in answer.groups(tasks, spec.run):
        from femsim.study.sweep.worker import Memory

        memory = memory or Memory()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FemsimWarning)  # they stand in the records
                found, note = answer.records(group, memory, spec.run)
        except FemsimError as error:
            report.notes.append(answer.refused(error))
            continue
        store.write(out, group[0].id, found)
        report.reduced += len(found)
        report.notes.append(note)
        if tell is not None:
            tell(note)
        for record in found:
            books.add(record)
    answered = {name for name in books.records if books.records[name].get("method") == "reduced"}
    return [one for one in tasks if one.id not in answered]


def _take(out: Path, job: Job, answer: Answer, books: _Books, report: Report) -> None:
    """Keep one answer.

    Raises
    ------
    StudyError
        If it cannot be written.
    """
    if answer.files:
        try:
            folder.write_case(out, job.task.id, answer.files)
        except OSError as error:
            raise folder.no_room(out / folder.CASES / job.task.id, error) from error
    if answer.unwritten:
        raise StudyError(
            f"{answer.unwritten}, for the case {job.task.id}.",
            "The study stops here; every case that was finished is kept.",
            "Free some space and run the same command again: it goes on where it stopped.",
        )
    record = answer.record
    if record["status"] == "done":
        report.done += 1
    else:
        report.failed += 1
    report.made.update(record.get("made", {}))
    report.reused.update(record.get("reused", {}))
    books.add(record)


def _line(job: Job, answer: Answer, report: Report, total: int, seconds: float) -> str:
    """One finished case, in a line."""
    finished = report.done + report.failed
    left = seconds / finished * (total - finished)
    what = ", ".join(f"{name} = {_short(value)}" for name, value in job.task.params.items())
    error = answer.record.get("error")
    state = f"FAILED: {error['what']}" if error else f"{answer.record['seconds']:.1f} s"
    return f"{finished}/{total}  {job.task.id}  {what}: {state}  ({left:.0f} s left)"


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


class _Books:
    """The records so far, and the table that is made of them now and then."""

    def __init__(self, spec: StudySpec, out: Path, tasks: Sequence[Task], records: Mapping[str, Any]) -> None:
        self.out, self.records = out, dict(records)
        self.order = [one.id for one in sorted(tasks, key=lambda one: one.number)]
        self.params = list(dict.fromkeys(name for one in tasks[:1] for name in one.params))
        self._next = 0.0

    def add(self, record: Mapping[str, Any]) -> None:
        """Take a record in; renew the table unless that was done a moment ago."""
        self.records[record["id"]] = record
        if time.perf_counter() >= self._next:
            self.write()

    def write(self) -> None:
        """Renew the table; the next time after a hundred times as long as this took."""
        start = time.perf_counter()
        listed = [self.records[name] for name in self.order if name in self.records]
        table.write(table.frame(listed, self.params, str(self.out)), self.out)
        now = time.perf_counter()
        self._next = now + max(2.0, (now - start) / _TABLE_SHARE)

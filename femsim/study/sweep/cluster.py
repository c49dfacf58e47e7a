"""A study on a Dask cluster: several machines, or the queue of a computing centre. Optional (``cluster``).

Dask does the scheduling, the retries after the loss of a worker, and the transfer of results; nothing of it is here.
Workers need femsim and no common disk: every case comes back as its files, which the driver writes.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from femsim.errors import StudyError
from femsim.study.sweep.extras import need
from femsim.study.sweep.work import Answer, Job, failed, work

#: How long a scheduler may take to answer.
PATIENCE = "20s"


def away(jobs: Sequence[Job], where: Any, time_limit: float | None) -> Iterator[tuple[Job, Answer]]:
    """Do the jobs on a Dask cluster, each case as it is finished.

    Parameters
    ----------
    jobs : sequence of Job
    where : str, cluster or Client
        Address of a scheduler such as ``"tcp://head:8786"``, a cluster object of Dask (``LocalCluster``,
        ``dask_jobqueue.SLURMCluster``, ...), or a client.
    time_limit : float or None
        Seconds; a case beyond it is ended on its worker.
    """
    need("distributed", "cluster", "A Dask cluster")
    from distributed import as_completed
    from distributed.scheduler import KilledWorker

    with _client(where) as client:
        futures = {}
        for number, job in enumerate(jobs):
            away = replace(job, out="")
            # without a common disk the worker sends its files back; cases come in the order of reuse
            future = client.submit(
                _limited, away, time_limit, key=f"femsim-{job.task.id}", pure=False, priority=-number, retries=0
            )
            futures[future] = job
        try:
            for future in as_completed(list(futures)):
                job = futures.pop(future)
                error = future.exception()
                if error is None:
                    yield job, future.result()
                    continue
                known = _lost(job) if isinstance(error, KilledWorker) else error
                yield job, Answer(*failed(job.task, known, job.command))
        finally:
            client.cancel(list(futures))


def _lost(job: Job) -> StudyError:
    return StudyError(
        "The workers that took the case were lost, one after the other.",
        "It may crash in the code of a library, or need more memory than they have.",
        "Repeat the case alone to see what it prints, or give the workers more memory.",
    )


def _limited(job: Job, time_limit: float | None) -> Answer:
    """On a worker of Dask: one case in a process of its own, so that a crash or a hang costs this case alone.

    A worker under a nanny may have no processes of its own unless ``distributed.worker.daemon`` is false; there the
    case runs in the worker itself, without a time limit, and the nanny replaces what crashes.
    """
    from femsim.study.sweep import engine

    if time_limit is None or multiprocessing.current_process().daemon:
        return work(job)
    return engine.guarded(job, time_limit)


@contextmanager
def _client(where: Any) -> Iterator[Any]:
    from distributed import Client

    if isinstance(where, Client):
        with where.as_current():
            yield where
        return
    try:
        made = Client(where, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise StudyError(
            f"The Dask scheduler {where} does not answer: {error}.",
            "There is nobody to do the work.",
            "Check the address, and that `dask scheduler` runs there.",
        ) from error
    with made, made.as_current():
        yield made


def queue(kind: str, jobs: int, **options: Any) -> Any:
    """A cluster on the queue of a computing centre, with `jobs` jobs of one worker each.

    Parameters
    ----------
    kind : {"slurm", "pbs", "sge"}
    jobs : int
        Jobs to queue.
    **options
        As dask-jobqueue takes them: ``cores``, ``memory``, ``walltime``, ``queue``, ``account``, ...; what is not given
        comes from Dask's own configuration.

    Returns
    -------
    dask_jobqueue cluster
        Give it to ``Study.run(cluster=...)``, and close it afterwards.
    """
    need("dask_jobqueue", "cluster", f"A {kind.upper()} cluster")
    import dask_jobqueue

    kinds = {"slurm": "SLURMCluster", "pbs": "PBSCluster", "sge": "SGECluster"}
    if kind not in kinds:
        raise StudyError(
            f"{kind!r} is not a queue that is known.", "No worker can be asked for.", f"Use one of {', '.join(kinds)}."
        )
    made = getattr(dask_jobqueue, kinds[kind])(**options)
    made.scale(jobs=jobs)
    return made

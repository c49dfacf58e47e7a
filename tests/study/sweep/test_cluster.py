"""A study on a Dask cluster of separate processes over TCP, one of them cut off half-way, against the local one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from femsim.errors import StudyError
from femsim.study.sweep.cluster import queue
from tests.study.sweep.faulty import DIAMETERS, study

distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen]]]:
    """Address of a scheduler with two workers, each a process with its own folder and cache."""
    address = tmp_path / "scheduler.json"
    common = {"cwd": Path(__file__).parents[3], "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    scheduler = subprocess.Popen([*dask, "--no-dashboard", "--scheduler-file", str(address)], **common)
    workers = []
    try:
        end = time.monotonic() + 60
        while not address.exists():
            assert time.monotonic() < end
            time.sleep(0.1)
        for name in ("one", "two"):
            command = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(address)]
            command += ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--name", name]
            workers.append(subprocess.Popen([*command, "--local-directory", str(tmp_path / name)], **common))
        import json

        yield json.loads(address.read_text())["address"], workers
    finally:
        for one in (*workers, scheduler):
            family = []
            if one.poll() is None:
                family = psutil.Process(one.pid).children(recursive=True)
                one.kill()
            for child in family:
                if child.is_running():
                    child.kill()
            one.wait()


def test_cluster_with_a_lost_worker_gives_the_local_table(tmp_path: Path, hosts) -> None:
    address, workers = hosts
    lost: list[str] = []

    def cut_off(line: str) -> None:
        if line.startswith("2/"):
            workers[0].kill()
            lost.append(line)

    few = DIAMETERS[:3]
    away = study(few, time_limit=None).run(tmp_path / "away", cluster=address, tell=cut_off)
    assert lost
    assert away.report is not None
    assert (away.report.done, away.report.failed) == (2 * len(few), 0)
    local = study(few, time_limit=None).run(tmp_path / "local", workers=0)
    one, other = away.frame, local.frame
    inputs = [name for name in one if name.startswith(("param.", "hash.")) or name in ("case", "strategy", "status")]
    pd.testing.assert_frame_equal(one[inputs], other[inputs])  # bit for bit
    for name in one.columns:
        if name.startswith("out.") and pd.api.types.is_numeric_dtype(one[name]) and not name.endswith("residual"):
            np.testing.assert_allclose(one[name], other[name], rtol=1e-6, err_msg=name)
    assert {one.name for one in (tmp_path / "away/cases").iterdir()} == set(other["case"])


def test_job_on_a_worker_is_ended_after_its_time_limit() -> None:
    """What a worker of Dask does with a case: in a process of its own, which is kept for the next one."""
    from femsim.study.sweep import engine
    from femsim.study.sweep.work import Job
    from tests.study.sweep import faulty

    real, engine.work = engine.work, faulty.work
    job = Job(study().cases[0])
    try:
        os.environ["FAULTS"] = '{"hang": [10]}'
        hung = engine.guarded(job, 1.0)
        os.environ["FAULTS"] = "{}"
        good = engine.guarded(job, 120.0)
    finally:
        engine.work = real
        os.environ.pop("FAULTS")
        slot, engine._own.slot = engine._own.slot, None
        engine._end(slot)
    assert "time limit of 1 s" in hung.record["error"]["what"]
    assert set(hung.files) == {"case.toml", "metrics.json", "provenance.json"}
    assert good.record["status"] == "done"


def test_scheduler_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("femsim.study.sweep.cluster.PATIENCE", "1s")
    with pytest.raises(StudyError, match=r"scheduler tcp://127\.0\.0\.1:9 does not answer"):
        study().run(tmp_path / "out", cluster="tcp://127.0.0.1:9")


@pytest.mark.parametrize(("kind", "order"), [("slurm", "#SBATCH"), ("pbs", "#PBS"), ("sge", "#$")])
def test_queue_writes_a_job_of_one_worker(kind: str, order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("dask_jobqueue", reason="the extra `cluster` is not installed")
    import dask_jobqueue

    asked = []
    monkeypatch.setattr(dask_jobqueue.core.JobQueueCluster, "scale", lambda self, jobs: asked.append(jobs))
    made = queue(kind, 5, cores=1, memory="4GB", walltime="02:00:00")
    try:
        assert asked == [5]
        assert order in made.job_script()
        assert "2:00:00" in made.job_script()
    finally:
        made.close()


def test_unknown_queue_is_named() -> None:
    with pytest.raises(StudyError, match="'slrum' is not a queue"):
        queue("slrum", 1)

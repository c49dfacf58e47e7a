"""A study on a Dask cluster of separate processes over TCP, one of them cut off half-way, against the local one."""

from __future__ import annotations

import os
import shutil
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
from femsim.study.sweep import Study, load
from femsim.study.sweep.cluster import queue
from tests.study.sweep.faulty import DIAMETERS, study

FEW = DIAMETERS[:3]

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

    away = study(FEW, time_limit=None).run(tmp_path / "away", cluster=address, tell=cut_off)
    assert lost
    assert away.report is not None
    assert (away.report.done, away.report.failed) == (2 * len(FEW), 0)
    equals_the_local_one(tmp_path, away)


def equals_the_local_one(tmp_path: Path, away: Study) -> None:
    """The same study in this process: the same inputs bit for bit, the same outputs to the solver's tolerance."""
    local = study(FEW, time_limit=None).run(tmp_path / "local", workers=0)
    one, other = away.frame, local.frame
    inputs = [name for name in one if name.startswith(("param.", "hash.")) or name in ("case", "strategy", "status")]
    pd.testing.assert_frame_equal(one[inputs], other[inputs])  # bit for bit
    for name in one.columns:
        if name.startswith("out.") and pd.api.types.is_numeric_dtype(one[name]) and not name.endswith("residual"):
            np.testing.assert_allclose(one[name], other[name], rtol=1e-6, err_msg=name)
    assert {one.name for one in (tmp_path / "away/cases").iterdir()} == set(other["case"])


class Network:
    """A head and two hosts, each in a network namespace of its own, joined by a bridge in that of the head."""

    def __init__(self) -> None:
        self.names = [f"femsim-{os.getpid()}-{name}" for name in ("head", "one", "two")]

    def up(self) -> bool:
        """Whether the system lets us."""
        head, *hosts = self.names
        commands = [f"netns add {name}" for name in self.names]
        commands += [f"-n {name} link set lo up" for name in self.names]
        commands += [f"-n {head} link add br0 type bridge", f"-n {head} addr add 10.77.0.1/24 dev br0"]
        commands += [f"-n {head} link set br0 up"]
        for number, host in enumerate(hosts, 2):
            commands += [f"-n {head} link add to{number} type veth peer name eth0 netns {host}"]
            commands += [f"-n {head} link set to{number} master br0", f"-n {head} link set to{number} up"]
            commands += [f"-n {host} addr add 10.77.0.{number}/24 dev eth0", f"-n {host} link set eth0 up"]
        return all(not self._ip(one) for one in commands)

    def cut(self, number: int) -> None:
        """Pull the plug of a host: nothing comes through any more, and nobody is told."""
        assert not self._ip(f"-n {self.names[0]} link set to{number} down")

    def down(self) -> None:
        for name in self.names:
            self._ip(f"netns del {name}")

    @staticmethod
    def _ip(command: str) -> int:
        return subprocess.run(["ip", *command.split()], capture_output=True).returncode

    def start(self, place: int, log: Path, arguments: list[str], **environment: str) -> subprocess.Popen:
        """A Python process on the head (0) or on a host (1, 2); what it prints goes into a file."""
        # a scheduler learns that a host went silent from these, minutes by default
        quick = {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "6s", "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "12s"}
        with log.open("wb") as stream:
            return subprocess.Popen(
                ["ip", "netns", "exec", self.names[place], sys.executable, *arguments],
                cwd=Path(__file__).parents[3], env={**os.environ, **quick, **environment},
                stdout=stream, stderr=subprocess.STDOUT,
            )  # fmt: skip


DRIVER = """
import sys
from distributed import Client
from tests.study.sweep.faulty import study
with Client(sys.argv[2]) as client:
    client.wait_for_workers(2, timeout=60)
    study([int(one) for one in sys.argv[3:]], time_limit=None).run(sys.argv[1], cluster=client)
"""


@pytest.fixture
def network() -> Iterator[Network]:
    made = Network()
    try:
        if not sys.platform.startswith("linux") or os.geteuid() != 0 or not shutil.which("ip") or not made.up():
            pytest.skip("network namespaces can only be made by root on Linux, where the container allows it")
        yield made
    finally:
        if shutil.which("ip"):
            made.down()


@pytest.mark.slow
def test_two_hosts_one_cut_off_half_way_give_the_local_table(tmp_path: Path, network: Network) -> None:
    away, address, running = tmp_path / "away", "tcp://10.77.0.1:8786", []
    dask = ["-m", "distributed.cli.dask_scheduler", "--host", "10.77.0.1", "--port", "8786", "--no-dashboard"]
    worker = ["-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    try:
        running.append(network.start(0, tmp_path / "scheduler.log", dask))
        for place in (1, 2):
            mine, cache = ["--local-directory", str(tmp_path / f"host{place}")], str(tmp_path / f"cache{place}")
            running.append(network.start(place, tmp_path / f"{place}.log", [*worker, *mine], FEMSIM_CACHE=cache))
        said = tmp_path / "driver.log"
        driver = network.start(0, said, ["-c", DRIVER, str(away), address, *map(str, FEW)])
        running.append(driver)
        end = time.monotonic() + 120
        while len(list((away / "cases").glob("[0-9a-f]*"))) < 2:
            assert driver.poll() is None, said.read_text()
            assert time.monotonic() < end
            time.sleep(0.05)
        network.cut(2)
        finished = len(list((away / "cases").glob("[0-9a-f]*")))
        assert finished < 2 * len(FEW)
        assert driver.wait(timeout=240) == 0, said.read_text()
    finally:
        for one in running:
            one.kill()
            one.wait()
    done = load(away)
    assert (done.frame["status"] == "done").all()
    assert all((tmp_path / f"cache{place}").is_dir() for place in (1, 2))  # both hosts had worked
    equals_the_local_one(tmp_path, done)


def test_job_on_a_worker_is_ended_after_its_time_limit() -> None:
    """What a worker of Dask does with a case: in a process of its own, which is kept for the next one."""
    from femsim.study.sweep import engine, process
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
        process.end(slot)
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

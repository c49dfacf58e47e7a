"""A study that is killed, starved and disturbed in every way ends with the table of the undisturbed one."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import psutil
import pytest

from femsim.errors import StudyError
from femsim.study.sweep import folder, load
from femsim.study.sweep.table import VARIABLE
from tests.study.sweep.faulty import DIAMETERS, study

ROOT = Path(__file__).parents[3]
CASES = 2 * len(DIAMETERS)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX systems")


def start(out: Path, workers: int = 2, faults: dict[str, list[int]] | None = None, **run: object) -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.study.sweep.faulty", str(out), str(workers)]
    command += [json.dumps(faults or {}), json.dumps(run)]
    mark = {**os.environ, "FEMSIM_TEST_OUT": str(out)}
    return subprocess.Popen(command, cwd=ROOT, env=mark, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(out: Path, **options: object) -> tuple[int, str, str]:
    process = start(out, **options)  # type: ignore[arg-type]
    printed, errors = process.communicate(timeout=300)
    return process.returncode, printed, errors


def marked(out: Path) -> list[psutil.Process]:
    """Every process that this study started and that still runs."""
    found = []
    for one in psutil.process_iter():
        try:
            if one.status() != psutil.STATUS_ZOMBIE and one.environ().get("FEMSIM_TEST_OUT") == str(out):
                found.append(one)
        except psutil.Error:
            continue
    return found


def nobody_left(out: Path) -> None:
    end = time.monotonic() + 30.0
    while marked(out):
        assert time.monotonic() < end, [one.cmdline() for one in marked(out)]
        time.sleep(0.1)


def done(out: Path) -> set[str]:
    """Ids of the finished cases; every folder that bears the name of a case must be whole."""
    names = [one.name for one in (out / "cases").glob("*") if not one.name.startswith(".")]
    records = {name: folder.record(out, name) for name in names}
    assert None not in records.values()
    for name in names:
        assert {"case.toml", "metrics.json", "provenance.json"} <= {
            one.name for one in (out / "cases" / name).iterdir()
        }
    return {name for name, record in records.items() if record and record["status"] == "done"}


def content(table: pd.DataFrame) -> pd.DataFrame:
    """What must be the same in every run of a study."""
    return table.drop(columns=list(VARIABLE)).reset_index(drop=True)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, float]:
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    begin = time.monotonic()
    code, printed, errors = finish(out)
    assert code == 0, errors
    assert f"{CASES} cases: 0 finished before, {CASES} solved" in printed
    assert len(done(out)) == CASES
    return pd.read_parquet(out / "table.parquet"), time.monotonic() - begin


def same(out: Path, undisturbed: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(content(pd.read_parquet(out / "table.parquet")), content(undisturbed))
    frame = load(out).frame
    assert (frame["status"] == "done").all()
    assert len(pd.read_csv(out / "table.csv")) == len(undisturbed)


def killed_at_random(out: Path, undisturbed: tuple[pd.DataFrame, float], drivers: int, workers: int, seed: int) -> int:
    """One study whose driver is killed some times, and then workers of the run that goes on; how many were killed."""
    chance = random.Random(seed)
    finished: set[str] = set()
    for _ in range(drivers):
        process = start(out, faults={"slow": list(DIAMETERS)})
        time.sleep(chance.uniform(0.3, undisturbed[1]))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        nobody_left(out)
        finished = kept(out, finished)
    killed = drivers
    process = start(out, faults={"slow": list(DIAMETERS)})
    for _ in range(workers):
        time.sleep(chance.uniform(0.3, undisturbed[1] / workers))
        family = [one for one in marked(out) if one.pid != process.pid]
        if process.poll() is None and family:
            with contextlib.suppress(psutil.Error):
                chance.choice(family).kill()
                killed += 1
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors  # cases may have failed; the study did not
    nobody_left(out)
    kept(out, finished)
    code, _, errors = finish(out)  # what a killed worker had failed
    assert code == 0, errors
    same(out, undisturbed[0])
    return killed


def kept(out: Path, finished: set[str]) -> set[str]:
    """What is finished now: all that was, and whole; so is the table."""
    now = done(out)
    assert finished <= now
    if (out / "table.parquet").exists():
        assert len(pd.read_parquet(out / "table.parquet")) >= 0  # whole at any moment
    return now


def test_killed_at_two_moments(tmp_path: Path, undisturbed) -> None:
    """Once the driver, once a worker."""
    killed_at_random(tmp_path / "out", undisturbed, 1, 1, seed=int(time.time()))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_at_twenty_moments(tmp_path: Path, undisturbed) -> None:
    """Studies that are begun anew until twenty processes were killed, so that there is always work to disturb."""
    killed = number = 0
    while killed < 20:
        killed += killed_at_random(tmp_path / f"out{number}", undisturbed, 2, 2, seed=int(time.time()) + number)
        number += 1
    assert number <= 10


def test_hanging_crashing_and_hungry_cases_cost_themselves_only(tmp_path: Path, undisturbed) -> None:
    out = tmp_path / "out"
    faults = {"hang": [10], "crash": [12], "eat": [15], "bug": [16]}
    code, printed, errors = finish(out, faults=faults, time_limit=10.0, memory_limit=1.0)
    nobody_left(out)
    assert code == 0, errors
    assert f"{CASES} failed" in printed
    frame = load(out).frame
    assert (frame["status"] == "failed").all()
    told = frame.groupby("param.lesion.diameter")["error"].first()
    assert "time limit of 10 s" in told[10]
    assert "ended without an answer" in told[12]
    assert "memory limit of 1 GiB" in told[15]
    assert "ZeroDivisionError" in told[16]
    command = frame["repeat"].iloc[0]
    assert command == f"femsim reproduce {out}/cases/{frame['case'].iloc[0]}"
    # the cause is gone: the same command does what is missing
    code, printed, _ = finish(out, time_limit=10.0, memory_limit=1.0)
    assert code == 0
    assert f"0 finished before, {CASES} solved" in printed
    same(out, undisturbed[0])


def test_case_out_of_memory_in_the_process_itself(tmp_path: Path) -> None:
    code, _, _ = finish(tmp_path / "out", workers=0, faults={"no memory": [12]})
    frame = load(tmp_path / "out").frame
    assert code == 0
    assert set(frame.loc[frame["status"] == "failed", "param.lesion.diameter"]) == {12}
    assert frame.loc[frame["status"] == "failed", "error"].str.contains("out of memory").all()
    assert (frame["status"] == "done").sum() == 3 * (CASES - 2)


def test_one_process_or_many_give_the_same_table(tmp_path: Path, undisturbed) -> None:
    code, _, errors = finish(tmp_path / "out", workers=0)
    assert code == 0, errors
    same(tmp_path / "out", undisturbed[0])


@pytest.mark.slow  # the store itself is broken in every way in tests/test_store.py
def test_damaged_cache_changes_nothing(tmp_path: Path, undisturbed) -> None:
    cache = Path(os.environ["FEMSIM_CACHE"])
    entries = [one for one in cache.glob("*/*.femsim-entry") if one.parent.name in ("mesh", "background")]
    assert entries
    for number, entry in enumerate(entries):
        data = entry.read_bytes()
        entry.write_bytes(data[: len(data) // 2] if number % 2 else data[:-100] + bytes(100))
    code, _, errors = finish(tmp_path / "out")
    assert code == 0, errors
    same(tmp_path / "out", undisturbed[0])


def test_two_drivers_on_one_folder(tmp_path: Path, undisturbed) -> None:
    out = tmp_path / "out"
    first = start(out, faults={"slow": list(DIAMETERS)})
    while not (out / ".femsim-driver.json").exists():
        assert first.poll() is None
        time.sleep(0.02)
    code, _, errors = finish(out)
    assert code == StudyError.exit_code
    assert f"Another run works in {out} (process {first.pid} on " in errors
    first.communicate(timeout=300)
    assert first.returncode == 0
    same(out, undisturbed[0])


@pytest.fixture
def tiny_disk() -> Iterator[Path]:
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        pytest.skip("a small tmpfs can only be mounted by root on Linux")
    place = tempfile.mkdtemp(prefix="femsim-tiny-")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", place], capture_output=True).returncode:
        os.rmdir(place)
        pytest.skip("this container may not mount a tmpfs")
    try:
        yield Path(place)
    finally:
        subprocess.run(["umount", place], check=True)
        os.rmdir(place)


def test_full_disk(tiny_disk: Path, undisturbed) -> None:
    out = tiny_disk / "out"
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(bytes(320 * 1024))
    code, _, errors = finish(out)
    nobody_left(out)
    assert code == StudyError.exit_code
    assert "No space left" in errors
    assert "run the same command again" in errors
    finished = done(out)
    assert len(finished) < CASES
    ballast.unlink()
    code, printed, errors = finish(out)
    assert code == 0, errors
    assert f"{len(finished)} finished before, {CASES - len(finished)} solved" in printed
    same(out, undisturbed[0])


def test_foreign_folder_and_changed_study_are_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("years of work")
    with pytest.raises(StudyError, match=r"thesis\.doc"):
        study().run(tmp_path, workers=0)
    assert sorted(one.name for one in tmp_path.iterdir() if not one.name.startswith(".")) == ["thesis.doc"]
    out = tmp_path / "out"
    out.mkdir()
    folder.settle(out, study().spec, resume=False)
    changed = study(fields="all").spec
    with pytest.raises(StudyError, match="another study"):
        folder.settle(out, changed, resume=False)
    folder.settle(out, changed, resume=True)


def test_half_written_case_is_not_taken_for_done(tmp_path: Path) -> None:
    out = tmp_path / "out"
    one = study().cases[0]
    (out / "cases" / one.id).mkdir(parents=True)
    for text in ("", "{", '{"id": 1}', "[]"):
        (out / "cases" / one.id / "metrics.json").write_text(text)
        assert folder.record(out, one.id) is None

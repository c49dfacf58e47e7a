"""A study on disk: a folder a case, whole or not there, and one driver at a time.

::

    out/
      study.toml            what was asked, complete
      table.parquet, .csv   a row a case and strategy, renewed while the study runs
      cases/<id>/           case.toml  metrics.json  provenance.json  fields/<strategy>.vtu
      reduced/              rows that a reduced basis answered, one file a basis

A case is finished when its folder has its name: it is written beside it and renamed. What a killed worker leaves
half-written is never looked at.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from femsim.case import toml_io
from femsim.errors import StudyError
from femsim.study.plain import as_json
from femsim.study.sweep.spec import StudySpec, read

STUDY, CASES, REDUCED = "study.toml", "cases", "reduced"
TABLES = ("table.parquet", "table.csv")
HEADER = "# A femsim study, complete. The same command continues it; femsim sweep --resume -o FOLDER does, too.\n"
_LOCK, _DRIVER, _PART = ".femsim-lock", ".femsim-driver.json", ".part-"
_ABANDONED = 24 * 3600.0


def write_case(out: Path, name: str, files: Mapping[str, bytes]) -> None:
    """Put the folder of a finished or failed case in its place, in one step.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written; no case is there then.
    """
    cases = out / CASES
    cases.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f"{_PART}{name}-", dir=cases))
    try:
        part.chmod(0o755)
        for file, content in files.items():
            target = part / file
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())  # a loss of power must not leave a folder of empty files
        _replace(part, cases / name)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _replace(part: Path, target: Path) -> None:
    for _ in range(3):
        try:
            os.replace(part, target)
            return
        except OSError:
            if not target.is_dir():
                raise
            # an earlier failure of the same case, or the same result from a worker of a driver that was killed
            shutil.rmtree(target, ignore_errors=True)
    os.replace(part, target)


def record(out: Path, name: str) -> dict[str, Any] | None:
    """What is known of a case; None where it is not finished, or not whole."""
    try:
        found = json.loads((out / CASES / name / "metrics.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and {"id", "status", "rows"} <= set(found) else None


def records(out: Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What is known of several cases."""
    found = ((name, record(out, name)) for name in names)
    return {name: one for name, one in found if one is not None}


@contextmanager
def owned(out: Path) -> Iterator[None]:
    """Be the only driver in a folder. The system lets go of the lock when the process ends, however it ends.

    Raises
    ------
    StudyError
        If another driver works there, or the folder cannot be used.
    """
    import filelock

    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(out / _LOCK, timeout=0)
        lock.acquire()
    except filelock.Timeout as error:
        raise StudyError(
            f"Another run works in {out} ({_driver(out)}).",
            "Two at once would do the same work and write the same files.",
            "Wait for it, stop it, or name another folder with -o.",
        ) from error
    except OSError as error:
        raise StudyError(
            f"The output folder {out} cannot be written: {error.strerror or error}.",
            "Nothing could be kept of the study.",
            "Name another folder with -o, or change its permissions.",
        ) from error
    try:
        with suppress(OSError):
            about = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
            (out / _DRIVER).write_text(json.dumps(about), encoding="utf-8")
        _sweep(out / CASES)
        yield
    finally:
        with suppress(OSError):
            (out / _DRIVER).unlink()
        lock.release()


def _driver(out: Path) -> str:
    try:
        found = json.loads((out / _DRIVER).read_text(encoding="utf-8"))
        return f"process {found['pid']} on {found['host']}, since {found['since']}"
    except (OSError, ValueError, KeyError):
        return "no more is known of it"


def _sweep(cases: Path) -> None:
    """Remove what killed workers left unfinished, once it is too old to belong to one that still runs."""
    with suppress(OSError):
        for part in cases.glob(f"{_PART}*"):
            if time.time() - part.stat().st_mtime > _ABANDONED:
                shutil.rmtree(part, ignore_errors=True)


def settle(out: Path, spec: StudySpec, *, resume: bool) -> None:
    """Make `out` the folder of a study, or make sure that it is already.

    Raises
    ------
    StudyError
        If it holds something else, or another study and `resume` was not asked for.
    """
    text = HEADER + toml_io.write(spec.model_dump(mode="json"))
    known = out / STUDY
    if known.is_file():
        if not resume and known.read_text(encoding="utf-8", errors="replace") != text:
            raise StudyError(
                f"{out} holds another study, or this one as it was before it was changed.",
                "Its cases would be mixed with those asked for now.",
                "Name another folder with -o; or give --resume: what both studies have in common is then kept.",
            )
    else:
        foreign = [one.name for one in out.iterdir() if not one.name.startswith(".femsim-")]
        if foreign:
            raise StudyError(
                f"The output folder {out} holds files that are not a femsim study, such as {sorted(foreign)[0]}.",
                "They could be replaced by the study.",
                "Name an empty or a new folder with -o.",
            )
    write_atomic(known, text.encode())


def stored(out: Path) -> StudySpec:
    """The study of a folder.

    Raises
    ------
    StudyError
        If there is none.
    """
    if not (out / STUDY).is_file():
        raise StudyError(
            f"There is no study in {out}.",
            "There is nothing to go on with.",
            "Name the folder of a sweep, or give the study file.",
        )
    return read(out / STUDY)


def write_atomic(path: Path, content: bytes) -> None:
    """Replace a file in one step; who reads it meanwhile sees the old or the new one.

    Raises
    ------
    StudyError
        If it cannot be written; the old one is still there.
    """
    part = path.with_name(f".femsim-{path.name}.{os.getpid()}")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise no_room(path, error) from error


def no_room(path: Path, error: OSError) -> StudyError:
    """The error of a study that cannot write any more."""
    return StudyError(
        f"{path} could not be written: {error.strerror or error}.",
        "The study stops here; every case that was finished is kept.",
        "Free some space and run the same command again: it goes on where it stopped.",
    )


def packed(case: Mapping[str, Any], metrics: Mapping[str, Any], provenance: Mapping[str, Any]) -> dict[str, bytes]:
    """The files of a case without its fields."""
    return {
        "case.toml": toml_io.write(case).encode(),
        "provenance.json": as_json(provenance).encode(),
        "metrics.json": as_json(metrics).encode(),
    }

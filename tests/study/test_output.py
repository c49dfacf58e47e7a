"""Output folders are whole or not there, whatever happens while they are written."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from femsim.errors import StudyError
from femsim.study import output
from femsim.study.output import check_writable, complete_folder

RUN = {"table.csv": "1", "cases/a/metrics.json": "2", "figures/risk.png": "3", "provenance.json": '{"femsim": "1"}'}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def content(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


def run_into(target: Path, files: dict[str, str] = RUN) -> None:
    with complete_folder(target) as folder:
        write(folder, files)


@pytest.mark.parametrize("name", ["out", "deep/er/out", "ümläut and space", ".hidden"])
def test_new_folder_appears_whole(tmp_path: Path, name: str) -> None:
    check_writable(tmp_path / name)
    run_into(tmp_path / name)
    assert content(tmp_path) == {f"{name}/{key}": value for key, value in RUN.items()}
    assert (tmp_path / name).stat().st_mode & 0o755 == 0o755


def test_earlier_run_is_replaced_wholly_and_foreign_files_stay(tmp_path: Path) -> None:
    target = tmp_path / "out"
    run_into(target)
    write(target, {"notes.txt": "mine", "my data/x": "mine too"})
    inode = target.stat().st_ino
    check_writable(target)
    # A run without figures must not leave those of the run before it.
    run_into(target, {"table.csv": "new", "provenance.json": '{"femsim": "2"}'})
    assert content(target) == {
        "table.csv": "new",
        "provenance.json": '{"femsim": "2"}',
        "notes.txt": "mine",
        "my data/x": "mine too",
    }
    assert target.stat().st_ino == inode  # a shell that stands in the folder is not left in a deleted one
    assert [item.name for item in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("before", [None, RUN])
@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), ValueError("x"), KeyboardInterrupt()]
)
def test_failure_leaves_all_as_it_was(tmp_path: Path, before: dict[str, str] | None, error: BaseException) -> None:
    target = tmp_path / "a/out"
    if before:
        run_into(target, before)
    expected = StudyError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected) as caught, complete_folder(target) as folder:  # noqa: PT012  # the block is the test
        write(folder, {"table.csv": "new"})
        raise error
    assert content(tmp_path) == {f"a/out/{key}": value for key, value in (before or {}).items()}
    if isinstance(error, OSError):
        assert "No space left" in str(caught.value)
    if not before:
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("at", range(1, 9))
def test_failure_while_parts_are_exchanged_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    target = tmp_path / "out"
    run_into(target)
    real, count = os.replace, 0

    def failing(source: Path, destination: Path) -> None:
        nonlocal count
        count += 1
        if count == at:
            raise OSError(errno.EIO, "Input/output error")
        real(source, destination)

    monkeypatch.setattr(output.os, "replace", failing)
    with pytest.raises(StudyError, match="Input/output error"):
        run_into(target, dict.fromkeys(RUN, "new"))
    assert content(target) == RUN
    assert count >= at


def test_killed_while_writing_leaves_nothing_that_looks_like_a_run(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib\n"
        "from femsim.study.output import complete_folder\n"
        "with complete_folder(pathlib.Path(sys.argv[1])) as folder:\n"
        "    (folder / 'table.csv').write_text('half')\n"
        "    print('writing', flush=True)\n"
        "    time.sleep(60)\n"
    )
    target = tmp_path / "out"
    with subprocess.Popen([sys.executable, "-c", code, str(target)], stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stdout.readline().strip() == b"writing"
        run.send_signal(signal.SIGKILL)
        run.wait()
    assert not target.exists()
    left = [item for item in tmp_path.iterdir() if item.name.startswith(".femsim-")]
    check_writable(target)
    run_into(target)  # what may belong to a run that is still going on is not touched
    assert content(target) == RUN
    assert all(item.exists() for item in left)
    long_ago = time.time() - 2 * 24 * 3600
    for item in left:
        for path in (*item.rglob("*"), item):
            os.utime(path, (long_ago, long_ago))
    run_into(tmp_path / "another")
    assert not any(item.exists() for item in left)


def test_interrupted_earlier_run_inside_the_folder_is_no_foreign_file(tmp_path: Path) -> None:
    write(tmp_path, {".femsim-abc/table.csv": "half"})
    check_writable(tmp_path)


@pytest.mark.parametrize(
    ("files", "target", "what"),
    [
        ({"out": "a file"}, "out", "is a file"),
        ({"a": "a file"}, "a/b/out", "cannot be"),
        ({"out/thesis.doc": "years of work"}, "out", "thesis.doc"),
        ({"out/figures/plot.png": "x"}, "out", "not a femsim run"),
        ({"out/provenance.json": '{"other": "program"}'}, "out", "not a femsim run"),
    ],
)
def test_refused_before_anything_is_computed(tmp_path: Path, files: dict[str, str], target: str, what: str) -> None:
    write(tmp_path, files)
    with pytest.raises(StudyError, match=what):
        check_writable(tmp_path / target)
    assert content(tmp_path) == files


def test_folder_without_write_permission(tmp_path: Path) -> None:
    place = Path("/proc") if os.geteuid() == 0 else tmp_path
    if place == tmp_path:
        tmp_path.chmod(0o500)
    elif not place.is_dir():
        pytest.skip("root may write everywhere here")
    with pytest.raises(StudyError, match="cannot be written"):
        check_writable(place / "out")


def test_link_to_a_folder_is_followed_and_a_dangling_one_refused(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to("disk")
    (tmp_path / "lost").symlink_to("nowhere")
    run_into(tmp_path / "out")
    assert (tmp_path / "out").is_symlink()
    assert content(tmp_path / "disk") == RUN
    with pytest.raises(StudyError):
        check_writable(tmp_path / "lost")

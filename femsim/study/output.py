"""Folders that are whole or not there at all.

Everything is written into a temporary folder and moved when complete, so that a run killed at any moment, or a full
disk, leaves no half-written output behind. A new folder appears in one step. An existing one is kept as it is (it may
be a mount point, a link, or where the user stands) and the parts of the earlier run in it are exchanged, its marker
first out and last in: a folder with the marker is always one whole run.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from femsim.errors import StudyError

#: The file that marks a folder as the output of femsim; it is written last.
MARKER = "provenance.json"
#: What a run may leave in its folder. Anything else there belongs to the user and is never touched.
PARTS = (
    "comparison.toml",
    "comparison.json",
    "table.csv",
    "table.parquet",
    "cases",
    "figures",
    "report.html",
    "CITATION.md",
    MARKER,
)

_PREFIX = ".femsim-"
# An unfinished folder of a killed run is swept away by a later run once nothing in it has changed for so long, s.
_ABANDONED = 24 * 3600.0


def check_writable(folder: Path) -> None:
    """Make sure, before anything is computed, that `folder` can be created or written into.

    Raises
    ------
    StudyError
        If it is a file, cannot be created or written, or holds files that femsim did not write.
    """
    try:
        _check_writable(folder)
    except OSError as error:
        raise StudyError(
            f"The output folder {folder} cannot be written: {error.strerror or error}.",
            "The run would be lost at its end.",
            "Name another folder with -o, or change its permissions.",
        ) from error


def _check_writable(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise StudyError(
            f"The output {folder} is a file, not a folder.",
            "A run writes a folder with tables, meshes and figures.",
            "Name another folder with -o.",
        )
    if folder.is_dir() and not _is_run(folder):
        foreign = [item.name for item in folder.iterdir() if not item.name.startswith(_PREFIX)]
        if foreign:
            raise StudyError(
                f"The output folder {folder} holds files that are not a femsim run, such as {sorted(foreign)[0]}.",
                "They could be replaced by the run.",
                "Name an empty or a new folder with -o.",
            )
    existing = _existing(folder)
    if not existing.is_dir():
        raise StudyError(
            f"The output folder {folder} cannot be created: {existing} is a file.",
            "Nothing could be written after the run.",
            "Name another folder with -o.",
        )
    # Just what `complete_folder` will do at the end, where a run of hours could be lost.
    os.rmdir(tempfile.mkdtemp(prefix=_PREFIX, dir=existing))


def _is_run(folder: Path) -> bool:
    """Whether a folder holds a run of femsim; other programs write a file of the marker's name too."""
    marker = folder / MARKER
    return marker.is_file() and '"femsim"' in marker.read_text(encoding="utf-8", errors="replace")


def _existing(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that is there."""
    found = folder.absolute()
    while not os.path.lexists(found) and found != found.parent:
        found = found.parent
    return found


@contextmanager
def complete_folder(target: Path) -> Iterator[Path]:
    """A temporary folder whose content moves into `target` when the block ends without an exception.

    Of an earlier run in `target` only `PARTS` are replaced, all of them; what a user added beside them stays.

    Raises
    ------
    StudyError
        If the disk is full or the folder cannot be written; `target` is then as it was.
    """
    target = target.absolute()
    temporary: Path | None = None
    above = [one for one in target.parents if not one.exists()]
    try:
        if not target.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
        place = target if target.is_dir() else target.parent
        _sweep(place)
        temporary = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
        temporary.chmod(0o755)
        yield temporary
        if target.is_dir():
            _exchange(temporary, target)
        else:
            os.replace(temporary, target)
    except OSError as error:
        raise StudyError(
            f"{target} could not be written: {error.strerror or error}.",
            "Nothing was left half-written; what stood there before is untouched.",
            "Free some space or name another folder with -o, and run the same command again.",
        ) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        if not target.exists():
            for one in above:
                with suppress(OSError):  # not empty, or never made
                    one.rmdir()


def _exchange(new: Path, target: Path) -> None:
    """Put the parts of `new` in place of those of an earlier run in `target`, or leave `target` as it was."""
    old = new / ".before"
    old.mkdir()
    arriving = [item.name for item in new.iterdir() if item != old]
    leaving = [name for name in dict.fromkeys((*PARTS, *arriving)) if os.path.lexists(target / name)]
    moves = [(target / name, old / name) for name in sorted(leaving, key=lambda name: name != MARKER)]
    moves += [(new / name, target / name) for name in sorted(arriving, key=lambda name: name == MARKER)]
    done: list[tuple[Path, Path]] = []
    try:
        for source, destination in moves:
            os.replace(source, destination)
            done.append((source, destination))
    except BaseException:
        for source, destination in reversed(done):
            os.replace(destination, source)
        raise


def _sweep(place: Path) -> None:
    """Remove what killed runs left unfinished, once it is old enough to belong to no run that is still going on."""
    with suppress(OSError):
        for item in place.iterdir():
            if item.name.startswith(_PREFIX) and item.is_dir() and not (item / ".before").exists():
                newest = max(path.stat().st_mtime for path in (item, *item.rglob("*")))
                if time.time() - newest > _ABANDONED:
                    shutil.rmtree(item, ignore_errors=True)

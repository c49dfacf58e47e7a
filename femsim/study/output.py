"""Folders and files that are whole or not there at all.

Everything is written into a temporary folder beside the target and moved when complete, so that a run killed at any
moment, or a full disk, leaves no half-written output behind.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from femsim.errors import StudyError

#: The file that marks a folder as the output of femsim.
MARKER = "provenance.json"


def check_writable(folder: Path) -> None:
    """Make sure, before anything is computed, that `folder` can be created or written into.

    Raises
    ------
    StudyError
        If it is a file, cannot be created or written, or holds files that femsim did not write.
    """
    if folder.exists() and not folder.is_dir():
        raise StudyError(
            f"The output {folder} is a file, not a folder.",
            "A run writes a folder with tables, meshes and figures.",
            "Name another folder with -o.",
        )
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).exists():
        raise StudyError(
            f"The output folder {folder} holds files that are not a femsim run.",
            "They could be replaced by the run.",
            "Name an empty or a new folder with -o.",
        )
    existing = folder.absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise StudyError(
            f"The output folder {folder} cannot be created: {existing} is a file.",
            "Nothing could be written after the run.",
            "Name another folder with -o.",
        )
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise StudyError(
            f"The output folder {folder} cannot be written: {error.strerror}.",
            "The run would be lost at its end.",
            "Name another folder with -o, or change the permissions of " + str(existing) + ".",
        ) from error


@contextmanager
def complete_folder(target: Path) -> Iterator[Path]:
    """A temporary folder whose content moves into `target` when the block ends without an exception.

    Only what femsim wrote is ever replaced: a folder that holds other things is refused by `check_writable`, and files
    a user added beside femsim's own stay.

    Raises
    ------
    StudyError
        If the disk is full or the folder cannot be written; `target` is then as it was.
    """
    target = target.absolute()
    temporary: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        temporary.chmod(0o755)
        yield temporary
        _move_into(temporary, target)
    except OSError as error:
        raise StudyError(
            f"{target} could not be written: {error.strerror or error}.",
            "Nothing was left half-written; what stood there before is untouched.",
            "Free some space or name another folder with -o, and run the same command again.",
        ) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _move_into(new: Path, target: Path) -> None:
    """Move `new` to `target`; where `target` is an earlier run, replace its parts one by one, the marker last."""
    if not target.exists():
        os.replace(new, target)
        return
    attic = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
    try:
        for item in sorted(new.iterdir(), key=lambda path: path.name == MARKER):
            if (target / item.name).exists():
                os.replace(target / item.name, attic / item.name)
            os.replace(item, target / item.name)
    finally:
        shutil.rmtree(attic, ignore_errors=True)

"""What was made once is not made again: a store on disk, by content, that many processes may share.

A *stage* (background mesh, arrangement mesh, solution, ...) is a function of its inputs. `remember` looks for its
result under a hash of stage, recipe version and inputs, and makes it only where it is not there. The folder is a cache
and nothing more: it can be deleted at any time, by anyone, even while it is used.

What holds it together:

- An entry is written beside its place and renamed, so that a reader sees a whole entry or none.
- It begins with the checksum of the rest. What is truncated, damaged or of another format is made again.
- One process makes an entry while others that want the same wait for it. The lock belongs to the operating system and
  falls with its process, also where that is killed.
- Where nothing can be written (full disk, no permission) the result is used and not stored, with one warning.
- Beyond a limit of size the entries that were not used for longest go.

``FEMSIM_CACHE`` names the folder, or "off"; without it the cache folder of the user serves. ``FEMSIM_CACHE_LIMIT`` is
the size in GiB.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from femsim.errors import FemsimWarning, InputError
from femsim.store.entry import Arrays, packed, read
from femsim.store.keys import key

__all__ = ["DEFAULT_LIMIT", "PATIENCE", "Arrays", "Store", "Tally", "count", "default", "key", "remember", "tally"]

# Endings that no other program uses: the user may have named a folder with other things in it.
_SUFFIX = ".femsim-entry"
_UNFINISHED = ".femsim-part"
_LOCK = ".femsim-lock"
#: GiB that the store may take where nobody says otherwise: some hundred meshes of 300 000 unknowns.
DEFAULT_LIMIT = 5.0
#: Share of the limit that is left after clearing, so that not every new entry has to clear again.
_CLEARED_TO = 0.9
#: Seconds to wait for another process that makes the same entry; then it is made here too.
PATIENCE = 1800.0
#: Seconds after which an unfinished entry or an unused lock belongs to nobody any more.
_ABANDONED = 24 * 3600.0


@dataclass
class Tally:
    """How often each stage was made, and how often found: ``made["mesh"]``, ``reused["mesh"]``."""

    made: dict[str, int] = field(default_factory=dict)
    reused: dict[str, int] = field(default_factory=dict)

    def count(self, stage: str, *, reused: bool) -> None:
        """Note one use of a stage, from the store or from anywhere else that saves making it."""
        counts = self.reused if reused else self.made
        counts[stage] = counts.get(stage, 0) + 1


_tallies: ContextVar[tuple[Tally, ...]] = ContextVar("femsim_store_tallies", default=())


@contextmanager
def tally() -> Iterator[Tally]:
    """Count what is made and what is reused inside the block.

    Examples
    --------
    >>> with tally() as counts:
    ...     _ = Store(None).remember("square", (3,), lambda: {"value": 9})
    >>> counts.made
    {'square': 1}
    """
    mine = Tally()
    token = _tallies.set((*_tallies.get(), mine))
    try:
        yield mine
    finally:
        _tallies.reset(token)


def count(stage: str, *, reused: bool) -> None:
    """Tell every open `tally` of one use of a stage."""
    for one in _tallies.get():
        one.count(stage, reused=reused)


@dataclass(frozen=True)
class Store:
    """A folder of entries by content.

    Parameters
    ----------
    folder : Path or None
        Where; None stores nothing.
    limit : float
        GiB.
    """

    folder: Path | None
    limit: float = DEFAULT_LIMIT

    def remember(
        self, stage: str, parts: Iterable[object], make: Callable[[], Mapping[str, ArrayLike]], *, recipe: str = "1"
    ) -> Arrays:
        """The arrays of a stage: from the store, or made now and stored.

        Parameters
        ----------
        stage : str
            Name of the stage, a plain word; a folder of the store.
        parts : iterable
            Everything the result depends on; see `key`.
        make : callable
            Makes the arrays; called at most once. Its exceptions pass through and nothing is stored.
        recipe : str
            Version of `make`; change it whenever the same inputs give another result.

        Returns
        -------
        dict of str to array
            Texts come as arrays of text. Arrays of objects are refused.
        """
        if self.folder is None:
            return _made(stage, make)
        path = self.folder / stage / f"{key((stage, recipe, tuple(parts)))}{_SUFFIX}"
        found = read(path)
        if found is None:
            with _alone(path):
                found = read(path)  # another process may have made it while this one waited
                if found is None:
                    made = _made(stage, make)
                    self._write(path, made)
                    return made
        count(stage, reused=True)
        return found

    def holds(self, stage: str, parts: Iterable[object], *, recipe: str = "1") -> bool:
        """Whether an entry is there, without reading it; a plan may be wrong about a damaged one."""
        return (
            self.folder is not None
            and (self.folder / stage / f"{key((stage, recipe, tuple(parts)))}{_SUFFIX}").is_file()
        )

    def size(self) -> int:
        """Bytes that the store takes now."""
        return sum(one.st_size for _, one in self._files())

    def clear(self) -> None:
        """Remove every entry. Safe at any time: who needs one makes it again."""
        for path, _ in self._files():
            with suppress(OSError):
                path.unlink()

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        if self.folder is None:
            return
        for path in self.folder.glob("*/*"):
            if path.suffix in (_SUFFIX, _UNFINISHED, _LOCK):
                with suppress(OSError):  # gone meanwhile
                    yield path, path.stat()

    def _write(self, path: Path, arrays: Arrays) -> None:
        part: Path | None = None
        try:
            content = packed(arrays)
            if len(content) > self.limit * 2**30:
                _tell_not_stored(path.parent.parent, f"one result of {len(content) / 2**30:.2g} GiB exceeds its limit")
                return
            part = path.with_name(f"{path.stem}.{os.getpid()}-{time.monotonic_ns()}{_UNFINISHED}")
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(content)
            os.replace(part, path)
            self._bound(path)
        except OSError as error:
            if part is not None:
                with suppress(OSError):
                    part.unlink()
            _tell_not_stored(path.parent.parent, error.strerror or str(error))

    def _bound(self, newest: Path) -> None:
        """Let the entries go that were not used for longest, until the store is within its limit."""
        now = time.time()
        total, entries = 0, []
        for path, info in self._files():
            if path.suffix == _SUFFIX:
                entries.append((info.st_mtime, info.st_size, path))
            elif now - info.st_mtime > _ABANDONED:
                with suppress(OSError):
                    path.unlink()
                continue
            total += info.st_size
        if total <= self.limit * 2**30:
            return
        for _, size, path in sorted(entries):
            if path == newest:
                continue
            with suppress(OSError):  # on Windows an entry that is being read cannot be removed
                path.unlink()
                total -= size
            if total <= _CLEARED_TO * self.limit * 2**30:
                return


def _made(stage: str, make: Callable[[], Mapping[str, ArrayLike]]) -> Arrays:
    made = {name: np.asarray(value) for name, value in make().items()}
    for name, array in made.items():
        if array.dtype.hasobject:
            raise TypeError(f"{stage}: {name} is an array of objects, which cannot be stored.")
    count(stage, reused=False)
    return made


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock of one entry; where there can be none, go on without."""
    import filelock

    lock = filelock.FileLock(path.with_suffix(_LOCK), timeout=PATIENCE)
    # The lock only saves making a thing twice; entries are whole without it.
    with suppress(OSError, NotImplementedError, filelock.Timeout):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(poll_interval=0.02)
    try:
        yield
    finally:
        with suppress(OSError):
            lock.release()


_told: set[Path] = set()


def _tell_not_stored(folder: Path, reason: str) -> None:
    if folder in _told:
        return
    _told.add(folder)
    warnings.warn(
        f"The cache {folder} could not be written: {reason}. Results are right but will be made again next time; free "
        "some space, or name another folder in FEMSIM_CACHE.",
        FemsimWarning,
        stacklevel=2,
    )


def default() -> Store:
    """The store that ``FEMSIM_CACHE`` and ``FEMSIM_CACHE_LIMIT`` describe, read anew at every call.

    Raises
    ------
    InputError
        If the limit is not a positive number.
    """
    asked = os.environ.get("FEMSIM_CACHE", "").strip()
    if asked.lower() == "off":
        return Store(None)
    if asked:
        folder = Path(asked).expanduser()
    else:
        import platformdirs

        folder = Path(platformdirs.user_cache_dir("femsim", appauthor=False))
    text = os.environ.get("FEMSIM_CACHE_LIMIT", "").strip()
    try:
        limit = float(text) if text else DEFAULT_LIMIT
    except ValueError:
        limit = float("nan")
    if not limit > 0.0:
        raise InputError(
            f"FEMSIM_CACHE_LIMIT = {text!r} is not a positive number.",
            "It is the size of the cache in GiB.",
            f"Set it to a number such as {DEFAULT_LIMIT:g}, or unset it.",
        )
    return Store(folder, limit)


def remember(
    stage: str, parts: Iterable[object], make: Callable[[], Mapping[str, ArrayLike]], *, recipe: str = "1"
) -> Arrays:
    """`Store.remember` of the `default` store.

    Examples
    --------
    >>> arrays = remember("doctest", ("cube of", 2.0), lambda: {"cube": 2.0**3})
    >>> float(arrays["cube"])
    8.0
    """
    return default().remember(stage, parts, make, recipe=recipe)

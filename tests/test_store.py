"""The store is broken here in every way it can be, and must neither lose, invent nor mix up anything."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from femsim import store
from femsim.errors import FemsimWarning, InputError
from femsim.store import Store


class Maker:
    """Makes an array, and counts how often."""

    def __init__(self, size: int = 1000) -> None:
        self.calls = 0
        self.array = np.random.default_rng(size).random(size)

    def __call__(self) -> dict[str, np.ndarray]:
        self.calls += 1
        return {"a": self.array, "names": np.array(["ä", "second"])}


@pytest.fixture
def place(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


def entries(place: Store) -> list[Path]:
    assert place.folder is not None
    return sorted(place.folder.glob("*/*.femsim-entry"))


def test_made_once_and_found_bit_for_bit(place: Store) -> None:
    make = Maker()
    with store.tally() as counts:
        first = place.remember("mesh", ("x", 1.5), make)
        second = place.remember("mesh", ("x", 1.5), make)
    assert make.calls == 1
    assert np.array_equal(first["a"], second["a"])
    assert list(second["names"]) == ["ä", "second"]
    assert (counts.made, counts.reused) == ({"mesh": 1}, {"mesh": 1})
    assert place.holds("mesh", ("x", 1.5))
    assert not place.holds("mesh", ("x", 1.6))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c"), ("a", "bc")),
        ((1,), (1.0,)),
        ((1,), (True,)),
        (("1",), (1,)),
        ((None,), ("None",)),
        (((1, 2), 3), (1, 2, 3)),
        (({"a": 1},), ({"a": 2},)),
        ((np.zeros(4),), (np.zeros((2, 2)),)),
        ((np.zeros(2),), (np.zeros(4, np.float32),)),
        ((np.array([1.0, 2.0]),), (np.array([1.0, np.nextafter(2.0, 3.0)]),)),
    ],
)
def test_different_inputs_have_different_keys(one: tuple, other: tuple) -> None:
    assert store.key(one) != store.key(other)


def test_key_is_the_same_in_every_process_and_order_of_a_mapping(place: Store) -> None:
    parts = "({'b': 1.5, 'a': [1, None]}, 'ü', np.arange(3))"
    code = f"import numpy as np; from femsim import store; print(store.key({parts}))"
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": s},
        ).stdout.strip()
        for s in ("1", "2")
    }
    assert told == {store.key(({"a": (1, None), "b": 1.5}, "ü", np.arange(3)))}


def test_what_has_no_content_is_refused(place: Store) -> None:
    with pytest.raises(TypeError, match="cannot be part of a key"):
        place.remember("mesh", (object(),), Maker())
    with pytest.raises(TypeError, match="array of objects"):
        place.remember("mesh", (np.array([object()]),), Maker())
    with pytest.raises(TypeError, match="array of objects"):
        place.remember("mesh", (), lambda: {"a": np.array([None, "x"])})


def test_another_recipe_or_stage_is_another_entry(place: Store) -> None:
    make = Maker()
    place.remember("mesh", (1,), make)
    place.remember("mesh", (1,), make, recipe="2")
    place.remember("background", (1,), make)
    assert make.calls == 3


def test_a_failure_is_not_remembered(place: Store) -> None:
    def fail() -> dict[str, np.ndarray]:
        raise RuntimeError("no mesh")

    with pytest.raises(RuntimeError, match="no mesh"):
        place.remember("mesh", (1,), fail)
    make = Maker()
    place.remember("mesh", (1,), make)
    assert make.calls == 1


@pytest.mark.parametrize("keep", [0, 5, 40, 100, 0.5, -1])
def test_truncated_entry_is_made_again(place: Store, keep: float) -> None:
    make = Maker()
    place.remember("mesh", (1,), make)
    (entry,) = entries(place)
    content = entry.read_bytes()
    cut = int(keep * len(content)) if 0 < keep < 1 else int(keep)
    entry.write_bytes(content[:cut])
    again = place.remember("mesh", (1,), make)
    assert make.calls == 2
    assert np.array_equal(again["a"], make.array)
    assert entry.read_bytes() == content


def test_every_flipped_bit_is_noticed(place: Store) -> None:
    make = Maker(20)
    place.remember("mesh", (1,), make)
    (entry,) = entries(place)
    content = entry.read_bytes()
    for at in range(0, len(content), 7):
        entry.write_bytes(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
        calls = make.calls
        assert np.array_equal(place.remember("mesh", (1,), make)["a"], make.array)
        assert make.calls == calls + 1, at


def test_pickles_are_never_loaded(place: Store) -> None:
    """A cache folder that others can write must not run their code."""
    import hashlib
    import io

    make = Maker()
    place.remember("mesh", (1,), make)
    (entry,) = entries(place)
    memory = io.BytesIO()
    np.savez(memory, a=np.array([{"x": 1}], object))
    payload = memory.getvalue()
    entry.write_bytes(b"femsim store 1\n" + hashlib.blake2b(payload, digest_size=32).digest() + payload)
    assert np.array_equal(place.remember("mesh", (1,), make)["a"], make.array)


def test_folder_deleted_while_in_use(place: Store) -> None:
    make = Maker()

    def make_and_delete() -> dict[str, np.ndarray]:
        shutil.rmtree(place.folder)  # type: ignore[arg-type]
        return make()

    place.remember("mesh", (1,), make_and_delete)
    place.remember("mesh", (1,), make)
    assert make.calls == 1  # it was stored although the folder had gone
    place.clear()
    assert entries(place) == []
    place.remember("mesh", (1,), make)
    assert make.calls == 2


def test_least_recently_used_entries_go_first(tmp_path: Path) -> None:
    make = Maker(1000)  # 8 kB each
    place = Store(tmp_path, limit=50e3 / 2**30)
    for number in range(5):
        place.remember("mesh", (number,), make)
        # file times may be coarse: set them apart
        newest = max(entries(place), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (number + 1.0, number + 1.0))
    place.remember("mesh", (0,), make)  # used again: now the newest
    calls = make.calls
    place.remember("mesh", (5,), make)
    assert place.size() <= 50e3
    assert place.holds("mesh", (0,))
    assert place.holds("mesh", (5,))
    assert not place.holds("mesh", (1,))
    assert make.calls == calls + 1


def test_bounded_whatever_is_put_in(tmp_path: Path) -> None:
    place = Store(tmp_path, limit=100e3 / 2**30)
    for number in range(60):
        place.remember("mesh", (number,), Maker(500 + 10 * number))
        assert place.size() <= 100e3


def test_larger_than_the_limit_is_used_and_not_stored(tmp_path: Path) -> None:
    place = Store(tmp_path / "small", limit=1e3 / 2**30)
    make = Maker()
    with pytest.warns(FemsimWarning, match="exceeds its limit"):
        assert np.array_equal(place.remember("mesh", (1,), make)["a"], make.array)
    assert entries(place) == []


def test_foreign_files_in_the_folder_are_never_touched(tmp_path: Path) -> None:
    (tmp_path / "mesh").mkdir()
    mine = tmp_path / "mesh/thesis.lock"
    mine.write_text("years of work")
    os.utime(mine, (1.0, 1.0))
    place = Store(tmp_path, limit=20e3 / 2**30)
    for number in range(5):
        place.remember("mesh", (number,), Maker())
    place.clear()
    assert mine.read_text() == "years of work"


def test_abandoned_parts_and_locks_are_swept(place: Store) -> None:
    place.remember("mesh", (1,), Maker())
    assert place.folder is not None
    old = place.folder / "mesh/abc.1-2.femsim-part"
    new = place.folder / "mesh/abc.1-3.femsim-part"
    for path in (old, new):
        path.write_bytes(b"x" * 100)
    os.utime(old, (1.0, 1.0))
    place.remember("mesh", (2,), Maker())
    assert not old.exists()
    assert new.exists()  # perhaps somebody is writing it


def test_disk_that_fills_while_writing(place: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    make = Maker()
    real = Path.write_bytes

    def full(self: Path, data: bytes) -> int:
        real(self, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.warns(FemsimWarning, match="No space left"):
            assert np.array_equal(place.remember("mesh", (1,), make)["a"], make.array)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            place.remember("mesh", (1,), make)  # told once, not at every case of a sweep
    assert make.calls == 2
    assert entries(place) == []
    assert place.folder is not None
    assert not list(place.folder.glob("*/*.femsim-part"))
    place.remember("mesh", (1,), make)
    assert len(entries(place)) == 1


@pytest.fixture
def tiny_disk() -> Iterator[Path]:
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        pytest.skip("a small tmpfs can only be mounted by root on Linux")
    folder = tempfile.mkdtemp(prefix="femsim-tiny-")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True).returncode:
        os.rmdir(folder)
        pytest.skip("this container may not mount a tmpfs")
    try:
        yield Path(folder)
    finally:
        subprocess.run(["umount", folder], check=True)
        os.rmdir(folder)


def test_truly_full_disk(tiny_disk: Path) -> None:
    place = Store(tiny_disk / "cache")
    small, large = Maker(1000), Maker(20000)
    place.remember("mesh", (1,), small)
    with pytest.warns(FemsimWarning, match="No space left"):
        assert np.array_equal(place.remember("mesh", (2,), large)["a"], large.array)
    place.remember("mesh", (1,), small)
    assert small.calls == 1  # what was there before is still whole
    assert [path.suffix for path in (tiny_disk / "cache/mesh").iterdir() if path.stat().st_size] == [".femsim-entry"]


@pytest.mark.parametrize("where", ["a file", "below a file", "unwritable"])
def test_folder_that_cannot_be(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("x")
    folder = {"a file": tmp_path / "file", "below a file": tmp_path / "file/deep", "unwritable": Path("/proc/femsim")}
    make = Maker()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FemsimWarning)
        for _ in range(2):
            assert np.array_equal(Store(folder[where]).remember("mesh", (1,), make)["a"], make.array)
    assert make.calls == 2
    assert (tmp_path / "file").read_text() == "x"


RACE = """
import sys, time
import numpy as np
from pathlib import Path
from femsim.store import Store
def make():
    with open(sys.argv[2], "a") as log:
        log.write("made\\n")
    time.sleep(0.5)
    return {"a": np.arange(5)}
print(int(Store(Path(sys.argv[1])).remember("mesh", (1,), make)["a"].sum()))
"""


def test_many_processes_make_it_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RACE, str(tmp_path / "cache"), str(tmp_path / "log")]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert {run.communicate()[0].strip() for run in runs} == {"10"}
    assert (tmp_path / "log").read_text() == "made\n"


def test_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RACE.replace("0.5", "60"), str(tmp_path / "cache"), str(tmp_path / "log")]
    with subprocess.Popen(command) as run:
        while not (tmp_path / "log").exists():
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
        run.wait()
    start = time.monotonic()
    make = Maker()
    Store(tmp_path / "cache").remember("mesh", (1,), make)
    assert make.calls == 1
    assert time.monotonic() - start < 5.0


def test_one_stage_inside_another(place: Store) -> None:
    make = Maker()
    outer = lambda: {"b": 2.0 * place.remember("background", (1,), make)["a"]}  # noqa: E731
    assert np.array_equal(place.remember("mesh", (1,), outer)["b"], 2.0 * make.array)
    assert place.holds("background", (1,))


def test_folder_and_limit_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEMSIM_CACHE", str(tmp_path / "here"))
    monkeypatch.setenv("FEMSIM_CACHE_LIMIT", "0.25")
    assert store.default() == Store(tmp_path / "here", 0.25)
    monkeypatch.setenv("FEMSIM_CACHE", "OFF")
    make = Maker()
    for _ in range(2):
        store.remember("mesh", (1,), make)
    assert make.calls == 2
    monkeypatch.delenv("FEMSIM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    if sys.platform.startswith("linux"):
        assert store.default().folder == tmp_path / "user/femsim"
    for bad in ("0", "-1", "much", "nan"):
        monkeypatch.setenv("FEMSIM_CACHE_LIMIT", bad)
        with pytest.raises(InputError, match="FEMSIM_CACHE_LIMIT"):
            store.default()

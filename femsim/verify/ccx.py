"""CalculiX as a second opinion: its own test decks where they are installed, and the program itself."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from femsim.errors import SolveError
from femsim.fem.deck import Block, read_dat
from femsim.verify.registry import Skip

#: Where Debian's package calculix-ccx-test puts its decks.
DECKS = Path("/usr/share/doc/calculix-ccx-test/examples/test")


#: A table smaller than this part of the largest of its quantity holds round-off (reactions where nothing is held).
NOISE = 1e-9


def deck_text(name: str, suffix: str) -> str:
    """A deck (``.inp``) or its reference (``.dat.ref``) of the package calculix-ccx-test.

    Raises
    ------
    Skip
        If the package is not installed.
    """
    plain = DECKS / f"{name}{suffix}"
    packed = DECKS / f"{name}{suffix}.gz"
    if plain.exists():
        return plain.read_text(encoding="utf-8", errors="replace")
    if packed.exists():
        return gzip.decompress(packed.read_bytes()).decode("utf-8", errors="replace")
    raise Skip(f"{name}{suffix} is not in {DECKS}; apt-get install calculix-ccx-test")


def program() -> str:
    """The program ccx.

    Raises
    ------
    Skip
        If it is not installed.
    """
    found = shutil.which("ccx")
    if found is None:
        raise Skip("ccx is not installed; apt-get install calculix-ccx")
    return found


def run_ccx(deck: Path) -> list[Block]:
    """Solve a deck with ccx beside it, and read its prints.

    Raises
    ------
    Skip, SolveError
        If ccx is not installed; if it stops with an error.
    """
    done = subprocess.run(
        [program(), deck.stem], cwd=deck.parent, capture_output=True, text=True, check=False,
        env=os.environ | {"OMP_NUM_THREADS": "2"},
    )  # fmt: skip
    if done.returncode or "*ERROR" in done.stdout:
        at = done.stdout.find("*ERROR")
        raise SolveError(
            f"ccx did not solve {deck.name}: {' '.join(done.stdout[at : at + 200].split())}",
            "There is nothing to compare with.",
            "Run ccx by hand on the deck.",
        )
    return read_dat(deck.with_suffix(".dat"))


def differences(own: Sequence[Block], other: Sequence[Block]) -> dict[str, float]:
    """Largest difference of every printed quantity, relative to the largest value in the other's table.

    Tables are matched in order by title and time, rows by entity. A table that is missing differs by infinity.
    """
    left = list(own)
    largest: dict[str, float] = {}
    for block in other:
        largest[block.quantity] = max(largest.get(block.quantity, 0.0), float(np.abs(block.values).max()))
    out: dict[str, float] = {}
    for block in other:
        match = next((b for b in left if b.title == block.title and np.isclose(b.time, block.time)), None)
        error = np.inf
        if match is not None:
            left.remove(match)
            error = _difference(match, block, NOISE * largest[block.quantity])
        out[block.quantity] = max(out.get(block.quantity, 0.0), error)
    return out


def _difference(own: Block, other: Block, least: float) -> float:
    here = {tuple(key): i for i, key in enumerate(own.keys.tolist())}
    pairs = [(here[tuple(key)], j) for j, key in enumerate(other.keys.tolist()) if tuple(key) in here]
    # CalculiX prints rows of zeros for nodes that a set names and the deck does not define; any other must be here.
    known = {j for _, j in pairs}
    if any(other.values[j].any() for j in range(len(other.values)) if j not in known) or not pairs:
        return np.inf
    i, j = np.array(pairs).T
    scale = max(float(np.abs(other.values).max()), least)
    return float(np.abs(own.values[i] - other.values[j]).max() / scale) if scale else float(np.abs(own.values[i]).max())

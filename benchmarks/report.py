"""Seconds that figures and report of a finished comparison take: ``python benchmarks/report.py [FOLDER]``.

FOLDER is the output of ``femsim compare``; without it the default comparison of five strategies is run first, which is
not counted. Fields are read before, as after a run they are in memory. What is written goes to a temporary folder. The
goal is 20 s at 300 000 unknowns.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import femsim as fs
from femsim.report import figures, page


def measure(out: Path, place: Path) -> dict[str, Any]:
    """Wall seconds of the figures and of the page, one after the other as a run makes them."""
    stored = fs.load(out)
    for one in stored:
        _ = one.fields
    record = json.loads((out / "provenance.json").read_text(encoding="utf-8"))
    prepared = figures.Prepared(stored)
    start = time.perf_counter()
    made = figures.write(prepared, place / "figures")
    drawn = time.perf_counter()
    text = page.html(prepared, record, made.notes)
    written = time.perf_counter()
    return {
        "unknowns": 3 * len(stored.mesh.points),
        "strategies": len(stored),
        "figures": len(made.pictures),
        "figures_s": drawn - start,
        "report_s": written - drawn,
        "together_s": written - start,
        "report_MB": len(text.encode()) / 1e6,
        "notes": list(made.notes),
    }


def main(folder: str | None) -> dict[str, Any]:
    """Measure on a folder, or on the default comparison made for it."""
    with tempfile.TemporaryDirectory(prefix="femsim-bench-") as temporary:
        place = Path(temporary)
        if folder is None:
            subprocess.run([sys.executable, "-m", "femsim", "-q", "compare", "-o", str(place / "out")], check=True)
        return measure(Path(folder) if folder else place / "out", place)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1] if len(sys.argv) > 1 else None), indent=2))

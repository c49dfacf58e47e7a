"""Time and memory of the main job, and what five strategies cost beside one: ``python benchmarks/compare.py``.

Everything is measured in processes of its own, one after the other, on two threads. The first run compiles the numba
kernels into an empty cache, so that what a new user waits for is measured too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ONE = """
[strategies.intact]
"""


def run(arguments: list[str], cache: Path) -> dict[str, float]:
    """Wall seconds and peak memory (GiB, of the largest process) of one ``femsim compare``."""
    environment = os.environ | {
        "NUMBA_CACHE_DIR": str(cache),
        "OMP_NUM_THREADS": "2",
        "NUMBA_NUM_THREADS": "2",
        "FEMSIM_CACHE": "off",  # every run makes its mesh
    }
    code = (
        "import sys, resource, json; from femsim.cli import main; code = main(sys.argv[1:]);"
        "peak = max(resource.getrusage(w).ru_maxrss for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN));"
        "print(json.dumps({'code': code, 'peak': peak / 2**20}), file=sys.stderr)"
    )
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, "-q", "compare", *arguments], env=environment, capture_output=True, text=True
    )
    seconds = time.perf_counter() - start
    told = json.loads(done.stderr.strip().splitlines()[-1])
    if told["code"] != 0:
        raise SystemExit(done.stderr)
    return {"seconds": seconds, "peak": told["peak"]}


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "one.toml").write_text(ONE, encoding="utf-8")
        cache = work / "cache"
        rows = {
            "five strategies, first time ever": run(["-o", str(work / "a")], cache),
            "five strategies": run(["-o", str(work / "b")], cache),
            "one strategy (intact)": run([str(work / "one.toml"), "-o", str(work / "c")], cache),
        }
    print("| run | seconds | peak GiB |\n|---|--:|--:|")
    for name, row in rows.items():
        print(f"| {name} | {row['seconds']:.1f} | {row['peak']:.2f} |")
    five, one = rows["five strategies"], rows["one strategy (intact)"]
    print(f"\nFive strategies cost {five['seconds'] / one['seconds']:.2f} times one.")


if __name__ == "__main__":
    main()

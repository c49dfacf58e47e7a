"""Sweep: 200 cases on two workers against one, and what the engine itself costs.

    python benchmarks/sweep.py [CASES]

Very small meshes in a cache that is filled before, so that nothing but the engine and the solver is measured; every
case changes a modulus and is solved anew. ``speed_up`` is wall time a case with one worker over wall time a case with
two, without their start and first cases. ``overhead`` is what one worker takes beyond the sum of the seconds of its
cases, as a share of that sum.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import femsim as fs
from femsim.study.sweep import engine
from femsim.study.sweep.drive import drive


def study(cases: int) -> fs.Study:
    """Cases that share one mesh and differ in the shear modulus of the cortex: three solutions each, a second or so."""
    case = fs.Case(
        bone=fs.Tube(length=80.0),
        lesion=fs.Lesion(site="shaft_middle", diameter=14.0),
        load="torsion",
        mesh=fs.Mesh(near=4.0, far=8.0),
    )
    vary = {"materials.cortical_bone.G_axial": {"linspace": [2800.0, 4200.0, cases]}}
    return fs.Study(case, vary=vary, strategies={"untreated": fs.Untreated(), "cement": fs.Cement()})


def measure(cases: int, workers: int, folder: Path) -> dict[str, float]:
    """Wall time from the first case that a started worker takes to the last, and the sum of the cases' own seconds."""
    first: list[float] = []
    real = engine.Pending.take

    def take(self: Any, last: Any, busy: Any) -> Any:
        job = real(self, last, busy)
        if last is not None and not first:
            first.append(time.perf_counter())
        return job

    engine.Pending.take = take  # type: ignore[method-assign]
    try:
        drive(study(cases).spec, folder, workers=workers)
    finally:
        engine.Pending.take = real  # type: ignore[method-assign]
    end = time.perf_counter()
    seconds = fs.load(folder).frame.groupby("case", sort=False)["seconds"].first()
    return {"wall": end - first[0], "work": float(seconds.sum() - seconds.nlargest(workers).sum())}


def main(cases: int) -> dict[str, Any]:
    place = Path(tempfile.mkdtemp(prefix="femsim-bench-"))
    os.environ["FEMSIM_CACHE"] = str(place / "cache")
    try:
        measure(4, 2, place / "warm")  # compiled, and the mesh in the cache
        one, two = measure(cases, 1, place / "one"), measure(cases, 2, place / "two")
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return {
        "cases": cases,
        "one_worker_s": one["wall"],
        "two_workers_s": two["wall"],
        "speed_up": (one["wall"] / (cases - 1)) / (two["wall"] / (cases - 2)),
        "overhead": one["wall"] / one["work"] - 1.0,
    }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200), indent=2))

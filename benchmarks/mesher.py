"""Meshes random variants of bones with lesions and devices, and prints how many failed, how good and how fast.

    python benchmarks/mesher.py --count 1000 [--first 0] [--workers 2] [--data FOLDER] [--verbose]
    python benchmarks/mesher.py --seed 1234        # one variant again

Variants come in groups of 40 that share a bone, a place on it and so the mesh of the bone (its *base*). Groups take
turns: parametric femur, humerus and tibia with random measures, a cut bowed shaft, and the real bones of FOLDER where
it is there. Every variant draws lesions (sphere, ellipsoid, capsule, rough blob, hole, slot), cement and devices
(catheters with and without a wall, screws), and one of the hard relations: tangent, coincident, grazing, nearly
touching. The time of a variant is CPU time without that of the base.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import os
import tempfile
import time
import traceback
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from mesher_variants import GROUP, Group, group, variant
from mesher_volumes import LARGE, THICK, Judged, judged, reported

from femsim import mesh


@dataclass(frozen=True)
class Outcome:
    """What one variant gave."""

    seed: int
    bone: str
    relation: str
    error: str = ""
    cells: int = 0
    worst: float = 0.0
    above: float = 0.0
    jacobian: float = 0.0
    volumes: Judged = field(default_factory=Judged)
    reported: int = 0
    homogenised: int = 0
    seconds: float = 0.0


def run(seed: int, place: Group, cache: Path, volumes: bool = True) -> Outcome:
    """Mesh one variant and judge it, without its volumes where they are not wanted."""
    drawn, relation = variant(seed, place)
    try:
        start = time.process_time()
        made = mesh.mesh_arrangement(drawn, place.size, surface=place.surface, cache=cache)
        seconds = time.process_time() - start
        found = mesh.quality(made)
        judgement = judged(drawn, made) if volumes else Judged()
    except Exception as error:  # every failure of any kind is what this benchmark counts
        traceback.print_exc()
        return Outcome(seed, place.bone, relation, f"{type(error).__name__}: {error}".replace("\n", " "))
    return Outcome(
        seed, place.bone, relation, "", len(made.cells), found.worst, found.above_quarter, found.jacobian, judgement,
        len(reported(made) - set(made.fractions)), len(made.fractions), seconds,
    )  # fmt: skip


def run_group(number: int, seeds: list[int], data: Path | None, verbose: bool) -> tuple[Group | str, list[Outcome]]:
    """All wanted variants of one group."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        try:
            place = group(number, data, Path(folder))
        except Exception as error:
            traceback.print_exc()
            text = f"{type(error).__name__}: {error}".replace("\n", " ")
            return text, [Outcome(s, f"group {number}", "", text) for s in seeds]
        results = []
        for seed in seeds:
            results.append(run(seed, place, Path(folder)))
            if verbose or not good(results[-1]):
                print(results[-1], flush=True)
    return place, results


def good(one: Outcome) -> bool:
    """Whether a variant meets every target but time."""
    return (
        not one.error
        and not one.volumes.silent
        and one.worst >= 0.1
        and one.above >= 0.999
        and one.jacobian > 0
        and one.volumes.error <= 0.01
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, help="how many variants")
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--verbose", action="store_true")
    asked = parser.parse_args()
    os.environ.setdefault("NUMBA_NUM_THREADS", "1")
    seeds = [asked.seed] if asked.seed is not None else list(range(asked.first, asked.first + asked.count))
    groups = sorted({s // GROUP for s in seeds})
    work = [(g, [s for s in seeds if s // GROUP == g], asked.data, asked.verbose or len(seeds) == 1) for g in groups]
    started = time.perf_counter()
    if asked.workers > 1 and len(work) > 1:
        with multiprocessing.get_context("spawn").Pool(asked.workers) as pool:
            found = pool.starmap(run_group, work, chunksize=1)
    else:
        found = [run_group(*one) for one in work]
    report(found, time.perf_counter() - started)


def report(found: list[tuple[Group | str, list[Outcome]]], seconds: float) -> None:
    """Print distributions and failures."""
    results = [one for _, outcomes in found for one in outcomes]
    done = [r for r in results if not r.error]
    bad = [r for r in results if not good(r)]
    print(f"{len(results)} variants in {seconds:.0f} s: {len(results) - len(done)} failed, {len(bad)} miss a target")
    line = functools.partial("{:22s} min {:.4g}  5% {:.4g}  median {:.4g}  95% {:.4g}  max {:.4g}".format)
    columns = {name: np.array([getattr(r, name) for r in done]) for name in
               ("cells", "worst", "above", "jacobian", "reported", "seconds")}  # fmt: skip
    columns["volume"] = np.array([r.volumes.error for r in done])
    columns["seconds / 100 k cells"] = columns["seconds"] / columns["cells"] * 1e5 if done else np.zeros(0)
    places = [place for place, _ in found if isinstance(place, Group)]
    columns["bone [s CPU]"] = np.array([p.prepared for p in places])
    columns["base [s wall]"] = np.array([p.made[0] for p in places])
    for name, values in columns.items():
        if len(values):
            print(line(name, *np.quantile(values, [0, 0.05, 0.5, 0.95, 1])))
    print(*left_out(done), sep="\n")
    for bone in sorted({r.bone for r in results}):
        own = [r for r in results if r.bone == bone]
        print(f"{bone:22s} {len(own)} variants, {sum(not good(r) for r in own)} miss a target")
    print("seeds that miss a target:", *[one.seed for one in bad])


def left_out(done: list[Outcome]) -> list[str]:
    """What was judged of the volumes and what was not, and why."""
    held = [r.volumes for r in done]
    return [
        f"compartments judged    {sum(v.count for v in held)}: a ball of {THICK} mm goes into them, {LARGE:.0f} mm3 or "
        f"more; {sum(v.alone for v in held)} of them in solids that the mesh reports as off",
        f"solids reported        {sum(r.homogenised for r in done)} walls homogenised, {sum(r.reported for r in done)} "
        "solids merged or off",
        f"left out: too thin     {sum(v.thin for v in held)} compartments of reported solids, the largest ball in one "
        f"is {max((v.thinnest for v in held), default=0.0):.2f} mm",
        f"left out: too small    {sum(v.small for v in held)} compartments of less than {LARGE:.0f} mm3, of which "
        f"{sum(v.small_off for v in held)} are off by more than 1 %",
    ]


if __name__ == "__main__":
    main()

"""Meshes random variants of bones with lesions and devices, and prints how many failed, how good and how fast.

    python benchmarks/mesher.py --count 1000 [--seed 1] [--verbose]

Every variant draws its own domain, endosteum, lesions (sphere, ellipsoid, capsule, rough blob), cement and catheters,
and one of the hard relations: tangent, coincident, grazing, nearly touching. The background is cached per fine region,
so the time of a variant is measured on its second call.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from femsim import mesh, solid
from femsim.solid import Arrangement, Solid


@dataclass(frozen=True)
class Outcome:
    """What one variant gave."""

    seed: int
    relation: str
    error: str = ""
    cells: int = 0
    worst: float = 0.0
    above: float = 0.0
    jacobian: float = 0.0
    volume_error: float = 0.0
    background: float = 0.0
    variant: float = 0.0


def shaft(rng: np.random.Generator) -> tuple[Solid, Solid, np.ndarray, float]:
    """A bowed bone-like shaft with a flared end: domain, endosteum, centreline (k, 3) and mid radius, mm."""
    length, radius, bow = rng.uniform(100, 160), rng.uniform(10, 16), rng.uniform(0, 6)
    s = np.linspace(0, 1, 25)
    line = np.stack([bow * np.sin(np.pi * s), 0.3 * bow * s, length * s], axis=1)
    outer = radius * (1 + 0.5 * rng.uniform(0, 1) * s**6)
    wall = rng.uniform(2.5, 5.0)
    inner = np.maximum(outer - wall, 2.5)
    flat = bool(rng.integers(2))
    return solid.SweptTube(line, outer, flat), solid.SweptTube(line[1:-1], inner[1:-1]), line, radius


def variant(seed: int) -> tuple[Arrangement, str]:
    """A random arrangement and the name of its hard relation."""
    rng = np.random.default_rng(seed)
    domain, endosteum, line, radius = shaft(rng)
    at = line[rng.integers(6, 19)]
    angle = rng.uniform(0, 2 * np.pi)
    out = np.array([np.cos(angle), np.sin(angle), 0.0])
    size = rng.uniform(0.4, 1.1) * radius
    centre = at + out * rng.uniform(0, radius)
    relation = ["free", "tangent", "coincident", "grazing", "near", "nested", "two"][rng.integers(7)]
    shape: Solid = solid.Sphere(centre, size)
    kind = rng.integers(4)
    if kind == 1:
        shape = solid.Ellipsoid(centre, size * rng.uniform(0.6, 1.4, 3))
    elif kind == 2:
        shape = solid.Capsule(centre - np.array([0, 0, size]), centre + np.array([0, 0, size]), 0.7 * size)
    elif kind == 3:
        shape = solid.noisy_blob(centre, size, roughness=0.15, seed=int(seed))
    solids: dict[str, Solid] = {"endosteum": endosteum, "lesion": shape}
    solids["cement"] = _partner(relation, centre, size, out, rng)
    if relation == "coincident":
        solids["cement"] = shape
    for k in range(int(rng.integers(0, 3))):
        side = np.array([-out[1], out[0], 0.0]) * (2 * k - 1) * rng.uniform(1.5, 5)
        reach = rng.uniform(15, 35)
        ends = at + side - [0, 0, reach], at + side + [0, 0, reach]
        solids[f"catheter_{k + 1}"] = solid.Capsule(*ends, rng.uniform(2.0, 3.2))
    return Arrangement(domain, solids, tuple(n for n in solids if n != "endosteum")), relation


def _partner(relation: str, centre: np.ndarray, size: float, out: np.ndarray, rng: np.random.Generator) -> Solid:
    second = 0.6 * size
    if relation == "tangent":
        return solid.Sphere(centre + out * (size - second), second)
    if relation == "grazing":
        return solid.Sphere(centre + out * (size + second - 10 ** rng.uniform(-4, -1)), second)
    if relation == "near":
        return solid.Sphere(centre, size - rng.uniform(0.01, 0.6))
    if relation == "two":
        return solid.Sphere(centre - 1.2 * out * size, 0.8 * size)
    return solid.Sphere(centre, 0.8 * size)


def run(seed: int, cache: Path) -> Outcome:
    """Mesh one variant twice: with and without the background."""
    arrangement, relation = variant(seed)
    try:
        start = time.perf_counter()
        mesh.mesh_arrangement(arrangement, cache=cache)
        first = time.perf_counter() - start
        start = time.perf_counter()
        made = mesh.mesh_arrangement(arrangement, cache=cache)
        second = time.perf_counter() - start
    except Exception as error:  # every failure of any kind is what this benchmark counts
        traceback.print_exc()
        return Outcome(seed, relation, f"{type(error).__name__}: {error}".replace("\n", " "))
    found = mesh.quality(made)
    volumes, worst = mesh.cell_volumes(made), 0.0
    for name, shape in arrangement.solids.items():
        whole = solid.volume(arrangement.domain & shape, 0.5, shape.bounds)
        worst = max(worst, abs(volumes[made.inside(name)].sum() / whole - 1.0) if whole > 50 else 0.0)
    return Outcome(
        seed,
        relation,
        "",
        len(made.cells),
        found.worst,
        found.above_quarter,
        found.jacobian,
        worst,
        first - second,
        second,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    results = []
    for seed in range(asked.seed, asked.seed + asked.count):
        with tempfile.TemporaryDirectory() as folder:
            results.append(run(seed, Path(folder)))
        if asked.verbose or results[-1].error:
            print(results[-1], flush=True)
    good = [r for r in results if not r.error]
    print(f"{len(results)} variants, {len(results) - len(good)} failed")
    for name in ("cells", "worst", "above", "jacobian", "volume_error", "background", "variant"):
        values = np.array([getattr(r, name) for r in good])
        low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
        text = f"min {values.min():.4g}  5% {low:.4g}  median {middle:.4g}  95% {high:.4g}  max {values.max():.4g}"
        print(f"{name:13s} {text}")


if __name__ == "__main__":
    main()

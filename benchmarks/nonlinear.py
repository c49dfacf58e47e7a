"""Time of a non-linear failure load of the default femur: ``python benchmarks/nonlinear.py [STRATEGY ...]``.

The mesh has about 100 000 unknowns; every strategy is solved elastically first and then followed to its failure, as
``femsim compare --nonlinear`` does, on two threads. CPU seconds are printed beside wall seconds, as a busy machine
stretches only the latter. Kernels that are compiled on the first run of a new installation are compiled before.
"""

from __future__ import annotations

import re
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from femsim.case import Comparison, Mesh, Risk
from femsim.study.problem import build, solve_all, strategies_of
from femsim.study.progress import Progress

#: Element sizes, mm: about 100 000 unknowns on the default femur without catheters, whose columns need smaller ones.
NEAR, FAR = 6.0, 9.0
LEAST = ("untreated", "cement")


@dataclass
class Watch(Progress):
    """Keeps CPU seconds and notes of every stage too."""

    cpu: dict[str, float] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[list[str]]:
        """As of `Progress`."""
        start = time.process_time()
        with super().stage(name) as notes:
            yield notes
        self.cpu[name], self.notes[name] = time.process_time() - start, notes


def main(names: list[str]) -> None:
    """Print one row a strategy."""
    case = Comparison(mesh=Mesh(near=NEAR, far=FAR), risk=Risk(nonlinear=True))
    strategies = {key: one for key, one in strategies_of(case).items() if key in ("intact", *names)}
    watch = Watch(show=False)
    problem = build(case, strategies, watch)
    results = solve_all(problem, {name: strategies[name] for name in names}, watch)
    print(f"{3 * len(problem.mesh.points):,} unknowns, {len(problem.mesh.cells):,} {problem.mesh.kind}\n")
    print("| strategy | elastic s | failure s | failure CPU s | failure load N | path |\n|---|--:|--:|--:|--:|---|")
    for name, result in results.items():
        elastic, failure = f"solve {name}", f"collapse {name}"
        told = re.sub(r" · ", ", ", " · ".join(watch.notes[failure]))
        print(
            f"| {name} | {watch.seconds[elastic]:.1f} | {watch.seconds[failure]:.1f} | {watch.cpu[failure]:.1f} "
            f"| {result.metrics['nonlinear_failure_load']:.1f} | {told} |"
        )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1:] or [*LEAST])

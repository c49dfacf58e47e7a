"""What a study would do: its cases, what they share, and what they would take. Nothing is run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from femsim.study.problem import strategies_of
from femsim.study.sweep import estimate, reduced
from femsim.study.sweep.spec import StudySpec
from femsim.study.sweep.tasks import Task, expand, in_order

#: Meshes whose size is worked out; between the first and the last of a study they differ little.
_SAMPLES = 3


@dataclass(frozen=True)
class Plan:
    """What a study would do.

    Attributes
    ----------
    tasks : tuple of Task
        Every case in the order of work.
    finished : frozenset of str
        Ids of those that the folder holds already.
    strategies : tuple of str
    meshes, matrices : int
        Different meshes, and different sets of matrices, among the cases that are left.
    unknowns : (int, int)
        Smallest and largest of the meshes looked at.
    memory : float
        GiB a worker.
    seconds : float
        Of one core for what is left, all in all.
    workers : int
        That fit into the free memory.
    """

    tasks: tuple[Task, ...]
    finished: frozenset[str]
    strategies: tuple[str, ...]
    meshes: int
    matrices: int
    unknowns: tuple[int, int]
    memory: float
    seconds: float
    workers: int

    @property
    def left(self) -> int:
        """Cases to solve."""
        return len(self.tasks) - len(self.finished)

    def as_dict(self) -> dict[str, Any]:
        """The plan as plain data."""
        return {
            "cases": [
                {"id": one.id, "params": dict(one.params), "mesh": one.mesh, "finished": one.id in self.finished}
                for one in self.tasks
            ],
            "strategies": list(self.strategies),
            "finished": len(self.finished),
            "left": self.left,
            "meshes": self.meshes,
            "matrices": self.matrices,
            "unknowns": list(self.unknowns),
            "memory_per_worker": self.memory,
            "seconds_one_core": self.seconds,
            "workers": self.workers,
            "seconds": self.seconds / self.workers,
        }

    def __str__(self) -> str:
        lines = [
            f"{len(self.tasks)} cases x {len(self.strategies)} strategies ({', '.join(self.strategies)}); "
            f"{len(self.finished)} finished before, {self.left} to solve"
        ]
        for one in self.tasks[:20]:
            what = ", ".join(f"{name} = {value}" for name, value in one.params.items())
            lines.append(f"  {one.id}  mesh {one.mesh[:6]}  {what}{'  (finished)' if one.id in self.finished else ''}")
        if len(self.tasks) > 20:
            lines.append(f"  ... and {len(self.tasks) - 20} more; --json lists all")
        if self.left:
            low, high = self.unknowns
            size = f"{low:,}" if low == high else f"{low:,} to {high:,}"
            lines += [
                f"reused: {self.meshes} meshes for {self.left} cases, {self.matrices} sets of matrices; "
                "meshes also from the cache of earlier runs",
                f"about {size} unknowns, {self.memory:.1f} GiB a worker, {_span(self.seconds)} on one core, "
                f"{_span(self.seconds / self.workers)} with {self.workers} workers",
            ]
        return "\n".join(lines)


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def plan(spec: StudySpec, out: Path, workers: int = 2) -> Plan:
    """What a study would do in a folder, which may hold some of it already.

    Raises
    ------
    FemsimError
        If a case is not allowed, or one of those looked at cannot be built.
    """
    tasks = in_order(expand(spec))
    known = reduced.known(out, [one.id for one in tasks])
    finished = frozenset(name for name, record in known.items() if record["status"] == "done")
    left = [one for one in tasks if one.id not in finished]
    meshes = Counter(one.mesh for one in left)
    first = list({one.mesh: one for one in reversed(left)}.values())[::-1]
    step = max(1, len(first) // _SAMPLES)
    sizes = [estimate.estimate(one.comparison()) for one in first[::step][:_SAMPLES]]
    count = max(1, len(sizes))
    mesh, solve = sum(one.mesh for one in sizes) / count, sum(one.solve for one in sizes) / count
    unknowns = [one.unknowns for one in sizes] or [0]
    memory = max((one.memory for one in sizes), default=0.0)
    return Plan(
        tasks=tasks,
        finished=finished,
        strategies=tuple(strategies_of(spec.case)),
        meshes=len(meshes),
        matrices=len({one.matrix for one in left}),
        unknowns=(min(unknowns), max(unknowns)),
        memory=memory,
        seconds=mesh * len(meshes) + solve * len(left),
        workers=estimate.fitting(workers, memory),
    )

"""What a worker keeps from case to case does not change what comes out of the next one."""

from __future__ import annotations

import femsim as fs
from femsim.study.sweep import worker


def test_matrices_that_are_kept_are_not_written_over():
    """Every strategy has matrices of its own; making those of the second must leave those of the first whole."""
    case = fs.Case(
        bone=fs.Tube(length=60.0),
        lesion=fs.Lesion(site="shaft_middle"),
        load="torsion",
        mesh=fs.Mesh(near=6.0, far=9.0),
        solver={"method": "multigrid"},
    )
    strategies = {"untreated": fs.Untreated(), "cement": fs.Cement()}
    tasks = fs.Study(case, {"body_mass": [60.0, 80.0]}, strategies).cases
    memory = worker.Memory()
    first, second = (worker.run(one, memory, keep_matrices=True) for one in tasks)
    assert second.reused["matrix"] == 3
    for one, other in zip(first.result, second.result, strict=True):
        assert other.solution.log.iterations <= one.solution.log.iterations + 1
        assert abs(other.metrics["torsional_stiffness"] / one.metrics["torsional_stiffness"] - 1.0) < 1e-6

"""What a worker keeps between cases must not be seen in their rows, warnings included."""

from __future__ import annotations

import femsim as fs
from femsim.mesh import quality
from femsim.study.sweep import work, worker
from femsim.study.sweep.tasks import expand


def test_cases_on_a_kept_mesh_say_the_same_warnings() -> None:
    """The homogenised wall is told by the mesher and the density law by the solver: both are skipped by reuse."""
    case = fs.Case(
        bone=fs.Tube(length=80.0),
        lesion=fs.Lesion(site="shaft_middle", diameter=14.0),
        load="torsion",
        mesh=fs.Mesh(near=4.0, far=8.0),
    )
    catheter = fs.CementFilledCatheter(outer_diameter=4.0, wall_thickness=0.5)
    vary = {"materials.pmma.tension": {"levels": [30.0, 40.0]}}
    tasks = expand(fs.Study(case, vary=vary, strategies={"untreated": fs.Untreated(), "catheter": catheter}).spec)
    memory = worker.Memory()
    kept = [worker.run(one, memory) for one in tasks]
    assert kept[1].reused["mesh"] == 1
    assert kept[1].reused["solve"] >= 1
    alone = worker.run(tasks[1], worker.Memory())
    assert any("homogenised" in note for note in alone.result.warnings)
    for one in kept:
        assert one.result.warnings == alone.result.warnings


def _small() -> fs.Case:
    return fs.Case(
        bone=fs.Tube(length=60.0),
        lesion=fs.Lesion(site="shaft_middle"),
        load="torsion",
        mesh=fs.Mesh(near=6.0, far=9.0),
        solver={"method": "multigrid"},
    )


def test_matrices_that_are_kept_are_not_written_over():
    """Every strategy has matrices of its own; making those of the second must leave those of the first whole."""
    case = _small()
    strategies = {"untreated": fs.Untreated(), "cement": fs.Cement()}
    tasks = fs.Study(case, {"body_mass": [60.0, 80.0]}, strategies).cases
    memory = worker.Memory()
    first, second = (worker.run(one, memory, keep_matrices=True) for one in tasks)
    assert second.reused["matrix"] == 3
    for one, other in zip(first.result, second.result, strict=True):
        assert other.solution.log.iterations <= one.solution.log.iterations + 1
        assert abs(other.metrics["torsional_stiffness"] / one.metrics["torsional_stiffness"] - 1.0) < 1e-6


def test_the_record_of_a_case_says_what_its_mesh_is_worth():
    task = fs.Study(_small(), {"body_mass": [60.0]}, {"untreated": fs.Untreated()}).cases[0]
    told = work.work(work.Job(task)).record["mesh"]
    found = quality(worker.run(task, worker.Memory()).result.mesh)
    assert told == {
        "elements": len(found.sicn), "worst_sicn": found.sicn.min(), "share_above_quarter": (found.sicn > 0.25).mean(),
    }  # fmt: skip
    assert told["elements"] > 500

"""What a worker keeps between cases must not be seen in their rows, warnings included."""

from __future__ import annotations

import femsim as fs
from femsim.study.sweep import worker
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

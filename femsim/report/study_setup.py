"""The bone of a study: one of its cases set up again for a picture, without solving anything."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim.anatomy import Bone
from femsim.errors import FemsimWarning
from femsim.mesh import Mesh
from femsim.report import gallery, model3d
from femsim.report.figures import Prepared
from femsim.study.finish import arrows
from femsim.study.problem import build, painted, strategies_of
from femsim.study.progress import Progress
from femsim.study.sweep import table, tasks


@dataclass(frozen=True, eq=False)
class Painted:
    """A strategy before it is solved; attributes as of `femsim.study.CaseResult`."""

    label: str
    materials: tuple[str, ...]
    material: NDArray[np.int64]
    fields: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class SetUp:
    """A comparison before it is solved; attributes as of `femsim.study.ComparisonResult`, as pictures need them."""

    bone: Bone
    mesh: Mesh
    results: Mapping[str, Painted]
    arrows: tuple[Mapping[str, Any], ...]
    held: NDArray[np.int64]


@dataclass(frozen=True)
class Drawn:
    """Bone, loads, supports and the cuts; the model to turn, as JSON, or why there is none; which case that is."""

    pictures: gallery.Gallery = field(default_factory=gallery.Gallery)
    model: Any = ""
    model_note: str = ""
    words: str = ""


def picture(study: Any, done: Any, notes: list[str]) -> Drawn:
    """One case as pictures and as a model to turn; what fails is added to `notes`.

    The base case where the study holds it, else the first finished one. Its mesh comes from the store; where it is not
    there any more, this one mesh is made again.
    """
    finished = set(done["case"]) if len(done) else set()
    listed = [one for one in study.cases if one.id in finished]
    if not listed:
        return Drawn()
    base = tasks.task(study.spec.case.model_dump(mode="json"), {}, {}, 0).id
    chosen = next((one for one in listed if one.id == base), listed[0])
    prepared = gallery.attempt(notes, "The bone", lambda: Prepared(_set_up(chosen)), None)
    if prepared is None:
        return Drawn()
    model, note = model3d.of(prepared)
    return Drawn(gallery.set_up(prepared, notes), model3d.json_of(model), note, _words(chosen, base))


def _set_up(task: Any) -> SetUp:
    case = task.comparison()
    strategies = strategies_of(case)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FemsimWarning)  # the case has said them
        problem = build(case, strategies, Progress(show=False))
    results = {}
    for name, one in strategies.items():
        data, index = painted(problem, name)
        results[name] = Painted(one.label, tuple(material.name for material in data), index)
    return SetUp(problem.setup.bone, problem.mesh, results, arrows(problem.loading), problem.loading.held)


def _words(task: Any, base: str) -> str:
    values = ", ".join(f"{name} = {_value(name, value)}" for name, value in task.params.items())
    which = (
        "the base case" if task.id == base else "the first case that is finished; the base case is none of the study"
    )
    return f"Drawn is case {task.id}, {which}{f': {values}' if values else ''}."


def _value(name: str, value: Any) -> str:
    unit = table.unit(f"param.{name}")
    text = f"{value:.6g}" if isinstance(value, (int, float)) else str(value)
    return text if unit == "-" else f"{text} {unit}"

"""From a study to its cases: each checked, named by its content, and in the order in which work is reused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from femsim.case import Comparison
from femsim.errors import FemsimError, InputError
from femsim.study.provenance import file_hash
from femsim.study.sweep import design
from femsim.study.sweep.names import case_with
from femsim.study.sweep.spec import StudySpec

#: Keys of a case that name it or the machine and change no number.
_NOT_CONTENT = ("name",)


@dataclass(frozen=True)
class Task:
    """One case of a study.

    Attributes
    ----------
    id : str
        Hash of everything that decides its numbers: the same case has the same name in every study.
    number : int
        Place in the study, from 0.
    params : mapping of str to value
        What was varied, as in the columns ``param.*``.
    case : mapping
        The complete case, plain data.
    mesh, matrix : str
        Hashes of what the mesh, and beyond it the matrices, are made of. Tasks of equal `mesh` share the mesh, of
        equal `matrix` also the matrices.
    """

    id: str
    number: int
    params: Mapping[str, Any]
    case: Mapping[str, Any]
    mesh: str
    matrix: str

    def comparison(self) -> Comparison:
        """The case as an object."""
        return Comparison.model_validate(dict(self.case))


def expand(spec: StudySpec, source: str = "study") -> tuple[Task, ...]:
    """Every case of a study, checked, in the order of its points; what occurs twice is there once.

    Raises
    ------
    FemsimError
        If a name is unknown or one of the cases is not allowed, naming its values.
    """
    base = spec.case.model_dump(mode="json")
    found: dict[str, Task] = {}
    for number, values in enumerate(design.points(spec)):
        params = {name: _shown(value) for name, value in values.items() if not ("cohort" in values and name == "bone")}
        one = task(base, {k: v for k, v in values.items() if k != "cohort"}, params, number, source)
        found.setdefault(one.id, one)
    if not found:
        raise InputError(f"{source}: the study has no case.", "There is nothing to run.", "Give [vary] some values.")
    return tuple(found.values())


def task(
    base: Mapping[str, Any], values: Mapping[str, Any], params: Mapping[str, Any], number: int, source: str = "study"
) -> Task:
    """One case: the base with some values changed."""
    try:
        data = case_with(base, values, source).model_dump(mode="json")
    except FemsimError as error:
        told = ", ".join(f"{name} = {value}" for name, value in params.items())
        raise type(error)(f"{error.what} (in the case {told})" if told else error.what, error.why, error.do) from error
    content = {key: value for key, value in data.items() if key not in _NOT_CONTENT}
    content["solver"] = {key: value for key, value in data["solver"].items() if key != "threads"}
    # What was not asked is not hashed: folders of studies begun before there was this key go on.
    content["mesh"] = {key: value for key, value in data["mesh"].items() if key != "region" or value is not None}
    files = input_files(data)
    shape = {key: content[key] for key in ("bone", "lesion", "mesh", "strategies")}
    mesh = _hash(shape, files)
    matrix = _hash(shape, data["materials"], files)
    return Task(_hash(content, files)[:12], number, dict(params), data, mesh, matrix)


def input_files(data: Mapping[str, Any]) -> dict[str, str]:
    """Content hash of the files that a case names."""
    bone = data["bone"]
    named = [bone.get(key) for key in ("periosteum", "endosteum")]
    return {name: file_hash(Path(name)) for name in named if name and Path(name).is_file()}


def _hash(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _shown(value: Any) -> Any:
    """A value as it stands in a column: a section of keys becomes text."""
    if isinstance(value, Mapping):
        return json.dumps({k: v for k, v in value.items() if v is not None}, sort_keys=True, default=str)
    return value


def in_order(tasks: Iterable[Task]) -> tuple[Task, ...]:
    """Tasks by what they share: those on one mesh together, of those the ones with the same matrices together."""
    listed = list(tasks)
    first: dict[str, int] = {}
    for one in listed:  # groups stay in the order in which they first occur
        first.setdefault(one.mesh, one.number)
        first.setdefault(one.matrix, one.number)
    return tuple(sorted(listed, key=lambda one: (first[one.mesh], first[one.matrix], one.number)))

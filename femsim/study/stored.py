"""A folder on disk as the results it holds: a comparison read back without solving anything again, or a study."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from femsim import risk, show
from femsim.anatomy import Centreline, Frame
from femsim.errors import InputError, StudyError
from femsim.fields import FIELDS
from femsim.mesh import Mesh
from femsim.study.export import fields_of, mesh_of, plot, read_grid
from femsim.study.plain import plain

if TYPE_CHECKING:
    import pandas as pd

    from femsim.study.sweep import Study

#: What of a comparison is not in its tables and ``.vtu`` files.
FILE = "comparison.json"
#: Changes when the content of `FILE` does.
FORMAT = 1
#: Arrays of a `risk.RigidityCurve`.
_RIGIDITIES = ("position", "EA", "EI_min", "EI_max", "GJ_polar", "GJ_true")


@dataclass(frozen=True, eq=False)
class StoredCase:
    """The case as it was asked: the content of ``comparison.toml`` and its hash."""

    text: str
    hash: str

    def key(self) -> str:
        """Content hash of the case when it was run."""
        return self.hash

    @cached_property
    def content(self) -> dict[str, Any]:
        """The case as plain data."""
        return tomllib.loads(self.text)

    def model_dump(self, mode: str = "python") -> dict[str, Any]:
        """The case as plain data, as of `femsim.case.Case`."""
        return self.content

    @property
    def load(self) -> str:
        """Name of the load case."""
        return str(self.content.get("load", ""))


@dataclass(frozen=True, eq=False)
class StoredBone:
    """What pictures and texts need of a bone; attributes as of `femsim.anatomy.Bone`."""

    kind: str
    name: str
    side: str
    length: float
    frame: Frame
    centreline: Centreline
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class StoredResult:
    """One strategy; attributes as of `femsim.study.CaseResult`. Fields are read when first asked for."""

    name: str
    label: str
    mesh: Mesh
    materials: tuple[str, ...]
    metrics: Mapping[str, Any]
    file: Path
    log: Mapping[str, Any] | None = None
    place: NDArray[np.float64] | None = None
    curve: Any = None

    @property
    def grid(self) -> Any:
        """The mesh with all fields, for PyVista."""
        return read_grid(self.file)

    @cached_property
    def fields(self) -> Mapping[str, NDArray[Any]]:
        """Node and cell fields by name."""
        return fields_of(self.grid)

    def plot(self, name: str = "risk", **options: Any) -> Any:
        """Show a field in a PyVista window (or the notebook); options go to ``pyvista.DataSet.plot``."""
        return plot(self, name, **options)

    @property
    def material(self) -> NDArray[np.int64]:
        """Row of `materials` of every element, (m,)."""
        return np.asarray(self.fields["material"], np.int64)


@dataclass(frozen=True, eq=False)
class Stored:
    """A comparison on disk; attributes as of `femsim.study.ComparisonResult`, as far as the report needs them.

    `clinical`, `convergence` and `assumptions` are plain data, as they were printed then: the rules may have changed
    since.
    """

    folder: Path
    case: StoredCase
    bone: StoredBone
    mesh: Mesh
    results: Mapping[str, StoredResult]
    frame: pd.DataFrame
    arrows: tuple[Mapping[str, Any], ...] = ()
    held: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    warnings: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    convergence: Mapping[str, Any] | None = None
    assumptions: Mapping[str, Any] | None = None
    rigidity: Mapping[str, risk.RigidityCurve] = field(default_factory=dict)
    clinical: tuple[Mapping[str, Any], ...] = ()
    not_judged: str = ""

    def __getitem__(self, name: str) -> StoredResult:
        if name not in self.results:
            raise InputError(
                f"There is no strategy {name!r} in {self.folder}.",
                "It was not among those compared.",
                f"Use one of {', '.join(self.results)}.",
            )
        return self.results[name]

    def __iter__(self) -> Iterator[StoredResult]:
        return iter(self.results.values())

    def __len__(self) -> int:
        return len(self.results)

    def figure(self, name: str = "risk", width: str | float = "double", path: Path | str | None = None) -> Any:
        """A figure for a paper; see `femsim.report.paper.figure` for the names and the widths."""
        return show.figure("comparison", self, name, width, path)

    def _repr_html_(self) -> str:
        from femsim.study.result import table_html

        return table_html(self.frame)

    def __repr__(self) -> str:
        return f"Stored({self.folder}: {self.bone.name or self.bone.kind}: {', '.join(self.results)})"


def case_folder(folder: Path, name: str, key: str) -> Path:
    """Folder of one strategy in the output of a comparison whose case has the hash `key`."""
    import hashlib

    return folder / "cases" / f"{name}-{hashlib.sha256(f'{key}/{name}'.encode()).hexdigest()[:8]}"


def save(result: Any, folder: Path) -> None:
    """Write `FILE`: bone, forces, materials and what else ``load`` needs beside tables and fields."""
    bone, mesh = result.bone, result.mesh
    frame = {name: getattr(bone.frame, name) for name in ("origin", "lateral", "anterior", "proximal")}
    line = {"points": bone.centreline.points, "fractions": bone.centreline.fractions}
    content = {
        "format": FORMAT,
        "case": result.case.key(),
        "bone": {
            "kind": bone.kind, "name": bone.name, "side": bone.side, "length": bone.length, "frame": frame,
            "centreline": line, "notes": bone.notes,
        },
        "mesh": {"solids": mesh.solids, "notes": mesh.notes},
        "arrows": result.arrows,
        "held": result.held,
        "warnings": result.warnings,
        "seconds": result.seconds,
        "convergence": result.convergence,
        "assumptions": getattr(result, "assumptions", None),
        "strategies": [
            {"name": one.name, "label": one.label, "materials": one.materials, "log": log_of(one),
             "place": place_of(one), "curve": getattr(one, "curve", None)}
            for one in result.results.values()
        ],
        "rigidity": getattr(result, "rigidity", {}),
        "clinical": [one.as_dict() for one in getattr(result, "clinical", ())],
        "not_judged": getattr(result, "not_judged", ""),
    }  # fmt: skip
    (folder / FILE).write_text(json.dumps(plain(content), allow_nan=False) + "\n", encoding="utf-8")


def place_of(one: Any) -> NDArray[np.float64] | None:
    """Where a strategy, in memory or stored, fails: (3,) mm; None where that is not known."""
    known = getattr(one, "place", None)
    known = getattr(getattr(one, "assessment", None), "place", None) if known is None else known
    return None if known is None else np.asarray(known, float)


def log_of(one: Any) -> dict[str, Any] | None:
    """How the equations were solved; None where that is not known."""
    log = getattr(getattr(one, "solution", None), "log", None)
    names = ("solver", "unknowns", "iterations", "residual", "memory_bytes")
    return {name: getattr(log, name) for name in names} if log is not None else None


def load(folder: Path | str) -> Stored | Study:
    """The results in a folder of ``femsim compare`` or ``femsim sweep``; a study may still be running.

    Raises
    ------
    InputError
        If it is no such folder.
    StudyError
        If a file in it is missing or damaged.
    """
    if (Path(folder) / "study.toml").is_file():
        from femsim.study import sweep

        return sweep.load(folder)
    return comparison(folder)


def comparison(folder: Path | str) -> Stored:
    """The comparison that ``femsim compare`` wrote into a folder.

    Raises
    ------
    InputError
        If it is no such folder.
    StudyError
        If a file in it is missing or damaged.
    """
    out = Path(folder)
    if not (out / FILE).is_file():
        raise InputError(
            f"{out} is no output folder of femsim: it holds no {FILE}.",
            "There is neither a comparison nor a study in it.",
            f"Name the folder given to femsim compare or sweep with -o, or make one: femsim compare -o {out}",
        )
    try:
        content = json.loads((out / FILE).read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"its format is {content['format']}, not {FORMAT}")
        return _stored(out, content)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudyError(
            f"{out} cannot be read: {error}.",
            "A file of the run is missing, damaged or of another version of femsim.",
            f"Run it again: femsim compare {out / 'comparison.toml'} -o NEW",
        ) from error


def _stored(out: Path, content: Mapping[str, Any]) -> Stored:
    import pandas as pd

    key = content["case"]
    files = {one["name"]: case_folder(out, one["name"], key) / "solution.vtu" for one in content["strategies"]}
    told = content["mesh"]
    mesh = mesh_of(read_grid(next(iter(files.values()))), tuple(told["solids"]), tuple(told["notes"]))
    frame = pd.read_parquet(out / "table.parquet")
    frame.attrs["units"] = {name: FIELDS[name].unit for name in frame.columns if name in FIELDS}
    results = {one["name"]: _result(one, mesh, files[one["name"]]) for one in content["strategies"]}
    return Stored(
        folder=out,
        case=StoredCase((out / "comparison.toml").read_text(encoding="utf-8"), key),
        bone=_bone(content["bone"]),
        mesh=mesh,
        results=results,
        frame=frame,
        arrows=tuple(content["arrows"]),
        held=np.asarray(content["held"], np.int64),
        warnings=tuple(content["warnings"]),
        seconds=content["seconds"],
        convergence=content["convergence"] or None,
        assumptions=content.get("assumptions"),
        rigidity={name: _rigidity(one) for name, one in content["rigidity"].items()},
        clinical=tuple(content["clinical"]),
        not_judged=str(content.get("not_judged", "")),
    )


def _result(data: Mapping[str, Any], mesh: Mesh, file: Path) -> StoredResult:
    place = data["place"]
    return StoredResult(
        name=data["name"],
        label=data["label"],
        mesh=mesh,
        materials=tuple(data["materials"]),
        metrics=_metrics(file),
        file=file,
        log=data["log"],
        place=None if place is None else np.asarray(place, float),
        curve=data["curve"],
    )


def _rigidity(data: Mapping[str, Any]) -> risk.RigidityCurve:
    ratio = {name: np.asarray(values, float) for name, values in data["ratio"].items()}
    arrays: dict[str, Any] = {name: np.asarray(data[name], float) for name in _RIGIDITIES}
    return risk.RigidityCurve(**arrays, ratio=ratio)


def _metrics(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((file.parent / "metrics.json").read_text(encoding="utf-8"))["metrics"]
    return found


def _bone(data: Mapping[str, Any]) -> StoredBone:
    frame = Frame(*(np.asarray(data["frame"][name], float) for name in ("origin", "lateral", "anterior", "proximal")))
    line = data["centreline"]
    return StoredBone(
        kind=data["kind"],
        name=data["name"],
        side=data["side"],
        length=data["length"],
        frame=frame,
        centreline=Centreline(np.asarray(line["points"], float), np.asarray(line["fractions"], float)),
        notes=tuple(data["notes"]),
    )

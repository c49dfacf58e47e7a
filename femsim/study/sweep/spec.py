"""What a study asks: a base case, what varies in it and how, and the limits of a run. The same in Python and TOML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from femsim.case import Comparison, toml_io
from femsim.case.model import BoneSpec
from femsim.errors import InputError
from femsim.schema import Schema

#: What stands in a list of values: a number, a text (also one with a unit), or a whole section such as a bone.
Level = int | float | str | Mapping[str, Any]


class Variation(Schema):
    """How one key varies: over levels that are combined with all others, or as a distribution that is sampled.

    Exactly one of `levels`, `linspace`, `uniform`, `normal`, `lognormal` and `choice` is given.
    """

    levels: tuple[Level, ...] | None = Field(None, min_length=1, description="Values, each combined with all others.")
    linspace: tuple[float, float, int] | None = Field(None, description="First, last and number of equal steps' ends.")
    uniform: tuple[float, float] | None = Field(None, description="Sampled: between two limits.")
    normal: tuple[float, float] | None = Field(None, description="Sampled: mean and standard deviation.")
    lognormal: tuple[float, float] | None = Field(
        None, description="Sampled: mean and standard deviation of the value itself, not of its logarithm."
    )
    choice: tuple[Level, ...] | None = Field(None, min_length=2, description="Sampled: one of these, equally likely.")
    minimum: float | None = Field(None, description="With normal and lognormal: cut off below; the rest is kept whole.")
    maximum: float | None = Field(None, description="With normal and lognormal: cut off above.")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = ("levels", "linspace", "uniform", "normal", "lognormal", "choice")
        given = [name for name in kinds if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(kinds)}, not {' and '.join(given) or 'none'}")
        if self.uniform and not self.uniform[0] < self.uniform[1]:
            raise ValueError("uniform needs two limits, the smaller one first")
        if self.normal and not self.normal[1] > 0:
            raise ValueError("the standard deviation of normal must be positive")
        if self.lognormal and not min(self.lognormal) > 0:
            raise ValueError("mean and standard deviation of lognormal must be positive")
        if self.linspace and self.linspace[2] < 2:
            raise ValueError("linspace needs at least 2 values")
        cut = self.minimum is not None or self.maximum is not None
        if cut and not (self.normal or self.lognormal):
            raise ValueError("minimum and maximum cut off the tails of normal and lognormal only")
        if self.minimum is not None and self.maximum is not None and not self.minimum < self.maximum:
            raise ValueError("minimum must be below maximum")
        return self

    @property
    def sampled(self) -> bool:
        """Whether values are drawn and not listed."""
        return self.levels is None and self.linspace is None


class Sampling(Schema):
    """How values are drawn for all keys that are distributions, together."""

    method: Literal["latin_hypercube", "sobol", "random", "saltelli"] = Field(
        "latin_hypercube",
        description='"latin_hypercube", "sobol", "random", or "saltelli" for Sobol indices: samples x (keys + 2).',
    )
    samples: int = Field(64, ge=1, le=1_000_000, description="Number of samples.")
    seed: int = Field(0, ge=0, description="The same seed gives the same values.")


class Run(Schema):
    """Limits of one case and what is kept of it."""

    time_limit: float | None = Field(
        3600.0, gt=0.0, description="Seconds after which a case is given up; its worker is replaced [s]."
    )
    memory_limit: float | None = Field(
        None,
        gt=0.0,
        description="GiB above which a case is given up; without it, what the machine has.",
        examples=[4.0],
    )
    fields: Literal["none", "all"] = Field(
        "none", description='"all" keeps the fields of every case (.vtu); "none" works them out again when asked for.'
    )
    outputs: Literal["all", "stiffness"] = Field(
        "all",
        description='"stiffness": strength is not needed; a reduced basis may then answer sweeps of moduli and loads,\n'
        "as its error bound holds for the stiffness.",
    )
    reduced: Literal["auto", "never"] = Field(
        "auto", description='Whether a certified reduced basis may answer where only moduli vary: "auto" or "never".'
    )
    reduced_tolerance: float = Field(
        1e-3,
        gt=0.0,
        le=0.1,
        description="Largest error bound (relative, energy norm) of an answer by reduced basis [-].",
    )
    reduced_from: int = Field(
        50, ge=1, description="Number of cases on one mesh from which a reduced basis is worth its making."
    )


class StudySpec(Schema):
    """A study, complete.

    Parameters
    ----------
    case : Comparison
        The base case with its strategies.
    vary : mapping of str to Variation or list
        By dotted name of any key of the case: ``"lesion.diameter"``, ``"materials.pmma.E"``, ``"strategies.cement.
        fill_fraction"``, ``"load"``.
    sampling : Sampling
    paired : mapping of str to list
        Columns of equal length that vary together, row by row (the patients of a table); `paired_file` reads a CSV.
    cohort : mapping of str to bone
        Bones by name; everything is done on each.
    run : Run
    """

    name: str = Field("study", min_length=1, max_length=80, description="Title of the study.")
    case: Comparison = Comparison()
    vary: Mapping[str, Variation] = Field(default_factory=dict)
    sampling: Sampling = Sampling()
    paired: Mapping[str, tuple[Level, ...]] = Field(default_factory=dict)
    paired_file: Path | None = Field(None, description="CSV whose columns are names of keys.")
    cohort: Mapping[str, BoneSpec] = Field(default_factory=dict)
    run: Run = Run()

    @field_validator("vary", mode="before")
    @classmethod
    def _lists_are_levels(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        return {
            name: {"levels": [_plain(level) for level in one]} if isinstance(one, (list, tuple)) else one
            for name, one in value.items()
        }

    @model_validator(mode="after")
    def _columns_agree(self) -> Self:
        lengths = {name: len(column) for name, column in self.paired.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"the paired columns have different lengths: {lengths}")
        twice = sorted(set(self.vary) & set(self.paired))
        if twice:
            raise ValueError(f"{', '.join(twice)} is both varied and paired")
        if self.cohort and "bone" in {*self.vary, *self.paired}:
            raise ValueError("the bone is both varied and given as a cohort")
        return self


def _plain(value: Any) -> Any:
    """Bones and treatments given as objects, as the sections they are in a file."""
    return value.model_dump(mode="json") if isinstance(value, Schema) else value


def read(path: Path) -> StudySpec:
    """A study from its TOML file; files it names are looked for beside it.

    Raises
    ------
    InputError
        If a file cannot be read, a key is unknown or a value is out of range.
    """
    import femsim.case as cases

    data = toml_io.read(path)
    case = data.get("case")
    if isinstance(case, str):
        data["case"] = cases.load(path.parent / case)
    elif isinstance(case, dict):
        _beside(case.get("bone"), path)
    strategies = data.pop("strategies", None)
    if strategies is not None:
        base = data.get("case", {})
        plain = base.model_dump(mode="json") if isinstance(base, Comparison) else base
        data["case"] = {**plain, "strategies": strategies}
    for bone in data.get("cohort", {}).values() if isinstance(data.get("cohort"), dict) else ():
        _beside(bone, path)
    file = data.pop("paired_file", None)
    spec = toml_io.parse(StudySpec, data, str(path))
    return spec if file is None else with_rows(spec, path.parent / str(file))


def _beside(bone: object, path: Path) -> None:
    for key in ("periosteum", "endosteum"):
        if isinstance(bone, dict) and isinstance(bone.get(key), str):
            bone[key] = str((path.parent / Path(bone[key]).expanduser()).resolve())


def with_rows(spec: StudySpec, file: Path) -> StudySpec:
    """A study with the columns of a CSV file as paired values.

    Raises
    ------
    InputError
        If the file cannot be read, has no row, or a cell is empty.
    """
    import pandas as pd

    try:
        table = pd.read_csv(file, comment="#")
    except (OSError, ValueError) as error:  # pandas' parser errors are ValueErrors
        raise InputError(
            f"The table {file} cannot be read: {error}.",
            "Its rows are the cases of the study.",
            "Give a CSV file with names of keys in the first line.",
        ) from error
    empty = table.isna()
    if table.empty or empty.to_numpy().any():
        row = int(empty.any(axis=1).to_numpy().argmax()) + 2 if not table.empty else 1
        raise InputError(
            f"The table {file} has {'an empty cell in line ' + str(row) if not table.empty else 'no rows'}.",
            "A case needs a value of every column.",
            "Fill it, or leave the line out.",
        )
    columns = {str(name): tuple(column.tolist()) for name, column in table.items()}
    return StudySpec(**{**spec.__dict__, "paired": {**spec.paired, **columns}})

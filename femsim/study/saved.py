"""A folder on disk as the results it holds: a comparison, or a study."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from femsim.case import Comparison, toml_io
from femsim.errors import InputError, StudyError
from femsim.fields import FIELDS

if TYPE_CHECKING:
    import pandas as pd

    from femsim.study.sweep import Study


@dataclass(frozen=True)
class SavedCase:
    """A strategy of a saved comparison.

    Attributes
    ----------
    name, label : str
    metrics : mapping of str to value
        The row of the table.
    file : Path
        Where its mesh and fields are.
    """

    name: str
    label: str
    metrics: Mapping[str, Any]
    file: Path

    @property
    def grid(self) -> Any:
        """The mesh with all fields, for PyVista."""
        import pyvista as pv

        return pv.read(self.file)

    def plot(self, name: str = "risk", **options: Any) -> Any:
        """Show a field in a PyVista window (or the notebook); options go to ``pyvista.DataSet.plot``."""
        grid = self.grid
        if name not in grid.array_names:
            raise InputError(
                f"There is no field {name!r}.", "Nothing can be drawn.", f"Use one of {', '.join(grid.array_names)}."
            )
        return grid.plot(scalars=name, **{"scalar_bar_args": {"title": FIELDS[name].label}, **options})


@dataclass(frozen=True)
class SavedComparison:
    """A comparison as ``femsim compare`` wrote it."""

    folder: Path
    case: Comparison
    results: Mapping[str, SavedCase]
    provenance: Mapping[str, Any]

    def __getitem__(self, name: str) -> SavedCase:
        if name not in self.results:
            raise InputError(
                f"There is no strategy {name!r} in {self.folder}.",
                "It was not among those compared.",
                f"Use one of {', '.join(self.results)}.",
            )
        return self.results[name]

    def __iter__(self) -> Iterator[SavedCase]:
        return iter(self.results.values())

    def __len__(self) -> int:
        return len(self.results)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a strategy; ``frame.attrs["units"]`` gives the unit of every column."""
        import pandas as pd

        table = pd.read_parquet(self.folder / "table.parquet")
        table.attrs["units"] = {name: FIELDS[name].unit for name in table.columns if name in FIELDS}
        return table

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the run warned of."""
        return tuple(self.provenance.get("warnings", ()))

    def __repr__(self) -> str:
        return f"SavedComparison({self.folder}: {', '.join(self.results)})"


def load(folder: Path | str) -> SavedComparison | Study:
    """The results in a folder of ``femsim compare`` or ``femsim sweep``; a study may still be running.

    Raises
    ------
    StudyError
        If there are none, or they are damaged.
    """
    place = Path(folder)
    if (place / "study.toml").is_file():
        from femsim.study import sweep

        return sweep.load(place)
    if not (place / "comparison.toml").is_file():
        raise StudyError(
            f"{place} holds no results of femsim.",
            "There is neither a study.toml nor a comparison.toml in it.",
            "Name the folder that was given to femsim compare or femsim sweep with -o.",
        )
    try:
        return _comparison(place)
    except (OSError, ValueError, KeyError) as error:
        raise StudyError(
            f"The results in {place} cannot be read: {error}.",
            "A file of the run is missing or damaged.",
            "Run the comparison again.",
        ) from error


def _comparison(place: Path) -> SavedComparison:
    case = toml_io.parse(Comparison, toml_io.read(place / "comparison.toml"), str(place / "comparison.toml"))
    results = {}
    for file in (place / "cases").glob("*/metrics.json"):
        told = json.loads(file.read_text(encoding="utf-8"))
        results[told["strategy"]] = SavedCase(
            told["strategy"], told["label"], told["metrics"], file.with_name("solution.vtu")
        )
    provenance = json.loads((place / "provenance.json").read_text(encoding="utf-8"))
    import pandas as pd

    order = [str(name) for name in pd.read_parquet(place / "table.parquet", columns=[]).index]
    return SavedComparison(place, case, {name: results[name] for name in order}, provenance)

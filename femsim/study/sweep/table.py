"""The table of a study: one row a case and strategy, tidy, safe to read while it grows."""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from femsim.fields import FIELDS
from femsim.study.sweep.folder import write_atomic

if TYPE_CHECKING:
    import pandas as pd

#: Columns beside ``param.*`` and ``out.*``: unit and meaning.
COLUMNS = {
    "case": ("-", "content hash of the case; its folder is cases/<case>"),
    "strategy": ("-", "name of the strategy"),
    "status": ("-", '"done" or "failed"'),
    "method": ("-", '"full" solution, or "reduced" basis'),
    "error_bound": ("-", "of a reduced answer: bound of the relative error in the energy norm, no estimate"),
    "error": ("-", "what went wrong"),
    "repeat": ("-", "command that repeats the case alone"),
    "seconds": ("s", "wall time of the case, all strategies together"),
    "peak_memory": ("GiB", "largest memory of the worker during the case"),
    "hash.mesh": ("-", "of what the mesh is made of"),
    "hash.matrix": ("-", "of what mesh and matrices are made of"),
}
#: Columns that differ from run to run of the same study.
VARIABLE = ("seconds", "peak_memory")


def rows(record: Mapping[str, Any], out: str = "") -> list[dict[str, Any]]:
    """The rows of one case."""
    params = {f"param.{name}": value for name, value in record["params"].items()}
    error = record.get("error")
    shared = {
        "status": record["status"],
        "method": record.get("method", "full"),
        "error": None if error is None else f"{error['class']}: {error['what']}",
        "repeat": None if error is None else f"femsim reproduce {out or 'out'}/cases/{record['id']}",
        "seconds": record.get("seconds"),
        "peak_memory": record.get("peak_memory"),
        "hash.mesh": record["hashes"]["mesh"],
        "hash.matrix": record["hashes"]["matrix"],
    }
    found = []
    for row in record["rows"]:
        outputs = {f"out.{name}": value for name, value in row.items() if name not in ("strategy", "error_bound")}
        bound = {"error_bound": row.get("error_bound")}
        found.append({"case": record["id"], "strategy": row["strategy"], **params, **outputs, **shared, **bound})
    return found


def frame(records: Iterable[Mapping[str, Any]], params: Sequence[str] = (), out: str = "") -> pd.DataFrame:
    """The table of several cases, in their order; ``frame.attrs["units"]`` holds the unit of every column."""
    import pandas as pd

    table = pd.DataFrame([row for record in records for row in rows(record, out)])
    if table.empty:
        table = pd.DataFrame(columns=["case", "strategy", *(f"param.{name}" for name in params), *COLUMNS])
        table = table.loc[:, ~table.columns.duplicated()]
    order = ["case", "strategy", *(f"param.{name}" for name in params)]
    outputs = [name for name in (f"out.{field}" for field in FIELDS) if name in table]
    order += [*outputs, *(str(name) for name in table if str(name).startswith("out.") and name not in outputs)]
    order += [name for name in COLUMNS if name not in order]
    table = table.reindex(columns=list(dict.fromkeys(order)))
    table.attrs["units"] = {name: unit(str(name)) for name in table.columns}
    return table


def unit(column: str) -> str:
    """Unit of a column: from the field table, or what the key of the case says of itself."""
    if column in COLUMNS:
        return COLUMNS[column][0]
    kind, _, name = column.partition(".")
    if kind == "out":
        return FIELDS[name].unit if name in FIELDS else "-"
    return _key_unit(name)


def _key_unit(name: str) -> str:
    from femsim import material

    parts = name.split(".")
    if parts[0] == "materials" and len(parts) == 3 and parts[1] in material.materials():
        found = material.materials()[parts[1]]
        numbers = {**found.elastic, **found.strength, **found.other}
        return numbers[parts[2]].unit if parts[2] in numbers else "-"
    unit = _key_units().get(parts[-1] if parts[0] != "body_mass" else name)
    return unit or "-"


@functools.cache
def _key_units() -> dict[str, str]:
    """Units that keys of a case name at the end of their description: ``... [mm].``"""
    from pydantic import BaseModel

    from femsim.case import Case, Femur, Humerus, Lesion, Mesh, Risk, Tibia, Tube
    from femsim.treatment import TREATMENTS

    found: dict[str, str] = {}
    models: tuple[type[BaseModel], ...] = (
        Case, Femur, Humerus, Tibia, Tube, Lesion, Mesh, Risk, *TREATMENTS.values(),
    )  # fmt: skip
    for model in models:
        for name, info in model.model_fields.items():
            match = re.search(r"\[([^\[\]]{1,12})\][.;]?\s*$", info.description or "")
            if match:
                found.setdefault(name, match.group(1))
    return found


def write(table: pd.DataFrame, out: Path) -> None:
    """Renew ``table.parquet`` and ``table.csv``, each in one step.

    Raises
    ------
    StudyError
        If the disk is full; the tables of before are still there.
    """
    memory = io.BytesIO()
    _of_one_kind(table).to_parquet(memory, index=False)
    write_atomic(out / "table.parquet", memory.getvalue())
    units = table.attrs["units"]
    table = table.copy(deep=False)
    table.attrs = {}
    # people open this one: the unit stands beside the name
    named = table.rename(columns=lambda name: name if units[name] == "-" else f"{name} [{units[name]}]")
    write_atomic(out / "table.csv", named.to_csv(index=False).encode())


def _of_one_kind(table: pd.DataFrame) -> pd.DataFrame:
    """A Parquet column holds one kind of value; one of numbers and texts (a direction) becomes text."""
    changed = table.copy()
    changed.attrs = {}  # pandas would copy them, units of all columns, with every column that is looked at
    for name in changed.columns:
        column = changed[name]
        kinds = {type(value) for value in column.dropna()} if column.dtype == object else set()
        if str in kinds and len(kinds) > 1:
            changed[name] = [None if value is None else str(value) for value in column]
        elif column.isna().all():
            changed[name] = column.astype("string" if name in ("error", "repeat") else "float64")
    return changed

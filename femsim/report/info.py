"""The libraries of femsim as rows: what ``femsim info`` prints."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from femsim.errors import InputError
from femsim.sourced import Value

Row = dict[str, Any]


def tables(what: str) -> list[Row]:
    """Rows of one library, as plain data.

    Parameters
    ----------
    what : {"materials", "loads", "treatments", "criteria", "bones", "fields", "env"}

    Raises
    ------
    InputError
        If there is no such library.
    """
    known = {
        "materials": _materials,
        "loads": _loads,
        "treatments": _treatments,
        "criteria": _criteria,
        "bones": _bones,
        "fields": _fields,
        "env": _environment,
    }
    if what not in known:
        raise InputError(f"There is no library {what!r}.", "Nothing can be shown.", f"Use one of {', '.join(known)}.")
    return known[what]()


def show(what: str, rows: list[Row]) -> None:
    """Print rows as a table; long texts wrap."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=what, title_justify="left", show_edge=False, pad_edge=False)
    heads = list(dict.fromkeys(key for row in rows for key in row))
    for head in heads:
        table.add_column(head.replace("_", " "), overflow="fold", justify="right" if head == "value" else "left")
    for row in rows:
        table.add_row(*(_text(row.get(head, "")) for head in heads))
    console = Console()
    (console if console.is_terminal else Console(width=160)).print(table, markup=False)


def _text(value: Any) -> str:
    from rich.markup import escape

    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        return escape(
            " to ".join(map(_text, value)) if len(value) == 2 and value[0] != str(value[0]) else ", ".join(value)
        )
    return "" if value is None else escape(str(value))


def values_in(item: Any, path: str = "") -> Iterator[tuple[str, Value]]:
    """Every sourced number inside an object, with the path to it."""
    if isinstance(item, Value):
        yield path, item
    elif isinstance(item, Mapping):
        for key, inner in item.items():
            yield from values_in(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(item, (list, tuple)):
        for index, inner in enumerate(item):
            yield from values_in(inner, f"{path}[{index}]")
    elif dataclasses.is_dataclass(item) and not isinstance(item, type):
        for part in dataclasses.fields(item):
            yield from values_in(getattr(item, part.name), f"{path}.{part.name}" if path else part.name)


def _rows(library: Mapping[str, Any]) -> list[Row]:
    return [
        {
            "name": name,
            "number": path,
            "value": value.value,
            "unit": value.unit,
            "range": list(value.range) if value.range else None,
            "condition": value.condition,
            "source": ", ".join(value.source),
            "trust": value.trust,
        }
        for name, item in library.items()
        for path, value in values_in(item)
    ]


def _materials() -> list[Row]:
    from femsim import material

    return _rows(material.materials()) + _rows({f"density law {k}": v for k, v in material.density_laws().items()})


def _loads() -> list[Row]:
    from femsim import loads

    return _rows(loads.load_cases())


def _criteria() -> list[Row]:
    from femsim import material

    found = []
    for row in _rows({name: data.strength for name, data in material.materials().items()}):
        found.append({"criterion": material.get(row["name"]).criterion, "material": row.pop("name"), **row})
    return sorted(found, key=lambda row: (row["criterion"], row["material"]))


def _treatments() -> list[Row]:
    from femsim import treatment

    return [
        {"treatment": name, "key": key, "value": _plain(getattr(one, key)), "meaning": info.description or ""}
        for name, one in ((name, kind()) for name, kind in treatment.TREATMENTS.items())
        for key, info in type(one).model_fields.items()
    ]


def _plain(value: Any) -> Any:
    """A default as JSON knows it."""
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _bones() -> list[Row]:
    """Parameters of the default bones and of the presets, then the named places."""
    from femsim.anatomy import SHAPES, preset_rows, sites

    defaults = [
        {"bone": f"{kind}, default", "name": one.name, "value": one.default}
        for kind, shape in SHAPES.items()
        for one in dataclasses.fields(shape)
        if not isinstance(one.default, str)
    ]
    sizes = [
        {"bone": f"{kind}, {sex}", "sd": sd} | {key: item for key, item in row.items() if key != "number"}
        for kind in SHAPES
        for sex in ("male", "female")
        for name, (value, sd) in preset_rows(kind, sex).items()
        for row in _rows({name: value})
    ]
    places = [
        {"bone": f"{bone}, site", "name": site, "value": data.get("fraction"), "condition": data["meaning"]}
        for bone, found in sites._table().items()
        for site, data in found.items()
    ]
    return [*defaults, *sizes, *places]


def _fields() -> list[Row]:
    from femsim.fields import FIELDS

    return [dataclasses.asdict(field) for field in FIELDS.values()]


def _environment() -> list[Row]:
    from femsim.study import provenance

    found = {**provenance.versions(), **provenance.machine(), "revision": provenance.revision()}
    return [{"name": name, "value": str(value)} for name, value in found.items()]

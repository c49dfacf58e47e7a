"""The mesh and its fields, packed small enough to travel inside the report."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim.fields import FIELDS
from femsim.report import pictures
from femsim.report.figures import Prepared
from femsim.view import geometry, palette, scale

#: More tetrahedra than this would make the file larger than a mail system takes.
LARGEST = 400_000
#: Above this many tetrahedra times strategies only the first fields travel, for the same reason.
_MANY = 1_200_000
_FIELDS = scale.USUAL


def of(prepared: Prepared) -> tuple[dict[str, Any] | None, str]:
    """What the viewer in the page needs, or None and the reason.

    Returns
    -------
    dict or None
        Plain data for JSON; arrays are little-endian, compressed and in base64.
    str
        Why there is no model, else empty.
    """
    try:
        return _pack(prepared)
    except Exception as error:  # hours of solving must not be lost to a picture
        return None, f"The 3-D view could not be made: {type(error).__name__}: {error}"


def json_of(model: dict[str, Any] | None) -> Any:
    """The model for a script element of a page; empty where there is none."""
    from markupsafe import Markup

    # "<" never stands in the JSON as such, so that no text in a label can end the script element
    return Markup(json.dumps(model, separators=(",", ":")).replace("<", "\\u003c")) if model else ""


def _pack(prepared: Prepared) -> tuple[dict[str, Any] | None, str]:
    comparison, scene, looks = prepared.comparison, prepared.scene, prepared.looks
    mesh = scene.mesh
    tets, owner = geometry.tetrahedra(mesh.cells, mesh.kind)
    if len(tets) > LARGEST:
        return None, (
            f"The mesh has {len(mesh.cells)} elements; the 3-D view is left out above {LARGEST}, so that this file "
            "stays small. Use femsim view, or open cases/*/solution.vtu in ParaView."
        )
    used, corner = np.unique(tets, return_inverse=True)
    points = mesh.points[used]
    low, size = points.min(axis=0), max(float(np.ptp(points, axis=0).max()), 1e-9)
    codes = pictures.codes_of(looks)
    results = list(comparison.results.values())
    numbers = _numbers(results, mesh.cells, len(tets) * len(results))
    scales = {name: scale.shared(name, values) for name, values in numbers.items()}
    strategies = [
        {
            "label": look.label,
            "material": _array(_rows(look, list(codes))[owner].astype("u1")),
            "fields": {name: _array(scales[name].level(numbers[name][i])[owner]) for name in numbers},
            **_displacement(one.fields.get("displacement"), used),
        }
        for i, (look, one) in enumerate(zip(looks, results, strict=True))
    ]
    return {
        "points": _array(np.round((points - low) / size * 65535).astype("<u2")),
        "tets": _array(corner.reshape(tets.shape).astype("<u4")),
        "low": low.tolist(),
        "size": size,
        "materials": [{"name": name.replace("_", " "), "colour": code} for name, code in codes.items()],
        "fields": [_field(one) for one in scales.values()],
        "missing": palette.MISSING,
        "directions": {name: getattr(scene.frame, name).tolist() for name in ("lateral", "anterior", "proximal")},
        "target": np.asarray(scene.plane.origin).tolist(),
        "toward": scene.whole.toward.tolist(),
        "near": max(scene.close.width, scene.close.height),
        "strategies": strategies,
    }, ""  # fmt: skip


def _numbers(results: list[Any], cells: NDArray[np.int64], weight: int) -> dict[str, list[NDArray[np.float64]]]:
    """The fields that all strategies hold, one number a cell."""
    names = [name for name in _FIELDS if all(name in one.fields for one in results)]
    if weight > _MANY:
        names = names[:3]
    return {name: [scale.numbers(one.fields, name, cells) for one in results] for name in names}


def _rows(look: Any, names: list[str]) -> NDArray[np.int64]:
    """Row of every cell's material in the list of all materials."""
    rows = np.array([names.index(name) if name in names else 0 for name in look.materials])
    return np.asarray(rows[look.material], np.int64)


def _field(one: scale.Scale) -> dict[str, Any]:
    unit = FIELDS[one.field].unit if one.field in FIELDS else "-"
    return {
        "name": one.field,
        "label": "factor of risk" if one.field == "risk" else one.field.replace("_", " "),
        "unit": "" if unit == "-" else unit,
        "low": one.low,
        "high": one.high,
        "colours": base64.b64encode(np.round(255 * one.table).astype("u1").tobytes()).decode("ascii"),
        "gradient": one.gradient(),
    }


def _displacement(given: Any, used: NDArray[np.int64]) -> dict[str, Any]:
    if given is None:
        return {}
    here = np.asarray(given, float)[used]
    largest = max(float(np.abs(here).max()), 1e-12)
    return {"displacement": _array(np.round(here / largest * 32767).astype("<i2")), "displacementTop": largest}


def _array(values: NDArray[Any]) -> str:
    return base64.b64encode(gzip.compress(np.ascontiguousarray(values).tobytes(), 6, mtime=0)).decode("ascii")

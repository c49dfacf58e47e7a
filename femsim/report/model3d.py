"""The mesh and its fields, packed small enough to travel inside the report."""

from __future__ import annotations

import base64
import gzip
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim.report.pictures import Look
from femsim.view import geometry, palette
from femsim.view.scene import Scene

#: More tetrahedra than this would make the file larger than a mail system takes.
LARGEST = 400_000
#: Factor of risk of the byte 254; 255 marks cells that were not assessed.
RISK_TOP = 2.54


def pack(scene: Scene, looks: list[Look], codes: dict[str, str], displacements: list[Any]) -> dict[str, Any] | None:
    """What the viewer in the report needs, or None where the mesh is too large for it.

    Parameters
    ----------
    scene : Scene
    looks : list of Look
        The strategies.
    codes : dict of str to str
        Colour of every material.
    displacements : list of (n, 3) array or None
        Displacement of every strategy, mm.

    Returns
    -------
    dict
        Plain data for JSON; arrays are little-endian, compressed and in base64.
    """
    tets, owner = geometry.tetrahedra(scene.mesh.cells, scene.mesh.kind)
    if len(tets) > LARGEST:
        return None
    used, corner = np.unique(tets, return_inverse=True)
    points = scene.mesh.points[used]
    low, size = points.min(axis=0), max(float(np.ptp(points, axis=0).max()), 1e-9)
    names = list(codes)
    return {
        "points": _array(np.round((points - low) / size * 65535).astype("<u2")),
        "tets": _array(corner.reshape(tets.shape).astype("<u4")),
        "low": low.tolist(),
        "size": size,
        "materials": [{"name": name.replace("_", " "), "colour": codes[name]} for name in names],
        "risk": {"top": RISK_TOP, "stops": [[v, c] for v, c in palette.RISK_STOPS], "missing": palette.MISSING},
        "directions": {name: getattr(scene.frame, name).tolist() for name in ("lateral", "anterior", "proximal")},
        "target": np.asarray(scene.plane.origin).tolist(),
        "toward": scene.whole.toward.tolist(),
        "strategies": [
            _strategy(look, names, owner, u, used) for look, u in zip(looks, displacements, strict=True)
        ],
    }  # fmt: skip


def _strategy(
    look: Look, names: list[str], owner: NDArray[np.int64], u: Any, used: NDArray[np.int64]
) -> dict[str, Any]:
    rows = np.array([names.index(name) if name in names else 0 for name in look.materials])
    packed: dict[str, Any] = {
        "label": look.label,
        "material": _array(rows[look.material][owner].astype("u1")),
    }
    if look.risk is not None:
        scaled = np.clip(np.round(np.nan_to_num(look.risk, posinf=RISK_TOP) / RISK_TOP * 254), 0, 254)
        packed["risk"] = _array(np.where(np.isnan(look.risk), 255, scaled)[owner].astype("u1"))
    if u is not None:
        here = np.asarray(u, float)[used]
        largest = max(float(np.abs(here).max()), 1e-12)
        packed["displacement"] = _array(np.round(here / largest * 32767).astype("<i2"))
        packed["displacementTop"] = largest
    return packed


def _array(values: NDArray[Any]) -> str:
    return base64.b64encode(gzip.compress(np.ascontiguousarray(values).tobytes(), 6, mtime=0)).decode("ascii")

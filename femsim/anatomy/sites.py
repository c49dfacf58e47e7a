"""Named places of a bone, found from its landmarks: the same names on a parametric and on a scanned bone."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim.anatomy.bone import Site
from femsim.anatomy.frame import Centreline, Frame


@cache
def _table() -> dict[str, dict[str, dict[str, Any]]]:
    return tomllib.loads((files("femsim.anatomy") / "data" / "sites.toml").read_text(encoding="utf-8"))


def site_names(kind: str) -> tuple[str, ...]:
    """Names of the places of a kind of bone."""
    return tuple(_table().get(kind, {}))


def sites_of(
    kind: str,
    frame: Frame,
    centreline: Centreline,
    landmarks: Mapping[str, NDArray[np.float64]],
    length: float,
) -> dict[str, Site]:
    """Every named place of a bone that its landmarks allow.

    Parameters
    ----------
    kind : str
        "femur", "humerus", "tibia" or "tube".
    frame, centreline, landmarks, length
        As in `Bone`. The neck needs the landmarks ``head_centre`` and ``neck_centre`` (centroid of the narrowest
        section of the neck; of the anatomical neck in the humerus), the trochanteric places ``greater_trochanter``
        and ``lesser_trochanter``.

    Returns
    -------
    dict of str to Site
        Places whose landmarks are missing are left out.
    """
    found = {}
    for name, rule in _table().get(kind, {}).items():
        names = list(rule.get("landmark", []))
        if rule["axis"] == "neck":
            names += ["head_centre", "neck_centre"]
        if all(n in landmarks for n in names):
            found[name] = _site(rule, frame, centreline, landmarks, length)
    return found


def _site(
    rule: Mapping[str, Any],
    frame: Frame,
    centreline: Centreline,
    landmarks: Mapping[str, NDArray[np.float64]],
    length: float,
) -> Site:
    if "landmark" in rule:
        point = np.mean([landmarks[n] for n in rule["landmark"]], axis=0)
        fraction = float(frame.to_local(point)[2]) / length + rule.get("shift", 0.0)
    else:
        fraction = float(rule["fraction"])
    if rule["axis"] == "neck":
        axis = landmarks["head_centre"] - landmarks["neck_centre"]
        return Site(fraction, point, axis / np.linalg.norm(axis), rule["meaning"])
    return Site(fraction, centreline.point(fraction), centreline.tangent(fraction), rule["meaning"])

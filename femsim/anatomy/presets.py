"""Sizes of long bones by sex and percentile, each number with its source."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

import numpy as np

from femsim.errors import InputError
from femsim.sourced import Value, read_library, read_value

KINDS = ("femur", "humerus", "tibia")
SEXES = ("male", "female")


def preset(kind: str, sex: str, percentile: float = 50.0) -> dict[str, float]:
    """Parameters of a bone that is as large as that of a given percentile of adults.

    Parameters
    ----------
    kind : {"femur", "humerus", "tibia"}
    sex : {"male", "female"}
    percentile : float
        1 to 99. Every length stands at the same percentile of its own normal distribution, so the bone is uniformly
        small or large; angles and curvature stay at their middle value.

    Returns
    -------
    dict of str to float
        Keyword arguments for `femur`, `humerus` or `tibia`, mm and degrees.

    Examples
    --------
    >>> preset("femur", "male")["length"]
    455.0
    """
    if isinstance(percentile, bool) or not np.isfinite(percentile) or not 1.0 <= percentile <= 99.0:
        raise InputError(
            f"percentile = {percentile!r} is out of range.",
            "Beyond it the normal distribution says nothing about real bones.",
            "Choose 1 to 99.",
        )
    score = NormalDist().inv_cdf(percentile / 100.0)
    return {name: round(value.value + score * sd, 3) for name, (value, sd) in preset_rows(kind, sex).items()}


def preset_sources(kind: str, sex: str) -> dict[str, Value]:
    """Mean value of every parameter of a preset with its unit, range, condition, source and trust tag."""
    return {name: value for name, (value, _) in preset_rows(kind, sex).items()}


def preset_rows(kind: str, sex: str) -> dict[str, tuple[Value, float]]:
    """Mean, with its source, and standard deviation of every parameter of a preset."""
    if kind not in KINDS or sex not in SEXES:
        raise InputError(
            f"There is no preset for kind = {kind!r}, sex = {sex!r}.",
            "The size of the bone is not known.",
            f"Use {', '.join(KINDS)}; {' or '.join(SEXES)}.",
        )
    table: Mapping[str, Any] = read_library("femsim.anatomy", "data/presets.toml")[kind]
    rows = {**table.get("both", {}), **table[sex]}
    found = {}
    for name, row in rows.items():
        entry = {key: item for key, item in row.items() if key != "sd"}
        found[name] = (read_value(entry, f"{kind}.{sex}.{name}"), float(row["sd"]))
    return found

"""One colour scale for all strategies: what a value looks like, in figures, in the report and in the viewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from femsim.errors import InputError
from femsim.fields import FIELDS
from femsim.view import palette

#: Fields offered first, in this order, where a result holds them.
USUAL = (
    "risk",
    "maximum_principal_stress",
    "minimum_principal_stress",
    "von_mises_stress",
    "maximum_principal_strain",
    "minimum_principal_strain",
    "youngs_modulus",
    "displacement",
)
#: Share of values, in percent, left out at either end: the few extreme elements beside corners would leave one colour
#: for all others.
_TAIL = 0.5
_SEQUENTIAL = "viridis"
_DIVERGING = "PuOr_r"
_LEVELS = 255


@dataclass(frozen=True, eq=False)
class Scale:
    """A colour scale.

    Attributes
    ----------
    field : str
    label : str
        Name and unit, for the colour bar.
    low, high : float
        Values of the first and the last colour; values beyond are drawn like them.
    table : (255, 3) float64
        Colours, 0 to 1, at equal steps from `low` to `high`.
    """

    field: str
    label: str
    low: float
    high: float
    table: NDArray[np.float64]

    def level(self, values: ArrayLike) -> NDArray[np.uint8]:
        """Index into `table` of values (m,); 255 where a value is not a number."""
        given = np.asarray(values, float)
        share = np.clip((np.nan_to_num(given, nan=0.0) - self.low) / (self.high - self.low), 0.0, 1.0)
        return np.where(np.isnan(given), _LEVELS, np.round(share * (_LEVELS - 1))).astype(np.uint8)

    def paint(self, values: ArrayLike) -> NDArray[np.float64]:
        """Colours (m, 3) of values (m,); grey where a value is not a number."""
        return np.concatenate([self.table, palette.rgb(palette.MISSING)[None]])[self.level(values)]

    def gradient(self) -> str:
        """The colours as stops of a CSS gradient."""
        picks = np.unique(np.linspace(0, _LEVELS - 1, 33).round().astype(int))
        if self.field == "risk":
            return ", ".join(f"{code} {100 * value / palette.RISK_RANGE[1]:g}%" for value, code in palette.RISK_STOPS)
        return ", ".join(f"{hexadecimal(self.table[i])} {100 * i / (_LEVELS - 1):.1f}%" for i in picks)

    @property
    def cmap(self) -> Any:
        """As a matplotlib colour map."""
        from matplotlib.colors import LinearSegmentedColormap, ListedColormap

        if self.field == "risk":
            return LinearSegmentedColormap.from_list("femsim risk", palette.risk_stops(), N=512)
        return ListedColormap(self.table, name=self.field)


def hexadecimal(colour: NDArray[np.float64]) -> str:
    """``"#rrggbb"`` of a colour (3,), 0 to 1."""
    return "#" + "".join(f"{round(255 * float(part)):02x}" for part in colour)


def label(field: str) -> str:
    """Name and unit of a field as written on a colour bar."""
    if field == "risk":
        return "factor of risk (1: the load is the failure load)"
    return FIELDS[field].label if field in FIELDS else field.replace("_", " ")


def shared(field: str, values: Sequence[ArrayLike]) -> Scale:
    """The scale of one field over the values of all strategies; the factor of risk always turns at 1."""
    if field == "risk":
        low, high = palette.RISK_RANGE
        return Scale(field, label(field), low, high, palette.risk_colours(np.linspace(low, high, _LEVELS)))
    low, high = _span(values)
    return Scale(field, label(field), low, high, _colours(_SEQUENTIAL))


def difference(field: str, values: Sequence[ArrayLike]) -> Scale:
    """The scale of a difference: as far to either side of zero, which is white."""
    low, high = _span(values)
    reach = max(abs(low), abs(high))
    return Scale(f"difference of {field}", f"difference of {label(field)}", -reach, reach, _colours(_DIVERGING))


def _span(values: Sequence[ArrayLike]) -> tuple[float, float]:
    every = np.concatenate([np.ravel(np.asarray(one, float)) for one in values]) if len(values) else np.zeros(0)
    every = every[np.isfinite(every)]
    if len(every) == 0:
        return 0.0, 1.0
    low, high = (float(x) for x in np.percentile(every, [_TAIL, 100.0 - _TAIL]))
    return (low, high) if high > low else (low, low + 1.0)


def _colours(name: str) -> NDArray[np.float64]:
    from matplotlib import colormaps

    return np.asarray(colormaps[name](np.linspace(0, 1, _LEVELS)))[:, :3]


def numbers(fields: Any, name: str, cells: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
    """A field as one number a cell or node: a vector or tensor as its length, the factor of risk where it was judged.

    Parameters
    ----------
    fields : mapping of str to array
    name : str
    cells : (m, k) int, optional
        Nodes of every cell; given, a node field becomes the mean over the corners of each cell.

    Raises
    ------
    InputError
        If the field is not there.
    """
    if name not in fields:
        known = ", ".join(sorted(fields))
        raise InputError(f"There is no field {name!r}.", "It cannot be shown.", f"Use one of {known}.")
    data = np.asarray(fields[name], float)
    if name == "risk" and "excluded" in fields:
        data = np.where(np.asarray(fields["excluded"]) > 0, np.nan, data)
    data = data if data.ndim == 1 else np.linalg.norm(data, axis=1)
    if cells is not None and name in FIELDS and FIELDS[name].location == "node":
        corners = cells[:, :4] if cells.shape[1] in (4, 10) else cells[:, :8]
        return np.asarray(data[corners].mean(axis=1))
    return data

"""Discretisation error of a number from the meshes it was computed on: Richardson and the grid convergence index."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from femsim.errors import InputError

#: Safety factors of the grid convergence index: with an assumed order, and with one observed on three meshes.
SAFETY_TWO, SAFETY_THREE = 3.0, 1.25
#: Orders that are believed. What three meshes show beyond them is an accident of three numbers, or not yet convergence.
LOWEST, HIGHEST = 0.5, 2.0


@dataclass(frozen=True)
class ErrorBar:
    """A number with its discretisation error.

    Attributes
    ----------
    value : float
        On the finest mesh.
    half_width : float
        Grid convergence index times the value, in its unit; inf where nothing can be said.
    order : float
        Observed (three meshes) or assumed (two); nan where the values show none that can be believed.
    extrapolated : float
        Richardson's estimate for element size zero; nan where the order is.
    words : str
        What was done, for the reader of the table.
    """

    value: float
    half_width: float
    order: float
    extrapolated: float
    words: str

    @property
    def percent(self) -> float:
        """Half-width in percent of the value; nan where the value is zero."""
        return 100.0 * self.half_width / abs(self.value) if self.value else math.nan


def error_bar(sizes: tuple[float, ...], values: tuple[float, ...], *, order: float = 1.0) -> ErrorBar:
    """Error bar from one, two or three meshes.

    Parameters
    ----------
    sizes : tuple of float
        Element sizes in mm, the finest first, increasing.
    values : tuple of float
        The number on each.
    order : float
        Order assumed with two meshes. 1 is cautious for quadratic elements, whose order drops at edges and
        material borders.

    Notes
    -----
    Roache 1997 [roache1997]. An observed order outside 0.5 to 2 is an accident of three numbers, and would be magnified
    where the sizes differ little: it gives no index. Then the bar follows from the spread of the three values, largest
    less smallest: three times half of it where they go up and down or settle faster than quadratic elements can, three
    times all of it where they move ever faster, or hardly slower, as the elements become smaller.
    """
    if not 1 <= len(sizes) == len(values) <= 3 or any(not a < b for a, b in pairwise(sizes)):
        raise InputError(
            f"Element sizes {sizes} with values {values} give no error bar.",
            "One to three meshes are needed, the finest first.",
            "Sort them by size.",
        )
    if not all(map(math.isfinite, (*sizes, *values))) or sizes[0] <= 0 or not order > 0:
        raise InputError("A size or value is not finite, or not positive.", "No error can be estimated.", "Check them.")
    if len(sizes) == 1:
        return ErrorBar(values[0], math.inf, math.nan, math.nan, "no error bar: one mesh")
    difference = values[1] - values[0]
    if len(sizes) == 2:
        gain = (sizes[1] / sizes[0]) ** order - 1.0
        bar = SAFETY_TWO * abs(difference) / gain
        return ErrorBar(values[0], bar, order, values[0] - difference / gain, f"two meshes, order {order:g} assumed")
    return _three(sizes, values)


def _three(sizes: tuple[float, ...], values: tuple[float, ...]) -> ErrorBar:
    fine, middle, coarse = values
    first, second = middle - fine, coarse - middle
    if first == second == 0.0:
        return ErrorBar(fine, 0.0, math.nan, fine, "three meshes, no difference")
    order = _order(sizes, first, second)
    if LOWEST <= order <= HIGHEST:
        gain = (sizes[1] / sizes[0]) ** order - 1.0
        bar, words = SAFETY_THREE * abs(first) / gain, f"three meshes, observed order {order:.2f}"
        return ErrorBar(fine, bar, order, fine - first / gain, words)
    spread = max(values) - min(values)
    settles = first * second < 0.0 or order > HIGHEST
    bar = SAFETY_TWO * spread * (0.5 if settles else 1.0)
    told = f"an observed order of {order:.2g} is not believed" if math.isfinite(order) else "no order"
    return ErrorBar(fine, bar, math.nan, math.nan, f"three meshes, {told}: from their spread")


def _order(sizes: tuple[float, ...], first: float, second: float) -> float:
    """Order p with ``second / first = (h3^p - h2^p) / (h2^p - h1^p)``; nan where there is none above 0.01."""
    if first * second <= 0.0:
        return math.nan
    h1, h2, h3 = sizes

    def excess(p: float) -> float:
        return (h3**p - h2**p) / (h2**p - h1**p) - second / first

    low, high = 0.01, 20.0
    if excess(low) > 0.0:
        return math.nan
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if excess(middle) < 0.0 else (low, middle)
    return 0.5 * (low + high)

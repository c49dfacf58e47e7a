"""Checks of the numbers a solid is made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from femsim.errors import GeometryError


def points_array(points: ArrayLike) -> NDArray[np.float64]:
    """Points as a C-contiguous (n, 3) float64 array; a single (3,) point becomes (1, 3)."""
    array = np.ascontiguousarray(np.atleast_2d(np.asarray(points, dtype=np.float64)))
    if array.size == 0:
        return array.reshape(0, 3)
    if array.ndim != 2 or array.shape[1] != 3:
        raise GeometryError(
            f"Points of shape {array.shape} were given.",
            "A distance needs three coordinates.",
            "Give (n, 3) points.",
        )
    return array


def vector(value: ArrayLike, name: str) -> NDArray[np.float64]:
    """A finite (3,) float64 vector, read-only."""
    array = np.array(value, dtype=np.float64)
    if array.shape != (3,) or not np.isfinite(array).all():
        raise GeometryError(
            f"{name} = {value!r} is no point.", "The solid has no place.", "Give three finite numbers in mm."
        )
    array.setflags(write=False)
    return array


def unit_vector(value: ArrayLike, name: str) -> NDArray[np.float64]:
    """A (3,) vector of length 1 along `value`, read-only."""
    array = vector(value, name)
    length = float(np.linalg.norm(array))
    if length < 1e-12:
        raise GeometryError(f"{name} = {value!r} has no direction.", "Its length is zero.", "Give a non-zero vector.")
    array = array / length
    array.setflags(write=False)
    return array


def positive(value: float, name: str) -> float:
    """A finite number above zero."""
    if not (np.isfinite(value) and value > 0):
        raise GeometryError(
            f"{name} = {value!r} mm is not possible.",
            "A size must be above zero.",
            "Give a positive number in mm.",
        )
    return float(value)


def rotation(axes: ArrayLike | None) -> NDArray[np.float64]:
    """Rows are three perpendicular unit vectors, (3, 3), read-only; the identity for ``None``."""
    array = np.eye(3) if axes is None else np.array(axes, dtype=np.float64)
    if array.shape != (3, 3) or not np.allclose(array @ array.T, np.eye(3), atol=1e-6):
        raise GeometryError(
            "axes are not three perpendicular unit vectors.",
            "The solid would be sheared.",
            "Give a (3, 3) rotation.",
        )
    array.setflags(write=False)
    return array

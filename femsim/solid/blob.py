"""Rough solids: a smooth one whose surface is moved in and out by seeded noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from femsim.errors import GeometryError
from femsim.solid._check import points_array, positive, vector
from femsim.solid._key import key_of_fields
from femsim.solid.base import Bounds, Solid
from femsim.solid.query import gradient
from femsim.solid.shapes import Ellipsoid

_WAVES = 24
# tanh(1.1 n) of noise with unit standard deviation: swings of +-1 are reached, overshoot is impossible.
_GAIN = 1.1


@dataclass(frozen=True, eq=False)
class Noisy(Solid):
    """`of`, its surface moved in and out by at most `amplitude` mm.

    Parameters
    ----------
    of : Solid
        The smooth solid.
    centre : (3,) array_like
        Where the noise is anchored: a solid moved together with its centre keeps its shape, mm.
    amplitude : float
        Largest displacement, mm.
    wavelength : float
        Shortest wavelength of the noise, mm; the longest is three times that.
    seed : int
        The same seed gives the same surface on every platform.

    Notes
    -----
    The noise is a sum of 24 plane waves with random directions and phases, squashed by tanh. Within three amplitudes
    of the surface the value is divided by the length of its gradient: exact to first order.
    """

    of: Solid
    centre: NDArray[np.float64]
    amplitude: float
    wavelength: float
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "centre", vector(self.centre, "centre"))
        positive(self.wavelength, "wavelength")
        if not (np.isfinite(self.amplitude) and 0 <= self.amplitude <= self.wavelength / 2):
            raise GeometryError(
                f"amplitude = {self.amplitude!r} mm does not suit a wavelength of {self.wavelength} mm.",
                "Noise steeper than that tears the surface.",
                "Keep the amplitude between 0 and half of the wavelength.",
            )

    def distance(self, points: ArrayLike) -> NDArray[np.float64]:
        points = points_array(points)
        waves, phases = _waves(self.wavelength, self.seed)
        noise, slope = _noise(points - self.centre, waves, phases)
        moved = self.of.distance(points) - self.amplitude * noise
        near = np.flatnonzero(np.abs(moved) < 3.0 * self.amplitude)
        across = gradient(self.of, points[near]) - self.amplitude * slope[near]
        moved[near] /= np.maximum(np.linalg.norm(across, axis=1), 0.3)
        return moved

    @property
    def bounds(self) -> Bounds:
        lower, upper = self.of.bounds
        return lower - self.amplitude, upper + self.amplitude

    def key(self) -> str:
        return key_of_fields(self)


def noisy_blob(
    centre: ArrayLike,
    radius: float | ArrayLike,
    roughness: float = 0.2,
    seed: int = 0,
    axes: ArrayLike | None = None,
) -> Noisy:
    """A rough ball or ellipsoid.

    Parameters
    ----------
    centre : (3,) array_like
        mm.
    radius : float or (3,) array_like
        Radius, or half axes along the rows of `axes`, mm.
    roughness : float
        Largest displacement of the surface over the smallest half axis, 0 to 0.4.
    seed : int
        The same seed gives the same blob.
    axes : (3, 3) array_like, optional
        Rows are the directions of the half axes.
    """
    radii = np.array(np.broadcast_to(np.asarray(radius, dtype=np.float64), 3))
    if not (np.isfinite(roughness) and 0.0 <= roughness <= 0.4):
        raise GeometryError(
            f"roughness = {roughness!r} is out of range.",
            "The blob would fall apart.",
            "Use 0 (smooth) to 0.4 (wild).",
        )
    smallest = positive(float(radii.min()), "radius")
    smooth = Ellipsoid(vector(centre, "centre"), radii, axes)  # type: ignore[arg-type]
    return Noisy(smooth, smooth.centre, roughness * smallest, smallest, seed)


def _waves(wavelength: float, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    generator = np.random.Generator(np.random.PCG64(seed))
    direction = generator.normal(size=(_WAVES, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    length = wavelength * generator.uniform(1.0, 3.0, size=(_WAVES, 1))
    return direction * (2.0 * np.pi / length), generator.uniform(0.0, 2.0 * np.pi, _WAVES)


@njit(cache=True)
def _noise(
    points: NDArray[np.float64], waves: NDArray[np.float64], phases: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    value, slope = np.empty(len(points)), np.empty((len(points), 3))
    scale = _GAIN * np.sqrt(2.0 / len(phases))
    for n in range(len(points)):
        total, gx, gy, gz = 0.0, 0.0, 0.0, 0.0
        for w in range(len(phases)):
            phase = waves[w, 0] * points[n, 0] + waves[w, 1] * points[n, 1] + waves[w, 2] * points[n, 2] + phases[w]
            sine = np.sin(phase)
            total += np.cos(phase)
            gx -= sine * waves[w, 0]
            gy -= sine * waves[w, 1]
            gz -= sine * waves[w, 2]
        squashed = np.tanh(scale * total)
        factor = scale * (1.0 - squashed * squashed)
        value[n] = squashed
        slope[n, 0], slope[n, 1], slope[n, 2] = factor * gx, factor * gy, factor * gz
    return value, slope

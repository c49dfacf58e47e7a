"""From a load-displacement curve to what a test report gives: stiffness, yield, peak, energy to the peak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from femsim.errors import InputError

Floats = NDArray[np.float64]

#: Loss of secant stiffness that counts as yield, the 5 % secant of ASTM E399 [astm_e399].
SECANT = 0.05


@dataclass(frozen=True, eq=False)
class Curve:
    """Load over displacement of one strategy, to and past its peak.

    Attributes
    ----------
    displacement : (s,) float64
        What the load does its work on, mm (degrees under a moment), from 0: the area under the curve is the work of all
        loads of the case, muscles included.
    load : (s,) float64
        Main load, N (N m under a moment), from 0.
    is_moment : bool
    peak_reached : bool
        Whether the largest load is a limit; else it is a lower bound.
    end : str
        Why the curve ends, in words.
    body_weight : float
        N.
    place, material, kind : str
        Where, in what and how it fails; empty where nothing yielded.
    """

    displacement: Floats
    load: Floats
    is_moment: bool
    peak_reached: bool
    end: str
    body_weight: float
    place: str = ""
    material: str = ""
    kind: str = ""

    def __post_init__(self) -> None:
        good = self.load.shape == self.displacement.shape and self.load.ndim == 1 and len(self.load) >= 2
        if not good or not (np.isfinite(self.load).all() and np.isfinite(self.displacement).all()):
            raise InputError(
                f"A load-displacement curve has {self.load.shape} loads and {self.displacement.shape} displacements.",
                "Stiffness and peak need at least two finite points.",
                "Give two arrays of one length.",
            )

    @property
    def load_unit(self) -> str:
        """Unit of the load."""
        return "N m" if self.is_moment else "N"

    @property
    def displacement_unit(self) -> str:
        """Unit of the displacement."""
        return "deg" if self.is_moment else "mm"

    @property
    def stiffness(self) -> float:
        """Slope at the origin, N/mm (N m/deg)."""
        return float(self.load[1] / self.displacement[1])

    @property
    def peak(self) -> float:
        """Largest load: the failure load where `peak_reached`, else a lower bound of it."""
        return float(self.load.max())

    @property
    def yield_load(self) -> float:
        """Load where the curve meets the line of 95 % of the first stiffness; the peak where it comes first."""
        return yield_load(self.displacement, self.load)

    @property
    def energy_to_peak(self) -> float:
        """Work of all loads up to the peak, J."""
        top = int(np.argmax(self.load)) + 1
        area = float(np.trapezoid(self.load[:top], self.displacement[:top]))
        return area * np.pi / 180.0 if self.is_moment else area / 1000.0

    def summary(self) -> dict[str, float | str]:
        """The numbers by name, with the unit in the name."""
        unit = self.load_unit
        return {
            f"stiffness [{unit}/{self.displacement_unit}]": self.stiffness,
            f"yield load [{unit}]": self.yield_load,
            f"{'failure load' if self.peak_reached else 'failure load at least'} [{unit}]": self.peak,
            "energy to peak [J]": self.energy_to_peak,
            "end": self.end,
            "place": self.place,
            "kind": self.kind,
        }

    def csv(self) -> str:
        """The curve as a table with a header."""
        lines = [f"displacement [{self.displacement_unit}],load [{self.load_unit}]"]
        lines += [f"{x:.8g},{y:.8g}" for x, y in zip(self.displacement, self.load, strict=True)]
        return "\n".join(lines) + "\n"


def yield_load(displacement: Floats, load: Floats, loss: float = SECANT) -> float:
    """Load at which the secant stiffness has fallen by `loss` of the first one, at most the peak.

    Parameters
    ----------
    displacement, load : (s,) float64
        From 0; the first segment is elastic.
    loss : float
        0 < loss < 1.
    """
    if not 0.0 < loss < 1.0:
        raise InputError(f"loss = {loss!r} is not between 0 and 1.", "It is a share of a stiffness.", "Give 0.05.")
    top = int(np.argmax(load)) + 1
    line = (1.0 - loss) * load[1] / displacement[1]
    above = load[:top] - line * displacement[:top]
    below = np.flatnonzero(above[1:] < 0.0)
    if len(below) == 0:
        return float(load[top - 1])
    after = int(below[0]) + 1
    share = above[after - 1] / (above[after - 1] - above[after])
    return float(load[after - 1] + share * (load[after] - load[after - 1]))

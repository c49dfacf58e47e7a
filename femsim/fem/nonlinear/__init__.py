"""Beyond the elastic limit: materials that yield, harden and soften, and the load they lead to.

>>> import numpy as np
>>> from femsim import fem
>>> from femsim.fem import nonlinear
>>> steel = nonlinear.VonMises(250.0, linear=1000.0)
>>> point = nonlinear.single_point(fem.isotropic(210000.0, 0.3), steel)
>>> path = nonlinear.follow_stress(point, [[300.0, 0, 0, 0, 0, 0]], 10)
>>> round(float(path.strain[-1, 0]), 9) == round(300 / 210000 + 50 / 1000, 9)
True
"""

from femsim.fem.nonlinear.band import band_width, longest_band
from femsim.fem.nonlinear.laws import Branch, Inelastic, Law, Quadric, VonMises
from femsim.fem.nonlinear.path import follow
from femsim.fem.nonlinear.point import Path, follow_strain, follow_stress, single_point
from femsim.fem.nonlinear.record import LoadPath, PathSettings, Step
from femsim.fem.nonlinear.state import Points, Response, State, points_of

__all__ = [
    "Branch",
    "Inelastic",
    "Law",
    "LoadPath",
    "Path",
    "PathSettings",
    "Points",
    "Quadric",
    "Response",
    "State",
    "Step",
    "VonMises",
    "band_width",
    "follow",
    "follow_strain",
    "follow_stress",
    "longest_band",
    "points_of",
    "single_point",
]

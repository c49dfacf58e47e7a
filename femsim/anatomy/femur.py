"""Parametric femur: head, neck, trochanters, bowed shaft with linea aspera, condyles."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from femsim.anatomy.bone import Bone
from femsim.anatomy.femur_parts import FemurLayout, FemurWall, layout, outer
from femsim.anatomy.parametric import Array, Draft, build, check_canal, check_ranges
from femsim.errors import GeometryError
from femsim.solid._key import content_key

_RANGES = {
    "length": (300.0, 560.0, "mm"),
    "head_diameter": (36.0, 60.0, "mm"),
    "neck_diameter": (22.0, 42.0, "mm"),
    "neck_shaft_angle": (105.0, 145.0, "degrees"),
    "anteversion": (-15.0, 40.0, "degrees"),
    "offset": (28.0, 60.0, "mm"),
    "antecurvation_radius": (500.0, 3000.0, "mm"),
    "shaft_ap": (20.0, 40.0, "mm"),
    "shaft_ml": (20.0, 40.0, "mm"),
    "cortical_thickness": (2.0, 12.0, "mm"),
    "epicondylar_width": (62.0, 102.0, "mm"),
    "linea_aspera": (0.0, 4.0, "mm"),
    "twist": (-30.0, 30.0, "degrees"),
    "density_factor": (0.0, 2.0, "-"),
}
# A waist wider than this share of the head is no neck.
_NECK_OVER_HEAD = 0.85


@dataclass(frozen=True)
class FemurShape:
    """Anatomical parameters of a femur; lengths in mm, angles in degrees.

    Attributes
    ----------
    length : float
        From the most distal point of the condyles to the top of the head, along the axis of the shaft.
    head_diameter, neck_diameter : float
        Of the head's sphere; of the circle with the area of the narrowest section of the neck.
    neck_shaft_angle : float
        Between the neck axis and the long axis.
    anteversion : float
        Of the neck axis against the posterior condylar line, seen along the long axis.
    offset : float
        Distance of the head centre from the centreline.
    antecurvation_radius : float
        Radius of the bow of the shaft, convex to anterior.
    shaft_ap, shaft_ml : float
        Outer widths at mid-shaft.
    cortical_thickness : float
        Mean of the medial and the lateral wall at mid-shaft.
    epicondylar_width : float
        Largest width of the condyles.
    linea_aspera : float
        Height of the ridge at mid-shaft.
    twist : float
        Turn of the shaft's section from the distal to the proximal end.
    density_factor : float
        Multiplies the density of the trabecular bone.
    side : {"right", "left"}
        The left femur is the mirror image, x pointing to medial.
    """

    length: float = 455.0
    head_diameter: float = 49.0
    neck_diameter: float = 33.0
    neck_shaft_angle: float = 122.2
    anteversion: float = 14.2
    offset: float = 43.0
    antecurvation_radius: float = 943.0
    shaft_ap: float = 29.0
    shaft_ml: float = 27.0
    cortical_thickness: float = 7.0
    epicondylar_width: float = 84.0
    linea_aspera: float = 2.0
    twist: float = 10.0
    density_factor: float = 1.0
    side: str = "right"

    def __post_init__(self) -> None:
        check_ranges(self, _RANGES)
        check_canal(self)
        if self.neck_diameter > _NECK_OVER_HEAD * self.head_diameter:
            raise GeometryError(
                f"neck_diameter = {self.neck_diameter:g} mm is too wide for a head of {self.head_diameter:g} mm.",
                "The neck would have no waist.",
                f"Keep it below {_NECK_OVER_HEAD:g} of head_diameter.",
            )


def femur(**parameters: float | str) -> Bone:
    """Parametric femur.

    Parameters
    ----------
    **parameters
        Those of `FemurShape`. What is left out has the value of an adult man.

    Returns
    -------
    Bone
        In its own frame: x lateral (right) or medial (left), y anterior, z proximal from 0 at the condyles. Surfaces
        are distance grids of 1 mm; the same parameters return the same object while it is in memory.

    Raises
    ------
    GeometryError
        If a parameter is out of range or two do not fit each other.
    """
    return build("femur", FemurShape, draft, parameters)


def draft(shape: FemurShape) -> Draft:
    """The right femur in its own frame."""
    lay = layout(shape)
    z = np.linspace(0.04, 0.94, 61) * shape.length
    line = np.column_stack([np.zeros_like(z), lay.middle(z), z])
    content = content_key("femur", astuple(shape)[:-1])
    marks, radius = _landmarks(lay), shape.head_diameter / 2
    return Draft("femur", outer(lay), FemurWall(lay), line, marks, shape.cortical_thickness, radius, content)


def _landmarks(lay: FemurLayout) -> dict[str, Array]:
    u, v, y = lay.distal, lay.proximal, float(lay.middle(0.07 * lay.shape.length))
    tip = lay.tip + np.array([0.0, 0.0, 8.0 * v])
    level = tip[2] - 0.6 * (tip[2] - lay.lesser[2])
    return {
        "head_centre": lay.head,
        "neck_base": lay.base,
        "neck_centre": lay.base + 0.62 * (lay.head - lay.base),
        "greater_trochanter": tip,
        "lesser_trochanter": lay.lesser + 6.0 * v * np.array([-0.76, -0.65, 0.0]),
        "vastus_lateralis_origin": np.array([22.0 * v, lay.base[1] - 3.0 * v, level]),
        "lateral_epicondyle": np.array([42.0 * u, y - 8.0 * u, 34.0 * u]),
        "medial_epicondyle": np.array([-42.0 * u, y - 8.0 * u, 34.0 * u]),
        "lateral_condyle": np.array([22.0 * u, y - 8.0 * u, 5.0 * u]),
        "medial_condyle": np.array([-22.0 * u, y - 8.0 * u, 0.0]),
        "knee_centre": np.array([0.0, y - 8.0 * u, 34.0 * u]),
        "distal_centre": np.array([0.0, y - 8.0 * u, 2.5 * u]),
    }

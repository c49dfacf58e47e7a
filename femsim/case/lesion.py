"""The lesion as a user writes it."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from femsim.anatomy import Bone, LesionPlan, PlacedLesion, place_lesion
from femsim.anatomy.frame import direction_degrees
from femsim.anatomy.lesion import Shape
from femsim.schema import Schema, located
from femsim.units import Length


def _direction(value: str | float) -> str | float:
    if value not in ("superior", "inferior"):
        direction_degrees(value)
    return value


Direction = Annotated[str | float, AfterValidator(located(_direction))]


class Lesion(Schema):
    """A lytic lesion: where it lies, its shape and its size."""

    site: str = Field("subtrochanteric", description="Named place; femsim info bones lists those of every bone.")
    position: float | None = Field(
        None,
        ge=0.0,
        le=100.0,
        description="Instead of site: place along the bone [% of its length from the distal end].",
        examples=[65.0],
    )
    direction: Direction = Field(
        "lateral",
        description='Side of the bone: "lateral", "anterior", "medial", ... or degrees from lateral (0) towards\n'
        "anterior (90).",
    )
    depth: Length | None = Field(
        None,
        ge=-50.0,
        le=100.0,
        description="Depth of the lesion's centre below the outer surface [mm]; 0.15 diameters if left out;\n"
        "of a hole or slot: how deep it reaches, to the middle of the bone if left out.",
        examples=[4.5],
    )
    shape: Shape = Field("sphere", description='"sphere", "ellipsoid", "capsule", "blob" (rough), "hole" or "slot".')
    diameter: Length = Field(30.0, ge=1.0, le=150.0, description="Width across the bone's axis [mm].")
    length: Length | None = Field(
        None, ge=1.0, le=400.0, description="Extent along the bone's axis [mm].", examples=[45.0]
    )
    width_fraction: float | None = Field(
        None, ge=0.02, le=1.5, description="Instead of diameter: share of the bone's width.", examples=[0.8]
    )
    axial_involvement: Length | None = Field(
        None,
        ge=1.0,
        le=300.0,
        description="Instead of diameter: wanted length of cortex touched along the bone [mm].",
        examples=[30.0],
    )
    circumferential_involvement: float | None = Field(
        None, ge=0.02, le=0.98, description="Instead of diameter: wanted share of the circumference.", examples=[0.5]
    )
    remaining: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        description="Share of the bone's density left inside [-]: 0 is lytic (tumour tissue instead of bone), more is\n"
        "permeative: trabecular bone and cortex of that density, and as much softer.",
    )
    fade: Length = Field(
        0.0,
        ge=0.0,
        le=50.0,
        description="Distance outside the lesion over which the density rises to that of healthy bone [mm]; 0: sharp.",
    )
    roughness: float = Field(0.2, ge=0.0, le=0.5, description="Of a blob: height of the noise over the radius.")
    seed: int = Field(0, ge=0, description="Of a blob: seed of the noise.")

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        wishes = ("width_fraction", "axial_involvement", "circumferential_involvement")
        given = [name for name in wishes if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} each fix the size: keep one of them")
        return self

    def place(self, bone: Bone) -> PlacedLesion:
        """Put the lesion on a bone and measure it."""
        return place_lesion(bone, LesionPlan(**self.model_dump()))

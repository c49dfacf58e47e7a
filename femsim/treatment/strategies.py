"""The basic strategies: nothing, cement, cement-filled catheters, both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, model_validator

from femsim import material
from femsim.anatomy.bone import Bone
from femsim.anatomy.frame import direction_degrees
from femsim.errors import GeometryError
from femsim.schema import located
from femsim.solid import Solid, SweptTube, union
from femsim.treatment import canal
from femsim.treatment.base import Span, Treatment
from femsim.treatment.filling import partial_fill, with_voids
from femsim.treatment.rules import Rule
from femsim.units import Length


def _material(name: str) -> str:
    return material.get(name).name


def _position(value: str | float) -> str | float:
    if value != "centred":
        direction_degrees(value)
    return value


def _gravity(value: Any) -> Any:
    if isinstance(value, tuple):
        if not np.linalg.norm(value) > 0:
            raise ValueError("gravity needs a direction: it has no length")
    elif value not in ("proximal", "distal"):
        direction_degrees(value)
    return value


MaterialName = Annotated[str, AfterValidator(located(_material))]
Position = Annotated[str | float, AfterValidator(located(_position))]
Gravity = Annotated[str | tuple[float, float, float], AfterValidator(located(_gravity))]


class Intact(Treatment):
    """The lesion-free twin of the same bone: the reference."""

    label: ClassVar[str] = "intact"
    heals: ClassVar[bool] = True
    kind: Literal["intact"] = "intact"


class Untreated(Treatment):
    """The lesion filled with tumour tissue."""

    label: ClassVar[str] = "untreated"
    kind: Literal["untreated"] = "untreated"


class Cement(Treatment):
    """Bone cement in the lesion (cementoplasty), bonded to the bone: an upper bound of what cement can do.

    With `fill_fraction` below 1 the cement lies in the lower part of the lesion along `gravity`.
    """

    label: ClassVar[str] = "cement"
    needs_lesion: ClassVar[bool] = True
    kind: Literal["cement"] = "cement"
    material: MaterialName = Field(default="pmma", description="Cement, by its name in the library.")
    fill_fraction: float = Field(default=1.0, gt=0.0, le=1.0, description="Filled share of the lesion inside the bone.")
    gravity: Gravity = Field(
        default="posterior",
        description='Where cement settles when it does not fill the lesion: "posterior" (patient supine), "anterior",\n'
        '"lateral", ..., "distal", "proximal", or [lateral, anterior, proximal].',
    )
    void_fraction: float = Field(default=0.0, ge=0.0, le=0.3, description="Share of the cement that is round voids.")
    void_diameter: Length = Field(default=3.0, gt=0.5, le=20.0, description="Diameter of a void [mm].")
    seed: int = Field(default=0, ge=0, description="Seed of the places of the voids.")

    def placed(self, bone: Bone, lesion: Solid, span: Span) -> dict[str, Solid]:
        filled = partial_fill(lesion, bone, self.fill_fraction, gravity_vector(bone, self.gravity))
        return {"cement": with_voids(filled, bone, self.void_fraction, self.void_diameter, self.seed)}

    def rules(self) -> tuple[Rule, ...]:
        return (Rule(inside=("cement",), material=self.material),)

    def cement(self, solids: Mapping[str, Solid]) -> Solid | None:
        return solids.get("cement")


class CementFilledCatheter(Treatment):
    """Cement-filled catheters along the medullary canal, bridging the lesion, which is left as it is.

    The dimensions of the catheters of the clinical reports (Sun 2014, Liu 2017) were not published where we could
    read them. The default diameter and wall are assumptions within the usual 2 to 5 mm: vary them.
    """

    label: ClassVar[str] = "catheter"
    needs_lesion: ClassVar[bool] = True
    kind: Literal["catheter"] = "catheter"
    count: int = Field(default=1, ge=1, le=12, description="Number of catheters side by side.")
    outer_diameter: Length = Field(default=4.0, gt=0.5, le=20.0, description="Outer diameter of each [mm] (assumed).")
    wall_thickness: Length = Field(default=0.5, gt=0.0, le=5.0, description="Wall of each [mm] (assumed).")
    wall_material: MaterialName = Field(default="polyurethane", description="Wall, by its name in the library.")
    core_material: MaterialName = Field(default="pmma", description="Cement inside, by its name in the library.")
    past_lesion: Length = Field(default=30.0, ge=0.0, le=400.0, description="Length past each end of the lesion [mm].")
    past_distal: Length | None = Field(
        default=None, ge=0.0, le=400.0, description="Length past the distal end only [mm].", examples=[40.0]
    )
    past_proximal: Length | None = Field(
        default=None, ge=0.0, le=400.0, description="Length past the proximal end only [mm].", examples=[20.0]
    )
    position: Position = Field(
        default="centred",
        description='In the canal: "centred", or towards "lateral", "medial", "anterior", ... or degrees from lateral\n'
        "(0) towards anterior (90).",
    )
    offset: Length | None = Field(
        default=None,
        ge=0.0,
        le=50.0,
        description="Shift towards that position [mm]; as far as the canal allows if left out.",
        examples=[2.0],
    )
    gap: Length = Field(default=0.5, ge=0.0, le=20.0, description="Distance between neighbours [mm].")
    clearance: Length = Field(default=0.5, ge=0.0, le=10.0, description="Distance to keep from the cortex [mm].")

    @model_validator(mode="after")
    def _has_a_lumen(self) -> Self:
        if 2.0 * self.wall_thickness >= self.outer_diameter:
            raise ValueError(
                f"wall_thickness {self.wall_thickness:g} mm leaves no lumen in outer_diameter "
                f"{self.outer_diameter:g} mm"
            )
        if self.position == "centred" and self.offset:
            raise ValueError('offset needs a position other than "centred"')
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the outer solids, ``catheter_1`` and on; each lumen adds ``_lumen``."""
        return tuple(f"catheter_{i + 1}" for i in range(self.count))

    def placed(self, bone: Bone, lesion: Solid, span: Span) -> dict[str, Solid]:
        radius = self.outer_diameter / 2.0
        solids: dict[str, Solid] = {}
        for name, line in zip(self.names, self.lines(bone, span), strict=True):
            solids[name] = SweptTube(line, radius)
            solids[f"{name}_lumen"] = SweptTube(line, radius - self.wall_thickness)
        return solids

    def lines(self, bone: Bone, span: Span) -> list[NDArray[np.float64]]:
        """Axes of the catheters, (k, 3) mm each, between the centres of their round tips."""
        radius = self.outer_diameter / 2.0
        past = [self.past_lesion if own is None else own for own in (self.past_distal, self.past_proximal)]
        low, high = span[0] - past[0] / bone.length, span[1] + past[1] / bone.length
        _check_within(low, high, bone)
        tip = radius / bone.length
        if high - low <= 2.0 * tip:
            raise GeometryError(
                f"The catheter would be {(high - low) * bone.length:.1f} mm long and {self.outer_diameter:g} mm wide.",
                "It is shorter than it is wide.",
                "Give a longer past_lesion or a thinner catheter.",
            )
        layout = canal.bundle(self.count, self.outer_diameter, self.gap)
        direction = None
        if self.position != "centred":
            angle = np.deg2rad(direction_degrees(self.position))
            direction = np.array([np.cos(angle), np.sin(angle)])
        return canal.place(bone, low + tip, high - tip, layout, radius, self.clearance, direction, self.offset)

    def rules(self) -> tuple[Rule, ...]:
        walls = tuple(Rule(inside=(name,), material=self.wall_material) for name in self.names)
        return walls + tuple(Rule(inside=(f"{name}_lumen",), material=self.core_material) for name in self.names)

    def thin(self) -> Mapping[str, float]:
        return dict.fromkeys(self.names, self.wall_thickness)

    def slender(self) -> Mapping[str, float]:
        lumen = self.outer_diameter - 2.0 * self.wall_thickness
        return {f"{name}_lumen": lumen for name in self.names}

    def cement(self, solids: Mapping[str, Solid]) -> Solid | None:
        lumens = [solids[f"{name}_lumen"] for name in self.names if f"{name}_lumen" in solids]
        return union(*lumens) if lumens else None


class CementAndCatheter(Treatment):
    """Cement in the lesion round cement-filled catheters that bridge it (the technique of Sun 2014)."""

    label: ClassVar[str] = "cement + catheter"
    needs_lesion: ClassVar[bool] = True
    kind: Literal["cement_and_catheter"] = "cement_and_catheter"
    filling: Cement = Field(default=Cement(), description="The cement in the lesion.")
    catheter: CementFilledCatheter = Field(default=CementFilledCatheter(), description="The catheters.")

    def placed(self, bone: Bone, lesion: Solid, span: Span) -> dict[str, Solid]:
        return self.filling.placed(bone, lesion, span) | self.catheter.placed(bone, lesion, span)

    def rules(self) -> tuple[Rule, ...]:
        return self.filling.rules() + self.catheter.rules()

    def thin(self) -> Mapping[str, float]:
        return self.catheter.thin()

    def slender(self) -> Mapping[str, float]:
        return self.catheter.slender()

    def cement(self, solids: Mapping[str, Solid]) -> Solid | None:
        filled, lumens = self.filling.cement(solids), self.catheter.cement(solids)
        if filled is None or lumens is None:
            return None
        outer = union(*(solids[name] for name in self.catheter.names))
        return (filled - outer) | lumens


def gravity_vector(bone: Bone, gravity: str | tuple[float, float, float]) -> NDArray[np.float64]:
    """Direction of gravity (3,) in the coordinates of the bone."""
    if isinstance(gravity, tuple):
        return np.asarray(np.array(gravity) @ bone.frame.axes)
    if gravity in ("proximal", "distal"):
        return bone.frame.proximal if gravity == "proximal" else -bone.frame.proximal
    return bone.frame.direction(gravity)


def _check_within(low: float, high: float, bone: Bone) -> None:
    if low < 0.0 or high > 1.0:
        end, excess = ("distal", -low) if low < 0.0 else ("proximal", high - 1.0)
        raise GeometryError(
            f"The catheter would reach {excess * bone.length:.0f} mm past the {end} end of the bone.",
            "It has to lie inside the bone.",
            f"Give a smaller past_lesion, or past_{end} for that end alone.",
        )

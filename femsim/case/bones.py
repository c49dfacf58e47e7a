"""Bones as a user writes them. Each builds the `anatomy.Bone` it describes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from femsim import anatomy
from femsim.anatomy import Bone
from femsim.schema import Schema
from femsim.units import Angle, Length

Side = Literal["left", "right"]


class Femur(Schema):
    """The parametric femur of an adult; the defaults are those of a man."""

    kind: Literal["femur"] = Field("femur", description='"femur", "tube" or "surface".')
    side: Side = Field("right", description='"left" or "right".')
    length: Length = Field(455.0, description="Condyles to the top of the head, along the shaft [mm].")
    head_diameter: Length = Field(49.0, description="Diameter of the head [mm].")
    neck_diameter: Length = Field(33.0, description="Of the circle with the area of the narrowest neck section [mm].")
    neck_shaft_angle: Angle = Field(122.2, description="Between neck and long axis [degree].")
    anteversion: Angle = Field(14.2, description="Neck axis against the posterior condylar line [degree].")
    offset: Length = Field(43.0, description="Distance of the head centre from the centreline [mm].")
    antecurvation_radius: Length = Field(943.0, description="Radius of the anterior bow of the shaft [mm].")
    shaft_ap: Length = Field(29.0, description="Anteroposterior width at mid-shaft [mm].")
    shaft_ml: Length = Field(27.0, description="Mediolateral width at mid-shaft [mm].")
    cortical_thickness: Length = Field(7.0, description="Mean of medial and lateral wall at mid-shaft [mm].")
    epicondylar_width: Length = Field(84.0, description="Largest width of the condyles [mm].")
    linea_aspera: Length = Field(2.0, description="Height of the posterior ridge at mid-shaft [mm].")
    twist: Angle = Field(10.0, description="Turn of the section from distal to proximal [degree].")
    density_factor: float = Field(1.0, gt=0.0, le=2.0, description="Multiplies the density of trabecular bone [-].")

    def build(self) -> Bone:
        """The bone."""
        return anatomy.femur(**self.model_dump(exclude={"kind"}))


class Tube(Schema):
    """A straight hollow cylinder: the bone whose stiffness has a closed form."""

    kind: Literal["tube"] = Field("tube", description='"femur", "tube" or "surface".')
    outer_diameter: Length = Field(28.0, ge=5.0, le=60.0, description="Outer diameter [mm].")
    inner_diameter: Length = Field(13.0, ge=1.0, le=58.0, description="Inner diameter [mm], smaller than the outer.")
    length: Length = Field(200.0, ge=20.0, le=600.0, description="Length [mm].")

    @model_validator(mode="after")
    def _has_a_wall(self) -> Self:
        if self.inner_diameter >= self.outer_diameter:
            raise ValueError(
                f"inner_diameter ({self.inner_diameter:g} mm) must be smaller than outer_diameter "
                f"({self.outer_diameter:g} mm)"
            )
        return self

    def build(self) -> Bone:
        """The bone."""
        return anatomy.tube(self.outer_diameter, self.inner_diameter, self.length)


class SurfaceBone(Schema):
    """A real bone from its surfaces (STL, PLY, OBJ or VTP)."""

    kind: Literal["surface"] = Field("surface", description="A bone from surface files.")
    periosteum: Path = Field(description="File of the outer surface; a relative path counts from the case file.")
    endosteum: Path | None = Field(
        None, description="File of the inner surface of the cortex.", examples=["endosteum.stl"]
    )
    anatomy: Literal["femur", "humerus", "tibia"] = Field("femur", description="Which bone it is.")
    side: Side | None = Field(None, description="Found from the shape if left out.", examples=["left"])
    cortical_thickness: Length | None = Field(
        None, ge=0.3, le=12.0, description="Cortex where no endosteum is given [mm].", examples=[4.0]
    )
    units: Literal["auto", "mm", "cm", "m"] = Field("auto", description="Length unit of the files.")

    @model_validator(mode="after")
    def _has_one_cortex(self) -> Self:
        if (self.endosteum is None) == (self.cortical_thickness is None):
            raise ValueError("the cortex needs either an endosteum or a cortical_thickness, and not both")
        return self

    def build(self) -> Bone:
        """The bone."""
        return anatomy.bone_from_surfaces(
            self.periosteum,
            self.endosteum,
            kind=self.anatomy,
            side=self.side,
            thickness=self.cortical_thickness,
            units=self.units,
        )

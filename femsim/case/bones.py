"""Bones as a user writes them. Each builds the `anatomy.Bone` it describes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from femsim import anatomy
from femsim.anatomy import Bone
from femsim.units import Length

Side = Literal["left", "right"]


class _Bone(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Tube(_Bone):
    """A straight hollow cylinder: the bone whose stiffness has a closed form."""

    kind: Literal["tube"] = Field("tube", description='"femur", "humerus", "tibia", "tube" or "surface".')
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


class SurfaceBone(_Bone):
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

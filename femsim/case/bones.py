"""Bones as a user writes them. Each builds the `anatomy.Bone` it describes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from femsim import anatomy
from femsim.anatomy import Bone
from femsim.schema import Schema
from femsim.units import Angle, Length

Side = Literal["left", "right"]
Wall = Annotated[Length, Field(ge=0.3, le=12.0)]
KINDS = '"femur", "humerus", "tibia", "tube", "surface", "labels" or "shape_model".'


class _Parametric(Schema):
    """What the three parametric bones share: a size by sex and percentile, and any parameter of its own."""

    kind: str = ""
    side: Side = Field("right", description='"left" or "right".')
    sex: Literal["male", "female"] | None = Field(
        None,
        description='"male" or "female": every parameter below that is left out is that of such an adult; without it,\n'
        "that of the default bone. femsim info bones shows both.",
        examples=["female"],
    )
    percentile: float | None = Field(
        None,
        ge=1.0,
        le=99.0,
        description="With sex: size of the bone among adults of that sex, 1 to 99 [%]; 50 if left out.",
        examples=[50.0],
    )
    density_factor: float = Field(1.0, gt=0.0, le=2.0, description="Multiplies the density of trabecular bone [-].")

    @model_validator(mode="after")
    def _percentile_of_a_sex(self) -> Self:
        if self.percentile is not None and self.sex is None:
            raise ValueError(f"percentile ({self.percentile:g}) says nothing without sex")
        return self

    def parameters(self) -> dict[str, float | str]:
        """What was written, completed by the preset of sex and percentile; mm and degrees."""
        written = self.model_dump(exclude={"kind", "sex", "percentile"}, exclude_none=True)
        if self.sex is None:
            return written
        return anatomy.preset(self.kind, self.sex, self.percentile or 50.0) | written

    def build(self) -> Bone:
        """The bone."""
        make: Callable[..., Bone] = getattr(anatomy, self.kind)
        return make(**self.parameters())


def _parameter(default: float, description: str) -> Any:
    """A parameter of a parametric bone: by default that of the preset, or the one shown."""
    return Field(None, description=description, examples=[default])


class Femur(_Parametric):
    """The parametric femur of an adult; the defaults are those of a man."""

    kind: Literal["femur"] = Field("femur", description=KINDS)
    length: Length | None = _parameter(455.0, "Condyles to the top of the head, along the shaft [mm].")
    head_diameter: Length | None = _parameter(49.0, "Diameter of the head [mm].")
    neck_diameter: Length | None = _parameter(33.0, "Of the circle with the area of the narrowest neck section [mm].")
    neck_shaft_angle: Angle | None = _parameter(122.2, "Between neck and long axis [degree].")
    anteversion: Angle | None = _parameter(14.2, "Neck axis against the posterior condylar line [degree].")
    offset: Length | None = _parameter(43.0, "Distance of the head centre from the centreline [mm].")
    antecurvation_radius: Length | None = _parameter(943.0, "Radius of the anterior bow of the shaft [mm].")
    shaft_ap: Length | None = _parameter(29.0, "Anteroposterior width at mid-shaft [mm].")
    shaft_ml: Length | None = _parameter(27.0, "Mediolateral width at mid-shaft [mm].")
    cortical_thickness: Length | None = _parameter(7.0, "Mean of medial and lateral wall at mid-shaft [mm].")
    epicondylar_width: Length | None = _parameter(84.0, "Largest width of the condyles [mm].")
    linea_aspera: Length | None = _parameter(2.0, "Height of the posterior ridge at mid-shaft [mm].")
    twist: Angle | None = _parameter(10.0, "Turn of the section from distal to proximal [degree].")


class Humerus(_Parametric):
    """The parametric humerus of an adult; the defaults are those of a man."""

    kind: Literal["humerus"] = Field("humerus", description=KINDS)
    length: Length | None = _parameter(306.0, "Trochlea to the top of the head, along the shaft [mm].")
    head_diameter: Length | None = _parameter(44.8, "Diameter of the head [mm].")
    inclination: Angle | None = _parameter(137.7, "Axis of the head against the long axis [degree].")
    retroversion: Angle | None = _parameter(28.0, "Axis of the head against the epicondylar line [degree].")
    offset: Length | None = _parameter(8.0, "Distance of the head centre from the axis of the shaft [mm].")
    shaft_ap: Length | None = _parameter(22.5, "Anteroposterior width at mid-shaft [mm].")
    shaft_ml: Length | None = _parameter(22.0, "Mediolateral width at mid-shaft [mm].")
    cortical_thickness: Length | None = _parameter(5.0, "Mean of medial and lateral wall at mid-shaft [mm].")
    epicondylar_width: Length | None = _parameter(62.0, "Between the tips of the epicondyles [mm].")


class Tibia(_Parametric):
    """The parametric tibia of an adult; the defaults are those of a man."""

    kind: Literal["tibia"] = Field("tibia", description=KINDS)
    length: Length | None = _parameter(371.8, "Medial malleolus to the intercondylar eminence, along the shaft [mm].")
    plateau_width: Length | None = _parameter(76.0, "Largest width of the proximal end [mm].")
    shaft_ap: Length | None = _parameter(30.0, "Anteroposterior width at mid-shaft [mm].")
    shaft_ml: Length | None = _parameter(23.0, "Mediolateral width at mid-shaft [mm].")
    cortical_thickness: Length | None = _parameter(5.5, "Mean of medial and lateral wall at mid-shaft [mm].")
    torsion: Angle | None = _parameter(24.0, "External turn of the distal end against the plateau [degree].")


class Tube(Schema):
    """A straight hollow cylinder: the bone whose stiffness has a closed form."""

    kind: Literal["tube"] = Field("tube", description=KINDS)
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
    cortical_thickness: Wall | Mapping[float, Wall] | None = Field(
        None,
        description="Cortex where no endosteum is given [mm]: one number, or a table of position in % to thickness.",
        examples=[4.0],
    )
    thickness_array: str | None = Field(
        None,
        description="Instead: name of an array of the periosteum's points (VTP, PLY) that holds the thickness.",
        examples=["thickness"],
    )
    units: Literal["auto", "mm", "cm", "m"] = Field("auto", description="Length unit of the files.")

    @model_validator(mode="after")
    def _has_one_cortex(self) -> Self:
        given = sum(one is not None for one in (self.endosteum, self.cortical_thickness, self.thickness_array))
        if given != 1:
            raise ValueError(
                "the cortex needs either an endosteum or a cortical_thickness (or a thickness_array), and not both"
            )
        return self

    def build(self) -> Bone:
        """The bone."""
        wall = self.cortical_thickness
        if isinstance(wall, Mapping):
            wall = {place / 100.0: value for place, value in wall.items()}
        return anatomy.bone_from_surfaces(
            self.periosteum,
            self.endosteum,
            kind=self.anatomy,
            side=self.side,
            thickness=wall if self.thickness_array is None else self.thickness_array,
            units=self.units,
        )


class LabelBone(Schema):
    """A real bone from a labelled image (NIfTI)."""

    kind: Literal["labels"] = Field("labels", description="A bone from a labelled image.")
    image: Path = Field(description="NIfTI file of labels; a relative path counts from the case file.")
    cortex: int = Field(1, ge=1, description="Label of the cortex, or of the whole bone.")
    inside: int = Field(2, ge=1, description="Label of what lies inside the cortex.")
    anatomy: Literal["femur", "humerus", "tibia"] = Field("femur", description="Which bone it is.")
    side: Side | None = Field(None, description="Found from the shape if left out.", examples=["left"])
    cortical_thickness: Wall | None = Field(
        None, description="Cortex where the image has one label for the whole bone [mm].", examples=[4.0]
    )

    def build(self) -> Bone:
        """The bone."""
        return anatomy.bone_from_labels(
            self.image,
            kind=self.anatomy,
            side=self.side,
            cortex=self.cortex,
            inside=self.inside,
            thickness=self.cortical_thickness,
        )


class ShapeModelBone(Schema):
    """A femur or tibia of a statistical shape model of 26 people (needs the extra ``shapes``)."""

    kind: Literal["shape_model"] = Field("shape_model", description="A bone of the shape model LLP26.")
    bone: Literal["femur", "tibia"] = Field("femur", description='"femur" or "tibia".')
    modes: Mapping[int, float] = Field(
        default_factory=dict,
        examples=[{1: 1.5}],
        description="Standard deviations (-3 to 3) along modes 1 to 25, by mode; the mean bone without.",
    )
    side: Side = Field("left", description='"left" as modelled, or "right" mirrored.')
    cortical_thickness: Wall = Field(4.0, description="The model has no inner surface: cortex everywhere [mm].")

    def build(self) -> Bone:
        """The bone."""
        return anatomy.bone_from_shape_model(self.bone, self.modes, self.side, self.cortical_thickness)

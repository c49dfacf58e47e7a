"""What the user writes: a bone, a lesion, a load, a mesh size and the strategies to compare.

The same names serve Python, TOML and the command line. Numbers are in mm, N, MPa, kg, degrees, or texts with a unit.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StrictBool, field_validator, model_validator

from femsim import loads, material, treatment
from femsim.case import uncertain as assumed
from femsim.case.bones import Femur, Humerus, LabelBone, ShapeModelBone, SurfaceBone, Tibia, Tube
from femsim.case.lesion import Lesion
from femsim.material import MaterialData
from femsim.mesh import MeshSize
from femsim.risk import check_strengths
from femsim.schema import Schema, located
from femsim.show import boxed
from femsim.treatment import TREATMENTS, AnyTreatment
from femsim.units import Density, Length, Mass, measured

LoadName = Annotated[str, AfterValidator(located(lambda name: loads.get(name).name))]
BoneSpec = Annotated[
    Femur | Humerus | Tibia | Tube | SurfaceBone | LabelBone | ShapeModelBone, Field(discriminator="kind")
]


# Strategies name folders and files.
_NAME = re.compile(r"[^\W_][\w .+%()-]{0,59}")


class Mesh(Schema):
    """Element sizes: fine near lesions and devices, coarse far away."""

    near: Length = Field(2.2, ge=0.2, le=10.0, description="Element size near lesions and devices [mm].")
    far: Length = Field(6.0, ge=0.2, le=20.0, description="Element size far away [mm]; at least near.")
    walls: Literal["auto", "resolve", "homogenise"] = Field(
        "auto",
        description='Thin walls of devices: "resolve" refines the mesh at them, "homogenise" mixes them into the\n'
        'elements around them by volume, "auto" resolves those that are thick enough for near.',
    )
    region: tuple[float, float] | None = Field(
        None,
        description="Places along the bone [% of its length from the distal end] between which all elements are near,\n"
        "wherever lesions and devices lie: cases of one bone then share all elements but those at lesions and devices.",
        examples=[[40.0, 75.0]],
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.far < self.near:
            raise ValueError(f"far ({self.far:g} mm) must be at least near ({self.near:g} mm)")
        if self.region is not None and not 0.0 <= self.region[0] < self.region[1] <= 100.0:
            raise ValueError(f"region {list(self.region)} must be two numbers from 0 to 100, the smaller first")
        return self

    def sizes(self, coarser: float = 1.0) -> MeshSize:
        """As the mesher wants them; all multiplied by `coarser`, beyond the limits of what a user may ask for."""
        return MeshSize(near=self.near * coarser, far=self.far * coarser, walls=self.walls, coarser=coarser)


class Risk(Schema):
    """How a stress field becomes a failure load."""

    averaging_length: Length = Field(
        2.0,
        ge=0.0,
        le=5.0,
        description="Demand is averaged over the volume of a ball of this diameter [mm]; 1 to 3 for bone, 0 for none.",
    )
    nonlinear: StrictBool = Field(
        False, description="Also follow bone and cement that yield and soften to the failure load (minutes more)."
    )
    minimum_density: Density = Field(
        0.1, ge=0.0, le=1.0, description="Trabecular bone of a lower apparent density is marrow, not judged [g/cm^3]."
    )
    cortex_criterion: Literal["library", "principal_strain", "density_yield", "hoffman", "tsai_wu"] = Field(
        "library",
        description='Of cortex: "library" (its own), "principal_strain", "density_yield", "hoffman" or "tsai_wu".',
    )
    trabecular_criterion: Literal["library", "principal_strain", "density_yield"] = Field(
        "library", description='Of trabecular bone: "library" (its own), "principal_strain" or "density_yield".'
    )
    strength_law: Literal["keyak_2005", "keyak_1998", "keller_1994_femur", "carter_hayes_1977"] = Field(
        "keyak_2005",
        description='Yield stress by density: "keyak_2005", "keyak_1998", "keller_1994_femur", "carter_hayes_1977".',
    )
    bond: Literal["perfect", "first_debonding"] = Field(
        "perfect",
        description='Bond of cement to bone: "perfect" holds beyond its strength (an upper bound); "first_debonding"\n'
        "counts the first face that reaches it as failure (a lower bound).",
    )
    beam_limit: float = Field(
        25.0,
        gt=0.0,
        le=1000.0,
        description="Warn where the undisturbed shaft differs from beam theory by more than this [%].",
    )
    pain: Literal["unknown", "mild", "moderate", "functional"] = Field(
        "unknown", description='Pain of the patient, for the Mirels score: "mild", "moderate", "functional".'
    )


class Solver(Schema):
    """The linear solver."""

    method: Literal["auto", "direct", "multigrid", "scipy"] = Field(
        "auto", description='"auto", "direct", "multigrid" or "scipy".'
    )
    tolerance: float = Field(1e-7, ge=1e-13, le=1e-3, description="True relative residual at which to stop [-].")
    threads: int = Field(2, ge=1, le=256, description="Threads of the solver [-].")


class Case(Schema):
    """One bone, one lesion (or several, or none), one load.

    Parameters
    ----------
    bone : Femur, Humerus, Tibia, Tube or SurfaceBone
    lesion : Lesion or list of Lesion
    load : str
        Name of a load case; ``femsim info loads`` lists them.
    body_mass : float or str
        kg.
    mesh, risk, solver : Mesh, Risk, Solver
    materials : mapping
        Changed constants of the material library: ``{"pmma": {"E": "2.0 GPa"}}``.
    uncertain : mapping
        Assumptions whose effect is to be bracketed, as dotted keys: ``{"pmma.E": ("1.8 GPa", "3 GPa")}``, a range for
        any number of a material, names for ``trabecular_bone.density_law``, ``risk.strength_law``, ``risk.bond``.

    Raises
    ------
    InputError
        If a key is unknown or a value is out of range.
    """

    name: str = Field("femsim", min_length=1, max_length=80, description="Title of the study.")
    body_mass: Mass = Field(75.0, ge=10.0, le=300.0, description="Body mass [kg].")
    load: LoadName = Field("walking", description="Load case; femsim info loads lists them.")
    bone: BoneSpec = Femur()
    lesion: tuple[Lesion, ...] = (Lesion(),)
    mesh: Mesh = Mesh()
    risk: Risk = Risk()
    solver: Solver = Solver()
    materials: Mapping[str, Mapping[str, float | str]] = Field(
        default_factory=dict, description="Changed constants of the material library."
    )
    uncertain: Mapping[str, tuple[float | str, ...]] = Field(
        default_factory=dict, description="Assumptions to vary, one at a time: lowest and highest value, or names."
    )

    @field_validator("lesion", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        return (value,) if isinstance(value, (Lesion, Mapping)) else value

    @field_validator("bone", mode="before")
    @classmethod
    def _kind_of_bone(cls, value: object) -> object:
        """[bone] without a kind is a femur, or a bone from files where it names one."""
        if isinstance(value, Mapping) and "kind" not in value:
            kind = "surface" if "periosteum" in value else "labels" if "image" in value else "femur"
            return {"kind": kind} | dict(value)
        return value

    @field_validator("materials")
    @classmethod
    def _usable(cls, value: Mapping[str, Mapping[str, float | str]]) -> Mapping[str, Mapping[str, float | str]]:
        located(lambda changes: [_changed(name, changes[name]) for name in changes])(value)
        return value

    @field_validator("uncertain", mode="before")
    @classmethod
    def _flat(cls, value: object) -> object:
        return located(assumed.flat)(value) if isinstance(value, Mapping) else value

    @model_validator(mode="after")
    def _variants_possible(self) -> Self:
        located(assumed.variants)(self)
        return self

    def variants(self) -> list[assumed.Variant]:
        """The case under every value of its uncertain assumptions, one changed at a time."""
        return assumed.variants(self)

    def material(self, name: str) -> MaterialData:
        """A material of the library with this case's changes."""
        changes = self.materials.get(name, {})
        found = _changed(name, changes)
        wanted = self.risk.trabecular_criterion if found.density_law else self.risk.cortex_criterion
        if found.kind != "bone" or found.criterion == "none" or wanted == "library" or "criterion" in changes:
            return found
        chosen = found.with_(criterion=wanted)
        check_strengths(chosen)
        return chosen

    def __str__(self) -> str:
        bone, size = self.bone, self.mesh
        kind = getattr(bone, "kind", type(bone).__name__)
        lines = [
            f"{type(self).__name__} {self.name}: {kind}, load {self.load}, {self.body_mass:g} kg",
            *(f"  lesion: {_differs(one)}" for one in self.lesion),
            f"  mesh: {size.near:g} mm near lesions and devices, {size.far:g} mm far away",
        ]  # fmt: skip
        if self.materials:
            lines.append(f"  changed materials: {', '.join(self.materials)}")
        strategies = getattr(self, "strategies", None)
        if strategies:
            lines.append(f"  strategies: {', '.join(strategies)}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return boxed(self)

    def key(self) -> str:
        """Content hash, equal in every process."""
        told = self.model_dump(mode="json")
        if not self.uncertain:  # nothing is asked that was not asked before there were assumptions
            del told["uncertain"]
        if self.mesh.region is None:
            del told["mesh"]["region"]
        text = json.dumps(told, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _differs(one: Schema) -> str:
    """What of a part of a case is not as by default."""
    return ", ".join(f"{key} {value}" for key, value in one.model_dump(exclude_defaults=True).items()) or "default"


def _default_strategies() -> dict[str, Any]:
    return dict(treatment.named(treatment.default_strategies()))


def _changed(name: str, changes: Mapping[str, float | str]) -> MaterialData:
    """A material of the library with changes, each a number in the library's unit or a text with a unit."""
    found = material.get(name)
    numbers = {**found.elastic, **found.strength, **found.other}
    return found.with_(
        **{
            key: measured(value, numbers[key].unit, key=f"{name}.{key}")
            if isinstance(value, str) and key in numbers
            else value
            for key, value in changes.items()
        }
    )


class Comparison(Case):
    """A case and the strategies to compare on it, by name; the default ones where none is given."""

    strategies: Mapping[str, AnyTreatment] = Field(default_factory=_default_strategies, min_length=1)

    @field_validator("strategies", mode="before")
    @classmethod
    def _kind_is_name(cls, value: object) -> object:
        """[strategies.cement] needs no kind, as its name says it."""
        if not isinstance(value, Mapping):
            return value
        for name in value:
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise ValueError(
                    f"{name!r} cannot name a strategy: use up to 60 letters, digits, spaces and . _ + - % ( ), "
                    "beginning with a letter or a digit"
                )
        return {
            name: {"kind": name} | dict(one) if isinstance(one, Mapping) and name in TREATMENTS else one
            for name, one in value.items()
        }

"""The materials femsim knows, as data with sources."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim.errors import InputError, MaterialError
from femsim.fem import elasticity
from femsim.sourced import Value, choose, read_library, read_value
from femsim.units import quantity

#: Constants that each symmetry needs.
CONSTANTS = {
    "isotropic": ("E", "nu"),
    "transversely_isotropic": ("E_axial", "E_transverse", "G_axial", "nu_axial", "nu_transverse"),
    "orthotropic": ("E1", "E2", "E3", "nu12", "nu13", "nu23", "G12", "G13", "G23"),
}
KINDS = ("bone", "cement", "polymer", "metal", "soft")
CRITERIA = ("principal_strain", "density_yield", "hoffman", "tsai_wu", "rankine", "von_mises", "none")

#: Units in which a user may also write a text such as "2 GPa", and their kind.
_TEXTS = {"MPa": "pressure", "g/cm^3": "density", "-": "fraction"}

_NOTHING: Mapping[str, Value] = MappingProxyType({})
_KEYS = {"title", "kind", "symmetry", "criterion", "density_law", "note", "elastic", "strength", "other"}


@dataclass(frozen=True, eq=False)
class MaterialData:
    """One material of the library.

    Attributes
    ----------
    name, title : str
        Key in the library; what it is.
    kind : {"bone", "cement", "polymer", "metal", "soft"}
        Family, by which results are grouped.
    symmetry : {"isotropic", "transversely_isotropic", "orthotropic"}
        Local axis 3 is the axis of symmetry, or the long axis of an orthotropic bone.
    criterion : {"principal_strain", "density_yield", "hoffman", "tsai_wu", "rankine", "von_mises", "none"}
        How its strength is judged by default.
    elastic : mapping of str to Value
        The constants named in `CONSTANTS`; MPa and dimensionless.
    strength : mapping of str to Value
        ``tension``, ``compression``, ``shear``, ``yield`` in MPa, ``strain_tension`` and ``strain_compression``
        dimensionless, and others; only what is known.
    other : mapping of str to Value
        Density, expansion, heat.
    density_law : str
        Name of the law by which the modulus follows the density; empty where it is constant.
    note : str
        What a user should know.
    """

    name: str
    title: str
    kind: str
    symmetry: str
    criterion: str
    elastic: Mapping[str, Value]
    strength: Mapping[str, Value] = field(default_factory=lambda: _NOTHING)
    other: Mapping[str, Value] = field(default_factory=lambda: _NOTHING)
    density_law: str = ""
    note: str = ""

    def __getitem__(self, name: str) -> float:
        """Any constant, strength or property by its name, in its unit."""
        every = {**self.elastic, **self.strength, **self.other}
        choose(name, every, f"{self.name}: property", "The library has no such number.", MaterialError)
        return every[name].value

    def stiffness(self) -> NDArray[np.float64]:
        """Stiffness (6, 6) in MPa, Voigt order xx yy zz yz xz xy, local axis 3 along the bone.

        Raises
        ------
        MaterialError
            If the constants are not those of a stable material.
        """
        c = {name: value.value for name, value in self.elastic.items()}
        if self.symmetry == "isotropic":
            return elasticity.isotropic(c["E"], c["nu"])
        if self.symmetry == "transversely_isotropic":
            return elasticity.transversely_isotropic(**c)
        return elasticity.orthotropic(
            (c["E1"], c["E2"], c["E3"]),
            (c["nu23"], c["nu13"], c["nu12"]),
            (c["G23"], c["G13"], c["G12"]),
        )

    @property
    def density_exponent(self) -> float | None:
        """Power of the density by which all its constants fall in a permeative lesion; None where that is not known."""
        found = self.other.get("density_exponent")
        return None if found is None else found.value

    @property
    def axial_modulus(self) -> float:
        """Young's modulus along the long axis, MPa."""
        names = {"isotropic": "E", "transversely_isotropic": "E_axial", "orthotropic": "E3"}
        return self.elastic[names[self.symmetry]].value

    @property
    def axial_shear_modulus(self) -> float:
        """Shear modulus in planes that hold the long axis, MPa; what torsion of a shaft feels."""
        if self.symmetry == "isotropic":
            return self["E"] / (2.0 * (1.0 + self["nu"]))
        return self["G_axial"] if self.symmetry == "transversely_isotropic" else (self["G13"] + self["G23"]) / 2.0

    @property
    def verified(self) -> bool:
        """Whether every elastic constant was read in a source."""
        return all(value.verified for value in self.elastic.values())

    def with_(self, **overrides: float | str) -> MaterialData:
        """A copy with other numbers, e.g. ``pmma.with_(E=2000, tension=35)``; checked for stability.

        Parameters
        ----------
        **overrides
            Any constant, strength or property of this material, a number in its unit or a text such as ``"2 GPa"``;
            also ``density_law`` and ``criterion``.

        Raises
        ------
        MaterialError
            If a name is not one of this material's, a number is not finite or positive, or the material is unstable.
        InputError
            If a text is not a quantity of the right kind.
        """
        groups = {key: dict(getattr(self, key)) for key in ("elastic", "strength", "other")}
        words = {"density_law": self.density_law, "criterion": self.criterion}
        known = [*words, *(name for group in groups.values() for name in group)]
        for name, value in overrides.items():
            choose(name, known, f"{self.name}: property", "It would be ignored.", MaterialError)
            if name in words:
                words[name] = _word(self.name, name, value)
            else:
                group = next(one for one in groups.values() if name in one)
                group[name] = _overridden(group[name], value, f"{self.name}.{name}")
        changed = replace(
            self,
            elastic=MappingProxyType(groups["elastic"]),
            strength=MappingProxyType(groups["strength"]),
            other=MappingProxyType(groups["other"]),
            density_law=words["density_law"],
            criterion=words["criterion"],
        )
        changed.stiffness()
        return changed

    def __repr__(self) -> str:
        numbers = ", ".join(f"{name} = {v.value:g} {v.unit}".removesuffix(" -") for name, v in self.elastic.items())
        law = f", modulus by {self.density_law}" if self.density_law else ""
        return f"{self.name} ({self.symmetry.replace('_', ' ')}): {numbers}{law}"


def _word(material: str, name: str, value: float | str) -> str:
    from femsim.material.density import density_laws

    known = CRITERIA if name == "criterion" else ("", *density_laws())
    return choose(str(value), known, f"{material}.{name}", "It has no meaning.", MaterialError)


def _overridden(old: Value, value: float | str, where: str) -> Value:
    signed = old.unit in ("-", "1/K")
    if isinstance(value, str) and old.unit in _TEXTS:
        value = quantity(value, _TEXTS[old.unit], where)
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not good or (float(value) <= 0 and not signed):
        raise MaterialError(
            f"{where} = {value!r} {old.unit} is not usable.",
            "A material constant is a finite number, and a modulus or strength is above zero.",
            f"Give a number in {old.unit}; the library has {old.value:g}.",
        )
    return replace(old, value=float(value), condition="set by the user", source=("user",), trust="M?")


@cache
def materials() -> Mapping[str, MaterialData]:
    """Every material by name, in the order of the library file."""
    return MappingProxyType(
        {name: _read(name, data) for name, data in read_library("femsim.material", "library.toml").items()}
    )


def get(name: str) -> MaterialData:
    """One material of the library.

    Raises
    ------
    InputError
        If there is none of that name; says which is nearest.

    Examples
    --------
    >>> get("pmma").axial_modulus
    2500.0
    """
    choose(name, materials(), "material", "Without it the elements have no stiffness.", InputError)
    return materials()[name]


def _read(name: str, data: Mapping[str, Any]) -> MaterialData:
    unknown = set(data) - _KEYS
    kind, symmetry, criterion = (str(data.get(key)) for key in ("kind", "symmetry", "criterion"))
    if unknown or kind not in KINDS or symmetry not in CONSTANTS or criterion not in CRITERIA:
        raise MaterialError(
            f"Material {name}: unknown keys {sorted(unknown)}, or kind {kind!r}, symmetry {symmetry!r}, criterion "
            f"{criterion!r} not known.",
            "The library cannot be read.",
            "Mend the library file.",
        )
    groups = {
        group: MappingProxyType({key: read_value(v, f"{name}.{key}") for key, v in data.get(group, {}).items()})
        for group in ("elastic", "strength", "other")
    }
    if set(groups["elastic"]) != set(CONSTANTS[symmetry]):
        raise MaterialError(
            f"Material {name} is {symmetry} but gives {sorted(groups['elastic'])}.",
            "Too few or too many constants.",
            f"Give {', '.join(CONSTANTS[symmetry])}.",
        )
    return MaterialData(
        name=name,
        title=str(data["title"]),
        kind=kind,
        symmetry=symmetry,
        criterion=criterion,
        density_law=str(data.get("density_law", "")),
        note=str(data.get("note", "")),
        **groups,
    )

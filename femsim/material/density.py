"""Modulus and strength of bone from its density, by the published laws.

The laws differ by up to an order of magnitude at the same density (Helgason 2008): treat the choice as an uncertainty.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from femsim.errors import FemsimWarning, InputError, MaterialError
from femsim.sourced import TRUST, Value, choose, read_library, read_value

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Piece:
    """``constant + factor * density ** exponent`` MPa up to a density `below` (g/cm3)."""

    factor: float
    exponent: float
    constant: float = 0.0
    below: float = np.inf


@dataclass(frozen=True)
class DensityLaw:
    """A law from density to modulus, and to strength where one was published.

    Attributes
    ----------
    name, title : str
        Key in the library; what was measured.
    density : {"apparent", "ash"}
        The density the law is written in.
    range : (float, float)
        Densities (of that kind, g/cm3) over which it was measured.
    modulus, strength : tuple of Piece
        MPa; `strength` is compressive and may be empty.
    source, trust, note
        As of a `Value`.
    numbers : mapping of str to Value
        The coefficients with their source, for the printed library.
    """

    name: str
    title: str
    density: str
    range: tuple[float, float]
    modulus: tuple[Piece, ...]
    strength: tuple[Piece, ...] = ()
    source: tuple[str, ...] = ()
    trust: str = "M?"
    note: str = ""
    numbers: Mapping[str, Value] = field(default_factory=dict)

    @property
    def verified(self) -> bool:
        """Whether the coefficients were read in a source."""
        return self.trust in ("V", "V2", "C")


def elastic_modulus(
    density: ArrayLike,
    law: str | DensityLaw = "morgan_2003_femoral_neck",
    *,
    kind: str = "apparent",
    floor: float = 0.0,
    warn: bool = True,
) -> Floats:
    """Young's modulus of bone from its density.

    Parameters
    ----------
    density : array_like of float
        g/cm3, any shape, >= 0.
    law : str or DensityLaw
        Which law.
    kind : {"apparent", "ash"}
        What `density` is; converted to what the law needs by the library's ratio of ash to apparent density.
    floor : float
        Smallest modulus returned, MPa: that of marrow, where density vanishes.
    warn : bool
        Warn when the law is used outside the densities it was measured on. Points at or below `floor` do not count.

    Returns
    -------
    float64 array of the shape of `density`
        MPa.

    Raises
    ------
    InputError
        If a density is negative or not finite, or the law or kind is not known.

    Notes
    -----
    Valid within `DensityLaw.range`; outside, the power law is extrapolated, with a `FemsimWarning` that says over
    how many points.

    Examples
    --------
    >>> float(elastic_modulus(0.5, "morgan_2003_femoral_neck").round(1))
    2438.7
    """
    chosen = density_law(law) if isinstance(law, str) else law
    rho = _checked(density, kind, chosen)
    modulus = _evaluate(chosen.modulus, rho)
    if warn:
        _warn_outside(chosen, rho, modulus > floor, "modulus")
    return np.maximum(modulus, floor)


def yield_strength(
    density: ArrayLike, law: str | DensityLaw = "keyak_2005", *, kind: str = "apparent", warn: bool = True
) -> Floats:
    """Compressive strength of bone from its density, MPa; parameters as for `elastic_modulus`.

    Raises
    ------
    MaterialError
        If the law has no strength.
    """
    chosen = density_law(law) if isinstance(law, str) else law
    if not chosen.strength:
        raise MaterialError(
            f"The density law {chosen.name} has no strength.",
            "Only its modulus was published.",
            "Use one of " + ", ".join(n for n, one in density_laws().items() if one.strength) + ".",
        )
    rho = _checked(density, kind, chosen)
    strength = _evaluate(chosen.strength, rho)
    if warn:
        _warn_outside(chosen, rho, rho > 0, "strength")
    return strength


def _checked(density: ArrayLike, kind: str, law: DensityLaw) -> Floats:
    choose(kind, ("apparent", "ash"), "kind of density", "The law cannot be applied.", InputError)
    rho = np.asarray(density, dtype=np.float64)
    bad = ~(np.isfinite(rho) & (rho >= 0.0))
    if bad.any():
        raise InputError(
            f"A bone density is {rho[bad].flat[0]!r} g/cm3 ({int(bad.sum())} of {rho.size} values).",
            "A density is finite and not negative.",
            "Check the density map and its calibration; clip negative values of fat to 0 yourself.",
        )
    ratio = ash_over_apparent().value
    factor = {("apparent", "ash"): ratio, ("ash", "apparent"): 1.0 / ratio}.get((kind, law.density), 1.0)
    return rho * factor


def _evaluate(pieces: tuple[Piece, ...], rho: Floats) -> Floats:
    which = np.searchsorted([piece.below for piece in pieces[:-1]], rho, side="right")
    factor, exponent, constant = (
        np.array([getattr(piece, name) for piece in pieces]) for name in ("factor", "exponent", "constant")
    )
    return np.asarray(constant[which] + factor[which] * rho ** exponent[which])


def _warn_outside(law: DensityLaw, rho: Floats, counts: NDArray[np.bool_], what: str) -> None:
    outside = counts & ((rho < law.range[0]) | (rho > law.range[1]))
    if outside.any():
        values = rho[outside]
        warnings.warn(
            f"The {what} law {law.name} was measured on {law.density} densities of {law.range[0]:g} to "
            f"{law.range[1]:g} g/cm3; {outside.mean():.0%} of the points lie outside "
            f"({values.min():.2g} to {values.max():.2g}) and are extrapolated.",
            FemsimWarning,
            stacklevel=3,
        )


@cache
def density_laws() -> Mapping[str, DensityLaw]:
    """Every density law by name."""
    data = read_library("femsim.material", "density_laws.toml")
    return MappingProxyType({name: _read(name, one) for name, one in data.items() if name != "conversion"})


@cache
def ash_over_apparent() -> Value:
    """Ratio of ash density to wet apparent density."""
    data = read_library("femsim.material", "density_laws.toml")["conversion"]["ash_over_apparent"]
    return read_value(data, "ash_over_apparent")


def density_law(name: str) -> DensityLaw:
    """One density law.

    Raises
    ------
    InputError
        If there is none of that name; says which is nearest.
    """
    choose(name, density_laws(), "density law", "The modulus of trabecular bone cannot be found.", InputError)
    return density_laws()[name]


def _read(name: str, data: Mapping[str, Any]) -> DensityLaw:
    keys = {"title", "density", "range", "source", "trust", "note", "modulus", "strength"}
    if set(data) - keys or data["density"] not in ("apparent", "ash") or data["trust"] not in TRUST:
        raise MaterialError(
            f"Density law {name}: a key, the kind of density or the trust tag is not known.",
            "The library cannot be read.",
            "Mend the library file.",
        )
    source = (data["source"],) if isinstance(data["source"], str) else tuple(data["source"])
    pieces = {what: tuple(Piece(**piece) for piece in data.get(what, ())) for what in ("modulus", "strength")}
    return DensityLaw(
        name=name,
        title=data["title"],
        density=data["density"],
        range=(float(data["range"][0]), float(data["range"][1])),
        modulus=pieces["modulus"],
        strength=pieces["strength"],
        source=source,
        trust=data["trust"],
        note=data.get("note", ""),
        numbers=MappingProxyType(_numbers(pieces, data, source)),
    )


def _numbers(
    pieces: Mapping[str, tuple[Piece, ...]], data: Mapping[str, Any], source: tuple[str, ...]
) -> dict[str, Value]:
    found = {}
    for what, several in pieces.items():
        for i, piece in enumerate(several):
            upto = f", below {piece.below:g}" if np.isfinite(piece.below) else ""
            where = f"{data['density']} density {data['range'][0]:g} to {data['range'][1]:g} g/cm3{upto}"
            part = f" {i + 1}" if len(several) > 1 else ""
            for name, unit in (("constant", "MPa"), ("factor", "MPa/(g/cm^3)^exponent"), ("exponent", "-")):
                if name != "constant" or piece.constant:
                    found[f"{what}{part} {name}"] = Value(
                        getattr(piece, name), unit, None, where, source, data["trust"]
                    )
    return found

"""The load cases femsim knows, as data with sources."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType
from typing import Any

from femsim.errors import InputError
from femsim.sourced import TRUST, Value, choose, read_library

#: Standard gravity, m/s2: a body of 75 kg weighs 735.5 N.
GRAVITY = 9.80665
UNITS = ("%BW", "N", "N m", "%BW m")
PATCHES = ("surface", "cap", "contact", "end")

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Position:
    """A place on the outer surface: percent of the length from the distal end, and a direction."""

    position: float
    direction: str | float


@dataclass(frozen=True)
class LoadItem:
    """A force or a moment on a patch of the surface.

    Attributes
    ----------
    name : str
        What acts.
    at : str or Position
        Landmark, ``"proximal_end"`` or ``"distal_end"``, or a place on the surface.
    vector : (3,) tuple
        Lateral, anterior, proximal, in `unit`.
    unit : {"%BW", "N"} or, for moments, {"N m", "%BW m"}
    patch : {"surface", "cap", "contact", "end"}
        How the loaded nodes are found.
    radius : float
        Of the patch, mm.
    extent : float
        Of an end patch, percent of the length.
    main : bool
        The load by which stiffness and failure load are expressed.
    """

    name: str
    at: str | Position
    vector: Triple
    unit: str
    patch: str
    radius: float = 0.0
    extent: float = 0.0
    main: bool = False

    @property
    def is_moment(self) -> bool:
        """Whether it is a moment."""
        return self.unit.endswith(" m")

    def magnitude(self, body_mass: float) -> float:
        """Length of the vector in N or N mm."""
        return self.factor(body_mass) * math.hypot(*self.vector)

    def factor(self, body_mass: float) -> float:
        """What one of its unit is in N or N mm."""
        newtons = 0.01 * body_mass * GRAVITY if self.unit.startswith("%BW") else 1.0
        return newtons * (1000.0 if self.is_moment else 1.0)


@dataclass(frozen=True)
class Held:
    """An end of the bone that does not move: ``extent`` percent of the length from ``end``."""

    end: str
    extent: float


@dataclass(frozen=True)
class Roller:
    """A patch that cannot move along one direction (lateral, anterior, proximal)."""

    name: str
    at: str | Position
    direction: Triple
    patch: str
    radius: float


@dataclass(frozen=True)
class Pin:
    """Nodes round a landmark, inside the bone too, that do not move in some directions.

    Attributes
    ----------
    at : str
        Landmark.
    direction : {"all", "lateral", "anterior", "proximal", "across"}
        What is held: everything, one anatomical direction, or both directions across the line to `towards`.
    radius : float
        mm; small against the bone, so that it can turn about the landmark.
    towards : str
        The other landmark of ``"across"``.
    """

    at: str
    direction: str
    radius: float
    towards: str = ""


@dataclass(frozen=True)
class Bench:
    """Three- or four-point bending.

    Attributes
    ----------
    supports : (2,) tuple of float
        Positions of the rollers, percent of the length.
    loads : tuple of float
        Positions of the one or two loads, between the rollers.
    force : float
        All loads together, N.
    towards : str or float
        Direction in which the loads press.
    radius : float
        Of every patch, mm.
    """

    supports: tuple[float, float]
    loads: tuple[float, ...]
    force: float
    towards: str | float
    radius: float


@dataclass(frozen=True)
class LoadCaseData:
    """One load case of the library.

    Attributes
    ----------
    name, title, note : str
        Key in the library; what it is; what a user should know.
    bones : tuple of str
        Kinds of bone it is meant for.
    items : tuple of LoadItem
        Forces and moments.
    held, rollers, pins : tuples
        Supports.
    bench : Bench or None
        In place of all of these, a bending bench.
    exclude : float
        Distance round patches and held nodes that is left out of the fracture risk, mm.
    source, trust
        As of a `femsim.sourced.Value`.
    numbers : mapping of str to Value
        The components of all forces with their source, for the printed library.
    """

    name: str
    title: str
    bones: tuple[str, ...]
    items: tuple[LoadItem, ...] = ()
    held: tuple[Held, ...] = ()
    rollers: tuple[Roller, ...] = ()
    pins: tuple[Pin, ...] = ()
    bench: Bench | None = None
    exclude: float = 8.0
    source: tuple[str, ...] = ()
    trust: str = "M?"
    note: str = ""
    numbers: Mapping[str, Value] = field(default_factory=dict)

    @property
    def verified(self) -> bool:
        """Whether its numbers were read in a source."""
        return self.trust in ("V", "V2", "C")

    @property
    def main(self) -> LoadItem:
        """The load by which stiffness and failure load are expressed."""
        return next(item for item in self.items if item.main)

    def reference(self, body_mass: float) -> tuple[float, str]:
        """Size of the main load and its unit: N, or N mm for a moment."""
        if self.bench is not None:
            return self.bench.force, "N"
        return self.main.magnitude(body_mass), "N mm" if self.main.is_moment else "N"

    def scaled(self, factor: float) -> LoadCaseData:
        """All forces and moments times a factor.

        Raises
        ------
        InputError
            If the factor is not positive and finite.
        """
        if not (math.isfinite(factor) and factor > 0.0):
            raise InputError(
                f"load scale = {factor!r} is not usable.", "Nothing would be loaded.", "Give a positive number."
            )
        items = tuple(
            replace(i, vector=(i.vector[0] * factor, i.vector[1] * factor, i.vector[2] * factor)) for i in self.items
        )
        bench = None if self.bench is None else replace(self.bench, force=self.bench.force * factor)
        return _numbered(replace(self, items=items, bench=bench))


@cache
def load_cases() -> Mapping[str, LoadCaseData]:
    """Every load case by name, in the order of the library file."""
    data = read_library("femsim.loads", "library.toml")
    return MappingProxyType({name: read_case(name, one) for name, one in data.items()})


def get(name: str) -> LoadCaseData:
    """One load case.

    Raises
    ------
    InputError
        If there is none of that name; says which is nearest.
    """
    choose(name, load_cases(), "load", "Without a load nothing can be compared.", InputError)
    return load_cases()[name]


def read_case(name: str, data: Mapping[str, Any]) -> LoadCaseData:
    """A load case from plain data, checked; the schema is that of ``library.toml``.

    Raises
    ------
    InputError
        If a key is unknown or missing, or a value is not allowed.
    """
    try:
        case = _build(name, data)
    except (TypeError, KeyError, ValueError, IndexError) as error:
        raise InputError(
            f"The load case {name!r} cannot be read: {error}.",
            "A key is unknown or missing, or a value has the wrong type.",
            "Compare it with one of the library: femsim info loads.",
        ) from error
    _check(case)
    return _numbered(case)


def _build(name: str, data: Mapping[str, Any]) -> LoadCaseData:
    plain = {
        key: value for key, value in data.items() if key not in ("force", "moment", "held", "roller", "pin", "bench")
    }
    items = [_item(one) for key in ("force", "moment") for one in data.get(key, ())]
    source = plain.pop("source")
    bench = dict(data["bench"]) if "bench" in data else None
    if bench is not None:
        bench |= {"supports": tuple(bench["supports"]), "loads": tuple(bench["loads"])}
    return LoadCaseData(
        name=name,
        bones=tuple(plain.pop("bones")),
        items=tuple(items),
        held=tuple(Held(**one) for one in data.get("held", ())),
        rollers=tuple(
            Roller(**{**one, "at": _place(one["at"]), "direction": _triple(one["direction"])})
            for one in data.get("roller", ())
        ),
        pins=tuple(Pin(**one) for one in data.get("pin", ())),
        bench=None if bench is None else Bench(**bench),
        source=(source,) if isinstance(source, str) else tuple(source),
        **plain,
    )


def _item(data: Mapping[str, Any]) -> LoadItem:
    return LoadItem(**{**data, "at": _place(data["at"]), "vector": _triple(data["vector"])})


def _triple(value: Any) -> Triple:
    x, y, z = (float(v) for v in value)
    return (x, y, z)


def _place(value: Any) -> str | Position:
    return value if isinstance(value, str) else Position(**value)


def _numbered(case: LoadCaseData) -> LoadCaseData:
    """The case with its numbers listed one by one."""
    found: dict[str, Value] = {}
    for item in case.items:
        place = item.at if isinstance(item.at, str) else f"{item.at.position:g} %, {item.at.direction}"
        for axis, number in zip(("lateral", "anterior", "proximal"), item.vector, strict=True):
            where = f"at {place.replace('_', ' ')}"
            found[f"{item.name}, {axis}"] = Value(number, item.unit, None, where, case.source, case.trust)
    for pin in case.pins:
        where = f"{pin.direction} held round the {pin.at.replace('_', ' ')}"
        found[f"pin, {pin.at.replace('_', ' ')}"] = Value(pin.radius, "mm", None, where, case.source, "M?")
    for held in case.held:
        where = f"{held.end} end held"
        found[f"held, {held.end}"] = Value(held.extent, "%", None, where, ("femsim_domain",), "M?")
    if case.bench is not None:
        where = "supports at {:g} and {:g} % of the length".format(*case.bench.supports)
        found["force"] = Value(case.bench.force, "N", None, where, case.source, case.trust)
    return replace(case, numbers=MappingProxyType(found))


def _check(case: LoadCaseData) -> None:
    wrong = [f"unit {i.unit!r}" for i in case.items if i.unit not in UNITS]
    patches = [i.patch for i in case.items] + [r.patch for r in case.rollers]
    wrong += [f"patch {patch!r}" for patch in patches if patch not in PATCHES]
    wrong += [f"vector of {i.name!r}" for i in case.items if not 0.0 < math.hypot(*i.vector) < math.inf]
    wrong += [f"end {h.end!r}" for h in case.held if h.end not in ("distal", "proximal") or not 0 < h.extent < 50]
    ways = ("all", "lateral", "anterior", "proximal", "across")
    wrong += [
        f"pin {p.at!r}"
        for p in case.pins
        if p.direction not in ways or not p.radius > 0 or (p.direction == "across") != bool(p.towards)
    ]
    if case.trust not in TRUST:
        wrong.append(f"trust {case.trust!r}")
    if case.bench is None and (sum(i.main for i in case.items) != 1 or not (case.held or case.pins)):
        wrong.append("exactly one main load and at least one held end or pin are needed")
    if case.bench is not None:
        low, high = case.bench.supports
        good = 0.0 < low < min(case.bench.loads) <= max(case.bench.loads) < high < 100.0
        if not good or len(case.bench.loads) > 2 or not case.bench.force > 0.0 or case.items:
            wrong.append("bench: loads must lie between the supports, both inside the bone")
    if wrong:
        raise InputError(
            f"The load case {case.name!r} is not usable: {'; '.join(wrong)}.",
            "It could not be applied to a bone.",
            "Compare it with one of the library: femsim info loads.",
        )

"""Everything that is drawn into the page, each with its words; a picture that fails leaves its reason."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from femsim.fields import FIELDS
from femsim.report import charts, curves, pictures, svg, tiles
from femsim.report.answer import label
from femsim.report.figures import Prepared, body_weight
from femsim.study import stored
from femsim.view import scale

logger = logging.getLogger("femsim")

#: Fields drawn after the factor of risk where the strategies hold them.
_MORE = ("maximum_principal_strain", "minimum_principal_strain", "maximum_principal_stress", "youngs_modulus")


@dataclass(frozen=True)
class Tile:
    """A drawing with its title and caption; `drawing` is an ``<svg>`` element."""

    title: str
    drawing: Any
    caption: str = ""


@dataclass(frozen=True)
class FieldRow:
    """One field of all strategies on one scale."""

    name: str
    title: str
    meaning: str
    gradient: str
    ticks: tuple[str, ...]
    close: tuple[Tile, ...]
    outside: tuple[Tile, ...]


@dataclass(frozen=True)
class Gallery:
    """What was drawn, and why something was not."""

    whole: Tile | None = None
    materials: tuple[Tile, ...] = ()
    legend: tuple[tuple[str, str], ...] = ()
    bars: tuple[Tile, ...] = ()
    fields: tuple[FieldRow, ...] = ()
    rigidity: tuple[Tile, ...] = ()
    curves: tuple[Tile, ...] = ()
    notes: tuple[str, ...] = ()


def draw(prepared: Prepared) -> Gallery:
    """Draw everything; nothing that fails here fails the study."""
    result = prepared.comparison
    notes: list[str] = []
    found = attempt(notes, "The bars", lambda: _bars(result), ())
    made = set_up(prepared, notes)
    if not made.legend:
        return replace(made, bars=found, notes=tuple(notes))
    scene, seen = prepared.scene, prepared.looks
    return replace(
        made,
        bars=found,
        fields=attempt(notes, "The fields", lambda: _fields(result, scene, seen), ()),
        rigidity=attempt(notes, "The rigidity", lambda: panels("rigidity", rigidity_panels(result)), ()),
        curves=attempt(notes, "The curves", lambda: panels("curve", curve_panels(result)), ()),
        notes=tuple(notes),
    )


def set_up(prepared: Prepared, notes: list[str]) -> Gallery:
    """The bone with loads and supports, and the same cut through every strategy; what fails is added to `notes`."""
    view = attempt(notes, "The bone", lambda: (prepared.scene, prepared.looks), None)
    if view is None:
        return Gallery()
    scene, seen = view
    codes = pictures.codes_of(seen)
    return Gallery(
        whole=attempt(notes, "The whole bone", lambda: _whole(prepared.comparison, scene, seen), None),
        materials=attempt(notes, "The cuts", lambda: _materials(scene, seen, codes), ()),
        legend=tuple((name.replace("_", " "), code) for name, code in codes.items()),
    )


def attempt(notes: list[str], name: str, make: Callable[[], Any], otherwise: Any) -> Any:
    """What `make` draws, or `otherwise` with the reason among the notes."""
    try:
        return make()
    except Exception as error:  # hours of solving must not be lost to a picture
        logger.debug("picture %s", name, exc_info=True)
        notes.append(f"{name} could not be drawn: {type(error).__name__}: {error}")
        return otherwise


def _svg(figure: Any, name: str, alt: str, *, tight: bool = True) -> Any:
    from markupsafe import Markup

    return Markup(svg.inline(figure, name, alt, tight=tight))


def _bars(result: Any) -> tuple[Tile, ...]:
    panels = charts.bars(result.frame, _labels(result), body_weight(result))
    # the failure load stands on the board at the top of the page
    panels = [one for one in panels if one.title != charts.LOAD_TITLE]
    return tuple(Tile(panel.title, _svg(charts.single(panel), f"bars{i}", panel.alt)) for i, panel in enumerate(panels))


def rigidity_panels(result: Any) -> list[charts.Panel]:
    """Panels of the rigidity along the bone; empty where it was not computed."""
    return curves.rigidity(getattr(result, "rigidity", {}), _labels(result))


def curve_panels(result: Any) -> list[charts.Panel]:
    """Panels of load against displacement; empty where no strategy was followed beyond the linear range."""
    found = {name: one.curve for name, one in result.results.items() if getattr(one, "curve", None) is not None}
    return curves.load_displacement(found, _labels(result))


def _labels(result: Any) -> dict[str, str]:
    return {name: one.label for name, one in result.results.items()}


def panels(name: str, given: list[charts.Panel]) -> tuple[Tile, ...]:
    return tuple(Tile(one.title, _svg(charts.single(one), f"{name}{i}", one.alt)) for i, one in enumerate(given))


def _whole(result: Any, scene: Any, seen: Any) -> Tile:
    names = ", ".join(str(arrow["name"]).replace("_", " ") for arrow in result.arrows) or "none"
    alt = f"The whole {result.bone.kind} as glass around lesion and devices. Loads: {names}. The held part is hatched."
    return Tile("Bone, loads and supports", _svg(tiles.whole(scene, seen), "whole", alt))


def _materials(scene: Any, seen: Any, codes: dict[str, str]) -> tuple[Tile, ...]:
    made = []
    for i, look in enumerate(seen):
        present = [look.materials[k].replace("_", " ") for k in np.unique(look.material[scene.opened.cell])]
        alt = f"Cut through the lesion, {look.label}. Materials: {', '.join(present)}."
        drawing = _svg(tiles.material(scene, look, codes), f"cut{i}", alt, tight=False)
        made.append(Tile(_capital(look.label), drawing))
    return tuple(made)


def _fields(result: Any, scene: Any, seen: Any) -> tuple[FieldRow, ...]:
    every = list(result.results.values())
    rows = []
    for name in ("risk", *_MORE):
        if all(name in one.fields for one in every):
            rows.append(_field(result, scene, seen, name, whole=name == "risk"))
    return tuple(rows)


def _field(result: Any, scene: Any, seen: Any, name: str, *, whole: bool) -> FieldRow:
    every = list(result.results.values())
    values = [scale.numbers(one.fields, name, result.mesh.cells) for one in every]
    scaled = scale.shared(name, values)
    places = [_place(scene, one, numbers) if whole else None for one, numbers in zip(every, values, strict=True)]
    camera = _weak_side(result, scene, values, places) if whole else None
    close, outside = [], []
    for i, (key, look, numbers) in enumerate(zip(result.results, seen, values, strict=True)):
        colours = scaled.paint(numbers)
        top = np.nanmax(numbers) if np.isfinite(numbers).any() else float("nan")
        alt = f"{look.label}, coloured by {scaled.label}. Largest value {top:.3g}."
        drawing = _svg(tiles.field(scene, look, colours), f"{name}{i}c", f"Cut through the lesion, {alt}", tight=False)
        close.append(Tile(label(result, key), drawing, look.caption if name == "risk" else ""))
        if camera is not None:
            figure = tiles.outside(scene, colours, camera, places[i])
            drawing = _svg(figure, f"{name}{i}o", f"The whole bone from outside, {alt}", tight=False)
            outside.append(Tile(label(result, key), drawing))
    meaning = FIELDS[name].meaning.removeprefix("factor of risk: ") if name in FIELDS else ""
    return FieldRow(name, scaled.label, meaning, scaled.gradient(), _ticks(scaled), tuple(close), tuple(outside))


def _place(scene: Any, one: Any, risk: Any) -> Any:
    """Where a strategy fails: as the result tells, else where the largest value lies, or None."""
    known = stored.place_of(one)
    if known is not None:
        return known
    return scene.centres[int(np.nanargmax(risk))] if np.isfinite(risk).any() else None


def _weak_side(result: Any, scene: Any, values: Any, places: Any) -> Any:
    """The camera that faces the place where the weakest strategy fails; None where nothing was judged."""
    highest = [float(np.nanmax(numbers, initial=-np.inf)) for numbers in values]
    place = places[int(np.argmax(highest))]
    return None if place is None else tiles.facing(scene, place, result.bone.centreline)


def _ticks(scaled: scale.Scale) -> tuple[str, ...]:
    """Three numbers below the colour bar: its ends and its middle."""
    values = (scaled.low, (scaled.low + scaled.high) / 2, scaled.high)
    texts = [f"{value:.3g}" for value in values]
    return (texts[0], texts[1], f"{texts[2]} and more")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

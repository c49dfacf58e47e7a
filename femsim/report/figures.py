"""The figures of a comparison as files: PNG to look at, PDF with text that stays text for a paper."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from femsim.report import charts, curves, pictures
from femsim.report.pictures import Look
from femsim.report.style import DOTS_PER_INCH
from femsim.view.scene import Arrow, Scene, scene

logger = logging.getLogger("femsim")

#: Standard gravity, m/s2: body weight in N from body mass in kg.
GRAVITY = 9.80665


@dataclass(frozen=True)
class Picture:
    """One figure on disk: its name, its files, what it shows, and its content in words for those who cannot see it."""

    name: str
    files: tuple[Path, ...]
    caption: str
    alt: str


@dataclass(frozen=True)
class Figures:
    """What was drawn, and why something was not."""

    pictures: tuple[Picture, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Prepared:
    """What all drawings of a comparison share; made when first asked for, then kept."""

    comparison: Any

    @cached_property
    def scene(self) -> Scene:
        """Mesh, cut and cameras."""
        return scene_of(self.comparison)

    @cached_property
    def looks(self) -> list[Look]:
        """Every strategy as the pictures need it."""
        return looks(self.comparison)


def write(prepared: Prepared, folder: Path, formats: tuple[str, ...] = ("png", "pdf")) -> Figures:
    """Draw every figure of a comparison into `folder`.

    A figure that cannot be drawn never fails a study that has been computed: its reason is returned as a note.

    Parameters
    ----------
    prepared : Prepared
        Of a `femsim.study.ComparisonResult`.
    folder : Path
        Made if missing.
    formats : tuple of str
        File name endings that matplotlib knows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made: list[Picture] = []
    notes: list[str] = []
    for name, draw in _plan(prepared):
        try:
            figure, caption, alt = draw()
            files = tuple(folder / f"{name}.{ending}" for ending in formats)
            for file in files:
                figure.savefig(file, dpi=DOTS_PER_INCH, bbox_inches="tight", pad_inches=0.15)
            made.append(Picture(name, files, caption, alt))
        except Exception as error:  # hours of solving must not be lost to a picture
            logger.debug("figure %s", name, exc_info=True)
            notes.append(f"The figure {name} could not be drawn: {type(error).__name__}: {error}")
    return Figures(tuple(made), tuple(notes))


def _plan(prepared: Prepared) -> list[tuple[str, Callable[[], tuple[Any, str, str]]]]:
    """Name of every figure and what draws it; nothing is computed before it is called."""
    comparison = prepared.comparison

    def setup() -> tuple[Any, str, str]:
        return pictures.setup(prepared.scene, prepared.looks), *_setup_words(comparison)

    def risk() -> tuple[Any, str, str]:
        return pictures.risk(prepared.scene, prepared.looks), *_risk_words(comparison)

    def chart() -> tuple[Any, str, str]:
        labels = {name: result.label for name, result in comparison.results.items()}
        figure = charts.comparison(comparison.frame, labels, body_weight(comparison))
        return figure, *_chart_words(comparison)

    def along() -> tuple[Any, str, str]:
        panels = curves.rigidity(comparison.rigidity, {name: one.label for name, one in comparison.results.items()})
        return charts.together(panels), *_rigidity_words(panels)

    plan = [("setup", setup), ("risk", risk), ("comparison", chart)]
    return [*plan, ("rigidity", along)] if getattr(comparison, "rigidity", None) else plan


def scene_of(comparison: Any) -> Scene:
    """The scene of a comparison: its mesh, frame, loads and supports."""
    arrows = tuple(_arrow(one) for one in getattr(comparison, "arrows", ()))
    return scene(
        comparison.mesh,
        comparison.bone.frame,
        arrows=arrows,
        held=getattr(comparison, "held", ()),
        centreline=comparison.bone.centreline,
    )


def _arrow(given: Any) -> Arrow:
    """A force; or a moment, where there is no force with it."""
    force, moment = (np.asarray(given.get(name, (0.0, 0.0, 0.0)), float) for name in ("force", "moment"))
    turns = bool(np.linalg.norm(force) == 0.0 and np.linalg.norm(moment) > 0.0)
    label = f"{str(given['name']).replace('_', ' ')}\n{size_of(given)}"
    return Arrow(np.asarray(given["point"], float), moment if turns else force, label, turns)


def size_of(given: Any) -> str:
    """Size of what is drawn as an arrow, with its unit: of the force, of the moment, or of both."""
    force, moment = (float(np.linalg.norm(given.get(name, (0.0, 0.0, 0.0)))) for name in ("force", "moment"))
    parts = [f"{force:,.0f} N".replace(",", " ")] if force > 0.0 or moment == 0.0 else []
    return " and ".join([*parts, f"{moment / 1000.0:.3g} N m"] if moment > 0.0 else parts)


def looks(comparison: Any) -> list[Look]:
    """Every strategy as the pictures need it."""
    return [
        Look(
            label=result.label,
            materials=tuple(result.materials),
            material=np.asarray(result.material),
            risk=_assessed(result),
            caption=_caption(result),
        )
        for result in comparison.results.values()
    ]


def _assessed(result: Any) -> Any:
    """Factor of risk with the excluded cells taken out."""
    risk = result.fields.get("risk")
    if risk is None:
        return None
    excluded = result.fields.get("excluded")
    return np.asarray(risk, float) if excluded is None else np.where(np.asarray(excluded) > 0, np.nan, risk)


def _caption(result: Any) -> str:
    load = result.metrics.get("failure_load")
    if not isinstance(load, (int, float)) or not np.isfinite(load):
        return ""
    told = f"failure load {load:,.0f} N".replace(",", " ")
    error = result.metrics.get("failure_load_error")
    known = isinstance(error, (int, float)) and np.isfinite(error)
    return f"{told} ± {error:.1f} %" if known else f"{told}, no error bar"


def body_weight(comparison: Any) -> float | None:
    """Body weight in N from the table itself, so that both axes agree with it."""
    frame = comparison.frame
    if "failure_load" not in frame or "failure_load_bw" not in frame:
        return None
    ratio = np.asarray(frame["failure_load"], float) / np.asarray(frame["failure_load_bw"], float)
    ratio = ratio[np.isfinite(ratio)]
    return float(ratio[0]) if len(ratio) and np.ptp(ratio) < 1e-6 * ratio[0] else None


def _names(comparison: Any) -> str:
    return ", ".join(result.label for result in comparison.results.values())


def _setup_words(comparison: Any) -> tuple[str, str]:
    caption = (
        "Left: the bone as glass around lesion and devices, with the forces (arrows end in their point of action and "
        "are as long as the force is large; two heads: a moment) and the part that is held. Right: the same cut "
        "through every strategy, coloured by material. All strategies share one mesh; only the material differs."
    )
    return caption, f"The whole bone with its loads, and a cut through the lesion for each of: {_names(comparison)}."


def _risk_words(comparison: Any) -> tuple[str, str]:
    caption = (
        "Factor of risk of every strategy: same camera, same cut, one scale. Blue is below the strength, orange and "
        "red are above it; grey was not assessed (supports and load patches)."
    )
    numbers = {r.label: r.metrics.get("maximum_risk") for r in comparison.results.values()}
    worst = [f"{label} {value:.2f}" for label, value in numbers.items() if isinstance(value, (int, float))]
    tail = f" Largest values: {', '.join(worst)}." if worst else ""
    return caption, f"The bone cut open, coloured by factor of risk, for each of: {_names(comparison)}.{tail}"


def _chart_words(comparison: Any) -> tuple[str, str]:
    caption = "Stiffness and linear failure load of every strategy. Error bars, where drawn, are discretisation errors."
    return caption, f"Bar charts of stiffness and failure load for: {_names(comparison)}. The table gives the numbers."


def _rigidity_words(panels: Sequence[charts.Panel]) -> tuple[str, str]:
    caption = (
        "Rigidity of the cross-sections along the bone; rings mark the weakest section, as a share of the intact one."
    )
    return caption, " ".join(panel.alt for panel in panels)

"""Curves of a comparison: rigidity along the bone, load against displacement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from femsim.report.charts import Panel
from femsim.report.style import LINE, SERIES

#: Name of the curve, title, unit, and what one unit is in N and mm.
_RIGIDITIES = (
    ("EA", "Axial rigidity EA", "MN", 1e6),
    ("EI_min", "Bending rigidity EI, weak axis", "N m\u00b2", 1e6),
    ("GJ_true", "Torsional rigidity GJ", "N m\u00b2", 1e6),
)
#: A section is called weakened where it has lost more than this of the intact one.
_LOSS = 0.005


def rigidity(curves: Mapping[str, Any], labels: Mapping[str, str]) -> list[Panel]:
    """One panel a rigidity: every strategy along the bone, the intact twin in grey, weakest sections marked."""
    return [_rigidity(curves, labels, *one) for one in _RIGIDITIES] if curves else []


def _rigidity(
    curves: Mapping[str, Any], labels: Mapping[str, str], name: str, title: str, unit: str, size: float
) -> Panel:
    intact = next(iter(curves))
    weakest = {key: curve.smallest(name) for key, curve in curves.items() if key != intact}

    def draw(axes: Any) -> None:
        said: list[tuple[float, float]] = []
        for index, (key, curve) in enumerate(curves.items()):
            values = np.asarray(getattr(curve, name), float) / size
            colour = LINE if key == intact else SERIES[(index - 1) % len(SERIES)]
            wide = _width(index, len(curves))
            axes.plot(curve.position, values, color=colour, lw=wide, label=labels.get(key, key), zorder=2)
            mark = weakest.get(key)
            if mark and mark[0] < 1 - _LOSS:
                at = np.interp(mark[1], curve.position, values)
                axes.plot(mark[1], at, "o", ms=5, mfc="none", mec=colour, mew=1.5, zorder=3)
                told = (100 * mark[0], mark[1])
                # two strategies with nearly the same section need one number
                if not any(abs(told[0] - share) < 3.0 and abs(told[1] - place) < 8.0 for share, place in said):
                    axes.annotate(f"{told[0]:.0f} %", (mark[1], at), (7, 0), textcoords="offset points", fontsize=8,
                                  va="center", zorder=4)  # fmt: skip
                said.append(told)
        usual = np.asarray(getattr(curves[intact], name), float) / size
        axes.set_ylim(top=min(1.08 * usual.max(), 2.2 * float(np.median(usual))))  # the flared ends leave the picture
        axes.set_ylim(bottom=0)
        axes.set_xlim(0, 100)
        axes.set_xlabel("position from the distal end [% of the length]")
        axes.set_ylabel(f"{name.split('_')[0]} [{unit}]")
        axes.legend(fontsize=7.5, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)

    words = "; ".join(
        f"{labels.get(key, key)} {100 * v:.0f} % at {x:.0f} % of the length" for key, (v, x, _) in weakest.items()
    )
    return Panel(
        title, draw, f"{title} along the bone. Weakest section relative to the intact bone: {words}.", 4.0, 3.3
    )


def load_displacement(curves: Mapping[str, Any], labels: Mapping[str, str]) -> list[Panel]:
    """Load against displacement of every strategy that was followed beyond the linear range.

    Parameters
    ----------
    curves : mapping of str to object
        A `risk.Curve` each, or the same as plain data; empty where none was followed.
    """
    if not curves:
        return []
    moment = bool(part(next(iter(curves.values())), "is_moment"))
    unit, motion_label = ("N m", "rotation [degrees]") if moment else ("N", "displacement [mm]")

    def draw(axes: Any) -> None:
        for index, (key, curve) in enumerate(curves.items()):
            load, motion = (np.asarray(part(curve, name), float) for name in ("load", "displacement"))
            colour = SERIES[index % len(SERIES)]
            axes.plot(motion, load, color=colour, lw=_width(index, len(curves)), label=labels.get(key, key))
            top = int(np.nanargmax(load))
            axes.plot(motion[top], load[top], "o", ms=4.5, mfc="none", mec=colour, mew=1.4)
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.set_xlabel(motion_label)
        axes.set_ylabel(f"{'moment' if moment else 'load'} [{unit}]")
        axes.legend(fontsize=8, loc="best")

    tops = "; ".join(
        f"{labels.get(key, key)} {np.nanmax(np.asarray(part(curve, 'load'), float)):.0f} {unit}"
        for key, curve in curves.items()
    )
    return [Panel("Load and displacement", draw, f"Load against displacement. Largest load: {tops}.", 5.6, 3.4)]


def _width(index: int, count: int) -> float:
    """Line width: each curve is thinner than those drawn before it, so that equal ones show beside it."""
    return 1.3 + 0.8 * min(count - 1 - index, 4)


def part(curve: Any, name: str) -> Any:
    """An entry of a curve, which is an object in memory and plain data when read from a folder."""
    return curve[name] if isinstance(curve, Mapping) else getattr(curve, name)

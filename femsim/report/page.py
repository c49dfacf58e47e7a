"""The report: one HTML file that explains a comparison to someone who was not there, offline."""

from __future__ import annotations

import base64
import json
import math
from importlib.resources import files
from typing import Any

import numpy as np

from femsim.case import toml_io
from femsim.fields import FIELDS
from femsim.report import figures as drawn
from femsim.report import model3d, pictures
from femsim.report.text import number, shown_columns, with_error
from femsim.view.palette import RISK_RANGE, RISK_STOPS


def html(result: Any, made: drawn.Figures, record: dict[str, Any]) -> str:
    """The report of a comparison as one self-contained page.

    Parameters
    ----------
    result : femsim.study.ComparisonResult
    made : Figures
        Pictures on disk; the PNG of each is put into the page.
    record : dict
        The content of ``provenance.json``.
    """
    from jinja2 import Environment
    from markupsafe import Markup

    static = files("femsim.report") / "static"
    read = {name: (static / name).read_text(encoding="utf-8") for name in ("report.html.j2", "report.css", "viewer.js")}
    model, note = _model(result)
    environment = Environment(autoescape=True, trim_blocks=True)
    return environment.from_string(read["report.html.j2"]).render(
        title=result.bone.name or result.bone.kind,
        css=Markup(read["report.css"]),
        script=Markup(read["viewer.js"]),
        record=record,
        record_text=json.dumps(
            {k: record[k] for k in ("versions", "machine", "inputs", "seconds")}, indent=2, default=str
        ),
        answer=answer(result),
        pictures=[_picture(one) for one in made.pictures],
        picture_notes=made.notes,
        # "<" never stands in the JSON as such, so that no text in a label can end the script element
        model=Markup(json.dumps(model).replace("<", "\\u003c")) if model else "",
        model_note=note,
        gradient=", ".join(f"{code} {100 * value / RISK_RANGE[1]:g}%" for value, code in RISK_STOPS),
        methods=methods(result),
        case_text=toml_io.write(result.case.model_dump(mode="json")),
        mesh_line=_mesh_line(result),
        **_table(result),
        **_checks(result),
    )


def answer(result: Any) -> list[str]:
    """What the comparison says, in sentences: which strategy holds, by how much, how sure."""
    frame = result.frame
    column = next((c for c in ("failure_load", "failure_moment") if c in frame and frame[c].notna().any()), None)
    if column is None:
        return ["No failure load was computed; see the table for the stiffness of every strategy."]
    intact = next(iter(result.results))
    others = frame[column].drop(intact).dropna().sort_values(ascending=False)
    if others.empty:
        return [f"Only {_label(result, intact)} was solved: {_value(frame, intact, column)}."]
    intact_load = frame[column][intact]
    bone = f"{_label(result, intact).lower()} bone"
    tied = _tied(frame, others, f"{column}_error")
    shares = [
        f"{_label(result, name)} {_value(frame, name, column)}, {100 * others[name] / intact_load:.0f} % of the {bone}"
        for name in others.index
    ]
    if len(tied) > 1:
        lines = [f"{' and '.join(_label(result, name) for name in tied)} hold best and cannot be told apart."]
    else:
        lines = [f"{_label(result, others.index[0])} holds best."]
    lines.append(f"{FIELDS[column].meaning.capitalize().split(':')[0]}: {'; '.join(shares)}.")
    lines.append(_certainty(frame, f"{column}_error", len(others)))
    return lines


def _tied(frame: Any, others: Any, error: str) -> list[str]:
    """The first strategy and those whose difference to it is within the discretisation error."""
    width = float(frame[error].abs().max()) if error in frame and frame[error].notna().any() else 0.0
    return [name for name in others.index if 100 * (others.iloc[0] - others[name]) <= width * others.iloc[0]]


def _certainty(frame: Any, error: str, count: int) -> str:
    """How far the failure loads move with the mesh, in a sentence."""
    if error not in frame or not frame[error].notna().any():
        text = "No error bar: run with --convergence to learn how far the numbers move with the mesh."
        return text + (" Small differences between strategies mean nothing without it." if count > 1 else "")
    width = float(frame[error].abs().max())
    return (
        f"Halving the element size moved the failure loads by at most {width:.1f} %; smaller differences are not told "
        "apart. The spread of material values and of patients is larger and not part of this number."
    )


def _label(result: Any, name: str) -> str:
    text = str(result.results[name].label)
    return text[:1].upper() + text[1:]


def _value(frame: Any, name: str, column: str) -> str:
    text = f"{number(float(frame[column][name]))} {FIELDS[column].unit}"
    bw = frame["failure_load_bw"][name] if "failure_load_bw" in frame else math.nan
    return f"{text} ({float(bw):.1f} body weights)" if column == "failure_load" and np.isfinite(bw) else text


def methods(result: Any) -> list[str]:
    """The methods paragraph of what was run."""
    mesh = result.mesh
    lines = [
        f"Bone: {result.bone.name or result.bone.kind}, {result.bone.side} side, {result.bone.length:.0f} mm long. "
        f"One conforming mesh of {len(mesh.cells)} {mesh.kind} elements ({3 * len(mesh.points)} unknowns) carries all "
        "strategies; they differ in the material of the elements only, so no difference in the table comes from the "
        "mesh.",
        "Small-strain linear elasticity; the cortex is transversely isotropic along the bone, the modulus of "
        "trabecular bone follows its density at the quadrature points. All interfaces are bonded. Demand is "
        "averaged over a physical length before it is compared with the strength, so that a single element decides "
        "nothing.",
    ]
    return [*lines, *mesh.notes, *result.bone.notes]


def _table(result: Any) -> dict[str, Any]:
    frame = result.frame
    names = shown_columns(frame)
    extra = [n for n in frame.columns if n not in names and n in FIELDS and n not in _CHECKS and frame[n].notna().any()]
    every = [*names, *(n for n in extra if not n.endswith("_error") and n not in ("load", "unknowns"))]
    intact = next(iter(result.results))
    best = frame["failure_load"].drop(intact).idxmax() if _has_best(frame, intact) else None
    columns = [
        {"title": n.replace("_", " "), "unit": FIELDS[n].unit.replace("-", ""), "meaning": FIELDS[n].meaning}
        for n in every
    ]
    rows = [
        {"label": result.results[s].label, "best": s == best, "cells": [with_error(row, n) for n in every]}
        for s, row in frame.iterrows()
    ]
    note = (
        "± is the change when the element size is halved to the reported mesh."
        if result.convergence
        else "No error bar: the discretisation error was not asked for (--convergence)."
    )
    return {"columns": columns, "rows": rows, "error_note": note}


def _has_best(frame: Any, intact: str) -> bool:
    return "failure_load" in frame and bool(frame["failure_load"].drop(intact).notna().any())


_CHECKS = ("force_residual", "moment_residual", "energy_residual", "solver_residual")


def _checks(result: Any) -> dict[str, Any]:
    frame = result.frame
    names = [name for name in _CHECKS if name in frame]
    rows = [(result.results[s].label, [f"{float(row[n]):.1e}" for n in names]) for s, row in frame.iterrows()]
    return {"check_columns": [name.replace("_", " ") for name in names], "check_rows": rows}


def _mesh_line(result: Any) -> str:
    seconds = sum(result.seconds.values())
    mesh = result.mesh
    return f"{len(mesh.cells)} {mesh.kind} elements, {3 * len(mesh.points)} unknowns, {seconds:.0f} s."


def _picture(one: drawn.Picture) -> dict[str, str]:
    png = next(file for file in one.files if file.suffix == ".png")
    return {"data": base64.b64encode(png.read_bytes()).decode("ascii"), "alt": one.alt, "caption": one.caption}


def _model(result: Any) -> tuple[dict[str, Any] | None, str]:
    """The packed model, or None and the reason."""
    looks = drawn.looks(result)
    shifts = [case.fields.get("displacement") for case in result.results.values()]
    packed = model3d.pack(drawn.scene_of(result), looks, pictures.codes_of(looks), shifts)
    if packed is None:
        return None, (
            f"The mesh has {len(result.mesh.cells)} elements; the 3-D view is left out above "
            f"{model3d.LARGEST}, so that this file stays small. Open cases/*/solution.vtu in ParaView."
        )
    return packed, ""

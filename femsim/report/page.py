"""The report: one HTML file that explains a comparison to someone who was not there, offline."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from femsim.case import toml_io
from femsim.report import answer, bars, gallery, methods, model3d, tables
from femsim.report.answer import label
from femsim.report.figures import Prepared

_NARROW = "\u202f"
_FIXED = "\u00a0"


@dataclass(frozen=True)
class Section:
    """An entry of the contents: anchor, title."""

    anchor: str
    title: str


def html(prepared: Prepared, record: dict[str, Any], notes: tuple[str, ...] = (), *, pictures: bool = True) -> str:
    """The report of a comparison as one self-contained page.

    Parameters
    ----------
    prepared : Prepared
        Of a `femsim.study.ComparisonResult` or a `femsim.study.stored.Stored`.
    record : dict
        The content of ``provenance.json``.
    notes : tuple of str
        Why pictures are missing.
    pictures : bool
        Whether to draw; without them the page has no 3-D view either.
    """
    from markupsafe import Markup

    result = prepared.comparison
    drawn = gallery.draw(prepared) if pictures else gallery.Gallery(notes=notes)
    model, model_note = model3d.of(prepared) if pictures else (None, "Pictures were not asked for.")
    told = methods.facts(result)
    found = {
        "title": title(result),
        "record": record,
        "record_text": json.dumps(
            {k: record[k] for k in ("versions", "machine", "inputs") if k in record}, indent=2, default=str
        ),
        "answer": answer.answer(result),
        "gallery": drawn,
        "model": model3d.json_of(model),
        "model_note": model_note,
        "table": tables.comparison(result),
        "error_note": bars.note(result),
        "mesh_lines": tables.mesh_lines(result),
        "mesh_notes": (*result.mesh.notes, *result.bone.notes),
        "checks": tables.checks(result),
        "sound": tables.SOUND,
        "solved": _solved(result),
        "clinical": tables.clinical(result),
        "convergence": bars.convergence(result),
        "places": bars.places(result),
        "assumptions": bars.assumptions(result),
        "timings": tables.timings(result),
        "methods": methods.paragraphs(told),
        "references": methods.references(told),
        "doubtful": methods.doubtful(told),
        "case_text": toml_io.write(result.case.model_dump(mode="json")),
        "claims": claims(),
        "css": Markup(static("report.css")),
        "script": Markup(static("viewer.js")),
    }
    return rendered("report.html.j2", found | {"sections": _sections(found)})


def rendered(template: str, found: dict[str, Any]) -> str:
    """A template filled in; it may take parts from others in the same folder."""
    from jinja2 import Environment, FunctionLoader

    environment = Environment(loader=FunctionLoader(static), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["fix"] = fix
    return environment.get_template(template).render(found)


def _sections(found: dict[str, Any]) -> list[Section]:
    """The contents of the page, in order; what is not there is not listed."""
    drawn = found["gallery"]
    every = (
        ("answer", "Answer", True),
        ("setup", "Bone, lesion, devices", True),
        ("model", "3-D view", True),
        ("table", "Comparison", True),
        ("fields", "Fields side by side", bool(drawn.fields)),
        ("rigidity", "Rigidity along the bone", bool(drawn.rigidity)),
        ("curves", "Load and displacement", bool(drawn.curves)),
        ("clinical", "Clinical rules", bool(found["clinical"][1])),
        ("mesh", "Mesh quality", True),
        ("checks", "Were the equations solved?", True),
        ("convergence", "Convergence", True),
        ("assumptions", "Uncertain assumptions", True),
        ("methods", "Methods", True),
        ("references", "References", bool(found["references"])),
        ("warnings", "Warnings and errors", True),
        ("provenance", "Provenance", True),
        ("use", "Research use only", True),
    )
    return [Section(anchor, name) for anchor, name, there in every if there]


def title(result: Any) -> str:
    """What the report is about."""
    bone = result.bone.name or result.bone.kind
    name = str(result.case.model_dump(mode="json").get("name", "") or "")
    return f"{name}: {bone}" if name not in ("", "femsim", bone) else bone


def fix(text: Any) -> str:
    """Keep a number together with its thousands and its unit when lines wrap, and give it a minus sign.

    Examples
    --------
    >>> fix("1 235 N, 5 cases") == "1\u202f235\u00a0N, 5 cases"
    True
    """
    joined = re.sub(r"(?<=\d) (?=\d{3}(?!\d))", _NARROW, str(text))
    joined = re.sub(r"(?<![\w.])-(?=\d)", "\u2212", joined)
    return re.sub(r"(?<=\d) (?=(?:N|mm|mm3|mL|MPa|GPa|%|kg|s|±|BW|body|°)(?![A-Za-z]))", _FIXED, joined)


@cache
def claims() -> dict[str, list[dict[str, str]]]:
    """What is verified and what is not."""
    return tomllib.loads((files("femsim.report") / "claims.toml").read_text(encoding="utf-8"))


@cache
def static(name: str) -> str:
    return (files("femsim.report") / "static" / name).read_text(encoding="utf-8")


def _solved(result: Any) -> list[tuple[str, str]]:
    """How the equations of every strategy were solved, where that is known."""
    rows = []
    for name, one in result.results.items():
        log = methods.log_of(one)
        if log:
            how = f"{log['solver']}, {log['iterations']} iterations" if log["iterations"] else str(log["solver"])
            rows.append((label(result, name), f"{how}, about {float(log['memory_bytes']) / 2**30:.2f} GiB"))
    return rows

"""The methods paragraph and the references, generated from what was run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from femsim import loads, material, sourced
from femsim.fields import FIELDS
from femsim.report.figures import size_of
from femsim.report.text import number
from femsim.study import nonlinear, stored

_CRITERIA = {
    "principal_strain": "principal strain limits of bone",
    "rankine": "largest principal stress",
    "von_mises": "von Mises stress",
}
#: Sources of the laws of materials that yield and soften; those of their numbers stand with the materials.
BEYOND_YIELD = ("schwiedrzik2013", "lee1998", "bazant1983", "jirasek2012")


@dataclass(frozen=True)
class Facts:
    """What methods and references are written from, of a comparison or of a study.

    Attributes
    ----------
    bones, load, solved : str
        Sentences on bones and meshes, on loads, and on the solution of the equations.
    materials : tuple of str
        Names of those that occur.
    loads : tuple of str
        Names of the load cases.
    case : mapping
        The case, of a study the base case, as plain data.
    moment : bool
        Whether the main load of all cases is a moment.
    followed : bool
        Whether the strategies were followed beyond yield.
    not_judged : str
        Which elements no strength is judged in; empty where that differs from case to case.
    further : tuple of str
        Paragraphs that only this kind of run has.
    sources : tuple of str
        Keys of the sources of `further`.
    """

    bones: str
    load: str
    solved: str
    materials: tuple[str, ...]
    loads: tuple[str, ...]
    case: Mapping[str, Any] = field(default_factory=dict)
    moment: bool = False
    followed: bool = False
    not_judged: str = ""
    further: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


def facts(result: Any) -> Facts:
    """The facts of a comparison."""
    frame = result.frame
    return Facts(
        bones=_bone_and_mesh(result),
        load=_load(result),
        solved=_solved(result),
        materials=tuple(used_materials(result)),
        loads=(str(next(iter(frame["load"]), "")),) if "load" in frame else (),
        case=result.case.model_dump(mode="json"),
        moment=is_moment(frame),
        followed=was_followed(frame),
        not_judged=str(getattr(result, "not_judged", "")),
    )


def paragraphs(told: Facts) -> list[str]:
    """How the numbers came about, in full sentences for a paper."""
    solution = f"Small strains and small displacements. {told.solved}".strip()
    return [told.bones, _materials(told), told.load, solution, _failure(told), *_beyond_yield(told), *told.further]


def _bone_and_mesh(result: Any) -> str:
    mesh, bone = result.mesh, result.bone
    names = ", ".join(one.label for one in result.results.values())
    return (
        f"The {bone.side} {bone.kind} ({bone.name or bone.kind}, {bone.length:.0f} mm long) and everything in it was "
        f"meshed once, with {number(len(mesh.cells))} elements ({mesh.kind}; {number(3 * len(mesh.points))} "
        f"unknowns). The strategies {names} share this mesh and differ in the material of its "
        "elements only, so that no difference between them comes from the mesh."
    )


def _materials(told: Facts) -> str:
    parts = []
    for name in told.materials:
        data = material.materials().get(name)
        if data is None:
            parts.append(name.replace("_", " "))
            continue
        law = f", modulus by density after {data.density_law.replace('_', ' ')}" if data.density_law else ""
        numbers = ", ".join(f"{key} {one.value:g} {one.unit}".removesuffix(" -") for key, one in data.elastic.items())
        parts.append(f"{name.replace('_', ' ')} ({data.symmetry.replace('_', ' ')}{law or ': ' + numbers})")
    which = "elastic constants of the materials" if told.followed else "materials, all linearly elastic"
    text = f"{which[:1].upper()}{which[1:]}: {'; '.join(parts)}."
    changed = told.case.get("materials") or {}
    if changed:
        text += (
            " Changed by the user: "
            + "; ".join(
                f"{name} {', '.join(f'{key} = {value}' for key, value in values.items())}"
                for name, values in changed.items()
            )
            + "."
        )
    return text + " All interfaces are bonded, which is an upper bound for the stiffness and strength of a fixation."


def _load(result: Any) -> str:
    load = loads.load_cases().get(str(next(iter(result.frame["load"]), ""))) if "load" in result.frame else None
    if load is None:
        return "Loads: see the complete case."
    case = result.case.model_dump(mode="json")
    forces = [f"{str(one['name']).replace('_', ' ')} {size_of(one)}" for one in result.arrows]
    text = f"Load: {load.title}, at a body mass of {case.get('body_mass', 0):g} kg"
    return text + (f" ({'; '.join(forces)})." if forces else ".")


def _solved(result: Any) -> str:
    log = next((found for one in result.results.values() if (found := log_of(one))), None)
    if not log:
        return ""
    how = f"by {log['solver']} to a true relative residual of {float(log['residual']):.0e}"
    return f"The equations were solved {how}; equilibrium and energy balance were checked for every strategy."


def _failure(told: Facts) -> str:
    length = (told.case.get("risk") or {}).get("averaging_length")
    ball = f"over a ball of {length:g} mm diameter" if isinstance(length, (int, float)) else "over a physical length"
    rules = sorted({data.criterion for name in told.materials if (data := material.materials().get(name))} - {"none"})
    words = {
        "principal_strain": "principal strain limits",
        "rankine": "largest principal stress",
        "von_mises": "von Mises",
    }
    criteria = ", ".join(words.get(rule, rule.replace("_", " ")) for rule in rules)
    rule = told.not_judged.rstrip(".")
    left_out = rule[:1].lower() + rule[1:] if rule else "parts at supports and load patches were left out"
    kind = "moment" if told.moment else "load"
    meaning = FIELDS[f"failure_{kind}"].meaning.split(": ")[-1]
    return (
        f"Strain and stress were averaged {ball} before they were compared with the strength"
        f"{f' ({criteria})' if criteria else ''}; {left_out}. The failure "
        f"{kind} is linear: {meaning}."
    )


def is_moment(frame: Any, prefix: str = "") -> bool:
    """Whether all failures in a table are of moments; `prefix` stands before its columns' names."""
    there = [name for name in ("load", "moment") if f"{prefix}failure_{name}" in frame]
    return [name for name in there if frame[f"{prefix}failure_{name}"].notna().any()] == ["moment"]


def was_followed(frame: Any, prefix: str = "") -> bool:
    """Whether a table holds strategies that were followed beyond yield; `prefix` stands before its columns' names."""
    names = [f"{prefix}nonlinear_failure_{kind}" for kind in ("load", "moment")]
    return any(bool(frame[name].notna().any()) for name in names if name in frame)


def _beyond_yield(told: Facts) -> list[str]:
    """What the non-linear failure load is, where it was computed."""
    if not told.followed:
        return []
    asked = (told.case.get("risk") or {}).get("minimum_density")
    thin = f"bone of less than {asked:g} g/cm3" if isinstance(asked, (int, float)) else "bone of very low density"
    return [
        "Every strategy was then followed to failure under loads that grow in proportion: bone and cement yield and "
        "soften, and what they dissipate per area is their fracture energy, spread over the width of the element "
        f"(crack band, Bazant and Oh 1983). Elastic stayed {thin} and the elements at loads and supports. Forces were "
        f"balanced to {nonlinear.TOLERANCE:g} of the loads. The non-linear failure load is the first peak, confirmed "
        f"by a fall of {100 * nonlinear.DROP:g} %, or a plateau; where the table says that no peak was reached, it is "
        "a lower bound. Strains stay small in it too, and interfaces bonded."
    ]


def log_of(one: Any) -> Mapping[str, Any] | None:
    """How the equations of one strategy were solved, or None where that is not known."""
    known = getattr(one, "log", None)
    return known if known is not None else stored.log_of(one)


def used_materials(result: Any) -> list[str]:
    """Names of the materials that occur in at least one strategy, in order."""
    found: dict[str, None] = {}
    for one in result.results.values():
        present = np.unique(np.asarray(one.material))
        found |= {name: None for index, name in enumerate(one.materials) if index in present}
    return list(found)


def reference_keys(told: Facts) -> list[str]:
    """Keys of every source that a number of this run comes from."""
    keys: dict[str, None] = {}
    for name in told.materials:
        data = material.materials().get(name)
        if data is None:
            continue
        _add(keys, (one.source for group in (data.elastic, data.strength) for one in group.values()))
        if data.density_law:
            _add(keys, [_sources(material.density_laws()[data.density_law])])
    _add(keys, [_sources(load) for name in told.loads if (load := loads.load_cases().get(name)) is not None])
    _add(keys, [BEYOND_YIELD if told.followed else (), told.sources])
    known = sourced.references()
    return [key for key in keys if key in known and known[key].kind != "misc"]


def _sources(item: Any) -> Iterable[str]:
    given = getattr(item, "source", ())
    return (given,) if isinstance(given, str) else tuple(given)


def _add(keys: dict[str, None], groups: Iterable[Iterable[str]]) -> None:
    for group in groups:
        keys.update(dict.fromkeys(group))


def references(told: Facts) -> list[str]:
    """The references in one line each, in the order in which they are used."""
    return [sourced.references()[key].text for key in reference_keys(told)]


def doubtful(told: Facts) -> list[str]:
    """Numbers of the materials used that nobody has read in their source."""
    from femsim.report.info import values_in

    found = []
    for name in told.materials:
        data = material.materials().get(name)
        pairs = values_in({"elastic": data.elastic, "strength": data.strength}) if data is not None else ()
        bad = [path.split(".")[-1] for path, one in pairs if one.trust == "M?"]
        if bad:
            found.append(f"{name.replace('_', ' ')}: {', '.join(bad)}")
    return found


def citation(told: Facts, record: Mapping[str, Any]) -> str:
    """The content of ``CITATION.md``: what to write in a paper about this run."""
    versions = record["versions"]
    tools = ", ".join(f"{name} {versions[name]}" for name in ("python", "numpy", "scipy", "gmsh") if name in versions)
    lines = [
        "# How to report this run",
        "",
        "The text below was generated from what was run and may be copied (CC0). Check it against your own protocol.",
        "",
        "## Methods",
        "",
        *(f"{text}\n" for text in paragraphs(told)),
        f"Computed with femsim {versions.get('femsim', '')} ({record['revision']}; {tools}); case {record['case']}.",
        "",
    ]
    bad = doubtful(told)
    if bad:
        lines += ["Values of doubtful source, to be checked before publication: " + "; ".join(bad) + ".", ""]
    lines += ["## References", "", *(f"{i}. {text}" for i, text in enumerate(references(told), 1)), ""]
    return "\n".join(lines)

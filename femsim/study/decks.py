"""Input decks in and out: solve one, and write a strategy of a case as one."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim import fem
from femsim.case import Case
from femsim.errors import FemsimWarning, InputError
from femsim.fem import deck
from femsim.mesh import Mesh
from femsim.study.export import write_vtu
from femsim.study.problem import build, equations, painted, strategies_of
from femsim.study.progress import Progress

#: Formats that a model can be exported to.
FORMATS = ("inp",)


@dataclass(frozen=True, eq=False)
class Exported:
    """The model of one strategy: its name, equations, names of the base materials, compartments as element sets."""

    strategy: str
    model: fem.Model
    materials: tuple[str, ...]
    cell_sets: dict[str, NDArray[np.int64]]


def solve_deck(
    path: Path, out: Path | None = None, dat: Path | None = None, *, solver: str = "auto", tolerance: float = 1e-9
) -> dict[str, Any]:
    """Solve an Abaqus or CalculiX deck and write its results.

    Parameters
    ----------
    path : Path
        The ``.inp`` file.
    out : Path, optional
        ``.vtu`` to write; with several steps ``name.step-1.vtu`` and so on.
    dat : Path, optional
        File for the requested prints, in the layout of CalculiX.
    solver, tolerance
        As of `femsim.fem.solve`.

    Returns
    -------
    dict
        Sizes, and for every step the largest displacement and stress, energy, reactions and residuals; what was
        written, and warnings.

    Raises
    ------
    FemsimError
        With file and line of what is wrong or not supported.
    """
    for target, suffix in ((out, ".vtu"), (dat, ".dat")):
        if target is not None:
            _check_target(target, suffix)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FemsimWarning)
        given = deck.read_deck(path)
        results = deck.solve_deck(given, solver=solver, tolerance=tolerance)
    written = []
    if out is not None:
        for i, result in enumerate(results, 1):
            target = out if len(results) == 1 else out.with_suffix(f".step-{i}.vtu")
            write_vtu(target, _mesh(given), _fields(given, result))
            written.append(str(target))
    if dat is not None:
        deck.write_dat(dat, given, results)
        written.append(str(dat))
    return {
        "deck": str(path),
        "nodes": len(given.points),
        "elements": len(given.cells),
        "element": given.element,
        "steps": [_summary(result) for result in results],
        "written": written,
        "not_printed": list(given.skipped),
        "warnings": _told(caught),
    }


def _told(caught: list[warnings.WarningMessage]) -> list[str]:
    return list(dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, FemsimWarning)))


def _check_target(path: Path, suffix: str) -> None:
    if path.suffix != suffix or not path.parent.is_dir():
        raise InputError(
            f"{path} cannot be written: a file ending in {suffix} in a folder that exists is needed.",
            "The deck would be solved in vain.",
            f"Give a path such as out{suffix}.",
        )


def _mesh(given: deck.Deck) -> Mesh:
    kind = "hex20" if given.element == "hex20r" else given.element
    return Mesh(given.points, given.cells, kind, compartment=np.zeros(len(given.cells), np.int64))


def _fields(given: deck.Deck, result: deck.StepResult) -> dict[str, NDArray[np.generic]]:
    solution = result.solution
    weight = solution.volume / solution.volume.sum(axis=1, keepdims=True)
    stress = np.einsum("mq,mqi->mi", weight, solution.stress)
    strain = np.einsum("mq,mqi->mi", weight, solution.strain)
    principal = fem.principal(stress)[0]
    return {
        "displacement": result.motion,
        "nodal_force": result.forces,
        "material": given.material,
        "stress": stress,
        "strain": strain,
        "von_mises_stress": fem.von_mises(stress),
        "maximum_principal_stress": principal.max(axis=-1),
        "minimum_principal_stress": principal.min(axis=-1),
        "energy_density": np.einsum("mq,mq->m", weight, solution.energy_density),
    }


def _summary(result: deck.StepResult) -> dict[str, Any]:
    solution = result.solution
    size = np.linalg.norm(result.motion, axis=1)
    return {
        "time": result.time,
        "largest_displacement": float(size.max()),
        "at_node": int(size.argmax()),
        "largest_von_mises_stress": float(fem.von_mises(solution.stress).max()),
        "energy": solution.energy,
        "reaction": solution.reaction.sum(axis=0).tolist(),
        "solver": solution.log.solver,
        "unknowns": solution.log.unknowns,
        "iterations": solution.log.iterations,
        "solver_residual": solution.log.residual,
        "residual": solution.checks.residual,
        "energy_residual": solution.checks.energy_balance,
    }


def strategy_model(case: Case, strategy: str | None = None, progress: Progress | None = None) -> Exported:
    """The model of one strategy of a case, as the comparison would solve it.

    Parameters
    ----------
    case : Case
    strategy : str, optional
        Name of the strategy; the first that is not the intact twin by default.
    progress : Progress, optional

    Raises
    ------
    InputError
        If the case has no such strategy.
    FemsimError
        As `compare`.
    """
    chosen = strategies_of(case)
    name = strategy or next((one for one in chosen if one != next(iter(chosen))), next(iter(chosen)))
    if name not in chosen:
        raise InputError(
            f"The case has no strategy {name!r}.", "There is nothing to export.", f"Use one of {', '.join(chosen)}."
        )
    problem = build(case, chosen, progress or Progress(show=False))
    data, index = painted(problem, name)
    masks = np.unique(problem.mesh.compartment)
    sets = {f"compartment_{mask}": np.flatnonzero(problem.mesh.compartment == mask) for mask in masks}
    model = equations(problem, name, data, index)
    # Elements that hold a homogenised wall have materials of their own.
    mixtures = (f"mixture_{i + 1}" for i in range(len(model.material.base) - len(data)))
    return Exported(name, model, (*(one.name for one in data), *mixtures), sets)


def export_case(
    case: Case, path: Path, *, kind: str = "inp", strategy: str | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Write one strategy of a case as a complete CalculiX deck.

    Returns
    -------
    dict
        Strategy, sizes, the file, and what a reader of it should know.

    Raises
    ------
    InputError
        If the format or the strategy is unknown, or the model has no exact counterpart.
    """
    if kind not in FORMATS:
        raise InputError(f"The format {kind!r} is not known.", "Nothing can be written.", f"Use {', '.join(FORMATS)}.")
    _check_target(path, ".inp")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FemsimWarning)
        made = strategy_model(case, strategy, progress)
        title = f"femsim: {made.strategy}, load {next(iter(made.model.loads))}"
        notes = deck.write_inp(path, made.model, title=title, material_names=made.materials, cell_sets=made.cell_sets)
    return {
        "strategy": made.strategy,
        "nodes": len(made.model.points),
        "elements": len(made.model.cells),
        "materials": list(made.materials),
        "written": [str(path)],
        "notes": list(notes),
        "warnings": _told(caught),
    }

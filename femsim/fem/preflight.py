"""What can be found wrong before anything is factorised, named by set and node."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from femsim.errors import FemsimWarning, InputError, MeshError, SolveError
from femsim.fem import loads as kinds
from femsim.fem.constraints import Plan, plan, tied_by_equations
from femsim.fem.elasticity import poisson_equivalent
from femsim.fem.model import Model
from femsim.fem.parts import LooseMotion, loose_motion
from femsim.fem.workspace import Grid, make_grid

Floats = NDArray[np.float64]


def preflight(model: Model) -> None:
    """Find what would make the solve fail or its result meaningless. `solve` does this by itself.

    Raises
    ------
    MeshError
        If a cell is inverted.
    SolveError
        If a part can move freely, a load or support acts on nothing, or on nodes without stiffness.
    InputError
        If a load names nodes, faces or cells that are not in the mesh.
    """
    grid = make_grid(model, 1)
    examine(model, grid, plan(model.supports, model.points, model.cells, grid.element))


def examine(model: Model, grid: Grid, scheme: Plan, held: Plan | None = None) -> None:
    """`preflight` with what is known already; `held` are supports that leave the same mesh no loose motion."""
    _inverted(model, grid)
    _folded(model, grid)
    _locking(model)
    used = np.zeros(len(model.points), bool)
    used[model.cells] = True
    used |= tied_by_equations(model.supports, len(model.points)).any(axis=1)
    _supports(model, scheme, used)
    for name, case in model.loads.items():
        _case(model, name, case, used)
    if held is None or not scheme.holds_like(held):
        loose = loose_motion(scheme, model.points, model.cells, grid.part)
        if loose is not None:
            raise SolveError(*_loose_text(loose, scheme, model.points))
    spare = np.flatnonzero(~used)
    if len(spare):
        warnings.warn(
            f"{len(spare)} nodes are in no cell (first: node {spare[0]}); their displacement is reported as zero.",
            FemsimWarning,
            stacklevel=3,
        )


def _inverted(model: Model, grid: Grid) -> None:
    with np.errstate(invalid="ignore"):
        bad = np.flatnonzero(~(grid.volume > 0.0).all(axis=1))
    if len(bad):
        worst = bad[np.nan_to_num(grid.volume[bad].min(axis=1), nan=-np.inf).argmin()]
        where = model.points[model.cells[worst]].mean(axis=0)
        raise MeshError(
            f"{len(bad)} cells are inverted or flat; the worst is cell {worst} near "
            f"({where[0]:.3f}, {where[1]:.3f}, {where[2]:.3f}) mm, nodes {model.cells[worst].tolist()}.",
            "Their volume is not positive at a quadrature point, so their stiffness is not either.",
            "Repair the mesh. Where it is every cell, the nodes are in another order than VTK's (gmsh swaps the last "
            "two of a tet10).",
        )


def _folded(model: Model, grid: Grid) -> None:
    """Quadratic cells that are turned inside out at a node, though not at a quadrature point."""
    bad = grid.folded
    if len(bad):
        warnings.warn(
            f"{len(bad)} cells are folded at a node (first: cell {bad[0]}, nodes {model.cells[bad[0]].tolist()}): "
            "their stresses are doubtful. Move their mid-side nodes nearer to the middle of the edges.",
            FemsimWarning,
            stacklevel=4,
        )


def _locking(model: Model) -> None:
    material = model.material
    if material.projected is not None or model.element == "hex20r":
        return
    soft = np.flatnonzero(material.nearly_incompressible)
    soft = soft[np.isin(soft, material.index)]
    if len(soft):
        nu = poisson_equivalent(material.base[soft])
        warnings.warn(
            f"Material {soft[0]} has Poisson's ratio {nu[0]:.4g}: displacement elements are too stiff (they lock) near "
            "incompressibility. Set Material.projected to True (or per base material) to project the dilatation, or to "
            "False to keep the plain elements.",
            FemsimWarning,
            stacklevel=4,
        )


def _supports(model: Model, scheme: Plan, used: NDArray[np.bool_]) -> None:
    real = scheme.rows.node < len(used)
    loose = np.flatnonzero(real & ~used[np.where(real, scheme.rows.node, 0)])
    for source in np.unique(scheme.rows.source[loose]):
        mine = scheme.rows.source == source
        if not used[scheme.rows.node[mine & real]].any():
            raise SolveError(
                f"{scheme.names[source]} acts only on nodes that are in no cell (first: node "
                f"{scheme.rows.node[loose[0]]}).",
                "It holds nothing of the body.",
                "Check the node set it was made from.",
            )
    for coupling in scheme.couplings:
        _need_stiffness(coupling.nodes, used, f"RigidCoupling {coupling.name!r}")


def _need_stiffness(nodes: NDArray[np.int64], used: NDArray[np.bool_], what: str) -> None:
    bare = nodes[~used[nodes]]
    if len(bare):
        raise SolveError(
            f"{what} acts on node {bare[0]}, which is in no cell ({len(bare)} such nodes).",
            "A node without stiffness cannot carry a force.",
            "Take those nodes out of the set, or mesh what they belong to.",
        )


def _case(model: Model, name: str, case: Sequence[kinds.Load], used: NDArray[np.bool_]) -> None:
    for load in case:
        what = f"Load case {name!r}: {kinds.label(load)}"
        for attribute, count in (("nodes", len(model.points)), ("cells", len(model.cells))):
            given = getattr(load, attribute, None)
            if given is None:
                continue
            numbers = np.atleast_1d(np.asarray(given))
            if len(numbers) == 0:
                raise SolveError(
                    f"{what} acts on no {attribute}.",
                    "A load on nothing does nothing.",
                    "Check the set it is made from.",
                )
            wrong = numbers[(numbers < 0) | (numbers >= count)]
            if len(wrong):
                raise InputError(
                    f"{what} names {attribute[:-1]} {wrong[0]}, but there are {count}.",
                    "It must act on the mesh.",
                    "Check that numbers are counted from 0.",
                )
            if attribute == "nodes":
                _need_stiffness(numbers, used, what)
    if not case and not _moved(model):
        raise SolveError(
            f"Load case {name!r} has no load, and no support moves.",
            "Every result would be zero.",
            "Give it a load, or remove it.",
        )


def _moved(model: Model) -> bool:
    """Whether something else than loads deforms the body."""
    material = model.material
    if material.initial_strain is not None or material.temperature is not None:
        return True
    given = (getattr(s, key, 0.0) for s in model.supports for key in ("value", "displacement", "rotation"))
    return any(bool(np.nan_to_num(np.asarray(value, float)).any()) for value in given)


def _loose_text(loose: LooseMotion, scheme: Plan, points: Floats) -> tuple[str, str, str]:
    def vector(v: Floats) -> str:
        return "(" + ", ".join(f"{x:.2f}" for x in v + 0.0) + ")"

    motion = f"translation {vector(loose.translation)}"
    if np.abs(loose.rotation).max() > 1e-6:
        motion = f"translation {vector(loose.translation)} with rotation {vector(loose.rotation)}"
        if np.abs(loose.translation).max() < 1e-6:
            motion = f"rotation about {vector(loose.rotation)}"
    if loose.part < -len(scheme.couplings):
        return (
            f"Node {loose.node} is in no cell, and no equation holds it against {motion}.",
            "It can move freely, and its displacement is not determined.",
            "Prescribe it, or take it out of the equations.",
        )
    if loose.part < 0:
        name = scheme.couplings[-1 - loose.part].name
        return (
            f"The reference point of RigidCoupling {name!r} can move freely: {motion}.",
            "Its nodes lie in one point or on one line, which cannot resist that rotation.",
            "Couple nodes that span a surface, or prescribe that rotation.",
        )
    what = "The model" if loose.parts == 1 else f"Part {loose.part + 1} of {loose.parts}"
    place = ", ".join(f"{x:.4g}" for x in points[loose.node] + 0.0)
    return (
        f"{what} ({loose.nodes} nodes, among them node {loose.node} at ({place}) mm) can move freely: {motion}.",
        "A body that can move without deforming has no unique displacement; the equations are singular."
        + ("" if loose.parts == 1 else " Parts that meet in a node or an edge only are hinged there."),
        "Hold that motion by a support, or tie the part to its neighbours. "
        f"Supports: {', '.join(scheme.names) or 'none'}.",
    )

"""Any linear model of the solver as a complete CalculiX deck.

Written by exact equivalents, so that CalculiX gets the very same equations: loads as their consistent nodal forces;
couplings, ties and equations as *EQUATION, with two extra nodes (translation, rotation times lever arm) for every rigid
coupling; skew supports by *TRANSFORM; stress-free strain by *EXPANSION and a temperature. CalculiX has one modulus an
element: `per_cell` gives the model that is written, and comparing digit by digit means solving that one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from femsim.errors import InputError
from femsim.fem.constraints import Plan, plan, prescribed
from femsim.fem.deck.material_cards import SWAP
from femsim.fem.deck.mesh_cards import KINDS
from femsim.fem.elasticity import strain_rotation
from femsim.fem.elements import element
from femsim.fem.forces import nodal_forces
from femsim.fem.loads import CouplingForce, ImposedDisplacement, Load
from femsim.fem.material import Material
from femsim.fem.model import Model, quadrature_volumes
from femsim.fem.preflight import preflight
from femsim.fem.strainfree import stress_free_strain

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LABEL = {kind: label for label, kind in KINDS.items()}


def per_cell(model: Model) -> Model:
    """The model with the modulus of every cell as the mean, by volume, of its quadrature points."""
    scale = model.material.scale
    if scale is None or scale.ndim == 1 or scale.shape[1] == 1:
        return model
    volume = quadrature_volumes(model.points, model.cells, model.element)
    mean = (scale * volume).sum(axis=1) / volume.sum(axis=1)
    return replace(model, material=replace(model.material, scale=mean))


@dataclass(frozen=True, eq=False)
class _Case:
    """One load case in numbers: forces (count, 3), prescribed part (count, 3), factor of the stress-free strain."""

    name: str
    forces: Floats
    held: Floats
    heat: float


def write_inp(
    path: Path,
    model: Model,
    *,
    title: str = "femsim model",
    material_names: Sequence[str] = (),
    cell_sets: Mapping[str, Ints] | None = None,
    node_sets: Mapping[str, Ints] | None = None,
) -> tuple[str, ...]:
    """Write a model, with all of its load cases as steps.

    Parameters
    ----------
    path : Path
    model : Model
        Cells whose quadrature points differ are written with their mean modulus (`per_cell`).
    title : str
        First line of the heading.
    material_names : sequence of str
        Names of the base materials, for reading.
    cell_sets, node_sets : mapping of str to int
        More sets to write.

    Returns
    -------
    tuple of str
        What a reader of the deck should know; also in its heading.

    Raises
    ------
    InputError
        If something has no exact counterpart in CalculiX: a projected dilatation (B-bar), stress-free strains that vary
        within cells or differ in shape between load cases.
    SolveError, MeshError
        As `femsim.fem.preflight`.
    """
    if model.material.projection[np.unique(model.material.index)].any():
        raise InputError(
            "The model projects the dilatation of a nearly incompressible material (B-bar).",
            "CalculiX has no such element, and the plain one locks.",
            "Export with Material.projected=False, or keep to femsim.",
        )
    notes = _notes(model)
    model = per_cell(model)
    preflight(model)
    scheme = plan(model.supports, model.points, model.cells, element(model.element))
    cases, strain = _cases(model, scheme)
    axes = _skew_axes(scheme)
    with path.open("w", encoding="ascii", errors="replace") as file:
        file.writelines(_mesh(model, scheme, title, notes, cell_sets or {}, node_sets or {}))
        file.writelines(_materials(model, strain, material_names))
        file.writelines(_constraints(scheme, axes))
        for case in cases:
            file.writelines(_step(model, scheme, axes, case, strain is not None))
    return notes


def _notes(model: Model) -> tuple[str, ...]:
    scale = model.material.scale
    notes = ["units mm, N, MPa", "loads are the consistent nodal forces of femsim; bonded interfaces share nodes"]
    if scale is not None and scale.ndim == 2 and np.ptp(scale, axis=1).max() > 0.0:
        spread = float((np.ptp(scale, axis=1) / scale.mean(axis=1)).max())
        notes.append(
            f"moduli vary within elements in femsim (by up to {100 * spread:.3g} %); here each element has its mean"
        )
    return tuple(notes)


def _cases(model: Model, scheme: Plan) -> tuple[list[_Case], Floats | None]:
    """Load cases in numbers, and the one stress-free strain (m, 6) of which each case has a multiple."""
    shape = element(model.element)
    volume = quadrature_volumes(model.points, model.cells, model.element)
    strain: Floats | None = None
    out = []
    for name, case in model.loads.items():
        forces = np.zeros((scheme.count, 3))
        overrides: dict[str, ArrayLike] = {}
        for load in case:
            forces[: scheme.nodes] += nodal_forces(load, model.points, model.cells, shape, volume)
            if isinstance(load, CouplingForce):
                _reference_force(load, scheme, forces)
            elif isinstance(load, ImposedDisplacement):
                overrides[load.support] = load.value
        heat, strain = _heat(model, name, case, strain)
        out.append(_Case(name, forces, prescribed(scheme, overrides, model.supports), heat))
    return out, strain


def _reference_force(load: CouplingForce, scheme: Plan, forces: Floats) -> None:
    for coupling in scheme.couplings:
        if coupling.name == load.coupling:
            forces[coupling.node] += np.asarray(load.force, float)
            forces[coupling.node + 1] += np.asarray(load.moment, float) / coupling.radius


def _heat(model: Model, name: str, case: Sequence[Load], strain: Floats | None) -> tuple[float, Floats | None]:
    """Factor of this case on the common stress-free strain, which the first case that has one sets."""
    own = stress_free_strain(model, case)
    if own is None or not own.any():
        return 0.0, strain
    size = float(np.abs(own).max())
    mean = own.mean(axis=1)
    if np.abs(own - mean[:, None]).max() > 1e-12 * size:
        raise InputError(
            f"Load case {name!r} has a stress-free strain that varies within elements (a temperature field).",
            "CalculiX interpolates temperatures in its own way; the two would not agree.",
            "Give one temperature or one initial strain per element.",
        )
    if strain is None:
        return 1.0, mean
    factor = float((mean * strain).sum() / (strain * strain).sum())
    if np.abs(mean - factor * strain).max() > 1e-12 * size:
        raise InputError(
            f"Load case {name!r} has another pattern of stress-free strain than the cases before it.",
            "A deck has one expansion per material, scaled by one temperature in each step.",
            "Export the load cases one by one.",
        )
    return factor, strain


def _skew_axes(scheme: Plan) -> dict[int, Floats]:
    """Axes (rows) of nodes with skew supports; the held directions come first."""
    out = {}
    for node, projector in zip(scheme.skew.tolist(), scheme.projector, strict=True):
        _, vectors = np.linalg.eigh(projector)
        rows = vectors.T  # eigenvalue 0 (held) first
        out[node] = rows if np.linalg.det(rows) > 0.0 else rows * [[1.0], [1.0], [-1.0]]
    return out


def _mesh(
    model: Model, scheme: Plan, title: str, notes: Sequence[str], cell_sets: Mapping[str, Ints],
    node_sets: Mapping[str, Ints],
) -> Iterable[str]:  # fmt: skip
    yield f"*HEADING\n{title}\n"
    yield from (f"** {note}\n" for note in notes)
    yield "*NODE,NSET=NALL\n"
    yield from (f"{i},{_numbers(p)}\n" for i, p in enumerate(model.points, 1))
    for coupling in scheme.couplings:
        yield f"** coupling {coupling.name}: translation, and rotation times {coupling.radius:.13e}\n*NODE\n"
        yield f"{coupling.node + 1},{_numbers(coupling.point)}\n{coupling.node + 2},{_numbers(coupling.point)}\n"
    offsets = _offset_dofs(scheme)
    if len(offsets):
        yield "** nodes that carry the constants of equations\n*NODE\n"
        yield from (f"{scheme.count + 1 + k},0.,0.,0.\n" for k in range(len(offsets)))
    yield f"*ELEMENT,TYPE={_LABEL[model.element]},ELSET=EALL\n"
    for i, cell in enumerate(model.cells, 1):
        yield _wrapped([i, *(cell + 1).tolist()])
    for key, sets in (("NSET", node_sets), ("ELSET", cell_sets)):
        for name, members in sets.items():
            if len(members):
                yield f"*{key},{key}={_word(name)}\n" + _wrapped((np.asarray(members) + 1).tolist())


def _materials(model: Model, strain: Floats | None, names: Sequence[str]) -> Iterable[str]:
    """One material for every stiffness that occurs, with its element set and section."""
    material = model.material
    columns = [material.index[:, None].astype(float), np.broadcast_to(material.scale_table(), (len(model.cells), 1))]
    if material.axes is not None:
        columns.append(np.where(material.isotropic[material.index][:, None], 0.0, material.axes.reshape(-1, 9)))
    if strain is not None:
        columns.append(strain)
    _, first, group = np.unique(np.hstack(columns), axis=0, return_index=True, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    bounds = np.searchsorted(group.ravel()[order], np.arange(len(first) + 1))
    if strain is not None:
        yield "*INITIAL CONDITIONS,TYPE=TEMPERATURE\nNALL,0.\n"
    stiffness, isotropic = _stiffnesses(material, first), material.isotropic[material.index[first]]
    for g, cell in enumerate(first):
        base = int(material.index[cell])
        label = _word(names[base]) if base < len(names) else f"M{base}"
        yield f"*ELSET,ELSET=G{g + 1}\n" + _wrapped((order[bounds[g] : bounds[g + 1]] + 1).tolist())
        yield f"*MATERIAL,NAME={label}_{g + 1}\n" + _elastic(stiffness[g], bool(isotropic[g]))
        if strain is not None:
            tensor = (strain[cell] / [1, 1, 1, 2, 2, 2])[SWAP]
            yield f"*EXPANSION,TYPE=ANISO,ZERO=0.\n{_numbers(tensor)}\n"
        yield f"*SOLID SECTION,ELSET=G{g + 1},MATERIAL={label}_{g + 1}\n"


def _stiffnesses(material: Material, cells: Ints) -> Floats:
    """Stiffness (c, 6, 6) of cells in global axes, femsim's order of components."""
    scale = np.broadcast_to(material.scale_table(), (len(material.index), 1))[cells, 0]
    out = material.base[material.index[cells]] * scale[:, None, None]
    if material.axes is not None:
        turned = np.flatnonzero(~material.isotropic[material.index[cells]])
        turn = strain_rotation(material.axes[cells[turned]])
        out[turned] = np.swapaxes(turn, 1, 2) @ out[turned] @ turn
    return np.asarray(out)


def _elastic(stiffness: Floats, isotropic: bool) -> str:
    if isotropic:
        lam, mu = stiffness[0, 1], (stiffness[0, 0] - stiffness[0, 1]) / 2.0
        nu = lam / (2.0 * (lam + mu))
        return f"*ELASTIC\n{_numbers([2.0 * mu * (1.0 + nu), nu])}\n"
    columns, rows = np.tril_indices(6)
    values = stiffness[np.ix_(SWAP, SWAP)][rows, columns]
    return "*ELASTIC,TYPE=ANISO\n" + "".join(f"{_numbers(values[i : i + 8])}\n" for i in (0, 8, 16))


def _offset_dofs(scheme: Plan) -> Ints:
    """Dependent displacements that have a constant part."""
    return np.flatnonzero(scheme.offset.ravel())


def _slaves(scheme: Plan) -> Ints:
    """Dependent displacements of the mesh."""
    if scheme.transform is None:
        return np.zeros(0, np.int64)
    return np.flatnonzero(scheme.transform.diagonal() == 0.0)


def _constraints(scheme: Plan, axes: Mapping[int, Floats]) -> Iterable[str]:
    for node, own in axes.items():
        yield f"*NSET,NSET=SKEW{node + 1}\n{node + 1}\n*TRANSFORM,NSET=SKEW{node + 1},TYPE=R\n"
        yield f"{_numbers(np.concatenate([own[0], own[1]]))}\n"
    constant = {int(dof): scheme.count + k for k, dof in enumerate(_offset_dofs(scheme))}
    for dof in _slaves(scheme).tolist():
        row = scheme.transform[dof]  # type: ignore[index]
        terms = [(dof, 1.0), *zip(row.indices.tolist(), (-row.data).tolist(), strict=True)]
        if dof in constant:
            terms.append((3 * constant[dof], -1.0))
        merged = _in_node_axes(terms, axes)
        yield f"*EQUATION\n{len(merged)}\n"
        for i in range(0, len(merged), 4):
            part = (f"{d // 3 + 1},{d % 3 + 1},{_number(c)}" for d, c in merged[i : i + 4])
            yield ",".join(part) + "\n"


def _in_node_axes(terms: list[tuple[int, float]], axes: Mapping[int, Floats]) -> list[tuple[int, float]]:
    """Terms in the axes of transformed nodes; the first one, which CalculiX eliminates, stays first."""
    out: dict[int, float] = {}
    for dof, factor in terms:
        node, component = divmod(dof, 3)
        if node not in axes:
            out[dof] = out.get(dof, 0.0) + factor
            continue
        for i, part in enumerate(axes[node][:, component] * factor):
            out[3 * node + i] = out.get(3 * node + i, 0.0) + part
    return [(dof, factor) for dof, factor in out.items() if factor != 0.0]


def _step(model: Model, scheme: Plan, axes: Mapping[int, Floats], case: _Case, heated: bool) -> Iterable[str]:
    yield f"** load case {case.name}\n*STEP\n*STATIC\n"
    yield "*BOUNDARY,OP=NEW\n"
    held = ~scheme.free
    held[: scheme.nodes].ravel()[_slaves(scheme)] = False
    held[list(axes)] = False
    used = np.zeros(scheme.count, bool)
    used[model.cells] = used[scheme.rows.node] = True
    for node in np.flatnonzero(held.any(axis=1) & used).tolist():
        for component in np.flatnonzero(held[node]).tolist():
            yield f"{node + 1},{component + 1},{component + 1},{_number(case.held[node, component])}\n"
    for (node, own), projector in zip(axes.items(), scheme.projector, strict=True):
        for i in range(3 - round(float(np.trace(projector)))):
            yield f"{node + 1},{i + 1},{i + 1},{_number(float(own[i] @ case.held[node]))}\n"
    for k, dof in enumerate(_offset_dofs(scheme)):
        yield f"{scheme.count + 1 + k},1,1,{_number(float(scheme.offset.ravel()[dof]))}\n"
    yield "*CLOAD,OP=NEW\n"
    loaded = np.flatnonzero(case.forces.any(axis=1))
    for node in loaded.tolist():
        force = axes[node] @ case.forces[node] if node in axes else case.forces[node]
        for component in np.flatnonzero(force).tolist():
            yield f"{node + 1},{component + 1},{_number(force[component])}\n"
    if not len(loaded):
        yield f"{model.cells[0, 0] + 1},1,0.\n"
    if heated:
        yield f"*TEMPERATURE\nNALL,{_number(case.heat)}\n"
    yield "*NODE PRINT,NSET=NALL,GLOBAL=YES\nU,RF\n*EL PRINT,ELSET=EALL,GLOBAL=YES\nS\n"
    yield "*NODE FILE\nU,RF\n*EL FILE\nS,E\n*END STEP\n"


def _number(value: float) -> str:
    """At most 20 characters: CalculiX cuts longer fields off."""
    return f"{value:.13e}"


def _numbers(values: Iterable[float]) -> str:
    return ",".join(_number(float(v)) for v in values)


def _wrapped(values: Sequence[int]) -> str:
    """Fields, 12 to a line; a trailing comma means that more follow."""
    rows = [",".join(map(str, values[i : i + 12])) for i in range(0, len(values), 12)]
    return ",\n".join(rows) + "\n"


def _word(text: str) -> str:
    """A name that CalculiX accepts."""
    return "".join(c if c.isalnum() else "_" for c in text).upper()[:60]

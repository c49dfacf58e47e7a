"""Multi-point constraints as rows of a sparse transformation: couplings, ties and single equations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from femsim.errors import InputError, SolveError
from femsim.fem.elements import Element
from femsim.fem.supports import LinearConstraint, RigidCoupling, Tie, label
from femsim.fem.tie import nearest_on_faces

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: Substitutions before a chain of constraints is called a circle.
CHAIN = 20


@dataclass(frozen=True, eq=False)
class Coupling:
    """A rigid coupling with its two extra nodes: the translation at row `node`, rotation x `radius` at `node + 1`."""

    name: str
    node: int
    point: Floats
    radius: float
    nodes: Ints


@dataclass(eq=False)
class Rows:
    """Entries of the transformation, collected constraint by constraint."""

    slave: Bools
    by: dict[int, str] = field(default_factory=dict)
    rows: list[Ints] = field(default_factory=list)
    columns: list[Ints] = field(default_factory=list)
    values: list[Floats] = field(default_factory=list)

    def claim(self, dofs: Ints, fixed: Bools, name: str) -> None:
        """Make unknowns dependent; each may depend on one constraint only, and may not be prescribed as well."""
        taken = dofs[self.slave[dofs] | fixed[dofs]]
        if len(taken):
            other = self.by.get(int(taken[0]), "a Fixed support")
            raise SolveError(
                f"Component {taken[0] % 3} of node {taken[0] // 3} is held by {name} and by {other} "
                f"({len(taken)} components in all).",
                "A displacement that is given twice is given wrongly at least once.",
                "Take those nodes out of one of the two; prescribe the reference point of a coupling, not its nodes.",
            )
        self.slave[dofs] = True
        self.by.update(dict.fromkeys(dofs.tolist(), name))

    def add(self, rows: Ints, columns: Ints, values: Floats) -> None:
        """Entries ``T[rows, columns] = values``."""
        self.rows.append(rows.ravel())
        self.columns.append(columns.ravel())
        self.values.append(values.ravel())


def couplings_of(supports: Sequence[object], points: Floats) -> tuple[Coupling, ...]:
    """Extra nodes of the rigid couplings, numbered after the nodes of the mesh."""
    out: list[Coupling] = []
    for support in supports:
        if not isinstance(support, RigidCoupling):
            continue
        nodes = np.unique(np.asarray(support.nodes, np.int64))
        point = np.asarray(support.point, float)
        if len(nodes) == 0 or point.shape != (3,) or not np.isfinite(point).all():
            raise InputError(
                f"{label(support)} has {len(nodes)} nodes and the point {support.point!r}.",
                "A coupling joins nodes to one point in space.",
                "Give at least one node and a finite point (3,).",
            )
        if any(c.name == support.name for c in out):
            raise InputError(
                f"Two couplings are called {support.name!r}.", "Loads find a coupling by name.", "Rename one."
            )
        radius = float(np.linalg.norm(points[nodes] - point, axis=1).max()) or 1.0
        out.append(Coupling(support.name, len(points) + 2 * len(out), point, radius, nodes))
    return tuple(out)


def transformation(
    supports: Sequence[object],
    couplings: Sequence[Coupling],
    points: Floats,
    cells: Ints,
    element: Element,
    fixed: Bools,
) -> tuple[sparse.csr_matrix, Floats, Bools] | None:
    """Displacements as a linear function of the independent unknowns, ``u = T v + g``.

    Parameters
    ----------
    fixed : (3 N,) bool
        Prescribed unknowns, which cannot be made dependent.

    Returns
    -------
    None or (T (3 N, 3 N), g (3 N,), slave (3 N,))
        None where no constraint joins unknowns. Rows of independent unknowns are the identity.
    """
    size = 3 * (len(points) + 2 * len(couplings))
    rows = Rows(np.zeros(size, bool))
    for coupling in couplings:
        _coupling_rows(rows, coupling, points, fixed)
    for support in supports:
        if isinstance(support, Tie):
            _tie_rows(rows, support, points, cells, element, fixed)
    joined = _matrix(rows)
    equations = Equations(joined, {})
    for support in supports:
        if isinstance(support, LinearConstraint):
            _equation_row(rows, equations, support, fixed)
    if not rows.rows and not equations.known:
        return None
    offset = np.zeros(size)
    for row, (columns, values, constant) in equations.known.items():
        rows.add(np.full(len(columns), row), columns, values)
        offset[row] = constant
    return (*_substitute(_matrix(rows), offset, rows), rows.slave)


def _matrix(rows: Rows) -> sparse.csr_matrix:
    """The transformation so far: the identity for independent unknowns, collected rows for the others."""
    size = len(rows.slave)
    keep = np.flatnonzero(~rows.slave)
    entries = (
        np.concatenate([np.ones(len(keep)), *rows.values]),
        (np.concatenate([keep, *rows.rows]), np.concatenate([keep, *rows.columns])),
    )
    return sparse.csr_matrix(entries, shape=(size, size))


def _coupling_rows(rows: Rows, coupling: Coupling, points: Floats, fixed: Bools) -> None:
    """u_i = U + (theta x r_i), with theta times the radius as the unknown."""
    dofs = 3 * coupling.nodes[:, None] + np.arange(3)
    rows.claim(dofs.ravel(), fixed, f"RigidCoupling {coupling.name!r}")
    arm = (points[coupling.nodes] - coupling.point) / coupling.radius
    base = 3 * coupling.node
    rows.add(dofs, np.broadcast_to(base + np.arange(3), dofs.shape), np.ones(dofs.shape))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        # u_i = theta_j r_k - theta_k r_j
        rows.add(dofs[:, i], np.full(len(arm), base + 3 + j), arm[:, k])
        rows.add(dofs[:, i], np.full(len(arm), base + 3 + k), -arm[:, j])


def _tie_rows(rows: Rows, tie: Tie, points: Floats, cells: Ints, element: Element, fixed: Bools) -> None:
    pairs = np.atleast_2d(np.asarray(tie.faces, np.int64))
    slaves = np.unique(np.asarray(tie.nodes, np.int64))
    if pairs.size == 0 or len(slaves) == 0:
        raise SolveError(
            f"{label(tie)} has {len(slaves)} nodes and {pairs.size // 2} faces.",
            "Nothing would be tied and the parts would come apart.",
            "Give the nodes of one side and the faces of the other.",
        )
    nodes = cells[pairs[:, 0][:, None], element.faces[pairs[:, 1]]]
    slaves = slaves[~np.isin(slaves, nodes)]  # a node of the other side is joined already
    face, values, distance = nearest_on_faces(points[slaves], points, nodes, element)
    far = np.flatnonzero(distance > tie.tolerance)
    if len(far):
        worst = far[distance[far].argmax()]
        raise SolveError(
            f"{label(tie)}: {len(far)} of {len(slaves)} nodes are farther than {tie.tolerance:g} mm from the faces; "
            f"node {slaves[worst]} is {distance[worst]:.4g} mm away.",
            "They would stay loose, and the joint would be weaker than asked for.",
            "Raise the tolerance, or take those nodes out.",
        )
    for c in range(3):
        rows.claim(3 * slaves + c, fixed, label(tie))
        columns = 3 * nodes[face] + c
        rows.add(np.broadcast_to((3 * slaves + c)[:, None], columns.shape), columns, values)


@dataclass(frozen=True, eq=False)
class Equations:
    """What dependent unknowns are: rows of `joined` for couplings and ties, ``known`` for earlier equations."""

    joined: sparse.csr_matrix
    known: dict[int, tuple[Ints, Floats, float]]

    def expand(self, terms: dict[int, float], value: float, slave: Bools) -> tuple[dict[int, float], float]:
        """An equation in independent unknowns, as far as they are known by now."""
        for _ in range(CHAIN):
            dependent = [dof for dof in terms if slave[dof]]
            if not dependent:
                return terms, value
            new = {dof: c for dof, c in terms.items() if not slave[dof]}
            for dof in dependent:
                columns, values, constant = self._row(dof)
                value -= terms[dof] * constant
                for column, factor in zip(columns.tolist(), values.tolist(), strict=True):
                    new[column] = new.get(column, 0.0) + terms[dof] * factor
            terms = new
        return terms, value

    def _row(self, dof: int) -> tuple[Ints, Floats, float]:
        if dof in self.known:
            return self.known[dof]
        part = slice(self.joined.indptr[dof], self.joined.indptr[dof + 1])
        return self.joined.indices[part], self.joined.data[part], 0.0


def _equation_row(rows: Rows, equations: Equations, equation: LinearConstraint, fixed: Bools) -> None:
    dofs = 3 * np.asarray(equation.nodes, np.int64) + np.asarray(equation.components, np.int64)
    given = np.asarray(equation.coefficients, float)
    if dofs.shape != given.shape or dofs.ndim != 1 or len(dofs) == 0 or not np.isfinite([*given, equation.value]).all():
        raise InputError(
            f"{label(equation)} has {dofs.size} terms and {given.size} coefficients, or one that is not finite.",
            "Every term of an equation is a coefficient times one displacement.",
            "Give nodes, components and coefficients of one length.",
        )
    terms: dict[int, float] = {}
    for dof, coefficient in zip(dofs.tolist(), given.tolist(), strict=True):
        terms[dof] = terms.get(dof, 0.0) + coefficient
    terms, value = equations.expand(terms, float(equation.value), rows.slave)
    largest = float(np.abs(given).max())
    terms = {dof: c for dof, c in terms.items() if abs(c) > 1e-12 * largest}
    loose = [dof for dof in terms if not fixed[dof]]
    if not terms and abs(value) <= 1e-12 * largest:
        return  # it follows from the others
    if not loose:
        raise SolveError(
            f"{label(equation)} (first term: node {dofs[0] // 3}, component {dofs[0] % 3}) acts on displacements that "
            "are all prescribed, or that other constraints have fixed already.",
            "There is nothing left that could satisfy it.",
            "Remove the equation, or free one of its terms.",
        )
    slave = max(loose, key=lambda dof: abs(terms[dof]))
    rows.claim(np.array([slave]), fixed, label(equation))
    factor = terms.pop(slave)
    columns, values = np.array(list(terms), np.int64), -np.array(list(terms.values()), float) / factor
    equations.known[slave] = (columns, values, value / factor)


def _substitute(matrix: sparse.csr_matrix, offset: Floats, rows: Rows) -> tuple[sparse.csr_matrix, Floats]:
    """Replace dependent unknowns on the right of a constraint by what they depend on."""
    slaves = np.flatnonzero(rows.slave)
    total, shift = matrix, offset
    for _ in range(CHAIN):
        left = total[:, slaves]
        if left.nnz == 0 or abs(left).max() == 0.0:
            total.eliminate_zeros()
            return total, shift
        shift = shift + total @ offset
        total = total @ matrix
    node = int(slaves[0]) // 3
    raise SolveError(
        f"The constraints depend on each other in a circle (one of them: {rows.by[int(slaves[0])]}, node {node}).",
        "None of these displacements can then be worked out from the others.",
        "Make each node dependent in one constraint, and let chains end in free nodes.",
    )

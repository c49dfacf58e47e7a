"""Compiled loops over cells for inelastic materials. Threads share the work as in `femsim.fem.kernels`."""

from __future__ import annotations

from typing import Any

import numpy as np

from femsim.fem.element_kernels import (
    add_products,
    add_to_rows,
    bond,
    gradients,
    jit,
    projected,
    stiffness6,
    stress_of_columns,
)
from femsim.fem.nonlinear.point_kernels import quadric_point, tension_share
from femsim.fem.nonlinear.von_mises_kernels import von_mises_point


@jit
def respond(
    strain: Any, base: Any, index: Any, scale: Any, axes: Any, turn: Any, kind: Any, numbers: Any, basis: Any,
    dual: Any, spread: Any, lean: Any, inelastic: Any, size: Any, ratio: Any, clip: float, plastic0: Any, kappa0: Any,
    share: Any, chosen: Any, stress: Any, plastic: Any, kappa: Any, tangent: Any,
) -> None:  # fmt: skip
    """Stress, state and tangent ``(m, q, ...)`` of a strain in the chosen cells, from the state at the step's start."""
    q_count = strain.shape[1]
    t, half, d = np.eye(6), np.empty((6, 6)), np.empty((6, 6))
    flow = np.empty(6)
    many_s, many_q = scale.shape[0] > 1, scale.shape[1] > 1
    many_r, many_rq = ratio.shape[0] > 1, ratio.shape[1] > 1
    for e in chosen:
        p = index[e]
        stiffness6(base, p, axes, e, turn[p], t, half, d)  # leaves the rotation in t
        for q in range(q_count):
            factor = scale[e if many_s else 0, q if many_q else 0]
            plastic[e, q] = plastic0[e, q]
            kappa[e, q] = kappa0[e, q]
            if kind[p] == 1 and inelastic[e]:
                shear = factor * base[p, 3, 3]
                bulk = factor * base[p, 0, 0] - 4.0 / 3.0 * shear
                kappa[e, q] += von_mises_point(
                    strain[e, q], plastic0[e, q], kappa0[e, q], bulk, shear, numbers[p], clip,
                    stress[e, q], flow, tangent[e, q],
                )  # fmt: skip
                plastic[e, q] += flow
            elif kind[p] == 2 and inelastic[e]:
                kappa[e, q] = _quadric_cell_point(
                    strain[e, q], kappa0[e, q], share[e, q], size[e], ratio[e if many_r else 0, q if many_rq else 0],
                    basis[p], dual[p], spread[p], lean[p], numbers[p], clip, turn[p], t, half, d, factor, stress[e, q],
                    plastic[e, q], tangent[e, q],
                )  # fmt: skip
            else:
                _elastic_point(d, factor, strain[e, q], plastic0[e, q], stress[e, q], tangent[e, q])


@jit
def _quadric_cell_point(
    strain: Any, kappa: float, share: float, size: float, ratio: float, basis: Any, dual: Any, spread: Any, lean: Any,
    numbers: Any, clip: float, turn: bool, t: Any, half: Any, d: Any, factor: float, stress: Any, plastic: Any,
    tangent: Any,
) -> float:  # fmt: skip
    """`quadric_point` in global axes and with the elastic scale; `plastic` is updated in place."""
    local, s, flow, dt = np.zeros(6), np.empty(6), np.empty(6), np.empty((6, 6))
    for i in range(6):
        if turn:
            for j in range(6):
                local[i] += t[i, j] * (strain[j] - plastic[j])
        else:
            local[i] = strain[i] - plastic[i]
    after, gain = quadric_point(local, kappa, share, size, ratio, basis, dual, spread, lean, numbers, clip, s, flow, dt)
    if gain == 0.0:
        _elastic_point(d, factor, strain, plastic, stress, tangent)
    elif turn:
        _turn_back(t, factor, s, flow, dt, half, stress, plastic, tangent)
    else:
        for i in range(6):
            stress[i] = factor * s[i]
            plastic[i] += flow[i]
            for j in range(6):
                tangent[i, j] = factor * dt[i, j]
    return after


@jit
def _elastic_point(d: Any, factor: float, strain: Any, plastic: Any, stress: Any, tangent: Any) -> None:
    for i in range(6):
        total = 0.0
        for j in range(6):
            tangent[i, j] = factor * d[i, j]
            total += tangent[i, j] * (strain[j] - plastic[j])
        stress[i] = total


@jit
def _turn_back(
    t: Any, factor: float, s: Any, flow: Any, dt: Any, half: Any, stress: Any, plastic: Any, tangent: Any
) -> None:
    """From local into global axes: stress T^T s, stiffness T^T D T, strain T^-1 e (T of the transposed rotation)."""
    for i in range(6):
        stress[i] = 0.0
        for j in range(6):
            stress[i] += factor * t[j, i] * s[j]
            # T^-1 is T^T with the factors of two of the engineering shears on the other side
            weight = (1.0 if j < 3 else 0.5) * (1.0 if i < 3 else 2.0)
            plastic[i] += weight * t[j, i] * flow[j]
            x = 0.0
            for k in range(6):
                x += dt[i, k] * t[k, j]
            half[i, j] = x
    for i in range(6):
        for j in range(i, 6):
            x = 0.0
            for k in range(6):
                x += t[k, i] * half[k, j]
            tangent[i, j] = factor * x
            tangent[j, i] = factor * x


@jit
def tension_shares(stress: Any, chosen: Any, out: Any) -> None:
    """Share of tension ``out (m, q)``; -1 where there is no stress yet."""
    for e in chosen:
        for q in range(stress.shape[1]):
            s = stress[e, q]
            size = abs(s[0]) + abs(s[1]) + abs(s[2]) + abs(s[3]) + abs(s[4]) + abs(s[5])
            out[e, q] = tension_share(s) if size > 0.0 else -1.0


@jit
def gauges(
    stress: Any, index: Any, scale: Any, axes: Any, turn: Any, kind: Any, numbers: Any, quadratic: Any, linear: Any,
    inelastic: Any, ratio: Any, chosen: Any, out: Any,
) -> None:  # fmt: skip
    """Gauge of a stress relative to first yield, ``out (m, q)``; zero where the material stays elastic."""
    t, s = np.eye(6), np.empty(6)
    many_s, many_q = scale.shape[0] > 1, scale.shape[1] > 1
    many_r, many_rq = ratio.shape[0] > 1, ratio.shape[1] > 1
    for e in chosen:
        p = index[e]
        if turn[p]:
            bond(axes[e], t)
        for q in range(stress.shape[1]):
            out[e, q] = 0.0
            if not inelastic[e] or kind[p] == 0:
                continue
            v = stress[e, q]
            if kind[p] == 1:
                square = (v[0] - v[1]) ** 2 + (v[1] - v[2]) ** 2 + (v[2] - v[0]) ** 2
                square = 0.5 * square + 3.0 * (v[3] ** 2 + v[4] ** 2 + v[5] ** 2)
                out[e, q] = np.sqrt(square) / numbers[p, 0]
                continue
            factor = scale[e if many_s else 0, q if many_q else 0]
            for i in range(6):
                s[i] = v[i] / factor
                if turn[p]:  # local stress = T^-T global stress
                    s[i] = 0.0
                    for j in range(6):
                        weight = (1.0 if i < 3 else 0.5) * (1.0 if j < 3 else 2.0)
                        s[i] += weight * t[i, j] * v[j] / factor
            square, line = 0.0, 0.0
            for i in range(6):
                line += linear[p, i] * s[i]
                for j in range(6):
                    square += quadratic[p, i, j] * s[i] * s[j]
            allowed = numbers[p, 0] * ratio[e if many_r else 0, q if many_rq else 0]
            out[e, q] = (np.sqrt(square) + line) / allowed


@jit
def assemble(
    points: Any, cells: Any, dshape: Any, weights: Any, index: Any, tangent: Any, project: Any, poly: Any, chosen: Any,
    owner: Any, slab: int, scatter: Any, blocks: Any,
) -> None:  # fmt: skip
    """Add the tangent stiffness of the chosen cells into the rows of one slab of ``blocks (nnzb, 3, 3)``."""
    q_count, k, _ = dshape.shape
    jac, inv = np.empty((3, 3)), np.empty((3, 3))
    grad, vol = np.empty((q_count, 3, k)), np.empty(q_count)
    mean = np.empty((q_count, 3, k))
    db, ke = np.empty((6, 3 * k)), np.empty((3 * k, 3 * k))
    for e in chosen:
        gradients(points, cells[e], dshape, weights, jac, inv, grad, vol)
        bar = project[index[e]]
        if bar:
            projected(grad, vol, poly, mean)
        ke[:] = 0.0
        for q in range(q_count):
            stress_of_columns(grad, q, vol[q], tangent[e, q], bar, mean, db)
            add_products(grad, q, db, bar, mean, ke)
        add_to_rows(ke, cells[e], owner, slab, scatter[e], blocks)

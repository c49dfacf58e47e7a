"""Beam theory beside the finite elements: axial stress and strain energy from the sections and their forces.

Where a bone is slender and uniform the two agree to some percent, so that a wrong unit, a forgotten load or a bone
scaled by ten shows at once. At a hole, near a load and in the joint ends they differ, and there the beam is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from femsim import fem
from femsim.errors import InputError
from femsim.risk.rigidity import RigidityCurve
from femsim.risk.section import Rigidity
from femsim.risk.slices import moduli

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BeamCurve:
    """Beam theory and finite elements along a bone.

    Attributes
    ----------
    position : (k,) float64
        Places of the sections, percent of the length from the distal end.
    force, moment : (k, 3) float64
        What crosses the section: N, and N mm about its modulus-weighted centroid; first and second coordinate in the
        plane, and along the bone (tension and right-handed twist positive).
    beam_stress, fe_stress : (k,) float64
        Stress along the bone of largest size in the section, MPa: ``E (N / EA + M y / EI)``, and that of the
        elements cut by it, means over the element.
    beam_shear : (k,) float64
        Largest shear stress of the twist at the middles of these elements, MPa: ``G r T / GJ``.
    beam_energy, fe_energy : (k - 1,) float64
        Strain energy between neighbouring sections, N mm.
    compared : (k,) bool
        Sections where beam theory may be expected to hold.
    """

    position: Floats
    force: Floats
    moment: Floats
    beam_stress: Floats
    fe_stress: Floats
    beam_shear: Floats
    beam_energy: Floats
    fe_energy: Floats
    compared: NDArray[np.bool_]

    @property
    def stress_difference(self) -> Floats:
        """(k,) finite elements less beam, over the largest beam stress of the section.

        That is the shear stress where a bone is twisted: its stress along the bone, of bow and warping, is next to
        nothing, and a share of next to nothing says nothing.
        """
        size = np.maximum(np.abs(self.beam_stress), self.beam_shear)
        scale = np.maximum(size, 1e-3 * size.max(initial=0.0) + 1e-12)
        return np.asarray(np.sign(self.beam_stress) * (self.fe_stress - self.beam_stress) / scale)

    @property
    def worst_stress(self) -> tuple[float, float]:
        """Largest difference of the stress where the two are compared, as a fraction, and where in percent."""
        if not self.compared.any():
            return float("nan"), float("nan")
        rows = np.flatnonzero(self.compared)
        row = rows[int(np.abs(self.stress_difference[rows]).argmax())]
        return float(self.stress_difference[row]), float(self.position[row])

    @property
    def stiffness_difference(self) -> float:
        """Stiffness by finite elements over that of the beam, less one, of the compared part; nan where there is none.

        Under the same forces the stiffer of two bodies stores less energy.
        """
        between = self.compared[1:] & self.compared[:-1]
        beam, fe = self.beam_energy[between].sum(), self.fe_energy[between].sum()
        return float(beam / fe - 1.0) if between.any() and fe > 0.0 else float("nan")


def beam_curve(
    solution: fem.Solution,
    curve: RigidityCurve,
    force: Floats,
    moment: Floats,
    level: Floats,
    compared: NDArray[np.bool_],
) -> BeamCurve:
    """Stress and energy by beam theory at the sections of a curve, beside those of a solution.

    Parameters
    ----------
    solution : fem.Solution
    curve : RigidityCurve
        Of the same materials.
    force, moment : (k, 3) float64
        Global components of what the distal part feels at the section: N, and N mm about the section's origin.
    level : (m,) float64
        Position of every element along the bone, percent.
    compared : (k,) bool
        Where beam theory may be expected to hold.

    Raises
    ------
    InputError
        If the arrays do not belong together.

    Notes
    -----
    Plane sections, unsymmetric bending about the principal axes of the modulus-weighted section, Saint-Venant torsion
    free to warp; the energy of shear forces is left out, some percent in a bone ten diameters long.
    """
    k = len(curve.position)
    if force.shape != (k, 3) or moment.shape != (k, 3) or len(level) != len(solution.model.cells):
        raise InputError(
            f"{k} sections have forces {force.shape} and moments {moment.shape}.", "They do not belong together.",
            "Give one of each a section.",
        )  # fmt: skip
    inner = [_internal(one, curve.axes[i], force[i], moment[i]) for i, one in enumerate(curve.sections)]
    forces, moments = (np.array([one[j] for one in inner]) for j in range(2))
    corner = solution.model.cells[:, :4]
    stress = [_stresses(solution, curve, i, corner, forces[i], moments[i]) for i in range(k)]
    along = np.linalg.norm(np.diff(curve.origins, axis=0), axis=1)
    density = np.array([_energy(one, f, m) for one, f, m in zip(curve.sections, forces, moments, strict=True)])
    energy = (solution.volume * solution.energy_density).sum(axis=1)
    bin_ = np.digitize(level, curve.position)
    return BeamCurve(
        position=curve.position,
        force=forces,
        moment=moments,
        beam_stress=np.array([one[0] for one in stress]),
        fe_stress=np.array([one[1] for one in stress]),
        beam_shear=np.array([one[2] for one in stress]),
        beam_energy=along * (density[1:] + density[:-1]) / 2.0,
        fe_energy=np.bincount(bin_, energy, k + 1).astype(float)[1:k],
        compared=compared,
    )


def _internal(section: Rigidity, axes: Floats, force: Floats, moment: Floats) -> tuple[Floats, Floats]:
    """Force and moment about the centroid in the axes of the section."""
    arm = section.centroid @ axes[:2]
    return axes @ force, axes @ (moment - np.cross(arm, force))


def _principal(section: Rigidity, moment: Floats) -> tuple[float, float, Floats, Floats]:
    """Moments about the weak and the strong axis, and the two axes."""
    weak = section.weak_axis / np.linalg.norm(section.weak_axis)
    strong = np.array([-weak[1], weak[0]])
    return float(moment[:2] @ weak), float(moment[:2] @ strong), weak, strong


def _stresses(
    solution: fem.Solution, curve: RigidityCurve, i: int, corner: NDArray[np.integer], force: Floats, moment: Floats
) -> tuple[float, ...]:
    """Beam stress and finite-element stress of largest size, with their signs, and the beam's shear stress, MPa."""
    model, section, axes = solution.model, curve.sections[i], curve.axes[i]
    # cells with corners on both sides, by the side of every node: a byte a corner, for every section and strategy
    upper = ((model.points - curve.origins[i]) @ axes[2] > 0.0).astype(np.int8)[corner].sum(axis=1)
    cells = np.flatnonzero((upper > 0) & (upper < 4))
    flat = (model.points[corner[cells]].mean(axis=1) - curve.origins[i]) @ axes[:2].T - section.centroid
    m_weak, m_strong, weak, strong = _principal(section, moment)
    strain = (
        force[2] / section.EA + m_weak / section.EI_min * (flat @ strong) - m_strong / section.EI_max * (flat @ weak)
    )
    axial, shear = moduli(model.material, cells, axes[2])
    beam = axial * strain
    twist = float((shear * np.linalg.norm(flat, axis=1)).max()) * abs(moment[2]) / section.GJ
    weight = solution.volume[cells] / solution.volume[cells].sum(axis=1, keepdims=True)
    mean = fem.elasticity.as_tensor(np.einsum("cq,cqi->ci", weight, solution.stress[cells]))
    found = np.einsum("i,cij,j->c", axes[2], mean, axes[2])
    row = int(np.abs(beam).argmax())
    # the finite elements are asked for their largest stress of the same sign
    return float(beam[row]), float(np.sign(beam[row]) * (np.sign(beam[row]) * found).max()), twist


def _energy(section: Rigidity, force: Floats, moment: Floats) -> float:
    """Strain energy per length, N."""
    m_weak, m_strong, _, _ = _principal(section, moment)
    return 0.5 * float(
        force[2] ** 2 / section.EA
        + m_weak**2 / section.EI_min
        + m_strong**2 / section.EI_max
        + moment[2] ** 2 / section.GJ
    )

"""Constitutive laws at one point against closed forms; the NAFEMS path is in the verification table."""

import numpy as np
import pytest

from femsim import fem
from femsim.errors import MaterialError, SolveError
from femsim.fem import nonlinear as nl

STEEL = fem.isotropic(195000.0, 0.3)
CORTEX = fem.transversely_isotropic(17000.0, 11500.0, 3300.0, 0.46, 0.58)
BONE = nl.Quadric(
    (51.0, 51.0, 133.0), (133.0, 133.0, 193.0), nl.Branch(0.0122, 2.0), nl.Branch(0.0066, 10.0), (51.6, 51.6, 30.0),
    first=0.93,
)  # fmt: skip
CEMENT = nl.Quadric(40.0, 93.0, nl.Branch(0.001, 0.9), nl.Branch(0.05))
PMMA = fem.isotropic(2500.0, 0.3)


def uniaxial(stiffness, axis, strain):
    """Strain with only one stress, elastic."""
    compliance = np.linalg.inv(stiffness)
    return compliance[axis] / compliance[axis, axis] * strain


def test_voce_hardening_in_shear():
    """Pure shear: tau sqrt(3) is the hardened yield stress of the accumulated plastic strain; ANALYTIC."""
    law = nl.VonMises(200.0, linear=500.0, voce=80.0, rate=30.0)
    path = nl.follow_strain(nl.single_point(STEEL, law), np.linspace(0, 0.08, 41)[1:, None] * np.eye(6)[3])
    tau, kappa = path.stress[:, 3], path.kappa
    assert kappa[-1] > 0.03
    np.testing.assert_allclose(tau[-10:] * np.sqrt(3), (200 + 500 * kappa + 80 * (1 - np.exp(-30 * kappa)))[-10:])
    np.testing.assert_allclose(path.plastic[-1, 3], np.sqrt(3) * kappa[-1], rtol=1e-12)


def test_quadric_of_equal_strengths_is_von_mises():
    """A different algorithm (bracketed scalar root) for the same law: both give the same path."""
    rng = np.random.default_rng(5)
    quadric = nl.Quadric(181.0, 181.0, nl.Branch(1e9), nl.Branch(1e9), interaction=0.5 - 1e-12)
    steps = np.cumsum(rng.normal(size=(20, 6)) * 1e-3, axis=0)
    one = nl.follow_strain(nl.single_point(STEEL, nl.VonMises(181.0)), steps)
    two = nl.follow_strain(nl.single_point(STEEL, quadric), steps)
    assert one.kappa[-1] > 1e-3
    np.testing.assert_allclose(two.stress, one.stress, rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(two.plastic, one.plastic, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("axis", "sign", "strength"), [(2, 1, 133), (2, -1, 193), (0, 1, 51), (1, -1, 133)])
def test_uniaxial_strengths_of_bone(axis, sign, strength):
    """Along each axis the stress first yields at 0.93 of the strength and never exceeds it."""
    corner = np.zeros(6)
    corner[axis] = 0.92 * sign * strength
    point = nl.single_point(CORTEX, BONE, size=0.01)
    assert nl.follow_stress(point, [corner], 1).kappa[-1] == 0.0
    corner[axis] = 0.94 * sign * strength
    assert nl.follow_stress(point, [corner], 1).kappa[-1] > 0.0
    corner[axis] = 1.001 * sign * strength
    with pytest.raises(SolveError, match="cannot be reached"):
        nl.follow_stress(point, [corner], 5)


@pytest.mark.parametrize("size", [0.3, 1.0, 2.0])
def test_fracture_energy_does_not_depend_on_the_element(size):
    """Energy of a band of one element from its strength to the end of softening, per area; ANALYTIC."""
    point = nl.single_point(PMMA, nl.Quadric(40.0, 93.0, nl.Branch(1e-5, 0.9, 0.01), nl.Branch(0.05)), size=size)
    strain, state, work, stress = np.zeros(6), point.fresh(), 0.0, np.zeros(6)
    before = np.zeros(6)
    for axial in np.arange(0.0, 0.05 / size + 0.02, 1e-4 / size):
        for count in range(100):  # the lateral stresses are zero
            strain[0] = axial
            response = point.respond(strain.reshape(1, 1, 6), state)
            stress = response.stress[0, 0]
            if np.abs(stress[1:]).max() < 1e-8:
                break
            # Newton may jump to and fro over the kink between elastic and softening; a shorter step does not
            step = 1.0 if count < 10 else 0.4
            strain[1:] -= step * np.linalg.solve(response.tangent[0, 0][1:, 1:], stress[1:])
        else:
            pytest.fail("lateral stress not removed")
        after = response.state.plastic[0, 0].copy()
        state = point.settle(response)
        if state.kappa[0, 0] < 2.0:
            work += (stress - 0.4 * (stress / 40.0 > 0)) @ (after - before)  # less the residual of 1 %
        before = after
    assert state.kappa[0, 0] >= 2.0
    assert work * size == pytest.approx(0.9, rel=0.02)


@pytest.mark.parametrize("law", ["steel", "bone", "cement"])
def test_tangent_is_the_derivative_of_the_stress(law):
    """Consistent tangent against central differences, symmetric, along random paths with hardening and softening."""
    stiffness, model = {
        "steel": (STEEL, nl.VonMises(181.0, 1000.0, 500.0, 60.0, 40.0)),
        "bone": (CORTEX, BONE),
        "cement": (PMMA, CEMENT),
    }[law]
    point = nl.single_point(stiffness, model, size=0.8)
    rng = np.random.default_rng(11)
    seen = set()
    for _ in range(12):
        state, strain = point.fresh(), np.zeros(6)
        direction = rng.normal(size=6) * 2e-3
        for _ in range(8):
            strain = strain + direction + rng.normal(size=6) * 4e-4
            response = point.respond(strain.reshape(1, 1, 6), state)
            step = 1e-7
            moved = [
                [point.respond((strain + s * step * e).reshape(1, 1, 6), state) for s in (1, -1)] for e in np.eye(6)
            ]
            numeric = np.array([(a.stress - b.stress)[0, 0] / (2 * step) for a, b in moved]).T
            kappas = [r.state.kappa[0, 0] for pair in moved for r in pair]
            tangent = response.tangent[0, 0]
            np.testing.assert_allclose(tangent, tangent.T, atol=1e-9 * np.abs(tangent).max())
            kink = any(min(kappas) < k <= max(kappas) for k in (1.0, 2.0)) or (min(kappas) == 0.0 < max(kappas))
            if not kink and state.share[0, 0] >= 0.0:
                seen.add(int(response.state.kappa[0, 0]) if response.state.kappa[0, 0] > state.kappa[0, 0] else -1)
                np.testing.assert_allclose(tangent, numeric, atol=2e-4 * stiffness.max())
            state = point.settle(response)
    assert len(seen) >= (1 if law == "steel" else 2)  # hardening and, of a quadric, softening were met


def test_return_is_the_closest_point():
    """Of all admissible stresses the return is nearest to the trial stress in the energy norm: tried at random."""
    rng = np.random.default_rng(3)
    compliance = np.linalg.inv(CORTEX)
    point = nl.single_point(CORTEX, nl.Quadric(
        (51.0, 51.0, 133.0), (133.0, 133.0, 193.0), nl.Branch(1e9), nl.Branch(1e9), (51.6, 51.6, 30.0),
    ))  # fmt: skip
    for _ in range(20):
        strain = rng.normal(size=6) * 0.02
        stress = point.respond(strain.reshape(1, 1, 6), point.fresh()).stress
        trial = CORTEX @ strain
        outside = point.gauge(trial.reshape(1, 1, 6))[0, 0] > 1.0
        assert point.gauge(stress)[0, 0] == pytest.approx(1.0, abs=1e-9) or not outside
        distance = (trial - stress[0, 0]) @ compliance @ (trial - stress[0, 0])
        for other in stress[0, 0] + rng.normal(size=(200, 6)) * np.array([[1.0], [10.0]]).repeat(100, 0):
            inside = other / max(point.gauge(other.reshape(1, 1, 6))[0, 0], 1.0)
            assert (trial - inside) @ compliance @ (trial - inside) >= distance * (1 - 1e-9)


def test_tension_opens_a_band_without_strain_across():
    """Plastic strain of uniaxial tension along the axis of bone, and of cement in any direction, has one component."""
    for law, stiffness in ((BONE, CORTEX), (CEMENT, PMMA)):
        corner = np.zeros(6)
        corner[2] = 0.97 * np.ravel(law.tension)[-1] if law is BONE else 40.0 * (1 - 1e-9)
        path = nl.follow_stress(nl.single_point(stiffness, law), [corner], 3)
        assert law is CEMENT or path.plastic[-1, 2] > 1e-4
        np.testing.assert_allclose(path.plastic[-1, [0, 1, 3, 4, 5]], 0.0, atol=1e-9)


def test_rotated_material_gives_rotated_stress():
    """A material turned by its axes responds as in its own frame, plastic strain included."""
    rng = np.random.default_rng(8)
    axes, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    axes[0] *= np.sign(np.linalg.det(axes))
    turn = fem.elasticity.strain_rotation(axes)
    plain = nl.single_point(CORTEX, BONE)
    material = fem.Material(CORTEX, np.zeros(1, int), axes=axes[None])
    turned = nl.points_of(plain.grid, material, nl.Inelastic((BONE,), size=np.ones(1)))
    strains = np.cumsum(rng.normal(size=(6, 6)) * 4e-3, axis=0)
    here = nl.follow_strain(turned, strains)
    there = nl.follow_strain(plain, strains @ turn.T)
    assert here.kappa[-1] > 0.0
    np.testing.assert_allclose(here.kappa, there.kappa, rtol=1e-9)
    np.testing.assert_allclose(here.stress, there.stress @ turn, atol=1e-8)
    np.testing.assert_allclose(here.plastic @ turn.T, there.plastic, atol=1e-12)


def test_no_stress_however_large_breaks_the_return():
    """Trial strains up to 10 in any direction, with softening: always on the surface, always finite."""
    rng = np.random.default_rng(2)
    for law, stiffness in ((BONE, CORTEX), (CEMENT, PMMA)):
        point = nl.single_point(stiffness, law, size=2.0)
        for size in (1e-3, 0.1, 10.0):
            for _ in range(100):
                strain = rng.normal(size=6) * size
                response = point.respond(strain.reshape(1, 1, 6), point.fresh(), clip=1e-3)
                assert np.isfinite(response.stress).all()
                assert point.gauge(response.stress)[0, 0] * law.first <= 1.0 + 1e-9
                assert np.linalg.eigvalsh(response.tangent[0, 0])[0] > -1e-9 * stiffness.max()


def test_cement_yields_in_compression_for_ever():
    """A branch without an energy never softens: at 30 % strain the strength is still there, and flow goes on."""
    point = nl.single_point(PMMA, CEMENT)
    strain, state, stress = np.zeros(6), point.fresh(), []
    for axial in np.linspace(0.0, -0.3, 61)[1:]:
        strain[0] = axial
        for _ in range(50):
            response = point.respond(strain.reshape(1, 1, 6), state)
            if np.abs(response.stress[0, 0, 1:]).max() < 1e-8:
                break
            strain[1:] -= np.linalg.solve(response.tangent[0, 0][1:, 1:], response.stress[0, 0, 1:])
        state = point.settle(response)
        stress.append(response.stress[0, 0, 0])
    np.testing.assert_allclose(stress[-40:], -93.0, rtol=1e-7)
    assert state.plastic[0, 0, 0] == pytest.approx(-0.3 + 93.0 / 2500.0, rel=1e-6)


def test_what_cannot_be_a_law():
    with pytest.raises(MaterialError, match="yield_stress"):
        nl.VonMises(0.0)
    with pytest.raises(MaterialError, match="interaction"):
        nl.Quadric(40.0, 93.0, nl.Branch(0.01), nl.Branch(0.01), interaction=0.6)
    with pytest.raises(MaterialError, match="residual"):
        nl.Branch(0.01, 1.0, 0.0)
    with pytest.raises(MaterialError, match="isotropic"):
        nl.single_point(CORTEX, nl.VonMises(100.0))

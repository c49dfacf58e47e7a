"""Solving and printing decks where CalculiX is not installed; against CalculiX see tests/verify."""

from __future__ import annotations

import numpy as np
import pytest

from femsim import fem
from femsim.errors import InputError, SolveError
from femsim.fem import deck
from femsim.verify.cases.calculix import STEPS, everything


@pytest.fixture
def solved(tmp_path):
    def _solved(text):
        path = tmp_path / "deck.inp"
        path.write_text(text)
        given = deck.read_deck(path)
        results = deck.solve_deck(given)
        deck.write_dat(tmp_path / "deck.dat", given, results)
        return given, results, (tmp_path / "deck.dat").read_text()

    return _solved


def test_prints_have_the_layout_of_calculix(solved):
    _, _, text = solved(STEPS)
    lines = text.splitlines()
    # as ccx 2.20 prints the same deck
    assert lines[1] == " displacements (vx,vy,vz) for set NALL and time  0.2000000E+01"
    assert lines[3] == "         1  0.000000E+00  0.000000E+00  0.000000E+00"
    assert lines[12].startswith("        10  1.000000E-01 ")
    assert lines[12].endswith(" L")
    stress = lines[next(i for i, line in enumerate(lines) if line.startswith(" stresses")) + 2]
    assert stress.startswith("         1   1 ")
    assert len(stress) == 14 + 6 * 14


def test_what_is_printed_can_be_read_and_is_what_was_solved(solved):
    given, results, text = solved(STEPS)
    blocks = deck.read_dat("deck.dat", text)
    first = next(b for b in blocks if b.quantity == "stresses")
    expected = results[0].solution.stress[..., [0, 1, 2, 5, 4, 3]].reshape(-1, 6)
    assert np.abs(first.values - expected).max() < 1e-6 * np.abs(expected).max()
    assert [b.time for b in blocks if b.quantity == "stresses"] == [2.0, 3.0, 4.0, 5.0]
    assert given.node_ids[-1] == 13


def test_numbers_are_printed_as_fortran_prints_them():
    from femsim.fem.deck.dat import _numbers, _time

    assert _numbers(np.array([1.5e-101, -2.0])) == "  1.500000-101 -2.000000E+00"
    assert _time(10.0) == " 0.1000000E+02"
    assert _time(0.99999999) == " 0.1000000E+01"
    assert _time(0.0) == " 0.0000000E+00"
    table = " temperatures for set A and time  0.1000000E+01\n\n         1  1.500000-101\n"
    assert deck.read_dat("x", table)[0].values[0, 0] == 1.5e-101


def test_a_load_of_an_earlier_step_is_kept_replaced_or_removed(solved):
    given, results, _ = solved(STEPS)
    first, second, third, _ = (step.forces for step in given.steps)
    # 12 and 13 of the deck: several in one step are added; given again in a later one it is replaced
    assert [first[n, 2] for n in (9, 10, 11, 12)] == [2.0, 2.0, 6.0, 2.0]
    assert [second[n, 2] for n in (9, 10, 11, 12)] == [2.0, 2.0, 1.0, 2.0]
    assert dict(third) == {(5, 0): 2.0}
    # step 4 keeps the displacement of node 7 at the end of step 3
    assert np.allclose(results[3].motion[6], results[2].motion[6])
    assert np.abs(results[3].motion[6]).max() > 1e-4


def test_a_node_of_no_element_moves_with_what_an_equation_ties_to_it(solved):
    _, results, _ = solved(STEPS)
    assert results[0].motion[8, 2] == pytest.approx(results[0].motion[5, 2])
    assert results[0].motion[8, 2] != 0.0


CUBE = STEPS[: STEPS.index("*TRANSFORM")] + "*BOUNDARY\nB,1,3\n*STEP\n*STATIC\n*CLOAD\nTOP,3,1.\n*END STEP\n"


@pytest.mark.parametrize(
    ("old", "new", "error", "word"),
    [
        ("*STEP", "*EQUATION\n2\n9,1,1.,9,2,-1.\n*STEP", SolveError, "no equation holds it"),
        ("*BOUNDARY\nB,1,3\n", "", SolveError, "can move freely"),
        ("TOP,3,1.", "9,3,1.", SolveError, "in no cell"),
        ("TOP,3,1.", "TOP,4,1.", InputError, "no reference node"),
        ("*CLOAD\nTOP,3,1.", "*DLOAD\nEALL,GRAV,9.81,0,0,-1.", InputError, "no *DENSITY"),
        ("*STEP", "*EQUATION\n2\n1,1,1.,2,1,-1.\n*STEP", SolveError, "all prescribed"),
    ],
)
def test_what_cannot_be_solved_says_why(solved, old, new, error, word):
    text = CUBE.replace("*DENSITY\n1.\n", "") if "DENSITY" in word else CUBE
    changed = text.replace(old, new, 1)
    assert changed != text
    with pytest.raises(error) as caught:
        solved(changed)
    assert word in str(caught.value)


def test_a_kinematic_coupling_is_femsims(solved):
    text = CUBE.replace(
        "*BOUNDARY",
        "*NODE\n20,.5,.5,3.\n21,.5,.5,3.\n*RIGID BODY,NSET=TOP,REF NODE=20,ROT NODE=21\n*BOUNDARY",
    ).replace("TOP,3,1.", "20,1,2.\n21,3,5.")
    given, (result,), _ = solved(text)
    force = result.solution.reaction.sum(axis=0)
    assert np.allclose(force, [-2.0, 0.0, 0.0], atol=1e-9)
    moment = np.cross(given.points - [0.5, 0.5, 3.0], result.solution.reaction).sum(axis=0)
    assert moment[2] == pytest.approx(-5.0)
    u, turn = result.motion[13], result.motion[14]
    arm = given.points[9] - [0.5, 0.5, 3.0]
    assert np.allclose(result.motion[9], u + np.cross(turn, arm))


def test_a_coupling_over_a_surface_is_the_same(solved):
    lid = "*SURFACE,NAME=LID\n2,S2\n*NODE\n20,.5,.5,3.\n"
    one = CUBE.replace(
        "*BOUNDARY", lid + "*COUPLING,CONSTRAINT NAME=C,REF NODE=20,SURFACE=LID\n*KINEMATIC\n1,3\n*BOUNDARY"
    )
    two = CUBE.replace("*BOUNDARY", lid + "*RIGID BODY,NSET=TOP,REF NODE=20\n*BOUNDARY")
    load = "20,1,2.\n20,6,5."
    moved = [solved(t.replace("TOP,3,1.", load))[1][0].motion for t in (one, two)]
    assert np.allclose(moved[0], moved[1])
    assert np.abs(moved[0][13]).max() > 0.0


def test_gaps_are_not_closed_silently_by_a_tie(solved):
    text = CUBE.replace("*ELEMENT", "*NODE\n31,0,0,1.01\n32,1,0,1.01\n33,1,1,1.01\n34,0,1,1.01\n*ELEMENT", 1)
    text = text.replace("2,5,6,7,8,10", "2,31,32,33,34,10")
    text = text.replace(
        "*BOUNDARY", "*SURFACE,NAME=S\n2,S1\n*SURFACE,NAME=M\n1,S2\n*TIE,NAME=T,POSITION TOLERANCE=.1\nS,M\n*BOUNDARY"
    )
    with pytest.raises(InputError, match="would move node 31"):
        solved(text)
    _, (result,), _ = solved(text.replace("NAME=T,", "NAME=T,ADJUST=NO,"))
    assert np.allclose(result.solution.reaction.sum(axis=0), [0, 0, -4.0], atol=1e-8)


def test_the_deck_of_a_model_says_what_was_averaged(tmp_path):
    notes = deck.write_inp(tmp_path / "m.inp", everything())
    text = (tmp_path / "m.inp").read_text()
    assert any("mean" in note for note in notes)
    assert all(f"** {note}" in text for note in notes)
    assert max(len(f) for line in text.splitlines() if not line.startswith("*") for f in line.split(",")) <= 20
    assert max(map(len, text.splitlines())) <= 200


def test_what_calculix_cannot_have_is_refused(tmp_path):
    model = everything()
    from dataclasses import replace

    soft = replace(model.material, projected=True)
    with pytest.raises(InputError, match="B-bar"):
        deck.write_inp(tmp_path / "m.inp", replace(model, material=soft))
    warm = replace(model.material, thermal_expansion=np.array([1e-5, 1e-5]), temperature=model.points[:, 0].copy())
    with pytest.raises(InputError, match="varies within elements"):
        deck.write_inp(tmp_path / "m.inp", replace(model, material=warm))
    other = {**model.loads, "strained": [fem.InitialStrain(np.array([1e-3, 0, 0, 0, 0, 0]))]}
    with pytest.raises(InputError, match="another pattern"):
        deck.write_inp(tmp_path / "m.inp", replace(model, loads=other))

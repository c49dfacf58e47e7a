"""What the reader refuses, and that it says where and why; what it understands in more than one spelling."""

from __future__ import annotations

import numpy as np
import pytest

from femsim.errors import FemsimWarning, InputError, MaterialError
from femsim.fem import deck, isotropic

CUBE = """*HEADING
a cube
*NODE, NSET=Nall
1,0,0,0
2,1,0,0
3,1,1,0
4,0,1,0
5,0,0,1
6,1,0,1
7,1,1,1
8,0,1,1
*ELEMENT, TYPE=C3D8, ELSET=Eall
7, 1,2,3,4,
5,6,7,8
*NSET, NSET=BASE, GENERATE
1,4
*NSET,NSET=TOP
5,6,7,8
*SURFACE, NAME=LID
Eall, S2
*MATERIAL, NAME=EL
*ELASTIC
1000., .25
*SOLID SECTION, ELSET=Eall, MATERIAL=EL
*BOUNDARY
BASE,1,3
*STEP
*STATIC
*CLOAD
TOP,3,1.
*NODE PRINT,NSET=Nall
U
*END STEP
"""


@pytest.fixture
def read(tmp_path):
    def _read(text):
        path = tmp_path / "cube.inp"
        path.write_text(text)
        return deck.read_deck(path)

    return _read


def line_of(text, part):
    return next(i for i, line in enumerate(text.splitlines(), 1) if part in line)


REFUSED = [
    # what is replaced, by what, the line that must be named, and a word of the message
    ("*STATIC", "*STATIC\n*CONTACT PAIR", "*CONTACT PAIR", "CONTACT PAIR is not supported"),
    ("*STATIC", "*FREQUENCY\n3", "*FREQUENCY", "FREQUENCY is not supported"),
    ("*STEP", "*STEP,NLGEOM", "*STEP", "NLGEOM"),
    ("*CLOAD", "*CLOAD,AMPLITUDE=A1", "*CLOAD", "AMPLITUDE"),
    ("TYPE=C3D8,", "TYPE=C3D8R,", "C3D8R", "C3D8R is not supported"),
    ("TYPE=C3D8,", "TYPE=S4,", "S4", "S4 is not supported"),
    ("8,0,1,1", "8,0,1,nan", "8,0,1,nan", "nan"),
    ("8,0,1,1", "8,0,1,inf", "8,0,1,inf", "inf"),
    ("8,0,1,1", "8,0,1,x", "8,0,1,x", "not a number"),
    ("8,0,1,1", "7,0,1,1", "7,0,1,1", "Node 7 is defined a second time"),
    ("5,6,7,8\n*NSET, NSET=BASE", "5,6,7,9\n*NSET, NSET=BASE", "7, 1,2,3,4", "Node 9 does not exist"),
    ("5,6,7,8\n*NSET, NSET=BASE", "5,6,7\n*NSET, NSET=BASE", "7, 1,2,3,4", "7 nodes; a C3D8 has 8"),
    ("TOP,3,1.", "LID,3,1.", "LID,3,1.", "node set 'LID' does not exist"),
    ("TOP,3,1.", "12,3,1.", "12,3,1.", "Node 12 does not exist"),
    ("TOP,3,1.", "TOP,3", "TOP,3", "CLOAD"),
    ("TOP,3,1.", "TOP,7,1.", "TOP,7,1.", "component 7"),
    ("1,4\n", "9,20\n", "9,20", "BASE"),
    ("TOP\n5,6", "TOP\nTOP,6", "TOP,6", "contains itself"),
    ("MATERIAL=EL\n", "MATERIAL=XX\n", "MATERIAL=XX", "XX does not exist"),
    ("*ELASTIC\n1000., .25\n", "", "*MATERIAL", "no *ELASTIC"),
    ("1000., .25", "1000.", "1000.", "1 values"),
    ("*ELASTIC", "*ELASTIC,TYPE=USER", "*ELASTIC", "TYPE=USER"),
    ("*END STEP\n", "", "*STEP", "no *END STEP"),
    ("*CLOAD\nTOP,3,1.", "*DLOAD\nEall,P2NP,1.", "P2NP", "P2NP"),
    ("*CLOAD\nTOP,3,1.", "*DLOAD\nEall,P7,1.", "P7", "no face"),
    ("*CLOAD\nTOP,3,1.", "*DLOAD\nEall,GRAV,9.81", "GRAV", "4 are needed"),
    ("*CLOAD\nTOP,3,1.", "*DSLOAD\nSIDE,P,1.", "SIDE,P", "surface 'SIDE' does not exist"),
    ("*STEP", "*EQUATION\n2\n5,1,1.,6,1\n*STEP", "2\n", "2 terms has 5 values"),
    ("*STEP", "*INITIAL CONDITIONS,TYPE=STRESS\n7,1,0,0,0,0,0,0\n*STEP", "*INITIAL", "STRESS"),
    ("*STEP", "*CLOAD\n5,1,1.\n*STEP", "*CLOAD", "outside a step"),
    ("*STATIC", "*STATIC\n*NODE\n9,0,0,0", "*NODE\n", "inside a step"),
]


@pytest.mark.parametrize(("old", "new", "where", "word"), REFUSED)
def test_what_is_wrong_is_named_with_its_line(read, old, new, where, word):
    text = CUBE.replace(old, new, 1)
    assert text != CUBE
    with pytest.raises((InputError, MaterialError)) as caught:
        read(text)
    assert word in str(caught.value)
    assert caught.value.why
    assert caught.value.do
    named = [i for i, line in enumerate(text.splitlines(), 1) if line.startswith(where.split("\n")[0]) or where in line]
    assert any(f"line {i}:" in caught.value.what for i in named), caught.value.what


@pytest.mark.parametrize("kept", [1, 3, 9, 14, 20, 24, 27, 29])
def test_a_truncated_file_is_an_error_and_never_a_smaller_model(read, kept):
    with pytest.raises((InputError, MaterialError)):
        read("\n".join(CUBE.splitlines()[:kept]))


def test_an_element_without_section_is_named(read):
    text = CUBE.replace("*NSET, NSET=BASE", "*ELEMENT,TYPE=C3D8\n9,1,2,3,4,5,6,7,8\n*NSET, NSET=BASE")
    with pytest.raises(InputError, match="element 9 has no"):
        read(text)


def test_missing_and_unreadable_files(tmp_path, read):
    with pytest.raises(InputError, match="cannot be read"):
        deck.read_deck(tmp_path / "none.inp")
    with pytest.raises(InputError, match="no card"):
        read("")
    with pytest.raises(InputError, match="before the first card"):
        read("1,2,3\n" + CUBE)


def test_sets_nest_repeat_and_skip_holes_of_a_range(read):
    text = CUBE.replace(
        "*SURFACE", "*NSET,NSET=MORE\nTOP,1\n*NSET,NSET=MORE\n2,\n*NSET,NSET=HOLES,GENERATE\n2,20,3\n*SURFACE"
    )
    with pytest.warns(FemsimWarning, match="4 of 7"):
        given = read(text)
    assert given.node_sets["MORE"].tolist() == [4, 5, 6, 7, 0, 1]
    assert given.node_sets["HOLES"].tolist() == [1, 4, 7]


def test_spelling_does_not_matter(read):
    text = CUBE.replace("*BOUNDARY", "** a comment\n*boundary").replace(
        "*ELASTIC\n1000., .25", "*Elastic,\ntype=iso\n1.D3,.25"
    )
    given = read(text)
    assert np.allclose(given.materials[0].stiffness, isotropic(1000.0, 0.25))
    assert given.steps[0].boundary == {(i, c): 0.0 for i in range(4) for c in range(3)}


def test_include_is_followed(tmp_path, read):
    head, tail = CUBE.split("*MATERIAL")
    (tmp_path / "Rest.inp").write_text("*MATERIAL" + tail)
    assert len(read(head + "*INCLUDE, INPUT=Rest.inp\n").steps) == 1


def test_elastic_constants_in_every_form_are_the_same_material(read):
    d = isotropic(1000.0, 0.25)
    lam, full, mu = d[0, 1], d[0, 0], d[3, 3]
    forms = {
        "ORTHO": f"{full},{lam},{full},{lam},{lam},{full},{mu},{mu}\n{mu}",
        "ENGINEERING CONSTANTS": f"1000.,1000.,1000.,.25,.25,.25,{mu},{mu}\n{mu},20.",
        "ANISO": f"{full},{lam},{full},{lam},{lam},{full},0,0\n0,{mu},0,0,0,0,{mu},0\n0,0,0,0,{mu}",
    }
    for kind, numbers in forms.items():
        given = read(CUBE.replace("*ELASTIC\n1000., .25", f"*ELASTIC,TYPE={kind}\n{numbers}"))
        assert np.abs(given.materials[0].stiffness - d).max() < 1e-9 * full


def test_engineering_constants_keep_their_directions(read):
    numbers = "1000.,2000.,3000.,.1,.2,.3,400.,500.\n600."
    given = read(CUBE.replace("*ELASTIC\n1000., .25", f"*ELASTIC,TYPE=ENGINEERING CONSTANTS\n{numbers}"))
    s = np.linalg.inv(given.materials[0].stiffness)
    # nu12, nu13, nu23; shears G12, G13, G23 stand at xy, xz, yz
    assert np.allclose([-s[0, 1] * 1000, -s[0, 2] * 1000, -s[1, 2] * 2000], [0.1, 0.2, 0.3])
    assert np.allclose(1.0 / s[[5, 4, 3], [5, 4, 3]], [400.0, 500.0, 600.0])


def test_unstable_constants_are_refused_with_the_line(read):
    with pytest.raises(MaterialError, match="line 22"):
        read(CUBE.replace("1000., .25", "1000., .6"))


def test_what_cannot_be_printed_is_said(read):
    given = read(CUBE.replace("U\n*END", "U,VF\n*END"))
    assert given.skipped == ("VF of *NODE PRINT (cube.inp, line 31)",)

"""Figures for papers have the width that was asked for and keep their text; objects print what they are."""

from __future__ import annotations

import re

import matplotlib.image
import numpy as np
import pytest

import femsim as fs
from femsim.errors import InputError
from femsim.fields import FIELDS
from femsim.report import paper
from femsim.show import boxed
from tests.report.fake import comparison
from tests.view.synthetic import bone_mesh


@pytest.mark.parametrize(
    ("name", "width", "inches"),
    [("risk", "double", 6.89), ("comparison", "single", 3.346), ("displacement", 120, 4.724)],
)
def test_figures_have_the_width_of_the_column(name, width, inches, tmp_path):
    made = paper.figure(comparison(), name, width, tmp_path / "figure.png")
    assert made.get_size_inches()[0] == pytest.approx(inches, abs=1e-3)
    image = matplotlib.image.imread(tmp_path / "figure.png")
    assert image.shape[1] == pytest.approx(300 * inches, abs=2)
    assert image[..., :3].std() > 0.03


def test_axes_and_text_are_vectors_and_the_bone_is_an_image(tmp_path):
    paper.figure(comparison(), "displacement", path=tmp_path / "figure.svg")
    text = (tmp_path / "figure.svg").read_text()
    assert text.count("<image") == 5 + 1  # five strategies and the colour bar
    assert FIELDS["displacement"].label in text
    assert "cement-filled" in text
    paper.figure(comparison(), "risk", path=tmp_path / "figure.pdf")
    assert (tmp_path / "figure.pdf").read_bytes().startswith(b"%PDF")


def test_what_cannot_be_drawn_is_said(tmp_path):
    with pytest.raises(InputError, match="no figure and no field 'colour'"):
        paper.figure(comparison(), "colour")
    with pytest.raises(InputError, match="no rigidity"):
        paper.figure(comparison(), "rigidity")
    for width in ("triple", 3.0, float("nan")):
        with pytest.raises(InputError, match="no width"):
            paper.figure(comparison(), "risk", width)
    with pytest.raises(InputError, match="cannot be written"):
        paper.figure(comparison(), "comparison", path=tmp_path / "no" / "figure.pdf")


def test_objects_print_what_they_are():
    mesh = bone_mesh()
    text = str(mesh)
    assert f"{len(mesh.points)} nodes, {len(mesh.cells)} tet4, {3 * len(mesh.points)} unknowns" in text
    counts = [int(n) for n in re.findall(r": (\d+) elements", text)]
    assert sum(counts) == len(mesh.cells)
    assert len(counts) == len(np.unique(mesh.compartment))
    case = fs.Comparison(load="walking", strategies={"cement": {}})
    assert "load walking" in str(case)
    assert "strategies: cement" in str(case)
    for one in (mesh, case):
        assert one._repr_html_() == boxed(one)
    assert "<b>" not in boxed("a\n<b>")

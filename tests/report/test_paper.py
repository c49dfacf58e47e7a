"""Figures for papers have the width that was asked for and keep their text; objects print what they are."""

from __future__ import annotations

import io
import re
from types import SimpleNamespace

import matplotlib.image
import numpy as np
import pandas as pd
import pytest

import femsim as fs
from femsim import show
from femsim.errors import InputError
from femsim.fields import FIELDS
from femsim.report import paper
from femsim.show import boxed
from tests.report.fake import comparison
from tests.view.synthetic import bone_mesh

SOBOL = pd.DataFrame(
    {"first": [0.1, 0.7], "first_95": [0.02, 0.03], "total": [0.2, 0.9], "total_95": [0.02, 0.04]}, ["turn", "size"]
)


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


def test_a_notebook_shows_a_figure_without_pyplot():
    shown = paper.figure(comparison(), "comparison")._repr_png_()
    assert matplotlib.image.imread(io.BytesIO(shown))[..., :3].std() > 0.03


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


def test_a_study_is_drawn_by_its_figure_method(tmp_path):
    table = pd.DataFrame(
        [
            {"case": f"c{i}", "strategy": name, "param.size": float(i), "param.turn": float(i % 3), "status": "done",
             "out.failure_load": 1000.0 + factor * i}
            for i in range(12)
            for name, factor in (("intact", 0.0), ("untreated", -50.0), ("cement", -10.0))
        ]
    )  # fmt: skip
    study = SimpleNamespace(frame=table, sobol=lambda strategy, output: SOBOL)
    for name, axes in (("curves", 2), ("differences", 1), ("tornado", 2)):
        made = show.figure("study", study, name, "", "", "double", tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").is_file()
        assert len(made.axes) == axes, name
    swing = paper.study_figure(study, "tornado", strategy="untreated").axes[0]
    size = [one.get_text() for one in swing.get_yticklabels()].index("size")
    assert swing.patches[size].get_width() == pytest.approx(-50.0 * (10.0 - 1.0))  # fifths of 0..11: 0-2 and 9-11
    indices = paper.study_figure(study, "sobol", strategy="cement").axes[0]
    assert [one.get_text() for one in indices.get_yticklabels()] == ["size", "turn"]
    assert sorted(bar.get_width() for bar in indices.patches) == pytest.approx([0.1, 0.2, 0.7, 0.9])
    for arguments, said in ((("colour",), "no figure"), (("tornado", "", "nail"), "no strategy 'nail'")):
        with pytest.raises(InputError, match=said):
            paper.study_figure(study, *arguments)

"""The interactive viewer, off screen; and what happens where nothing can be rendered."""

from __future__ import annotations

import matplotlib.image
import numpy as np
import pytest

from femsim.errors import InputError
from femsim.study import export
from femsim.view import offscreen, viewer
from tests.report.fake import comparison


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("view")
    for name, result in list(comparison().results.items())[1:3]:
        target = folder / "cases" / f"{name}-0123abcd"
        target.mkdir(parents=True)
        export.write_vtu(target / "solution.vtu", result.mesh, result.fields)
    return folder


def test_strategies_are_found_by_name(out):
    assert list(viewer.load(out)) == ["cement", "untreated"]
    assert list(viewer.load(out, ["untreated"])) == ["untreated"]
    with pytest.raises(InputError, match="no strategy 'nail'"):
        viewer.load(out, ["nail"])
    with pytest.raises(InputError, match="no solution"):
        viewer.load(out / "nothing")


def test_fields_become_one_number(out):
    grid = viewer.load(out)["untreated"]
    assert viewer.values(grid, "displacement").shape == (grid.n_points,)
    assert np.isnan(viewer.values(grid, "risk")).any()
    with pytest.raises(InputError, match="no field"):
        viewer.values(grid, "colour")


def test_difference_is_exact_and_only_on_one_mesh(out):
    grids = viewer.load(out)
    gap = viewer.difference(grids["untreated"], grids["cement"], "risk")
    expected = np.asarray(grids["cement"]["risk"], float) - np.asarray(grids["untreated"]["risk"], float)
    assert np.nanmax(np.abs(gap - expected)) == 0.0
    with pytest.raises(InputError, match="same mesh"):
        viewer.difference(grids["cement"].extract_cells(np.arange(10)), grids["cement"], "risk")


def test_screenshot_without_a_display(out, tmp_path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    file = tmp_path / "view.png"
    reason = offscreen.run([str(out), "--screenshot", str(file)], file)
    if reason:
        pytest.skip(reason)
    picture = matplotlib.image.imread(file)
    assert picture[..., :3].std() > 0.02  # not one colour


def test_a_crash_of_the_renderer_is_a_reason_and_no_exception(out, tmp_path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    file = tmp_path / "view.png"
    reason = offscreen.run([str(out), "--field", "nonsense", "--screenshot", str(file)], file)
    assert reason.startswith("Nothing could be rendered here")
    assert not file.exists()
    assert "took more than" in offscreen.run([str(out), "--screenshot", str(file)], file, timeout=0.01)

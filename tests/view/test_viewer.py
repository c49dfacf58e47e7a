"""The viewer: what stands on the stage, what a probe says, pictures and films, and where nothing can be rendered."""

from __future__ import annotations

import subprocess
import sys

import matplotlib.image
import numpy as np
import pytest

from femsim import fem
from femsim.cli import main
from femsim.errors import FemsimError, InputError
from femsim.report import folder
from femsim.study import export
from femsim.view import loading, offscreen, panel, probe, scale, viewer
from femsim.view.panel import Choice
from tests.report.fake import comparison


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    place = tmp_path_factory.mktemp("view") / "out"
    folder.write(comparison(), place, figures=False)
    return place


@pytest.fixture(scope="module")
def panels(out):
    return {one.name: one for one in loading.load(out)[0]}


def test_strategies_are_found_by_name(out):
    assert [one.name for one in loading.load(out)[0]] == ["intact", "untreated", "cement", "catheter", "both"]
    assert [one.name for one in loading.load(out, ["both", "untreated"])[0]] == ["both", "untreated"]
    for name in ("nail", "../out", "/etc/passwd", ""):
        with pytest.raises(InputError, match="no strategy"):
            loading.load(out, [name])
    with pytest.raises(InputError, match="no solution"):
        loading.load(out / "nothing")


def test_a_folder_with_solutions_only_can_be_shown(tmp_path):
    result = comparison().results["cement"]
    (tmp_path / "fields").mkdir()
    export.write_vtu(tmp_path / "fields" / "cement.vtu", result.mesh, result.fields)
    (only,), look = loading.load(tmp_path)
    assert only.name == "cement"
    assert np.allclose(only.mesh.points, result.mesh.points)
    assert abs(look.toward @ look.up) < 1e-12
    assert look.up[2] == 1  # the longest extent of the rod points up


def test_fields_become_one_number_a_cell(panels):
    one = panels["untreated"]
    moved = scale.numbers(one.fields, "displacement", one.mesh.cells)
    length = np.linalg.norm(one.fields["displacement"], axis=1)
    assert np.allclose(moved, length[one.mesh.cells].mean(axis=1))
    assert np.isnan(scale.numbers(one.fields, "risk")).sum() == (one.fields["excluded"] > 0).sum()
    with pytest.raises(InputError, match="no field"):
        scale.numbers(one.fields, "colour")


def test_one_scale_for_all_strategies(panels):
    values = [scale.numbers(one.fields, "displacement", one.mesh.cells) for one in panels.values()]
    shared = scale.shared("displacement", values)
    every = np.concatenate(values)
    assert (shared.low, shared.high) == pytest.approx(tuple(np.percentile(every, [0.5, 99.5])))
    assert shared.label == "displacement [mm]"
    apart = scale.difference("displacement", [v - values[0] for v in values])
    assert apart.low == -apart.high
    assert np.ptp(apart.paint([0.0])[0]) < 0.05  # no difference has no colour
    risk = scale.shared("risk", [np.array([0.2, 9.0])])
    assert (risk.low, risk.high) == (0.0, 2.0)
    below, above, missing = risk.paint([0.98, 1.02, np.nan])
    assert below[2] > below[0]
    assert above[0] > above[2]
    assert np.ptp(missing) < 1e-9


def test_a_cut_takes_the_front_away_and_hiding_takes_the_material(panels):
    one = panels["cement"]
    plane = panel.Plane(np.array([0.0, 4, 280]), np.array([0.0, 1, 0]))
    parts = panel.drawn(one, plane, Choice())
    assert parts["outside"].corners[..., 1].max() <= 4 + 1e-9
    assert np.allclose(parts["cut"].corners[..., 1], 4)
    assert set(one.material[parts["cut"].cell]) == {0, 1, 2, 3}
    hidden = panel.drawn(one, plane, Choice(hidden=("pmma", "tumour_tissue")))
    assert set(one.material[hidden["cut"].cell]) == {0, 1}
    moved = panel.drawn(one, None, Choice(deformation=20.0))
    shift = moved["outside"].corners - panel.drawn(one, None, Choice())["outside"].corners
    assert shift[..., 0].max() == pytest.approx(20 * one.fields["displacement"][:, 0].max(), rel=1e-6)


def test_principal_lines_lie_along_the_stress(panels):
    one = panels["intact"]
    stress = np.zeros((len(one.mesh.cells), 6))
    stress[:, 2] = 12.0  # pulled along z
    pulled = panel.Panel("pulled", "pulled", one.mesh, {"stress": stress}, one.materials)
    base = panel.drawn(pulled, None, Choice())["outside"]
    lines = panel.principal_lines(pulled, base)
    assert set(lines) == {"tension"}
    ends = np.asarray(lines["tension"].points).reshape(-1, 2, 3)
    assert np.allclose(np.abs(np.diff(ends, axis=1)[:, 0]), [0, 0, 0.04 * 400], atol=1e-5)
    pushed = panel.Panel("pushed", "pushed", one.mesh, {"stress": -stress}, one.materials)
    assert set(panel.principal_lines(pushed, base)) == {"compression"}


def test_a_probe_tells_what_the_strategy_holds(panels):
    one = panels["cement"]
    rng = np.random.default_rng(3)
    stress = rng.normal(size=(len(one.mesh.cells), 6))
    full = panel.Panel(one.name, one.label, one.mesh, {**one.fields, "stress": stress}, one.materials)
    cell = int(np.flatnonzero((one.material == 3) & (one.fields["excluded"] == 0))[0])
    found = probe.probe(full, cell)
    assert found["material"] == "pmma"
    assert "lesion" in found["inside"]
    assert "cement" in found["inside"]
    assert found["risk"] == pytest.approx(float(one.fields["risk"][cell]))
    assert found["principal_stress"] == pytest.approx(tuple(fem.principal(stress[cell])[0][::-1]))
    assert found["place"] == pytest.approx(tuple(one.mesh.points[one.mesh.cells[cell]].mean(axis=0)))
    text = probe.text(found)
    assert "principal stress: (" in text
    assert "MPa" in text
    outside = int(np.flatnonzero(one.fields["excluded"] > 0)[0])
    assert probe.probe(full, outside)["risk"] == "not judged"


def _picture(out, tmp_path, *more: str) -> np.ndarray:
    file = tmp_path / f"view{len(list(tmp_path.iterdir()))}.png"
    reason = offscreen.run([str(out), "untreated", "cement", *more, f"--screenshot={file}"], [file])
    if reason:
        pytest.skip(reason)
    return matplotlib.image.imread(file)[..., :3]


def test_pictures_without_a_display(out, tmp_path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    risk = _picture(out, tmp_path)
    assert risk.std() > 0.02  # not one colour
    half = risk.shape[1] // 2
    # one camera for both: the outlines agree although the colours do not
    outline = [(np.abs(side - 1).max(axis=-1) > 0.01)[100:700] for side in (risk[:, :half], risk[:, half : 2 * half])]
    assert (outline[0] == outline[1]).mean() > 0.97
    apart = _picture(out, tmp_path, "--difference", "--field=displacement", "--deformation=5")
    assert np.abs(apart - risk).mean() > 1e-3


def test_a_film_moves(out, tmp_path, monkeypatch):
    from PIL import Image

    monkeypatch.delenv("DISPLAY", raising=False)
    file = tmp_path / "turn.gif"
    reason = offscreen.run([str(out), "cement", f"--film={file}", "--frames=6"], [file])
    if reason:
        pytest.skip(reason)
    with Image.open(file) as film:
        assert film.n_frames == 6
        frames = []
        for i in range(2):
            film.seek(i)
            frames.append(np.asarray(film.convert("RGB"), float))
    assert np.abs(frames[0] - frames[1]).mean() > 0.1


def test_a_film_as_mp4_moves(out, tmp_path, monkeypatch):
    imageio = pytest.importorskip("imageio.v2", reason='imageio is not installed (pip install "femsim[view]")')
    pytest.importorskip("imageio_ffmpeg", reason='imageio-ffmpeg is not installed (pip install "femsim[view]")')
    monkeypatch.delenv("DISPLAY", raising=False)
    file = tmp_path / "swing.mp4"
    more = ["--motion=displacement", "--frames=6", "--deformation=40"]
    reason = offscreen.run([str(out), "cement", f"--film={file}", *more], [file])
    if reason:
        pytest.skip(reason)
    with imageio.get_reader(file) as film:
        frames = [np.asarray(one, float) for one in film]
    assert len(frames) == 6
    assert frames[0].std() > 5
    assert np.abs(frames[0] - frames[3]).mean() > 0.1


def test_without_an_encoder_a_film_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(InputError, match="not installed") as refused:
        viewer._mp4([np.zeros((4, 4, 3), np.uint8)], tmp_path / "x.mp4")
    assert 'pip install "femsim[view]"' in refused.value.do
    assert ".gif" in refused.value.do


def test_what_is_not_there_is_said_in_three_lines(out, tmp_path, capfd):
    for more, words in (
        (["--field", "nonsense"], "no field 'nonsense'"),
        (["--hide", "gold"], "no material 'gold'"),
        (["nail"], "no strategy 'nail'"),
    ):
        code = main(["view", str(out), *more, "--screenshot", str(tmp_path / "x.png")])
        said = capfd.readouterr().err
        assert code == InputError.exit_code
        assert words in said
        assert len(said.strip().splitlines()) == 3
    assert main(["view", str(out), "--screenshot", str(tmp_path / "no" / "x.png")]) == InputError.exit_code
    assert list(tmp_path.iterdir()) == []


def test_no_display_and_no_file_is_said_at_once(out, monkeypatch, capfd):
    monkeypatch.setattr(offscreen, "headless", lambda: True)
    assert main(["view", str(out)]) == InputError.exit_code
    assert "no display" in capfd.readouterr().err


def test_where_nothing_can_be_rendered_the_reason_is_given(out, tmp_path, monkeypatch):
    file = tmp_path / "view.png"
    monkeypatch.setattr(offscreen.sys, "executable", "/bin/false")
    reason = offscreen.run([str(out), f"--screenshot={file}"], [file])
    assert reason.startswith("Nothing could be rendered here")
    with pytest.raises(FemsimError, match="could be rendered"):
        offscreen.show([str(out), f"--screenshot={file}"], [file])
    assert not file.exists()


_NOTEBOOK = """
from tests.report.fake import comparison
from femsim.errors import InputError
from femsim.view.loading import on_stage
from femsim.view.viewer import tell
result = comparison()
made = on_stage(result, ["untreated", "both"], field="displacement", off_screen=True)
assert [one.name for one in made.panels] == ["untreated", "both"]
assert made.plotter.screenshot(return_img=True).std() > 5
width, height = made.plotter.window_size
for index, one in enumerate(made.panels):
    x = int(width * (0.25 + 0.5 * index))
    found = made.under(x, height // 2)
    assert found is not None and found[0] is one, index
    tell(made, x, height // 2)
    assert one.label in made.plotter.renderers[index].actors["probe"].GetText(3), index
    assert f"element: {found[1]}" in made.plotter.renderers[index].actors["probe"].GetText(3), index
assert made.under(1, 1) is None
made.choose(field="material", hidden=("pmma",))
cut = made.shown["cut-1"].mapper.dataset.cell_data["cell"]
assert "pmma" not in {made.panels[1].materials[i] for i in set(made.panels[1].material[cut])}
assert made.owner(made.shown["cut-1"], 0) == (made.panels[1], cut[0])
before = made.choice
for wrong in ({"field": "x"}, {"cut": "x"}, {"hidden": ("x",)}):
    try:
        made.choose(**wrong)
    except InputError:
        assert made.choice is before
    else:
        raise SystemExit("not refused")
print("shown")
"""


def test_a_result_in_memory_can_be_shown_as_in_a_notebook():
    command = [offscreen.sys.executable, "-c", _NOTEBOOK]
    done = subprocess.run(
        command, env=offscreen.environment(), capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode < 0:
        pytest.skip(f"nothing can be rendered here: signal {-done.returncode}")
    assert done.returncode == 0, done.stderr[-1500:]
    assert "shown" in done.stdout

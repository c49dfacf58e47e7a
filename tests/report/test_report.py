"""Folder, report and figures of a comparison: complete, equal to the table, and nothing half-written."""

from __future__ import annotations

import base64
import html as entities
import json
import math
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import pyvista

from femsim.errors import StudyError
from femsim.report import charts, figures, folder, layout, page, pictures
from femsim.report.text import number
from tests.report.fake import STRATEGIES, comparison


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("run") / "out"
    made = folder.write(comparison(), out)
    assert made.notes == ()
    return out


class _Page(HTMLParser):
    """Tags, table cells and texts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.cell = False

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.cell = True

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.cell = False

    def handle_data(self, data):
        if self.cell:
            self.rows[-1][-1] += data


def _parsed(out: Path) -> _Page:
    parser = _Page()
    parser.feed((out / "report.html").read_text(encoding="utf-8"))
    return parser


def test_folder_is_complete(written):
    names = {path.name for path in written.iterdir()}
    assert names == {
        "cases", "comparison.toml", "figures", "provenance.json", "report.html", "table.csv", "table.parquet",
    }  # fmt: skip
    cases = list((written / "cases").iterdir())
    assert len(cases) == 5
    assert all({p.name for p in case.iterdir()} == {"metrics.json", "solution.vtu"} for case in cases)
    made = {path.name for path in (written / "figures").iterdir()}
    assert made == {f"{name}.{kind}" for name in ("setup", "risk", "comparison") for kind in ("png", "pdf")}


def test_json_has_no_nan(written):
    for file in written.rglob("*.json"):
        json.loads(file.read_text(), parse_constant=pytest.fail)
    metrics = json.loads(next(written.glob("cases/untreated-*/metrics.json")).read_text())
    assert metrics["metrics"]["cement_volume"] is None
    assert metrics["units"]["failure_load"] == "N"


def test_numbers_of_the_report_are_those_of_the_table(written):
    table = pd.read_csv(written / "table.csv").set_index("strategy")
    rows = _parsed(written).rows
    head = [re.sub(r"\s+", " ", cell) for cell in rows[0]]
    column = next(i for i, cell in enumerate(head) if cell.startswith("failure load") and cell.endswith("N"))
    shown = {row[0]: row[column] for row in rows[1:6]}
    for name, label, _, load, _ in STRATEGIES:
        assert table.loc[name, "failure_load [N]"] == load
        assert shown[label].split(" ±")[0].replace(" ", "") == f"{load:.0f}"


def test_report_loads_nothing_and_labels_everything(written):
    parser = _parsed(written)
    for tag, attributes in parser.tags:
        for key in ("src", "href"):
            assert (attributes.get(key) or "data:").startswith(("data:", "#"))
        if tag == "img":
            assert len(attributes["alt"] or "") > 30
    assert sum(tag == "h1" for tag, _ in parser.tags) == 1
    assert ("html", {"lang": "en"}) in parser.tags
    assert (written / "report.html").stat().st_size < 15e6


def test_names_with_markup_stay_text(written):
    text = (written / "report.html").read_text()
    assert "test <bone>" not in text
    assert entities.escape("test <bone>") in text


def test_answer_says_when_strategies_cannot_be_told_apart():
    close = page.answer(comparison(error=4.0))
    assert close[0] == "Cement + catheter <2> and Cement hold best and cannot be told apart."
    sharp = page.answer(comparison(error=1.0))
    assert sharp[0] == "Cement + catheter <2> holds best."
    assert "85 % of the intact bone" in sharp[1]
    blind = page.answer(comparison(error=None))
    assert "No error bar" in blind[-1]


def test_answer_without_failure_loads():
    result = comparison()
    result.frame = result.frame.drop(columns=["failure_load", "failure_load_bw"])
    assert "No failure load" in page.answer(result)[0]


def test_a_figure_that_fails_does_not_fail_the_run(tmp_path, monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("no ink")

    monkeypatch.setattr(pictures, "risk", broken)
    made = figures.write(comparison(), tmp_path, formats=("png",))
    assert [one.name for one in made.pictures] == ["setup", "comparison"]
    assert made.notes == ("The figure risk could not be drawn: RuntimeError: no ink",)


def test_without_figures_the_reason_is_in_the_report(tmp_path):
    folder.write(comparison(), tmp_path / "out", figures=False)
    assert "Figures were not asked for." in (tmp_path / "out" / "report.html").read_text()


def test_an_error_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder.export, "write_vtu", full)
    with pytest.raises(StudyError, match="No space left"):
        folder.write(comparison(), tmp_path / "out", figures=False)
    assert list(tmp_path.iterdir()) == []


def test_colours_are_the_same_in_every_panel():
    looks = figures.looks(comparison())
    codes = pictures.codes_of(looks)
    assert set(codes) == {"cortical_bone", "trabecular_bone", "tumour_tissue", "pmma", "polyurethane"}


def test_excluded_cells_have_no_risk():
    result = comparison()
    look = figures.looks(result)[0]
    excluded = result.results["intact"].fields["excluded"] > 0
    assert np.isnan(look.risk[excluded]).all()
    assert np.isfinite(look.risk[~excluded]).all()


@pytest.mark.parametrize(
    ("values", "gap"), [([0.0, 0.0, 0.0], 1.0), ([3.0, 1.0, 2.9], 1.0), ([5.0], 2.0), ([0, 10, 20], 1), ([], 1.0)]
)
def test_labels_do_not_overlap_and_stay_near(values, gap):
    placed = layout.spread(values, gap)
    assert np.all(np.diff(np.sort(placed)) >= gap - 1e-9)
    if len(values):
        assert placed.mean() == pytest.approx(np.mean(values))


@pytest.mark.parametrize(("about", "bar"), [(33.0, 20), (50.0, 50), (0.7, 0.5), (199.0, 100)])
def test_scale_bars_are_round(about, bar):
    assert layout.round_length(about) == pytest.approx(bar)


def test_charts_survive_missing_and_infinite_values():
    frame = comparison().frame.copy()
    frame.loc["intact", "failure_load"] = math.inf
    frame.loc["cement", "failure_load"] = math.nan
    frame["stiffness_recovery"] = math.nan
    figure = charts.comparison(frame)
    assert len([axes for axes in figure.axes if axes.get_title(loc="left")]) == 2
    nothing = charts.comparison(frame[["load"]])
    assert "No stiffness" in nothing.axes[0].texts[0].get_text()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234.56, "1 235"),
        (0.5, "0.5000"),
        (float("inf"), "-"),
        (None, "-"),
        (0, "0"),
        ("neck", "neck"),
        (3e-9, "3.0e-09"),
    ],
)
def test_numbers_as_text(value, text):
    assert number(value) == text


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Debian's chromium is not installed")
def test_the_3d_view_draws_in_a_real_browser(written, tmp_path):
    # the page tells how many triangles it drew; the picture must hold the colours of bone
    command = [
        "chromium", "--headless", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader", "--enable-logging=stderr", "--virtual-time-budget=20000",
        f"--user-data-dir={tmp_path}", "--host-resolver-rules=MAP * ~NOTFOUND", "--dump-dom",
        (written / "report.html").as_uri(),
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "CONSOLE" not in run.stderr, [line for line in run.stderr.splitlines() if "CONSOLE" in line]
    drawn = re.search(r'data-triangles="(\d+)"', run.stdout)
    assert drawn is not None
    assert int(drawn[1]) > 5000
    assert "Drag to turn" in run.stdout


def test_pictures_in_the_page_are_the_files(written):
    sources = [attributes["src"] or "" for tag, attributes in _parsed(written).tags if tag == "img"]
    inside = {base64.b64decode(source.split(",", 1)[1]) for source in sources}
    assert inside == {file.read_bytes() for file in (written / "figures").glob("*.png")}


def test_vtu_is_whole(written):
    result = comparison()
    grid = pyvista.read(next(written.glob("cases/both-*/solution.vtu")))
    assert grid.n_cells == len(result.mesh.cells)
    assert np.allclose(grid.cell_data["risk"], result.results["both"].fields["risk"], rtol=1e-6)
    assert {"displacement"} <= set(grid.point_data.keys())

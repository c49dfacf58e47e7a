"""Folder, report and figures of a comparison: complete, equal to the table, and nothing half-written."""

from __future__ import annotations

import html as entities
import json
import math
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import pyvista

import femsim as fs
from femsim.errors import InputError, StudyError
from femsim.fields import FIELDS
from femsim.report import answer, charts, figures, folder, gallery, layout, methods, page, pictures, tables
from femsim.report.text import number
from tests.report.fake import comparison


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
        "CITATION.md", "cases", "comparison.json", "comparison.toml", "figures", "provenance.json", "report.html",
        "table.csv", "table.parquet",
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


def _value(text: str) -> float:
    """A number as the page writes it: with thin spaces, a minus sign and perhaps an error behind it."""
    return float(re.sub(r"[\s\u202f\u00a0]", "", text.split("±")[0]).replace("\u2212", "-"))


def test_numbers_of_the_report_are_those_of_the_table(written):
    table = pd.read_parquet(written / "table.parquet")
    rows = {row[0].split("  ")[0].strip(): row[1:] for row in _parsed(written).rows}
    heads = rows["quantity"]
    assert heads == [answer.label(comparison(), name) for name in table.index]
    compared = 0
    for column in ("stiffness", "stiffness_of_intact", "stiffness_recovery", "failure_load", "cement_volume"):
        title = f"{column.replace('_', ' ')} {FIELDS[column].unit}"
        for shown, exact in zip(rows[title], table[column], strict=True):
            if math.isfinite(exact):
                assert _value(shown) == pytest.approx(exact, rel=6e-4, abs=1e-12)
                compared += 1
            else:
                assert shown == "-"
    assert compared >= 22
    assert [_value(cell) for cell in rows["largest factor of risk"]] == pytest.approx(
        list(table["maximum_risk"]), rel=6e-4
    )


def test_error_bars_brackets_and_nonlinear_numbers_are_those_of_the_table(tmp_path):
    """Every number of every column, read from the page as text and from the file of the table."""
    result = comparison()
    for index, one in enumerate(result.results.values()):
        load = float(one.metrics["failure_load"])
        one.metrics |= {
            "nonlinear_failure_load": 1.3271 * load, "nonlinear_failure_load_error": 0.7 + index,
            "nonlinear_peak_reached": "yes" if index != 1 else "no, a lower bound", "yield_load": 1.1113 * load,
            "energy_to_peak": 1.234 * (index + 1), "failure_load_low": 0.9123 * load,
            "failure_load_high": 1.0457 * load,
            "failure_load_assumption": "pmma.E",
        }  # fmt: skip
    result.frame = pd.DataFrame([one.metrics for one in result.results.values()]).set_index("strategy")
    folder.write(result, tmp_path / "out", figures=False)
    table = pd.read_parquet(tmp_path / "out" / "table.parquet")
    shown = {row[0].split("  ")[0].strip(): row[1:] for row in _parsed(tmp_path / "out").rows}
    for column in ("failure_load", "nonlinear_failure_load", "yield_load", "energy_to_peak", "stiffness"):
        cells = shown[f"{column.replace('_', ' ')} {FIELDS[column].unit}"]
        for cell, (_, row) in zip(cells, table.iterrows(), strict=True):
            assert _value(cell.split("(")[0]) == pytest.approx(row[column], rel=6e-4)
            if f"{column}_error" in table:
                assert float(cell.split("±")[1].split("%")[0]) == pytest.approx(row[f"{column}_error"], abs=0.051)
            if f"{column}_low" in table:
                low, high = (_value(end) for end in cell.split("(")[1].rstrip(")").split(" to "))
                assert (low, high) == pytest.approx((row[f"{column}_low"], row[f"{column}_high"]), rel=6e-4)
    line = next(one for one in answer.answer(result).lines if one.startswith("Followed beyond yield"))
    assert f"cement {number(table['nonlinear_failure_load']['cement'])} N" in line
    told = " ".join(methods.paragraphs(methods.facts(result)))
    assert "followed to failure" in told
    assert "all linearly elastic" not in told
    assert set(methods.BEYOND_YIELD) <= set(methods.reference_keys(methods.facts(result)))
    assert "followed to failure" not in " ".join(methods.paragraphs(methods.facts(comparison())))
    assert f"untreated at least {number(table['nonlinear_failure_load']['untreated'])} N" in line


def test_the_board_shows_the_failure_loads_of_the_table(written):
    table = pd.read_parquet(written / "table.parquet")
    board = answer.answer(comparison())
    assert [_value(row.value.removesuffix(" N")) for row in board.rows] == list(table["failure_load"])
    lengths = np.array([row.length for row in board.rows])
    assert np.allclose(lengths / lengths[0], table["failure_load"] / table["failure_load"].iloc[0])
    assert board.given / board.rows[0].length == pytest.approx(1750 / 9800)
    assert board.given_text == "1 750 N"
    text = (written / "report.html").read_text()
    assert all(f"width:{row.length:.2f}%" in text for row in board.rows)


def test_the_report_is_rebuilt_from_the_folder_alone(written, tmp_path):
    out = tmp_path / "elsewhere"
    shutil.copytree(written, out)
    first = (out / "report.html").read_text()
    for name in ("report.html", "CITATION.md"):
        (out / name).unlink()
    shutil.rmtree(out / "figures")
    assert folder.rebuild(out) == out / "report.html"
    again = (out / "report.html").read_text()
    # fields are stored in single precision, so a colour may differ by one level; no text may
    assert _texts(again) == _texts(first)
    assert (out / "CITATION.md").read_text() == (written / "CITATION.md").read_text()
    assert {path.name for path in out.iterdir()} == {path.name for path in written.iterdir()} - {"figures"}


def test_a_folder_is_loaded_as_the_results_it_holds(written, tmp_path):
    result, original = fs.load(written), comparison()
    assert list(result.results) == list(original.results)
    assert len(result) == len(original.results)
    pd.testing.assert_frame_equal(result.frame, pd.read_parquet(written / "table.parquet"))
    assert result.frame.attrs["units"]["failure_load"] == "N"
    assert f"<th>{FIELDS['failure_load'].label}</th>" in result._repr_html_()
    assert "NaN" not in result._repr_html_()
    name = list(original.results)[1]
    assert result[name].metrics["failure_load"] == pytest.approx(original.results[name].metrics["failure_load"])
    grid = result[name].grid
    assert grid.n_cells == len(original.mesh.cells)
    np.testing.assert_allclose(
        np.asarray(grid["displacement"]), original.results[name].fields["displacement"], rtol=1e-6, atol=1e-9
    )
    assert result.figure("comparison", path=tmp_path / "bars.pdf") is not None
    assert (tmp_path / "bars.pdf").is_file()
    with pytest.raises(InputError, match="no strategy 'nail'"):
        result["nail"]
    with pytest.raises(InputError, match="no field 'colour'"):
        result[name].plot("colour")
    with pytest.raises(InputError, match="no output folder"):
        fs.load(tmp_path)


def _texts(page: str) -> list[str]:
    """What a reader sees: everything outside scripts and drawings."""
    bare = re.sub(r"<(script|svg|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    return [line for part in re.split(r"<[^>]*>", bare) if (line := part.strip())]


def test_a_damaged_or_foreign_folder_is_refused(written, tmp_path):
    with pytest.raises(InputError, match="no output folder"):
        folder.rebuild(tmp_path)
    out = tmp_path / "out"
    shutil.copytree(written, out)
    (out / "comparison.json").write_text("{")
    with pytest.raises(StudyError, match="cannot be read"):
        folder.rebuild(out)
    shutil.copy(written / "comparison.json", out)
    next(out.glob("cases/intact-*/solution.vtu")).unlink()
    with pytest.raises(StudyError, match="missing"):
        folder.rebuild(out)


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
    close = answer.answer(comparison(error=4.0))
    assert close.headline == "Cement + catheter <2> and cement hold best and cannot be told apart."
    assert [row.best for row in close.rows] == [False, False, True, False, True]
    sharp = answer.answer(comparison(error=1.0))
    assert sharp.headline == "Cement + catheter <2> holds best."
    assert "85 % of the intact bone and 2.6 times the untreated one" in sharp.lines[0]
    assert "at most 1.0 %" in sharp.lines[-1]
    blind = answer.answer(comparison(error=None))
    assert "No error bar" in blind.lines[-1]
    # 8300 and 8120 N differ by less than a run without an error bar can tell
    assert "cannot be told apart" in blind.headline


def test_an_error_bar_wider_than_the_number_tells_nothing_apart_and_ends_at_zero():
    found = answer.answer(comparison(error=400.0))
    assert found.headline.endswith("cannot be told apart.")
    assert "best" not in found.headline
    assert not any(row.best for row in found.rows)
    assert all(row.lower == 0 and row.length + row.error <= 100 for row in found.rows)
    sharp = answer.answer(comparison(error=4.0)).rows[0]
    assert sharp.lower == pytest.approx(sharp.length * 0.96)


def test_answer_says_what_bears_the_load_as_given():
    result = comparison()
    assert answer.answer(result).lines[1] == "All of them bear the load as given (walking)."
    result.frame = result.frame.copy()
    result.frame["maximum_risk"] *= 2.2
    text = answer.answer(result).lines[1]
    assert text.startswith(
        "Cement and cement + catheter <2> bear the load as given (walking); untreated and cement-filled"
    )
    assert text.endswith("would fail under it.")
    assert [row.holds for row in answer.answer(result).rows] == [True, False, True, False, True]


def test_answer_without_failure_loads():
    result = comparison()
    result.frame = result.frame.drop(columns=["failure_load", "failure_load_bw"])
    found = answer.answer(result)
    assert "No failure load" in found.headline
    assert found.rows == ()


def test_methods_and_citation_say_what_was_run(written):
    text = (written / "CITATION.md").read_text()
    for words in ("Reilly", "Heller", "pmma", "walking".capitalize(), "right femur", "interfaces are bonded"):
        assert words in text
    assert "polyurethane" in text  # the wall of the catheter
    plain = comparison()
    for one in plain.results.values():
        one.material = np.zeros_like(one.material)
    assert "pmma" not in "".join(methods.paragraphs(methods.facts(plain)))


def test_every_section_of_the_contents_is_there(written):
    parser = _parsed(written)
    anchors = {attributes["href"] for tag, attributes in parser.tags if tag == "a"}
    ids = [attributes["id"] for _, attributes in parser.tags if "id" in attributes]
    assert {anchor.removeprefix("#") for anchor in anchors} <= set(ids)
    assert len(ids) == len(set(ids))
    assert {"#answer", "#model", "#table", "#fields", "#mesh", "#checks", "#warnings", "#use"} <= anchors


def test_warnings_and_errors_are_always_there():
    result = comparison()
    result.warnings = ()
    text = page.html(figures.Prepared(result), folder.provenance_of(result), pictures=False)
    assert text.count("<li>none</li>") == 2
    result.warnings = ("wall <left> out",)
    text = page.html(figures.Prepared(result), folder.provenance_of(result), pictures=False)
    assert text.count("<li>none</li>") == 1
    assert "<li>wall &lt;left&gt; out</li>" in text


def test_a_check_that_fails_is_marked():
    result = comparison()
    result.frame = result.frame.copy()
    result.frame.loc["cement", "energy_residual"] = 2e-3
    rows = dict(tables.checks(result)[1])
    assert [good for _, good in rows["Cement"]] == [True, True, False, True]
    assert all(good for _, good in rows["Untreated"])


def test_a_figure_that_fails_does_not_fail_the_run(tmp_path, monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("no ink")

    monkeypatch.setattr(pictures, "risk", broken)
    made = figures.write(figures.Prepared(comparison()), tmp_path, formats=("png",))
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


def test_a_drawing_that_fails_does_not_fail_the_page(monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("no ink")

    monkeypatch.setattr(gallery.tiles, "whole", broken)
    made = gallery.draw(figures.Prepared(comparison()))
    assert made.whole is None
    assert len(made.materials) == 5
    assert made.notes == ("The whole bone could not be drawn: RuntimeError: no ink",)


def test_drawings_follow_the_theme_and_share_no_id(written):
    text = (written / "report.html").read_text()
    drawings = re.findall(r"<svg .*?</svg>", text, flags=re.DOTALL)
    assert len(drawings) >= 5 + 2 * 5
    for drawing in drawings:
        assert 'role="img"' in drawing
        assert "currentColor" in drawing
        assert "#222222" not in drawing
        assert len(re.search(r'aria-label="([^"]*)"', drawing)[1]) > 30


def test_vtu_is_whole(written):
    result = comparison()
    grid = pyvista.read(next(written.glob("cases/both-*/solution.vtu")))
    assert grid.n_cells == len(result.mesh.cells)
    assert np.allclose(grid.cell_data["risk"], result.results["both"].fields["risk"], rtol=1e-6)
    assert {"displacement"} <= set(grid.point_data.keys())

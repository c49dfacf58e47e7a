"""The documentation: it builds without a warning, and the tutorial is what its script can follow."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from femsim.case import toml_io
from femsim.case.model import Comparison
from femsim.cli import main

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tutorial() -> ModuleType:
    spec = importlib.util.spec_from_file_location("follow_tutorial", ROOT / "tools" / "follow_tutorial.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["follow_tutorial"] = module
    spec.loader.exec_module(module)
    return module


def test_the_site_builds_without_a_warning(tmp_path):
    pytest.importorskip("sphinx", reason='sphinx is not installed (pip install "femsim[docs]")')
    pytest.importorskip("furo", reason='furo is not installed (pip install "femsim[docs]")')
    pytest.importorskip("myst_nb", reason='myst-nb is not installed (pip install "femsim[docs]")')
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("_build", "_made"))
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "docs", "site"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "FEMSIM_DOCS_EXAMPLES": "0", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    api = (tmp_path / "site" / "api.html").read_text()
    for name in ("ComparisonResult", "paper.figure", "RigidityCurve", "PairedDifference", "Stage"):
        assert name in api


@pytest.mark.slow
def test_the_notebook_runs_in_a_kernel_and_shows_pictures(tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat", reason='nbformat is not installed (pip install "femsim[docs]")')
    nbclient = pytest.importorskip("nbclient", reason='nbclient is not installed (pip install "femsim[docs]")')
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    book = nbformat.read(ROOT / "examples" / "notebook.ipynb", as_version=4)
    nbclient.NotebookClient(book, timeout=500, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = [[set(one.get("data", {})) for one in cell.get("outputs", ())] for cell in book.cells]
    assert any("text/html" in data for data in said[1])  # the comparison shows itself as a table
    for number in (5, 7, 9):
        assert any("image/png" in data for data in said[number]), book.cells[number].source
    assert "bad X server" not in str(book)


def test_the_cells_of_the_notebook_are_code_without_stored_results():
    book = json.loads((ROOT / "examples" / "notebook.ipynb").read_text())
    cells = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    assert len(cells) >= 5
    for cell in cells:
        compile("".join(cell["source"]), "notebook.ipynb", "exec")
        assert cell["outputs"] == []  # what is shown is what the present code makes


def test_the_tutorial_is_steps_that_can_be_followed(tutorial, tmp_path):
    found = tutorial.steps(tutorial.PAGE.read_text())
    files = {step.caption: step.text for step in found if step.caption}
    assert set(files) == {"case.toml", "figure.py"}
    commands = "".join(step.text for step in found if step.language == "sh")
    assert [line.split("/")[-1].split()[1] for line in commands.splitlines() if "bin/femsim" in line] == [
        "check", "compare", "report",
    ]  # fmt: skip
    (tmp_path / "case.toml").write_text(files["case.toml"])
    case = toml_io.parse(Comparison, toml_io.read(tmp_path / "case.toml"), "case.toml")
    assert list(case.strategies) == ["untreated", "cement"]
    assert case.mesh.near == 5.0
    compile(files["figure.py"], "figure.py", "exec")


def test_verbs_and_files_named_in_the_pages_exist(capsys):
    assert main(["--help"]) == 0
    known = set(re.findall(r"^\W*([a-z]+)\s", capsys.readouterr().out, re.MULTILINE))
    for page in (ROOT / "docs").rglob("*.rst"):
        if "_made" in page.parts or "_build" in page.parts:
            continue
        text = page.read_text()
        for verb in re.findall(r"``femsim ([a-z]+)", text):
            assert verb in known, f"{page.name}: femsim {verb}"
        for name in re.findall(r"``((?:tests|tools|examples)/[\w./]+)``", text):
            assert (ROOT / name).exists(), f"{page.name}: {name}"

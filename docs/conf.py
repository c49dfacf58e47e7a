"""The documentation site: sphinx-build -W -b html docs docs/_build (extra: docs).

The gallery runs the examples on a coarse mesh; FEMSIM_DOCS_EXAMPLES=0 leaves that out.
"""

from __future__ import annotations

import importlib.util
import os
from importlib import metadata
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
project, author, copyright = "femsim", "femsim developers", "femsim developers, BSD-3-Clause"
release = metadata.version("femsim")
extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax", "sphinx.ext.viewcode", "myst_nb"]
# the notebook is run when the site is built, and an error in it ends the build
nb_execution_mode = "off" if os.environ.get("FEMSIM_DOCS_EXAMPLES", "1") == "0" else "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_execution_show_tb = True
nb_merge_streams = True
html_theme = "furo"
html_title = f"femsim {release}"
exclude_patterns = ["_build"]
autodoc_typehints = "none"  # the docstrings say types, shapes and units
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
default_role = "code"
html_static_path: list[str] = []


def _references() -> None:
    """A page of every source that a number of femsim comes from."""
    from femsim import sourced

    lines = ["References", "==========", "", "Keys as in the libraries (``femsim info materials``).", ""]
    for key, one in sorted(sourced.references().items()):
        text = _plain(one.text).replace("`", "'")
        lines += [f"``{key}``", f"    {text}", ""]
    _write(HERE / "_made" / "references.rst", "\n".join(lines))


def _fields() -> None:
    """A page of every field and column, from the table that names them."""
    from femsim.fields import FIELDS

    lines = ["Fields and columns", "==================", "", ".. list-table::", "   :header-rows: 1", ""]
    rows = [("name", "unit", "where", "meaning")]
    rows += [(f"``{f.name}``", f.unit, f.location, f.meaning) for f in FIELDS.values()]
    for name, *cells in rows:
        lines += [f"   * - {name}", *(f"     - {_plain(cell)}" for cell in cells)]
    _write(HERE / "_made" / "fields.rst", "\n".join([*lines, ""]))


def _plain(text: str) -> str:
    """Text in which nothing is markup."""
    return text.replace("|", r"\|").replace("*", r"\*")


def _examples() -> None:
    """Run the examples, so that the gallery shows what they make."""
    made = HERE / "_made" / "compare_femur.png"
    if os.environ.get("FEMSIM_DOCS_EXAMPLES", "1") == "0" and made.exists():
        return
    source = HERE.parent / "examples" / "compare_femur.py"
    spec = importlib.util.spec_from_file_location("compare_femur", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if os.environ.get("FEMSIM_DOCS_EXAMPLES", "1") == "0":
        from matplotlib.figure import Figure

        Figure(figsize=(2, 1)).savefig(made)  # stands in its place where examples are not run
        return
    table = module.compare(near=4.0, far=8.0)
    module.draw(table, made)
    table.figure("risk", path=HERE / "_made" / "risk.png")


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(exist_ok=True)
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")


def _notebook() -> None:
    """The example notebook, among the sources."""
    _write(HERE / "_made" / "notebook.ipynb", (HERE.parent / "examples" / "notebook.ipynb").read_text(encoding="utf-8"))


def setup(app: Any) -> None:
    """Make the generated pages before sphinx looks for its sources."""
    _notebook()
    _references()
    _fields()
    _examples()

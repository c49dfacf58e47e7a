"""The table of the verification: for people, as Markdown, and for machines."""

from __future__ import annotations

import importlib.metadata
import math
import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

from femsim.verify.registry import Row

HEAD = ("case", "quantity", "kind", "source", "reference", "femsim", "unit", "digits", "tolerance", "pass")


def versions() -> dict[str, str]:
    """Versions of femsim and of everything that has a part in the numbers."""
    found = {name: _version(name) for name in ("femsim", "numpy", "scipy", "numba", "gmsh")}
    found["python"] = platform.python_version()
    found["ccx"] = _ccx()
    found["machine"] = f"{platform.system()} {platform.machine()}"
    return found


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        import femsim

        return str(getattr(femsim, "__version__", "not installed")) if name == "femsim" else "not installed"


def _ccx() -> str:
    program = shutil.which("ccx")
    if program is None:
        return "not installed"
    told = subprocess.run([program, "-v"], capture_output=True, text=True, check=False, timeout=30).stdout
    match = re.search(r"Version (\S+)", told)
    return match.group(1) if match else "unknown"


def cells(row: Row) -> tuple[str, ...]:
    """One row as text."""
    verdict = {True: "yes", False: "NO", None: "skipped"}[row.passed]
    digits = "" if math.isnan(row.digits) else f"{row.digits:.1f}"
    return (
        row.case, row.quantity.replace("_", " "), row.kind, row.source, _number(row.reference), _number(row.value),
        row.unit, digits, row.tolerance, verdict,
    )  # fmt: skip


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.7g}"


def summary(rows: Sequence[Row]) -> str:
    """How many passed, by kind of reference."""
    good, bad = sum(r.passed is True for r in rows), sum(r.passed is False for r in rows)
    skipped = sum(r.passed is None for r in rows)
    kinds = ", ".join(
        f"{sum(r.kind == k and r.passed is True for r in rows)} {k}" for k in dict.fromkeys(r.kind for r in rows)
    )
    cases = len({r.case for r in rows})
    return f"{cases} cases, {len(rows)} numbers: {good} pass ({kinds}), {bad} fail, {skipped} skipped."


def markdown(rows: Sequence[Row]) -> str:
    """The whole report as Markdown: versions, table, what each case is, notes."""
    lines = [
        "# Verification", "",
        "This file is what `femsim verify --markdown` printed. Digits are -log10 of the relative difference (of the "
        "value itself where the reference is zero). `femsim verify --only NAME` runs one case on your machine.", "",
        ", ".join(f"{name} {value}" for name, value in versions().items()), "",
        summary(rows), "",
        "| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD),
    ]  # fmt: skip
    lines += ["| " + " | ".join(part.replace("|", "/") for part in cells(row)) + " |" for row in rows]
    lines += ["", "## Cases", ""]
    lines += [f"- **{name}**: {title}" for name, title in dict.fromkeys((r.case, r.title) for r in rows)]
    notes = dict.fromkeys((r.case, r.note) for r in rows if r.note)
    if notes:
        lines += ["", "## Notes", ""] + [f"- **{name}**: {note}" for name, note in notes]
    return "\n".join(lines) + "\n"


def data(rows: Sequence[Row]) -> dict[str, Any]:
    """The report for machines; numbers that do not exist are null."""

    def plain(value: Any) -> Any:
        return None if isinstance(value, float) and math.isnan(value) else value

    return {
        "versions": versions(),
        "summary": summary(rows),
        "passed": not any(row.passed is False for row in rows),
        "rows": [{key: plain(value) for key, value in vars(row).items()} for row in rows],
    }

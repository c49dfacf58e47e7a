#!/usr/bin/env python3
"""Follow docs/tutorial.rst word for word, in a fresh copy of the checkout and a fresh environment.

    python tools/follow_tutorial.py [FOLDER]

Files are written as the page shows them, commands run as they stand there; the first one that fails ends it. Needs the
network, for pip. Afterwards the results must be there, and hold what the page says.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "tutorial.rst"
_BLOCK = re.compile(r"^\.\. code-block:: (\w+)\n((?:   :\w+: .*\n)*)\n((?:(?:   .*)?\n)+)", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """A block of the page: its language, its caption (a file name) and its text."""

    language: str
    caption: str
    text: str


def steps(page: str) -> list[Step]:
    """The code blocks of a page, in order."""
    found = []
    for language, options, body in _BLOCK.findall(page):
        caption = re.search(r":caption: (\S+)", options)
        text = "\n".join(line[3:] for line in body.splitlines()).strip() + "\n"
        found.append(Step(language, caption[1] if caption else "", text))
    return found


def follow(folder: Path, page: str) -> None:
    """Do what the page says in `folder`; raises where a command fails."""
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    for step in steps(page):
        if step.caption:
            print(f"-- {step.caption}", flush=True)
            (folder / step.caption).write_text(step.text, encoding="utf-8")
        elif step.language == "sh":
            for command in step.text.splitlines():
                print(f"$ {command}", flush=True)
                subprocess.run(command, shell=True, cwd=folder, env=clean, check=True)
        else:
            raise SystemExit(f"a {step.language} block without a file name cannot be followed")


def check(folder: Path) -> None:
    """What the page promises."""
    for name in ("first/report.html", "first/table.csv", "first/CITATION.md", "risk.pdf", "comparison.pdf"):
        file = folder / name
        if not file.is_file() or file.stat().st_size < 500:
            raise SystemExit(f"{name} is missing or empty")
    with (folder / "first/table.csv").open(newline="") as stream:
        rows = {row["strategy"]: float(row["failure_load [N]"]) for row in csv.DictReader(stream)}
    if not rows["untreated"] < rows["cement"] <= 1.05 * rows["intact"]:
        raise SystemExit(f"the failure loads make no sense: {rows}")
    print(f"The tutorial works. Failure loads: {rows}")


def main() -> None:
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="femsim-tutorial-"))
    folder = given / "checkout"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for name in (one for one in listed if (ROOT / one).is_file()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    follow(folder, PAGE.read_text(encoding="utf-8"))
    check(folder)


if __name__ == "__main__":
    main()

"""A real browser for the tests: Debian's chromium driven by playwright, with the network cut."""

from __future__ import annotations

import functools
import io
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest

ARGUMENTS = [
    "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip
#: Said by the software renderer when a test takes a picture; no fault of the page.
HARMLESS = ("GPU stall due to ReadPixels",)


@contextmanager
def chromium() -> Iterator[Any]:
    """A running browser; skips where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no chromium here (apt-get install chromium)")
    with playwright.sync_playwright() as run:
        browser = run.chromium.launch(executable_path=program, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def watched(page: Any) -> list[str]:
    """What the page complains about from now on: console messages, errors, failed requests."""
    found: list[str] = []

    def said(message: Any) -> None:
        if message.type in ("error", "warning") and not any(text in message.text for text in HARMLESS):
            found.append(f"{message.type}: {message.text}")

    page.on("console", said)
    page.on("pageerror", lambda error: found.append(f"exception: {error}"))
    page.on("requestfailed", lambda request: found.append(f"request: {request.url}"))
    return found


def picture(page: Any) -> np.ndarray:
    """The 3-D view as it is now, (h, w, 3)."""
    return matplotlib.image.imread(io.BytesIO(page.locator("#viewer canvas").screenshot()))[..., :3]


def changed(page: Any, act: Any) -> float:
    """Share of the pixels of the canvas that an action changes."""
    before, share = picture(page), 0.0
    act()
    for _ in range(12):  # a busy machine takes its time to draw
        page.wait_for_timeout(400)
        share = float((np.abs(before - picture(page)).max(axis=-1) > 0.02).mean())
        if share:
            break
    return share


@functools.cache
def axe_core() -> str:
    """The accessibility checker, fetched once for the session; skips where it cannot be."""
    if shutil.which("npm") is None:
        pytest.skip("no npm here, so no axe-core")
    with tempfile.TemporaryDirectory() as place:
        try:
            done = subprocess.run(
                ["npm", "pack", "axe-core@4", "--silent"], cwd=place, capture_output=True, text=True, timeout=120,
                check=True,
            )  # fmt: skip
            with tarfile.open(Path(place) / done.stdout.strip().splitlines()[-1]) as archive:
                file = archive.extractfile("package/axe.min.js")
                assert file is not None
                return file.read().decode()
        except (OSError, subprocess.SubprocessError, tarfile.TarError) as error:
            pytest.skip(f"axe-core could not be fetched: {error}")


def serious_faults(page: Any, axe: str) -> dict[str, list[str]]:
    """What axe-core calls serious or critical on a page, everything that unfolds unfolded."""
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert len(found["passes"]) > 10  # it did look
    return {
        one["id"]: [node["html"][:200] for node in one["nodes"][:3]]
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    }

"""Rendering with OpenGL where there is no display, kept away from the process that holds the results.

The figures of a study do not need it (`femsim.view.raster` draws them); screenshots of the interactive viewer do.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

#: Ways to get an OpenGL context without a display, tried in order.
_WINDOWS = ("vtkEGLRenderWindow", "vtkOSOpenGLRenderWindow")


def environment(window: str = "") -> dict[str, str]:
    """The environment for a process that renders; without a display on Linux, EGL unless `window` names another."""
    found = dict(os.environ)
    if sys.platform.startswith("linux") and not found.get("DISPLAY"):
        found.setdefault("VTK_DEFAULT_OPENGL_WINDOW", _WINDOWS[0])
        if window:
            found["VTK_DEFAULT_OPENGL_WINDOW"] = window
    return found


def run(arguments: Sequence[str], made: Path, timeout: float = 120.0) -> str:
    """Run ``python -m femsim.view.viewer ARGUMENTS`` so that a crash of the graphics driver ends only that process.

    Parameters
    ----------
    arguments : sequence of str
    made : Path
        The file that must exist afterwards.
    timeout : float
        Seconds for each attempt.

    Returns
    -------
    str
        Empty when the file was made, else the reason why nothing could be rendered.
    """
    reason = ""
    windows = _WINDOWS if not os.environ.get("DISPLAY") and sys.platform.startswith("linux") else ("",)
    for window in windows:
        command = [sys.executable, "-m", "femsim.view.viewer", *arguments]
        try:
            done = subprocess.run(
                command, env=environment(window), capture_output=True, text=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired:
            reason = f"rendering took more than {timeout:g} s"
            continue
        if done.returncode == 0 and made.exists():
            return ""
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        reason = f"rendering ended with code {done.returncode}: {last}"
    return f"Nothing could be rendered here: {reason}"

"""Rendering with OpenGL in a process of its own: a crash of a graphics driver ends only that process.

The figures of a study do not need it (`femsim.view.raster` draws them); the interactive viewer does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from femsim.errors import FemsimError, InputError

#: Ways to get an OpenGL context without a display, tried in order: the driver's own, then by software.
WINDOWS = ("vtkEGLRenderWindow", "vtkOSOpenGLRenderWindow")


def environment(window: str = "") -> dict[str, str]:
    """The environment for a process that renders; without a display on Linux, EGL unless `window` names another."""
    found = dict(os.environ)
    if sys.platform.startswith("linux") and not found.get("DISPLAY"):
        found.setdefault("VTK_DEFAULT_OPENGL_WINDOW", WINDOWS[0])
        if window:
            found["VTK_DEFAULT_OPENGL_WINDOW"] = window
    return found


def headless() -> bool:
    """Whether there is no display to open a window on."""
    return sys.platform.startswith("linux") and not os.environ.get("DISPLAY")


def run(arguments: Sequence[str], made: Sequence[Path], timeout: float = 600.0) -> str:
    """Run ``python -m femsim.view.viewer ARGUMENTS`` where there may be no display.

    Parameters
    ----------
    arguments : sequence of str
    made : sequence of Path
        The files that must exist afterwards.
    timeout : float
        Seconds for each attempt.

    Returns
    -------
    str
        Empty when the files were made, else the reason why nothing could be rendered.

    Raises
    ------
    InputError
        If what was asked for is not there: another way of rendering would not help.
    """
    reason = ""
    for window in WINDOWS if headless() else ("",):
        command = [sys.executable, "-m", "femsim.view.viewer", *arguments]
        try:
            done = subprocess.run(
                command, env=environment(window), capture_output=True, text=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired:
            reason = f"rendering took more than {timeout:g} s"
            continue
        if done.returncode == 0 and all(file.exists() for file in made):
            return ""
        lines = done.stderr.strip().splitlines() or ["no message"]
        if done.returncode == 1 and len(lines) >= 3 and not any("Traceback" in line for line in lines):
            raise InputError(*lines[-3:])
        reason = f"rendering ended with code {done.returncode}: {lines[-1]}"
    return f"Nothing could be rendered here: {reason}"


def show(arguments: Sequence[str], made: Sequence[Path]) -> None:
    """Open the window of the viewer, or write pictures and films where files are named.

    Raises
    ------
    InputError
        If there is no display and no file was named, or what was asked for is not there.
    FemsimError
        If nothing can be rendered on this machine.
    """
    if not made and headless():
        raise InputError(
            "There is no display to open a window on.",
            "The viewer needs one.",
            "Give --screenshot FILE or --web, or open report.html in a browser: it holds the model too.",
        )
    for file in made:
        if not file.absolute().parent.is_dir():
            raise InputError(
                f"The folder of {file} does not exist.", "Nothing could be written.", "Make it, or name another file."
            )
    reason = run(arguments, made, timeout=600.0 if made else 7 * 24 * 3600.0)
    if reason:
        raise FemsimError(
            reason,
            "The viewer needs OpenGL; the report and its figures do not.",
            "Open report.html instead, or install libegl1 and libgl1-mesa-dri (Debian, Ubuntu).",
        )


def serve(arguments: Sequence[str]) -> None:
    """Run ``python -m femsim.view.web ARGUMENTS`` until it is interrupted.

    Raises
    ------
    InputError
        If what was asked for is not there.
    FemsimError
        If the server ended by itself.
    """
    command = [sys.executable, "-m", "femsim.view.web", *arguments]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        try:
            _, said = process.communicate()
        except KeyboardInterrupt:
            process.terminate()
            return
    lines = (said or "").strip().splitlines() or ["no message"]
    if process.returncode == 1 and len(lines) >= 3 and not any("Traceback" in line for line in lines):
        raise InputError(*lines[-3:])
    if process.returncode:
        raise FemsimError(
            f"The web viewer ended with code {process.returncode}: {lines[-1]}",
            "Nothing is served any more.",
            "Open report.html instead, or use femsim view --screenshot FILE.",
        )

"""The toy that compiles the solver: whether it is sound, reaches every level, and never stands in the way."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from femsim import fem
from femsim.study import firsttime
from femsim.study.progress import Progress


def test_block_fills_its_cube_without_inverted_elements() -> None:
    points, cells = firsttime.block(3)
    assert len(cells) == 6 * 27
    corners = points[cells[:, :4]]
    volumes = np.linalg.det(corners[:, 1:] - corners[:, :1]) / 6.0
    assert np.allclose(volumes, 1.0 / 6.0)
    middles = points[cells[:, 4]]
    assert np.allclose(middles, (corners[:, 0] + corners[:, 1]) / 2)


def test_toy_is_a_problem_that_multigrid_solves() -> None:
    model, _, _ = firsttime.toy()
    solution = fem.solve(model, solver="multigrid")["pull"]
    assert solution.log.solver == "multigrid"
    assert solution.log.residual < 1e-7


def test_nothing_is_started_when_the_kernels_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firsttime, "compiled", lambda: True)
    monkeypatch.setattr(firsttime, "_start", lambda: pytest.fail("a second process was started"))
    watch = Progress(show=False)
    with firsttime.compiling(watch):
        pass
    assert watch.seconds == {}


@pytest.mark.parametrize("stopped", [False, True])
def test_other_process_is_waited_for_or_ended(monkeypatch: pytest.MonkeyPatch, stopped: bool) -> None:
    command = [sys.executable, "-c", f"import time; time.sleep({60 if stopped else 0.2})"]
    started = []

    def start() -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(command))
        return started[-1]

    monkeypatch.setattr(firsttime, "compiled", lambda: False)
    monkeypatch.setattr(firsttime, "_start", start)
    monkeypatch.setattr(firsttime.os, "cpu_count", lambda: 2)
    watch = Progress(show=False)
    try:
        with firsttime.compiling(watch):
            if stopped:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert started[0].poll() is not None
    assert (started[0].returncode == 0) is not stopped
    assert ("compilation, this once" in watch.seconds) is not stopped

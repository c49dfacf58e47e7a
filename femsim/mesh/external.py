"""Starts the process in which gmsh and MMGS run, and survives whatever happens to it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from femsim.errors import MeshError


def call(task: str, timeout: float, **data: Any) -> dict[str, NDArray[Any]]:
    """Do one task of `femsim.mesh._worker` in a process of its own.

    Parameters
    ----------
    task : {"remesh", "fill", "read_msh", "write_msh", "sicn_msh"}
        What to do.
    timeout : float
        Seconds after which the process is killed.
    **data : arrays and numbers
        The job.

    Raises
    ------
    MeshError
        If the process crashed, hung, or gave no answer.
    """
    with tempfile.TemporaryDirectory(prefix="femsim-mesh-") as folder:
        source, target = Path(folder) / "job.npz", Path(folder) / "answer.npz"
        np.savez(source, task=np.array(task), **data)
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": folder}
        command = [sys.executable, "-m", "femsim.mesh._worker", str(source), str(target)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment)
        except subprocess.TimeoutExpired as error:
            raise _failed(task, f"gave no answer within {timeout:g} s") from error
        if done.returncode != 0 or not target.exists():
            lines = (done.stderr or done.stdout).strip().splitlines()
            last = lines[-1][:300] if lines else "no message"
            raise _failed(task, f"ended with code {done.returncode}: {last}")
        with np.load(target) as answer:
            return {name: answer[name] for name in answer.files}


def _failed(task: str, how: str) -> MeshError:
    if task.endswith("_msh"):
        return MeshError(
            f"gmsh {how}.", "The file could not be read or written.", "Check that it is a mesh of gmsh, and the disk."
        )
    program = {"remesh": "MMGS", "fill": "gmsh"}[task]
    return MeshError(
        f"{program} {how}.",
        "The background mesh of the bone could not be made.",
        "Check the surface for self-intersections, or use another mesh size.",
    )

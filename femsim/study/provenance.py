"""What a run was made with: versions, machine, inputs, timings, checks and warnings."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PACKAGES = (
    "femsim",
    "numpy",
    "scipy",
    "numba",
    "gmsh",
    "mmgpy",
    "meshio",
    "pyvista",
    "vtk",
    "pydantic",
)


def versions() -> dict[str, str]:
    """Installed version of every package that can change a number; "absent" where optional and missing."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "absent"
    return found


def machine() -> dict[str, Any]:
    """Platform, processor count and thread limits in force."""
    limits = {k: v for k, v in os.environ.items() if k.endswith("_NUM_THREADS")}
    return {"platform": platform.platform(), "cores": os.cpu_count(), "thread_limits": limits}


def revision() -> str:
    """Git commit of the source femsim was imported from, or "release" where it is not a checkout."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return "release"
    try:
        command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def file_hash(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def record_time() -> str:
    """Now, in UTC, as the provenance writes it."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def record(
    *,
    case_key: str,
    inputs: Sequence[Path],
    timings: Mapping[str, float],
    checks: Mapping[str, Any],
    warnings: Sequence[str],
) -> dict[str, Any]:
    """The content of ``provenance.json``."""
    return {
        "made": record_time(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "revision": revision(),
        "versions": versions(),
        "machine": machine(),
        "case": case_key,
        "inputs": {str(path): file_hash(path) for path in inputs},
        "seconds": {name: round(value, 3) for name, value in timings.items()},
        "checks": dict(checks),
        "warnings": list(warnings),
    }

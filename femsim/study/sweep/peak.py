"""Peak memory of one case in a process that runs many."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def reset() -> None:
    """Begin anew to watch the peak, where the system can (Linux); elsewhere it is that of the process so far."""
    with suppress(OSError):
        _CLEAR.write_text("5")


def memory() -> float:
    """Largest resident memory since `reset`, GiB; nan where the system does not tell."""
    with suppress(OSError, ValueError, IndexError):
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 2**20
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return float(psutil.Process().memory_info().peak_wset) / 2**30
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**30 if sys.platform == "darwin" else peak / 2**20

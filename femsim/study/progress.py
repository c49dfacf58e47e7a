"""What a run tells while it goes: stage names with times, and nothing when nobody watches."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

logger = logging.getLogger("femsim")


@dataclass
class Progress:
    """Times the stages of a run and shows them on a terminal.

    Attributes
    ----------
    show : bool
        Whether to print. By default only when standard error is a terminal.
    seconds : dict of str to float
        Wall time of every finished stage, in order; written to ``provenance.json``.
    """

    show: bool = field(default_factory=lambda: sys.stderr.isatty())
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[list[str]]:
        """Time one stage; texts appended to the yielded list are shown beside its time."""
        notes: list[str] = []
        start = time.perf_counter()
        try:
            with _spinner(name) if self.show else _silent():
                yield notes
        finally:
            elapsed = time.perf_counter() - start
            self.seconds[name] = self.seconds.get(name, 0.0) + elapsed
        logger.info("%s: %.2f s %s", name, elapsed, " · ".join(notes))
        if self.show:
            _console().print(f"[bold]{name:<22}[/bold] {elapsed:6.1f} s   {' · '.join(notes)}", highlight=False)


@contextmanager
def _silent() -> Iterator[None]:
    yield


def _spinner(name: str):  # type: ignore[no-untyped-def]
    return _console().status(name)


def _console():  # type: ignore[no-untyped-def]
    # rich honours NO_COLOR by itself; importing it costs 0.1 s that a silent run need not pay.
    from rich.console import Console

    return Console(stderr=True)

"""Threads that share the parts of one piece of work with the thread that asks for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

Ranges = Sequence[tuple[int, int]]


class Team:
    """The calling thread and its helpers; each takes the next part when it is done with one.

    A solve hands out work some hundred times a second, so the parts wait in a queue that costs next to nothing, and
    a helper is woken once for all of them.
    """

    def __init__(self, threads: int = 1) -> None:
        self._helpers = max(0, threads - 1)
        self._pool = ThreadPoolExecutor(self._helpers) if self._helpers else None

    def __enter__(self) -> Team:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def share(self, ranges: Ranges, work: Callable[..., Any], *arguments: Any) -> list[Any]:
        """What ``work(first, end, *arguments)`` gives for each range, in their order."""
        if self._pool is None or len(ranges) < 2:
            return [work(first, end, *arguments) for first, end in ranges]
        todo, found = deque(enumerate(ranges)), [None] * len(ranges)

        def take() -> None:
            while todo:
                try:
                    place, (first, end) = todo.popleft()
                except IndexError:  # another thread was faster
                    return
                found[place] = work(first, end, *arguments)

        others = [self._pool.submit(take) for _ in range(min(self._helpers, len(ranges) - 1))]
        try:
            take()
        finally:
            for other in others:
                if not other.cancel():  # one that has not begun has nothing left to do
                    other.result()
        return found

    def at_once(self, *works: Callable[[], Any]) -> list[Any]:
        """What several pieces of work give that do not depend on each other."""
        return self.share([(k, k) for k in range(len(works))], lambda k, _: works[k]())

    def forwards(self, slabs: Ranges, work: Callable[..., None], *arguments: Any) -> None:
        """Work on slabs without a common block at once, and then on the last, the nodes in between."""
        self.share(slabs[:-1], work, *arguments)
        work(*slabs[-1], *arguments)

    def backwards(self, slabs: Ranges, work: Callable[..., None], *arguments: Any) -> None:
        """The same with the nodes in between first."""
        work(*slabs[-1], *arguments)
        self.share(slabs[:-1], work, *arguments)


#: The calling thread alone.
ALONE = Team()

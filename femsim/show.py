"""How objects show themselves: in a notebook what they print, in a box; on paper by the room that draws."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

#: Who draws a kind of result. The rooms that draw lie above those that hold results; `femsim` itself, which knows all
#: of them, names them here.
_painters: dict[str, Callable[..., Any]] = {}


def paint(kind: str, painter: Callable[..., Any]) -> None:
    """Say who draws results of a kind."""
    _painters[kind] = painter


def figure(kind: str, *arguments: Any) -> Any:
    """Draw a result of a kind."""
    return _painters[kind](*arguments)


def boxed(text: object) -> str:
    """HTML of what an object prints; its first line is the title."""
    title, _, rest = str(text).partition("\n")
    body = f'<pre style="margin:.3em 0 0">{escape(rest)}</pre>' if rest else ""
    return f'<div style="border-left:4px solid #0072b2;padding:.2em .8em"><strong>{escape(title)}</strong>{body}</div>'

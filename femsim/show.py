"""How objects show themselves in a notebook: what they print, in a box."""

from __future__ import annotations

from html import escape


def boxed(text: object) -> str:
    """HTML of what an object prints; its first line is the title."""
    title, _, rest = str(text).partition("\n")
    body = f'<pre style="margin:.3em 0 0">{escape(rest)}</pre>' if rest else ""
    return f'<div style="border-left:4px solid #0072b2;padding:.2em .8em"><strong>{escape(title)}</strong>{body}</div>'

"""Abaqus and CalculiX input text as a list of cards, each with its options, data lines and line numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from femsim.errors import InputError

#: *INCLUDE within *INCLUDE, at most so deep.
DEPTH = 10


@dataclass(frozen=True)
class Place:
    """A file and a line of it."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}"


@dataclass(frozen=True)
class Line:
    """A data line: its fields without blanks, and where it stands."""

    fields: tuple[str, ...]
    at: Place

    @property
    def given(self) -> tuple[str, ...]:
        """The fields without the empty ones that a trailing comma makes."""
        fields = self.fields
        while fields and not fields[-1]:
            fields = fields[:-1]
        return fields


@dataclass(frozen=True)
class Card:
    """A keyword with its options (both in capitals) and its data lines."""

    name: str
    options: Mapping[str, str]
    lines: tuple[Line, ...]
    at: Place

    def option(self, name: str) -> str:
        """A required option."""
        if not self.options.get(name):
            fail(self.at, f"*{self.name} has no {name}.", "The card cannot be understood without it.", f"Add {name}=.")
        return self.options[name]

    def allow(self, *names: str) -> None:
        """Stop at an option that is not one of these: it might change the answer."""
        unknown = [name for name in self.options if name not in names]
        if unknown:
            fail(
                self.at,
                f"*{self.name} has the option {unknown[0]}, which femsim does not support.",
                "It would change the answer, and nothing that does is ignored.",
                f"Remove it; understood are {', '.join(names) or 'no options'}.",
            )


def fail(at: Place, what: str, why: str, do: str) -> NoReturn:
    """Raise the three-line error of a deck."""
    raise InputError(f"{at}: {what}", why, do)


def number(text: str, at: Place, what: str) -> float:
    """A finite number; Fortran's 1.D-3 is understood."""
    try:
        value = float(text.upper().replace("D", "E"))
    except ValueError:
        fail(at, f"{what} is {text!r}, which is not a number.", "A deck holds plain numbers.", "Correct the line.")
    if not math.isfinite(value):
        fail(at, f"{what} is {text}.", "Every result would become NaN.", "Give a finite number.")
    return value


def whole(text: str, at: Place, what: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        fail(at, f"{what} is {text!r}, which is not a whole number.", "It counts or names something.", "Correct it.")


def read_cards(path: Path) -> list[Card]:
    """All cards of a deck, with *INCLUDE followed.

    Raises
    ------
    InputError
        If the file cannot be read, or data stand before the first card.
    """
    cards: list[Card] = []
    open_: list[Line] = []
    for text, at in _physical(path, 0):
        if text.startswith("*"):
            if cards:
                cards[-1] = _with_lines(cards[-1], open_)
            open_ = []
            cards.append(_keyword(text, at))
        elif cards:
            open_.append(Line(tuple(part.strip() for part in text.split(",")), at))
        else:
            fail(
                at, f"There are data ({text[:30]!r}) before the first card.", "They belong to nothing.", "Remove them."
            )
    if not cards:
        raise InputError(f"{path} has no card.", "An input deck is made of cards (*NODE, *ELEMENT, ...).", "Check it.")
    cards[-1] = _with_lines(cards[-1], open_)
    return cards


def _with_lines(card: Card, lines: list[Line]) -> Card:
    return Card(card.name, card.options, tuple(lines), card.at)


def _physical(path: Path, depth: int) -> Iterator[tuple[str, Place]]:
    """Lines without comments and blanks; keyword lines that end in a comma are joined with the next."""
    if depth > DEPTH:
        raise InputError(f"{path} includes itself.", "It would never end.", "Remove the *INCLUDE.")
    try:
        content = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "There is no deck.", "Check the path.") from error
    lines = [(text.strip(), Place(path.name, i)) for i, text in enumerate(content.splitlines(), 1)]
    lines = [(text, at) for text, at in lines if text and not text.startswith("**")]
    i = 0
    while i < len(lines):
        text, at = lines[i]
        while (
            text.startswith("*") and text.endswith(",") and i + 1 < len(lines) and not lines[i + 1][0].startswith("*")
        ):
            i += 1
            text += lines[i][0]
        i += 1
        card = _keyword(text, at) if text.startswith("*") else None
        if card is not None and card.name == "INCLUDE":
            yield from _physical(path.parent / _original(text, "INPUT", card), depth + 1)
        else:
            yield text, at


def _keyword(text: str, at: Place) -> Card:
    name, *rest = [part.strip() for part in text[1:].split(",")]
    options = {}
    for part in rest:
        if part:
            key, _, value = part.partition("=")
            options[key.strip().upper()] = value.strip().strip('"').upper()
    return Card(" ".join(name.upper().split()), options, (), at)


def _original(text: str, key: str, card: Card) -> str:
    """An option in the letters of the file: names of files may not be put in capitals."""
    card.option(key)
    for part in text.split(","):
        name, _, value = part.partition("=")
        if name.strip().upper() == key:
            return value.strip().strip('"')
    return ""

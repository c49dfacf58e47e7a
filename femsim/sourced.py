"""Numbers that know where they come from: reading the TOML libraries and ``references.bib``.

Every value a user may quote from femsim is data with ``value, unit, range, condition, source, trust``. The trust tag
says how far the number was checked:

======  =========================================================================
``V``   read in the source itself
``V2``  read in a secondary source
``C``   computed from a closed form
``M``   a standard value of general knowledge, not re-read in the source
``M?``  doubtful: shown to nobody without saying so
======  =========================================================================

Only the first three count as verified.
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from femsim.errors import FemsimError, InputError, MaterialError

#: The trust tags, most trusted first, and what each says.
TRUST = {
    "V": "read in the source",
    "V2": "read in a secondary source",
    "C": "computed from a closed form",
    "M": "standard value, not re-read",
    "M?": "doubtful",
}

_KEYS = {"value", "unit", "range", "condition", "source", "trust"}


@dataclass(frozen=True)
class Value:
    """One number of a library, in femsim's units.

    Attributes
    ----------
    value : float
        The number.
    unit : str
        Its unit; ``"-"`` for none.
    range : (float, float) or None
        Span found in the literature, same unit; None where none is known.
    condition : str
        Under which conditions it holds.
    source : tuple of str
        Keys into ``references.bib``.
    trust : str
        A key of `TRUST`.
    """

    value: float
    unit: str
    range: tuple[float, float] | None = None
    condition: str = ""
    source: tuple[str, ...] = ()
    trust: str = "M?"

    def __float__(self) -> float:
        return self.value

    @property
    def verified(self) -> bool:
        """Whether somebody read it in a source or computed it; only then may it be shown as a fact."""
        return self.trust in ("V", "V2", "C")


@dataclass(frozen=True)
class Reference:
    """One entry of ``references.bib``: its key, kind (article, book, ...) and fields as written."""

    key: str
    kind: str
    fields: Mapping[str, str]

    @property
    def text(self) -> str:
        """Authors, title, journal, year, volume, pages and DOI in one line."""
        f = self.fields
        journal = " ".join(x for x in (f.get("journal", f.get("publisher", "")), f.get("year", "")) if x)
        volume = f.get("volume", "") + (":" + f["pages"].replace("--", "-") if "pages" in f else "")
        authors = f.get("author", "").replace(" and others", " et al").replace(" and ", "; ")
        parts = [authors, f.get("title", ""), ";".join(x for x in (journal, volume) if x)]
        if "doi" in f:
            parts.append("doi:" + f["doi"])
        return ". ".join(_plain(part) for part in parts if part) + "."


def read_value(data: Mapping[str, Any], where: str) -> Value:
    """A `Value` from its TOML table; `where` names it in errors.

    Raises
    ------
    MaterialError
        If a key is unknown or missing, or the number is outside its own range.
    """
    unknown = set(data) - _KEYS
    missing = {"value", "unit", "source", "trust"} - set(data)
    if unknown or missing:
        raise MaterialError(
            f"{where}: unknown keys {sorted(unknown)}, missing keys {sorted(missing)}.",
            "A number without unit, source and trust tag cannot be published.",
            f"Give value, unit, source and trust; known keys are {', '.join(sorted(_KEYS))}.",
        )
    number, span = float(data["value"]), data.get("range")
    if data["trust"] not in TRUST or not math.isfinite(number):
        raise MaterialError(
            f"{where}: value {number} with trust tag {data['trust']!r} is not usable.",
            "The number must be finite and the tag one that is defined.",
            f"Use one of the tags {', '.join(TRUST)}.",
        )
    limits = None if span is None else (float(span[0]), float(span[1]))
    if limits is not None and not limits[0] <= number <= limits[1]:
        raise MaterialError(
            f"{where}: {number:g} lies outside its own range {limits[0]:g} to {limits[1]:g} {data['unit']}.",
            "Either the value or the range is wrong.",
            "Mend the library file.",
        )
    source = data["source"]
    sources = (source,) if isinstance(source, str) else tuple(source)
    return Value(number, str(data["unit"]), limits, str(data.get("condition", "")), sources, str(data["trust"]))


def read_library(package: str, name: str) -> dict[str, Any]:
    """The content of a TOML data file that is part of femsim, e.g. ``("femsim.material", "library.toml")``."""
    return tomllib.loads(resources.files(package).joinpath(name).read_text(encoding="utf-8"))


def choose(name: str, known: Collection[str], what: str, why: str, error: type[FemsimError] = InputError) -> str:
    """`name` where it is known, else an error with the nearest known name.

    Examples
    --------
    >>> choose("pmma", ("pmma", "marrow"), "material", "")
    'pmma'
    """
    if name in known:
        return name
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    ask = f" Did you mean {near[0]!r}?" if near else ""
    raise error(f"{what} = {name!r} is not known.{ask}", why, "Known: " + ", ".join(sorted(known)) + ".")


@cache
def references() -> Mapping[str, Reference]:
    """Every source of femsim by its key, in the order of ``references.bib``."""
    text = Path(__file__).with_name("references.bib").read_text(encoding="utf-8")
    found: dict[str, Reference] = {}
    for match in re.finditer(r"@(\w+)\s*\{\s*([\w-]+)\s*,", text):
        body = _braced(text, match.end() - 1)
        found[match[2]] = Reference(match[2], match[1].lower(), MappingProxyType(_fields(body)))
    return MappingProxyType(found)


def _plain(text: str) -> str:
    """BibTeX markup as people write it."""
    text = text.replace('{\\"u}', "ü").replace("\\%", "%")
    return re.sub(r"[{}]", "", text).rstrip(".")


def _braced(text: str, start: int) -> str:
    """Text from `start`, one level inside a brace, up to the brace that closes it."""
    depth, i = 1, start
    while depth and i < len(text):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        i += 1
    return text[start : i - 1]


def _fields(body: str) -> dict[str, str]:
    found: dict[str, str] = {}
    position = 0
    while match := re.compile(r"(\w+)\s*=\s*\{").search(body, position):
        value = _braced(body, match.end())
        found[match[1].lower()] = " ".join(value.split())
        position = match.end() + len(value) + 1
    return found

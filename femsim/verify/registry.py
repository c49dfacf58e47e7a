"""Entries as data, the functions that compute them, and the comparison of the two."""

from __future__ import annotations

import importlib
import math
import pkgutil
import time
import tomllib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from importlib import resources

from femsim.errors import FemsimWarning, InputError

#: Kinds of reference, the strongest first.
KINDS = ("ANALYTIC", "PUBLISHED", "CROSS-CODE", "REGRESSION")
#: More matching digits than a double has are not printed.
DIGITS = 15.0

Values = Mapping[str, float | tuple[float, float]]
Function = Callable[[], Values]

_FUNCTIONS: dict[str, Function] = {}


class Skip(Exception):
    """Something outside of femsim that a case needs is missing; the message says what."""


@dataclass(frozen=True)
class Quantity:
    """One number of a case.

    Attributes
    ----------
    name, unit : str
    reference : float or None
        None where the function gives it.
    tolerance, absolute, at_least : float or None
        Relative or absolute tolerance, or a lower bound; one of them.
    """

    name: str
    unit: str = "-"
    reference: float | None = None
    tolerance: float | None = None
    absolute: float | None = None
    at_least: float | None = None


@dataclass(frozen=True)
class Case:
    """One entry: what it is, where its references come from, its quantities, and the function that computes them."""

    name: str
    title: str
    kind: str
    source: str
    quantities: tuple[Quantity, ...]
    function: Function
    slow: bool = False


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes
    ----------
    case, title, quantity, unit, kind, source : str
    reference, value : float
        NaN where the case was skipped or failed to run.
    digits : float
        Matching digits, ``-log10`` of the relative difference (of the value itself where the reference is zero).
    tolerance : str
    passed : bool or None
        None where it was skipped.
    note : str
        Why it was skipped or what went wrong.
    seconds : float
        Of the whole case.
    """

    case: str
    title: str
    quantity: str
    unit: str
    kind: str
    source: str
    reference: float
    value: float
    digits: float
    tolerance: str
    passed: bool | None
    note: str = ""
    seconds: float = 0.0


def case(name: str) -> Callable[[Function], Function]:
    """Register the function of an entry of the TOML files."""

    def _register(function: Function) -> Function:
        _FUNCTIONS[name] = function
        return function

    return _register


@cache
def registry() -> Mapping[str, Case]:
    """All entries, in the order of their files.

    Raises
    ------
    InputError
        If an entry has no function, a function no entry, or a key is wrong.
    """
    package = importlib.import_module("femsim.verify.cases")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"femsim.verify.cases.{module.name}")
    found: dict[str, Case] = {}
    files = sorted(resources.files("femsim.verify.cases").iterdir(), key=lambda f: f.name)
    for file in files:
        if file.name.endswith(".toml"):
            for name, data in tomllib.loads(file.read_text(encoding="utf-8")).items():
                found[name] = _case(name, data, file.name)
    orphans = sorted(set(_FUNCTIONS) - set(found))
    if orphans:
        raise _wrong(orphans[0], "it has a function but no entry in a TOML file", "femsim/verify/cases")
    return found


def _case(name: str, data: Mapping[str, object], file: str) -> Case:
    known = {"title", "kind", "source", "slow"}
    tables = {key: value for key, value in data.items() if isinstance(value, dict)}
    extra = set(data) - known - set(tables)
    if extra or data.get("kind") not in KINDS or not data.get("title") or not data.get("source") or not tables:
        raise _wrong(name, f"its keys are {sorted(data)} and its kind is {data.get('kind')!r}", file)
    if name not in _FUNCTIONS:
        raise _wrong(name, "no function is registered under that name", file)
    quantities = []
    for key, table in tables.items():
        try:
            quantity = Quantity(key, **table)
        except TypeError as error:
            raise _wrong(name, f"quantity {key}: {error}", file) from error
        if sum(v is not None for v in (quantity.tolerance, quantity.absolute, quantity.at_least)) != 1:
            raise _wrong(name, f"quantity {key} needs one of tolerance, absolute, at_least", file)
        quantities.append(quantity)
    return Case(
        name, str(data["title"]), str(data["kind"]), str(data["source"]), tuple(quantities), _FUNCTIONS[name],
        bool(data.get("slow", False)),
    )  # fmt: skip


def _wrong(name: str, what: str, file: str) -> InputError:
    return InputError(
        f"The verification entry {name!r} of {file} is not complete: {what}.",
        "A case that is not run verifies nothing.",
        "See the docstring of femsim.verify.",
    )


def select(only: Iterable[str] = ()) -> list[Case]:
    """Entries whose name contains, or matches as a pattern, one of `only`; all without it.

    Raises
    ------
    InputError
        If a name matches nothing.
    """
    entries = list(registry().values())
    chosen: dict[str, Case] = {}
    for wanted in only:
        hits = [e for e in entries if e.name == wanted] or [
            e for e in entries if wanted in e.name or fnmatch(e.name, wanted)
        ]
        if not hits:
            raise InputError(
                f"No verification case is called {wanted!r}.",
                "Nothing would be verified.",
                f"Use one of {', '.join(e.name for e in entries)}; a part of a name, or a pattern with *.",
            )
        chosen.update((e.name, e) for e in hits)
    return list(chosen.values()) if only else entries


def run(cases: Iterable[Case]) -> Iterator[Row]:
    """Compute cases and compare; a case that breaks is a failed row, not the end of the run."""
    for one in cases:
        start = time.perf_counter()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FemsimWarning)
                values = one.function()
        except Skip as skip:
            yield from _without(one, None, f"skipped: {skip}")
            continue
        except Exception as error:  # whatever breaks one case, the others are still run
            yield from _without(one, False, f"{type(error).__name__}: {str(error).splitlines()[0]}")
            continue
        seconds = time.perf_counter() - start
        missing = set(values) ^ {q.name for q in one.quantities}
        if missing:
            yield from _without(one, False, f"quantities {sorted(missing)} are in one of data and function only")
            continue
        for quantity in one.quantities:
            yield _row(one, quantity, values[quantity.name], seconds)


def _without(one: Case, passed: bool | None, note: str) -> Iterator[Row]:
    for quantity in one.quantities:
        reference = math.nan if quantity.reference is None else quantity.reference
        yield Row(
            one.name, one.title, quantity.name, quantity.unit, one.kind, one.source, reference, math.nan, math.nan,
            _tolerance(quantity), passed, note,
        )  # fmt: skip


def _row(one: Case, quantity: Quantity, got: float | tuple[float, float], seconds: float) -> Row:
    value, reference = got if isinstance(got, tuple) else (got, quantity.reference)
    if reference is None:
        reference = quantity.at_least if quantity.at_least is not None else 0.0
    value, reference = float(value), float(reference)
    error = abs(value - reference)
    relative = error / abs(reference) if reference else abs(value)
    if quantity.at_least is not None:
        passed = value >= quantity.at_least
    else:
        passed = (
            error <= quantity.absolute if quantity.absolute is not None else relative <= (quantity.tolerance or 0.0)
        )
    digits = DIGITS if relative == 0.0 else min(DIGITS, max(0.0, -math.log10(relative)))
    return Row(
        one.name, one.title, quantity.name, quantity.unit, one.kind, one.source, reference, value,
        math.nan if quantity.at_least is not None else digits, _tolerance(quantity), passed and math.isfinite(value),
        "", seconds,
    )  # fmt: skip


def _tolerance(quantity: Quantity) -> str:
    if quantity.at_least is not None:
        return f">= {quantity.at_least:g}"
    if quantity.absolute is not None:
        return f"{quantity.absolute:g}"
    value = 100.0 * (quantity.tolerance or 0.0)
    return f"{value:g} %" if value >= 0.01 else f"{quantity.tolerance:g} rel."

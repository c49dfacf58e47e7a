"""Values put into a case by dotted name: ``lesion.diameter``, ``materials.pmma.E``, ``strategies.catheter.count``."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from femsim import material
from femsim.case import Comparison, toml_io
from femsim.errors import InputError


def with_values(base: Mapping[str, Any], values: Mapping[str, Any], source: str = "study") -> dict[str, Any]:
    """Plain data of a case with some values changed.

    Parameters
    ----------
    base : mapping
        ``Comparison.model_dump(mode="json")``.
    values : mapping of str to value
        By dotted name. A single lesion needs no number; of several, ``lesion.2.diameter`` is the second.

    Raises
    ------
    InputError
        If a name leads nowhere; says which is nearest.
    """
    data = dict(base)
    for name, value in values.items():
        if name == "bone":
            data["bone"] = copy.deepcopy(value)  # another bone, complete: not a change of the base
        else:
            data = _set(data, name.split("."), value, name, source)
    return data


def _set(data: Any, parts: list[str], value: Any, name: str, source: str, above: str = "") -> Any:
    """A copy of `data`, as deep as needed, with one value set."""
    if isinstance(data, (list, tuple)):
        number, rest = _which(data, parts, name, source)
        return [_set(one, rest, value, name, source, above) if i == number else one for i, one in enumerate(data)]
    key, rest = parts[0], parts[1:]
    if above == "materials":  # only the changed ones stand in the case; all of the library may be named
        return _material(data, parts, value, name, source)
    if key not in data:
        raise _unknown(name, key, data, source)
    if not rest:
        return {**data, key: value}
    inner = data[key]
    if not isinstance(inner, (Mapping, list, tuple)):
        raise InputError(
            f"{source}: {name!r} is not a key of the case: {key!r} has nothing inside.",
            "It would be varied without any effect.",
            f"Vary {'.'.join(name.split('.')[: -len(rest)])!r} itself.",
        )
    return {**data, key: _set(inner, rest, value, name, source, key)}


def _which(data: Iterable[Any], parts: list[str], name: str, source: str) -> tuple[int, list[str]]:
    count = len(list(data))
    if parts[0].isdigit() and 1 <= int(parts[0]) <= count and len(parts) > 1:
        return int(parts[0]) - 1, parts[1:]
    if count == 1 and not parts[0].isdigit():
        return 0, parts
    head = name[: name.index(parts[0])].rstrip(".")
    raise InputError(
        f"{source}: {name!r} does not say which of the {count} in {head!r} is meant."
        if count
        else f"{source}: {name!r} cannot be varied: the case has no {head}.",
        "It would be varied without any effect.",
        f"Write {head}.1.{parts[-1]} for the first." if count else f"Add a [[{head}]] to the case.",
    )


def _material(data: Mapping[str, Any], parts: list[str], value: Any, name: str, source: str) -> dict[str, Any]:
    library = material.materials()
    if parts[0] not in library:
        raise _unknown(name, parts[0], library, source)
    if len(parts) != 2:
        raise InputError(
            f"{source}: {name!r} names no constant of a material.",
            "There is nothing to vary.",
            f"Write materials.{parts[0]}.CONSTANT; femsim info materials lists them.",
        )
    found = library[parts[0]]
    known = [*found.elastic, *found.strength, *found.other, "density_law", "criterion"]
    if parts[1] not in known:
        raise _unknown(name, parts[1], known, source)
    return {**data, parts[0]: {**data.get(parts[0], {}), parts[1]: value}}


def _unknown(name: str, key: str, known: Iterable[str], source: str) -> InputError:
    near = difflib.get_close_matches(key, list(known), n=1, cutoff=0.5)
    return InputError(
        f"{source}: {name!r} is not a key of the case: {key!r} is not known."
        + (f" Did you mean {near[0]!r}?" if near else ""),
        "It would be varied without any effect.",
        f"Known here: {', '.join(sorted(known))}.",
    )


def case_with(base: Mapping[str, Any], values: Mapping[str, Any], source: str = "study") -> Comparison:
    """A checked case with some values changed.

    Raises
    ------
    FemsimError
        If a name is unknown or a value not allowed; `source` and the values are named.
    """
    return toml_io.parse(Comparison, with_values(base, values, source), source)

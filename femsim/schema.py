"""The base of everything a user writes: frozen, unknown keys refused, and findings a person can act on.

`Schema` turns what pydantic finds into an `InputError` that names the place, whether the object is made in Python or
read from a case file.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from femsim.errors import FemsimError, InputError

Parsed = TypeVar("Parsed")

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)


class _Explained(ModelMetaclass):
    """Explains what is wrong at the outermost call only: nested models reach pydantic by another way."""

    if not TYPE_CHECKING:  # type checkers see the fields as arguments

        def __call__(cls, *args, **data):
            try:
                return super().__call__(*args, **data)
            except ValidationError as error:
                raise explain(error, cls, cls.__name__) from error


class Schema(BaseModel, metaclass=_Explained):
    """Base of what a user writes.

    Raises
    ------
    InputError
        If a key is unknown or a value not allowed; other classes of `FemsimError` where the value is a material's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def located(function: Callable[[Any], Parsed]) -> Callable[[Any], Parsed]:
    """A validator that may raise `FemsimError`: pydantic then knows the place, and `explain` keeps the three lines."""

    def inner(value: Any) -> Parsed:
        try:
            return function(value)
        except FemsimError as error:
            raise custom(error) from error

    return inner


def custom(error: FemsimError) -> PydanticCustomError:
    """A femsim error as pydantic wants it, to come back whole from `explain`."""
    return PydanticCustomError("femsim", "{what}", {"what": error.what, "raised": error})


def explain(error: ValidationError, model: type[BaseModel], source: str) -> FemsimError:
    """Turn the first finding of pydantic into the three lines of femsim.

    Parameters
    ----------
    error : ValidationError
    model : type
        The outermost model, to know which keys there are.
    source : str
        File or class to name first.
    """
    found = error.errors(include_url=False)
    places = [".".join(_walk(model, one)[0]) for one in found]
    # Of the findings at one place, which are those of the types of a union, "not a text" says least.
    here = [one for one, place in zip(found, places, strict=True) if place.startswith(places[0])]
    first = next((one for one in here if one["type"] != "string_type"), here[0])
    place, known = _walk(model, first)
    others = len({place for place in places if not place.startswith(places[0])})
    more = f" ({others} more after this one)" if others else ""
    match first["type"]:
        case "femsim":
            raised: FemsimError = first["ctx"]["raised"]
            # the message names the key itself more often than not
            parents = place[:-1] if place and raised.what.startswith(place[-1]) else place
            where = ", ".join(part for part in (source, ".".join(parents)) if part)
            return type(raised)(f"{where}: {raised.what}{more}", raised.why, raised.do)
        case "extra_forbidden":
            return InputError(
                f"{source}: the key {'.'.join(place)!r} is not known.{_nearest(place[-1], known)}{more}",
                "A key that is not understood would be ignored without a word.",
                f"Known here: {', '.join(sorted(known)) or 'none'}.",
            )
        case "missing":
            return InputError(
                f"{source}: the key {'.'.join(place)!r} is missing.{more}",
                "It has no default.",
                "Add it; femsim new shows every key.",
            )
        case "union_tag_invalid" | "union_tag_not_found":
            return _kind(first, f"{source}: {'.'.join(place)}", more)
    value = first.get("input")
    written = "" if isinstance(value, (Mapping, BaseModel)) else f" = {value!r} is not allowed"
    reason = _WORDS.get(first["type"], _plain(first["msg"]))
    return InputError(
        ": ".join(part for part in (source, ".".join(place) + written, f"{reason}.{more}") if part),
        "A value outside the allowed range has no meaning or was never checked.",
        "Mend it; femsim new shows every key with unit, range and default.",
    )


# pydantic's own words for these speak of Python.
_WORDS = {
    "model_attributes_type": "it should be a section of keys",
    "model_type": "it should be a section of keys",
    "dict_type": "it should be a section of keys",
    "mapping_type": "it should be a section of keys",
    "tuple_type": "it should be a list, or sections in double brackets",
    "too_short": "at least one is needed",
    "string_too_short": "it is empty",
}


def _kind(first: ErrorDetails, where: str, more: str) -> InputError:
    """A section whose ``kind`` is missing or unknown."""
    kinds = re.findall(r"'([^']*)'", str(first["ctx"].get("expected_tags", "")))
    tag = first["ctx"].get("tag")
    what = f"{where} has no kind" if tag is None else f"{where}.kind = {tag!r} is not known"
    return InputError(
        f"{what}.{_nearest(str(tag), kinds)}{more}",
        "Without its kind it cannot be told which keys belong to it.",
        f"Give a kind: {', '.join(kinds)}." if kinds else "Give a kind; femsim new shows an example of each.",
    )


def _nearest(name: str, known: Any) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ").replace("Input should", "it should").rstrip(".")


def _walk(model: type[BaseModel], first: ErrorDetails) -> tuple[list[str], set[str]]:
    """Where a finding lies as a user would write it, and the keys allowed there.

    The tags of discriminated unions stand in pydantic's location but not in the file: each is dropped, and picks the
    model whose keys count.
    """
    here: tuple[type[BaseModel], ...] = (model,)
    place: list[str] = []
    names = 0  # how many of the next parts are names that the user chose
    for part in first["loc"]:
        tagged = tuple(one for one in here if len(here) > 1 and _tag(one) == part)
        if tagged and not names:
            here = tagged
        elif names:
            place.append(str(part))
            names -= 1
        elif isinstance(part, int):
            place[-1:] = [f"{place[-1]} {part + 1}" if place else str(part + 1)]
        elif here:
            place.append(part)
            fields = [one.model_fields[part].annotation for one in here if part in one.model_fields]
            if fields:
                names = max(_mappings(annotation) for annotation in fields)
                here = tuple(found for annotation in fields for found in _models_in(annotation))
        # what is left is pydantic's name for one type of a union
    return place, {name for one in here for name in one.model_fields}


def _mappings(annotation: Any) -> int:
    """How many mappings of free names are nested in a type."""
    if get_origin(annotation) is not Mapping:
        return 0
    return 1 + max(_mappings(inner) for inner in get_args(annotation))


def _tag(model: type[BaseModel]) -> object:
    info = model.model_fields.get("kind")
    return info.default if info is not None else None


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for inner in get_args(annotation):
        yield from _models_in(inner)

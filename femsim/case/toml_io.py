"""Case files: TOML in with errors a person can act on, TOML out with every key explained."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

import tomlkit
from pydantic import BaseModel, ValidationError

from femsim.errors import InputError

Model = TypeVar("Model", bound=BaseModel)


def read(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises
    ------
    InputError
        If the file is missing, unreadable, not UTF-8 or not TOML (with the line).
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"The case file {path} cannot be read: {error.strerror or error}.",
            "Without it there is nothing to run.",
            "Check the path, or write a template with: femsim new > case.toml",
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"The case file {path} is not a text file (byte {error.start}).",
            "Case files are TOML in UTF-8.",
            "Write a template with: femsim new > case.toml",
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            f"The case file {path} is not valid TOML: {error}.",
            "No key after that place can be read.",
            "Mend that line; texts need quotes, e.g. diameter = \"30 mm\".",
        ) from error


def explain(error: ValidationError, model: type[BaseModel], source: str) -> InputError:
    """Turn the first finding of pydantic into the three lines of femsim."""
    first = error.errors(include_url=False)[0]
    place = [str(part) for part in first["loc"]]
    # tags of discriminated unions stand in pydantic's location but not in the file
    key = ".".join(_without_tags(place))
    more = f" ({error.error_count() - 1} more after this one)" if error.error_count() > 1 else ""
    kind = first["type"]
    if kind == "extra_forbidden":
        known = _keys_beside(model, place)
        near = difflib.get_close_matches(place[-1], known, n=1, cutoff=0.5)
        ask = f" Did you mean {near[0]!r}?" if near else ""
        return InputError(
            f"{source}: the key {key!r} is not known.{ask}{more}",
            "A key that is not understood would be ignored without a word.",
            "Known here: " + ", ".join(sorted(known)) + ".",
        )
    if kind == "missing":
        return InputError(f"{source}: the key {key!r} is missing.{more}", "It has no default.", "Add it; femsim new shows every key.")
    value = first.get("input")
    shown = repr(value) if not isinstance(value, (dict, BaseModel)) else "what stands there"
    return InputError(
        f"{source}: {key or 'the case'} = {shown} is not allowed: {_plain(first['msg'])}.{more}",
        "A case outside the allowed range has no meaning or was never checked.",
        "Mend it; femsim new shows every key with unit, range and default.",
    )


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ").rstrip(".")


def _without_tags(place: list[str]) -> list[str]:
    return [part for i, part in enumerate(place) if i == 0 or not part.startswith("tag:")]


def _keys_beside(model: type[BaseModel], place: list[str]) -> set[str]:
    """Keys allowed where an unknown one was found."""
    candidates: list[type[BaseModel]] = [model]
    for part in place[:-1]:
        following: list[type[BaseModel]] = []
        for candidate in candidates:
            info = candidate.model_fields.get(part)
            if info is not None:
                following += list(_models_in(info.annotation))
        candidates = following or candidates
    return {name for candidate in candidates for name in candidate.model_fields}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def write(data: Mapping[str, Any]) -> str:
    """TOML text of plain data; keys whose value is None are left out (TOML has no null)."""
    return tomlkit.dumps(_clean(data))


def _clean(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _clean(value) for key, value in data.items() if value is not None}
    if isinstance(data, (list, tuple)):
        return [_clean(value) for value in data]
    return data


def parse(model: type[Model], data: Mapping[str, Any], source: str) -> Model:
    """A validated model from plain data; findings name `source` and the key."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise explain(error, model, source) from error


def commented(model: BaseModel, heading: str, skip: tuple[str, ...] = ()) -> list[str]:
    """Lines of one TOML table: every key with its meaning, unit and default; optional keys commented out."""
    lines = [f"[{heading}]"] if heading else []
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel) or name in skip:
            continue
        for text in (info.description or "").splitlines():
            lines.append(f"# {text}")
        if value is None:
            example = (info.examples or [""])[0]
            lines.append(f"# {name} = {tomlkit.item(example).as_string()}")
        elif not isinstance(value, (dict, tuple)) or value:
            lines.append(f"{name} = {tomlkit.item(_clean(value)).as_string()}")
    return lines

"""Case files: TOML in with errors a person can act on, TOML out with every key explained."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any, TypeVar

import tomlkit
from pydantic import BaseModel, ValidationError

from femsim.errors import InputError
from femsim.schema import explain

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
            'Mend that line; texts need quotes, e.g. diameter = "30 mm".',
        ) from error


def write(data: Mapping[str, Any]) -> str:
    """TOML text of plain data; keys whose value is None are left out (TOML has no null)."""
    return tomlkit.dumps(_clean(data))


def _clean(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {str(key): _clean(value) for key, value in data.items() if value is not None}
    if isinstance(data, (list, tuple)):
        return [_clean(value) for value in data]
    if isinstance(data, PurePath):
        return str(data)
    return data


def parse(model: type[Model], data: Mapping[str, Any], source: str) -> Model:
    """A validated model from plain data; findings name `source` and the key.

    Raises
    ------
    InputError
        If a key is unknown or a value is not allowed.
    """
    _no_switches(data, source)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise explain(error, model, source) from error


#: The only keys that take true or false.
SWITCHES = ("risk.nonlinear",)


def _no_switches(data: Any, source: str, place: str = "") -> None:
    """Only `SWITCHES` take true or false; elsewhere pydantic would read them as 1 and 0."""
    if isinstance(data, bool) and not place.endswith(SWITCHES):
        raise InputError(
            f"{source}: {place.lstrip('.')} = {str(data).lower()} is not allowed.",
            f"Only {', '.join(SWITCHES)} is a switch; true would be read as 1.",
            "Give a number or a text; femsim new shows every key.",
        )
    if isinstance(data, Mapping):
        for key, value in data.items():
            _no_switches(value, source, f"{place}.{key}")
    elif isinstance(data, list):
        for number, value in enumerate(data, 1):
            _no_switches(value, source, f"{place} {number}")


def _inline(value: Any) -> str:
    """A value on one line; a mapping as an inline table."""
    if not isinstance(value, Mapping):
        return tomlkit.item(_clean(value)).as_string()
    inner = (f"{tomlkit.key(str(key)).as_string()} = {_inline(one)}" for key, one in value.items())
    return "{ " + ", ".join(inner) + " }"


def commented(model: BaseModel, heading: str, skip: tuple[str, ...] = ()) -> list[str]:
    """Lines of one TOML table: every key with its meaning, unit and default; optional keys commented out.

    Sections inside it follow, each under its own heading.
    """
    lines = [f"[{heading}]"] if heading else []
    inner: list[str] = []
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        if name in skip:
            continue
        if isinstance(value, BaseModel):
            inner += ["", *commented(value, f"{heading}.{name}" if heading else name)]
            continue
        for text in (info.description or "").splitlines():
            lines.append(f"# {text}")
        if value is None:
            example = (info.examples or [""])[0]
            lines.append(f"# {name} = {tomlkit.item(example).as_string()}")
        elif not isinstance(value, (dict, tuple)) or value:
            lines.append(f"{name} = {_inline(value)}")
    return lines + inner

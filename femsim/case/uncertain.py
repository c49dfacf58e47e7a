"""Assumptions that a case marks as uncertain: which keys there are, and the case under each of their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from femsim import material
from femsim.errors import InputError
from femsim.sourced import choose

if TYPE_CHECKING:
    from femsim.case.model import Case

#: Settings of the judgement that may be uncertain; all others say what is asked, not what is assumed.
SETTINGS = (
    "averaging_length", "minimum_density", "cortex_criterion", "trabecular_criterion", "strength_law", "bond",
)  # fmt: skip
#: Words of a material that may be uncertain; all else are numbers.
WORDS = ("density_law", "criterion")


@dataclass(frozen=True, eq=False)
class Variant:
    """A case with one uncertain assumption changed: the dotted key, its value, the range in words, and the case."""

    key: str
    value: float | str
    range: str
    case: Case

    @property
    def label(self) -> str:
        """``pmma.E = 1.8 GPa``."""
        return f"{self.key} = {shown(self.value)}"


def shown(value: float | str) -> str:
    """A value as a user would write it."""
    return value if isinstance(value, str) else f"{value:g}"


def flat(given: Any, before: str = "") -> dict[str, tuple[float | str, ...]]:
    """Dotted keys from a table, whether written as ``"pmma.E"``, as ``pmma.E``, or under ``[uncertain.pmma]``.

    Raises
    ------
    InputError
        If a value is no list.
    """
    found: dict[str, tuple[float | str, ...]] = {}
    for name, value in given.items():
        key = f"{before}{name}"
        if isinstance(value, Mapping):
            found |= flat(value, f"{key}.")
        elif isinstance(value, (list, tuple)) and all(isinstance(v, (int, float, str)) for v in value) and value:
            found[key] = tuple(value)
        else:
            raise InputError(
                f"{key} = {value!r} is no list.",
                "An uncertain assumption has a lowest and a highest value, or several names.",
                f'Write for example "{key}" = [1800, 3000].',
            )
    return found


def variants(case: Case) -> list[Variant]:
    """The cases under every value of every uncertain assumption, one changed at a time.

    Raises
    ------
    FemsimError
        For a key that is not known, a range that is none, or a value that the case itself could not have.
    """
    plain = case.model_copy(update={"uncertain": {}})
    found = []
    for key, values in case.uncertain.items():
        _check(plain, key, values)
        words = " to ".join(map(shown, values)) if _is_number(key) else ", ".join(map(shown, values))
        found += [Variant(key, value, words, _with(plain, key, value)) for value in values]
    return found


def _is_number(key: str) -> bool:
    room, _, name = key.rpartition(".")
    return name in ("averaging_length", "minimum_density") if room == "risk" else name not in WORDS


def _check(case: Case, key: str, values: tuple[float | str, ...]) -> None:
    room, dot, name = key.rpartition(".")
    if not dot:
        raise InputError(
            f"{key!r} is no dotted key.",
            "An uncertain assumption is a number or word of a material, or a setting of the judgement.",
            'Write for example "pmma.E", "trabecular_bone.density_law" or "risk.strength_law".',
        )
    if room == "risk":
        choose(name, SETTINGS, "uncertain risk setting", "It is no assumption.", InputError)
        numbers = [getattr(_with(case, key, value).risk, name) for value in values]
    else:
        one = material.get(room)
        known = [*WORDS, *one.elastic, *one.strength, *one.other]
        choose(name, known, f"{room}: property", "It could not be varied.", InputError)
        changed = [_with(case, key, value).material(room) for value in values]
        numbers = [] if name in WORDS else [each[name] for each in changed]
    if _is_number(key) and not (len(numbers) == 2 and numbers[0] < numbers[1]):
        raise InputError(
            f"{key} = [{', '.join(map(shown, values))}] is no range.",
            "It takes the lowest and the highest value, in this order.",
            f'Write "{key}" = [lowest, highest].',
        )


def _with(case: Case, key: str, value: float | str) -> Case:
    """The case with one assumption changed; checked as if the user had written it."""
    room, _, name = key.rpartition(".")
    if room == "risk":
        return case.model_copy(update={"risk": type(case.risk)(**{**case.risk.model_dump(), name: value})})
    changes = {**case.materials, room: {**case.materials.get(room, {}), name: value}}
    changed = case.model_copy(update={"materials": changes})
    changed.material(room)
    return changed

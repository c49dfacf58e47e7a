"""What the surgeon adds: strategies as data, the solids they put into the bone, and the rules that paint materials.

`TREATMENTS` is the registry that the command line prints and the case file checks against.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated

from pydantic import Field

from femsim.treatment.base import Span, Treatment
from femsim.treatment.rules import Rule, base_rules, mixed, paint
from femsim.treatment.strategies import Cement, CementAndCatheter, CementFilledCatheter, Intact, Untreated

#: Every treatment by its ``kind``, in the order of the default comparison.
TREATMENTS: Mapping[str, type[Treatment]] = MappingProxyType(
    {
        "intact": Intact,
        "untreated": Untreated,
        "cement": Cement,
        "catheter": CementFilledCatheter,
        "cement_and_catheter": CementAndCatheter,
    }
)

#: Type of a field that holds any treatment, told apart by ``kind``.
AnyTreatment = Annotated[
    Intact | Untreated | Cement | CementFilledCatheter | CementAndCatheter, Field(discriminator="kind")
]


def default_strategies() -> tuple[Treatment, ...]:
    """The five strategies of the basic comparison, each with its defaults."""
    return tuple(one() for one in TREATMENTS.values())


def named(treatments: Sequence[Treatment]) -> dict[str, Treatment]:
    """Treatments by their names; a second one of the same name is called ``name_2`` and so on.

    Examples
    --------
    >>> list(named([Cement(), Cement(fill_fraction=0.5)]))
    ['cement', 'cement_2']
    """
    found: dict[str, Treatment] = {}
    for one in treatments:
        name, number = one.name, 2
        while name in found:
            name, number = f"{one.name}_{number}", number + 1
        found[name] = one
    return found


__all__ = [
    "TREATMENTS",
    "AnyTreatment",
    "Cement",
    "CementAndCatheter",
    "CementFilledCatheter",
    "Intact",
    "Rule",
    "Span",
    "Treatment",
    "Untreated",
    "base_rules",
    "default_strategies",
    "mixed",
    "named",
    "paint",
]

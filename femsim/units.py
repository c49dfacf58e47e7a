"""Units: mm, N, MPa, s, degC, g/cm3 inside; anything pint knows, at the door.

Millimetres, newtons and megapascals are consistent (N/mm2 = MPa, N mm = mJ), so no factor appears in any formula.
"""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo

from femsim.errors import InputError
from femsim.schema import located

#: The unit of every kind of number inside femsim.
INTERNAL = {
    "length": "mm",
    "area": "mm^2",
    "volume": "mm^3",
    "force": "N",
    "moment": "N*mm",
    "pressure": "MPa",
    "mass": "kg",
    "density": "g/cm^3",
    "angle": "degree",
    "temperature": "degC",
    "fraction": "dimensionless",
}


@cache
def _registry() -> Any:
    # pint takes 0.2 s to import and is needed only where a user wrote a unit.
    import pint

    registry: Any = pint.UnitRegistry(autoconvert_offset_to_baseunit=True)
    registry.define("percent_body_weight = 0.01 = BW_percent")
    return registry


def quantity(value: object, kind: str, key: str = "value") -> float:
    """A number in femsim's unit for its kind, from a number or a text such as ``"12 mm"``.

    Parameters
    ----------
    value : float or str
        A plain number is taken to be in the internal unit already.
    kind : str
        A key of `INTERNAL`.
    key : str
        Name used in error messages.

    Raises
    ------
    InputError
        If the text is no quantity, has the wrong dimension, or the number is not finite.

    Examples
    --------
    >>> quantity("1.2 cm", "length")
    12.0
    >>> quantity("17 GPa", "pressure")
    17000.0
    """
    return measured(value, INTERNAL[kind], kind, key)


def measured(value: object, unit: str, kind: str = "number", key: str = "value") -> float:
    """As `quantity`, in any unit that pint knows; ``"-"`` is none.

    Examples
    --------
    >>> measured("2.5 GPa", "MPa")
    2500.0
    """
    unit = "dimensionless" if unit == "-" else unit
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise InputError(
            f"{key} = {value!r} is not a number.",
            f"A {kind} is needed.",
            f'Write a number in {unit}, or "12 {unit}".',
        )
    try:
        number = _parse(value, unit, kind, key) if isinstance(value, str) else float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InputError(
            f"{key} = {value!r} is not finite.",
            "Nothing can be computed from it.",
            f"Write a finite number in {unit}.",
        )
    return number


# One number and, optionally, one unit. Not left to pint, which reads "3,5 mm" as 35 mm and "mm" as 1 mm.
_QUANTITY = re.compile(
    r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*((?:[^\W\d_]|[°%])[\w\s°%^*/().·²³-]{0,40})?"
)


def _parse(text: str, unit: str, kind: str, key: str) -> float:
    def refuse(why: str) -> InputError:
        return InputError(
            f"{key} = {text!r} cannot be read as a {kind}.",
            why,
            f'Write a number in {unit}, or a text with a unit such as "12 {unit}", with a point for decimals.',
        )

    found = _QUANTITY.fullmatch(text)
    if found is None:
        raise refuse("It is not a number with a unit.")
    number, written = float(found[1]), (found[2] or "").strip()
    if not written:
        return number
    try:
        # Rounded where conversion has left its mark: 1.2 cm is 12 mm, not 11.999999999999998.
        return float(f"{_registry().Quantity(number, written).to(unit).magnitude:.14g}")
    except Exception as error:  # pint fails in as many ways as there are texts
        raise refuse((str(error).splitlines() or [type(error).__name__])[0].rstrip(".") + ".") from error


def _door(kind: str) -> BeforeValidator:
    def parse(value: object, info: ValidationInfo) -> object:
        # None is left to pydantic, which knows where the field allows it.
        name = info.field_name or "value"
        return None if value is None else located(lambda one: quantity(one, kind, name))(value)

    return BeforeValidator(parse)


#: Types for the fields of what a user writes: a plain number in the internal unit, or a text with a unit.
Length = Annotated[float, _door("length")]
Force = Annotated[float, _door("force")]
Pressure = Annotated[float, _door("pressure")]
Mass = Annotated[float, _door("mass")]
Density = Annotated[float, _door("density")]
Angle = Annotated[float, _door("angle")]
Volume = Annotated[float, _door("volume")]

"""femsim: which fixation holds? Finite-element comparison of strategies for long bones with lytic lesions.

>>> import femsim as fs
>>> case = fs.Case(bone=fs.Femur(), lesion=fs.Lesion(site="subtrochanteric", diameter=30), load="walking")
>>> table = fs.compare(case, [fs.Untreated(), fs.Cement(), fs.CementFilledCatheter(count=2)])  # doctest: +SKIP
>>> table.frame  # doctest: +SKIP
>>> fs.write(table, "out")  # doctest: +SKIP

Units are mm, N, MPa, kg and degrees, or texts such as ``"12 mm"``. Research use only.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from femsim import show

__version__ = version("femsim")

__all__ = [
    "Case",
    "Cement",
    "CementAndCatheter",
    "CementFilledCatheter",
    "Comparison",
    "ComparisonResult",
    "FemsimError",
    "Femur",
    "Humerus",
    "Intact",
    "LabelBone",
    "Lesion",
    "Mesh",
    "ShapeModelBone",
    "Study",
    "SurfaceBone",
    "Tibia",
    "Tube",
    "Untreated",
    "best",
    "compare",
    "load",
    "reach",
    "read_case",
    "write",
]

if TYPE_CHECKING:
    from femsim.case import (
        Case,
        Comparison,
        Femur,
        Humerus,
        LabelBone,
        Lesion,
        Mesh,
        ShapeModelBone,
        SurfaceBone,
        Tibia,
        Tube,
    )
    from femsim.case import load as read_case
    from femsim.errors import FemsimError
    from femsim.report import write
    from femsim.study import ComparisonResult, load
    from femsim.study.compare import compare
    from femsim.study.sweep import Study, best, reach
    from femsim.treatment import Cement, CementAndCatheter, CementFilledCatheter, Intact, Untreated


#: Room, and name there, of every public name. Loaded when first used, so that the command line answers at once.
_ROOMS = {
    "Case": ("case", "Case"),
    "Cement": ("treatment", "Cement"),
    "CementAndCatheter": ("treatment", "CementAndCatheter"),
    "CementFilledCatheter": ("treatment", "CementFilledCatheter"),
    "Comparison": ("case", "Comparison"),
    "ComparisonResult": ("study", "ComparisonResult"),
    "Femur": ("case", "Femur"),
    "FemsimError": ("errors", "FemsimError"),
    "Humerus": ("case", "Humerus"),
    "Intact": ("treatment", "Intact"),
    "LabelBone": ("case", "LabelBone"),
    "Lesion": ("case", "Lesion"),
    "Mesh": ("case", "Mesh"),
    "Study": ("study.sweep", "Study"),
    "ShapeModelBone": ("case", "ShapeModelBone"),
    "SurfaceBone": ("case", "SurfaceBone"),
    "Tibia": ("case", "Tibia"),
    "Tube": ("case", "Tube"),
    "Untreated": ("treatment", "Untreated"),
    "best": ("study.sweep", "best"),
    "compare": ("study", "compare"),
    "load": ("study", "load"),
    "reach": ("study.sweep", "reach"),
    "read_case": ("case", "load"),
    "write": ("report", "write"),
}


def _painter(name: str) -> Callable[..., Any]:
    """A function of `femsim.report.paper`, loaded when something is drawn."""

    def draw(*arguments: Any) -> Any:
        return getattr(import_module("femsim.report.paper"), name)(*arguments)

    return draw


show.paint("comparison", _painter("figure"))
show.paint("study", _painter("study_figure"))


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        room, there = _ROOMS[name]
        return getattr(import_module(f"femsim.{room}"), there)
    raise AttributeError(f"module 'femsim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__

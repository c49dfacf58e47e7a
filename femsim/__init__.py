"""femsim: which fixation holds? Finite-element comparison of strategies for long bones with lytic lesions.

>>> import femsim as fs
>>> case = fs.Case(bone=fs.Femur(), lesion=fs.Lesion(site="subtrochanteric", diameter=30), load="walking")
>>> table = fs.compare(case, [fs.Untreated(), fs.Cement(), fs.CementFilledCatheter(count=2)])  # doctest: +SKIP
>>> table.frame  # doctest: +SKIP

Units are mm, N, MPa, kg and degrees, or texts such as ``"12 mm"``. Research use only.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

__version__ = version("femsim")

#: Public names and the room each lives in. Loaded when first used, so that the command line answers at once.
_ROOMS = {
    "Case": "case",
    "Comparison": "case",
    "Femur": "case",
    "Lesion": "case",
    "SurfaceBone": "case",
    "Tube": "case",
    "Cement": "treatment",
    "CementAndCatheter": "treatment",
    "CementFilledCatheter": "treatment",
    "Intact": "treatment",
    "Untreated": "treatment",
    "FemsimError": "errors",
    "compare": "study",
    "load": "case",
    "write": "report",
}

__all__ = sorted(_ROOMS)

if TYPE_CHECKING:
    from femsim.case import Case, Comparison, Femur, Lesion, SurfaceBone, Tube, load
    from femsim.errors import FemsimError
    from femsim.report import write
    from femsim.study import compare
    from femsim.treatment import Cement, CementAndCatheter, CementFilledCatheter, Intact, Untreated


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return getattr(import_module(f"femsim.{_ROOMS[name]}"), name)
    raise AttributeError(f"module 'femsim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__

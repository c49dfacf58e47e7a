"""A femur with a lesion and cement-filled catheters, exported and solved by CalculiX."""

from __future__ import annotations

from femsim import fem
from femsim.case import Comparison, Lesion, Mesh
from femsim.study.decks import strategy_model
from femsim.treatment import CementFilledCatheter
from femsim.verify.cases.calculix import exported
from femsim.verify.ccx import program
from femsim.verify.registry import Values, case


@case("ccx-femur")
def ccx_femur() -> Values:
    """The parametric femur, a subtrochanteric lesion, the strategy with catheters, walking; a coarse mesh."""
    program()
    chosen = Comparison(
        lesion=[Lesion(site="subtrochanteric", diameter=30)],
        load="walking",
        mesh=Mesh(near=6.0, far=14.0),
        strategies={"catheter": CementFilledCatheter()},
    )
    model = strategy_model(chosen, "catheter").model
    return exported(model, lambda one: fem.solve(one, solver="direct"))

"""Pre-flight: everything that can be found wrong with a case before anything is meshed."""

from __future__ import annotations

import warnings
from typing import Any

from femsim.case import Comparison
from femsim.errors import FemsimWarning
from femsim.study.setup import prepare


def check(case: Comparison) -> dict[str, Any]:
    """Build bone, lesions and devices of a case without meshing it.

    Returns
    -------
    dict
        ``found``: what the case describes, in words and numbers; ``warnings``: what to look at before running.

    Raises
    ------
    FemsimError
        For the first thing that makes the case impossible.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FemsimWarning)
        setup = prepare(case, case.strategies)
    bone = setup.bone
    found: dict[str, Any] = {"bone": f"{bone.name}, {bone.side}, {bone.length:.0f} mm long"}
    for number, lesion in enumerate(setup.lesions, 1):
        size = lesion.measures
        found[f"lesion {number}"] = (
            f"{size.volume / 1000.0:.1f} mL, {100 * size.diameter_fraction:.0f} % of the width, "
            f"cortex {size.axial_involvement:.0f} mm along and {100 * size.circumferential_involvement:.0f} % around"
        )
    found["load"] = f"{case.load}, {case.body_mass:g} kg"
    found["strategies"] = ", ".join(case.strategies)
    found["solids on one mesh"] = ", ".join(setup.arrangement.solids)
    for key, words in {one.key: one.range for one in case.variants()}.items():
        found[f"uncertain {key}"] = words
    told = [str(w.message) for w in caught if issubclass(w.category, FemsimWarning)]
    return {"found": found, "warnings": [*setup.warnings, *told]}

"""Elements into which a thin wall is mixed fail as what lies around the wall."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from femsim import material
from femsim.fem import nonlinear
from femsim.fem.nonlinear.laws import tables
from femsim.study.nonlinear import _laws


def test_every_mixture_has_the_law_of_its_host() -> None:
    data = tuple(material.get(name) for name in ("cortical_bone", "marrow", "pmma"))
    index = np.array([0, 1, 2, 0])
    solid = material.assign(data, index, axis=np.tile([0.0, 0.0, 1.0], (4, 1)))
    mixed = material.blended(solid, [(material.get("polyurethane"), np.array([0.3, 0.5, 0.0, 0.0]))])
    assert len(mixed.base) == 5
    result = SimpleNamespace(solution=SimpleNamespace(model=SimpleNamespace(material=mixed)), material=index)
    laws = _laws(result, data)  # type: ignore[arg-type]
    assert laws[mixed.index[0]] is laws[0]
    assert laws[mixed.index[1]] is None
    assert isinstance(laws[2], nonlinear.Quadric)
    tables(mixed, laws)  # one law for every base material, or it would raise

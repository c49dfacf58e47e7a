"""A comparison with made-up numbers on a bone-like tube: the report room needs no solver to be tested."""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from femsim.anatomy import Centreline, Frame
from tests.view.synthetic import bone_mesh

NAMES = ("cortical_bone", "trabecular_bone", "tumour_tissue", "pmma", "polyurethane")
#: name, label, painted parts, failure load N, stiffness N/mm
STRATEGIES = (
    ("intact", "intact", (), 9800.0, 1520.0),
    ("untreated", "untreated", ("lesion",), 3150.0, 1260.0),
    ("cement", "cement", ("lesion", "cement"), 8120.0, 1490.0),
    ("catheter", "cement-filled catheter", ("lesion", "catheter_1"), 3460.0, 1290.0),
    ("both", "cement + catheter <2>", ("lesion", "cement", "catheter_1"), 8300.0, 1495.0),
)
_PAINT = {"lesion": 2, "cement": 3, "catheter_1": 4}


class FakeCase:
    """What the report asks of a case."""

    def key(self) -> str:
        return "0123456789abcdef"

    def model_dump(self, mode: str = "python") -> dict[str, Any]:
        return {"bone": {"kind": "femur", "length": 400.0}, "body_mass": 75.0, "note": None}


@functools.cache
def _mesh() -> Any:
    return bone_mesh()


def comparison(error: float | None = 4.0) -> Any:
    """A finished comparison of five strategies."""
    mesh = _mesh()
    centre = mesh.points[mesh.cells].mean(axis=1)
    results = {}
    for name, label, parts, failure, stiffness in STRATEGIES:
        material = np.where(mesh.inside("endosteum"), 1, 0)
        for part in parts:
            material[mesh.inside(part)] = _PAINT[part]
        risk = 1750.0 / failure * np.abs(centre[:, 0]) / 14 * (0.3 + np.exp(-(((centre[:, 2] - 280) / 40) ** 2)) * 2.5)
        bend = 3e-5 * (1520 / stiffness) ** 3 * mesh.points[:, 2] ** 2
        metrics = {
            "strategy": name, "load": "walking", "stiffness": stiffness, "stiffness_of_intact": 100 * stiffness / 1520,
            "stiffness_recovery": 100 * (stiffness - 1260) / 260, "failure_load": failure,
            "failure_load_bw": failure / (75 * 9.80665), "maximum_risk": 1750 / failure,
            "failure_place": "lateral cortex at 69 %", "cement_volume": 9.8 if "cement" in parts else float("nan"),
            "force_residual": 1e-9, "moment_residual": 2e-9, "energy_residual": 3e-8, "solver_residual": 9e-9,
            "unknowns": 3 * len(mesh.points),
        }  # fmt: skip
        if error is not None:
            metrics |= {"stiffness_error": 0.4, "failure_load_error": error}
        fields = {
            "displacement": np.stack([bend, 0 * bend, 0 * bend], axis=1),
            "risk": risk,
            "material": material,
            "excluded": (centre[:, 2] < 25).astype(int),
        }
        results[name] = SimpleNamespace(
            name=name,
            label=label,
            mesh=mesh,
            materials=NAMES,
            material=material,
            metrics=metrics,
            fields=fields,
            curve=None,
        )
    frame = pd.DataFrame([r.metrics for r in results.values()]).set_index("strategy")
    bow = 12 * np.sin(np.pi * np.linspace(0, 1, 9))
    line = np.stack([np.zeros(9), bow, np.linspace(0, 400, 9)], axis=1)
    bone = SimpleNamespace(
        name="test <bone>", kind="femur", side="right", length=400.0, notes=("2 small holes were closed",),
        frame=Frame(np.zeros(3), *np.eye(3)), centreline=Centreline(line, np.linspace(0, 1, 9)),
    )  # fmt: skip
    arrows = (
        {"name": "hip_contact", "point": np.array([-5.0, 0, 400]), "force": np.array([500.0, -300, -1800])},
        {"name": "abductors", "point": np.array([12.0, 0, 390]), "force": np.array([-400.0, 50, 600])},
        {"name": "vastus lateralis", "point": np.array([12.0, 0, 370]), "force": np.array([10.0, 130, -690])},
    )
    return SimpleNamespace(
        case=FakeCase(),
        bone=bone,
        mesh=mesh,
        results=results,
        frame=frame,
        arrows=arrows,
        held=np.flatnonzero(mesh.points[:, 2] < 20),
        convergence=error is not None,
        warnings=("trust of 3 values is M?",),
        seconds={"mesh": 1.0},
    )

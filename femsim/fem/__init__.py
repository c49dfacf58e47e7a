"""The finite-element solver: arrays, materials and loads in; displacements, strains and stresses out.

It has never heard of a bone. Units are mm, N, MPa; tensors are in the order xx yy zz yz xz xy with engineering shear.

>>> import numpy as np
>>> from femsim import fem
>>> points = fem.element("hex8").nodes                      # a cube of edge 2 mm
>>> steel = fem.Material(fem.isotropic(210000.0, 0.3), np.zeros(1, int))
>>> model = fem.Model(
...     points, np.arange(8)[None], steel, element="hex8",
...     supports=[fem.Fixed([0, 1, 2, 3], (2,)), fem.Fixed([0], (0, 1)), fem.Fixed([1], (1,))],
...     loads={"pull": [fem.Traction([[0, 5]], (0.0, 0.0, 100.0))]},
... )
>>> solution = fem.solve(model)["pull"]
>>> round(float(solution.stress[0, 0, 2]), 6)
100.0
"""

from femsim.fem.elasticity import (
    anisotropic,
    axial_modulus,
    isotropic,
    orthotropic,
    poisson_equivalent,
    principal,
    transversely_isotropic,
    von_mises,
)
from femsim.fem.elements import ELEMENTS, Element, element, mid_parents
from femsim.fem.forces import nodal_areas
from femsim.fem.loads import (
    BodyForce,
    Centrifugal,
    CouplingForce,
    ImposedDisplacement,
    InitialStrain,
    Load,
    NodalForce,
    Pressure,
    RemoteForce,
    SurfaceForce,
    Thermal,
    Traction,
)
from femsim.fem.material import Material
from femsim.fem.model import Model, quadrature_points, quadrature_volumes
from femsim.fem.preflight import preflight
from femsim.fem.recovery import Recovered, recover, recover_values
from femsim.fem.section import SectionForce, section_force
from femsim.fem.solution import CouplingMotion, Equilibrium, Solution, SolverLog
from femsim.fem.solve import solve
from femsim.fem.supports import Fixed, LinearConstraint, RigidCoupling, Support, Tie
from femsim.fem.workspace import Workspace

__all__ = [
    "ELEMENTS",
    "BodyForce",
    "Centrifugal",
    "CouplingForce",
    "CouplingMotion",
    "Element",
    "Equilibrium",
    "Fixed",
    "ImposedDisplacement",
    "InitialStrain",
    "LinearConstraint",
    "Load",
    "Material",
    "Model",
    "NodalForce",
    "Pressure",
    "Recovered",
    "RemoteForce",
    "RigidCoupling",
    "SectionForce",
    "Solution",
    "SolverLog",
    "Support",
    "SurfaceForce",
    "Thermal",
    "Tie",
    "Traction",
    "Workspace",
    "anisotropic",
    "axial_modulus",
    "element",
    "isotropic",
    "mid_parents",
    "nodal_areas",
    "orthotropic",
    "poisson_equivalent",
    "preflight",
    "principal",
    "quadrature_points",
    "quadrature_volumes",
    "recover",
    "recover_values",
    "section_force",
    "solve",
    "transversely_isotropic",
    "von_mises",
]

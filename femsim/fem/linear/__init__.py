"""Linear solvers for symmetric positive definite systems of 3 x 3 blocks.

`solve` chooses between a sparse Cholesky factorisation and conjugate gradients preconditioned on the linear sub-space
of quadratic elements, both femsim's own and compiled by numba. A third one needs scipy only.
"""

from femsim.fem.linear.estimate import Estimate, available_memory
from femsim.fem.linear.solve import direct, estimate, solve
from femsim.fem.linear.system import Prepared, Result, System

__all__ = ["Estimate", "Prepared", "Result", "System", "available_memory", "direct", "estimate", "solve"]

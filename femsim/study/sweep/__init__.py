"""Sweeps: many comparisons that differ in the values of some keys, on a laptop or a cluster, resumable."""

from femsim.study.sweep.plan import Plan, plan
from femsim.study.sweep.reproduce import Difference, reproduce
from femsim.study.sweep.spec import Run, Sampling, StudySpec, Variation, read
from femsim.study.sweep.study import CaseView, Study, load

__all__ = [
    "CaseView",
    "Difference",
    "Plan",
    "Run",
    "Sampling",
    "Study",
    "StudySpec",
    "Variation",
    "load",
    "plan",
    "read",
    "reproduce",
]

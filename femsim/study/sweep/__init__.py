"""Sweeps: many comparisons that differ in the values of some keys, on a laptop or a cluster, resumable."""

from femsim.study.sweep.answers import PairedDifference
from femsim.study.sweep.cluster import queue
from femsim.study.sweep.plan import Plan, plan
from femsim.study.sweep.reproduce import Difference, reproduce
from femsim.study.sweep.search import Found, best, reach
from femsim.study.sweep.spec import Run, Sampling, StudySpec, Variation, read
from femsim.study.sweep.study import CaseView, Study, load

__all__ = [
    "CaseView",
    "Difference",
    "Found",
    "PairedDifference",
    "Plan",
    "Run",
    "Sampling",
    "Study",
    "StudySpec",
    "Variation",
    "best",
    "load",
    "plan",
    "queue",
    "reach",
    "read",
    "reproduce",
]

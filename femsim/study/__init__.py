"""Comparisons: plan, mesh once, solve every strategy, and one table."""

from femsim.study.check import check
from femsim.study.compare import compare
from femsim.study.export import grid
from femsim.study.output import check_writable
from femsim.study.progress import Progress
from femsim.study.result import CaseResult, ComparisonResult
from femsim.study.stored import load

__all__ = ["CaseResult", "ComparisonResult", "Progress", "check", "check_writable", "compare", "grid", "load"]

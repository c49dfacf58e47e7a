"""From stress fields to a judgement: criteria, averaging over a physical length, failure load."""

from femsim.risk.assess import Assessment, assess
from femsim.risk.averaging import ball_average
from femsim.risk.criteria import CRITERIA, MODES, Criterion, demand

__all__ = ["CRITERIA", "MODES", "Assessment", "Criterion", "assess", "ball_average", "demand"]

"""From stress fields to a judgement: criteria, averaging over a physical length, failure load."""

from femsim.risk.anisotropic import Strengths, hoffman, tsai_wu
from femsim.risk.assess import Assessment, assess
from femsim.risk.averaging import Sites, sites, volume_average
from femsim.risk.beam import BeamCurve, beam_curve
from femsim.risk.clinical import Verdict, judge, mirels, mirels_probability, mirels_score, rules
from femsim.risk.collapse import Curve, yield_load
from femsim.risk.criteria import CRITERIA, MODES, Criterion, State, check_strengths, demand
from femsim.risk.errorbar import ErrorBar, error_bar
from femsim.risk.hotspot import Hotspot, largest_above, neighbours
from femsim.risk.rigidity import CTRA, RIGIDITIES, RigidityCurve, rigidity_curves
from femsim.risk.ring import ring_section
from femsim.risk.section import Ratio, Rigidity, Section, properties, ratio
from femsim.risk.slices import cut, moduli, slice_section

__all__ = [
    "CRITERIA",
    "CTRA",
    "MODES",
    "RIGIDITIES",
    "Assessment",
    "BeamCurve",
    "Criterion",
    "Curve",
    "ErrorBar",
    "Hotspot",
    "Ratio",
    "Rigidity",
    "RigidityCurve",
    "Section",
    "Sites",
    "State",
    "Strengths",
    "Verdict",
    "assess",
    "beam_curve",
    "check_strengths",
    "cut",
    "demand",
    "error_bar",
    "hoffman",
    "judge",
    "largest_above",
    "mirels",
    "mirels_probability",
    "mirels_score",
    "moduli",
    "neighbours",
    "properties",
    "ratio",
    "rigidity_curves",
    "ring_section",
    "rules",
    "sites",
    "slice_section",
    "tsai_wu",
    "volume_average",
    "yield_load",
]

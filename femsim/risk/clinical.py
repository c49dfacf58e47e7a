"""Clinical rules on the virtual lesion. They disagree, and the table is there to show where."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from femsim.errors import InputError
from femsim.sourced import read_library


@dataclass(frozen=True)
class Evidence:
    """How a rule did in one cohort: sensitivity and specificity in percent (None where not read), and its trust."""

    cohort: str
    source: str
    trust: str
    sensitivity: float | None = None
    specificity: float | None = None


@dataclass(frozen=True)
class Rule:
    """A clinical rule: the measure that it looks at, its threshold, and what is known about it."""

    name: str
    title: str
    measure: str
    threshold: float
    unit: str
    at_risk: str
    source: str
    trust: str
    evidence: tuple[Evidence, ...]

    def judge(self, value: float) -> bool:
        """Whether a lesion with this value is at risk."""
        if self.at_risk == "less than":
            return value < self.threshold
        return value > self.threshold if self.at_risk == "more than" else value >= self.threshold


@dataclass(frozen=True)
class Verdict:
    """One rule on one strategy: `value` and `at_risk` are None where the measure is not known.

    Attributes
    ----------
    rule : Rule
    value : float or None
        The measure, in `rule.unit`.
    at_risk : bool or None
    strategy : str
        Of the comparison; rules about the lesion itself are on the untreated bone.
    note : str
        What limits the verdict.
    """

    rule: Rule
    value: float | None
    at_risk: bool | None
    strategy: str = "untreated"
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As plain data."""
        rule = self.rule
        evidence = [vars(one) for one in rule.evidence]
        return {
            "rule": rule.name, "title": rule.title, "strategy": self.strategy, "value": self.value, "unit": rule.unit,
            "at_risk_if": rule.at_risk, "threshold": rule.threshold, "at_risk": self.at_risk, "source": rule.source,
            "trust": rule.trust, "evidence": evidence, "note": self.note,
        }  # fmt: skip


@cache
def rules() -> Mapping[str, Rule]:
    """The rules femsim knows, by name."""
    data = read_library("femsim.risk", "clinical.toml")
    return MappingProxyType(
        {
            name: Rule(name, **{**entry, "evidence": tuple(Evidence(**one) for one in entry["evidence"])})
            for name, entry in data.items()
        }
    )


@cache
def mirels() -> Mapping[str, Any]:
    """Points and probabilities of Mirels' score, and what counts as peritrochanteric, as in ``mirels.toml``."""
    return MappingProxyType(read_library("femsim.risk", "mirels.toml"))


def judge(measures: Mapping[str, float | None]) -> tuple[Verdict, ...]:
    """Apply every rule to the measures of one lesion.

    Parameters
    ----------
    measures : mapping of str to float
        ``mirels_score``, ``axial_cortical_involvement`` mm, ``circumferential_cortical_involvement`` %,
        ``rigidity_loss`` %, ``strain_fold_ratio``, ``failure_load_bw``. One that is missing or None is not judged.

    Raises
    ------
    InputError
        If a measure is unknown, not finite or negative.
    """
    known = {rule.measure for rule in rules().values()}
    for name, value in measures.items():
        if name not in known or (value is not None and not (math.isfinite(value) and value >= 0)):
            raise InputError(
                f"{name} = {value!r} cannot be judged.",
                "No rule uses it, or it is no finite number of zero or more.",
                f"Give some of {', '.join(sorted(known))}.",
            )
    found = []
    for rule in rules().values():
        given = measures.get(rule.measure)
        found.append(Verdict(rule, given, None if given is None else rule.judge(given)))
    return tuple(found)


def mirels_score(site: str, pain: str, kind: str, size: float) -> int:
    """Mirels score, 4 to 12 points.

    Parameters
    ----------
    site : {"upper limb", "lower limb", "peritrochanteric"}
    pain : {"mild", "moderate", "functional"}
        From the patient; no model knows it.
    kind : {"blastic", "mixed", "lytic"}
    size : float
        Largest width of the lesion over the diameter of the shaft, >= 0: below 1/3, to 2/3, above.

    Raises
    ------
    InputError
        If a word is unknown or the size is negative or not finite.
    """
    points = 0
    for name, word in (("site", site), ("pain", pain), ("kind", kind)):
        table = mirels()["points"][name]
        if word not in table:
            raise InputError(
                f"{name} = {word!r} is not a word of the Mirels score.",
                "It has no points.",
                f"Use one of {', '.join(table)}.",
            )
        points += table[word]
    if not (math.isfinite(size) and size >= 0):
        raise InputError(
            f"size = {size!r} is not possible.", "It is a share of the diameter.", "Give a fraction of 0 or more."
        )
    return points + (1 if size < 1 / 3 else 2 if size <= 2 / 3 else 3)


def mirels_probability(score: int) -> float:
    """Probability of fracture in percent by Mirels score."""
    if not 4 <= score <= 12:
        raise InputError(f"A Mirels score of {score!r} is not possible.", "It runs from 4 to 12.", "Check the points.")
    data = mirels()["probability"]
    return float(data["percent"][data["scores"].index(max(score, data["scores"][0]))])

"""The second and third printed table of a comparison: rigidity along the bone, and the clinical rules."""

from __future__ import annotations

from typing import Any

from femsim.report.text import number

_RIGIDITY = {
    "axial_rigidity": "EA",
    "bending_rigidity": "EI",
    "polar_torsional_rigidity": "GJ polar (CTRA)",
    "true_torsional_rigidity": "GJ true",
    "weakest_section": "weakest section",
}


def rigidity_table(result: Any) -> Any:
    """Smallest rigidities along the bone, a row a strategy; None where they were not computed."""
    from rich.table import Table

    if not result.rigidity:
        return None
    title = "Smallest rigidity of any section, % of the intact twin"
    table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    table.add_column("strategy")
    for name, head in _RIGIDITY.items():
        table.add_column(head, justify="left" if name == "weakest_section" else "right")
    for one in result:
        table.add_row(one.label, *(number(one.metrics.get(name)) for name in _RIGIDITY))
    return table


def rules_table(result: Any) -> Any:
    """The clinical rules, a row a rule, with the value of every strategy and what is known about the rule."""
    from rich.markup import escape
    from rich.table import Table

    if not result.clinical:
        return None
    title = "Clinical rules on this lesion (they disagree; ! at risk, ? not known)"
    table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    strategies = list(dict.fromkeys(row.strategy for row in result.clinical))
    labels = {one.name: one.label for one in result}
    for head in ("rule", "at risk if", *(labels.get(name, name) for name in strategies)):
        table.add_column(head, justify="left" if head in ("rule", "at risk if") else "right")
    for head in ("sensitivity / specificity, cohort [trust]", "note"):
        table.add_column(escape(head))
    for name in dict.fromkeys(row.rule.name for row in result.clinical):
        rows = {row.strategy: row for row in result.clinical if row.rule.name == name}
        rule = next(iter(rows.values())).rule
        note = next((row.note for row in rows.values() if row.strategy == "untreated"), "")
        table.add_row(
            rule.title,
            f"{rule.at_risk} {rule.threshold:g} {rule.unit}".removesuffix(" -"),
            *(_verdict(rows.get(one)) for one in strategies),
            "\n".join(escape(_evidence(one)) for one in rule.evidence),
            note,
        )
    return table


def _verdict(row: Any) -> str:
    if row is None:
        return ""
    mark = " ?" if row.at_risk is None else " !" if row.at_risk else "  "
    return ("-" if row.value is None else f"{row.value:.4g}") + mark


def _evidence(one: Any) -> str:
    known = [None if x is None else f"{x:g}" for x in (one.sensitivity, one.specificity)]
    rates = "- / -" if known == [None, None] else " / ".join(x or "-" for x in known) + " %"
    return f"{rates}, {one.cohort} [{one.trust}]"

"""Every entry of the verification holds; and the registry itself says no where it must."""

from __future__ import annotations

import json
import math

import pytest

from femsim import verify
from femsim.cli import main
from femsim.errors import InputError
from femsim.verify import Case, Quantity, Skip, table

CASES = [pytest.param(one, id=one.name, marks=[pytest.mark.slow] if one.slow else []) for one in verify.select()]


@pytest.mark.parametrize("one", CASES)
def test_the_entry_holds(one):
    rows = list(verify.run([one]))
    notes = {row.note for row in rows if row.note}
    if all(row.passed is None for row in rows):
        pytest.skip("; ".join(notes))
    bad = [
        f"{r.quantity}: {r.value!r} is not {r.reference!r} within {r.tolerance} {r.note}" for r in rows if not r.passed
    ]
    assert not bad


def entry(function, **limits):
    return Case("made-up", "a test", "ANALYTIC", "nobody", (Quantity("x", **limits),), function)


@pytest.mark.parametrize(
    ("limits", "value", "passed"),
    [
        ({"reference": 2.0, "tolerance": 0.01}, 2.019, True),
        ({"reference": 2.0, "tolerance": 0.01}, 2.021, False),
        ({"reference": -2.0, "tolerance": 0.01}, 2.0, False),
        ({"reference": 0.0, "absolute": 1e-6}, -9e-7, True),
        ({"reference": 0.0, "absolute": 1e-6}, 2e-6, False),
        ({"at_least": 1.9}, 1.91, True),
        ({"at_least": 1.9}, 1.89, False),
        ({"reference": 2.0, "tolerance": 0.01}, math.nan, False),
        ({"tolerance": 0.01}, (2.0, 2.1), False),
    ],
)
def test_a_wrong_number_fails(limits, value, passed):
    (row,) = verify.run([entry(lambda: {"x": value}, **limits)])
    assert row.passed is passed


def test_digits_are_those_that_match():
    (row,) = verify.run([entry(lambda: {"x": 1.001}, reference=1.0, tolerance=0.1)])
    assert math.isclose(row.digits, 3.0, abs_tol=1e-9)


def test_a_case_that_breaks_is_a_failed_row_and_one_that_cannot_run_is_skipped():
    def broken():
        raise InputError("it broke.", "why", "do")

    def missing():
        raise Skip("no such program")

    rows = list(verify.run([entry(broken, reference=1.0, tolerance=0.1), entry(missing, reference=1.0, tolerance=0.1)]))
    assert [row.passed for row in rows] == [False, None]
    assert "it broke" in rows[0].note
    assert "no such program" in rows[1].note
    rows = list(verify.run([entry(lambda: {"y": 1.0}, reference=1.0, tolerance=0.1)]))
    assert [row.passed for row in rows] == [False]


def test_unknown_names_are_refused():
    with pytest.raises(InputError, match="nonsense"):
        verify.select(["nonsense"])
    assert [one.name for one in verify.select(["patch"])] == ["patch"]
    assert len(verify.select(["patch-*"])) > 1


def test_the_verb_prints_the_table_and_writes_it(tmp_path, capsys):
    assert main(["verify", "--only", "rigid-body-modes", "--json", "--markdown", str(tmp_path / "v.md")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["passed"] is True
    assert {row["quantity"] for row in told["rows"]} == {"tet4", "tet10", "hex8", "hex20", "hex20r"}
    text = (tmp_path / "v.md").read_text()
    assert "| rigid-body-modes | tet10 | ANALYTIC |" in text
    assert f"numpy {table.versions()['numpy']}" in text


def test_a_failing_case_gives_an_exit_code(monkeypatch, capsys):
    bad = entry(lambda: {"x": 1.0}, reference=2.0, tolerance=0.1)
    monkeypatch.setattr(verify, "select", lambda only: [bad])
    assert main(["verify"]) == 1
    assert "NO" in capsys.readouterr().out

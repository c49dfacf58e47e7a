"""What ``femsim info`` prints."""

from __future__ import annotations

import json

import pytest

from femsim.errors import InputError
from femsim.report import info


@pytest.mark.parametrize("what", ["materials", "criteria", "treatments", "bones", "fields", "env"])
def test_rows_are_plain_data(what, capsys):
    rows = info.tables(what)
    assert len(rows) >= 5
    json.dumps(rows, allow_nan=False)
    info.show(what, rows)
    assert what in capsys.readouterr().out


def test_every_material_number_has_unit_source_and_trust():
    for row in info.tables("materials"):
        assert row["unit"], row
        assert row["source"], row
        assert row["trust"], row


def test_an_unknown_library_is_refused():
    with pytest.raises(InputError, match="no library"):
        info.tables("nonsense")

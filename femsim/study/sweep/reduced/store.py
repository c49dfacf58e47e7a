"""Rows that a reduced basis answered, on disk: one Parquet file a basis, whole or not there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from femsim.study.sweep import folder


def rows(out: Path) -> dict[str, dict[str, Any]]:
    """Records of all cases in a folder that were answered by a reduced basis, by id."""
    import pandas as pd

    found: dict[str, dict[str, Any]] = {}
    for file in sorted((out / folder.REDUCED).glob("*.parquet")):
        try:
            lines = pd.read_parquet(file)["record"]
        except (OSError, ValueError, KeyError):
            continue  # damaged: its cases are done again
        for line in lines:
            record = json.loads(line)
            found[record["id"]] = record
    return found


def known(out: Path, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What is known of cases: solved ones from their folders, the others as a reduced basis answered them."""
    reduced = rows(out)
    found = {name: reduced[name] for name in names if name in reduced}
    return found | folder.records(out, names)


def write(out: Path, name: str, records: Iterable[Mapping[str, Any]]) -> None:
    """Keep the records of one basis.

    Raises
    ------
    StudyError
        If the disk is full.
    """
    import io

    import pandas as pd

    memory = io.BytesIO()
    pd.DataFrame({"record": [json.dumps(one, default=str) for one in records]}).to_parquet(memory, index=False)
    (out / folder.REDUCED).mkdir(parents=True, exist_ok=True)
    folder.write_atomic(out / folder.REDUCED / f"{name}.parquet", memory.getvalue())

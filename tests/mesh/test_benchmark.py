"""Variants of the benchmark, other ones every day."""

from __future__ import annotations

import datetime
import importlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from femsim.errors import FemsimWarning

DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="module")
def mesher() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
        yield importlib.import_module("mesher")


def failures(
    mesher: ModuleType, number: int, data: Path | None, cache: Path, volumes: bool, near: float | None = None
) -> list[str]:
    """What is wrong with the 40 variants of a group; each line holds the seed that repeats it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FemsimWarning)
        group = mesher.group(number, data, cache, near)
        seeds = range(number * mesher.GROUP, (number + 1) * mesher.GROUP)
        found = [mesher.run(seed, group, cache, volumes) for seed in seeds]
    return [str(one) for one in found if one.error or one.worst < 0.1 or one.above < 0.999 or one.jacobian <= 0]


def test_forty_variants_of_a_shaft(mesher: ModuleType, tmp_path: Path) -> None:
    """The group changes with the date; all of these are shafts, which cost little."""
    kinds = importlib.import_module("mesher_variants").kinds(None)
    number = datetime.date.today().toordinal() * len(kinds) + kinds.index("shaft")
    assert failures(mesher, number, None, tmp_path, volumes=False, near=3.4) == []


@pytest.mark.slow
def test_forty_variants_of_a_whole_bone(mesher: ModuleType, tmp_path: Path) -> None:
    number = datetime.date.today().toordinal()
    assert failures(mesher, number, DATA if DATA.is_dir() else None, tmp_path, volumes=True) == []

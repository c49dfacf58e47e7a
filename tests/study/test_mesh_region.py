"""Cases whose lesions and devices move inside ``mesh.region``: nothing of the mesh outside it may differ."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import femsim as fs
from femsim.case import Comparison
from femsim.errors import FemsimWarning, InputError
from femsim.study import compare
from femsim.study.progress import Progress
from femsim.study.setup import prepare
from femsim.study.sweep.tasks import task

BONE = fs.Tube(outer_diameter=24, inner_diameter=14, length=160)
SIZE = {"near": 3.0, "far": 6.0}
REGION = (30.0, 75.0)


def case(position: float, diameter: float, region: tuple[float, float] | None = REGION) -> fs.Case:
    lesion = fs.Lesion(position=position, diameter=diameter, depth=4)
    return fs.Case(bone=BONE, lesion=lesion, load="torsion", mesh=fs.Mesh(**SIZE, region=region))


def solved(asked: fs.Case, past: float):
    device = fs.CementFilledCatheter(past_lesion=past)
    with warnings.catch_warnings():
        warnings.simplefilter("error", FemsimWarning)
        # what is wrong with so coarse a mesh is not asked here; a word about the region is
        for expected in ("wall of", "edges than", "in the mesh", "elements are larger", "beam theory", "merged with"):
            warnings.filterwarnings("ignore", f".*{expected}", FemsimWarning)
        return compare(asked, [fs.Untreated(), device], progress=Progress(show=False))


@pytest.fixture(scope="module")
def pair():
    return solved(case(48.0, 10.0), 10.0), solved(case(55.0, 16.0), 15.0)


def test_elements_outside_the_region_are_the_same_to_the_last_bit(pair) -> None:
    away = []
    for one in pair:
        place = 100.0 * one.bone.fraction(one.mesh.points)[one.mesh.cells]
        away.append((place.max(axis=1) < REGION[0]) | (place.min(axis=1) > REGION[1]))
    first, second = pair[0].mesh, pair[1].mesh
    assert away[0].sum() > 2000
    rows = np.flatnonzero(away[0])
    assert np.array_equal(rows, np.flatnonzero(away[1]))
    assert np.array_equal(first.cells[rows], second.cells[rows])
    assert np.array_equal(first.points[first.cells[rows]], second.points[second.cells[rows]])
    assert len(first.points) != len(second.points)  # inside it the lesions are not the same


def test_most_elements_inside_the_region_are_the_same_too(pair) -> None:
    """Only what the solids cut differs: the bone under both cases is one mesh."""
    corners = [{tuple(sorted(map(tuple, m.points[c[:4]].tolist()))) for c in m.cells} for m in (p.mesh for p in pair)]
    assert len(corners[0] & corners[1]) > 0.5 * len(corners[0])


def test_the_region_has_near_elements_without_a_lesion_too(pair) -> None:
    """Between the places named, along the whole of it, and not beyond."""
    mesh = pair[0].mesh
    place = 100.0 * pair[0].bone.fraction(mesh.points[mesh.cells[:, :4]].mean(axis=1))
    a, b = mesh.points[mesh.cells[:, 0]], mesh.points[mesh.cells[:, 1]]
    length = np.linalg.norm(a - b, axis=1)
    inside = np.median(length[(place > 65.0) & (place < 74.0)])
    assert inside < 1.3 * SIZE["near"]
    assert np.median(length[(place > 88.0) | (place < 15.0)]) > 1.3 * inside


def test_what_reaches_out_of_the_region_is_said() -> None:
    with pytest.warns(FemsimWarning, match=r"lesion reaches from 4\d to 5\d % of the bone, mesh.region is 50 to 75 %"):
        prepare(case(48.0, 16.0, (50.0, 75.0)), {"untreated": fs.Untreated()})


@pytest.mark.parametrize("region", [(60, 40), (-1, 40), (40, 101), (50, 50)])
def test_a_region_that_is_none_is_refused(region: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="region"):
        fs.Mesh(region=region)


def test_cases_without_a_region_keep_their_identity() -> None:
    """Hashes from before there was the key: folders of studies and comparisons begun then are found again."""
    assert fs.Case().key() == "4367d97d64175700"
    spec = Comparison().model_dump(mode="json")
    assert task(spec, {}, {}, 0).id == "50a8555b2717"
    assert task(spec, {}, {}, 0).mesh == "c7a4266f4029dc08"
    with_region = {**spec, "mesh": {**spec["mesh"], "region": [20, 60]}}
    assert task(with_region, {}, {}, 0).mesh != task(spec, {}, {}, 0).mesh

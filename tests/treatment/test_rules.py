"""Rules paint materials over compartments; the last one wins, and nothing is lost without a word."""

from __future__ import annotations

import numpy as np
import pytest

from femsim.errors import MeshError
from femsim.mesh import Mesh
from femsim.treatment import Cement, CementAndCatheter, CementFilledCatheter, Rule, base_rules, paint

SOLIDS = ("endosteum", "lesion", "catheter_1", "catheter_1_lumen")


def mesh_of(*compartments: int, solids: tuple[str, ...] = SOLIDS, notes: tuple[str, ...] = ()) -> Mesh:
    """One cell for every compartment mask."""
    count = len(compartments)
    return Mesh(np.zeros((4, 3)), np.zeros((count, 10), int), "tet10", solids, np.array(compartments), notes=notes)


def painted(mesh: Mesh, rules: tuple[Rule, ...]) -> list[str]:
    names, index = paint(mesh, rules)
    return [names[i] for i in index]


def test_untreated_bone() -> None:
    mesh = mesh_of(0b0000, 0b0001, 0b0010, 0b0011)
    assert painted(mesh, base_rules()) == ["cortical_bone", "trabecular_bone", "tumour_tissue", "tumour_tissue"]


def test_lesion_free_twin_knows_the_bone_under_the_lesion() -> None:
    mesh = mesh_of(0b0000, 0b0001, 0b0010, 0b0011)
    assert painted(mesh, base_rules(())) == ["cortical_bone", "trabecular_bone"] * 2


def test_catheter_leaves_the_lesion_as_it_is() -> None:
    mesh = mesh_of(0b0011, 0b0111, 0b1111, 0b1101)
    rules = base_rules() + CementFilledCatheter().rules()
    assert painted(mesh, rules) == ["tumour_tissue", "polyurethane", "pmma", "pmma"]


def test_cement_is_crossed_by_the_catheter() -> None:
    solids = (*SOLIDS, "cement")
    mesh = mesh_of(0b10011, 0b10111, 0b11111, 0b00111, solids=solids)
    rules = base_rules() + CementAndCatheter().rules()
    assert painted(mesh, rules) == ["pmma", "polyurethane", "pmma", "polyurethane"]


def test_outside_is_respected() -> None:
    mesh = mesh_of(0b0001, 0b0011)
    rules = (Rule(material="a"), Rule(inside=("endosteum",), outside=("lesion",), material="b"))
    assert painted(mesh, rules) == ["b", "a"]


def test_materials_are_named_once_and_only_if_they_occur() -> None:
    mesh = mesh_of(0b0000, 0b0010)
    names, index = paint(
        mesh, (Rule(material="a"), Rule(inside=("endosteum",), material="b"), Rule(("lesion",), (), "a"))
    )
    assert names == ("a",)
    assert index.tolist() == [0, 0]


def test_solid_that_the_mesh_lacks_is_an_error() -> None:
    with pytest.raises(MeshError, match="cement"):
        paint(mesh_of(0), base_rules() + Cement().rules())


def test_solid_that_the_mesher_reported_missing_is_not() -> None:
    mesh = mesh_of(0, 1, solids=("endosteum", "lesion"), notes=("cement: too small for the mesh",))
    assert painted(mesh, base_rules() + Cement().rules()) == ["cortical_bone", "trabecular_bone"]


def test_homogenised_wall_leaves_the_cement_core() -> None:
    mesh = mesh_of(0b0001, 0b1001)
    assert painted(mesh, base_rules() + CementFilledCatheter().rules()) == ["trabecular_bone", "pmma"]


def test_catheter_that_lost_its_lumen_is_an_error() -> None:
    with pytest.raises(MeshError, match="lumen"):
        paint(mesh_of(0b0001, 0b0101), base_rules() + CementFilledCatheter().rules())


def test_cell_without_a_rule_is_an_error() -> None:
    with pytest.raises(MeshError, match="2 cells"):
        paint(mesh_of(0, 0, 1), (Rule(inside=("endosteum",), material="a"),))


def test_same_rules_give_the_same_painting() -> None:
    mesh = mesh_of(*range(16))
    first, second = (paint(mesh, base_rules() + CementFilledCatheter().rules()) for _ in range(2))
    assert first[0] == second[0]
    np.testing.assert_array_equal(first[1], second[1])

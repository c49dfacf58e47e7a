"""Where a bone touches the ground or a roller: a place of its surface, whatever the mesh."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from femsim.loads.patch import skin, surface_towards
from femsim.loads.places import crown
from femsim.mesh import Mesh

DOWN = np.array([0.6, 0.0, -0.8])


def ellipsoid(count: int, seed: int) -> np.ndarray:
    """Triangles (t, 3, 3) of an ellipsoid of 30 x 25 x 40 mm through random points of it, about evenly spread."""
    unit = np.random.default_rng(seed).normal(size=(count, 3))
    points = unit / np.linalg.norm(unit, axis=1, keepdims=True) * [30.0, 25.0, 40.0]
    return points[ConvexHull(points).simplices]


def lowest() -> np.ndarray:
    """ANALYTIC: the point of that ellipsoid that is farthest down."""
    square = np.array([30.0, 25.0, 40.0]) ** 2
    return square * DOWN / np.sqrt((square * DOWN**2).sum())


@pytest.mark.parametrize(("count", "most"), [(2000, 1.0), (6000, 0.5)])
def test_contact_does_not_move_with_the_mesh(count: int, most: float) -> None:
    """Edges of 4 and 2.5 mm: the lowest node wanders over the millimetres between nodes, the contact much less."""
    found, nodes = [], []
    for seed in range(8):
        corners = ellipsoid(count, seed)
        found.append(crown(corners, DOWN, np.pi * 5.0**2))
        nodes.append(corners.reshape(-1, 3)[np.argmax(corners.reshape(-1, 3) @ DOWN)])
    away = [np.linalg.norm(np.array(places) - lowest(), axis=1) for places in (found, nodes)]
    assert away[0].max() < most
    assert away[0].mean() < 0.5 * away[1].mean()


def test_contact_of_a_flat_place_is_its_middle() -> None:
    square = np.array([[[0, 0, 0], [4, 0, 0], [4, 2, 0]], [[0, 0, 0], [4, 2, 0], [0, 2, 0]]], float)
    above = square + np.array([0.0, 0.0, 1.0])
    both = np.concatenate([square, above])
    assert crown(both, np.array([0.0, 0.0, -1.0]), 3.0) == pytest.approx([2.0, 1.0, 0.0])
    assert crown(both, np.array([0.0, 0.0, 1.0]), 3.0) == pytest.approx([2.0, 1.0, 1.0])


@pytest.mark.parametrize("turn", [0.0, 3.0, 7.5, 11.0])
def test_a_roller_stays_where_it_is_when_the_mesh_is_turned(turn: float, tube: tuple[Any, Mesh]) -> None:
    """Nodes stand every 7.5 degrees and 2.5 mm: the nearest one was up to 1 mm beside."""
    bone, mesh = tube
    angle = np.radians(turn)
    rotation = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    turned = replace(mesh, points=mesh.points @ rotation.T)
    for fraction in (0.2, 0.507):
        place = surface_towards(fraction, np.array([0.0, 1.0, 0.0]), 8.0, bone, skin(turned))
        assert place[:2] == pytest.approx([0.0, 14.0], abs=0.15)
        assert place[2] == pytest.approx(200.0 * fraction, abs=0.15)

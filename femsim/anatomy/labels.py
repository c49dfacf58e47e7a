"""A bone from a labelled image (NIfTI): the borders of its labels become surfaces."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from femsim.anatomy.bone import Bone
from femsim.anatomy.repair import Surface, repaired
from femsim.anatomy.surface import assembled
from femsim.errors import FemsimWarning, GeometryError, InputError

Labels = NDArray[np.int64]

#: Smoothing of the staircase of a label's border, voxels.
_SMOOTH = 0.7
#: Share of the contour's triangles that are taken out: it has two a voxel, many more than the shape needs.
_THINNED = 0.75
_UNITS = {"mm": 1.0, "meter": 1000.0, "micron": 1e-3, "unknown": 1.0}


def read_labels(path: str | Path) -> tuple[Labels, NDArray[np.float64], tuple[str, ...]]:
    """Labels of an image, its affine (4, 4) from voxel to mm, and notes.

    Raises
    ------
    InputError
        If nibabel is missing, or the file is no three-dimensional image of whole numbers.
    """
    path = Path(path)
    try:
        import nibabel
    except ImportError as error:
        raise InputError(
            f"{path.name} is an image, and nibabel is not installed.",
            "femsim reads NIfTI files with it.",
            'Install it with: pip install "femsim[images]"',
        ) from error
    if not path.is_file():
        raise InputError(f"{path} is not there.", "A bone needs its image.", "Check the path.")
    try:
        image: Any = nibabel.load(path)
        values = np.asarray(image.dataobj)
        affine, unit = np.asarray(image.affine, float), image.header.get_xyzt_units()[0]
    except (nibabel.filebasedimages.ImageFileError, OSError, EOFError, ValueError, AttributeError) as error:
        raise InputError(
            f"{path} cannot be read: {error}", "It may be damaged.", "Export it as NIfTI again."
        ) from error
    values = values[..., 0] if values.ndim == 4 and values.shape[3] == 1 else values
    labels = np.round(values).astype(np.int64)
    if values.ndim != 3 or not np.isfinite(affine).all() or not (labels == values).all():
        raise InputError(
            f"{path.name} holds no labels: {values.ndim} dimensions, {values.dtype}.",
            "Every voxel must have one whole number that says what it is.",
            "Give a segmentation; grey values of a CT scan are no labels.",
        )
    affine = affine.copy()
    affine[:3] *= _UNITS.get(unit, 1.0)
    notes = (f"{path.name} does not say its length unit: mm assumed.",) if unit == "unknown" else ()
    return labels, affine, notes


def label_surface(inside: NDArray[np.bool_], affine: NDArray[np.float64], name: str) -> Surface:
    """Closed surface of the largest part of a region of voxels, mm.

    Parameters
    ----------
    inside : (i, j, k) bool
    affine : (4, 4) float64
        From voxel centre to mm.
    name : str
        Used in messages.

    Notes
    -----
    The half level of the region smoothed by 0.7 voxels: exact on a plane; a ball of radius r voxels loses about
    0.5 / r voxels of radius. Every fourth triangle is kept (quadric decimation).

    Raises
    ------
    GeometryError
        If the region is empty, or cut off by the border of the image.
    """
    import pyvista

    if not inside.any():
        raise GeometryError(f"{name} is empty.", "There is no bone.", "Check the numbers of the labels.")
    part, count = ndimage.label(inside)
    sizes = np.bincount(part.ravel())
    sizes[0] = 0
    main = part == int(np.argmax(sizes))
    notes = (
        [f"{name}: dropped {count - 1} stray parts of {int(sizes.sum() - sizes.max())} voxels."] if count > 1 else []
    )
    if sizes.sum() - sizes.max() > 0.01 * sizes.max():
        second = int(np.argsort(sizes)[-2])
        at = affine[:3, :3] @ np.argwhere(part == second).mean(axis=0) + affine[:3, 3]
        raise GeometryError(
            f"{name} has {count} separate parts; the second, of {sizes[second]} voxels, lies at "
            f"({at[0]:.1f}, {at[1]:.1f}, {at[2]:.1f}) mm.",
            "It is too large to be a stray part.",
            "Keep one bone in the image.",
        )
    filled = ndimage.binary_fill_holes(main)
    if filled.sum() > main.sum():
        notes.append(f"{name}: filled {int(filled.sum() - main.sum())} enclosed voxels.")
    faces = [filled.take(end, axis) for axis in range(3) for end in (0, -1)]
    cut = sum(int(face.sum()) for face in faces)
    if cut:
        raise GeometryError(
            f"{name} touches the border of the image with {cut} voxels.",
            "The bone is cut off there; its landmarks and length would be wrong.",
            "Give an image of the whole bone, or add an empty voxel all round if it ends there.",
        )
    pad = 4
    smooth = ndimage.gaussian_filter(np.pad(filled, pad).astype(np.float32), _SMOOTH)
    image = pyvista.ImageData(dimensions=smooth.shape)
    image["inside"] = smooth.ravel(order="F")
    contour = image.contour([0.5], scalars="inside", method="flying_edges").decimate(_THINNED)
    points = (np.asarray(contour.points, float) - pad) @ affine[:3, :3].T + affine[:3, 3]
    found = repaired(points, np.asarray(contour.regular_faces, np.int64), name)
    turned = tuple(note for note in found.notes if not note.startswith(("Turned inside", "Removed")))
    return Surface(found.points, found.triangles, (*notes, *turned))


def bone_from_labels(
    image_file: str | Path,
    kind: str = "femur",
    side: str | None = None,
    cortex: int = 1,
    inside: int = 2,
    thickness: float | None = None,
    spacing: float = 1.0,
    min_wall: float = 0.8,
    name: str = "",
) -> Bone:
    """A bone from a labelled image.

    Parameters
    ----------
    image_file : path
        NIfTI (``.nii``, ``.nii.gz``) of whole numbers, read by nibabel; its affine gives the place in mm.
    kind : {"femur", "humerus", "tibia"}
    side : {"left", "right"}, optional
        Checked against the shape.
    cortex, inside : int
        Labels of the cortex and of what lies inside it. The periosteum is the border of both together.
    thickness : float, optional
        Of the cortex, mm, where the image has only one label for the whole bone (`cortex`).
    spacing, min_wall, name
        As in `bone_from_surfaces`.

    Raises
    ------
    InputError
        If the file cannot be read, or neither the label `inside` nor a thickness is there.
    GeometryError
        If the labels are not those of one whole bone.
    """
    labels, affine, notes = read_labels(image_file)
    label = name or Path(image_file).name.removesuffix(".gz").removesuffix(".nii")
    for text in notes:
        warnings.warn(text, FemsimWarning, stacklevel=2)
    hollow = labels == inside
    if hollow.any() == (thickness is not None):
        there = ", ".join(str(n) for n in np.unique(labels)[:12])
        raise InputError(
            f"The inside of the cortex needs either voxels of label {inside} or a thickness, and not both.",
            f"{label} has the labels {there}.",
            "Name the right label, or give a thickness in mm.",
        )
    outer = label_surface((labels == cortex) | hollow, affine, f"{label}, periosteum")
    inner = label_surface(hollow, affine, f"{label}, endosteum") if hollow.any() else None
    return assembled(outer, inner, kind, side, thickness, spacing, min_wall, label)

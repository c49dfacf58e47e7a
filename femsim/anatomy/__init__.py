"""What the patient brings: bones with their frame and landmarks, and lesions."""

from femsim.anatomy.bone import Bone, Site, site_fraction
from femsim.anatomy.femur import FemurShape, femur
from femsim.anatomy.frame import Centreline, Frame
from femsim.anatomy.landmarks import Anatomy, find_anatomy
from femsim.anatomy.repair import Surface, repaired
from femsim.anatomy.surface import bone_from_surfaces, read_surface
from femsim.anatomy.tube import tube

__all__ = [
    "Anatomy",
    "Bone",
    "Centreline",
    "FemurShape",
    "Frame",
    "Site",
    "Surface",
    "bone_from_surfaces",
    "femur",
    "find_anatomy",
    "read_surface",
    "repaired",
    "site_fraction",
    "tube",
]

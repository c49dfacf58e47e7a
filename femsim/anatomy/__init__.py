"""What the patient brings: bones with their frame and landmarks, and lesions."""

from femsim.anatomy.bone import Bone, Site, site_fraction
from femsim.anatomy.femur import FemurShape, femur
from femsim.anatomy.frame import Centreline, Frame
from femsim.anatomy.humerus import HumerusShape, humerus
from femsim.anatomy.labels import bone_from_labels
from femsim.anatomy.landmarks import Anatomy, find_anatomy
from femsim.anatomy.lesion import LesionPlan, PlacedLesion, place_lesion
from femsim.anatomy.lesion_measures import LesionMeasures, mirels_size
from femsim.anatomy.measure import measure_bone
from femsim.anatomy.presets import preset, preset_rows, preset_sources
from femsim.anatomy.repair import Surface, repaired
from femsim.anatomy.shape_model import bone_from_shape_model
from femsim.anatomy.surface import bone_from_surfaces, read_surface
from femsim.anatomy.tibia import TibiaShape, tibia
from femsim.anatomy.tube import tube

#: The parametric bones by kind.
SHAPES = {"femur": FemurShape, "humerus": HumerusShape, "tibia": TibiaShape}

__all__ = [
    "SHAPES",
    "Anatomy",
    "Bone",
    "Centreline",
    "FemurShape",
    "Frame",
    "HumerusShape",
    "LesionMeasures",
    "LesionPlan",
    "PlacedLesion",
    "Site",
    "Surface",
    "TibiaShape",
    "bone_from_labels",
    "bone_from_shape_model",
    "bone_from_surfaces",
    "femur",
    "find_anatomy",
    "humerus",
    "measure_bone",
    "mirels_size",
    "place_lesion",
    "preset",
    "preset_rows",
    "preset_sources",
    "read_surface",
    "repaired",
    "site_fraction",
    "tibia",
    "tube",
]

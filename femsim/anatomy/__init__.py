"""What the patient brings: bones with their frame and landmarks, and lesions."""

from femsim.anatomy.bone import Bone, Site, site_fraction
from femsim.anatomy.frame import Centreline, Frame
from femsim.anatomy.tube import tube

__all__ = ["Bone", "Centreline", "Frame", "Site", "site_fraction", "tube"]

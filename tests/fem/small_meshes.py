"""The structured meshes of the verification, for the solver's tests."""

from femsim.verify.meshes import box, distort, faces_on, on, surface

__all__ = ["box", "distort", "faces_on", "on", "surface"]

"""Meshes: an arrangement of solids in, one conforming labelled mesh of tetrahedra out.

`mesh_arrangement` fills the domain with tetrahedra (gmsh, in a process of its own), cuts the surface of every solid
into them (`cut`), repairs shapes near the cuts (`improve`), adds curved mid-side nodes (`promote`), and lets nothing
through that `check` refuses.
"""

from femsim.mesh.arrange import mesh_arrangement
from femsim.mesh.mesh import Mesh
from femsim.mesh.promote import to_tet10
from femsim.mesh.quality import Quality, cell_volumes, check, quality
from femsim.mesh.size import MeshSize
from femsim.mesh.topology import boundary_faces, face_nodes, interface_faces

__all__ = [
    "Mesh",
    "MeshSize",
    "Quality",
    "boundary_faces",
    "cell_volumes",
    "check",
    "face_nodes",
    "interface_faces",
    "mesh_arrangement",
    "quality",
    "to_tet10",
]

"""Meshes: an arrangement of solids in, one conforming labelled mesh of tetrahedra out.

`mesh_arrangement` fills the domain with tetrahedra (gmsh, in a process of its own) and cuts the layers of the bone into
them: the `base`, made once for a bone. Lesions and devices are cut into it (`variant`): vertices snapped and edges
split (`cut`), shapes repaired (`improve`), volumes met and mid-side nodes put onto the surfaces (`shape`, `promote`).
Nothing gets through that `check` refuses.
"""

from femsim.mesh.arrange import mesh_arrangement
from femsim.mesh.files import check_target, read_mesh, write_mesh
from femsim.mesh.mesh import Mesh
from femsim.mesh.promote import to_tet10
from femsim.mesh.quality import Quality, cell_volumes, check, in_short, quality
from femsim.mesh.size import MeshSize
from femsim.mesh.topology import boundary_faces, face_nodes, interface_faces

__all__ = [
    "Mesh",
    "MeshSize",
    "Quality",
    "boundary_faces",
    "cell_volumes",
    "check",
    "check_target",
    "face_nodes",
    "in_short",
    "interface_faces",
    "mesh_arrangement",
    "quality",
    "read_mesh",
    "to_tet10",
    "write_mesh",
]

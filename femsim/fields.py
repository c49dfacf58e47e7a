"""Every field and table column the program writes: name, unit, where it lives, what it means.

The names here are the names of VTU arrays, table columns, axis labels and colour bars. A room that writes a number
looks it up here; a name that is not here cannot be written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Location = Literal["node", "cell", "table"]

#: Columns that get an error bar: of these the first few with the order and the value extrapolated to element size zero.
MAIN = (
    "stiffness", "torsional_stiffness", "failure_load", "failure_moment", "nonlinear_failure_load",
    "nonlinear_failure_moment",
)  # fmt: skip
BARRED = (
    *MAIN, "stiffness_recovery", "stiffness_of_intact", "failure_load_bw", "nonlinear_failure_load_bw", "yield_load",
    "yield_moment", "energy_to_peak", "maximum_risk", "overloaded_volume", "interface_risk", "bone_tensile_strain",
    "bone_compressive_strain", "bone_tensile_stress", "bone_compressive_stress", "cement_tensile_strain",
    "cement_compressive_strain", "cement_tensile_stress", "cement_compressive_stress", "axial_rigidity",
    "bending_rigidity", "polar_torsional_rigidity", "true_torsional_rigidity", "rigidity_loss",
)  # fmt: skip
#: What is appended to the name of a column for what belongs to its error bar.
APPENDED = ("_error", "_order", "_extrapolated", "_low", "_high", "_assumption")


@dataclass(frozen=True)
class Field:
    """One output: its name, unit ("-" for none), location and one-line meaning."""

    name: str
    unit: str
    location: Location
    meaning: str

    @property
    def label(self) -> str:
        """Name and unit as written on an axis or a colour bar."""
        words = self.name.replace("_", " ")
        return words if self.unit == "-" else f"{words} [{self.unit}]"


def _table(*rows: tuple[str, str, Location, str]) -> dict[str, Field]:
    found = {row[0]: Field(*row) for row in rows}
    return found | {one.name: one for name in BARRED for one in _of_the_bar(found[name])}


def _of_the_bar(field: Field) -> list[Field]:
    """The columns of the error bar of a column."""
    name, unit = field.name, field.unit
    words = name.replace("_", " ")
    rows: list[tuple[str, str, str]] = [("error", "%", "half-width of the discretisation error bar, of the value")]
    if name in MAIN:
        rows += [
            ("order", "-", "observed order of convergence; empty where the meshes do not converge"),
            ("extrapolated", unit, "estimate for element size zero, by Richardson; empty where there is no order"),
        ]
    rows += [
        ("low", unit, "lowest value under the assumptions marked as uncertain, one at a time"),
        ("high", unit, "highest value under the assumptions marked as uncertain, one at a time"),
    ]
    if name in MAIN:
        rows += [("assumption", "-", "which uncertain assumption moves it most")]
    return [Field(f"{name}_{end}", unit, "table", f"{words}: {meaning}") for end, unit, meaning in rows]


def is_of_a_bar(name: str) -> bool:
    """Whether a column belongs to the error bar of another one."""
    return any(name.endswith(end) and name.removesuffix(end) in BARRED for end in APPENDED)


FIELDS: dict[str, Field] = _table(
    # --- fields on the mesh
    ("displacement", "mm", "node", "displacement vector"),
    ("nodal_force", "N", "node", "nodal force of the stresses: load or reaction, zero inside the body"),
    ("compartment", "-", "cell", "bit mask of the solids the element lies in"),
    ("material", "-", "cell", "index of the material in the strategy's list"),
    ("youngs_modulus", "MPa", "cell", "axial Young's modulus, mean over the element"),
    ("stress", "MPa", "cell", "stress, xx yy zz yz xz xy, mean over the element"),
    ("strain", "-", "cell", "strain, xx yy zz yz xz xy (engineering shear), mean over the element"),
    ("von_mises_stress", "MPa", "cell", "von Mises stress, mean over the element"),
    ("maximum_principal_stress", "MPa", "cell", "largest principal stress"),
    ("minimum_principal_stress", "MPa", "cell", "smallest principal stress"),
    ("maximum_principal_strain", "-", "cell", "largest principal strain"),
    ("minimum_principal_strain", "-", "cell", "smallest principal strain"),
    ("energy_density", "MPa", "cell", "strain energy per volume"),
    (
        "risk",
        "-",
        "cell",
        "factor of risk: demand averaged over a physical volume, over capacity; 1 is the linear failure load",
    ),
    ("failure_mode", "-", "cell", "mode that governs: 0 none, 1 tension, 2 compression, 3 shear"),
    ("excluded", "-", "cell", "1 where the element is left out of the risk (supports and load patches)"),
    ("damage", "-", "cell", "share of the softening that has happened at the end of the non-linear curve"),
    ("plastic_strain", "-", "cell", "equivalent plastic strain at the non-linear peak load"),
    # --- columns of the comparison table
    ("strategy", "-", "table", "name of the fixation strategy"),
    ("load", "-", "table", "name of the load case"),
    (
        "stiffness",
        "N/mm",
        "table",
        "main force squared over the work of all loads; force over displacement of a single load",
    ),
    (
        "torsional_stiffness",
        "N m/deg",
        "table",
        "main moment squared over the work of all loads; moment over rotation of a single moment",
    ),
    ("stiffness_recovery", "%", "table", "(treated - untreated) / (intact - untreated) of the stiffness"),
    ("stiffness_of_intact", "%", "table", "stiffness relative to the lesion-free twin"),
    (
        "bone_tensile_strain",
        "%",
        "table",
        "largest principal strain in bone, averaged over the physical length",
    ),
    (
        "bone_compressive_strain",
        "%",
        "table",
        "smallest principal strain in bone, averaged over the physical length",
    ),
    (
        "bone_tensile_stress",
        "MPa",
        "table",
        "largest principal stress in bone, averaged over the physical length",
    ),
    (
        "bone_compressive_stress",
        "MPa",
        "table",
        "smallest principal stress in bone, averaged over the physical length",
    ),
    (
        "cement_tensile_strain",
        "%",
        "table",
        "largest principal strain in cement, averaged over the physical length",
    ),
    (
        "cement_compressive_strain",
        "%",
        "table",
        "smallest principal strain in cement, averaged over the physical length",
    ),
    (
        "cement_tensile_stress",
        "MPa",
        "table",
        "largest principal stress in cement, averaged over the physical length",
    ),
    (
        "cement_compressive_stress",
        "MPa",
        "table",
        "smallest principal stress in cement, averaged over the physical length",
    ),
    ("failure_load", "N", "table", "linear failure load: main force over the largest factor of risk"),
    ("failure_load_bw", "BW", "table", "linear failure load in body weights"),
    ("failure_moment", "N m", "table", "linear failure moment: main moment over the largest factor of risk"),
    ("nonlinear_failure_load", "N", "table", "largest main load of materials that yield and soften"),
    ("nonlinear_failure_load_bw", "BW", "table", "the same in body weights"),
    ("nonlinear_failure_moment", "N m", "table", "largest main moment of materials that yield and soften"),
    (
        "nonlinear_peak_reached",
        "-",
        "table",
        "whether the load fell or stayed level; if not, it is a lower bound",
    ),
    ("yield_load", "N", "table", "load at which the secant stiffness has fallen by 5 %, at most the peak"),
    ("yield_moment", "N m", "table", "moment at which the secant stiffness has fallen by 5 %, at most the peak"),
    ("energy_to_peak", "J", "table", "work of all loads up to the non-linear peak"),
    ("nonlinear_failure_place", "-", "table", "where the non-linear analysis fails"),
    ("nonlinear_failure_kind", "-", "table", "tension, compression or shear, there"),
    ("maximum_risk", "-", "table", "largest averaged factor of risk under the load as given"),
    ("failure_place", "-", "table", "where the largest factor of risk lies"),
    ("failure_position", "%", "table", "position of the failure along the bone, from the distal end"),
    ("failure_material", "-", "table", "material that governs"),
    ("failure_kind", "-", "table", "tension, compression or shear"),
    (
        "overloaded_volume",
        "mm3",
        "table",
        "largest connected volume whose factor of risk reaches 1 under the load as given",
    ),
    ("interface_risk", "-", "table", "largest factor of risk on the bonded faces between cement and bone"),
    ("interface_mode", "-", "table", "whether tension or shear governs there"),
    ("axial_rigidity", "%", "table", "smallest EA of any section along the bone, relative to the intact twin"),
    ("bending_rigidity", "%", "table", "smallest EI about either principal axis of any section, relative to intact"),
    ("polar_torsional_rigidity", "%", "table", "smallest sum of G r^2 dA (GJ as CTRA has it), relative to intact"),
    ("true_torsional_rigidity", "%", "table", "smallest Saint-Venant GJ of any section, relative to intact"),
    ("rigidity_loss", "%", "table", "largest loss of EA, EI or polar GJ at any section; the CTRA rule asks for 35 %"),
    ("weakest_section", "-", "table", "where along the bone any rigidity is smallest relative to intact, and which"),
    ("weakest_section_position", "%", "table", "position of the weakest section, from the distal end"),
    (
        "beam_stress_difference",
        "%",
        "table",
        "largest difference of the stress along the undisturbed shaft from beam theory, in percent of the largest "
        "stress of the beam there (shear where it is twisted)",
    ),
    (
        "beam_stiffness_difference",
        "%",
        "table",
        "difference of the stiffness of the undisturbed shaft from beam theory, by strain energy",
    ),
    ("cement_volume", "mL", "table", "volume of cement inside the bone, of the mesh"),
    ("device_volume", "mL", "table", "volume of walls, wires and metal inside the bone, of the mesh"),
    ("lesion_volume", "mL", "table", "volume of bone lost to the lesion"),
    (
        "axial_cortical_involvement",
        "mm",
        "table",
        "length along the bone over which the lesion touches cortex",
    ),
    (
        "circumferential_cortical_involvement",
        "%",
        "table",
        "largest share of the cortical circumference touched",
    ),
    ("lesion_diameter_fraction", "%", "table", "largest lesion width over the width of the bone there"),
    ("mirels_size_points", "-", "table", "Mirels size class, 1 to 3"),
    ("force_residual", "-", "table", "|sum of loads + sum of reactions| / |loads|"),
    ("moment_residual", "-", "table", "the same for moments about the origin"),
    ("energy_residual", "-", "table", "|strain energy - external work / 2| / strain energy"),
    ("solver_residual", "-", "table", "true relative residual of the linear solver"),
    (
        "error_bar",
        "-",
        "table",
        "what the error bars of the row hold: no error bar, discretisation (three meshes), assumptions, or both",
    ),
    ("failure_place_on_meshes", "-", "table", "whether the coarser meshes of the error bar fail at the same place"),
    ("unknowns", "-", "table", "displacements, three a node, those of held nodes included"),
)

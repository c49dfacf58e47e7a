"""What every treatment can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import ConfigDict

from femsim.anatomy.bone import Bone
from femsim.errors import InputError
from femsim.schema import Schema
from femsim.solid import Solid, intersection
from femsim.solid.query import volume
from femsim.treatment.rules import Rule

#: Positions of the distal and proximal end of all lesions, as fractions of the bone's length.
Span = tuple[float, float]


class Treatment(Schema):
    """What the surgeon adds. Subclasses hold what the user writes; numbers in mm or texts with a unit.

    Attributes
    ----------
    label : str
        Name in tables and figures.
    heals : bool
        True where the lesion is not there at all (the lesion-free twin).
    needs_lesion : bool
        True where there is nothing to do without a lesion.
    """

    model_config = ConfigDict(validate_default=True)

    label: ClassVar[str] = ""
    heals: ClassVar[bool] = False
    needs_lesion: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """Name as a key: table rows, folders."""
        return self.label.replace(" + ", "_and_").replace(" ", "_")

    def solids(self, bone: Bone, lesion: Solid | None, span: Span | None) -> dict[str, Solid]:
        """Solids that the treatment puts into the bone, by name, in the order in which they are cut.

        Parameters
        ----------
        bone : Bone
            The bone.
        lesion : Solid or None
            All lesions united; None where there is none.
        span : (float, float) or None
            Their ends along the bone, as fractions of its length.

        Raises
        ------
        InputError
            If the treatment needs a lesion and there is none.
        GeometryError
            If the treatment does not fit.
        """
        if not self.needs_lesion:
            return {}
        if lesion is None or span is None:
            raise InputError(
                f"The strategy {self.label!r} was asked for on a bone without a lesion.",
                "It fills or bridges a lesion.",
                "Add a [lesion] to the case, or leave this strategy out.",
            )
        return self.placed(bone, lesion, span)

    def placed(self, bone: Bone, lesion: Solid, span: Span) -> dict[str, Solid]:
        """As `solids`, where there is a lesion; what subclasses define."""
        return {}

    def rules(self) -> tuple[Rule, ...]:
        """Rules that come after `base_rules`, over the names of `solids`."""
        return ()

    def thin(self) -> Mapping[str, float]:
        """Wall thickness in mm of the solids that are shells thinner than an element may be."""
        return {}

    def slender(self) -> Mapping[str, float]:
        """Width in mm of the solids that are long and narrow, so that the mesh resolves them."""
        return {}

    def cement(self, solids: Mapping[str, Solid]) -> Solid | None:
        """The region that is cement, from what `solids` returned; None without cement."""
        return None

    def cement_volume(self, bone: Bone, lesion: Solid | None, span: Span | None, spacing: float = 0.5) -> float:
        """Volume of cement inside the bone, mL, from the solids themselves.

        Parameters
        ----------
        bone, lesion, span
            As for `solids`.
        spacing : float
            Edge of the counting cells, mm; second order for smooth shapes.
        """
        region = self.cement(self.solids(bone, lesion, span))
        return 0.0 if region is None else volume(intersection(region, bone.periosteum), spacing) / 1000.0

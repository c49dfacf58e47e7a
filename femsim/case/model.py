"""What the user writes: a bone, a lesion, a load, a mesh size and the strategies to compare.

The same names serve Python, TOML and the command line. Numbers are in mm, N, MPa, kg, degrees, or texts with a unit.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from femsim.anatomy import Bone
from femsim.units import Angle, Length, Mass


class Spec(BaseModel):
    """Base of everything a user writes: frozen, hashable by content, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    def key(self) -> str:
        """Content hash, equal in every process."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class MeshSize(Spec):
    """Element sizes. The mesh is fine near lesions and devices and coarse far away."""

    near: Length = Field(1.6, gt=0.2, le=10, description="Element size near lesions and devices [mm].")
    far: Length = Field(4.0, gt=0.2, le=20, description="Element size far away [mm]; at least near.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.far < self.near:
            raise ValueError(f"mesh.far ({self.far:g} mm) must be at least mesh.near ({self.near:g} mm)")
        return self


class Risk(Spec):
    """How a stress field becomes a failure load."""

    averaging_length: Length = Field(
        2.0, ge=0.0, le=5.0,
        description="Diameter of the volume over which demand is averaged [mm], 1 to 3 for bone.",
    )


class Solver(Spec):
    """The linear solver."""

    method: Literal["auto", "direct", "multigrid"] = Field("auto", description='"auto", "direct" or "multigrid".')
    tolerance: float = Field(1e-7, gt=1e-14, lt=1e-2, description="True relative residual at which to stop.")
    threads: int = Field(2, ge=1, le=256, description="Threads of the solver.")

"""The commented case file that ``femsim new`` prints."""

from __future__ import annotations

import re

import tomlkit

from femsim.case import toml_io
from femsim.case.bones import Humerus, LabelBone, ShapeModelBone, SurfaceBone, Tibia
from femsim.case.model import Comparison

_HEAD = """\
# A femsim case. Every key is shown with its unit and default; delete what you do not change.
# Numbers are in mm, N, MPa, kg and degrees, or texts with a unit: "3 cm", "2.5 GPa".
# Check it with:  femsim check case.toml      Run it with:  femsim compare case.toml -o out
"""


def template(case: Comparison | None = None) -> str:
    """A case file with every key, its unit and its default; it reads back as `case`."""
    shown = Comparison() if case is None else case
    top = toml_io.commented(
        shown, "", skip=("bone", "lesion", "mesh", "risk", "solver", "materials", "uncertain", "strategies")
    )
    blocks = [_HEAD.splitlines(), top if shown.lesion else [*top, "# No lesion.", "lesion = []"]]
    blocks.append(toml_io.commented(shown.bone, "bone"))
    for other, words in _OTHERS:
        if type(other) is not type(shown.bone):
            blocks.append(_as_comment(toml_io.commented(other, "bone", skip=_SAID), words))
    for lesion in shown.lesion:
        blocks.append(toml_io.commented(lesion, "[lesion]"))
    for name in ("mesh", "risk", "solver"):
        blocks.append(toml_io.commented(getattr(shown, name), name))
    blocks.append(["# [materials.pmma]   # any constant of the library, see: femsim info materials", '# E = "2.0 GPa"'])
    if shown.materials:
        blocks.append(toml_io.write({"materials": shown.materials}).splitlines())
    blocks.append(list(_UNCERTAIN))
    if shown.uncertain:
        blocks.append(toml_io.write({"uncertain": shown.uncertain}).splitlines())
    for name, strategy in shown.strategies.items():
        blocks.append(toml_io.commented(strategy, f"strategies.{tomlkit.key(name).as_string()}"))
    return "\n".join("\n".join(lines) + "\n" for lines in blocks)


_UNCERTAIN = (
    "# [uncertain]   # varied one at a time; every number then has its lowest and highest value, and what governs it",
    '# "pmma.E" = ["1.8 GPa", "3.0 GPa"]   # lowest and highest of any number of a material',
    '# "cortical_bone.strain_tension" = [0.0065, 0.0081]   # strengths are judged again without a new solution',
    '# "trabecular_bone.density_law" = ["keller_1994_femur", "keyak_1998"]   # names of laws',
    '# "cement_bone_composite.interface_tension" = [0.5, 2.0]   # strength of the bond',
    '# "risk.bond" = ["first_debonding"]   # also: averaging_length, minimum_density, criteria, strength_law of risk',
)
_KEY = re.compile(r"# \w+ = ")
# Of the parametric bones, the keys that were explained with the first.
_SAID = ("side", "sex", "percentile", "density_factor")
_OTHERS = (
    (Humerus(), "a humerus (side, sex, percentile and density_factor as above)"),
    (Tibia(), "a tibia (side, sex, percentile and density_factor as above)"),
    (SurfaceBone.model_construct(periosteum="periosteum.stl"), "your own surfaces"),  # type: ignore[arg-type]
    (LabelBone.model_construct(image="labels.nii.gz"), "a labelled image"),  # type: ignore[arg-type]
    (ShapeModelBone(), "a bone of a statistical shape model"),
)


def _as_comment(lines: list[str], words: str) -> list[str]:
    head = f"# Instead of the bone above, {words}:"
    # keys that were comments already are not commented twice; what explains them is indented
    plain = [line.removeprefix("# ") if _KEY.match(line) else line for line in lines]
    return [head, *(f"# {line}".replace("# #", "#  ") for line in plain)]

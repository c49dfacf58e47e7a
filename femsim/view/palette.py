"""Colours of materials and of the factor of risk, the same in every picture.

The material colours are those of Okabe and Ito, or lighter ones for bone, chosen so that neighbours differ in lightness
as well as hue: they stay apart for colour-blind readers and in a grey print.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Colours = NDArray[np.float64]

#: The first entry whose word occurs in the material's name gives its colour.
_BY_WORD = (
    (("interdigitated", "cement_bone", "bone_cement_composite"), "#7cc3ea"),
    (("pmma", "cement"), "#0072b2"),
    (("tumour", "tumor", "lesion", "lytic", "void"), "#8c3f78"),
    (("cortical", "cortex"), "#dcc9a0"),
    (("trabecular", "cancellous", "spongy"), "#f4ead0"),
    (("marrow", "medullary"), "#f0c6b0"),
    (("titanium", "steel", "cobalt", "metal", "nitinol"), "#5b6770"),
    (("polyurethane", "pebax", "nylon", "polyamide", "ptfe", "polyethylene", "peek", "polymer", "wall"), "#e69f00"),
)
_OTHERS = ("#009e73", "#d55e00", "#f0e442", "#332288", "#56b4e9", "#999933", "#aa4499")

#: Where a value is missing or was left out of the assessment.
MISSING = "#c9c9c9"

#: The factor of risk from 0 to 2. It turns from blue to orange at 1, where the load reaches the strength.
RISK_STOPS = (
    (0.0, "#f7f7f4"),
    (0.15, "#d6e6ef"),
    (0.5, "#7fb4d6"),
    (0.999, "#22639c"),
    (1.001, "#fdc169"),
    (1.4, "#e4641a"),
    (2.0, "#7a0d12"),
)
RISK_RANGE = (0.0, 2.0)


def rgb(code: str) -> Colours:
    """Red, green, blue (3,) in 0..1 of ``"#rrggbb"``."""
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)]) / 255.0


def material_codes(names: Iterable[str]) -> dict[str, str]:
    """A colour ``"#rrggbb"`` for every material name; unknown names get the next free one."""
    found: dict[str, str] = {}
    spare = 0
    for name in dict.fromkeys(names):
        low = name.lower()
        code = next((code for words, code in _BY_WORD if any(word in low for word in words)), None)
        if code is None or code in found.values():
            code = _OTHERS[spare % len(_OTHERS)]
            spare += 1
        found[name] = code
    return found


def material_colours(names: Sequence[str], codes: dict[str, str]) -> Colours:
    """(k, 3) colours of the materials in a strategy's list, in its order."""
    return np.array([rgb(codes[name]) for name in names]).reshape(-1, 3)


def risk_stops() -> list[tuple[float, str]]:
    """Stops of the risk colours, position 0..1 over `RISK_RANGE`."""
    return [(value / RISK_RANGE[1], code) for value, code in RISK_STOPS]


def risk_colours(risk: ArrayLike) -> Colours:
    """(m, 3) colours of factors of risk (m,); grey where not a number."""
    values = np.asarray(risk, float)
    stops = np.array([value for value, _ in RISK_STOPS])
    table = np.array([rgb(code) for _, code in RISK_STOPS])
    clipped = np.clip(np.nan_to_num(values, nan=0.0, posinf=RISK_RANGE[1]), *RISK_RANGE)
    colours = np.stack([np.interp(clipped, stops, table[:, k]) for k in range(3)], axis=-1)
    colours[np.isnan(values)] = rgb(MISSING)
    return colours

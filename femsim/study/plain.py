"""Plain data as JSON that every parser reads."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def as_json(data: Any) -> str:
    """JSON text without NaN and infinity, which become null; NumPy scalars become numbers."""

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {str(key): plain(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(inner) for inner in value]
        if hasattr(value, "item") and not isinstance(value, (str, bytes)):  # a NumPy scalar
            value = value.item()
        if isinstance(value, float) and not math.isfinite(value):
            return None
        return value

    return json.dumps(plain(data), indent=2, default=str, allow_nan=False) + "\n"

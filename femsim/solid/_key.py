"""Content keys: the same text for the same values in every process, on every platform."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from typing import Any

import numpy as np

from femsim.solid.base import Solid


def content_key(name: str, *values: Any) -> str:
    """Hash of a name and values (numbers, texts, arrays, solids, nested sequences); 32 hexadecimal digits.

    Arrays are hashed by shape, type and bytes, floats by their exact value, solids by their own key.
    """
    digest = hashlib.sha256(name.encode())
    for value in values:
        digest.update(_bytes(value))
    return digest.hexdigest()[:32]


def key_of_fields(solid: Any) -> str:
    """Key of a frozen dataclass from its class name and every field."""
    return content_key(type(solid).__name__, *(getattr(solid, f.name) for f in fields(solid)))


def _bytes(value: Any) -> bytes:
    if isinstance(value, Solid):
        return b"s" + value.key().encode()
    if isinstance(value, np.ndarray):
        return b"a" + f"{value.dtype.str}{value.shape}".encode() + np.ascontiguousarray(value).tobytes()
    if isinstance(value, (list, tuple)):
        return b"t" + str(len(value)).encode() + b"".join(_bytes(v) for v in value)
    if isinstance(value, dict):
        return b"d" + b"".join(_bytes(k) + _bytes(value[k]) for k in sorted(value))
    if isinstance(value, (bool, int, str, type(None))):
        return f"{type(value).__name__}:{value!r};".encode()
    if isinstance(value, (float, np.floating)):
        return f"f:{float(value).hex()};".encode()
    if isinstance(value, np.integer):
        return f"int:{int(value)!r};".encode()
    raise TypeError(f"no content key for {type(value).__name__}")

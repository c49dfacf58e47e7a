"""Keys of the store: one hash for equal inputs, in every process and on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np


def key(parts: Iterable[object]) -> str:
    """Hash of inputs, equal in every process: arrays, texts, numbers, None, and sequences and mappings of them.

    Raises
    ------
    TypeError
        For anything else: an object whose text holds its address would never be found again, or worse.
    """
    digest = hashlib.blake2b(digest_size=16)
    _feed(digest, tuple(parts))
    return digest.hexdigest()


def _feed(digest: Any, part: object) -> None:
    if isinstance(part, np.generic):
        part = part.item()
    if isinstance(part, np.ndarray):
        if part.dtype.hasobject:
            raise TypeError("An array of objects has no content that can be hashed.")
        digest.update(f"array {part.shape} {part.dtype.str} ".encode())
        digest.update(np.ascontiguousarray(part).tobytes())
    elif isinstance(part, (str, bytes)):
        raw = part.encode() if isinstance(part, str) else part
        digest.update(f"{type(part).__name__} {len(raw)} ".encode() + raw)
    elif part is None or isinstance(part, (bool, int, float)):
        digest.update(f"{type(part).__name__} {part!r} ".encode())
    elif isinstance(part, Mapping):
        digest.update(f"mapping {len(part)} ".encode())
        for name in sorted(part, key=str):
            _feed(digest, (name, part[name]))
    elif isinstance(part, (tuple, list)):
        digest.update(f"sequence {len(part)} ".encode())
        for one in part:
            _feed(digest, one)
    elif isinstance(part, Path):
        _feed(digest, str(part))
    else:
        raise TypeError(f"{type(part).__name__} cannot be part of a key of the store.")

"""One entry of the store as a file: a checksum, and the arrays it vouches for."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Arrays: TypeAlias = dict[str, NDArray[Any]]

_MAGIC = b"femsim store 1\n"
_DIGEST = 32


def packed(arrays: Arrays) -> bytes:
    """The content of the file."""
    memory = io.BytesIO()
    np.savez(memory, **arrays)  # type: ignore[arg-type]
    payload = memory.getvalue()
    return _MAGIC + hashlib.blake2b(payload, digest_size=_DIGEST).digest() + payload


def read(path: Path) -> Arrays | None:
    """The arrays of an entry, or None where there is none that is whole."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    head = len(_MAGIC) + _DIGEST
    payload = content[head:]
    digest = hashlib.blake2b(payload, digest_size=_DIGEST).digest()
    if content[:head] != _MAGIC + digest:
        return None
    try:
        with np.load(io.BytesIO(payload), allow_pickle=False) as held:
            found = {name: held[name] for name in held.files}
    except (ValueError, OSError, zipfile.BadZipFile, EOFError):
        return None
    with suppress(OSError):
        os.utime(path)  # what is used stays
    return found

"""The exceptions of femsim, and the exit code of each on the command line.

::

    FemsimError            1
      InputError           2   what the user wrote: a key, a value, a file
      GeometryError        3   a solid, a surface, a lesion or a device that cannot be
      MeshError            4   a mesh that could not be made or is not good enough
      MaterialError        5   a material value that is missing or unphysical
      SolveError           6   equations that have no solution or did not converge
      StudyError           7   a comparison or sweep that cannot go on

Every message has three parts: *what* is wrong (naming the key, file, node or value), *why* it matters, and *what to
do*. The command line prints these three lines and nothing else.
"""

from __future__ import annotations


class FemsimError(Exception):
    """Base of everything femsim raises on purpose.

    Parameters
    ----------
    what : str
        What is wrong, naming the entity (key, file, node, value).
    why : str
        Why it matters.
    do : str
        What the user can do about it.
    """

    exit_code = 1

    def __init__(self, what: str, why: str = "", do: str = "") -> None:
        self.what, self.why, self.do = what, why, do
        super().__init__("\n".join(part for part in (what, why, do) if part))

    def __reduce__(self) -> tuple[type[FemsimError], tuple[str, str, str]]:
        # Exceptions cross process borders in sweeps; the default would pass only the joined message.
        return type(self), (self.what, self.why, self.do)


class InputError(FemsimError):
    """What the user wrote cannot be used: a key, a value, a file."""

    exit_code = 2


class GeometryError(FemsimError):
    """A solid, a surface, a lesion or a device cannot be built or placed."""

    exit_code = 3


class MeshError(FemsimError):
    """A mesh could not be made or failed the quality gate."""

    exit_code = 4


class MaterialError(FemsimError):
    """A material value is missing or unphysical."""

    exit_code = 5


class SolveError(FemsimError):
    """The equations have no solution, or it was not reached."""

    exit_code = 6


class StudyError(FemsimError):
    """A comparison or a sweep cannot go on."""

    exit_code = 7


class FemsimWarning(UserWarning):
    """Something the user should know before publishing the number; collected into ``provenance.json``."""

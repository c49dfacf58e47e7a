"""``python -m femsim`` is the ``femsim`` command."""

from femsim.cli import entry

entry()

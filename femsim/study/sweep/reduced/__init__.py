"""A certified reduced basis: thousands of material and load combinations on one mesh, each with an error bound."""

from femsim.study.sweep.reduced.store import known, rows

__all__ = ["known", "rows"]

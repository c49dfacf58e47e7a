"""The verification and validation registry: what femsim is measured against, and the table that it prints.

How to add an entry
-------------------
1. Describe it in a TOML file of ``femsim/verify/cases/`` (or in a new one: every ``*.toml`` there is read)::

       [kirsch-hole]
       title = "circular hole in a wide plate, uniaxial tension"
       kind = "ANALYTIC"              # or PUBLISHED, CROSS-CODE, REGRESSION
       source = "Kirsch 1898"         # where the reference values come from
       slow = true                    # optional: takes more than about 5 s
       [kirsch-hole.peak_stress]      # one quantity; a case may have several
       reference = 3.0
       unit = "-"
       tolerance = 0.01               # relative; `absolute` for a reference of zero, `at_least` for a lower bound

2. Write the function that computes it, in a module of ``femsim/verify/cases/``, under the same name::

       @case("kirsch-hole")
       def kirsch() -> Values:
           ...
           return {"peak_stress": value}

   A quantity whose reference is a formula of the parameters has no ``reference`` in the TOML; the function returns
   ``(value, reference)`` for it. Raise `Skip` with the reason where something outside of femsim is missing.

That is all: ``femsim verify --only kirsch-hole`` runs it, and the tests run every entry (slow ones with ``--slow``).
ANALYTIC is a closed form, PUBLISHED a number of a paper or benchmark, CROSS-CODE another program on the same input,
REGRESSION what femsim gave before. The first three are what counts.
"""

from femsim.verify.registry import Case, Quantity, Row, Skip, case, registry, run, select

__all__ = ["Case", "Quantity", "Row", "Skip", "case", "registry", "run", "select"]

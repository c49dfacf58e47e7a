"""One case again, from what its folder says, and compared with what it gave then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from femsim.case import Comparison, toml_io
from femsim.errors import StudyError
from femsim.study.plain import as_json
from femsim.study.sweep import folder, reduced, worker
from femsim.study.sweep.tasks import Task, task

#: Numbers that say how equations were solved, not what came out.
_HOW = ("force_residual", "moment_residual", "energy_residual", "solver_residual")
#: Relative difference up to which two runs are the same; the solver's own tolerance is finer.
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Difference:
    """A case, then and now.

    Attributes
    ----------
    case : str
    then, now : mapping of str to mapping
        Rows by strategy. `then` is empty where the case had failed.
    changed : mapping of str to (then, now)
        What differs by more than `TOLERANCE`, by ``strategy.column``.
    largest : float
        Largest relative difference of a number.
    notes : tuple of str
        What differs in the surroundings: input files, versions.
    """

    case: str
    then: Mapping[str, Mapping[str, Any]]
    now: Mapping[str, Mapping[str, Any]]
    changed: Mapping[str, tuple[Any, Any]]
    largest: float
    notes: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether the case gave the same."""
        return not self.changed and bool(self.then)


def reproduce(case: Path) -> Difference:
    """Run a case of a study again and compare.

    Parameters
    ----------
    case : Path
        Its folder, ``out/cases/<id>``; a case that a reduced basis answered has none and is found by its id.

    Raises
    ------
    StudyError
        If there is no such case.
    FemsimError
        If the case fails (again).
    """
    case = Path(case)
    out, name = case.parent.parent, case.name
    then, old = _then(case)
    again = _task(case, then)
    notes = _surroundings(case, again) if old is not None else ()
    done = worker.run(again, worker.Memory())
    import json

    now = {one.name: json.loads(as_json(dict(one.metrics))) for one in done.result}
    before = {row["strategy"]: row for row in then["rows"]} if then["status"] == "done" else {}
    bound = 0.0 if then.get("method") != "reduced" else max(row["error_bound"] for row in then["rows"])
    changed, largest = _changes(before, now, max(TOLERANCE, 2.0 * bound))
    return Difference(name, before, now, changed, largest, (*notes, *_how(then, out)))


def _how(then: Mapping[str, Any], out: Path) -> tuple[str, ...]:
    if then.get("method") != "reduced":
        return ()
    return ("The row was the answer of a reduced basis; it is compared with a full solution, within its error bound.",)


def _then(case: Path) -> tuple[dict[str, Any], dict[str, Any] | None]:
    found = folder.record(case.parent.parent, case.name)
    if found is not None:
        return found, found
    answered = reduced.rows(case.parent.parent).get(case.name)
    if answered is None:
        raise StudyError(
            f"There is no finished case in {case}.",
            "There is nothing to compare with.",
            "Name a folder such as out/cases/1f3a9c2b7d04; the ids stand in the first column of the table.",
        )
    return answered, None


def _task(case: Path, then: Mapping[str, Any]) -> Task:
    file = case / "case.toml"
    if file.is_file():
        base = toml_io.parse(Comparison, toml_io.read(file), str(file)).model_dump(mode="json")
        return task(base, {}, then["params"], 0, str(file))
    from femsim.study.sweep.tasks import expand

    spec = folder.stored(case.parent.parent)
    return next(one for one in expand(spec) if one.id == case.name)


def _surroundings(case: Path, again: Task) -> tuple[str, ...]:
    import json

    from femsim.study import provenance
    from femsim.study.sweep.tasks import input_files

    try:
        then = json.loads((case / "provenance.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ("provenance.json cannot be read: versions and input files were not compared.",)
    notes = [
        f"{name}: {then.get('versions', {}).get(name)} then, {version} now"
        for name, version in provenance.versions().items()
        if then.get("versions", {}).get(name) != version
    ]
    if then.get("revision") != provenance.revision():
        notes.append(f"source: {then.get('revision')} then, {provenance.revision()} now")
    now = input_files(again.case)
    notes += [
        f"input file {name} has changed" for name, digest in then.get("inputs", {}).items() if now.get(name) != digest
    ]
    return tuple(notes)


def _changes(
    then: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]], tolerance: float
) -> tuple[dict[str, tuple[Any, Any]], float]:
    changed: dict[str, tuple[Any, Any]] = {}
    largest = 0.0
    for strategy, row in then.items():
        for column, old in row.items():
            new = now.get(strategy, {}).get(column)
            if column in (*_HOW, "error_bound"):
                continue
            if isinstance(old, (int, float)) and isinstance(new, (int, float)):
                difference = abs(new - old) / max(abs(old), abs(new)) if old != new else 0.0
                largest = max(largest, difference)
                if difference <= tolerance:
                    continue
            elif old == new:
                continue
            changed[f"{strategy}.{column}"] = old, new
    return changed, largest

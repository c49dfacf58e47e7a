"""`Study`: a sweep as Python sees it, and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from femsim import show, treatment
from femsim.case import Case, Comparison
from femsim.errors import InputError
from femsim.study.sweep import answers, folder, reduced, table
from femsim.study.sweep.spec import Run, Sampling, StudySpec, read, with_rows
from femsim.study.sweep.tasks import Task, expand
from femsim.treatment import Treatment

if TYPE_CHECKING:
    import pandas as pd

    from femsim.study.result import CaseResult, ComparisonResult
    from femsim.study.sweep.drive import Report


@dataclass(frozen=True)
class Study:
    """Many comparisons that differ in the values of some keys.

    Made by ``Study(case, vary=...)``, `Study.read` or `load`.

    Examples
    --------
    >>> import femsim as fs
    >>> study = fs.Study(fs.Case(), vary={"lesion.diameter": [10, 20, 30], "load": ["walking", "torsion"]})
    >>> len(study.cases)
    6
    >>> study.run("out", workers=2).frame  # doctest: +SKIP
    """

    spec: StudySpec
    folder: Path | None = None
    report: Report | None = None

    def __init__(
        self,
        case: Case | StudySpec | None = None,
        vary: Mapping[str, Any] | None = None,
        strategies: Sequence[Treatment] | Mapping[str, Treatment] | None = None,
        *,
        sampling: Mapping[str, Any] | Sampling | None = None,
        paired: Mapping[str, Sequence[Any]] | Path | str | None = None,
        cohort: Mapping[str, Any] | None = None,
        run: Mapping[str, Any] | Run | None = None,
        name: str = "study",
        folder: Path | str | None = None,
        report: Report | None = None,
    ) -> None:
        """A study of a base case.

        Parameters
        ----------
        case : Case, optional
            The base; the default case without it.
        vary : mapping of str to list or mapping, optional
            By dotted name of any key: a list of values, or ``{"linspace": [a, b, n]}``, ``{"uniform": [a, b]}``,
            ``{"normal": [mean, sd]}``, ``{"lognormal": [mean, sd]}``, ``{"choice": [...]}``.
        strategies : sequence or mapping of Treatment, optional
            What is compared in every case; those of the case by default.
        sampling : mapping, optional
            ``method`` ("latin_hypercube", "sobol", "random", "saltelli"), ``samples``, ``seed``.
        paired : mapping of str to list, or path of a CSV file, optional
            Columns that vary together, row by row.
        cohort : mapping of str to bone, optional
            Bones by name.
        run : mapping, optional
            Limits: ``time_limit`` (s), ``memory_limit`` (GiB), ``fields``, ``reduced``, ``reduced_tolerance``.

        Raises
        ------
        InputError
            If a key is unknown or a value not allowed.
        """
        if isinstance(case, StudySpec):
            spec = case
        else:
            base = Comparison() if case is None else case
            comparison = _comparison(base, strategies)
            rows = {} if paired is None or isinstance(paired, (str, Path)) else paired
            spec = StudySpec(
                name=name,
                case=comparison,
                vary=vary or {},
                sampling=sampling or {},
                paired=rows,
                cohort=cohort or {},
                run=run or {},
            )
            if isinstance(paired, (str, Path)):
                spec = with_rows(spec, Path(paired))
        object.__setattr__(self, "spec", spec)
        object.__setattr__(self, "folder", None if folder is None else Path(folder))
        object.__setattr__(self, "report", report)

    @classmethod
    def read(cls, path: Path | str) -> Study:
        """A study from its TOML file."""
        return cls(read(Path(path)))

    @property
    def cases(self) -> tuple[Task, ...]:
        """Every case, checked, in the order of the study."""
        return expand(self.spec)

    def run(
        self,
        out: Path | str | None = None,
        *,
        workers: int = 2,
        threads: int = 1,
        resume: bool = False,
        cluster: Any = None,
        tell: Callable[[str], None] | None = None,
    ) -> Study:
        """Solve what is missing, and give back the study with its results.

        Parameters
        ----------
        out : path, optional
            Folder of the results; a temporary one without it, kept as long as the system keeps such.
        workers : int
            Processes on this machine; 0 solves in this one.
        threads : int
            Of every worker.
        resume : bool
            Go on in the folder of a study that was changed since.
        cluster : str, Dask cluster or client, optional
            Who does the work instead of processes on this machine.
        tell : callable, optional
            Takes a line for every finished case.

        Raises
        ------
        StudyError
            If another run works in the folder, it holds something else, or the disk is full.
        """
        import tempfile

        from femsim.study.sweep.drive import drive

        place = Path(tempfile.mkdtemp(prefix="femsim-study-")) if out is None else Path(out)
        report = drive(self.spec, place, workers=workers, threads=threads, resume=resume, cluster=cluster, tell=tell)
        return Study(self.spec, folder=place, report=report)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a case and strategy; ``frame.attrs["units"]`` gives the unit of every column.

        Read from the folder, so that it grows while another process runs the study.
        """
        place = self._place()
        tasks = self.cases
        known = reduced.known(place, [one.id for one in tasks])
        listed = [known[one.id] for one in tasks if one.id in known]
        return table.frame(listed, list(tasks[0].params), str(place))

    def curve(self, param: str, output: str, band: tuple[float, float] = (0.05, 0.95)) -> pd.DataFrame:
        """Response of an output to a parameter, with a band over everything else; see `answers.curve`."""
        return answers.curve(self.frame, param, output, band)

    def difference(self, one: str, other: str, output: str) -> answers.PairedDifference:
        """Paired difference between two strategies, and the probability that the first is larger."""
        return answers.difference(self.frame, one, other, output)

    def tornado(self, strategy: str, output: str) -> pd.DataFrame:
        """How far each parameter moves an output, the strongest first."""
        return answers.tornado(self.frame, strategy, output)

    def sobol(self, strategy: str, output: str) -> pd.DataFrame:
        """Sobol indices; the study needs the sampling method "saltelli"."""
        return answers.sobol(self.spec, self.frame, strategy, output)

    def figure(
        self,
        name: str = "curves",
        output: str = "",
        strategy: str = "",
        width: str | float = "double",
        path: Path | str | None = None,
    ) -> Any:
        """A figure for a paper: curves, differences, tornado or sobol; see `femsim.report.paper.study_figure`."""
        return show.figure("study", self, name, output, strategy, width, path)

    def __getitem__(self, case: str) -> CaseView:
        """A case by its id, or the only one whose id begins so.

        Raises
        ------
        InputError
            If there is none.
        """
        matches = [one for one in self.cases if one.id.startswith(case)]
        if len(matches) != 1:
            raise InputError(
                f"{'No' if not matches else 'More than one'} case of the study begins with {case!r}.",
                "A case is named by its hash, the first column of the table.",
                f"Use one such as {self.cases[0].id!r}.",
            )
        return CaseView(matches[0], self._place())

    def __len__(self) -> int:
        return len(self.cases)

    def _place(self) -> Path:
        if self.folder is None:
            raise InputError(
                "The study has not been run.", "It has no results yet.", "Call its run(), or femsim.load a folder."
            )
        return self.folder

    def _repr_html_(self) -> str:
        return show.boxed(self) + ("" if self.folder is None else str(self.frame.to_html(max_rows=20)))

    def __repr__(self) -> str:
        where = "not run" if self.folder is None else f"in {self.folder}"
        return f"Study({self.spec.name}: {', '.join(self.spec.vary) or 'one case'}; {len(self)} cases, {where})"


@dataclass(frozen=True)
class CaseView:
    """One case of a study: its row, and its fields."""

    task: Task
    place: Path

    @property
    def params(self) -> dict[str, Any]:
        """What was varied."""
        return dict(self.task.params)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a strategy."""
        found = reduced.known(self.place, [self.task.id])
        return table.frame(found.values(), list(self.task.params), str(self.place)).set_index("strategy")

    def solve(self) -> ComparisonResult:
        """The comparison with meshes and fields, worked out again; its mesh comes from the store where it is there."""
        from femsim.study.sweep import worker

        return worker.run(self.task, worker.Memory(), fields=True).result

    def __getitem__(self, strategy: str) -> CaseResult:
        """A strategy with its fields, worked out again."""
        return self.solve()[strategy]

    def grid(self, strategy: str) -> Any:
        """The mesh with all fields, for PyVista: read where the study kept it, else worked out again."""
        kept = self.place / folder.CASES / self.task.id / "fields" / f"{strategy}.vtu"
        if kept.is_file():
            import pyvista as pv

            return pv.read(kept)
        return self[strategy].grid


def _comparison(base: Case, given: Sequence[Treatment] | Mapping[str, Treatment] | None) -> Comparison:
    """A case with the strategies that were given, or its own, or the default ones."""
    plain = {key: getattr(base, key) for key in Case.model_fields}
    if given is not None:
        return Comparison(**plain, strategies=dict(given) if isinstance(given, Mapping) else treatment.named(given))
    return base if isinstance(base, Comparison) else Comparison(**plain)


def load(place: Path | str) -> Study:
    """The study in a folder, finished or still running.

    Raises
    ------
    StudyError
        If there is none.
    """
    return Study(folder.stored(Path(place)), folder=place)

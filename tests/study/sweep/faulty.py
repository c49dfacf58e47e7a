"""A small study as a process that can be killed, whose cases can be made to hang, crash, or eat the memory.

    python -m tests.study.sweep.faulty OUT WORKERS '{"hang": [15]}'

The last argument names faults and the lesion diameters whose cases have them.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import femsim as fs
from femsim.study.sweep import Study
from femsim.study.sweep import work as works
from femsim.study.sweep.work import Answer, Job

DIAMETERS = (10, 12, 15, 16)


def study(diameters: Sequence[float] = DIAMETERS, **run: float | str | None) -> Study:
    """Two cases on each of four meshes of some 4 000 unknowns, or on fewer."""
    case = fs.Case(
        bone=fs.Tube(length=60.0),
        lesion=fs.Lesion(site="shaft_middle", diameter=12.0),
        load="torsion",
        mesh=fs.Mesh(near=5.0, far=9.0),
    )
    return Study(
        case,
        vary={"lesion.diameter": list(diameters), "materials.pmma.E": [2000.0, 2600.0]},
        strategies={"untreated": fs.Untreated(), "cement": fs.Cement()},
        run=run,
    )


def work(job: Job) -> Answer:
    """As the worker of every engine, with the faults that the environment asks for."""
    faults = json.loads(os.environ.get("FAULTS", "{}"))
    asked = [fault for fault, diameters in faults.items() if job.task.params["lesion.diameter"] in diameters]
    raised = [_ERRORS[fault] for fault in asked if fault in _ERRORS]
    for fault in asked:
        if fault in _FAULTS:
            _FAULTS[fault]()
    return _raising(job, raised[0]) if raised else works.work(job)


def _raising(job: Job, error: Exception) -> Answer:
    """The real worker with a solver that raises."""
    from femsim.study.sweep import worker

    def run(*_: object, **__: object) -> None:
        raise error

    real, worker.run = worker.run, run
    try:
        return works.work(job)
    finally:
        worker.run = real


def _hang() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(3600)


def _eat() -> None:
    held = []
    while True:
        held.append(b"x" * 2**24)  # written, so that it is really taken
        time.sleep(0.01)


_ERRORS = {"no memory": MemoryError("Unable to allocate 3.00 TiB"), "bug": ZeroDivisionError("division by zero")}
_FAULTS = {
    "hang": _hang,
    "crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "leave": lambda: os._exit(0),
    "eat": _eat,
    "slow": lambda: time.sleep(0.5),
}


def main() -> None:
    out, workers, faults, run = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], json.loads(sys.argv[4])
    os.environ["FAULTS"] = faults
    from femsim.study.sweep import engine
    from tests.study.sweep import faulty

    engine.work = faulty.work  # by the name under which workers can import it
    print("started", flush=True)
    try:
        print(study(**run).run(out, workers=workers).report)
    except fs.FemsimError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()

"""The verb that shows results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from femsim.cli.app import Json, app, emit, mode


@app.command()
def view(
    out: Annotated[Path, typer.Argument(help="Output folder of compare, or of one case of a sweep.")],
    case: Annotated[list[str] | None, typer.Argument(help="Strategies to show; all by default.")] = None,
    field: Annotated[str, typer.Option(help="Field that gives the colours, or material.")] = "risk",
    cut: Annotated[str, typer.Option(help="lesion, anterior, lateral, proximal or none.")] = "lesion",
    depth: Annotated[float, typer.Option(help="Where the cut lies, 0 to 1; 0.5 is the lesion.")] = 0.5,
    deformation: Annotated[float, typer.Option(help="Factor by which the displacement is drawn.")] = 0.0,
    hide: Annotated[list[str] | None, typer.Option(help="Material that is not shown; may be repeated.")] = None,
    difference: Annotated[bool, typer.Option("--difference", help="Show differences to the first strategy.")] = False,
    directions: Annotated[bool, typer.Option("--directions", help="Draw principal directions of stress.")] = False,
    screenshot: Annotated[Path | None, typer.Option(help="Write a PNG instead of opening a window.")] = None,
    film: Annotated[Path | None, typer.Option(help="Write a film: .gif, .webp, .png or .mp4.")] = None,
    motion: Annotated[str, typer.Option(help="What moves in the film: turntable or displacement.")] = "turntable",
    web: Annotated[bool, typer.Option("--web", help="Serve the viewer to a browser on this machine.")] = False,
    port: Annotated[int, typer.Option(help="Port of --web; 0 takes a free one.")] = 0,
    as_json: Json = False,
) -> None:
    """Turn, cut and compare the strategies of a finished run: window, picture, film, or a browser."""
    mode["json"] = as_json
    from femsim.view import offscreen

    arguments = [str(out), *(case or []), f"--field={field}", f"--cut={cut}", f"--depth={depth}"]
    arguments += [f"--deformation={deformation}", *(f"--hide={name}" for name in hide or [])]
    arguments += [name for name, on in (("--difference", difference), ("--directions", directions)) if on]
    if web:
        offscreen.serve([*arguments, f"--port={port}"])
        return
    made = [file for file in (screenshot, film) if file is not None]
    for name, file in (("--screenshot", screenshot), ("--film", film)):
        arguments += [f"{name}={file}"] if file is not None else []
    offscreen.show([*arguments, f"--motion={motion}"], made)
    if as_json:
        emit({"written": [str(file) for file in made]})
    else:
        for file in made:
            typer.echo(f"Written: {file}")

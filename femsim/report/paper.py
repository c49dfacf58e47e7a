"""Figures for papers: one column or two wide, axes and text as vectors, rendered bone as an image, units from the
field table. How they look is set in `femsim.report.style`."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from femsim.errors import InputError
from femsim.report import charts, gallery, layout, pictures, study_charts
from femsim.report.figures import Prepared, body_weight
from femsim.report.style import style
from femsim.view import scale
from femsim.view.raster import Layer

#: Usual widths of journals, mm.
WIDTHS = {"single": 85.0, "double": 175.0}
_INCH = 25.4
_CHARTS = ("comparison", "rigidity", "curves")


def figure(result: Any, name: str = "risk", width: str | float = "double", path: Path | str | None = None) -> Any:
    """A figure of a comparison at the width of a journal's column.

    Parameters
    ----------
    result : femsim.study.ComparisonResult or femsim.study.stored.Stored
    name : str
        ``"comparison"`` (bars), ``"rigidity"``, ``"curves"``, ``"setup"``, ``"material"``, or a field.
    width : {"single", "double"} or float
        85 mm, 175 mm, or millimetres. The set-up with its forces has a size of its own.
    path : path, optional
        Where to write it; the ending (.pdf, .svg, .png, ...) says how.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        If there is no such figure, or the width is not possible.
    """
    inches = _inches(width)
    made = _chart(result, name, inches) if name in _CHARTS else _picture(result, name, inches)
    return _written(made, path)


def study_figure(
    study: Any,
    name: str = "curves",
    output: str = "",
    strategy: str = "",
    width: str | float = "double",
    path: Path | str | None = None,
) -> Any:
    """A figure of a study at the width of a journal's column.

    Parameters
    ----------
    study : femsim.study.sweep.Study
        With its folder; it may still be running.
    name : str
        ``"curves"`` (response to every parameter), ``"differences"`` (paired, between strategies), ``"tornado"``, or
        ``"sobol"`` (the study needs the sampling method "saltelli").
    output : str
        A column of the table, or ``"strength_recovery"``, ``"strength_of_intact"``; the strength by default.
    strategy : str
        Of a tornado or of Sobol indices; every treated one by default.
    width : {"single", "double"} or float
        85 mm, 175 mm, or millimetres.
    path : path, optional
        Where to write it; the ending (.pdf, .svg, .png, ...) says how.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        If there is no such figure, output or strategy, or nothing that could be drawn.
    """
    inches = _inches(width)
    notes: list[str] = []
    frame = study.frame
    done = frame[frame["status"] == "done"]
    chosen = output.removeprefix("out.") or study_charts.main_output(done)
    if strategy and strategy not in set(done["strategy"]):
        raise InputError(
            f"The study has no strategy {strategy!r}.",
            "Nothing of it can be drawn.",
            f"Use one of {', '.join(map(str, done['strategy'].unique()))}.",
        )
    mine = done[done["strategy"] == strategy] if strategy and name == "tornado" else done
    if name == "curves":
        params = [str(one).removeprefix("param.") for one in done.columns if str(one).startswith("param.")]
        panels = study_charts.curve_panels(done, params, [chosen], notes)
    elif name == "differences":
        panels = study_charts.difference_panels(done, [chosen])
    elif name == "tornado":
        panels = study_charts.tornado_panels(mine, [chosen], notes)
    elif name == "sobol":
        names = [strategy] if strategy else [str(one) for one in done["strategy"].unique() if one != "intact"]
        panels = study_charts.sobol_panels([(one, study.sobol(one, chosen)) for one in names], chosen)
    else:
        raise InputError(
            f"There is no figure {name!r} of a study.",
            "It cannot be drawn.",
            "Use curves, differences, tornado, sobol.",
        )
    return _written(_together(panels, f"{name} of {chosen}", inches, " ".join(notes)), path)


def _written(made: Any, path: Path | str | None) -> Any:
    if path is not None:
        try:
            made.savefig(path, dpi=300)
        except (ValueError, OSError) as error:
            raise InputError(
                f"The figure cannot be written to {path}: {error}.",
                "Its ending or its folder is not possible.",
                "Use a name that ends in .pdf, .svg or .png in a folder that exists.",
            ) from error
    return made


def _inches(width: str | float) -> float:
    given = WIDTHS.get(width, float("nan")) if isinstance(width, str) else float(width)
    if not 40.0 <= given <= 400.0:
        raise InputError(
            f"width = {width!r} is no width of a figure.",
            "It would not be readable.",
            "Use single, double, or 40 to 400 mm.",
        )
    return given / _INCH


def _chart(result: Any, name: str, width: float) -> Any:
    if name == "comparison":
        labels = {key: one.label for key, one in result.results.items()}
        panels = charts.bars(result.frame, labels, body_weight(result))
    else:
        panels = gallery.rigidity_panels(result) if name == "rigidity" else gallery.curve_panels(result)
    return _together(panels, name, width, shared=name == "comparison")


def _together(panels: list[charts.Panel], name: str, width: float, why: str = "", *, shared: bool = False) -> Any:
    if not panels:
        raise InputError(f"There is no {name} in this result.", why or "It was not computed.", "Draw another figure.")
    columns = 1 if width < 4.5 else min(2, len(panels))
    made = charts.together(panels, columns, shared=shared)
    high = made.get_size_inches()[1]
    made.set_size_inches(width, high)
    return made


def _picture(result: Any, name: str, width: float) -> Any:
    prepared = Prepared(result)
    if name == "setup":
        return pictures.setup(prepared.scene, prepared.looks)
    every = list(result.results.values())
    if name == "material":
        codes = pictures.codes_of(prepared.looks)
        from femsim.view import palette

        tables = [
            palette.material_colours(look.materials, {**dict.fromkeys(look.materials, palette.MISSING), **codes})
            for look in prepared.looks
        ]
        colours = [table[look.material] for table, look in zip(tables, prepared.looks, strict=True)]
        return _row(prepared, colours, width, None)
    known = set.intersection(*(set(one.fields) for one in every))
    if name not in known:
        raise InputError(
            f"There is no figure and no field {name!r}.",
            "It cannot be drawn.",
            f"Use one of {', '.join([*_CHARTS, 'setup', 'material', *sorted(known)])}.",
        )
    values = [scale.numbers(one.fields, name, result.mesh.cells) for one in every]
    coloured = scale.shared(name, values)
    return _row(prepared, [coloured.paint(one) for one in values], width, coloured)


def _row(prepared: Prepared, colours: list[Any], width: float, coloured: scale.Scale | None) -> Any:
    """The same cut of every strategy in a row, with a colour bar at its right."""
    scene, looks = prepared.scene, prepared.looks
    camera, gap, bar, margin = scene.close, 0.08, 1.0 if coloured else 0.1, 0.2
    each = (width - bar - margin) / len(looks) - gap
    tall = min(each * camera.height / camera.width, 8.0)
    with style() as new:
        made = new(width, tall + 0.75)
        for index, (look, colour) in enumerate(zip(looks, colours, strict=True)):
            left = margin + index * (each + gap) + (each - tall * camera.width / camera.height) / 2
            axes = layout.panel(made, camera, (left, 0.28, tall))
            cells = scene.opened.cell
            layout.paint(axes, [Layer(scene.opened, colour[cells], look.material[cells])], camera, tall)
            middle = (margin + index * (each + gap) + each / 2) / width
            name = "\n".join(textwrap.wrap(look.label, max(8, int(each / 0.075))))
            made.text(middle, (tall + 0.34) / (tall + 0.75), name, ha="center", va="bottom", fontsize=8)
            if index == 0:
                layout.scale_bar(axes, camera)
        if coloured is not None:
            _bar(made, coloured, width, tall)
        else:
            layout.swatches(made, pictures.codes_of(looks), (0.8, 0.02), columns=4)
    return made


def _bar(made: Any, coloured: scale.Scale, width: float, tall: float) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    axes = made.add_axes(((width - 0.86) / width, 0.3 / (tall + 0.75), 0.11 / width, tall * 0.94 / (tall + 0.75)))
    mapped = ScalarMappable(Normalize(coloured.low, coloured.high), coloured.cmap)
    bar = made.colorbar(mapped, cax=axes)
    bar.set_label(coloured.label.split(" (")[0], fontsize=8)
    bar.ax.tick_params(labelsize=7)
    bar.outline.set_linewidth(0.5)

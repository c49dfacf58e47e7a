"""The interactive viewer: a window, a picture, or a film of strategies side by side.

python -m femsim.view.viewer OUT [CASE ...] [--field risk] [--screenshot FILE]
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from femsim.errors import FemsimError, InputError
from femsim.view import probe
from femsim.view.loading import load
from femsim.view.panel import CUTS
from femsim.view.stage import Stage, stage

_FRAMES = 72
_HELP = (
    "f field   c cut   page up/down depth   d principal directions   v difference to the first\n"
    "a animate displacement   t turntable   p point: click a place   s picture   q close"
)
#: Lowest switch of a material, pixels from below: above the colour bar.
_SWITCHES = 145
_FILMS = (".gif", ".webp", ".png", ".mp4")


def window(made: Stage, folder: Path = Path()) -> None:
    """Show a stage in a window with keys, sliders and switches; pictures and films go to `folder`."""
    _keys(made, folder)
    _sliders(made)
    _switches(made)
    _pointer(made)
    made.plotter.subplot(0, 0)
    made.plotter.add_text(_HELP, position="lower_left", font_size=7, color="#555555", name="help")
    made.plotter.show(title="femsim view: research use only")


def _keys(made: Stage, folder: Path) -> None:
    def step(name: str, known: Sequence[str]) -> None:
        now = getattr(made.choice, name)
        choose(**{name: known[(known.index(now) + 1) % len(known)]})

    def choose(**changes: Any) -> None:
        with suppress(InputError):  # a field that has no difference, for one: what is shown stays
            made.choose(**changes)
        made.plotter.render()

    def depth(step: float) -> None:
        choose(depth=float(np.clip(made.choice.depth + step, 0.0, 1.0)))

    bound = {
        "f": lambda: step("field", made.fields),
        "c": lambda: step("cut", CUTS),
        "d": lambda: choose(directions=not made.choice.directions),
        "v": lambda: choose(difference=not made.choice.difference),
        "Prior": lambda: depth(0.02),
        "Next": lambda: depth(-0.02),
        "a": lambda: _play(made),
        "t": lambda: _turn(made),
        "s": lambda: made.plotter.screenshot(str(_free(folder / "femsim-view.png"))),
    }
    _only(made, (*bound, "p"))
    for key, act in bound.items():
        made.plotter.add_key_event(key, act)


def _only(made: Stage, keys: Sequence[str]) -> None:
    """Take keys from PyVista (v: another camera) and VTK (f: fly, s: surfaces, p: a red box), which act on them too."""
    interactor = made.plotter.iren.interactor
    for key in keys:
        made.plotter.iren.clear_events_for_key(key, raise_on_missing=False)

    def typed(caller: Any, _: str) -> None:
        if caller.GetKeySym() in keys:
            caller.GetCommand(tag).AbortFlagOn()

    tag = interactor.AddObserver("CharEvent", typed, 10.0)


def _free(file: Path) -> Path:
    """The first name of a file that is not taken."""
    names = (file.with_stem(f"{file.stem}-{i}") for i in range(1, 10_000))
    return file if not file.exists() else next(one for one in names if not one.exists())


def _play(made: Stage) -> None:
    """One swing of the displacement, then as before."""
    before = made.choice.deformation
    for factor in _swing(before or 10.0):
        made.choose(deformation=factor)
        made.plotter.render()
    made.choose(deformation=before)
    made.plotter.render()


def _swing(factor: float, frames: int = 24) -> list[float]:
    return [float(x) for x in factor * 0.5 * (1 - np.cos(np.linspace(0, 2 * np.pi, frames)))]


def _turn(made: Stage) -> None:
    for _ in range(_FRAMES):
        made.plotter.camera.azimuth += 360.0 / _FRAMES
        made.plotter.render()


def _sliders(made: Stage) -> None:
    made.plotter.subplot(0, 0)
    style = {
        "style": "modern",
        "slider_width": 0.015,
        "tube_width": 0.004,
        "title_height": 0.012,
        "title_color": "#222222",
        "color": "#222222",
    }
    made.plotter.add_slider_widget(
        lambda value: made.choose(depth=float(value)), (0.0, 1.0), made.choice.depth, title="depth of the cut",
        pointa=(0.06, 0.92), pointb=(0.46, 0.92), interaction_event="end", **style,
    )  # fmt: skip
    made.plotter.add_slider_widget(
        lambda value: made.choose(deformation=float(value)), (0.0, 50.0), made.choice.deformation,
        title="displacement x", pointa=(0.54, 0.92), pointb=(0.94, 0.92), interaction_event="end", **style,
    )  # fmt: skip


def _switches(made: Stage) -> None:
    """A box a material, in the first panel."""
    from femsim.view import palette

    def act(name: str) -> Any:
        def switched(on: bool) -> None:
            hidden = set(made.choice.hidden) - {name} if on else set(made.choice.hidden) | {name}
            made.choose(hidden=tuple(hidden))

        return switched

    made.plotter.subplot(0, 0)
    for row, (name, code) in enumerate(palette.material_codes(made.materials).items()):
        made.plotter.add_checkbox_button_widget(
            act(name), value=name not in made.choice.hidden, position=(8, _SWITCHES + 26 * row), size=18, border_size=2,
            color_on=code, color_off="#ffffff",
        )  # fmt: skip
        made.plotter.add_text(
            name.replace("_", " "),
            position=(32, _SWITCHES + 26 * row),
            font_size=8,
            color="#222222",
            name=f"switch-{row}",
        )


def _pointer(made: Stage) -> None:
    """Pressing p over a place says what lies there."""
    made.plotter.add_key_event("p", lambda: tell(made, *made.plotter.iren.interactor.GetEventPosition()))


def tell(made: Stage, x: int, y: int) -> None:
    """Write beside a strategy what lies under a place of the window, pixels from its lower left."""
    found = made.under(x, y)
    if found is None:
        return
    made.at(next(index for index, panel in enumerate(made.panels) if panel is found[0]))
    made.plotter.add_text(
        probe.text(probe.probe(*found)), position="upper_right", font_size=7, color="#222222", name="probe"
    )


def screenshot(made: Stage, file: Path) -> None:
    """Write what an off-screen stage shows as a picture."""
    made.plotter.screenshot(str(file))


def film(made: Stage, file: Path, kind: str = "turntable", frames: int = _FRAMES) -> None:
    """Write a film of an off-screen stage.

    Parameters
    ----------
    made : Stage
    file : Path
        Ends in .gif, .webp, .png (animated) or .mp4; the last needs ``pip install "femsim[view]"``.
    kind : {"turntable", "displacement"}
        Once around the long axis; or one swing of the displacement, ten times enlarged where no factor was chosen.
    frames : int

    Raises
    ------
    InputError
        If the ending or the kind is not known.
    """
    if file.suffix.lower() not in _FILMS or kind not in ("turntable", "displacement"):
        raise InputError(
            f"A film {kind!r} cannot be written to {file}.",
            "Its kind or its ending is not known.",
            f"Use turntable or displacement, and one of {', '.join(_FILMS)}.",
        )
    pictures = [np.asarray(one) for one in _frames(made, kind, frames)]
    if file.suffix.lower() == ".mp4":
        _mp4(pictures, file)
        return
    from PIL import Image

    first, *others = (Image.fromarray(one) for one in pictures)
    first.save(file, save_all=True, append_images=others, duration=50, loop=0)


def _frames(made: Stage, kind: str, frames: int) -> Iterator[Any]:
    if kind == "displacement":
        for factor in _swing(made.choice.deformation or 10.0, frames):
            made.choose(deformation=factor)
            made.plotter.render()
            yield made.plotter.screenshot(return_img=True)
        return
    for _ in range(frames):
        made.plotter.camera.azimuth += 360.0 / frames
        made.plotter.render()
        yield made.plotter.screenshot(return_img=True)


def _mp4(pictures: Sequence[Any], file: Path) -> None:
    try:
        import imageio.v2 as imageio
        import imageio_ffmpeg  # noqa: F401  (imageio finds it by itself, but says so late)
    except ImportError as error:
        raise InputError(
            f"{file} cannot be written: imageio with ffmpeg is not installed.",
            "An .mp4 needs an encoder.",
            'pip install "femsim[view]", or end the name in .gif or .webp.',
        ) from error
    # an encoder wants even sizes
    even = [one[: one.shape[0] // 2 * 2, : one.shape[1] // 2 * 2] for one in pictures]
    imageio.mimsave(file, even, fps=20, macro_block_size=None)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the rendering process; see the module's docstring."""
    asked = parser().parse_args(arguments)
    off_screen = bool(asked.screenshot or asked.film)
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY") and not off_screen:
        raise InputError(
            "There is no display to open a window on.",
            "The viewer needs one.",
            "Give --screenshot FILE or --web, or open report.html in a browser: it holds the model too.",
        )
    panels, look = load(asked.out, asked.case)
    made = stage(
        panels, look, off_screen=off_screen, field=asked.field, cut=asked.cut, depth=asked.depth,
        deformation=asked.deformation, hidden=tuple(asked.hide), difference=asked.difference,
        directions=asked.directions,
    )  # fmt: skip
    if asked.screenshot:
        screenshot(made, asked.screenshot)
    if asked.film:
        film(made, asked.film, asked.motion, asked.frames)
    if not off_screen:
        window(made)


def parser() -> argparse.ArgumentParser:
    """The options of the rendering process."""
    made = argparse.ArgumentParser(prog="femsim view")
    made.add_argument("out", type=Path)
    made.add_argument("case", nargs="*")
    made.add_argument("--field", default="risk")
    made.add_argument("--cut", default="lesion")
    made.add_argument("--depth", type=float, default=0.5)
    made.add_argument("--deformation", type=float, default=0.0)
    made.add_argument("--hide", action="append", default=[])
    made.add_argument("--difference", action="store_true")
    made.add_argument("--directions", action="store_true")
    made.add_argument("--screenshot", type=Path)
    made.add_argument("--film", type=Path)
    made.add_argument("--motion", default="turntable")
    made.add_argument("--frames", type=int, default=_FRAMES)
    return made


if __name__ == "__main__":
    try:
        main()
    except FemsimError as problem:  # the process that started this one shows it
        sys.exit(f"{problem.what}\n{problem.why}\n{problem.do}")

"""The viewer in a browser: trame on loopback, behind a token, and nothing else.

python -m femsim.view.web OUT [CASE ...] [--port 0] [options of femsim.view.viewer]

Pictures are rendered here and sent; no file of the folder is served. A request without the token is refused before
trame sees it, be it for a page, a script or the socket.
"""

from __future__ import annotations

import hmac
import logging
import os
import secrets
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from femsim.errors import FemsimError, InputError
from femsim.view import probe
from femsim.view.loading import load
from femsim.view.panel import CUTS
from femsim.view.stage import Stage, stage

#: The only address that is listened on.
LOOPBACK = "127.0.0.1"
_NAMES = (LOOPBACK, "localhost")
_COOKIE = "femsim-token"
_TITLES = {"lesion": "through the lesion", "anterior": "from the front", "lateral": "from the side",
           "proximal": "across", "none": "none"}  # fmt: skip

#: trame's picture has no text for who cannot see it, and labels too pale to read; both are put right in the page.
_ALT = """new MutationObserver(() => document.querySelectorAll("img:not([alt])").forEach((one) => { one.alt =
"The strategies side by side. What a place holds is read beside it after a click."; }))
.observe(document.documentElement, { childList: true, subtree: true });"""
_READABLE = ".v-label { opacity: 1 !important; }"

logger = logging.getLogger("femsim")


def new_token() -> str:
    """A token that cannot be guessed."""
    return secrets.token_urlsafe(24)


def guard(token: str) -> Any:
    """A middleware of aiohttp that lets through who knows the token, and nobody else.

    The first request brings it in the address and gets a cookie that scripts and other sites cannot use. A request by
    another name than that of this machine is refused too, so that no page elsewhere can reach in by rebinding a name.
    """
    from aiohttp import web

    @web.middleware
    async def check(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
        given = request.query.get("token", "")
        known = _same(given, token) or _same(request.cookies.get(_COOKIE, ""), token)
        if not known or request.host.rsplit(":", 1)[0] not in _NAMES or not _own(request):
            raise web.HTTPForbidden(text="femsim: wrong or missing token. Open the address that femsim view printed.\n")
        if _same(given, token) and request.path == "/":
            # named here, the socket is opened at once; else trame's page first asks for a session that there is not
            first = web.HTTPFound(f"/index.html?sessionURL=ws://{request.host}/ws")
            first.set_cookie(_COOKIE, token, httponly=True, samesite="Strict", path="/")
            raise first
        return await handler(request)

    return check


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


def _own(request: Any) -> bool:
    """Whether a request comes from the page itself: a browser names the page that sends it."""
    origin = request.headers.get("Origin")
    return origin is None or origin.split("://", 1)[-1] == request.host


def application(made: Stage, token: str, name: str = "femsim") -> Any:
    """A trame server with the viewer's page; call its ``start`` to serve it.

    Raises
    ------
    InputError
        If trame is not installed.
    """
    try:
        from trame.app import get_server
    except ImportError as error:
        raise InputError(
            "trame is not installed.",
            "The viewer in a browser is served by it.",
            'pip install "femsim[web]", or use femsim view --screenshot FILE.',
        ) from error
    server = get_server(name, client_type="vue3")
    _bind(server, made)
    _page(server, made)

    @server.controller.add("on_server_bind")
    def closed(wslink_server: Any) -> None:
        wslink_server.app.middlewares.append(guard(token))

    return server


def _bind(server: Any, made: Stage) -> None:
    """What the page changes changes the stage; what the stage refuses is said."""
    state, controller = server.state, server.controller
    state.update(
        {
            "trame__title": "femsim view",
            "choice_field": made.choice.field,
            "choice_cut": made.choice.cut,
            "choice_depth": made.choice.depth,
            "choice_deformation": made.choice.deformation,
            "choice_shown": [name for name in made.materials if name not in made.choice.hidden],
            "choice_difference": made.choice.difference,
            "choice_directions": made.choice.directions,
            "probe_text": "",
            "refusal": "",
        }
    )

    @state.change(
        "choice_field", "choice_cut", "choice_depth", "choice_deformation", "choice_shown", "choice_difference",
        "choice_directions",
    )  # fmt: skip
    def changed(**_: Any) -> None:
        shown = state.choice_shown if isinstance(state.choice_shown, list) else []
        wanted = replace(
            made.choice, field=str(state.choice_field), cut=str(state.choice_cut),
            depth=_between(state.choice_depth, 1.0), deformation=_between(state.choice_deformation, 100.0),
            hidden=tuple(name for name in made.materials if name not in shown),
            difference=bool(state.choice_difference), directions=bool(state.choice_directions),
        )  # fmt: skip
        state.refusal = ""
        try:
            if wanted != made.choice:
                made.choose(**vars(wanted))
        except InputError as refused:
            state.refusal = refused.what
        controller.view_update()

    @controller.add("reset")
    def reset() -> None:
        made.home()
        controller.view_update()

    @server.trigger("picture")
    def picture() -> Any:
        import io

        from PIL import Image

        out = io.BytesIO()
        Image.fromarray(made.plotter.screenshot(return_img=True)).save(out, format="PNG")
        return server.protocol.addAttachment(out.getvalue()) if server.protocol else out.getvalue()

    _picking(made, state)


def _between(value: Any, top: float) -> float:
    try:
        return min(max(float(value), 0.0), top)
    except (TypeError, ValueError):
        return 0.0


def _picking(made: Stage, state: Any) -> None:
    """Pressing on a place reads what lies under it. (The release is not heard: the turning style keeps it.)"""
    interactor = made.plotter.iren.interactor

    def down(*_: Any) -> None:
        found = made.under(*interactor.GetEventPosition())
        with state:
            state.probe_text = probe.text(probe.probe(*found)) if found else ""

    interactor.AddObserver("LeftButtonPressEvent", down, 1.0)


def _page(server: Any, made: Stage) -> None:
    from trame.ui.vuetify3 import SinglePageLayout
    from trame.widgets import client, html, vtk
    from trame.widgets import vuetify3 as v3

    with SinglePageLayout(server) as layout:
        layout.icon.hide()
        layout.footer.clear()  # names and links of others, and nothing to do there
        layout.footer.hide()
        layout.title.set_text("femsim view · research use only")
        with layout.toolbar:
            v3.VSpacer()
            v3.VBtn("Picture", click="utils.download('femsim-view.png', trigger('picture'), 'image/png')")
            v3.VBtn("Reset", click=server.controller.reset)
        client.Style(_READABLE)
        client.Script(_ALT)
        container = v3.VContainer(fluid=True, classes="pa-0 fill-height")
        with layout.content, container, v3.VRow(no_gutters=True, classes="fill-height"):
            with v3.VCol(cols=12, md=9, style="height: calc(100vh - 5rem)"):
                view = vtk.VtkRemoteView(made.plotter.render_window, ref="view", interactive_ratio=1)
                server.controller.view_update = view.update
            with v3.VCol(cols=12, md=3, classes="pa-4"):
                _controls(v3, html, made)


def _controls(v3: Any, html: Any, made: Stage) -> None:
    fields = [{"title": name.replace("_", " "), "value": name} for name in made.fields]
    cuts = [{"title": _TITLES[name], "value": name} for name in CUTS]
    materials = [{"title": name.replace("_", " "), "value": name} for name in made.materials]
    common = {"density": "compact", "hide_details": True, "classes": "mb-4"}
    v3.VSelect(label="Colour", v_model=("choice_field",), items=("fields", fields), **common)
    v3.VSelect(label="Cut", v_model=("choice_cut",), items=("cuts", cuts), **common)
    v3.VSlider(label="Depth", name="depth of the cut", v_model=("choice_depth",), min=0, max=1, step=0.01, **common)
    v3.VSlider(
        label="Displacement ×", name="factor of the displacement", v_model=("choice_deformation",), min=0, max=50,
        step=1, **common,
    )  # fmt: skip
    v3.VSelect(
        label="Compartments",
        v_model=("choice_shown",),
        items=("materials", materials),
        multiple=True,
        chips=True,
        **common,
    )
    v3.VSwitch(label="Difference to the first", v_model=("choice_difference",), **common)
    v3.VSwitch(label="Principal directions", v_model=("choice_directions",), **common)
    html.Div("{{ refusal }}", classes="text-error", role="alert")
    html.Pre("{{ probe_text || 'Click a place to read its values.' }}", style="white-space: pre-wrap; font-size: .8rem",
             role="status")  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted; prints the address with its token."""
    from femsim.view.viewer import parser

    options = parser()
    options.add_argument("--port", type=int, default=0)
    asked = options.parse_args(arguments)
    panels, look = load(asked.out, asked.case)
    made = stage(
        panels, look, off_screen=True, field=asked.field, cut=asked.cut, depth=asked.depth,
        deformation=asked.deformation, hidden=tuple(asked.hide), difference=asked.difference,
        directions=asked.directions,
    )  # fmt: skip
    made.plotter.render()
    token = new_token()
    server = application(made, token)
    os.environ["WSLINK_READY_MSG"] = ""

    @server.controller.add("on_server_ready")
    def ready(**_: Any) -> None:
        print(f"Open http://{LOOPBACK}:{server.port}/?token={token}", flush=True)
        print("Only this machine can open it, and only with this address. Ctrl-C ends it.", flush=True)

    server.start(
        port=asked.port, host=LOOPBACK, open_browser=False, show_connection_info=False, timeout=0, disable_logging=True
    )


if __name__ == "__main__":
    try:
        main()
    except FemsimError as problem:  # the process that started this one shows it
        sys.exit(f"{problem.what}\n{problem.why}\n{problem.do}")

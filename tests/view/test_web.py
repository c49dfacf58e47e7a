"""The viewer in a browser: refuses whoever does not know the token, serves nothing of the disk, and reacts."""

from __future__ import annotations

import http.client
import io
import os
import re
import select
import socket
import subprocess
import sys
import time

import matplotlib.image
import numpy as np
import pytest

from femsim.report import folder
from femsim.view import offscreen
from tests.report.browser import axe_core, chromium, serious_faults, watched
from tests.report.fake import comparison

pytest.importorskip("trame", reason='trame is not installed (pip install "femsim[web]")')
pytest.importorskip("trame_vtk", reason='trame-vtk is not installed (pip install "femsim[web]")')


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Port and token of a running viewer."""
    out = tmp_path_factory.mktemp("web") / "out"
    folder.write(comparison(), out, figures=False)
    environment = {name: value for name, value in offscreen.environment().items() if name != "DISPLAY"}
    command = [sys.executable, "-m", "femsim.view.web", str(out), "untreated", "cement"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line, end = "", time.time() + 90
        while not line and time.time() < end and process.poll() is None:
            if select.select([process.stdout], [], [], 1.0)[0]:
                line = process.stdout.readline().strip()
        found = re.fullmatch(r"Open http://127\.0\.0\.1:(\d+)/\?token=([\w-]{30,})", line)
        if found is None:
            process.kill()
            pytest.skip(f"nothing can be rendered here: {process.stderr.read()[-300:]}")
        yield int(found[1]), found[2]
    finally:
        process.terminate()
        process.wait(20)


def _answer(port: int, path: str, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.putrequest("GET", path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    response = connection.getresponse()
    return response.status, response.read()


SOCKET = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13",
    "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
}  # fmt: skip


@pytest.mark.parametrize("path", ["/", "/index.html", "/?token=wrong", "/?token=", "/index.html?token=%00", "/nothing"])
def test_without_the_token_nothing_is_served(server, path):
    port, _ = server
    status, body = _answer(port, path)
    assert status == 403
    assert b"<html" not in body
    assert _answer(port, path, Cookie="femsim-token=wrong")[0] == 403


def test_the_socket_asks_for_the_token_too(server):
    port, token = server
    assert _answer(port, "/ws", **SOCKET)[0] == 403
    assert _answer(port, f"/ws?token={token[:-1]}x", **SOCKET)[0] == 403
    assert _answer(port, "/ws", Cookie=f"femsim-token={token}", Origin="http://example.org", **SOCKET)[0] == 403


def test_other_names_of_this_machine_are_refused(server):
    port, token = server
    assert _answer(port, f"/?token={token}", Host="example.org")[0] == 403
    assert _answer(port, f"/?token={token}", Host=f"127.0.0.1:{port}")[0] == 302


@pytest.mark.parametrize(
    "path",
    [
        "/../../../../etc/passwd", "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2f..%2fetc/passwd",
        "//etc/passwd", "/assets/../../../../../../etc/passwd",
        "/comparison.toml", "/cases", "/table.csv", "/provenance.json",
    ],
)  # fmt: skip
def test_no_file_of_the_disk_is_served_even_with_the_token(server, path):
    port, token = server
    status, body = _answer(port, path, Cookie=f"femsim-token={token}")
    assert status in (400, 403, 404)
    assert b"root:" not in body
    assert b"walking" not in body


def test_only_this_machine_can_connect(server):
    port, _ = server
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # no packet is sent; it only tells the address a packet would leave from
            address = probe.getsockname()[0]
        except OSError:
            pytest.skip("this machine has no address but loopback")
    if address.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    with pytest.raises(OSError, match=r"refused|timed out"):
        socket.create_connection((address, port), timeout=3)


def test_the_page_shows_the_strategies_and_reacts(server):
    port, token = server
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1300, "height": 850})
        elsewhere: list[str] = []
        page.on("request", lambda request: elsewhere.append(request.url) if "127.0.0.1" not in request.url else None)
        complaints = watched(page)
        page.goto(f"http://127.0.0.1:{port}/?token={token}")
        picture = page.locator("img").first
        picture.wait_for(state="visible", timeout=60_000)
        shown = _settled(page, picture)
        assert shown.std() > 0.02
        page.get_by_text("Principal directions").click()
        page.get_by_label("Difference to the first").check(force=True)
        changed = _settled(page, picture, unlike=shown)
        assert np.abs(changed - shown).mean() > 1e-3
        assert token not in page.url
        page.mouse.click(*_bone(picture, changed))
        page.get_by_text("element:").wait_for(timeout=30_000)
        assert "material: " in page.locator("pre").first.text_content()
        assert serious_faults(page, axe_core()) == {}
        assert complaints == []
        assert [url for url in elsewhere if not url.startswith(("data:", "blob:"))] == []


def _settled(page, picture, unlike: np.ndarray | None = None) -> np.ndarray:
    """The picture once two in a row are equal, and another than before: a busy machine draws late."""
    before = None
    for _ in range(60):
        page.wait_for_timeout(700)
        now = matplotlib.image.imread(io.BytesIO(picture.screenshot()))[..., :3]
        still = before is not None and now.shape == before.shape and np.abs(now - before).max() < 0.02
        new = unlike is None or now.shape != unlike.shape or np.abs(now - unlike).mean() > 1e-3
        if still and new and now.std() > 0.02:
            return now
        before = now
    return before


def _bone(picture, image) -> tuple[float, float]:
    """A place on the page where bone is shown: in the middle of what is not white in the left half."""
    half = image[80 : int(0.75 * len(image)), : image.shape[1] // 2 - 4]
    rows, columns = np.nonzero(np.abs(half - 1).max(axis=-1) > 0.01)
    row = int(np.median(rows))
    box = picture.bounding_box()
    return box["x"] + float(np.median(columns[rows == row])), box["y"] + 80 + row


def test_the_token_is_new_every_time():
    from femsim.view import web

    tokens = {web.new_token() for _ in range(20)}
    assert len(tokens) == 20
    assert min(len(one) for one in tokens) >= 32
    assert os.environ.get("FEMSIM_TOKEN") is None  # and never taken from where others can read it

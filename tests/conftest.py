"""Slow tests run with ``--slow``; without it they are skipped and say so. The cache of stages is a fresh one."""

from __future__ import annotations

import os
import shutil
import tempfile

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the tests marked slow too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="slow; run with --slow"))


def pytest_configure(config: pytest.Config) -> None:
    # What an earlier version of the code left in the user's cache must not decide a test. Set before xdist starts its
    # workers, which inherit it and share the folder.
    if "FEMSIM_CACHE" not in os.environ:
        folder = tempfile.mkdtemp(prefix="femsim-test-cache-")
        os.environ["FEMSIM_CACHE"] = folder

        def remove() -> None:
            os.environ.pop("FEMSIM_CACHE", None)
            shutil.rmtree(folder, ignore_errors=True)

        config.add_cleanup(remove)

"""Runs a suite: a thin caller of pytest, which does the work, with the controller as one of its plugins."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import final

import pytest

from harness.errors import InternalError
from harness.run.controller import Controller, Listener
from harness.run.options import RunOptions
from harness.run.plan import RUN_INI

__all__ = ["Execution", "execute"]

_PLUGINS = ("--disable-plugin-autoload", "-p", "xdist", "-p", "harness.run.plugin")
"""A verdict must not hang on what else is installed: a plugin that repeats, reorders or deselects would change it."""

_PYTEST_SETTINGS = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")


@final
@dataclass(frozen=True, slots=True)
class Execution:
    """How the pytest process went: where the evidence is, and whether the harness itself broke."""

    folder: Path
    internal_error: str = ""


def execute(
    options: RunOptions,
    *,
    workers: int,
    listener: Listener | None = None,
) -> Execution:
    """Runs the suite of ``options`` and returns where its journal is. Raises ``HarnessError`` where it cannot begin.

    ``workers`` is the number of pytest-xdist workers, 0 for none; cases of collections that build on each other stay in
    one. What pytest itself prints is held back: the journal and the summary say it better.
    """
    controller = Controller(options, listener)
    controller.open()
    spread = [
        "-n",
        str(options.suite.useful_workers(workers)),
        "--dist",
        "loadscope" if options.collections else "worksteal",
    ]
    arguments = [
        *(str(path) for path in options.suite.paths), *_PLUGINS,
        "-c", str(RUN_INI), "--rootdir", str(options.workspace.root), *spread,
        "--harness-target", options.target_name, "--harness-release", str(options.release),
        "--harness-product", options.product,
        *(["-k", options.keyword] if options.keyword else []),
    ]  # fmt: skip
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), _without(_PYTEST_SETTINGS):
            status = pytest.main(arguments, plugins=[controller])
    finally:
        controller.close()
    if status == pytest.ExitCode.USAGE_ERROR:
        raise InternalError(f"pytest refused its arguments: {printed.getvalue()[-2000:].strip()}")
    broke = status == pytest.ExitCode.INTERNAL_ERROR
    if controller.violations:
        told = json.dumps(controller.violations[0], indent=2)
        return Execution(
            controller.folder, f"{len(controller.violations)} laws of the embedded hub broken, first:\n{told}"
        )
    return Execution(controller.folder, printed.getvalue()[-4000:].strip() if broke else "")


@contextlib.contextmanager
def _without(names: Iterable[str]) -> Iterator[None]:
    """Takes variables out of the environment, for this process and those it starts, and puts them back."""
    taken = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(taken)

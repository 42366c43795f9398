"""The pytest plugin: without ``--harness-target`` it does nothing; with it, this pytest run validates a release.

Kept light: every pytest on the machine loads this module.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import HarnessError
from harness.run.options import add_options, is_active, resolve

if TYPE_CHECKING:
    from harness.run.scheme_suite import SchemeSuite

__all__: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declares the ``--harness-…`` options."""
    add_options(parser)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Makes this process the controller of a run, a worker of one, or both."""
    if not is_active(config) or config.option.collectonly or config.option.help:
        return
    from harness.run.context import RunContext

    workerinput = getattr(config, "workerinput", None)
    if workerinput is not None:
        _register_worker(config, RunContext.from_json(json.loads(workerinput["harness"])))
        return
    from harness.run.controller import Controller

    controller = config.pluginmanager.get_plugin(Controller.NAME)
    if controller is None:
        try:
            controller = Controller(resolve(config))
            controller.open()
        except HarnessError as problem:
            raise pytest.UsageError(str(problem)) from problem
        config.pluginmanager.register(controller, Controller.NAME)
        _collect_too(config, controller.options.suite.scheme)
    if config.getoption("dist", "no") == "no":
        _register_worker(config, controller.context)


def _collect_too(config: pytest.Config, own: SchemeSuite | None) -> None:
    """Has pytest collect the Scheme's own cases too, where it was told of the product's suite only."""
    if own is not None and not any(
        Path(str(arg).partition("::")[0]).resolve().is_relative_to(own.folder) for arg in config.args
    ):
        config.args.append(str(own.folder))


def _register_worker(config: pytest.Config, context: object) -> None:
    from harness.run import fixtures
    from harness.run.context import RunContext
    from harness.run.worker import Worker

    assert isinstance(context, RunContext)
    config.pluginmanager.register(Worker(context), "harness-worker")
    config.pluginmanager.register(fixtures, "harness-fixtures")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collects TTK collections where a run of ours is on."""
    worker = parent.config.pluginmanager.get_plugin("harness-worker")
    if worker is None or str(file_path.resolve()) not in worker.context.collections:
        return None
    from harness.run.collection import CollectionFile

    # pytest names every file outside its root by nothing but its last part, and two would be one
    node = os.path.relpath(file_path, parent.config.rootpath)
    return CollectionFile.from_parent(parent, path=file_path, nodeid=Path(node).as_posix())

"""Makes the cases of a TTK collection items of pytest, so that they run beside native ones in the same run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.engine.ttk.bench import Bench
from harness.model.ids import SEPARATOR
from harness.model.outcome import Severity
from harness.run.context import PlannedCase
from harness.run.plan import CASE
from harness.run.worker import Worker, recorder_of
from harness.suite.ttk.folder import load_folder, root_of
from harness.suite.ttk.model import Case

__all__ = ["CollectionFile", "CollectionItem"]


class CollectionFile(pytest.File):
    """One collection."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yields one item per case, in the order of the document."""
        path = self.path.resolve()
        worker = self.config.pluginmanager.get_plugin("harness-worker")
        context = worker.context if isinstance(worker, Worker) else None
        own = context.workspace / context.scheme_suite if context and context.scheme_suite else None
        # ids of a Scheme's own collections begin with its folder
        root = context.workspace if context and own and path.is_relative_to(own) else root_of(path)
        for file in load_folder(root, below=path).files:
            for case in file.collection.cases:
                yield CollectionItem.from_parent(self, name=case.case_id.rpartition(SEPARATOR)[2], case=case)


class CollectionItem(pytest.Item):
    """One case of a collection."""

    def __init__(self, *, case: Case, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.case = case
        file = case.case_id.partition(SEPARATOR)[0]
        self.stash[CASE] = PlannedCase(
            case=case.case_id,
            node=self.nodeid,
            title=case.name,
            feature=Path(file).stem,
            labels=case.labels,
            severity=Severity.MAJOR.value,
            file=file,
            selected=True,
            checks=tuple(str(check) for check in case.checks),
        )

    def runtest(self) -> None:
        """Runs the case; what it shows goes to its recorder."""
        worker = self.config.pluginmanager.get_plugin("harness-worker")
        assert isinstance(worker, Worker)
        shared = worker.shared
        if "bench" not in shared:
            context = worker.context
            shared["bench"] = bench = Bench.set_up(
                context.target, worker.inbound, worker.exchanger, context.inputs, strict=context.strict_steps
            )
            worker.closing.append(bench.close)
        shared["bench"].run(self.case, recorder_of(self))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the case stands."""
        return self.path, None, self.name

"""Which cases does a suite have for a release? What pytest collects, seen as cases; nothing is left out silently."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import final

import pytest

from harness.errors import SuiteError
from harness.model.ids import SCHEMES, SEPARATOR, escape_label
from harness.model.release import ReleaseVersion
from harness.run.context import PlannedCase
from harness.suite.native import definition_of
from harness.workspace import Workspace

__all__ = ["CASE", "RUN_INI", "collect_cases", "native_case", "sort_out"]

CASE = pytest.StashKey[PlannedCase]()
RUN_INI = Path(__file__).parent / "run.ini"


def native_case(
    item: pytest.Item, suite: Path, release: ReleaseVersion, own: Path | None = None, prefix: str = ""
) -> PlannedCase | None:
    """Returns the case that ``item`` is, ``None`` where it does not hold for ``release``.

    ``own`` is the folder of the Scheme's own cases, whose ids begin with ``prefix``. Raises ``SuiteError`` where the
    item is outside both, or does not say what it is.
    """
    path = item.path.resolve()
    is_own = own is not None and path.is_relative_to(own)
    if not is_own and not path.is_relative_to(suite):
        raise SuiteError(
            "this file is not in the suite of the product under validation",
            file=path,
            remedy=f"Run cases below {suite}, or leave --harness-target out",
        )
    file = f"{prefix}/{path.relative_to(own).as_posix()}" if is_own and own else path.relative_to(suite).as_posix()
    if not is_own and file.startswith(SCHEMES):
        raise SuiteError(
            f"a product's suite may hold no folder {SCHEMES[:-1]}: its cases would pass for a Scheme's", file=path
        )
    definition = definition_of(getattr(item, "function", None))
    if definition is None:
        raise SuiteError(
            f"{item.name} does not say what it is", file=path, remedy="Mark it with @case(...) of harness.suite.native"
        )
    if not definition.holds_for(release):
        return None
    parameters = getattr(item, "callspec", None)
    title = f"{definition.title} [{parameters.id}]" if parameters else definition.title
    return PlannedCase(
        case=SEPARATOR.join((file, escape_label(title))),
        node=item.nodeid,
        title=title,
        feature=path.stem.removeprefix("test_").replace("_", "-"),
        labels=definition.labels,
        severity=definition.severity.value,
        file=file,
        selected=True,
    )


def sort_out(
    items: Sequence[pytest.Item], suite: Path, release: ReleaseVersion, own: Path | None = None, prefix: str = ""
) -> tuple[list[pytest.Item], list[str]]:
    """Returns the items that are cases of ``release``, each with its ``CASE``, and what is wrong with the others."""
    names: set[str] = set()
    kept: list[pytest.Item] = []
    problems: list[str] = []
    for item in items:
        try:
            planned = item.stash.get(CASE, None) or native_case(item, suite, release, own, prefix)
            if planned is None:
                continue
            if planned.case in names:
                raise SuiteError(f"two cases are called {planned.title!r}", file=planned.file)
        except SuiteError as problem:
            problems.append(str(problem))
            continue
        item.stash[CASE] = planned
        names.add(planned.case)
        kept.append(item)
    return kept, problems


def collect_cases(workspace: Workspace, product: str, release: ReleaseVersion) -> list[str]:
    """Returns the case ids of a product's native suite for ``release``. Raises ``SuiteError`` if it does not load."""
    suite = workspace.suite(product).resolve()
    collector = _Collector(suite, release)
    arguments = [str(suite), "-c", str(RUN_INI), "--rootdir", str(workspace.root), "--collect-only", "-q"]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        status = pytest.main([*arguments, "-p", "no:cacheprovider"], plugins=[collector])
    if collector.problems:
        raise SuiteError("; ".join(collector.problems), file=suite, remedy="Mend the suite")
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise SuiteError(f"the suite does not load: {printed.getvalue()[-1500:]}", file=suite, remedy="Mend the suite")
    if not collector.cases:
        raise SuiteError(
            f"the suite has no case for {release}", file=suite, remedy="Check since and until of its cases"
        )
    return collector.cases


@final
class _Collector:
    def __init__(self, suite: Path, release: ReleaseVersion) -> None:
        self.suite = suite
        self.release = release
        self.cases: list[str] = []
        self.problems: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:], self.problems = sort_out(items, self.suite, self.release)
        self.cases = [item.stash[CASE].case for item in items]

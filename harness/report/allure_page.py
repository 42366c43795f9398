"""The Allure 3 report itself: as a folder with many pages, and as one file that can be sent to somebody.

Built by Allure's own command line from ``allure-results``, which is written first and stays whatever becomes of it.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from harness.errors import ToolError
from harness.report.allure import CATEGORIES, AllureResults
from harness.report.allure_command import AllureCommand, find_allure
from harness.report.allure_history import (
    before,
    history_path,
    point_of,
    read_history,
    with_point,
    write_history,
)
from harness.report.allure_offline import offline
from harness.report.files import json_bytes, replace_folder, write_file
from harness.report.interface import ReportInput, story_of
from harness.report.text import one_line

__all__ = ["FOLDER", "SINGLE", "AllureReport", "Built", "configuration"]

FOLDER: Final = "allure-report"
SINGLE: Final = "allure-report.html"
_PAGES, _ONE, _INDEX = "awesome", "single", "index.html"


@dataclass(frozen=True, slots=True)
class Built:
    """What was written, and what a person should know of it."""

    paths: tuple[Path, ...]
    single: Path
    remarks: tuple[str, ...]


def _silent(_: str) -> None:
    return


@final
class AllureReport:
    """Writes ``allure-results``, ``allure-report/`` and ``allure-report.html``."""

    name = "allure"

    def __init__(self, *, npx: bool = False, tell: Callable[[str], None] = _silent) -> None:
        self._npx = npx
        self._tell = tell

    def write(self, run: ReportInput, folder: Path) -> list[Path]:
        """Returns what was written. Raises ``ToolError`` without a working allure 3; then the results are there."""
        return list(self.build(run, folder).paths)

    def build(self, run: ReportInput, folder: Path) -> Built:
        """As ``write``, with what should be said about it."""
        (results,) = AllureResults().write(run, folder)
        command = find_allure([Path.cwd(), run.folder], npx=self._npx)
        self._tell(f"building the Allure report with allure {command.version}")
        story = story_of(run)
        kept = history_path(run, story.started)
        history, point = read_history(kept), point_of(run, story)
        with tempfile.TemporaryDirectory(prefix="harness-allure-") as scratch:
            place = Path(scratch)
            write_history(place / "history.jsonl", before(history.points, point))
            made = _build(command, results, configuration(run), place)
            remarks = [*history.damage, *_compared(command, results, made / _PAGES)]
            pages = folder / FOLDER
            with replace_folder(pages) as fresh:
                shutil.copytree(made / _PAGES, fresh, dirs_exist_ok=True)
                (fresh / _INDEX).write_bytes(offline((fresh / _INDEX).read_bytes()))
            single = write_file(folder / SINGLE, offline((made / _ONE / _INDEX).read_bytes()))
        write_history(kept, with_point(history.points, point))
        return Built((results, pages, single), single, tuple(remarks))


def configuration(run: ReportInput) -> dict[str, Any]:
    """Returns Allure's configuration of this report (``allurerc.json``)."""
    verdict = run.judged.verdict
    name = one_line(f"{verdict.product} {verdict.release}: {verdict.text}")
    look = {"reportName": name, "reportLanguage": "en", "defaultSortBy": "status,asc"}
    return {
        "name": name,
        "output": "report",
        "historyPath": "history.jsonl",
        "appendHistory": False,
        "categories": {"rules": _rules()},
        "plugins": {
            _PAGES: {"import": "awesome", "options": {**look, "singleFile": False}},
            _ONE: {"import": "awesome", "options": {**look, "singleFile": True}},
        },
    }


def _rules() -> list[Mapping[str, Any]]:
    """By class first, then by cause and component."""
    return [
        {
            "name": one.name,
            "matchers": {"message": one.pattern},
            "groupBy": [{"label": "cause"}, {"label": "component"}],
            "groupByMessage": False,
            "expand": one.expand,
        }
        for one in CATEGORIES
    ]


def _build(command: AllureCommand, results: Path, config: Mapping[str, Any], place: Path) -> Path:
    """Returns the folder that Allure made, with a page for each of the two. Raises ``ToolError``."""
    (place / "allurerc.json").write_bytes(json_bytes(config, indent=1))
    output = command.run(["generate", "--config", "allurerc.json", str(results.resolve())], place)
    made = place / "report"
    absent = [name for name in (_PAGES, _ONE) if not (made / name / _INDEX).is_file()]
    if absent:
        raise ToolError(
            f"allure {command.version} ended well and made no page {', '.join(absent)}; it printed:\n{output}",
            remedy="allure-results/ is kept: build it again with another allure 3",
        )
    return made


def _compared(command: AllureCommand, results: Path, pages: Path) -> list[str]:
    """Whether the page tells of every case, and as it stands. Raises ``ToolError`` where it does not.

    What cannot be compared, because this Allure lays its pages out otherwise, is returned as a remark.
    """
    data = pages / "data" / "test-results"
    if not data.is_dir():
        return [f"not looked at whether every case is in the page: allure {command.version} keeps its data elsewhere"]
    given, told = (Counter(map(_status, files)) for files in (results.glob("*-result.json"), data.glob("*.json")))
    if given != told:
        raise ToolError(
            f"allure {command.version} made a page of other cases than were given: "
            f"{_counted(told)} instead of {_counted(given)}",
            remedy="allure-results/ is kept: build it again with another allure 3",
        )
    return []


def _status(path: Path) -> str:
    try:
        return str(json.loads(path.read_bytes())["status"])
    except (ValueError, KeyError, TypeError):
        return "unreadable"


def _counted(statuses: Counter[str]) -> str:
    return ", ".join(f"{count} {status}" for status, count in sorted(statuses.items())) or "none"

"""The ``allure-results`` folder of a run: one result per case, and what Allure shows around them.

Everything is derived from the journal, the exchanges and the verdict, and is the same each time it is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from allure_commons.model2 import GlobalAttachment, GlobalError, Globals
from attr import asdict

from harness.model.outcome import GateStatus
from harness.model.verdict import Verdict
from harness.report.allure_products import product_result
from harness.report.allure_results import case_result, stable_uuid
from harness.report.concerns import NOTHING, concerns_of
from harness.report.files import json_bytes, replace_folder
from harness.report.interface import ReportInput, story_of
from harness.report.moments import milliseconds
from harness.report.products import ProductLine, products_of
from harness.report.properties import properties
from harness.report.stories import RunStory
from harness.report.text import one_line

__all__ = ["CATEGORIES", "AllureResults", "Category", "categories", "environment"]


@dataclass(frozen=True, slots=True)
class Category:
    """A heading under which Allure lists cases: those whose message begins with a word (harness.report.fate)."""

    name: str
    word: str
    text: str
    expand: bool = False
    """Shown open: what a reader has to see."""

    @property
    def pattern(self) -> str:
        """The regular expression that finds them."""
        return rf"^{self.word}\b[\s\S]*"


CATEGORIES: Final = (
    Category(
        "Extension products", "product", "A product that the Scheme lists is not approved on this core.", expand=True
    ),
    Category("Regressions", "regressed", "Passed in the baseline, fails now.", expand=True),
    Category("New failures", "new-fail", "Not in the baseline, fails.", expand=True),
    Category(
        "Missing evidence", "missing", "Expected in this run, no result: a worker lost, a run cut off.", expand=True
    ),
    Category("Environment", "environment", "The target could not be used as the case needs it.", expand=True),
    Category("Harness errors", "harness error", "The harness or a script broke: nothing is known.", expand=True),
    Category("Hollow", "hollow", "Ran, but asserted nothing."),
    Category("Flaky", "flaky", "Passed and failed in the baseline's runs."),
    Category("Known failures", "unchanged-fail", "Failed in the baseline, fails now."),
    Category("Failures without a baseline", "failed", "Nothing to compare with.", expand=True),
    Category("Skipped", "skipped", "Selected, but not made."),
    Category("Not selected", "not selected", "Left out of this run."),
)


@final
class AllureResults:
    """Writes ``allure-results``. A folder that is there already is replaced, never added to."""

    name = "allure-results"

    def write(self, run: ReportInput, folder: Path) -> list[Path]:
        """Writes ``folder/allure-results`` and returns its path. Raises ``OSError``; then the old one still stands."""
        results = folder / "allure-results"
        story = story_of(run)
        with replace_folder(results) as fresh:
            for name, content in _files(run, story):
                (fresh / name).write_bytes(content)
        return [results]


def _files(run: ReportInput, story: RunStory) -> Iterator[tuple[str, bytes]]:
    verdict = run.judged.verdict
    concerns = concerns_of(run.judged)
    for case in story.cases:
        told = case_result(case, story, run.exchanges, concerns.get(case.case, NOTHING))
        yield told.result.file_pattern.format(prefix=told.result.uuid), json_bytes(_plain(told.result))
        yield from told.attachments.items()
    moment = _beginning(story)
    products = products_of(run)
    for line in products:
        shown = product_result(line, verdict.run_id, moment)
        yield shown.file_pattern.format(prefix=shown.uuid), json_bytes(_plain(shown))
    yield from _around(verdict, story, moment)
    yield "categories.json", json_bytes(categories(), indent=2)
    yield "environment.properties", properties(environment(verdict, story, products))
    yield (
        "executor.json",
        json_bytes(
            {
                "name": "Mojaloop Harness",
                "type": "mojaloop-harness",
                "buildName": verdict.run_id,
                "reportName": f"{verdict.product} {verdict.release}: {verdict.text}",
            },
            indent=2,
        ),
    )


def _plain(item: Any) -> dict[str, Any]:
    """The item without its unset fields; a time of 0 is a time."""
    return asdict(item, filter=lambda _, value: value is not None and value != [])


def categories() -> list[dict[str, Any]]:
    """Returns Allure's categories: a case is in the one whose word its message begins with."""
    return [{"name": one.name, "messageRegex": one.pattern, "description": one.text} for one in CATEGORIES]


def environment(verdict: Verdict, story: RunStory, products: Sequence[ProductLine] = ()) -> dict[str, str]:
    """Returns what was judged where: shown on the report's first page."""
    shown = {"Verdict": verdict.text, "Product": verdict.product, "Release": verdict.release, "Run": verdict.run_id}
    shown |= {line.name: line.word for line in products}
    if within := verdict.inputs.get("within"):
        shown["Part of run"] = str(within)
    started = story.started
    if started is not None:
        suite, target = started.suite, started.target
        shown |= {
            "Scheme": started.scheme or "none",
            "Target": str(target.get("name", "")),
            "Target kind": str(target.get("kind", "")),
            "Suite": str(suite.get("name", "")),
            "Suite digest": str(suite.get("digest", "")),
            "Suite pin": str(suite.get("pin", "")),
            "Harness": str(started.tool.get("version", "")),
        }
        if defects := target.get("defects"):
            shown["Defects switched on"] = ", ".join(map(str, defects))
        manifest = started.release_manifest or {}
        components = manifest.get("components") or {}
        shown |= {f"Component {name}": str(version) for name, version in sorted(components.items())}
    return {name: one_line(value) for name, value in shown.items() if value}


def _beginning(story: RunStory) -> int:
    """When the first case began, in ms since 1970; 0 where that is not known."""
    return next(
        (began for case in story.cases if case.finished and (began := milliseconds(case.finished.started_at))), 0
    )


def _around(verdict: Verdict, story: RunStory, moment: int) -> Iterator[tuple[str, bytes]]:
    """What concerns the run as a whole: why the verdict is as it is, and the checks that are no longer there."""
    errors = [
        GlobalError(
            message=one_line(f"{reason.gate.value}: {reason.text}"), trace=one_line(reason.remedy), timestamp=moment
        )
        for reason in verdict.reasons
        if reason.status is not GateStatus.PASS
    ]
    attachments = []
    if story.removed:
        name = f"{stable_uuid(verdict.run_id, 'removed')}-attachment.json"
        attachments.append(
            GlobalAttachment(name="removed checks", source=name, type="application/json", timestamp=moment)
        )
        yield name, json_bytes([row.check for row in story.removed], indent=2)
    if errors or attachments:
        whole = Globals(attachments=attachments, errors=errors)
        yield whole.file_pattern.format(prefix=stable_uuid(verdict.run_id, "globals")), json_bytes(_plain(whole))

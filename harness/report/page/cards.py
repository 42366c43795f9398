"""The cases that failed, with what was expected, what came and the exchanges; and what is to be listed by name.

A page bears only so much: the heaviest come first, and what is left out is counted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from harness.model.outcome import ComparisonClass, Outcome
from harness.report.fate import HOLLOW_MESSAGE, Standing, absence, case_fate, check_fate
from harness.report.interface import ReportInput
from harness.report.page.evidence import ExchangeView, exchange_view, shown
from harness.report.sequence import sequence_figure
from harness.report.stories import CaseStory, CheckStory, RunStory, StepStory

__all__ = ["Card", "FailedCheck", "Listed", "ListedCase", "cards_of", "listed_of"]

_EVIDENCE_AT_MOST: Final = 450_000
"""Characters of exchanges and diagrams."""
_NAMED_AT_MOST: Final = 1_000
_MESSAGE_AT_MOST: Final = 600
_CHECKS_AT_MOST: Final = 40
_CHECKS_OF_A_BARE_CARD: Final = 3
_SIDE_AT_MOST: Final = 1_500
_BRIEF: Final = 100
_MARKUP: Final = 200
"""Characters around a text on the page, about."""
_STEPS_AT_MOST: Final = 12
_OPEN: Final = 2

_FAILING: Final = (ComparisonClass.REGRESSED, ComparisonClass.NEW_FAIL, ComparisonClass.UNCHANGED_FAIL)
_NOT_COMPARED: Final = "not-compared"
_ORDER: Final = (
    *(name.value for name in _FAILING),
    ComparisonClass.FLAKY.value,
    ComparisonClass.UNKNOWN.value,
    _NOT_COMPARED,
)
_BY_NAME: Final = (
    ComparisonClass.MISSING,
    ComparisonClass.REMOVED,
    ComparisonClass.HOLLOW,
    ComparisonClass.UNKNOWN,
    ComparisonClass.FLAKY,
    ComparisonClass.FIXED,
)


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """A check that did not pass. ``expected`` and ``actual`` are empty where neither was recorded."""

    step: str
    label: str
    comparison: str
    message: str
    compared: bool
    expected: str
    actual: str
    before: str
    remark: str


@dataclass(frozen=True, slots=True)
class Card:
    """A case that failed. ``exchanges`` are those of the steps at which it did, by step."""

    anchor: str
    case: str
    comparison: str
    title: str
    path: str
    feature: str
    severity: str
    cause: str
    headline: str
    checks: tuple[FailedCheck, ...]
    checks_left: int
    exchanges: tuple[tuple[str, ExchangeView], ...]
    steps_left: int
    figure: str
    without_evidence: bool
    open: bool


@dataclass(frozen=True, slots=True)
class ListedCase:
    """The checks of one case in a class, each with a message or none."""

    case: str
    path: str
    message: str
    checks: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """A class whose checks are shown by name."""

    comparison: str
    words: str
    count: int
    cases: tuple[ListedCase, ...]
    left: int


def cards_of(run: ReportInput, story: RunStory) -> tuple[list[Card], int, int]:
    """Returns a card for each case that failed, regressed ones first; how many show no evidence; characters of it."""
    before = _history(run)
    weighed = []
    for number, case in enumerate(story.cases):
        if case.selected and (worst := _worst(case)) is not None:
            weighed.append((_ORDER.index(worst), number, worst, case))
    weighed.sort(key=lambda one: one[:2])
    cards, room, bare = [], _EVIDENCE_AT_MOST, 0
    for place, (_, _, worst, case) in enumerate(weighed):
        failing = [step for step in case.steps if any(_failed(check) for check in step.checks)]
        views = [
            (step.label[:_MESSAGE_AT_MOST], exchange_view(exchange))
            for step in failing[:_STEPS_AT_MOST]
            if (exchange := _exchange(step, run)) is not None
        ]
        figure = sequence_figure(case, run.exchanges)
        failed = [(step, check) for step in case.steps for check in step.checks if _failed(check)]
        checks = tuple(_check(step, check, before) for step, check in failed[:_CHECKS_AT_MOST])
        size = len(figure) + sum(map(_size_of_check, checks)) + sum(_size_of(view) for _, view in views)
        if size > room:
            views, figure, bare = [], "", bare + 1
            checks = tuple(
                replace(check, compared=False, message=_cut(check.message, _BRIEF))
                for check in checks[:_CHECKS_OF_A_BARE_CARD]
            )
        else:
            room -= size
        cards.append(
            Card(
                anchor="case-" + hashlib.sha256(case.case.encode("utf-8", "surrogatepass")).hexdigest()[:10],
                case=case.case,
                comparison=worst,
                title=case.title[:_MESSAGE_AT_MOST],
                path=case.case.partition("::")[0][:_MESSAGE_AT_MOST],
                feature=case.planned.feature[:80] if case.planned else "",
                severity=case.planned.severity[:20] if case.planned else "",
                cause=_cut(case.cause),
                headline=_cut(case_fate(case, story).message.partition("\n")[0]),
                checks=checks,
                checks_left=len(failed) - len(checks),
                exchanges=tuple(views),
                steps_left=max(len(failing) - _STEPS_AT_MOST, 0),
                figure=figure,
                without_evidence=not figure,
                open=place < _OPEN,
            )
        )
    return cards, bare, _EVIDENCE_AT_MOST - room


def listed_of(run: ReportInput, story: RunStory, words: Mapping[ComparisonClass, str]) -> Iterator[Listed]:
    """Yields the classes that no card shows, those that are there, with the names of their checks."""
    for name in _BY_NAME:
        count = run.judged.verdict.counts.get(name, 0)
        if not count:
            continue
        found = _removed(story) if name is ComparisonClass.REMOVED else list(_of_class(name, story))
        cases: list[ListedCase] = []
        room = _NAMED_AT_MOST
        for case in found:
            if room <= 0:
                break
            cases.append(
                ListedCase(case.case[:_MESSAGE_AT_MOST], case.path[:_MESSAGE_AT_MOST], case.message, case.checks[:room])
            )
            room -= max(len(case.checks), 1)
        left = sum(max(len(case.checks), 1) for case in found) - sum(max(len(case.checks), 1) for case in cases)
        yield Listed(name.value, words[name], count, tuple(cases), left)


def _of_class(name: ComparisonClass, story: RunStory) -> Iterator[ListedCase]:
    for case in story.cases:
        checks = [
            (f"{step.label} · {check.label}", _brief(check))
            for step in case.steps
            for check in step.checks
            if check.comparison is name
        ]
        whole = case.judged is not None and case.judged.comparison is name
        if checks or whole:
            message = case.judged.message if case.judged is not None and whole else ""
            if name is ComparisonClass.MISSING and case.finished is None:
                message = absence(case, story)
            title, path = case.title, case.case.partition("::")[0]
            yield ListedCase(title, path, _cut(message), tuple((_cut(label), text) for label, text in checks))


def _removed(story: RunStory) -> list[ListedCase]:
    cases: dict[str, list[tuple[str, str]]] = {}
    for row in story.removed:
        case = row.case or row.check
        rest = row.check.removeprefix(f"{case}::").replace("::", " · ")
        cases.setdefault(case, []).append((_cut(rest), ""))
    return [
        ListedCase(case.partition("::")[2] or case, case.partition("::")[0], "", tuple(checks))
        for case, checks in cases.items()
    ]


def _brief(check: CheckStory) -> str:
    fate = check_fate(check)
    message = "" if fate.standing is Standing.PASSED else fate.message
    for known in (f"{check.comparison.value}: " if check.comparison else "", f"{HOLLOW_MESSAGE}: "):
        message = message.removeprefix(known) if known else message
    plain = message in (HOLLOW_MESSAGE, check.comparison, "missing: expected in this run, no result")
    return "" if plain else _cut(message, _BRIEF)


def _worst(case: CaseStory) -> str | None:
    """The heaviest class among what failed; ``None`` where nothing did."""
    found = {_word(check) for check in case.checks if _failed(check)}
    if case.judged is not None and case.judged.comparison in _FAILING:
        found.add(case.judged.comparison.value)
    return min(found, key=_ORDER.index, default=None)


def _word(check: CheckStory) -> str:
    word = check.comparison.value if check.comparison else _NOT_COMPARED
    return word if word in _ORDER else _NOT_COMPARED


def _failed(check: CheckStory) -> bool:
    return check.outcome in (Outcome.FAILED, Outcome.ERROR) or check.comparison in _FAILING


def _size_of(view: ExchangeView) -> int:
    return len(view.curl) + sum(len(part.text) + len(part.line) + _MARKUP for part in view.parts)


def _size_of_check(check: FailedCheck) -> int:
    return len(check.expected) + len(check.actual) + len(check.message) + 2 * _MARKUP


def _check(step: StepStory, check: CheckStory, before: Mapping[str, tuple[Any, ...]]) -> FailedCheck:
    record = check.record
    compared = record is not None and not (record.expected is None and record.actual is None)
    remarks = []
    runs, passed, failed, moved = before.get(check.check, (0, 0, 0, ""))
    if check.judged is not None and check.judged.definition_changed:
        remarks.append("asks something else than in the baseline")
    if moved:
        remarks.append(f"in the baseline: {_cut(moved)}")
    return FailedCheck(
        step=_cut(step.label),
        label=_cut(check.label),
        comparison=_word(check),
        message=_cut(check.message),
        compared=compared,
        expected=shown(record.expected, _SIDE_AT_MOST) or "nothing" if compared and record is not None else "",
        actual=shown(record.actual, _SIDE_AT_MOST) or "nothing" if compared and record is not None else "",
        before=f"baseline: {passed} of {runs} {'run' if runs == 1 else 'runs'} passed, {failed} failed" if runs else "",
        remark="; ".join(remarks),
    )


def _history(run: ReportInput) -> dict[str, tuple[Any, ...]]:
    """Check to how often it ran, passed and failed in the baseline, and under which name."""
    table = run.judged.comparison.table
    bad = table[run.judged.comparison.mask(*_FAILING, ComparisonClass.FLAKY)]
    names = ("check", "baseline_runs", "baseline_passed", "baseline_failed", "moved_from")
    return {row[0]: row[1:] for row in zip(*(bad[name].tolist() for name in names), strict=True)}


def _exchange(step: StepStory, run: ReportInput) -> Mapping[str, Any] | None:
    return run.exchanges.get(step.record.exchange) if step.record and step.record.exchange else None


def _cut(text: str, length: int = _MESSAGE_AT_MOST) -> str:
    return text if len(text) <= length else f"{text[:length]} … {len(text) - length:,} more characters"

"""What changed with this run against the nights before? What a message, or the head of a page, has to tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import pyarrow as pa

from harness.errors import UsageError
from harness.history.nights import Night, Nights, nights_of
from harness.history.reader import History, Selection
from harness.history.rules import DEFAULT_RULES, HistoryRules
from harness.history.statistics import Change, Told, tell
from harness.judge.waiving import WaiverStatus
from harness.judge.words import counted, some_of
from harness.model.event_kind import EventKind
from harness.model.outcome import VerdictKind
from harness.model.rehearsal import REHEARSAL

__all__ = ["WAIVER_DAYS", "Event", "EventKind", "News", "events", "events_of"]

WAIVER_DAYS: Final = (7, 1)
"""A waiver is spoken of when so many days are left, and once more when it has expired."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that changed."""

    kind: EventKind
    text: str
    """One sentence without a full stop; names come from cases and hubs and are to be escaped where they are shown."""
    checks: tuple[str, ...] = ()
    """Which checks it is about, sorted."""
    component: str = ""
    """The component that answers for them; empty where none does."""
    since: str = ""
    """The day (ISO 8601, UTC) on which it began, where it began earlier or may have."""


@dataclass(frozen=True, slots=True)
class News:
    """What changed with a run, as far as the history can be read."""

    events: tuple[Event, ...]
    """Heaviest first."""
    passed_over: tuple[str, ...] = ()
    """What of the history could not be read, and why: of that it is not known what changed."""


def events(
    dataset: Path, target: str, run_id: str, *, product: str | None = None, rules: HistoryRules = DEFAULT_RULES
) -> News:
    """Returns what changed with run ``run_id`` on ``target`` against the nights before it.

    ``dataset`` is ``reports/history``. Nights after the run are not looked at, so that the answer stays the same. No
    events mean that nothing changed, not that all is well; where something was passed over, not even that. Raises
    ``UsageError`` where the history does not hold the run.
    """
    history = History(dataset)
    runs = history.runs(Selection(product, target))
    facts = runs.select(["run_id", "suite", "product"]).to_pylist()
    own = next((row for row in facts if row["run_id"] == run_id), None)
    if own is None:
        raise UsageError(
            f"the history of target {target!r} does not hold run {run_id!r}{history.beside}",
            remedy=f"Record it: harness history record {run_id}",
        )
    same_product = runs.filter(pa.array([each["product"] == own["product"] for each in facts]))
    nights = nights_of(history, same_product, own["product"], target, own["suite"], until=run_id)
    found = events_of(nights, tell(nights, rules), len(nights.nights) - 1)
    return News(found, tuple(history.problems))


def events_of(nights: Nights, told: Told, number: int) -> tuple[Event, ...]:
    """Returns what changed with night ``number``; ``told`` is of these nights."""
    night = nights.nights[number]
    before = nights.nights[number - 1] if number else None
    of_checks = list(_of_checks(nights, told, number))
    found = [*of_checks, *_of_the_night(night, before, of_checks), *_of_waivers(night, before)]
    order = list(EventKind)
    return tuple(sorted(found, key=lambda event: (order.index(event.kind), -len(event.checks), event.component)))


_KINDS: Final = {
    "opened": EventKind.NEW_REGRESSION,
    "failing": EventKind.NEWLY_FAILING,
    "flaky": EventKind.NEWLY_FLAKY,
    "closed": EventKind.FIXED,
    "recovered": EventKind.FIXED,
}


def _of_checks(nights: Nights, told: Told, number: int) -> Iterator[Event]:
    for change in told.changes:
        if change.night != number:
            continue
        by_component: dict[str, list[int]] = {}
        for row in change.checks:
            by_component.setdefault(nights.component[row], []).append(row)
        for component, rows in by_component.items():
            yield _event(nights, told, change, component, rows)


def _event(nights: Nights, told: Told, change: Change, component: str, rows: Sequence[int]) -> Event:
    checks = tuple(nights.checks[row] for row in rows)
    of = f" of {component}" if component else ""
    many = f"{counted(len(rows), 'check')}{of}"
    match change.kind:
        case "opened":
            episodes = [each for each in told.episodes if each.opened == change.night and each.check in set(rows)]
            first = min(episode.since for episode in episodes)
            waived = sum(bool(nights.excused[row, change.night]) for row in rows)
            one = episodes[0]
            against = (
                f"{one.failed} of {counted(one.told, 'night')} failed, against {one.reference_passed} of "
                f"{one.reference_told} passed in {one.reference}"
            )
            text = f"{many} regressed: {some_of(checks)} ({against}{f'; {waived} waived' if waived else ''})"
        case "closed" | "recovered":
            starts = [each.since for each in told.episodes if each.closed == change.night and each.check in set(rows)]
            first = min(starts, default=-1)
            text = f"{many} fixed, passed in enough nights in a row: {some_of(checks)}"
        case "flaky":
            first = -1
            text = f"{many} failed in some nights and passed in others, with nothing to tell why: {some_of(checks)}"
        case _:
            first = change.night
            text = f"{many} failed, in too few nights to be called a regression: {some_of(checks)}"
    since = nights.nights[first].day.isoformat() if first >= 0 else ""
    return Event(_KINDS[change.kind], text, checks, component, since)


def _of_the_night(night: Night, before: Night | None, of_checks: Sequence[Event]) -> Iterator[Event]:
    news = before is None or _differs(before, night)
    if night.excluded == EventKind.MASS_FAILURE and news:
        causes = [each for each in night.causes if each.get("cause") in ("environment", "provisioning")]
        component = str(causes[0].get("component", "")) if causes else ""
        text = f"one night does not count: {night.excluded_why or night.why}"
        yield Event(EventKind.MASS_FAILURE, text, component=component)
    elif night.verdict is VerdictKind.INCONCLUSIVE and news:
        yield Event(EventKind.INCONCLUSIVE, night.excluded_why or night.why or "the run showed nothing to decide by")
    # whatever its checks tell: a regression that is open and flaky changes the verdict from night to night
    if night.verdict is VerdictKind.REJECTED and (before is None or before.verdict is not VerdictKind.REJECTED):
        why = "" if any(event.kind is EventKind.NEW_REGRESSION for event in of_checks) else night.why
        yield Event(EventKind.REJECTED, f"{_verdict(night, before)}{f': {why}' if why else ''}")
    if before is not None and night.approved and not before.approved:
        yield Event(EventKind.BACK_TO_GREEN, _verdict(night, before))


def _differs(before: Night, night: Night) -> bool:
    """Whether a night is what it is otherwise than the one before: the same reason is no news every morning."""
    return before.verdict is not night.verdict or before.excluded != night.excluded


def _verdict(night: Night, before: Night | None) -> str:
    """Returns the verdict and the one before it; that of a rehearsal never reads as one on a release."""
    now = f"{night.verdict.value} ({REHEARSAL})" if night.rehearsal else night.verdict.value
    return f"{now} after {before.verdict.value}" if before is not None else now


def _of_waivers(night: Night, before: Night | None) -> Iterator[Event]:
    known = {str(each["id"]): str(each["expires"]) for each in before.waivers} if before else {}
    for waiver in night.waivers:
        if waiver["status"] == WaiverStatus.UNMATCHED:
            continue
        name, expires = str(waiver["id"]), date.fromisoformat(str(waiver["expires"]))
        spoken = _urgency((expires - before.day).days) if before and known.get(name) == str(waiver["expires"]) else 0
        left = (expires - night.day).days
        if _urgency(left) > spoken:
            when = f"expired on {expires}" if left < 0 else f"expires on {expires}, {_in_days(left)}"
            yield Event(
                EventKind.WAIVER_EXPIRES,
                f"waiver {name} {when}: {counted(int(waiver['checks']), 'check')} then count ({waiver['ticket']})",
                since=expires.isoformat(),
            )


def _in_days(left: int) -> str:
    return "today" if left == 0 else "tomorrow" if left == 1 else f"in {left} days"


def _urgency(left: int) -> int:
    """How often a waiver with so many days left has been spoken of."""
    return sum(left <= days for days in WAIVER_DAYS) + (left < 0)

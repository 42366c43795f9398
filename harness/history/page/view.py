"""What stands on the history page? Everything that the template shows, worked out beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.errors import UsageError
from harness.history.events import Event, events_of
from harness.history.nights import ABSENT, BLIND, FAILED, PASSED, Night, Nights, nights_of, suites_of
from harness.history.page.strips import lines, strip, verdicts
from harness.history.reader import History, Selection
from harness.history.rules import DEFAULT_RULES, HistoryRules
from harness.history.schema import OPERATIONS
from harness.history.statistics import Episode, Rates, Told, rates, tell
from harness.judge.rates import wilson
from harness.judge.words import counted
from harness.model.ids import SEPARATOR
from harness.model.outcome import VerdictKind

__all__ = ["NIGHTS_SHOWN", "PageView", "SuiteView", "page_view"]

NIGHTS_SHOWN: Final = 90
"""Columns of the grid where no number is given. Statistics are drawn from all nights."""
_CHECKS_DRAWN: Final = 600
"""Rows of single checks in the grid; of those that passed in every night only the names stand on the page."""
_OPERATIONS_DRAWN: Final = 60
_LISTED: Final = 200
_TIMES: Final = ("operation", "measure", "run_id", "component", "count", "p50_ms", "p95_ms")

_TONES: Final = {
    VerdictKind.APPROVED: "good",
    VerdictKind.APPROVED_WITH_KNOWN_ISSUES: "known",
    VerdictKind.REJECTED: "bad",
    VerdictKind.INCONCLUSIVE: "unknown",
}
_MARKS: Final = {"good": "✓", "known": "✓", "bad": "✕", "unknown": "?"}


@dataclass(frozen=True, slots=True)
class RowView:
    """A row of the grid: a group of checks or one check."""

    name: str
    strip: str
    rate: str
    words: str
    rows: tuple[RowView, ...] = ()
    always: tuple[str, ...] = ()
    """Names of checks that passed in each of these nights."""
    left: int = 0
    troubled: int = 0


@dataclass(frozen=True, slots=True)
class OperationView:
    """One small picture of times."""

    name: str
    measure: str
    component: str
    picture: str
    last: str


@dataclass(frozen=True, slots=True, eq=False)
class SuiteView:
    """What the nights of one suite say."""

    suite: str
    last: Night
    tone: str
    mark: str
    facts: tuple[tuple[str, str], ...]
    changed: tuple[Event, ...]
    open: tuple[dict[str, Any], ...]
    open_left: int
    closed: tuple[dict[str, Any], ...]
    flaky: tuple[dict[str, Any], ...]
    flaky_left: int
    verdict_strip: str
    first_day: str
    last_day: str
    groups: tuple[RowView, ...]
    operations: tuple[OperationView, ...]
    operations_left: int
    versions: tuple[tuple[str, str, str, str], ...]
    kept_out: tuple[Night, ...]
    nights: tuple[tuple[Night, str, str], ...]
    """With tone and mark, newest first."""


@dataclass(frozen=True, slots=True, eq=False)
class PageView:
    """The page of one product on one target."""

    product: str
    target: str
    suites: tuple[SuiteView, ...]
    problems: tuple[str, ...]
    rules: HistoryRules = field(default_factory=HistoryRules)


def page_view(
    history: History,
    target: str,
    *,
    product: str = "mojaloop",
    shown: int = NIGHTS_SHOWN,
    rules: HistoryRules = DEFAULT_RULES,
) -> PageView:
    """Returns the page's content. Raises ``UsageError`` where no night of this product on this target is recorded."""
    wanted = Selection(product, target)
    runs = history.runs(wanted)
    if not len(runs):
        known = sorted({str(each) for each in history.runs()["target"].to_pylist()})
        raise UsageError(
            f"no night of {product} on target {target!r} is recorded{history.beside}",
            remedy=f"Targets with nights: {', '.join(known)}" if known else "Record runs: harness history record RUN",
        )
    recorded = set(runs["run_id"].to_pylist())
    suites = []
    for suite in suites_of(runs):
        nights = nights_of(history, runs, product, target, suite)
        own = Selection(product, target, since=nights.nights[-shown:][0].day)
        times = history.read(OPERATIONS, _TIMES, own, recorded)
        suites.append(_suite(suite, nights, tell(nights, rules), times, shown))
    suites.sort(key=lambda each: (-each.last.started.timestamp(), each.suite))
    return PageView(product, target, tuple(suites), tuple(history.problems), rules)


def _suite(suite: str, nights: Nights, told: Told, times: pa.Table, shown: int) -> SuiteView:
    count = len(nights.nights)
    first = max(0, count - shown)
    window = nights.nights[first:]
    last = nights.nights[-1]
    tone = _TONES[last.verdict]
    opened = sorted(told.open, key=lambda each: (each.since, each.check))
    closed = [each for each in told.episodes if each.closed is not None and each.closed >= first]
    flaky = sorted(np.flatnonzero(told.flaky_since >= 0).tolist(), key=lambda row: (-int(told.last_flake[row]), row))
    operations, left = _operations(window, times)
    return SuiteView(
        suite=suite,
        last=last,
        tone=tone,
        mark=_MARKS[tone],
        facts=tuple(_facts(nights, told, window)),
        changed=events_of(nights, told, count - 1),
        open=tuple(_episode(nights, each) for each in opened[:_LISTED]),
        open_left=max(0, len(opened) - _LISTED),
        closed=tuple(_episode(nights, each) for each in reversed(closed[-_LISTED:])),
        flaky=tuple(_flaky(nights, told, row) for row in flaky[:_LISTED]),
        flaky_left=max(0, len(flaky) - _LISTED),
        verdict_strip=verdicts(
            [_TONES[night.verdict] for night in window],
            f"Verdicts of {counted(len(window), 'night')}: {_verdicts(window)}",
        ),
        first_day=str(window[0].day),
        last_day=str(last.day),
        groups=tuple(_groups(nights, first)),
        operations=operations,
        operations_left=left,
        versions=tuple(reversed([each for _, each in _versions(window)])),
        kept_out=tuple(night for night in reversed(window) if night.excluded),
        nights=tuple((night, _TONES[night.verdict], _MARKS[_TONES[night.verdict]]) for night in reversed(window)),
    )


def _facts(nights: Nights, told: Told, window: Sequence[Night]) -> Iterator[tuple[str, str]]:
    last = nights.nights[-1]
    yield "Release", last.release
    yield "Nights", f"{len(nights.nights)} recorded, {len(window)} shown"
    yield "Verdicts shown", _verdicts(window)
    yield "Open regressions", str(len(told.open))
    yield "Flaky checks", str(int((told.flaky_since >= 0).sum()))
    yield "Do not count", str(sum(bool(night.excluded) for night in window))
    yield "Checks", f"{last.checks:,} in the last night, {last.passed:,} passed"


def _verdicts(window: Sequence[Night]) -> str:
    kinds = [night.verdict for night in window]
    return ", ".join(f"{kinds.count(kind)} {kind.value.lower()}" for kind in VerdictKind if kind in kinds)


def _episode(nights: Nights, one: Episode) -> dict[str, Any]:
    facts = nights.nights
    since, end = facts[one.since].day, facts[-1 if one.closed is None else one.closed].day
    return {
        "check": nights.checks[one.check],
        "component": nights.component[one.check],
        "since": str(since),
        "opened": str(facts[one.opened].day),
        "closed": "" if one.closed is None else str(facts[one.closed].day),
        "age": counted((end - since).days, "day"),
        "how": "compared exactly" if one.chance is None else f"Fisher's test, chance {one.chance:.2g}",
        "failed": f"{one.failed} of {counted(one.told, 'night')}",
        "reference": f"{one.reference_passed} of {one.reference_told} passed in {one.reference}",
        "flaky": one.flaky,
        "waived": bool(nights.excused[one.check, -1]),
    }


def _flaky(nights: Nights, told: Told, row: int) -> dict[str, Any]:
    counted_nights = nights.showed[row, nights.counted]
    total = int(np.isin(counted_nights, (PASSED, FAILED)).sum())
    flakes = int(told.flakes[row])
    low, high = (float(each[0]) for each in wilson([min(flakes, total)], [total], 0.95))
    last = int(told.last_flake[row])
    return {
        "check": nights.checks[row],
        "component": nights.component[row],
        "since": str(nights.nights[int(told.flaky_since[row])].day),
        "last": str(nights.nights[last].day) if last >= 0 else "within a regression",
        "flakes": f"{flakes} of {total}",
        "rate": f"{flakes / total:.1%}" if total else "",
        "interval": f"{low:.1%} to {high:.1%}",
    }


def _groups(nights: Nights, first: int) -> Iterator[RowView]:
    """A row per file of the suite, the one with most trouble first."""
    showed = nights.showed[:, first:]
    excluded = ~nights.counted[first:]
    window = nights.nights[first:]
    own = Nights(
        nights=window,
        checks=nights.checks,
        showed=showed,
        asked=nights.asked[:, first:],
        baseline_passed=nights.baseline_passed[:, first:],
        baseline_failed=nights.baseline_failed[:, first:],
        excused=nights.excused[:, first:],
        component=nights.component,
        baseline_asks_same=nights.baseline_asks_same[:, first:],
    )
    counts = rates(own)
    there = (showed != ABSENT).any(axis=1)
    bad = ((showed == FAILED) | (showed == BLIND)) & ~excluded
    troubles = bad.sum(axis=1)
    by_path: dict[str, list[int]] = {}
    for row, check in enumerate(nights.checks):
        if there[row]:
            by_path.setdefault(check.split(SEPARATOR, 1)[0], []).append(row)
    drawn = set(np.argsort(-troubles, kind="stable")[:_CHECKS_DRAWN].tolist())
    order = sorted(by_path, key=lambda path: (-int(troubles[by_path[path]].sum()), path))
    for path in order:
        rows = by_path[path]
        troubled = sorted((row for row in rows if troubles[row]), key=lambda row: (-int(troubles[row]), row))
        yield RowView(
            name=path,
            strip=strip(showed[rows], excluded, f"{path}: {_words(showed[rows], excluded, window)}"),
            rate=_rate(counts, rows),
            words=counted(len(rows), "check"),
            rows=tuple(
                RowView(
                    name=_short(nights.checks[row], path),
                    strip=strip(showed[[row]], excluded, _words(showed[[row]], excluded, window)),
                    rate=_rate(counts, [row]),
                    words="",
                )
                for row in troubled
                if row in drawn
            ),
            always=tuple(_short(nights.checks[row], path) for row in rows if not troubles[row]),
            left=sum(row not in drawn for row in troubled),
            troubled=len(troubled),
        )


def _short(check: str, path: str) -> str:
    return check.removeprefix(f"{path}{SEPARATOR}").replace(SEPARATOR, " › ")


def _rate(counts: Rates, rows: Sequence[int]) -> str:
    passed, expected = int(counts.passed[rows].sum()), int(counts.expected[rows].sum())
    if not expected:
        return "–"
    # Rounded down: what failed once never reads as 100 %.
    return f"{int(passed / expected * 1000) / 10:.1f} %" if passed < expected else "100 %"


def _words(showed: npt.NDArray[np.int8], excluded: npt.NDArray[np.bool_], window: Sequence[Night]) -> str:
    failed = np.flatnonzero(((showed == FAILED).any(axis=0)) & ~excluded)
    blind = int((((showed == BLIND).any(axis=0)) & ~excluded).sum())
    ran = int((((showed != ABSENT).any(axis=0)) & ~excluded).sum())
    days = ", ".join(str(window[night].day) for night in failed[-5:])
    more = f" and {len(failed) - 5} earlier" if len(failed) > 5 else ""
    said = f"failures in {len(failed)} of {counted(ran, 'night')}" + (f" ({days}{more})" if days else "")
    return said + (f", no result in {blind}" if blind else "")


def _operations(window: Sequence[Night], times: pa.Table) -> tuple[tuple[OperationView, ...], int]:
    at_night = {night.run_id: number for number, night in enumerate(window)}
    series: dict[tuple[str, str], dict[int, Mapping[str, Any]]] = {}
    for row in times.to_pylist():
        if row["run_id"] in at_night:
            series.setdefault((row["operation"], row["measure"]), {})[at_night[row["run_id"]]] = row
    changes = list(_versions(window))
    made = sorted(series, key=lambda key: (-sum(row["count"] for row in series[key].values()), key))
    views = [_operation(key, series[key], window, changes) for key in made[:_OPERATIONS_DRAWN]]
    return tuple(sorted(views, key=lambda each: (each.name, each.measure))), max(0, len(made) - _OPERATIONS_DRAWN)


def _operation(
    key: tuple[str, str],
    by_night: Mapping[int, Mapping[str, Any]],
    window: Sequence[Night],
    changes: Sequence[tuple[int, tuple[str, str, str, str]]],
) -> OperationView:
    component = str(by_night[max(by_night)]["component"])
    p50, p95 = (
        [float(by_night[night][name]) if night in by_night else float("nan") for night in range(len(window))]
        for name in ("p50_ms", "p95_ms")
    )
    own = [(night, change[1] == component) for night, change in changes]
    newest = by_night[max(by_night)]
    last = f"p50 {newest['p50_ms']:.0f} ms, p95 {newest['p95_ms']:.0f} ms"
    least, most = min(by_night), max(float(row["p95_ms"]) for row in by_night.values())
    text = (
        f"{key[0]}, {key[1]}: on {window[max(by_night)].day} {last}; on {window[least].day} p50 "
        f"{by_night[least]['p50_ms']:.0f} ms, p95 {by_night[least]['p95_ms']:.0f} ms; at most {most:.0f} ms"
    )
    picture = lines(p50, p95, own, [bool(night.excluded) for night in window], text)
    return OperationView(key[0], key[1], component, picture, f"{last}; scale to {most:.0f} ms")


def _versions(window: Sequence[Night]) -> Iterator[tuple[int, tuple[str, str, str, str]]]:
    """Which component has another version than when it was last seen: night, and day, name, before, now."""
    known: dict[str, str] = {}
    for number, night in enumerate(window):
        for component, version in sorted(night.components.items()):
            if known.get(component, version) != version:
                yield number, (str(night.day), component, known[component], version)
            known[component] = version

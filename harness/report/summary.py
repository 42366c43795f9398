"""What a person needs to see at the end of a run, as lines: how it stands, why, who to call, where to read on.

No line can be forged by what a hub answered: all foreign text is made harmless first.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from rich.text import Text

from harness.judge.suspects import FailureGroup
from harness.model.outcome import ComparisonClass, GateStatus, Outcome, VerdictKind
from harness.model.verdict import Gate, Suspect, Verdict
from harness.report.fate import absence, failure_message
from harness.report.stories import CaseStory, RunStory
from harness.report.text import crop, elide, one_line

__all__ = ["Page", "summary"]

_NAMED_AT_MOST: Final = 10
_REASONS_AT_MOST: Final = 3
_SUSPECTS_AT_MOST: Final = 3
_GROUPS_AT_MOST: Final = 5
_COMPONENT_AT_MOST: Final = 30
_NOTES_AT_MOST: Final = 5
_PLAIN_MESSAGE: Final = 300
_PLAIN_BRIEF: Final = 120
_MARGIN: Final = 9

# Classes shown by name, heaviest first. A flaky check is listed only where it failed.
_LISTED: Final = {
    ComparisonClass.REGRESSED: "passed in the baseline, fails now",
    ComparisonClass.MISSING: "expected in this run, no result",
    ComparisonClass.NEW_FAIL: "not known from the baseline, fails",
    ComparisonClass.HOLLOW: "ran, but asserted nothing",
    ComparisonClass.UNKNOWN: "broke or was skipped, so nothing is known",
    ComparisonClass.FLAKY: "failed now, passed and failed in the baseline",
    ComparisonClass.REMOVED: "in the baseline's suite, not in this one",
    ComparisonClass.UNCHANGED_FAIL: "failed in the baseline, fails now",
}
_ALWAYS_COUNTED: Final = (ComparisonClass.REGRESSED, ComparisonClass.MISSING)
_GATE: Final = {
    GateStatus.PASS: ("pass", "green"),
    GateStatus.FAIL: ("FAIL", "bold red"),
    GateStatus.UNKNOWN: ("unknown", "bold yellow"),
}
_VERDICT: Final = {
    VerdictKind.APPROVED: "bold green",
    VerdictKind.APPROVED_WITH_KNOWN_ISSUES: "bold yellow",
    VerdictKind.REJECTED: "bold red",
    VerdictKind.INCONCLUSIVE: "bold magenta",
}


@dataclass(frozen=True, slots=True)
class Page:
    """How wide a line may be. ``width`` in terminal cells; ``None``: as long as it needs, for logs."""

    width: int | None = None

    def name(self, text: str, indent: int) -> str:
        """An id, whole in a log, its middle left out where a screen is too narrow."""
        line = one_line(text)
        return line if self.width is None else elide(line, max(self.width - indent, 20))

    def message(self, text: str, indent: int, lines: int = 1) -> str:
        """A message, its end left out where it is longer than so many lines."""
        # Words that wrap leave up to a fifth of a line empty.
        room = None if self.width is None else max(self.width - indent, 20) * (5 * lines - lines + 1) // 5
        return crop(one_line(text), _PLAIN_MESSAGE if room is None else room)

    def brief(self, text: str, indent: int) -> str:
        """What is told in full elsewhere on the page, on one line."""
        line = one_line(text)
        return crop(line, _PLAIN_BRIEF if self.width is None else max(self.width - indent, 20))

    def paragraph(self, label: str, text: str) -> list[Text]:
        """All of a text behind a label, in as many lines as it needs."""
        line = one_line(text)
        room = len(line) + 1 if self.width is None else max(self.width - _MARGIN, 20)
        lines = textwrap.wrap(line, room, break_on_hyphens=False) or [""]
        return [Text(f"{label if index == 0 else '':<{_MARGIN}}{part}") for index, part in enumerate(lines)]


@dataclass(frozen=True, slots=True)
class _Entry:
    """Something shown by name: a check, or a whole case of which nothing is known."""

    name: str
    message: str
    checks: int = 1


def summary(
    verdict: Verdict,
    story: RunStory,
    folder: Path,
    reports: Sequence[Path],
    page: Page,
    groups: Sequence[FailureGroup] = (),
) -> list[Text]:
    """Returns the summary's lines. ``folder`` is shown as given; ``reports`` are shown relative to it.

    ``groups`` are the failing cases by what is behind them, heaviest first.
    """
    return [
        _header(verdict, story),
        Text(),
        *_gates(verdict.gates, page),
        Text(),
        _counts(verdict.counts),
        *_named(story, folder, page),
        *_groups(groups, page),
        *_suspects(verdict.suspects),
        Text(),
        *_verdict(verdict, page),
        *_reports(folder, reports, page),
    ]


def _header(verdict: Verdict, story: RunStory) -> Text:
    parts = [f"{verdict.product} {verdict.release}"]
    if story.started is not None:
        parts.append(f"target {story.started.target.get('name') or 'unnamed'}")
        if story.started.scheme:
            parts.append(f"scheme {story.started.scheme}")
    return Text(one_line(" · ".join(parts)), style="bold")


def _gates(gates: Sequence[Gate], page: Page) -> Iterable[Text]:
    width = max((len(gate.name.value) for gate in gates), default=0)
    for gate in gates:
        word, style = _GATE[gate.status]
        line = Text(f"  {gate.name.value:<{width}}  ")
        line.append(f"{word:<7}", style=style)
        yield line.append(f"  {page.brief(gate.summary, 13 + width)}")


def _counts(counts: dict[str, int]) -> Text:
    total = sum(count for name, count in counts.items() if name != ComparisonClass.REMOVED)
    line = Text(f"{total:,} {'check' if total == 1 else 'checks'}: ")
    shown = [name for name in ComparisonClass if counts.get(name) or name in _ALWAYS_COUNTED]
    for index, name in enumerate(shown):
        count = counts.get(name, 0)
        heavy = count > 0 and name not in (
            ComparisonClass.UNCHANGED_PASS,
            ComparisonClass.NEW_PASS,
            ComparisonClass.FIXED,
        )
        line.append(f"{', ' if index else ''}")
        line.append(f"{count:,} {name.value}", style="bold" if heavy else "")
    return line


def _named(story: RunStory, folder: Path, page: Page) -> Iterable[Text]:
    lists = [(name, entries) for name in _LISTED if (entries := _entries(name, story))]
    for (name, entries), room in zip(lists, _shares([len(entries) for _, entries in lists]), strict=True):
        checks = sum(entry.checks for entry in entries)
        yield Text()
        yield Text(f"{name.value.capitalize()} ({checks:,})", style="bold").append(
            f"  {_LISTED[name]}", style="not bold dim"
        )
        for message, alike in groupby(entries[:room], key=lambda entry: entry.message):
            names = [entry.name for entry in alike]
            for entry in names:
                yield Text(f"  {page.name(entry, 2)}")
            if message:
                each = "" if len(names) == 1 else f"each of these {len(names)}: "
                yield Text(f"    {page.message(each + message, 4)}", style="dim")
        if left := sum(entry.checks for entry in entries[room:]):
            yield Text(f"  … and {left:,} more: {_path(folder / 'comparison.csv')}")


def _shares(sizes: Sequence[int]) -> list[int]:
    """Returns how many of each list are shown: ten in all, the heavier first, but two at least of each."""
    shares = []
    left = _NAMED_AT_MOST
    for index, size in enumerate(sizes):
        reserved = sum(min(2, later) for later in sizes[index + 1 :])
        shares.append(min(size, max(left - reserved, 2)))
        left -= shares[-1]
    return shares


def _entries(name: ComparisonClass, story: RunStory) -> list[_Entry]:
    if name is ComparisonClass.REMOVED:
        return [_Entry(row.check, "") for row in story.removed]
    if name is ComparisonClass.MISSING:
        return [entry for case in story.cases for entry in _missing(case, story)]
    return [entry for case in story.cases for entry in _others(name, case)]


def _others(name: ComparisonClass, case: CaseStory) -> Iterable[_Entry]:
    if not case.selected:
        return
    if case.judged is not None and case.judged.comparison is name:
        yield _Entry(case.case, case.judged.message)
    for check in case.checks:
        if check.comparison is name and not (name is ComparisonClass.FLAKY and check.outcome is Outcome.PASSED):
            yield _Entry(check.check, failure_message(check))


def _missing(case: CaseStory, story: RunStory) -> Iterable[_Entry]:
    """A case that never ended is one entry, with all that is missing of it; of one that ended, each check is."""
    missing = [check for check in case.checks if check.comparison is ComparisonClass.MISSING]
    whole = case.judged is not None and case.judged.comparison is ComparisonClass.MISSING
    if case.finished is not None:
        for check in missing:
            yield _Entry(check.check, failure_message(check) or "expected in this run, no result")
    elif missing or whole:
        plural = "check" if len(missing) == 1 else "checks"
        extent = f" ({len(missing):,} {plural})" if missing else ""
        yield _Entry(case.case, absence(case, story) + extent, len(missing) or 1)


def _groups(groups: Sequence[FailureGroup], page: Page) -> Iterable[Text]:
    """What is behind the failures: how many checks, which cause, whose component, and what was seen there."""
    shown = groups[:_GROUPS_AT_MOST]
    if shown:
        yield Text()
    counts = max((len(_extent(group)) for group in shown), default=0)
    causes = max((len(group.cause.value) for group in shown), default=0)
    for index, group in enumerate(shown):
        line = Text(f"{'Causes' if index == 0 else '':<{_MARGIN}}{_extent(group):>{counts}}  ")
        line.append(f"{group.cause.value:<{causes}}  ")
        if group.component:
            line.append(elide(one_line(group.component), _COMPONENT_AT_MOST), style="bold").append(": ")
        yield line.append(page.brief(group.text, line.cell_len))
    if left := groups[_GROUPS_AT_MOST:]:
        checks = sum(len(group.checks) for group in left)
        yield Text(f"{'':<{_MARGIN}}… and {len(left)} more ({_counted(checks, 'check')}): verdict.json")


def _extent(group: FailureGroup) -> str:
    return _counted(len(group.checks), "check") if group.checks else _counted(len(group.cases), "case")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _suspects(suspects: Sequence[Suspect]) -> Iterable[Text]:
    if suspects:
        yield Text()
    for index, suspect in enumerate(suspects[:_SUSPECTS_AT_MOST]):
        line = Text(f"{'Suspect' if index == 0 else '':<{_MARGIN}}")
        line.append(one_line(suspect.component), style="bold")
        yield line.append(
            f"  {_versions(suspect)}  ({suspect.checks:,} {'check' if suspect.checks == 1 else 'checks'})"
        )
    if (left := len(suspects) - _SUSPECTS_AT_MOST) > 0:
        yield Text(f"{'':<{_MARGIN}}… and {left} more")


def _versions(suspect: Suspect) -> str:
    now, before = suspect.version, suspect.baseline_version
    if now and before:
        return one_line(f"{before} → {now}" if now != before else f"{now}, as in the baseline")
    if now:
        return one_line(f"{now}, not known in the baseline")
    return one_line(f"version unknown, {before} in the baseline" if before else "version unknown")


def _verdict(verdict: Verdict, page: Page) -> Iterable[Text]:
    line = Text(verdict.text, style=_VERDICT[verdict.kind])
    yield line.append(f" · exit code {int(verdict.kind.exit_code)}", style="not bold default")
    troubles = [reason for reason in verdict.reasons if reason.status is not GateStatus.PASS]
    # A reason with status pass is a known issue (harness.judge.reasons): what a signature accepts.
    label, reasons = ("Why", troubles) if troubles else ("Known", list(verdict.reasons))
    for index, reason in enumerate(reasons[:_REASONS_AT_MOST]):
        # The checks that a reason names are listed above already.
        told = page.brief(reason.text, _MARGIN) if reason.checks else page.message(reason.text, _MARGIN, lines=2)
        yield from page.paragraph(label if index == 0 else "", told)
        if reason.remedy and reason.remedy not in verdict.next_action:
            yield from page.paragraph("", f"→ {page.message(reason.remedy, _MARGIN + 2)}")
    if (left := len(reasons) - _REASONS_AT_MOST) > 0:
        yield Text(f"{'':<{_MARGIN}}… and {left} more: verdict.json")
    for index, note in enumerate(verdict.notes[:_NOTES_AT_MOST]):
        yield from page.paragraph("Note" if index == 0 else "", page.message(note, _MARGIN, lines=2))
    if (left := len(verdict.notes) - _NOTES_AT_MOST) > 0:
        yield Text(f"{'':<{_MARGIN}}… and {left} more: verdict.json")
    if verdict.next_action:
        yield from page.paragraph("Next", verdict.next_action)


def _reports(folder: Path, reports: Sequence[Path], page: Page) -> list[Text]:
    names = dict.fromkeys(os.path.relpath(report, folder) for report in reports)
    return page.paragraph("Reports", f"{folder.as_posix()}/ {', '.join(names)}")


def _path(path: Path) -> str:
    return one_line(path.as_posix())

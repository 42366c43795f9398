"""``summary.md``: the verdict and its reasons as a comment on a pull request or a ticket.

GitHub Flavored Markdown, far below the 65,536 characters that a comment there may have. What a hub or a case said is
shown as text: it forms no link, mentions nobody, and breaks out of no table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, final

from harness.judge.waiving import WaiverFinding, WaiverStatus
from harness.model.outcome import ComparisonClass, GateStatus, Outcome, VerdictKind
from harness.model.verdict import Suspect, Verdict
from harness.report.concerns import waived_checks
from harness.report.fate import absence, failure_message
from harness.report.files import utf8, write_file
from harness.report.interface import ReportInput, story_of
from harness.report.stories import RunStory
from harness.report.text import crop, elide, one_line

__all__ = ["CHARACTERS_AT_MOST", "MarkdownReport", "code", "escape", "markdown"]

CHARACTERS_AT_MOST: Final = 60_000
_REGRESSED_AT_MOST: Final = 20
_OTHERS_AT_MOST: Final = 10
_LINES_AT_MOST: Final = 10
_NAME: Final = 200
_MESSAGE: Final = 240

_MARK: Final = {
    VerdictKind.APPROVED: "✅",
    VerdictKind.APPROVED_WITH_KNOWN_ISSUES: "⚠️",
    VerdictKind.REJECTED: "❌",
    VerdictKind.INCONCLUSIVE: "❓",
}
_GATE: Final = {GateStatus.PASS: "pass", GateStatus.FAIL: "**FAIL**", GateStatus.UNKNOWN: "**unknown**"}
_LISTED: Final = (
    ComparisonClass.REGRESSED, ComparisonClass.MISSING, ComparisonClass.NEW_FAIL, ComparisonClass.HOLLOW,
    ComparisonClass.UNKNOWN, ComparisonClass.FLAKY, ComparisonClass.REMOVED, ComparisonClass.UNCHANGED_FAIL,
)  # fmt: skip
# What means something in the middle of a line; none of these texts begins one.
_PUNCTUATION: Final = re.compile(r"([\\`*_\[\]|~$>])")
# Mentions (@name), references (#1, !1, GH-1) and addresses are found by GitHub and GitLab also in text that Markdown
# leaves alone. A zero width space keeps them from being found and from nothing else.
_FOUND: Final = re.compile(r"([@#!$%~&])(?=[\w\"'])|(:)(?=//)|(?<=\bwww)(?=\.)|(?<=\bGH)(?=-\d)", re.IGNORECASE)
_ZERO_WIDTH: Final = "\u200b"


@final
class MarkdownReport:
    """Writes ``summary.md``."""

    name = "markdown"

    def write(self, run: ReportInput, folder: Path) -> list[Path]:
        """Returns the path. Raises ``OSError``; then the file is as it was."""
        return [write_file(folder / "summary.md", utf8(markdown(run)))]


def escape(text: str) -> str:
    """Returns ``text`` as one line of Markdown that shows it and does nothing else, in a table too."""
    marked = _FOUND.sub(lambda found: f"{found[0]}{_ZERO_WIDTH}", one_line(text))
    marked = marked.replace("&", "&amp;").replace("<", "&lt;")
    return _PUNCTUATION.sub(r"\\\1", marked)


def code(text: str) -> str:
    """Returns ``text`` as a code span, in which nothing is interpreted and which can be copied. Not for tables."""
    line = one_line(text) or " "
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def markdown(run: ReportInput) -> str:
    """Returns the summary. The same run gives the same text."""
    verdict, story = run.judged.verdict, story_of(run)
    release = f"{verdict.product} {verdict.release}".strip() or "unknown release"
    lines = [
        f"## {_MARK[verdict.kind]} {escape(release)}: {escape(verdict.text)}",
        "",
        *_where(verdict, story),
        *_why(verdict),
        *_gates(verdict),
        *_counts(verdict),
        *_named(run, story),
        *_suspects(verdict.suspects),
        *_waivers(run.judged.waivers),
        *_notes(verdict.notes),
        *_digests(verdict.inputs),
    ]
    return _bounded(lines)


def _bounded(lines: Iterable[str]) -> str:
    shown, length = [], 0
    for line in lines:
        length += len(line) + 1
        if length > CHARACTERS_AT_MOST:
            shown += ["", "… cut here: the rest is in `verdict.json` and `comparison.csv`"]
            break
        shown.append(line)
    return "\n".join(shown).rstrip("\n") + "\n"


def _where(verdict: Verdict, story: RunStory) -> Iterator[str]:
    parts = [f"run {code(verdict.run_id or 'unnamed')}"]
    if story.started is not None:
        parts.append(f"target {code(str(story.started.target.get('name') or 'unnamed'))}")
        parts.append(f"scheme {code(story.started.scheme)}" if story.started.scheme else "no scheme")
    yield " · ".join(parts)
    yield ""
    if verdict.next_action:
        yield f"**Next:** {_told(verdict.next_action)}"
        yield ""


def _why(verdict: Verdict) -> Iterator[str]:
    troubles = [reason for reason in verdict.reasons if reason.status is not GateStatus.PASS]
    reasons = troubles or list(verdict.reasons)
    if not reasons:
        return
    yield "### Why" if troubles else "### Known issues"
    yield ""
    for reason in reasons[:_LINES_AT_MOST]:
        remedy = f" → {_told(reason.remedy)}" if reason.remedy else ""
        yield f"- **{reason.gate.value}:** {_told(reason.text)}{remedy}"
    yield from _more(len(reasons) - _LINES_AT_MOST, "verdict.json")
    yield ""


def _gates(verdict: Verdict) -> Iterator[str]:
    yield "| gate | answer | |"
    yield "|---|---|---|"
    for gate in verdict.gates:
        yield f"| {gate.name.value} | {_GATE[gate.status]} | {_told(gate.summary)} |"
    yield ""


def _counts(verdict: Verdict) -> Iterator[str]:
    total = sum(count for name, count in verdict.counts.items() if name != ComparisonClass.REMOVED)
    always = (ComparisonClass.REGRESSED, ComparisonClass.MISSING)
    shown = [name for name in ComparisonClass if verdict.counts.get(name) or name in always]
    counts = ", ".join(f"{verdict.counts.get(name, 0):,} {name.value}" for name in shown)
    yield f"{total:,} {'check' if total == 1 else 'checks'}: {counts}"
    yield ""


def _named(run: ReportInput, story: RunStory) -> Iterator[str]:
    """The checks of each class that needs a person, by name."""
    waived = waived_checks(run.judged)
    found: dict[ComparisonClass, list[tuple[str, str]]] = {name: [] for name in _LISTED}
    for case in story.cases:
        if not case.selected:
            continue
        if case.judged is not None and case.judged.comparison in found:
            message = absence(case, story) if case.finished is None else case.judged.message
            found[case.judged.comparison].append((case.case, message))
        lost = 0
        for check in case.checks:
            name = check.comparison
            if name not in found or (name is ComparisonClass.FLAKY and check.outcome is Outcome.PASSED):
                continue
            message = failure_message(check)
            if name is ComparisonClass.MISSING and case.finished is None:
                lost += 1
                continue
            excuse = f"waived by {waived[check.check]}" if check.check in waived else ""
            found[name].append((check.check, " · ".join(filter(None, (excuse, message)))))
        if lost:
            # One line for a case that never ended, with all that is missing of it.
            extent = f"{absence(case, story)} ({lost:,} {'check' if lost == 1 else 'checks'})"
            found[ComparisonClass.MISSING].append((case.case, extent))
    found[ComparisonClass.REMOVED] = [(row.check, "") for row in story.removed]
    for name, entries in found.items():
        if not entries:
            continue
        yield f"### {name.value.capitalize()} ({run.judged.counts[name.value]:,})"
        yield ""
        room = _REGRESSED_AT_MOST if name is ComparisonClass.REGRESSED else _OTHERS_AT_MOST
        for identity, message in entries[:room]:
            told = f" — {_told(message)}" if message else ""
            yield f"- {code(elide(one_line(identity), _NAME))}{told}"
        yield from _more(len(entries) - room, "comparison.csv")
        yield ""


def _suspects(suspects: Sequence[Suspect]) -> Iterator[str]:
    if not suspects:
        return
    yield "### Suspects"
    yield ""
    for one in suspects[:_LINES_AT_MOST]:
        before = "not known" if one.baseline_version is None else one.baseline_version
        now = "version unknown" if one.version is None else one.version
        change = f"{now}, as in the baseline" if now == before else f"{now} now, {before} in the baseline"
        yield f"- **{escape(one.component)}** {escape(change)}: {one.checks:,} failing or missing"
    yield from _more(len(suspects) - _LINES_AT_MOST, "verdict.json")
    yield ""


def _waivers(findings: Sequence[WaiverFinding]) -> Iterator[str]:
    if not findings:
        return
    yield "### Waivers"
    yield ""
    for found in sorted(findings, key=lambda one: one.status is not WaiverStatus.APPLIED)[:_LINES_AT_MOST]:
        waiver = found.waiver
        # The ticket is the Scheme's own, of a form that its waivers were checked for.
        yield f"- **{escape(waiver.id)}** {found.status.value}: {_told(found.text)} (<{_address(waiver.ticket)}>)"
    yield from _more(len(findings) - _LINES_AT_MOST, "verdict.json")
    yield ""


def _notes(notes: Sequence[str]) -> Iterator[str]:
    if not notes:
        return
    yield "### Notes"
    yield ""
    for note in notes[:_LINES_AT_MOST]:
        yield f"- {_told(note)}"
    yield from _more(len(notes) - _LINES_AT_MOST, "verdict.json")
    yield ""


def _digests(inputs: dict[str, Any]) -> Iterator[str]:
    """What was judged: another who has the same, and these digests, comes to the same verdict."""
    parts = {
        "journal": (inputs.get("journal") or {}).get("sha256"),
        "suite": (inputs.get("suite") or {}).get("digest"),
        "baseline": (inputs.get("baseline") or {}).get("results_sha256"),
        "criteria": (inputs.get("criteria") or {}).get("sha256"),
        "waivers": (inputs.get("waivers") or {}).get("sha256"),
    }
    yield "<details><summary>What was judged (SHA-256)</summary>"
    yield ""
    for name, digest in parts.items():
        yield f"- {name}: {code(str(digest)) if digest else 'none'}"
    tool = inputs.get("tool") or {}
    yield f"- harness: {code(str(tool.get('version') or 'unknown'))}"
    yield ""
    yield "</details>"


def _more(left: int, file: str) -> Iterator[str]:
    if left > 0:
        yield f"- … and {left:,} more: `{file}`"


def _told(text: str) -> str:
    return escape(crop(one_line(text), _MESSAGE))


def _address(url: str) -> str:
    return re.sub(r"[<>\s\\`]", "", one_line(url))

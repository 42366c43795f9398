"""What is said to whom while a release goes out? Drafts of the messages that the release process asks for.

Nothing is sent. A draft says no more than the manifest and the verdict: where a verdict does not let a release go, no
message announces it as available, opens a window for it or calls it validated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, final

from harness.handover.markdown import code, link, words
from harness.judge.baseline import component_versions
from harness.judge.verdict import JudgedRun
from harness.model.outcome import GateStatus, VerdictKind
from harness.model.release import Release
from harness.release.versions import bare
from harness.report.text import crop, one_line

__all__ = ["Facts", "Kind", "draft_message", "refusal"]

_AT_MOST: Final = 40


class Kind(StrEnum):
    """Which message."""

    AVAILABLE = "available"
    """A release can be deployed: target date, what is new, what breaks, what is known."""
    WINDOW_OPENS = "window-opens"
    """The deployment window begins."""
    VALIDATED = "validated"
    """The deployment was validated."""
    WINDOW_CLOSED = "window-closed"
    """The window ended, with or without a validated deployment."""


@final
@dataclass(frozen=True, slots=True)
class Facts:
    """What a message is drafted from. Without a run it says nothing of a validation."""

    release: Release
    run: JudgedRun | None = None
    features: tuple[str, ...] | None = None
    """What the notes list as new; ``None`` where there are no notes to look into."""
    fixes: tuple[str, ...] = ()
    target_date: str | None = None
    """When it is to be deployed, or when the window opens: ISO 8601."""
    runbook: str | None = None
    """The name of its runbook."""


@dataclass(frozen=True, slots=True)
class _Words:
    """Text from elsewhere: release notes, a verdict, names. ``shown`` is how Markdown writes it."""

    text: str
    shown: Callable[[str], str] = words


_Line = tuple["str | _Words", ...]


@dataclass(slots=True)
class _Part:
    """A heading with paragraphs, or with a list."""

    heading: str
    lines: list[_Line] = field(default_factory=list)
    is_list: bool = True


def refusal(kind: Kind, run: JudgedRun | None) -> tuple[str, int] | None:
    """Returns why this message cannot be drafted, with the exit code that goes with it; ``None`` where it can."""
    if run is None:
        if kind is Kind.VALIDATED:
            return "a release is validated by a run: give the run, not the release", 2
        return None
    verdict = run.verdict
    if kind is Kind.WINDOW_CLOSED:
        return None
    what = {
        Kind.AVAILABLE: "is not announced as available",
        Kind.WINDOW_OPENS: "gets no deployment window",
        Kind.VALIDATED: "is not announced as validated",
    }[kind]
    if verdict.kind in (VerdictKind.REJECTED, VerdictKind.INCONCLUSIVE):
        return f"the release {what}: the verdict is {verdict.text}", int(verdict.kind.exit_code)
    if verdict.rehearsal:
        return f"the release {what}: the verdict is {verdict.text}, and a rehearsal approves no release", 2
    if within := verdict.inputs.get("within"):
        return f"{verdict.product} {what} by itself: the verdict on the release is that of run {within}", 2
    return None


def draft_message(kind: Kind, facts: Facts, *, markdown: bool) -> str:
    """Returns the message. Raises ``ValueError`` where ``refusal`` says that there is none."""
    if (why := refusal(kind, facts.run)) is not None:
        raise ValueError(why[0])
    make = {
        Kind.AVAILABLE: _available,
        Kind.WINDOW_OPENS: _window_opens,
        Kind.VALIDATED: _validated,
        Kind.WINDOW_CLOSED: _window_closed,
    }[kind]
    title, *parts = make(facts)
    return _in_markdown(title, parts) if markdown else _in_text(title, parts)


# --- the messages -----------------------------------------------------------------------------------------------------


def _available(facts: Facts) -> Iterator[_Part]:
    yield _Part("", [(*_name(facts), " is available")])
    yield _Part("", [("It can be deployed. " if facts.run else "", *_validation(facts))], is_list=False)
    yield _Part("Target date", [(_date(facts),)], is_list=False)
    yield _new(facts)
    yield _changes(facts.release)
    yield _breaking(facts.release)
    yield _known(facts)
    yield _next("Please confirm the target date, and act on the breaking changes before it.")


def _window_opens(facts: Facts) -> Iterator[_Part]:
    yield _Part("", [("The deployment window for ", *_name(facts), " opens")])
    yield _Part("", [("Opens: ", _date(facts)), _validation(facts)])
    yield _changes(facts.release)
    yield _breaking(facts.release)
    yield _known(facts)
    back = facts.release.previous_release
    lines: list[_Line] = [("Runbook: ", _Words(facts.runbook)) if facts.runbook else ("Runbook: none is declared",)]
    if back:
        lines.append(("The release before, to go back to: ", _Words(back)))
    yield _Part("Should it have to be taken back", lines)
    yield _next("Until the window is closed, expect interruptions. A message follows when the deployment is validated.")


def _validated(facts: Facts) -> Iterator[_Part]:
    run = facts.run
    assert run is not None  # ``refusal`` has seen to it
    yield _Part("", [("The deployment of ", *_name(facts), " is validated")])
    yield _Part("", [_validation(facts)], is_list=False)
    yield _gates(run)
    yield _known(facts)
    yield _next("The deployment window can be closed.")


def _window_closed(facts: Facts) -> Iterator[_Part]:
    yield _Part("", [("The deployment window for ", *_name(facts), " is closed")])
    run = facts.run
    if run is None:
        yield _Part("", [_validation(facts)], is_list=False)
        return
    validated = refusal(Kind.VALIDATED, run) is None
    yield _Part("", [("The deployment was validated. " if validated else "THE DEPLOYMENT WAS NOT VALIDATED. ",
                      *_validation(facts))], is_list=False)  # fmt: skip
    yield _gates(run)
    if not validated:
        reasons = [reason for reason in run.verdict.reasons if reason.status is not GateStatus.PASS]
        yield _listed("Why", [(_Words(reason.text),) for reason in reasons], "The verdict names no reason.")
    yield _known(facts)
    yield _next(run.verdict.next_action if not validated else "The hub is in normal operation again.")


# --- their parts ------------------------------------------------------------------------------------------------------


def _name(facts: Facts) -> _Line:
    return (_Words(f"{facts.release.product} {facts.release.version}"),)


def _date(facts: Facts) -> str:
    return facts.target_date or "to be agreed"


def _validation(facts: Facts) -> _Line:
    """What is known of a validation: the verdict, where and by what, or that nothing is said of one."""
    run = facts.run
    if run is None:
        return ("This message is drafted from the release's manifest alone and says nothing of a validation.",)
    verdict = run.verdict
    target = verdict.inputs.get("target") or {}
    scheme = verdict.inputs.get("scheme")
    line: list[str | _Words] = [f"Verdict: {verdict.text} (run ", _Words(verdict.run_id, code), " on "]
    line.append(_Words(str(target.get("name") or "an unnamed target"), code))
    if scheme:
        line += [", by the criteria of Scheme ", _Words(str(scheme), code)]
    passed = sum(verdict.counts.get(name, 0) for name in ("unchanged-pass", "fixed", "new-pass"))
    total = sum(verdict.counts.values())
    return (*line, f"): {passed:,} of {total:,} checks pass.")


def _new(facts: Facts) -> _Part:
    if facts.features is None:
        where = _Words(facts.release.source, link)
        return _Part("What is new", [("See the release notes: ", where)], is_list=False)
    lines: list[_Line] = [(_Words(text),) for text in facts.features]
    lines += [("Fixed: ", _Words(text)) for text in facts.fixes]
    return _listed("What is new", lines, "The release notes list nothing new.")


def _changes(release: Release) -> _Part:
    lines: list[_Line] = [
        (_Words(name, code), " ", _Words(bare(release.previous[name])), " → ", _Words(bare(now)))
        for name, now in sorted(release.components.items())
        if name in release.previous and bare(release.previous[name]) != bare(now)
    ]
    return _listed("Changed components", lines, "The manifest names no component with a version before.")


def _breaking(release: Release) -> _Part:
    lines: list[_Line] = [
        (_Words(change.component, code), ": ", _Words(change.change)) if change.component
        else (_Words(change.change),)
        for change in release.breaking_changes
    ]  # fmt: skip
    return _listed("Breaking changes", lines, "None is stated.")


def _known(facts: Facts) -> _Part:
    """What the notes know, and what this run accepted."""
    lines: list[_Line] = [
        (_Words(issue.title), " (", _Words(issue.source, link), ")") for issue in facts.release.known_issues
    ]
    if facts.run is not None:
        accepted = [reason for reason in facts.run.verdict.reasons if reason.status is GateStatus.PASS]
        lines += [("Accepted in this validation: ", _Words(reason.text)) for reason in accepted]
    return _listed("Known issues", lines, "None is stated.")


def _gates(run: JudgedRun) -> _Part:
    lines: list[_Line] = [
        (f"{gate.name.value}: {gate.status.value}, ", _Words(gate.summary)) for gate in run.verdict.gates
    ]
    versions = component_versions(run.evidence)
    if versions:
        lines.append(
            ("Versions that answered: ", _Words(", ".join(f"{name} {now}" for name, now in sorted(versions.items()))))
        )
    return _Part("What was looked at", lines)


def _next(text: str) -> _Part:
    return _Part("Next", [(_Words(text),)], is_list=False)


def _listed(heading: str, lines: Sequence[_Line], otherwise: str) -> _Part:
    if not lines:
        return _Part(heading, [(otherwise,)], is_list=False)
    shown = list(lines[:_AT_MOST])
    if len(lines) > _AT_MOST:
        shown.append((f"and {len(lines) - _AT_MOST:,} more",))
    return _Part(heading, shown)


# --- the formats ------------------------------------------------------------------------------------------------------


def _in_markdown(title: _Part, parts: Sequence[_Part]) -> str:
    def line(pieces: _Line) -> str:
        return "".join(piece if isinstance(piece, str) else piece.shown(piece.text) for piece in pieces)

    out = [f"# {line(title.lines[0])}"]
    for part in parts:
        if part.heading:
            out += ["", f"## {part.heading}"]
        out.append("")
        out += [f"- {line(one)}" if part.is_list else line(one) for one in part.lines]
    return "\n".join(out) + "\n"


def _in_text(title: _Part, parts: Sequence[_Part]) -> str:
    """Plain text, for a mail: no line can begin with what a mail program takes for something else."""

    def line(pieces: _Line) -> str:
        text = "".join(piece if isinstance(piece, str) else crop(one_line(piece.text), 500) for piece in pieces)
        return re.sub(r"[*_`]{2,}", "", text)

    heading = line(title.lines[0])
    out = [heading, "=" * min(len(heading), 78)]
    for part in parts:
        out.append("")
        if part.heading:
            out.append(f"{part.heading}:")
        out += [f"  - {line(one)}" if part.is_list else line(one) for one in part.lines]
    return "\n".join(out) + "\n"

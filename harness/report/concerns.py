"""What does the judge say of a case besides its classes? Cause, component, waivers, known issues that may explain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from harness.judge.waiving import WaiverStatus

if TYPE_CHECKING:
    from harness.judge.verdict import JudgedRun

__all__ = ["NOTHING", "Concern", "Ticket", "concerns_of", "waived_checks"]


@dataclass(frozen=True, slots=True)
class Ticket:
    """Something written elsewhere about what a case showed."""

    name: str
    url: str
    """``http`` or ``https``; empty where it is described in the release notes and not at an address."""


@dataclass(frozen=True, slots=True)
class Concern:
    """What concerns one case."""

    cause: str = ""
    """A ``Cause``; empty where the case passed or nobody can tell."""
    component: str = ""
    seen: str = ""
    waived: tuple[str, ...] = ()
    """One sentence per waiver that excuses checks of the case."""
    waivers: tuple[Ticket, ...] = ()
    known_issues: tuple[Ticket, ...] = ()
    """They may explain it. They excuse nothing."""


NOTHING: Final = Concern()


def concerns_of(judged: JudgedRun) -> Mapping[str, Concern]:
    """Returns what concerns each case of which there is anything to say."""
    causes = {one.case: one for one in judged.causes}
    sentences: dict[str, list[str]] = {}
    tickets: dict[str, dict[Ticket, None]] = {}
    issues: dict[str, dict[Ticket, None]] = {}
    of_check = dict(zip(judged.comparison.table["check"], judged.comparison.table["case"], strict=True))
    for found in judged.waivers:
        if found.status is not WaiverStatus.APPLIED:
            continue
        counts: dict[str, int] = {}
        for check in found.checks:
            counts[of_check[check]] = counts.get(of_check[check], 0) + 1
        waiver = found.waiver
        for case, count in counts.items():
            checks = "1 check" if count == 1 else f"{count} checks"
            sentences.setdefault(case, []).append(f"waived: {checks} by {waiver.id} until {waiver.expires}")
            tickets.setdefault(case, {})[Ticket(f"waiver {waiver.id}", waiver.ticket)] = None
    for group in judged.groups:
        for issue in group.may_explain:
            for case in group.cases:
                issues.setdefault(case, {})[Ticket(issue.title, _address(issue.source))] = None
    return {
        case: Concern(
            cause=causes[case].cause.value if case in causes else "",
            component=causes[case].component if case in causes else "",
            seen=causes[case].text if case in causes else "",
            waived=tuple(sentences.get(case, ())),
            waivers=tuple(tickets.get(case, ())),
            known_issues=tuple(issues.get(case, ())),
        )
        for case in {**causes, **sentences, **issues}
    }


def waived_checks(judged: JudgedRun) -> Mapping[str, str]:
    """Returns the id of the waiver that excuses it for each check that one does."""
    return {
        check: found.waiver.id
        for found in judged.waivers
        if found.status is WaiverStatus.APPLIED
        for check in found.checks
    }


def _address(source: str) -> str:
    """The source where it is an address that a browser may be sent to; else empty."""
    try:
        parts = urlsplit(source.strip())
    except ValueError:
        return ""
    return source.strip() if parts.scheme in ("http", "https") and parts.netloc else ""

"""What does a triage meeting need of each defect? One draft per cluster of regressions, in the order it is read there.

A cluster is what the judge put in one group: the same cause, component and shape of what was seen. Drafts say what was
recorded; which severity a defect has and whose it is are suggestions, with the reason beside them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

from harness.handover.markdown import code, fence, link, words
from harness.judge.baseline import component_versions
from harness.judge.suspects import FailureGroup
from harness.model.outcome import Cause, ComparisonClass, GateStatus, Outcome, Severity
from harness.report.curl import curl_line
from harness.report.interface import ReportInput, story_of
from harness.report.stories import CaseStory, CheckStory, RunStory, StepStory
from harness.report.text import compact, crop, one_line

__all__ = ["Draft", "drafts", "overview"]

_WORSE: Final = (ComparisonClass.REGRESSED, ComparisonClass.NEW_FAIL)
_FIRST: Final = tuple(Severity)
_CHECKS_AT_MOST: Final = 30
_SHOWN_AT_MOST: Final = 5
_STEPS_AT_MOST: Final = 12
_CURL_AT_MOST: Final = 8_000
_TELLS: Final = {
    Cause.PRODUCT: "the exchanges point at the product itself",
    Cause.TIMING: "an answer came too late or not at all: load, or a component that hangs",
    Cause.ENVIRONMENT: "the environment failed: for the Support team before it is anybody's defect",
    Cause.PROVISIONING: "the environment is not provisioned as the case needs it: for the Support team first",
    Cause.HARNESS: "the harness or a script broke: report it to the harness's maintainers",
}


@final
@dataclass(frozen=True, slots=True)
class Draft:
    """One defect, as a Markdown file."""

    name: str
    """The file's name."""
    title: str
    severity: Severity
    component: str
    checks: int
    """How many checks regressed, or are new and fail."""
    text: str


def drafts(run: ReportInput) -> list[Draft]:
    """Returns a draft per cluster of regressed or new and failing checks, the most severe and largest first."""
    story = story_of(run)
    stories = {case.case: case for case in story.cases}
    table = run.judged.comparison.table
    classes = dict(zip(table["check"], table["class"], strict=True))
    wanted = {name.value for name in _WORSE}
    found = []
    for group in (*run.judged.groups, *_ungrouped(run, wanted)):
        worse = [check for check in group.checks if classes.get(check) in wanted]
        if worse:
            found.append((group, worse, *_severity(run, group, worse, stories)))
    found.sort(key=lambda one: _FIRST.index(one[2]))
    return [
        _draft(number, run, story, group, worse, severity, why, stories)
        for number, (group, worse, severity, why) in enumerate(found, start=1)
    ]


def overview(run: ReportInput, made: Sequence[Draft]) -> str:
    """Returns ``index.md``: the drafts as a table, in the order of the meeting."""
    verdict = run.judged.verdict
    lines = [f"# Triage of {words(verdict.product)} {words(verdict.release)}, run {code(verdict.run_id)}", ""]
    lines += [f"Verdict: {verdict.text}", ""]
    if not made:
        return "\n".join([*lines, "Nothing regressed, and nothing new fails: there is nothing to triage."]) + "\n"
    lines += ["| draft | severity (suggested) | component | checks | what |", "|---|---|---|---|---|"]
    for draft in made:
        cells = (f"[{draft.name}]({draft.name})", draft.severity.value, words(draft.component or "unknown"))
        lines.append(f"| {' | '.join(cells)} | {draft.checks:,} | {words(draft.title, 160)} |")
    return "\n".join(lines) + "\n"


def _ungrouped(run: ReportInput, wanted: set[str]) -> Iterator[FailureGroup]:
    """Yields groups of what regressed without a case whose cause the judge could tell: nothing is left out."""
    told = {check for group in run.judged.groups for check in group.checks}
    table = run.judged.comparison.table
    alike: dict[tuple[str, str], list[tuple[str, str]]] = {}
    columns = (table[name] for name in ("check", "class", "component", "message", "case"))
    for check, name, component, message, case in zip(*columns, strict=True):
        if name in wanted and check not in told:
            alike.setdefault((str(component), one_line(str(message)) or "failed"), []).append((str(check), str(case)))
    for (component, message), members in sorted(alike.items()):
        checks, cases = zip(*members, strict=True)
        yield FailureGroup(Cause.PRODUCT, component, message, checks, tuple(dict.fromkeys(cases)))


def _severity(
    run: ReportInput, group: FailureGroup, worse: Sequence[str], stories: Mapping[str, CaseStory]
) -> tuple[Severity, str]:
    """Suggests the heaviest of what the Scheme's broken rules and the suite itself say of these checks."""
    named = set(worse) | set(group.cases)
    said: list[tuple[Severity, str]] = []
    broken = [one.rule for one in run.judged.findings if one.status is GateStatus.FAIL and named & set(one.checks)]
    for severity in dict.fromkeys(rule.severity for rule in broken):
        names = ", ".join(code(rule.id) for rule in broken if rule.severity is severity)
        said.append((severity, f"they break what the Scheme demands: {names}"))
    for case in group.cases:
        planned = stories[case].planned if case in stories else None
        if planned is not None and planned.severity in set(Severity):
            said.append((Severity(planned.severity), f"the suite gives {code(case, 160)} this severity"))
    if not said:
        return Severity.MAJOR, "neither the Scheme nor the suite says how much they weigh"
    return min(said, key=lambda one: _FIRST.index(one[0]))


def _draft(
    number: int,
    run: ReportInput,
    story: RunStory,
    group: FailureGroup,
    worse: Sequence[str],
    severity: Severity,
    why: str,
    stories: Mapping[str, CaseStory],
) -> Draft:
    case, at = _example(run, group, worse, stories)
    title = one_line(f"{group.component or 'component unknown'}: {group.text}")
    lines = [
        f"# {words(crop(title, 160))}",
        "",
        "## Summary",
        "",
        *_summary(run, group, worse, stories),
        "",
        "## Environment and versions",
        "",
        *_versions(run, story, group),
        "",
        "## Severity (suggested)",
        "",
        f"**{severity.value}**: {why}.",
        "",
        "## Steps to reproduce",
        "",
        *_steps(run, case, at),
        "",
        "## Expected",
        "",
        *_sides(case, worse, at, expected=True),
        "",
        "## Actual",
        "",
        *_sides(case, worse, at, expected=False),
        *_seen(run, at),
        "",
        "## Evidence",
        "",
        *_evidence(run, worse, at),
        "",
        "## Suspected component",
        "",
        *_suspected(run, group),
        "",
        "## Known-issue candidates",
        "",
        *_candidates(run, group),
    ]
    slug = re.sub(r"[^a-z0-9]+", "-", (group.component or group.cause.value).lower()).strip("-") or "unknown"
    name = f"{number:02d}-{slug[:60]}.md"
    return Draft(name, title, severity, group.component, len(worse), "\n".join(lines).rstrip("\n") + "\n")


def _example(
    run: ReportInput, group: FailureGroup, worse: Sequence[str], stories: Mapping[str, CaseStory]
) -> tuple[CaseStory | None, StepStory | None]:
    """Returns the case to show, the one with the fewest steps, and the step in it at which it went wrong first."""
    first = {one.case: one.step for one in run.judged.causes if not one.follows}
    bad = set(worse)
    known = [stories[case] for case in group.cases if case in stories]
    showing = [case for case in known if any(check.check in bad for check in case.checks)]
    # A case that follows from another one shows the defect less well than that other.
    case = min(showing, key=lambda one: (one.case not in first, len(one.steps), one.case), default=None)
    if case is None:
        return None, None
    wrong = first.get(case.case, "")
    steps = [step for step in case.steps if step.record is not None and step.record.step == wrong]
    steps += [step for step in case.steps if any(check.check in bad for check in step.checks)]
    return case, steps[0] if steps else None


def _summary(
    run: ReportInput, group: FailureGroup, worse: Sequence[str], stories: Mapping[str, CaseStory]
) -> Iterator[str]:
    table = run.judged.comparison.table
    classes = dict(zip(table["check"], table["class"], strict=True))
    counts = {name: sum(classes.get(check) == name.value for check in worse) for name in _WORSE}
    told = " and ".join(f"{count:,} {name.value}" for name, count in counts.items() if count)
    plural = "case" if len(group.cases) == 1 else "cases"
    yield f"{told} in {len(group.cases):,} {plural}, all alike: {code(group.text)}"
    yield ""
    for case in group.cases[:_SHOWN_AT_MOST]:
        yield f"- {words(stories[case].title if case in stories else case)}"
    if len(group.cases) > _SHOWN_AT_MOST:
        yield f"- and {len(group.cases) - _SHOWN_AT_MOST:,} more"


def _versions(run: ReportInput, story: RunStory, group: FailureGroup) -> Iterator[str]:
    verdict, baseline = run.judged.verdict, run.judged.baseline
    before = dict(baseline.components) if baseline else {}
    yield f"- Release: {words(verdict.product)} {words(verdict.release)}"
    yield f"- Component: {code(group.component or 'unknown')} {_change(run, group.component, before)}"
    compared = f"{words(baseline.release)}, recorded from {baseline.source.value}" if baseline else "none"
    yield f"- Baseline: {compared}"
    started = story.started
    if started is not None:
        rehearsal = " (a rehearsal: the embedded hub imitates the release)" if verdict.rehearsal else ""
        target, kind = str(started.target.get("name") or "unknown"), str(started.target.get("kind") or "unknown")
        yield f"- Target: {code(target)}, {words(kind)}{rehearsal}"
        suite, digest = str(started.suite.get("name") or "unknown"), str(started.suite.get("digest") or "")
        yield f"- Suite: {code(suite)}, {code(digest)}"
        yield f"- Harness: {words(str(started.tool.get('version') or 'unknown'))}"
    yield f"- Run: {code(verdict.run_id)}, ended {words(run.judged.evidence.ended_at or 'at a time not recorded')}"


def _change(run: ReportInput, component: str, before: Mapping[str, str]) -> str:
    now = component_versions(run.judged.evidence).get(component)
    was = before.get(component)
    if now and was:
        return f"{words(was)} → {words(now)}" if now != was else f"{words(now)}, as in the baseline"
    return f"{words(was or 'version not known')} in the baseline, {words(now or 'version not known')} now"


def _steps(run: ReportInput, case: CaseStory | None, at: StepStory | None) -> Iterator[str]:
    if case is None:
        yield "No exchange of these cases was recorded."
        return
    yield f"Case {code(case.case)}. What was redacted has to be filled in; ids and dates are those of the recording."
    yield ""
    until = case.steps.index(at) + 1 if at is not None else len(case.steps)
    shown = case.steps[max(0, until - _STEPS_AT_MOST) : until]
    if len(shown) < until:
        yield f"({until - len(shown)} earlier steps of the case are left out: exchanges.jsonl)"
        yield ""
    for number, step in enumerate(shown, start=until - len(shown) + 1):
        mark = "  **(here it goes wrong)**" if step is at else ""
        yield f"{number}. {words(step.label)}{mark}"
        exchange = _exchange(run, step)
        request = exchange.get("request") if exchange else None
        if isinstance(request, Mapping):
            yield ""
            yield from (f"   {line}" for line in fence(curl_line(request, longest=_CURL_AT_MOST), "sh", at_most=20_000))
            yield ""
        else:
            yield ""
            yield "   No request of it was recorded."
            yield ""


def _exchange(run: ReportInput, step: StepStory | None) -> Mapping[str, Any] | None:
    if step is None or step.record is None or step.record.exchange is None:
        return None
    return run.exchanges.get(step.record.exchange)


def _sides(case: CaseStory | None, worse: Sequence[str], at: StepStory | None, *, expected: bool) -> Iterator[str]:
    """What the failing checks asked for, or what they found; those of the step at which it went wrong come first."""
    bad = set(worse)
    checks = [check for check in (case.checks if case else ()) if check.check in bad]
    own = {check.check for check in at.checks} if at is not None else set()
    checks.sort(key=lambda check: check.check not in own)
    if not checks:
        yield "Not recorded."
    for check in checks[:_SHOWN_AT_MOST]:
        yield f"- {words(_asked(check))}: {_value(check, expected=expected)}"
    if len(checks) > _SHOWN_AT_MOST:
        yield f"- and {len(checks) - _SHOWN_AT_MOST:,} checks more of this case"


def _asked(check: CheckStory) -> str:
    return " / ".join(check.check.split("::")[2:]) or check.label


def _value(check: CheckStory, *, expected: bool) -> str:
    record = check.record
    if record is not None and not (record.expected is None and record.actual is None):
        return code(compact(record.expected if expected else record.actual))
    if expected:
        return "that it holds, as it did in the baseline"
    outcome = record.outcome if record is not None else Outcome.ERROR
    return code(check.message or outcome.value)


def _seen(run: ReportInput, at: StepStory | None) -> Iterator[str]:
    """The answer, and what the hub called back, where it went wrong."""
    exchange = _exchange(run, at)
    if exchange is None:
        return
    for name in ("response", "callback"):
        part = exchange.get(name)
        if not isinstance(part, Mapping):
            continue
        head = str(part.get("status")) if name == "response" else f"{part.get('method')} {part.get('path')}"
        yield ""
        yield f"The {name}: {code(head)}"
        if (body := part.get("body")) not in (None, ""):
            yield ""
            yield from fence(body if isinstance(body, str) else compact(body), "json")
    if error := one_line(str(exchange.get("error") or "")):
        yield ""
        yield f"What went wrong: {code(error)}"


def _evidence(run: ReportInput, worse: Sequence[str], at: StepStory | None) -> Iterator[str]:
    place = f"reports/runs/{run.judged.verdict.run_id}"
    yield f"In the workspace and in the bundle of the run, under {code(place)}:"
    yield ""
    yield f"- {code('verdict.json')}, {code('comparison.csv')}: these checks and their class"
    exchange = at.record.exchange if at is not None and at.record is not None else None
    if exchange:
        yield f"- {code('exchanges.jsonl')}: the line with id {code(exchange)}"
    yield f"- {code('journal.jsonl')}: sha256 {code(run.judged.evidence.journal_digest.removeprefix('sha256:'))}"
    yield ""
    yield f"Affected checks ({len(worse):,}):"
    yield ""
    for check in worse[:_CHECKS_AT_MOST]:
        yield f"- {code(check, 400)}"
    if len(worse) > _CHECKS_AT_MOST:
        yield f"- and {len(worse) - _CHECKS_AT_MOST:,} more: comparison.csv"


def _suspected(run: ReportInput, group: FailureGroup) -> Iterator[str]:
    before = dict(run.judged.baseline.components) if run.judged.baseline else {}
    if group.component:
        yield f"{code(group.component)} ({_change(run, group.component, before)}): {_TELLS[group.cause]}."
    else:
        yield f"None: {_TELLS[group.cause]}."


def _candidates(run: ReportInput, group: FailureGroup) -> Iterator[str]:
    for issue in group.may_explain:
        yield f"- {words(issue.title)} ({link(issue.source)}): about the same component or operation"
    if not group.may_explain:
        yield "None of the release's known issues is about this component or operation, as far as its manifest says."

"""What stands on the page of a judged run? Everything that the template shows, worked out and bounded beforehand.

Nothing is decided here: it is what the journal holds and what the judge said, in the order in which a person asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from harness.judge.baseline import Baseline, BaselineSource, component_versions
from harness.judge.gates import release_of
from harness.judge.words import counted
from harness.model.outcome import ComparisonClass, GateStatus, VerdictKind
from harness.model.release import KnownIssue
from harness.model.verdict import Reason
from harness.report.fate import Standing, case_fate, check_fate
from harness.report.interface import ReportInput, story_of
from harness.report.page.cards import Card, Listed, cards_of, listed_of
from harness.report.page.facts import Latency, Waiver, latencies_of, provenance_of, waivers_of
from harness.report.page.plots import bar
from harness.report.products import ProductLine, products_of
from harness.report.products import Standing as ProductStanding
from harness.report.sequence import sequence_figure
from harness.report.stories import CaseStory, RunStory

__all__ = ["CLASS_WORDS", "PageView", "view_of"]

CLASS_WORDS: Final[Mapping[ComparisonClass, str]] = {
    ComparisonClass.REGRESSED: "passed in the baseline, fails now",
    ComparisonClass.NEW_FAIL: "not known from the baseline, fails",
    ComparisonClass.MISSING: "expected in this run, no result",
    ComparisonClass.UNKNOWN: "broke, was skipped or was not selected: nothing is known",
    ComparisonClass.HOLLOW: "ran, but asserted nothing",
    ComparisonClass.FLAKY: "passed and failed by turns in the baseline",
    ComparisonClass.REMOVED: "in the baseline's suite, not in this one",
    ComparisonClass.UNCHANGED_FAIL: "failed in the baseline, fails now",
    ComparisonClass.FIXED: "failed in the baseline, passes now",
    ComparisonClass.NEW_PASS: "not known from the baseline, passes",
    ComparisonClass.UNCHANGED_PASS: "passed in the baseline, passes now",
}
"""Every class with what it means, heaviest first."""

_SIZE: Final = 1_400_000
"""Characters of the page, about: diagrams of cases that passed are drawn for as long as there is room."""
_MARKUP: Final = 230
"""Characters around the words of a check in the list of all, about."""
_NAMES_AT_MOST: Final = 40
_REASONS_IN_FRONT: Final = 3
_LONGEST: Final = 600
_SHORT: Final = 320
_BRIEF: Final = 100
_STRAYS_AT_MOST: Final = 40
_TONES: Final = {ProductStanding.REJECTED: "bad", ProductStanding.OPEN: "unknown"}


@dataclass(frozen=True, slots=True)
class Look:
    """How the verdict looks. ``tone`` is ``good`` for nothing but an approval of a release."""

    tone: str
    icon: str
    lead: str


@dataclass(frozen=True, slots=True)
class ReasonView:
    """A reason with the checks it names, as many as a page can bear."""

    gate: str
    status: str
    code: str
    text: str
    remedy: str
    checks: tuple[str, ...]
    more: int


@dataclass(frozen=True, slots=True)
class CheckLine:
    """A check in the list of all. ``mark`` and ``word`` say how it stands."""

    label: str
    comparison: str
    mark: str
    word: str
    message: str


@dataclass(frozen=True, slots=True)
class StepLines:
    """A step in the list of all."""

    label: str
    told: str
    checks: tuple[CheckLine, ...]


@dataclass(frozen=True, slots=True)
class CaseLines:
    """A case in the list of all. ``figure`` is empty where it is elsewhere on the page (``card``) or left out."""

    title: str
    path: str
    feature: str
    labels: tuple[str, ...]
    mark: str
    word: str
    message: str
    whole: str
    """The class of the case itself, where no check shows it."""
    checks: int
    steps: tuple[StepLines, ...]
    figure: str
    card: str

    @property
    def tags(self) -> tuple[str, ...]:
        """What it may be filtered by."""
        return tuple(tag for tag in (self.feature, *self.labels) if tag)


@dataclass(frozen=True, slots=True)
class PageView:
    """All of it, in the order of the page."""

    title: str
    look: Look
    text: str
    rehearsal: bool
    exit_code: int
    facts: tuple[tuple[str, str], ...]
    next_action: str
    part_of: str
    """Of a product's run: the run of the core whose verdict is that on the release."""
    products: tuple[tuple[str, ProductLine], ...]
    """Each extension product with how it looks, the worst first."""
    reasons: tuple[ReasonView, ...]
    """What keeps the release from being approved, or else what it is approved with."""
    reasons_in_front: int
    known: tuple[ReasonView, ...]
    gates: tuple[tuple[str, str, str], ...]
    total: int
    bar: str
    classes: tuple[tuple[str, int, str], ...]
    cards: tuple[Card, ...]
    cards_left: int
    listed: tuple[Listed, ...]
    suspects: tuple[tuple[str, int, str, str, bool], ...]
    groups: tuple[Any, ...]
    waivers: tuple[Waiver, ...]
    issues: tuple[KnownIssue, ...]
    notes: tuple[str, ...]
    rules: tuple[Any, ...]
    scheme: str
    latencies: tuple[Latency, ...]
    baseline: str
    limits: tuple[str, ...]
    services: tuple[Any, ...]
    components: tuple[tuple[str, str, str, str], ...]
    strays: tuple[Any, ...]
    strays_left: int
    cases: tuple[CaseLines, ...]
    labels: tuple[str, ...]
    figures_left: int
    provenance: tuple[tuple[str, str], ...] = field(default_factory=tuple)


def view_of(run: ReportInput) -> PageView:
    """Returns what the page of ``run`` shows. The same run gives the same view, whatever the hour."""
    judged, verdict, story = run.judged, run.judged.verdict, story_of(run)
    reasons = [_reason(one) for one in verdict.reasons if one.status is not GateStatus.PASS]
    known = [_reason(one) for one in verdict.reasons if one.status is GateStatus.PASS]
    cards, cards_left, spent = cards_of(run, story)
    cases, figures_left = _cases(run, story, {card.case: card.anchor for card in cards}, _SIZE - spent)
    classes = [(name.value, verdict.counts.get(name, 0), words) for name, words in CLASS_WORDS.items()]
    manifest = release_of(judged.evidence)
    noted = [*(note for case in story.cases for note in case.inbound), *story.stray]
    noted.sort(key=lambda note: (note.received_at, note.path))
    parts = ", ".join(f"{count:,} {name}" for name, count, _ in classes if count)
    baseline, within = judged.baseline, str(verdict.inputs.get("within") or "")
    return PageView(
        title=f"{verdict.text}: {verdict.product} {verdict.release}".strip(),
        look=_look(verdict.kind, verdict.rehearsal, within),
        text=verdict.kind.value,
        rehearsal=verdict.rehearsal,
        exit_code=int(verdict.kind.exit_code),
        facts=tuple(_facts(run, story)),
        next_action=_cut(verdict.next_action, _LONGEST),
        part_of=within,
        products=tuple((_tone(line), line) for line in products_of(run)),
        reasons=tuple(reasons or known),
        reasons_in_front=_REASONS_IN_FRONT,
        known=tuple(known) if reasons else (),
        gates=tuple((gate.name.value, gate.status.value, _cut(gate.summary, _SHORT)) for gate in verdict.gates),
        total=sum(count for name, count, _ in classes if name != ComparisonClass.REMOVED.value),
        bar=bar([(name, count) for name, count, _ in classes], f"Checks by class: {parts or 'none'}"),
        classes=tuple(classes),
        cards=tuple(cards),
        cards_left=cards_left,
        listed=tuple(listed_of(run, story, CLASS_WORDS)),
        suspects=tuple(
            (one.component, one.checks, one.baseline_version or "unknown", one.version or "unknown",
             bool(one.version and one.baseline_version and one.version != one.baseline_version))
            for one in verdict.suspects
        ),
        groups=judged.groups,
        waivers=tuple(waivers_of(judged.waivers, judged.evidence.ended_at)),
        issues=manifest.known_issues if manifest else (),
        notes=verdict.notes,
        rules=judged.findings,
        scheme=str((verdict.inputs.get("criteria") or {}).get("scheme") or verdict.inputs.get("scheme") or ""),
        latencies=tuple(latencies_of(judged)),
        baseline=_told(baseline),
        limits=() if baseline is None else baseline.limits,
        services=judged.evidence.probes,
        components=tuple(_components(run, manifest.components if manifest else {})),
        strays=tuple(noted[:_STRAYS_AT_MOST]),
        strays_left=max(len(noted) - _STRAYS_AT_MOST, 0),
        cases=tuple(cases),
        labels=tuple(sorted({tag for case in cases for tag in case.tags})),
        figures_left=figures_left,
        provenance=tuple(provenance_of(verdict.inputs)),
    )  # fmt: skip


def _look(kind: VerdictKind, rehearsal: bool, within: str) -> Look:
    match kind:
        case VerdictKind.REJECTED:
            return Look("bad", "cross", "This release may not be handed over.")
        case VerdictKind.INCONCLUSIVE:
            return Look("unknown", "question", "Not known. This is no approval.")
        case _ if rehearsal:
            return Look("rehearsal", "rehearsal", "A rehearsal on the embedded hub. It approves no release.")
        case _ if within:
            return Look(
                "of-product",
                "rehearsal",
                "Of this product alone. The verdict on the release is that of the core's run.",
            )
        case VerdictKind.APPROVED_WITH_KNOWN_ISSUES:
            return Look("known", "check", "May be handed over, together with the issues named here.")
        case VerdictKind.APPROVED:
            return Look("good", "check", "May be handed over.")


def _tone(line: ProductLine) -> str:
    if line.standing in _TONES:
        return _TONES[line.standing]
    return "rehearsal" if line.rehearsal else "known" if line.standing is ProductStanding.KNOWN else "good"


def _facts(run: ReportInput, story: RunStory) -> Iterator[tuple[str, str]]:
    verdict, started = run.judged.verdict, story.started
    yield "Product", verdict.product
    yield "Release", verdict.release
    if started is not None:
        kind = str(started.target.get("kind") or "")
        yield "Target", f"{started.target.get('name') or 'unnamed'}{' (embedded hub)' if kind == 'embedded' else ''}"
        yield "Scheme", started.scheme or "none"
        if defects := started.target.get("defects"):
            yield "Broken on purpose", ", ".join(map(str, defects))
    if run.judged.evidence.ended_at:
        yield "Run ended", run.judged.evidence.ended_at.replace("T", " ").partition(".")[0] + " UTC"
    yield "Run", verdict.run_id


def _reason(reason: Reason) -> ReasonView:
    names = reason.checks[:_NAMES_AT_MOST]
    return ReasonView(
        reason.gate.value,
        reason.status.value,
        reason.code,
        _cut(reason.text, _LONGEST),
        _cut(reason.remedy, _LONGEST),
        tuple(_cut(name, _LONGEST) for name in names),
        len(reason.checks) - len(names),
    )


def _cases(run: ReportInput, story: RunStory, anchors: Mapping[str, str], room: int) -> tuple[list[CaseLines], int]:
    """The list of all cases, and how many of their diagrams did not fit into ``room`` characters."""
    # What is listed in any case goes first.
    room -= sum(2 * _MARKUP + sum(_MARKUP + len(check.label) + _BRIEF for check in case.checks) for case in story.cases)
    lines, left = [], 0
    for case in story.cases:
        fate = case_fate(case, story)
        figure = ""
        if case.case not in anchors and (case.steps or case.inbound) and case.selected:
            figure = sequence_figure(case, run.exchanges)
            if len(figure) > room:
                figure, left = "", left + 1
            room -= len(figure)
        lines.append(
            CaseLines(
                title=_cut(case.title, _SHORT),
                path=_cut(case.case.partition("::")[0], _SHORT),
                feature=_cut(case.planned.feature, 80) if case.planned else "",
                labels=tuple(_cut(label, 80) for label in case.planned.labels) if case.planned else (),
                mark=_MARKS[fate.standing],
                word=fate.standing.word,
                message="" if fate.standing is Standing.PASSED else _cut(fate.message.partition("\n")[0], _SHORT),
                whole=case.judged.comparison.value if case.judged else "",
                checks=len(case.checks),
                steps=tuple(_steps(case)),
                figure=figure,
                card=anchors.get(case.case, ""),
            )
        )
    return lines, left


_MARKS: Final = {Standing.PASSED: "✓", Standing.SKIPPED: "–", Standing.BROKEN: "!", Standing.FAILED: "✕"}


def _steps(case: CaseStory) -> Iterator[StepLines]:
    for step in case.steps:
        record = step.record
        told = ""
        if record is not None:
            parts = [record.component, "no response" if record.status is None else f"HTTP {record.status}"]
            parts += [] if record.latency_ms is None else [f"{record.latency_ms:.0f} ms"]
            parts += ["no callback"] if record.callback_awaited and not record.callback_received else []
            told = " · ".join(part for part in parts if part)
        yield StepLines(_cut(step.label, _SHORT), told, tuple(_checks(step.checks)))


def _checks(checks: Iterable[Any]) -> Iterator[CheckLine]:
    for check in checks:
        fate = check_fate(check)
        passed = fate.standing is Standing.PASSED
        yield CheckLine(
            label=_cut(check.label, _SHORT),
            comparison=check.comparison.value if check.comparison else "not-compared",
            mark=_MARKS[fate.standing],
            word=fate.standing.word,
            message="" if passed else _cut(fate.message, _BRIEF),
        )


def _components(run: ReportInput, released: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    """Component, its version in the baseline, in the release and now, of each that a service reported."""
    now = component_versions(run.judged.evidence)
    before = run.judged.baseline.components if run.judged.baseline else {}
    for name in sorted({*now, *before}):
        yield name, before.get(name, ""), released.get(name, ""), now.get(name, "")


def _told(baseline: Baseline | None) -> str:
    if baseline is None:
        return ""
    place = "the embedded hub" if baseline.source is BaselineSource.EMBEDDED else "Mojaloop OSS"
    return f"{baseline.product} {baseline.release}, recorded on {place} from {counted(baseline.runs, 'run')}"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]} … {len(text) - length:,} more characters"

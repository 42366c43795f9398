"""Makes evidence for tests: a small sound run, as records, that a test then spoils in one place."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.judge.baseline import Baseline, BaselineSource, baseline_from_evidence
from harness.judge.criteria import Criteria, parse_criteria
from harness.judge.evidence import Evidence, evidence_from_records
from harness.judge.rules import RuleFinding
from harness.judge.verdict import JudgedRun, judge
from harness.judge.waivers import Waivers, parse_waivers
from harness.model.outcome import Outcome
from harness.model.records import (
    CaseFinished,
    CasePlanned,
    CaseStarted,
    CheckRecorded,
    PlanComplete,
    Record,
    RunFinished,
    RunStarted,
    ServiceProbed,
    StepFinished,
)
from harness.model.release import Release, ReleaseVersion

P, F, H, S, E = Outcome.PASSED, Outcome.FAILED, Outcome.HOLLOW, Outcome.SKIPPED, Outcome.ERROR

COMPONENTS = {"account-lookup-service": "v17.12.0", "quoting-service": "v17.8.0", "ml-api-adapter": "v16.5.0"}
RELEASE = Release("mojaloop", ReleaseVersion(17, 1, 0), COMPONENTS, "release notes")
DIGEST = "5" * 64

CRITERIA = """\
scheme: example
title: Example
rules:
  - {id: no-regressions, kind: class-at-most, classes: [regressed], at_most: 0,
     severity: blocker, title: No regression, rationale: Nothing may get worse}
"""


@dataclass(frozen=True)
class Shape:
    """One case: per step (operation, component) the outcomes of its checks by label."""

    name: str
    steps: Mapping[str, Mapping[str, Outcome]]
    outcome: Outcome | None = None
    """By default what follows from its checks."""
    labels: tuple[str, ...] = ("p2p",)
    feature: str = "transfers"
    selected: bool = True
    planned_checks: tuple[str, ...] | None = None
    operation: str = "POST /transfers"
    component: str = "ml-api-adapter"
    status: int | None = 202
    latency_ms: float | None = 10.0
    callback_ms: float | None = 40.0
    error_kind: str = ""
    cause: str = ""
    fingerprint: str = "f00d"

    @property
    def case(self) -> str:
        return f"transfers/test_{self.feature}.py::{self.name}"

    def ends(self) -> Outcome:
        outcomes = [outcome for checks in self.steps.values() for outcome in checks.values()]
        return self.outcome or next((bad for bad in (F, E, H, S) if bad in outcomes), P)


def case(name: str, *outcomes: Outcome, **more: Any) -> Shape:
    """One case of one step with checks ``c1``, ``c2``, … of these outcomes."""
    return Shape(name, {"send": {f"c{n}": outcome for n, outcome in enumerate(outcomes, 1)}}, **more)


def check_id(name: str, check: str, feature: str = "transfers") -> str:
    return f"transfers/test_{feature}.py::{name}::send::{check}"


@dataclass(frozen=True)
class Run:
    """The records of a run; ``closed`` makes its counts agree after a change, so that a test spoils one thing only."""

    records: tuple[Record, ...]
    damage: tuple[str, ...] = field(default=())
    ended_at: str = "2026-06-01T12:00:00.000Z"

    def evidence(self) -> Evidence:
        return evidence_from_records(self.records, damage=self.damage, journal_digest="a" * 64, ended_at=self.ended_at)

    def closed(self) -> Run:
        def count(kind: type[Record], holds: Callable[[Any], bool] = lambda _: True) -> int:
            return sum(isinstance(record, kind) and holds(record) for record in self.records)

        def closing(record: Record) -> Record:
            if isinstance(record, PlanComplete):
                selected = count(CasePlanned, lambda planned: planned.selected)
                return replace(record, cases=count(CasePlanned), selected=selected)
            if isinstance(record, RunFinished):
                return replace(record, cases=count(CaseFinished), checks=count(CheckRecorded))
            return record

        return replace(self, records=tuple(map(closing, self.records)))

    def without(self, unwanted: Callable[[Record], bool]) -> Run:
        return replace(self, records=tuple(record for record in self.records if not unwanted(record))).closed()

    def changed(self, kind: type[Record], **changes: Any) -> Run:
        """Every record of ``kind`` with ``changes``; a mapping is merged into the mapping that is there."""

        def change(record: Record) -> Record:
            if not isinstance(record, kind):
                return record
            merged = {
                name: {**getattr(record, name), **value}
                if isinstance(value, dict) and isinstance(getattr(record, name), dict)
                else value
                for name, value in changes.items()
            }
            return replace(record, **merged)

        return replace(self, records=tuple(map(change, self.records)))

    def each(self, change: Callable[[Record], Record]) -> Run:
        return replace(self, records=tuple(map(change, self.records))).closed()


def run(shapes: Sequence[Shape], *, run_id: str = "r1", kind: str = "environment") -> Run:
    records: list[Record] = [
        RunStarted(
            run_id=run_id,
            product="mojaloop",
            release="v17.1.0",
            scheme="example",
            suite={
                "name": "mojaloop", "digest": DIGEST, "pin": "match", "pinned_digest": DIGEST, "pin_differences": [],
                "source": "native",
            },
            target={
                "name": "t", "kind": kind, "services": {name: f"http://127.0.0.1/{name}" for name in COMPONENTS},
                "facts": {}, "defects": [],
            },
            selection={"complete": True, "labels": [], "keyword": None, "paths": []},
            tool={"name": "mojaloop-harness", "version": "0.1.0"},
        )
    ]  # fmt: skip
    records += [
        ServiceProbed(service=name, url="", status="ok", version=version, expected_version=version)
        for name, version in COMPONENTS.items()
    ]
    records += [
        CasePlanned(
            case=shape.case,
            title=shape.name,
            feature=shape.feature,
            labels=list(shape.labels),
            severity="major",
            file="suites/mojaloop/x.py",
            selected=shape.selected,
            checks=None if shape.planned_checks is None else list(shape.planned_checks),
        )
        for shape in shapes
    ]
    records.append(PlanComplete(cases=0, selected=0))
    for shape in shapes:
        if shape.selected:
            records += _executed(shape)
    records.append(RunFinished(cases=0, checks=0, duration_ms=1.0))
    return Run(tuple(records)).closed()


def _executed(shape: Shape) -> list[Record]:
    records: list[Record] = [CaseStarted(case=shape.case, worker="gw0")]
    for name, checks in shape.steps.items():
        step = f"{shape.case}::{name}"
        records.append(
            StepFinished(
                case=shape.case,
                step=step,
                label=name,
                operation=shape.operation,
                url="http://127.0.0.1",
                component=shape.component,
                status=shape.status,
                latency_ms=shape.latency_ms,
                callback_ms=shape.callback_ms,
                callback_awaited=True,
                callback_received=shape.callback_ms is not None,
                error_kind=shape.error_kind,
            )
        )
        records += [
            CheckRecorded(
                check=f"{step}::{label}",
                case=shape.case,
                step=step,
                label=label,
                outcome=outcome,
                message="" if outcome is P else f"{label} is {outcome}",
                fingerprint=shape.fingerprint,
            )
            for label, outcome in checks.items()
        ]
    records.append(
        CaseFinished(
            case=shape.case, outcome=shape.ends(), duration_ms=1.0, worker="gw0", started_at="", cause=shape.cause
        )
    )
    return records


SOUND = (case("pays", P, P), case("aborts", P, P, P), case("expires", P, labels=(), feature="expiry"))


def baseline(*runs: Sequence[Shape], source: BaselineSource = BaselineSource.OSS) -> Baseline:
    """The baseline of runs of these shapes; of the sound ones where none is given."""
    kind = "environment" if source is BaselineSource.OSS else "embedded"
    evidences = [run(shapes, run_id=f"b{n}", kind=kind).evidence() for n, shapes in enumerate(runs or (SOUND,), 1)]
    return baseline_from_evidence(
        evidences, source=source, recorded_at="2026-01-01T00:00:00Z", recorded_by="mojaloop-harness 0.1.0"
    )


def criteria(text: str = CRITERIA) -> Criteria:
    return parse_criteria(text, "criteria.yaml")


def waiver(**changes: Any) -> dict[str, Any]:
    """One waiver that covers a failure of the second check of the case ``pays``, as a document holds it."""
    return {
        "id": "agreed",
        "checks": [check_id("pays", "c2")],
        "ticket": "https://tracker.example/browse/HUB-1",
        "reason": "Rounded to cents; participants were told and can settle",
        "approved_by": "A. Person, Operations",
        "approved_on": "2026-05-01",
        "expires": "2026-06-01",
        "at_most": 1,
    } | changes


def waivers(*entries: dict[str, Any]) -> Waivers:
    listed = [{key: value for key, value in entry.items() if value is not None} for entry in entries]
    return parse_waivers(json.dumps({"scheme": "example", "waivers": listed}), "waivers.yaml")


def judged(what: Run, before: Baseline | None = None, *, rules: Criteria | None = None, **more: Any) -> JudgedRun:
    """Judges against the sound baseline with the plain criteria and the right manifest, unless told otherwise."""
    given: dict[str, Any] = {"baseline": before or baseline(), "criteria": rules or criteria(), "release": RELEASE}
    given |= more
    return judge(what.evidence(), given.pop("baseline"), given.pop("criteria"), given.pop("release"), **given)


def one_rule(**keys: Any) -> Criteria:
    """Criteria of one rule; values stand as they are written in YAML."""
    rule = {"id": "rule", "severity": "blocker", "title": "t", "rationale": "r"} | keys
    body = "".join(f"    {key}: {value}\n" for key, value in rule.items())
    return parse_criteria(f"scheme: example\ntitle: t\nrules:\n  -\n{body}", "criteria.yaml")


def judging(what: Run, before: Any = None, rule: dict[str, Any] | None = None, **keys: Any) -> JudgedRun:
    """Judges by one rule."""
    return judged(what, before, rules=one_rule(**(rule or {}), **keys))


def on(what: Run, before: Any = None, **keys: Any) -> RuleFinding:
    """What one rule finds."""
    return judging(what, before, **keys).findings[0]

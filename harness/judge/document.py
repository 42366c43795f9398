"""How is a verdict stored? ``verdict.json``: the same bytes for the same judgement, with a schema for its readers."""

from __future__ import annotations

import json
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from harness.judge.verdict import JudgedRun
from harness.judge.waiving import WaiverStatus
from harness.model.outcome import Cause, ComparisonClass, GateName, GateStatus, Severity, VerdictKind

__all__ = ["VERDICT_FORMAT", "verdict_schema", "verdict_to_json"]

VERDICT_FORMAT: Final = 1


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Gate(_Part):
    """One question and its answer."""

    name: GateName
    status: GateStatus
    summary: str


class _Reason(_Part):
    """One thing that weighs on the verdict. With status ``pass`` it is a known issue."""

    code: str
    gate: GateName
    status: GateStatus
    text: str
    remedy: str
    checks: list[str]


class _Suspect(_Part):
    """A component behind failing checks, with its version now and in the baseline."""

    component: str
    checks: int
    version: str | None
    baseline_version: str | None


class _CaseCause(_Part):
    """Why a case did not pass, as far as its exchanges tell."""

    case: str
    cause: Cause
    text: str
    component: str
    step: str
    follows: str


class _KnownIssue(_Part):
    """A known issue of the release. It excuses nothing."""

    title: str
    source: str


class _Group(_Part):
    """Failing cases with one cause, component and shape of what was seen."""

    cause: Cause
    component: str
    text: str
    checks: list[str]
    cases: list[str]
    may_explain: list[_KnownIssue]


class _Waiver(_Part):
    """What became of one waiver. ``checks`` are what it would excuse; it does so where its status is ``applied``."""

    id: str
    status: WaiverStatus
    text: str
    ticket: str
    expires: str
    checks: list[str]


class _Rule(_Part):
    """What one rule of the Scheme found."""

    id: str
    title: str
    severity: Severity
    status: GateStatus
    text: str


class VerdictDocument(_Part):
    """The verdict on one run of a Mojaloop release."""

    format: Literal[1]
    verdict: str
    """As it is to be shown; of a rehearsal it says so."""
    kind: VerdictKind
    rehearsal: bool
    exit_code: Literal[0, 1, 2]
    product: str
    release: str
    run_id: str
    gates: list[_Gate]
    reasons: list[_Reason]
    counts: dict[ComparisonClass, int]
    suspects: list[_Suspect]
    causes: list[_CaseCause]
    groups: list[_Group]
    waivers: list[_Waiver]
    notes: list[str]
    rules: list[_Rule]
    next_action: str
    inputs: dict[str, Any]


def verdict_to_json(judged: JudgedRun) -> str:
    """Returns ``verdict.json``: keys sorted, no clock, the same text whenever the same inputs are judged."""
    verdict = judged.verdict
    document = {
        "format": VERDICT_FORMAT,
        "verdict": verdict.text,
        "kind": verdict.kind.value,
        "rehearsal": verdict.rehearsal,
        "exit_code": int(verdict.kind.exit_code),
        "product": verdict.product,
        "release": verdict.release,
        "run_id": verdict.run_id,
        "gates": [{"name": g.name.value, "status": g.status.value, "summary": g.summary} for g in verdict.gates],
        "reasons": [
            {
                "code": reason.code,
                "gate": reason.gate.value,
                "status": reason.status.value,
                "text": reason.text,
                "remedy": reason.remedy,
                "checks": list(reason.checks),
            }
            for reason in verdict.reasons
        ],
        "counts": verdict.counts,
        "suspects": [
            {
                "component": suspect.component,
                "checks": suspect.checks,
                "version": suspect.version,
                "baseline_version": suspect.baseline_version,
            }
            for suspect in verdict.suspects
        ],
        "causes": [
            {
                "case": one.case,
                "cause": one.cause.value,
                "text": one.text,
                "component": one.component,
                "step": one.step,
                "follows": one.follows,
            }
            for one in judged.causes
        ],
        "groups": [
            {
                "cause": group.cause.value,
                "component": group.component,
                "text": group.text,
                "checks": list(group.checks),
                "cases": list(group.cases),
                "may_explain": [{"title": issue.title, "source": issue.source} for issue in group.may_explain],
            }
            for group in judged.groups
        ],
        "waivers": [
            {
                "id": found.waiver.id,
                "status": found.status.value,
                "text": found.text,
                "ticket": found.waiver.ticket,
                "expires": found.waiver.expires.isoformat(),
                "checks": list(found.checks),
            }
            for found in judged.waivers
        ],
        "notes": list(verdict.notes),
        "rules": [
            {
                "id": found.rule.id,
                "title": found.rule.title,
                "severity": found.rule.severity.value,
                "status": found.status.value,
                "text": found.text,
            }
            for found in judged.findings
        ],
        "next_action": verdict.next_action,
        "inputs": verdict.inputs,
    }
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    # A lone surrogate cannot be written as UTF-8; its JSON escape can, and reads back as the same text.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def verdict_schema() -> dict[str, Any]:
    """Returns the JSON Schema of ``verdict.json``."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **VerdictDocument.model_json_schema()}

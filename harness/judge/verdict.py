"""May this release go to a Hub Operator? Gates in order, reasons by weight, one verdict.

The decision is the table in ``_decide``: read from top to bottom, the first line that holds is the verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from harness.judge import artefacts as artefacts_gate
from harness.judge import core_gate, gates
from harness.judge import products as products_gate
from harness.judge.baseline import Baseline, component_versions
from harness.judge.cause import OUTSIDE, CaseCause, causes
from harness.judge.compare import Comparison, compare
from harness.judge.criteria import Criteria
from harness.judge.evidence import Evidence
from harness.judge.expectations import expected_failures
from harness.judge.parts import NO_PARTS, Parts, ProductShown
from harness.judge.reasons import CUT_OFF, Case, Code
from harness.judge.rules import RuleFinding
from harness.judge.suspects import FailureGroup, failure_groups, suspects
from harness.judge.waivers import Waivers
from harness.judge.waiving import WaiverFinding, WaiverStatus, apply_waivers
from harness.judge.words import counted
from harness.model.outcome import Cause, GateName, GateStatus, VerdictKind
from harness.model.release import Release
from harness.model.scheme import CORE_PRODUCT
from harness.model.verdict import Gate, Reason, Suspect, Verdict

__all__ = ["JudgedRun", "judge"]

_STATUS_WEIGHT: Final = {GateStatus.FAIL: 0, GateStatus.UNKNOWN: 1, GateStatus.PASS: 2}
_CODES: Final = {code.value: weight for weight, code in enumerate(Code)}
_GATES: Final = {name: weight for weight, name in enumerate(GateName)}


@dataclass(frozen=True, slots=True, eq=False)
class JudgedRun:
    """A verdict with everything it was derived from."""

    verdict: Verdict
    comparison: Comparison
    causes: tuple[CaseCause, ...]
    findings: tuple[RuleFinding, ...]
    """One per rule of the Scheme, kept or not."""
    evidence: Evidence
    baseline: Baseline | None
    groups: tuple[FailureGroup, ...] = ()
    """The failing cases by what is behind them, most checks first."""
    waivers: tuple[WaiverFinding, ...] = ()
    """What became of each waiver."""
    products: tuple[ProductShown, ...] = ()
    """The extension products that the Scheme lists, with what became of each."""

    @property
    def counts(self) -> dict[str, int]:
        """Rows per comparison class; every class is present."""
        return self.verdict.counts


def judge(
    evidence: Evidence,
    baseline: Baseline | None,
    criteria: Criteria | None,
    release: Release | None,
    *,
    baseline_problem: str = "",
    waivers: Waivers | None = None,
    parts: Parts = NO_PARTS,
) -> JudgedRun:
    """Returns the verdict on one run. The same inputs give the same result, whatever the hour.

    ``baseline_problem`` says why the baseline could not be read; it then counts as absent. ``release`` may be ``None``:
    the manifest in the journal is taken instead. ``parts`` is what else belongs to the release.
    """
    usable = None if baseline_problem else baseline
    manifest = release or gates.release_of(evidence)
    comparison = compare(evidence, usable)
    against_baseline = tuple(core_gate.baseline_reasons(evidence, usable, baseline_problem))
    against_suite = tuple(core_gate.suite_reasons(evidence, usable))
    case = Case(
        evidence=evidence,
        baseline=usable,
        baseline_problem=baseline_problem,
        criteria=criteria,
        release=manifest,
        comparison=comparison,
        causes=causes(evidence),
        baseline_reasons=against_baseline,
        suite_reasons=against_suite,
        proven=core_gate.proven(
            evidence, comparison, usable_baseline=not against_baseline, same_suite=not against_suite
        ),
        waivers=apply_waivers(waivers, evidence, comparison),
        expected=tuple(expected_failures(criteria, evidence, comparison)),
        parts=parts,
    )
    scheme_reasons, findings = gates.scheme(case)
    of_this_run = sorted(
        (
            *gates.preflight(evidence, manifest),
            *core_gate.core(case),
            *scheme_reasons,
            *artefacts_gate.artefacts(evidence, manifest, gates.release_of(evidence), parts.contents, parts.artefacts),
        ),
        key=_weight,
    )
    of_products = products_gate.products(evidence, parts, of_this_run)
    reasons = tuple(sorted((*of_this_run, *of_products), key=_weight))
    answered = tuple(_gate(name, reasons, case) for name in GateName)
    kind = _decide(answered, reasons)
    started = evidence.started
    before = usable.components if usable else {}
    suspected = suspects(evidence, comparison, case.causes, component_versions(evidence), before)
    groups = failure_groups(comparison, case.causes, manifest.known_issues if manifest else ())
    verdict = Verdict(
        kind=kind,
        rehearsal=started is not None and started.target.get("kind") == "embedded",
        product=started.product if started else "",
        release=started.release if started else "",
        run_id=started.run_id if started else "",
        gates=answered,
        reasons=reasons,
        counts=comparison.counts(),
        suspects=suspected,
        next_action="",
        inputs={
            **_inputs(evidence, usable, baseline_problem, criteria, manifest, waivers),
            **products_gate.inputs(parts),
        },
        notes=(
            *_notes(usable, case.waivers, groups),
            *products_gate.notes(parts),
            *artefacts_gate.notes(parts.artefacts),
        ),
    )
    settings = "" if verdict.rehearsal else _settings_first(groups, component_versions(evidence), before)
    verdict = replace(verdict, next_action=_next_action(verdict, groups, parts, settings))
    return JudgedRun(verdict, comparison, case.causes, findings, evidence, usable, groups, case.waivers, parts.products)


def _decide(answered: Iterable[Gate], reasons: Iterable[Reason]) -> VerdictKind:
    status = {gate.name: gate.status for gate in answered}
    codes = {reason.code for reason in reasons}
    healthy = status[GateName.PREFLIGHT] is GateStatus.PASS
    known = any(reason.status is GateStatus.PASS for reason in reasons)
    table = (
        ("the evidence was cut off, damaged, or spoilt by its environment", codes & CUT_OFF, VerdictKind.INCONCLUSIVE),
        ("the target was not the release in health", not healthy, VerdictKind.INCONCLUSIVE),
        ("a gate failed", GateStatus.FAIL in status.values(), VerdictKind.REJECTED),
        ("a gate could not be answered", GateStatus.UNKNOWN in status.values(), VerdictKind.INCONCLUSIVE),
        ("every gate passed, with something to tell", known, VerdictKind.APPROVED_WITH_KNOWN_ISSUES),
        ("every gate passed", set(status) == set(GateName) and not codes, VerdictKind.APPROVED),
    )
    return next((kind for _, holds, kind in table if holds), VerdictKind.INCONCLUSIVE)


def _gate(name: GateName, reasons: Iterable[Reason], case: Case) -> Gate:
    own = [reason for reason in reasons if reason.gate is name]
    statuses = {reason.status for reason in own}
    status = min(statuses | {GateStatus.PASS}, key=_STATUS_WEIGHT.__getitem__)
    telling = [reason for reason in own if reason.status is status]
    if not telling:
        return Gate(name, status, _plain_pass(name, case))
    more = f" (and {len(own) - 1} more)" if len(own) > 1 else ""
    return Gate(name, status, telling[0].text + more)


def _plain_pass(name: GateName, case: Case) -> str:
    match name:
        case GateName.PREFLIGHT:
            return _in_health(case.evidence)
        case GateName.CORE:
            return f"{counted(len(case.evidence.checks), 'check')}, none worse than in the baseline"
        case GateName.PRODUCTS:
            return products_gate.in_order(case.evidence, case.parts)
        case GateName.SCHEME:
            rules = case.criteria.rules if case.criteria else ()
            return f"{counted(len(rules), 'rule')} of scheme {case.criteria.scheme if case.criteria else ''} kept"
        case GateName.ARTEFACTS:
            return artefacts_gate.in_order(case.parts.contents)


def _in_health(evidence: Evidence) -> str:
    services, started = counted(len(evidence.probes), "service"), evidence.started
    if started is not None and started.product != CORE_PRODUCT and started.target.get("kind") == "embedded":
        return f"{services} of the core in health; the embedded hub has none of {started.product}"
    return f"{services} in health, at the versions of the release"


def _weight(reason: Reason) -> tuple[int, int, int, int, str]:
    spoils = 0 if reason.code in CUT_OFF or (reason.gate is GateName.PREFLIGHT) else 1
    return spoils, _STATUS_WEIGHT[reason.status], _CODES[reason.code], _GATES[reason.gate], reason.text


def _notes(
    baseline: Baseline | None, waivers: Iterable[WaiverFinding], groups: Iterable[FailureGroup]
) -> Iterator[str]:
    if baseline is not None and baseline.stands_in_for:
        yield f"judged against the baseline of {baseline.release} in place of {baseline.stands_in_for}"
    for found in waivers:
        if found.status is not WaiverStatus.APPLIED:
            yield f"waiver {found.waiver.id} covers nothing: {found.text}"
    for group in groups:
        for issue in group.may_explain:
            what = f"{group.component}: " if group.component else ""
            yield f"known issue that may explain {what}{group.text}: {issue.title} ({issue.source})"


def _next_action(verdict: Verdict, groups: Iterable[FailureGroup], parts: Parts, settings: str) -> str:
    """Who acts next, as the release process has it, and on what: the core's developers, a product's team, Support."""
    heaviest = verdict.reasons[0] if verdict.reasons else None
    outside = heaviest is not None and (heaviest.code == Code.ENVIRONMENT or heaviest.gate is GateName.PREFLIGHT)
    failed = {gate.name for gate in verdict.gates if gate.status is GateStatus.FAIL}
    match verdict.kind:
        case VerdictKind.INCONCLUSIVE if heaviest is not None:
            who = "Support team (environment)" if outside else "Support team"
            return f"{who}: {heaviest.text}. {heaviest.remedy}."
        case VerdictKind.REJECTED if GateName.CORE in failed:
            component = _described(verdict.suspects[0]) if verdict.suspects else "a component still to be found"
            who = "Mojaloop developers" if verdict.product == CORE_PRODUCT else f"{verdict.product} team"
            return f"{who}: look at {component}. Do not hand over.{_environment_too(groups)}{settings}"
        case VerdictKind.REJECTED if GateName.PRODUCTS in failed:
            return products_gate.next_team(parts)
        case VerdictKind.REJECTED if failed == {GateName.ARTEFACTS} and heaviest is not None:
            return f"{verdict.product} developers: {heaviest.text}. Do not hand over."
        case VerdictKind.REJECTED:
            return "Support team and Scheme: the release does not keep the Scheme's rules. Do not hand over."
        case _ if parts.within:
            return f"None on its own: the verdict on the release is that of run {parts.within}."
        case _ if verdict.rehearsal:
            return "None: a rehearsal approves no release. Run against an environment."
        case VerdictKind.APPROVED_WITH_KNOWN_ISSUES:
            return "Operations: take over the release together with its known issues."
        case VerdictKind.APPROVED:
            return "Operations: take over the release."
    return "Support team: run again."


def _environment_too(groups: Iterable[FailureGroup]) -> str:
    """What the Support team has to see to besides: it is not the developers' to find."""
    outside = [group for group in groups if group.cause in OUTSIDE and group.checks]
    if not outside:
        return ""
    checks = counted(sum(len(group.checks) for group in outside), "check")
    parts = ", ".join(dict.fromkeys(group.component or group.cause.value for group in outside))
    return f" Support team: {checks} failed for the environment ({parts})."


def _settings_first(groups: Iterable[FailureGroup], now: Mapping[str, str], before: Mapping[str, str]) -> str:
    """Who fell silent in the very version that answered in the baseline: its settings are likelier than its code.

    An answer that never came does not tell code from configuration; that the code has not changed speaks for one.
    """
    same = [
        f"{group.component} {now[group.component]}"
        for group in groups
        if group.cause is Cause.TIMING and group.checks and now.get(group.component, "") == before.get(group.component)
    ]
    if not same:
        return ""
    them, they, have = ("its", "it", "has") if len(same) == 1 else ("their", "they", "have")
    names = ", ".join(dict.fromkeys(same))
    return (
        f" Support team: {names} gave no answer now and {have} the version of the baseline, where {they} did: "
        f"look at {them} configuration first."
    )


def _described(suspect: Suspect) -> str:
    now, before = suspect.version, suspect.baseline_version
    behind = counted(suspect.checks, "failing or missing check")
    if now and before and now != before:
        return f"{suspect.component} ({before} in the baseline, {now} now), behind {behind}"
    version = f" {now}" if now else ""
    return f"{suspect.component}{version}, behind {behind}"


def _inputs(
    evidence: Evidence,
    baseline: Baseline | None,
    problem: str,
    criteria: Criteria | None,
    release: Release | None,
    waivers: Waivers | None,
) -> dict[str, Any]:
    """What was judged, with digests, so that another can judge the same."""
    started = evidence.started
    suite = started.suite if started else {}
    target: Mapping[str, Any] = started.target if started else {}
    return {
        "journal": {"sha256": evidence.journal_digest},
        "suite": {
            **{key: suite.get(key) for key in ("name", "digest", "pin", "pinned_digest", "source")},
            # the Scheme's own cases, where there are any
            **{key: suite[key] for key in ("scheme",) if key in suite},
        },
        "target": {key: target.get(key) for key in ("name", "kind", "services", "facts", "defects")},
        "tool": dict(started.tool) if started else {},
        "scheme": started.scheme if started else None,
        "baseline": {
            "product": baseline.product,
            "release": baseline.release,
            "source": baseline.source.value,
            "suite_digest": baseline.suite_digest,
            "recorded_at": baseline.recorded_at,
            "runs": baseline.runs,
            "results_sha256": baseline.digest,
            "document_sha256": baseline.document_digest,
            "renames_sha256": baseline.renames.digest,
            "stands_in_for": baseline.stands_in_for,
        }
        if baseline
        else None,
        "baseline_problem": problem,
        "criteria": {"scheme": criteria.scheme, "sha256": criteria.digest} if criteria else None,
        "waivers": {"scheme": waivers.scheme, "sha256": waivers.digest} if waivers else None,
        "release": {
            "product": release.product,
            "version": str(release.version),
            "components": dict(release.components),
            "source": release.source,
        }
        if release
        else None,
    }

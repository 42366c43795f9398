"""What answers the gates around the core? One function per gate, each giving what keeps it from a plain pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.judge.criteria import Criteria
from harness.judge.evidence import Evidence
from harness.judge.products import took_part
from harness.judge.reasons import FAIL, KNOWN, UNKNOWN, Case, Code, reason_of
from harness.judge.rules import Grounds, RuleFinding, judge_rules
from harness.judge.vocabulary import RequiredProducts
from harness.judge.words import counted, some_of
from harness.model.component import component_behind
from harness.model.drift import bare_version, drifts
from harness.model.outcome import GateName, GateStatus, Severity
from harness.model.release import KnownIssue, Release, ReleaseVersion
from harness.model.scheme import CORE_PRODUCT
from harness.model.verdict import Reason

__all__ = ["preflight", "release_of", "scheme"]


def preflight(evidence: Evidence, release: Release | None) -> Iterator[Reason]:
    """Yields what keeps the target from being the healthy deployment of the release that the run was meant for."""
    gate, again = GateName.PREFLIGHT, "Repair the environment and run again"
    probed = {probe.service for probe in evidence.probes}
    if not probed:
        yield reason_of(Code.NOT_PROBED, gate, UNKNOWN, "no service of the target was probed before the run", again)
    named = evidence.started.target.get("services") if evidence.started else None
    silent = sorted(set(named) - probed) if probed and isinstance(named, Mapping) else []
    if silent:
        text = f"{counted(len(silent), 'service')} of the target not probed: {some_of(silent)}"
        yield reason_of(
            Code.NOT_PROBED, gate, UNKNOWN, text, "Probe every service that the target names, and run again"
        )
    drifted = {(one.service, one.expected): one for one in drifts(evidence.probes)}
    compared = 0
    for probe in sorted(evidence.probes, key=lambda probe: (probe.service, probe.url)):
        if probe.status != "ok":
            detail = f": {probe.message}" if probe.message else ""
            text = f"{probe.service} was found {probe.status}{detail}"
            remedy = probe.remedy or f"Bring {probe.service} up"
            yield reason_of(Code.SERVICE_NOT_OK, gate, FAIL, text, f"{remedy}; then run again")
            continue
        published = release.components.get(component_behind(probe.service)) if release else None
        for expected in sorted({version for version in (probe.expected_version, published) if version}):
            compared += 1
            if not probe.version:
                text = f"{probe.service} did not report its version; {expected} is expected"
                remedy = f"Make its health endpoint report versionNumber, or deploy {expected}; then run again"
                yield reason_of(Code.VERSION_NOT_REPORTED, gate, UNKNOWN, text, remedy)
            elif bare_version(probe.version) != bare_version(expected):
                drift = drifted.get((probe.service, expected))
                text = drift.text if drift else f"{probe.service} runs {probe.version}, the release has {expected}"
                remedy = drift.remedy if drift else f"Deploy {probe.service} {expected} and run again"
                yield reason_of(Code.VERSION_DIFFERS, gate, FAIL, text, remedy)
    for probe in sorted(evidence.probes, key=lambda probe: (probe.service, probe.url)):
        for found in probe.findings:
            text, remedy = str(found.get("message", "")), str(found.get("remedy", ""))
            yield reason_of(Code.NOT_READY, gate, FAIL, text, f"{remedy}; then run again")
    if probed and not compared:
        text = "of no service it is known which version the release has, so the target may be of any release"
        remedy = "Name the services in the target as the release names its components"
        yield reason_of(Code.VERSION_UNPROVEN, gate, UNKNOWN, text, remedy)
    yield from _own_services(evidence, release)


def _own_services(evidence: Evidence, release: Release | None) -> Iterator[Reason]:
    """An extension product is there, in this version, only if a service of its own says so: the core's do not.

    The embedded hub has none of it, which is one of the reasons why a rehearsal approves no release.
    """
    started = evidence.started
    if started is None or started.product == CORE_PRODUCT or started.target.get("kind") == "embedded":
        return
    components = release.components if release else {}
    if not any(component_behind(probe.service) in components and probe.version for probe in evidence.probes):
        text = f"no service of {started.product} was probed, so its version on the target is not known"
        remedy = f"Name its services under product_services in the target, as its release does: {some_of(components)}"
        yield reason_of(Code.VERSION_UNPROVEN, GateName.PREFLIGHT, UNKNOWN, text, remedy)


def scheme(case: Case) -> tuple[tuple[Reason, ...], tuple[RuleFinding, ...]]:
    """Returns the reasons that the Scheme's rules give, and every rule's finding."""
    gate, started = GateName.SCHEME, case.evidence.started
    if case.criteria is None:
        if started is not None and started.scheme:
            text = f"the criteria of scheme {started.scheme} are not there"
            remedy = f"Write scheme_rules/{started.scheme}/criteria.yaml, and judge again"
            return (reason_of(Code.CRITERIA_ABSENT, gate, UNKNOWN, text, remedy),), ()
        text, remedy = "no Scheme's criteria were applied", "Judge again with --scheme"
        return (reason_of(Code.SCHEME_ABSENT, gate, UNKNOWN, text, remedy),), ()
    grounds = Grounds(
        evidence=case.evidence,
        comparison=case.comparison,
        baseline=case.baseline,
        release=case.release,
        proven=case.proven,
        excused=case.excused,
        suite_pinned=not case.suite_reasons,
        products=took_part(case.evidence, case.parts),
    )
    findings = judge_rules(case.criteria, grounds)
    reasons = list(_fitness(case.criteria, findings, started.scheme if started else None))
    for found in findings:
        if found.status is GateStatus.PASS:
            continue
        minor = found.status is FAIL and found.rule.severity is Severity.MINOR
        text = f"{found.rule.id} ({found.rule.severity.value}, {found.rule.title}): {found.text}"
        remedy = f"Correct what breaks the rule; its reason: {found.rule.rationale}"
        # a product that is missing is for the gate of the products to weigh, and no reason not to run it
        code = Code.REQUIRED_PRODUCT if isinstance(found.rule, RequiredProducts) else Code.CRITERION
        reasons.append(reason_of(code, gate, KNOWN if minor else found.status, text, remedy, found.checks))
    return tuple(reasons), findings


def _fitness(criteria: Criteria, findings: Sequence[RuleFinding], scheme: str | None) -> Iterator[Reason]:
    """Why these criteria are not those of this run: they demand nothing of it, or are another Scheme's."""
    gate = GateName.SCHEME
    if not any(found.applies for found in findings):
        text = f"no rule of scheme {criteria.scheme} applies to this target, so nothing is demanded of the release"
        yield reason_of(Code.CRITERIA_IDLE, gate, UNKNOWN, text, "Demand something in criteria.yaml, and judge again")
    if scheme is not None and criteria.scheme != scheme:
        text = f"judged by the criteria of scheme {criteria.scheme}; the run is for scheme {scheme}"
        yield reason_of(Code.CRITERIA_OF_ANOTHER, gate, UNKNOWN, text, f"Judge again with --scheme {scheme}")


def release_of(evidence: Evidence) -> Release | None:
    """Returns the release manifest that the journal itself holds; ``None`` where there is none or it is unreadable."""
    manifest = evidence.started.release_manifest if evidence.started else None
    components = manifest.get("components") if manifest else None
    if not manifest or not isinstance(components, Mapping):
        return None
    try:
        version = ReleaseVersion.parse(str(manifest.get("version", "")))
    except ValueError:
        return None
    named = {str(name): str(value) for name, value in components.items()}
    return Release(
        product=str(manifest.get("product", "")),
        version=version,
        components=named,
        source=str(manifest.get("source", "")),
        known_issues=tuple(_known_issues(manifest.get("known_issues"))),
    )


def _known_issues(listed: Any) -> Iterator[KnownIssue]:
    for issue in listed if isinstance(listed, list | tuple) else ():
        if isinstance(issue, Mapping):
            components, operations = (tuple(map(str, issue.get(key) or ())) for key in ("components", "operations"))
            yield KnownIssue(str(issue.get("title", "")), str(issue.get("source", "")), components, operations)

"""What did OSS show for a release? The table a run is compared with, and how runs are merged into one.

Only whole, undamaged runs of the pinned suite may speak for a release; anything less is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd

from harness.errors import BaselineError
from harness.judge.evidence import Evidence
from harness.judge.latency import latency_figures, operation_figures, percentile, samples_of
from harness.judge.renames import NO_RENAMES, Renames
from harness.model.component import component_behind
from harness.model.ids import SCHEMES
from harness.model.outcome import Outcome

__all__ = [
    "COUNTS",
    "LATENCIES",
    "RESULT_COLUMNS",
    "RUNS_FOR_A_RATE",
    "Baseline",
    "BaselineSource",
    "baseline_from_evidence",
    "case_of",
    "component_versions",
    "empty_results",
    "fault_of_run",
    "percentile",
]

COUNTS: Final = ("passed", "failed", "hollow", "skipped", "error")
LATENCIES: Final = ("latency_p50_ms", "latency_p95_ms", "latency_max_ms")
RUNS_FOR_A_RATE: Final = 6
"""From so many runs on, outcomes are compared as rates and no longer one by one."""
RESULT_COLUMNS: Final = ("check", "fingerprint", "operation", "component", "runs", *COUNTS, *LATENCIES)


class BaselineSource(StrEnum):
    """What a baseline was recorded from."""

    EMBEDDED = "embedded"
    """The embedded hub: good for rehearsals and nothing else."""
    OSS = "oss"
    """A deployment of the Mojaloop OSS release."""


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """What a release showed, per check. ``results`` holds ``RESULT_COLUMNS``, one row per check, sorted by check."""

    product: str
    release: str
    source: BaselineSource
    suite_name: str
    suite_digest: str
    recorded_at: str
    """As given by whoever recorded it, ISO 8601."""
    recorded_by: str
    """Tool and version."""
    run_ids: tuple[str, ...]
    components: Mapping[str, str]
    """Component versions as the services reported them or, for imported evidence, as they were declared."""
    target: Mapping[str, Any]
    """``{name, kind, facts}`` of the target."""
    results: pd.DataFrame
    operations: Mapping[str, Mapping[str, float]]
    """Per operation ``count p50_ms p95_ms max_ms`` and, where there are callbacks, the same with ``callback_``."""
    digest: str = ""
    """SHA-256 of ``results.csv`` as stored; empty for one that was never stored."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """What an imported baseline was made of: reports with their digests, engine, tool. Empty for our own runs."""
    samples: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)
    """Per operation and measure its times in ms, sorted, from which the interval of a ratio is drawn; may be empty."""
    renames: Renames = NO_RENAMES
    """Under which other names its checks may be found; not stored with it."""
    document_digest: str = ""
    """SHA-256 of ``baseline.yaml`` as stored; empty for one that was never stored."""
    stands_in_for: str = ""
    """Which baseline it takes the place of, and why; empty where it is the one meant. Not stored with it."""

    @property
    def runs(self) -> int:
        """How many runs it was made from."""
        return len(self.run_ids)

    @property
    def limits(self) -> tuple[str, ...]:
        """What it cannot say, as sentences; empty where nothing is known to be out of its reach."""
        return _limits(self)

    @property
    def cases(self) -> tuple[str, ...]:
        """The ids of its cases, sorted."""
        return tuple(sorted({case_of(check) for check in self.results["check"]}))


def case_of(check: str) -> str:
    """Returns ``path::case`` of a check id."""
    return check.rsplit("::", 2)[0]


def component_versions(evidence: Evidence) -> dict[str, str]:
    """Returns the version that each component reported; an admin API speaks for a service not asked itself."""
    reported = {probe.service: probe.version for probe in evidence.probes if probe.version}
    return {component_behind(service): version for service, version in reported.items()} | {
        service: version for service, version in reported.items() if service == component_behind(service)
    }


def empty_results() -> pd.DataFrame:
    """Returns a result table without a row: what is known where there is no baseline."""
    return _results([])


def baseline_from_evidence(
    evidences: Sequence[Evidence],
    *,
    source: BaselineSource,
    recorded_at: str,
    recorded_by: str,
    components: Mapping[str, str] | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> Baseline:
    """Returns the baseline that one or more whole runs of one suite on one target make.

    ``components`` are the versions that whoever hands in the evidence declares, where no service was asked (a recorded
    report holds no probes); none is then required, and those there are must not contradict it. ``provenance`` is kept
    as given (what the evidence was made of); that versions were declared is noted in it.

    Raises ``BaselineError`` naming the run and the fault for a run that was cut off, damaged, partial, off its pin,
    made with defects switched on or against an unhealthy target, and for runs that do not belong together.
    """
    if not evidences:
        raise BaselineError("there is no run to record from", remedy="Give at least one finished run")
    if components is not None and not (components and all(components.values())):
        raise BaselineError(
            "no component versions are declared, or one is empty",
            remedy="Name every component of the deployment with its version",
        )
    evidences = [_of_product(evidence) for evidence in evidences]
    for evidence in evidences:
        if fault := fault_of_run(evidence) or _fault_of_target(evidence, components):
            run = evidence.started.run_id if evidence.started else "(without a start)"
            raise BaselineError(f"run {run} cannot be recorded: {fault}", remedy="Repair the cause and run again")
    started = [evidence.started for evidence in evidences if evidence.started is not None]
    first = started[0]
    for other in started[1:]:
        for what, one, two in (
            ("product", first.product, other.product),
            ("release", first.release, other.release),
            ("suite", first.suite.get("digest"), other.suite.get("digest")),
            ("kind of target", first.target.get("kind"), other.target.get("kind")),
        ):
            if one != two:
                raise BaselineError(
                    f"run {other.run_id} has another {what} than run {first.run_id}: {two} instead of {one}",
                    remedy="Record runs of one suite, release and target together",
                )
    if len({run.run_id for run in started}) < len(started):
        raise BaselineError("one run is given twice", remedy="Give each run once: a repetition is not new evidence")
    if source is BaselineSource.OSS and first.target.get("kind") != "environment":
        raise BaselineError(
            "a run on the embedded hub is no evidence of OSS", remedy="Record it with the source 'embedded'"
        )
    versions = [component_versions(evidence) if components is None else dict(components) for evidence in evidences]
    if any(version != versions[0] for version in versions):
        raise BaselineError("the runs met different component versions", remedy="Record runs of one deployment")
    steps = pd.concat([evidence.steps for evidence in evidences], ignore_index=True)
    return Baseline(
        product=first.product,
        release=first.release,
        source=source,
        suite_name=str(first.suite.get("name", "")),
        suite_digest=str(first.suite["digest"]),
        recorded_at=recorded_at,
        recorded_by=recorded_by,
        run_ids=tuple(sorted(run.run_id for run in started)),
        components=versions[0],
        target={key: first.target.get(key) for key in ("name", "kind", "facts") if key in first.target},
        results=_merge(evidences),
        operations=operation_figures(steps),
        samples=samples_of(steps),
        provenance=dict(provenance or {}) | ({} if components is None else {"components": "declared"}),
    )


def fault_of_run(evidence: Evidence) -> str:
    """Returns why this run, whatever it met, may not speak for a release; empty where it may."""
    started, finished = evidence.started, evidence.finished
    if evidence.damage:
        return f"its journal is damaged ({evidence.damage[0]})"
    if started is None or evidence.plan_complete is None or finished is None:
        return "it was cut off before its end"
    if evidence.interruptions or evidence.workers_lost:
        return "it was interrupted or lost a worker"
    if finished.problems:
        return f"it ended with a problem ({finished.problems[0]})"
    if started.selection.get("complete") is not True or not bool(evidence.planned["selected"].all()):
        return "it ran a part of the suite only"
    if started.suite.get("pin") != "match" or not started.suite.get("digest"):
        return f"its suite is not the pinned one (pin: {started.suite.get('pin', 'absent')})"
    if started.target.get("defects"):
        return f"defects were switched on ({', '.join(map(str, started.target['defects']))})"
    if unfinished := set(evidence.planned["case"]) - set(evidence.cases["case"]):
        return f"case {min(unfinished)} has no result"
    if len(broken := evidence.cases.loc[evidence.cases["outcome"] == Outcome.ERROR.value, "case"]):
        return f"case {broken.min()} broke, so what it would have shown is not known"
    if evidence.checks.empty:
        return "it holds no check"
    return ""


def _fault_of_target(evidence: Evidence, declared: Mapping[str, str] | None) -> str:
    """Returns why nothing certain is known of what this run met; empty where it is known."""
    if declared is None and not evidence.probes:
        return "no service of its target was found healthy"
    if any(probe.status != "ok" for probe in evidence.probes):
        return "not every service of its target was found healthy"
    for probe in evidence.probes:
        if probe.expected_version and probe.version != probe.expected_version:
            return f"{probe.service} reported version {probe.version} instead of {probe.expected_version}"
    said = declared or {}
    for component, version in component_versions(evidence).items():
        if said.get(component, version) != version:
            return f"{component} reported version {version}, but {said[component]} is declared"
    return ""


def _limits(baseline: Baseline) -> tuple[str, ...]:
    results = baseline.results
    measured = int(results["latency_p50_ms"].notna().sum())
    blind = int(((results["passed"] + results["failed"]) == 0).sum())
    unmarked = int((results["fingerprint"] == "").sum())
    table = (
        (baseline.source is BaselineSource.EMBEDDED, "It was recorded on the embedded hub: it says nothing of OSS"),
        (baseline.runs == 1, "One run says nothing about flakiness"),
        (
            1 < baseline.runs < RUNS_FOR_A_RATE,
            f"{baseline.runs} runs show flakiness only where it is frequent; a rate needs {RUNS_FOR_A_RATE}",
        ),
        (measured == 0, "It holds no latency"),
        (0 < measured < len(results), f"It holds no latency for {len(results) - measured} of {_checks(len(results))}"),
        (
            bool(baseline.operations) and not baseline.samples,
            "It kept figures of its latency and no times: a ratio to them has no interval",
        ),
        (blind > 0, f"It saw {_checks(blind)} neither pass nor fail, and cannot tell what got worse there"),
        (unmarked > 0, f"It does not know what {_checks(unmarked)} asked: a changed definition would not show"),
        (
            baseline.provenance.get("components") == "declared",
            "Its component versions were declared, not asked of the services",
        ),
    )
    return tuple(sentence for holds, sentence in table if holds)


def _checks(count: int) -> str:
    return f"{count} check" + ("" if count == 1 else "s")


def _of_product(evidence: Evidence) -> Evidence:
    """``evidence`` without what a Scheme's own cases showed: that says nothing of the product's suite."""
    checks, steps = evidence.checks, evidence.steps
    own = checks["check"].map(_is_scheme).to_numpy(dtype=bool)
    return (
        replace(evidence, checks=checks[~own], steps=steps[~steps["case"].map(_is_scheme).to_numpy(dtype=bool)])
        if own.any()
        else evidence
    )


def _is_scheme(name: str) -> bool:
    return name.startswith(SCHEMES)


def _merge(evidences: Sequence[Evidence]) -> pd.DataFrame:
    latencies: dict[str, list[float]] = {}
    for evidence in evidences:
        for step, latency in zip(evidence.steps["step"], evidence.steps["latency_ms"], strict=True):
            if not np.isnan(latency):
                latencies.setdefault(step, []).append(latency)
    figures = {step: latency_figures("latency_", values) for step, values in latencies.items()}
    unmeasured = latency_figures("latency_", [])
    rows: dict[str, dict[str, Any]] = {}
    for evidence in evidences:
        for check, mark, operation, component, outcome, step in evidence.checks[
            ["check", "fingerprint", "operation", "component", "outcome", "step"]
        ].itertuples(index=False):
            row = rows.get(check)
            if row is None:
                row = rows[check] = dict.fromkeys(("runs", *COUNTS), 0)
                row |= {"check": check, "fingerprint": mark, "operation": operation, "component": component}
                row |= figures.get(step, unmeasured)
            elif row["fingerprint"] != mark:
                raise BaselineError(
                    f"check {check} asks different questions in runs of one suite",
                    remedy="Make the check's text independent of the run",
                )
            row["runs"] += 1
            row[outcome] += 1
    return _results(rows.values())


def _results(rows: Any) -> pd.DataFrame:
    ordered = sorted(rows, key=lambda row: str(row["check"]))
    kinds = dict.fromkeys(("runs", *COUNTS), "int64") | dict.fromkeys(LATENCIES, "float64")
    return pd.DataFrame(
        {name: pd.Series([row[name] for row in ordered], dtype=kinds.get(name, "object")) for name in RESULT_COLUMNS}
    )

"""What did one side of a comparison show? A baseline or a single run, brought to one form.

A run needs not be sound to be looked at; what it lacks is said with it, as a baseline says what it cannot say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd

from harness.judge.baseline import (
    COUNTS,
    LATENCIES,
    RESULT_COLUMNS,
    Baseline,
    component_versions,
    fault_of_run,
)
from harness.judge.evidence import Evidence
from harness.judge.latency import Times, operation_figures, samples_of
from harness.judge.renames import NO_RENAMES, Renames

__all__ = ["Shown", "shown_by_baseline", "shown_by_run"]


@final
@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One side. ``results`` holds ``RESULT_COLUMNS``, a row per check, sorted by check."""

    name: str
    """As a person calls it: a path, or a run's id."""
    kind: str
    """``baseline`` or ``run``."""
    product: str
    release: str
    suite_digest: str
    runs: int
    components: Mapping[str, str]
    results: pd.DataFrame
    times: Times
    limits: tuple[str, ...]
    """What it cannot say, as sentences."""
    renames: Renames = NO_RENAMES
    evidence: Evidence | None = None
    """Of a run: what it planned tells what is missing from what was removed."""


def shown_by_baseline(baseline: Baseline, name: str) -> Shown:
    """Returns what ``baseline`` shows."""
    return Shown(
        name=name,
        kind="baseline",
        product=baseline.product,
        release=baseline.release,
        suite_digest=baseline.suite_digest,
        runs=baseline.runs,
        components=baseline.components,
        results=baseline.results,
        times=Times(baseline.operations, baseline.samples),
        limits=baseline.limits,
        renames=baseline.renames,
    )


def shown_by_run(evidence: Evidence, name: str, renames: Renames = NO_RENAMES) -> Shown:
    """Returns what one run shows, sound or not."""
    started = evidence.started
    fault = fault_of_run(evidence)
    return Shown(
        name=name,
        kind="run",
        product=started.product if started else "",
        release=started.release if started else "",
        suite_digest=str(started.suite.get("digest") or "") if started else "",
        runs=1,
        components=component_versions(evidence),
        results=_results(evidence),
        times=Times(operation_figures(evidence.steps), samples_of(evidence.steps)),
        limits=(
            *([f"It cannot speak for its release: {fault}"] if fault else []),
            "One run says nothing about flakiness",
        ),
        renames=renames,
        evidence=evidence,
    )


def _results(evidence: Evidence) -> pd.DataFrame:
    checks, steps = evidence.checks, evidence.steps.drop_duplicates("step", keep="last")
    at = pd.Index(steps["step"], dtype=object).get_indexer(pd.Index(checks["step"], dtype=object))
    latency = np.append(steps["latency_ms"].to_numpy(dtype=np.float64), np.nan)[at].round(1)
    outcome = checks["outcome"].to_numpy()
    columns = {name: checks[name].to_numpy() for name in ("check", "fingerprint", "operation", "component")}
    columns |= {"runs": np.ones(len(checks), dtype=np.int64)}
    columns |= {name: (outcome == name).astype(np.int64) for name in COUNTS}
    columns |= dict.fromkeys(LATENCIES, latency)
    return pd.DataFrame(columns)[list(RESULT_COLUMNS)].sort_values("check", ignore_index=True)

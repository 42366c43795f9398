"""Which rows does a judged run leave in the history? Facts of the run, its checks, and the times of its operations."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from harness.errors import UsageError
from harness.history.schema import CHECKS, CLASS_COUNTS, OPERATIONS, RUNS, SCHEMAS, in_order
from harness.judge.baseline import component_versions
from harness.judge.document import verdict_to_json
from harness.judge.latency import operation_figures
from harness.judge.reasons import CUT_OFF, Code
from harness.judge.verdict import JudgedRun
from harness.model.outcome import GateName, GateStatus, Outcome

__all__ = ["MESSAGE_AT_MOST", "Rows", "excluded", "rows_of"]

MESSAGE_AT_MOST: Final = 300
"""Characters of a check's message that are kept; the whole of it stands in the run's journal."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What one run adds, per dataset, and where it belongs."""

    run_id: str
    product: str
    target: str
    started: datetime
    tables: dict[str, pa.Table]

    @property
    def month(self) -> str:
        """``2026-11``: of the start, in UTC."""
        return f"{self.started:%Y-%m}"


def rows_of(judged: JudgedRun) -> Rows:
    """Returns the rows of ``judged``. Raises ``UsageError`` where the run does not say what and when it was."""
    evidence, started = judged.evidence, judged.evidence.started
    ended = _moment(evidence.ended_at)
    if started is None or not started.run_id or ended is None:
        raise UsageError(
            "a run that does not say which it is, or when it ended, has no place in the history",
            remedy="See what is wrong with its journal: harness judge RUN",
        )
    begun = ended - timedelta(milliseconds=evidence.finished.duration_ms) if evidence.finished else ended
    common: dict[str, Any] = {
        "run_id": started.run_id, "started": begun, "release": started.release,
        "suite": str(started.suite.get("source") or started.suite.get("name") or ""),
    }  # fmt: skip
    return Rows(
        run_id=started.run_id,
        product=started.product,
        target=str(started.target.get("name") or "unnamed"),
        started=begun,
        tables={
            RUNS: _table(RUNS, pd.DataFrame([{**common, **_facts(judged, ended)}])),
            CHECKS: _table(CHECKS, _checks(judged).assign(**common)),
            OPERATIONS: _table(OPERATIONS, _operations(judged).assign(**common)),
        },
    )


def excluded(judged: JudgedRun) -> tuple[str, str]:
    """Returns ``mass-failure``, ``cut-off`` or ``not-ready`` with the reason in words, where a night must not count.

    It must not where its evidence cannot be relied on, most failures have an outside cause, or the target was not the
    release in health: what it shows is not what the release does. Both empty where it counts.
    """
    for reason in judged.verdict.reasons:
        if reason.code == Code.ENVIRONMENT:
            return "mass-failure", reason.text
    for reason in judged.verdict.reasons:
        if reason.code in CUT_OFF:
            return "cut-off", reason.text
        if reason.gate is GateName.PREFLIGHT and reason.status is GateStatus.FAIL:
            return "not-ready", reason.text
    return "", ""


def _facts(judged: JudgedRun, ended: datetime) -> dict[str, Any]:
    verdict, evidence = judged.verdict, judged.evidence
    started = evidence.started
    assert started is not None
    kept_out, why = excluded(judged)
    outcomes = evidence.checks["outcome"]
    text = verdict_to_json(judged).encode("utf-8")
    return {
        "ended": ended,
        "suite_digest": str(started.suite.get("digest") or ""),
        "scheme": started.scheme or "",
        "target_kind": str(started.target.get("kind") or ""),
        "rehearsal": verdict.rehearsal,
        "verdict": verdict.kind.value,
        "excluded": kept_out,
        "excluded_why": _short(why),
        "why": _short(verdict.reasons[0].text if verdict.reasons else ""),
        "next_action": _short(verdict.next_action),
        "cases": len(evidence.cases),
        "checks": len(outcomes),
        "passed": int((outcomes == Outcome.PASSED.value).sum()),
        "failed": int((outcomes == Outcome.FAILED.value).sum()),
        **{CLASS_COUNTS[each]: judged.counts.get(each.value, 0) for each in CLASS_COUNTS},
        "components": _json(component_versions(evidence)),
        "waivers": _json([
            {
                "id": found.waiver.id, "status": found.status.value, "expires": found.waiver.expires.isoformat(),
                "ticket": found.waiver.ticket, "checks": len(found.checks),
            }
            for found in judged.waivers
        ]),
        "causes": _json([
            {
                "cause": group.cause.value, "component": group.component, "text": _short(group.text),
                "cases": len(group.cases), "checks": len(group.checks),
            }
            for group in judged.groups[:20]
        ]),
        "harness": str(started.tool.get("version") or ""),
        "verdict_sha256": hashlib.sha256(text).hexdigest(),
    }  # fmt: skip


def _checks(judged: JudgedRun) -> pd.DataFrame:
    table, evidence = judged.comparison.table, judged.evidence
    excused = np.zeros(len(table), dtype=bool)
    for found in judged.waivers:
        excused |= found.covered
    expected = {
        check for reason in judged.verdict.reasons if reason.code == Code.EXPECTED_FAILURE for check in reason.checks
    }
    excused |= table["check"].isin(expected).to_numpy()
    causes = {one.case: one.cause.value for one in judged.causes}
    passed = (table["outcome"] == Outcome.PASSED.value).to_numpy()
    times = evidence.steps.drop_duplicates("step", keep="last").set_index("step")
    prints = evidence.checks.drop_duplicates("check").set_index("check")["fingerprint"]
    frame = pd.DataFrame(
        {
            name: table[name].astype(object)
            for name in ("check", "kind", "outcome", "class", "moved_from", "component", "operation")
        }
    )
    frame["excused"] = excused
    frame["definition_changed"] = table["definition_changed"].astype(bool)
    frame["fingerprint"] = prints.reindex(table["check"]).fillna("").to_numpy(dtype=object)
    frame["baseline_passed"], frame["baseline_failed"] = table["baseline_passed"], table["baseline_failed"]
    frame["cause"] = ["" if good else causes.get(case, "") for good, case in zip(passed, table["case"], strict=True)]
    for name in ("latency_ms", "callback_ms"):
        frame[name] = times[name].reindex(table["step"]).to_numpy(dtype="float64")
    frame["message"] = [_short(message) for message in table["message"]]
    return frame


def _operations(judged: JudgedRun) -> pd.DataFrame:
    steps = judged.evidence.steps
    behind = steps.drop_duplicates("operation").set_index("operation")["component"].to_dict()
    rows = [
        {
            "operation": operation, "measure": measure, "component": behind.get(operation, ""),
            "count": int(figures[f"{prefix}count"]),
            **{f"{share}_ms": figures[f"{prefix}{share}_ms"] for share in ("p50", "p95", "max")},
        }
        for operation, figures in operation_figures(steps).items()
        for measure, prefix in (("response", ""), ("callback", "callback_"))
        if f"{prefix}count" in figures
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["operation", "measure", "component", "count", "p50_ms", "p95_ms", "max_ms"])


def _table(dataset: str, frame: pd.DataFrame) -> pa.Table:
    schema = SCHEMAS[dataset]
    arrays = [_array(frame[field.name], field.type) for field in schema]
    return in_order(dataset, pa.Table.from_arrays(arrays, schema=schema))


def _array(column: pd.Series[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_string(kind):
        # A lone surrogate, which a hub's answer can bring, has no place in UTF-8.
        return pa.array([str(each).encode("utf-8", "backslashreplace").decode() for each in column], type=kind)
    if pa.types.is_timestamp(kind):
        return pa.array([None if pd.isna(each) else each for each in column], type=kind)
    return pa.array(column.to_numpy(), type=kind, from_pandas=True)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    # Milliseconds are what is kept.
    return moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000)


def _short(text: str) -> str:
    return text if len(text) <= MESSAGE_AT_MOST else text[: MESSAGE_AT_MOST - 1] + "…"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)

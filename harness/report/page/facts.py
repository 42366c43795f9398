"""Waivers with the days they have left, latency beside the baseline's, and what was judged with its digests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import pandas as pd

from harness.judge.latency import Times, compare_latency, operation_figures, samples_of
from harness.judge.verdict import JudgedRun
from harness.judge.waiving import WaiverFinding
from harness.report.page.plots import Spread, times

__all__ = ["Latency", "Waiver", "latencies_of", "provenance_of", "waivers_of"]

_SOON: Final = 14
_VALUE_AT_MOST: Final = 400


@dataclass(frozen=True, slots=True)
class Waiver:
    """One waiver. ``left`` is counted from the day on which the run ended, never from today."""

    id: str
    status: str
    text: str
    ticket: str
    reason: str
    approved: str
    expires: str
    left: str
    soon: bool
    checks: tuple[str, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Latency:
    """One operation and measure. Times in ms; ``told`` says what of the ratio is more than chance."""

    operation: str
    measure: str
    counts: str
    p50: str
    p95: str
    ratio: str
    told: str
    plot: str


def waivers_of(found: Iterable[WaiverFinding], ended_at: str) -> Iterator[Waiver]:
    """Yields what became of each waiver, in their order."""
    try:
        today: date | None = date.fromisoformat(ended_at[:10])
    except ValueError:
        today = None
    for one in found:
        waiver, days = one.waiver, None if today is None else (one.waiver.expires - today).days
        yield Waiver(
            id=waiver.id,
            status=one.status.value,
            text=one.text,
            ticket=waiver.ticket,
            reason=waiver.reason,
            approved=f"{waiver.approved_by}, {waiver.approved_on}",
            expires=str(waiver.expires),
            left=_left(days),
            soon=days is None or days <= _SOON,
            checks=one.checks[:_VALUE_AT_MOST],
            more=max(len(one.checks) - _VALUE_AT_MOST, 0),
        )


def _left(days: int | None) -> str:
    if days is None:
        return "not known"
    if days < 0:
        return f"expired {-days} {'day' if days == -1 else 'days'} before the run"
    return "last day" if days == 0 else f"{days} {'day' if days == 1 else 'days'} left"


def latencies_of(judged: JudgedRun) -> Iterator[Latency]:
    """Yields each operation that both sides timed, the one whose p95 grew most first."""
    baseline, steps = judged.baseline, judged.evidence.steps
    if baseline is None or not len(steps):
        return
    now = Times(operation_figures(steps), samples_of(steps))
    before = Times(baseline.operations, baseline.samples)
    table = compare_latency(before, now)
    if not len(table):
        return
    for row in table.sort_values("p95_ratio", ascending=False, kind="stable", na_position="last").to_dict("records"):
        operation, measure = str(row["operation"]), str(row["measure"])
        samples = [side.samples.get(operation, {}).get(measure, ()) for side in (before, now)]
        p50, p95 = (f"{_ms(row[f'before_{share}_ms'])} → {_ms(row[f'after_{share}_ms'])}" for share in ("p50", "p95"))
        text = f"{operation} {measure}, baseline above, this run below: p50 {p50} ms, p95 {p95} ms"
        yield Latency(
            operation=operation,
            measure=measure,
            counts=f"{row['before_count']:,} / {row['after_count']:,}",
            p50=p50,
            p95=p95,
            ratio=_ratio(row),
            told=_told(row, all(samples)),
            plot=times(
                Spread.of(samples[0], row["before_p50_ms"], row["before_p95_ms"]),
                Spread.of(samples[1], row["after_p50_ms"], row["after_p95_ms"]),
                text,
            ),
        )


def _ms(value: Any) -> str:
    return "–" if pd.isna(value) else f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def _ratio(row: Mapping[Any, Any]) -> str:
    if pd.isna(row["p95_ratio"]):
        return "–"
    interval = "" if pd.isna(row["p95_low"]) else f" ({row['p95_low']:.2f} to {row['p95_high']:.2f})"
    return f"× {row['p95_ratio']:.2f}{interval}"


def _told(row: Mapping[Any, Any], sampled: bool) -> str:
    if pd.isna(row["p95_low"]):
        return "too few to tell" if sampled else ""
    return "slower" if row["p95_low"] > 1 else "faster" if row["p95_high"] < 1 else "no difference shown"


def provenance_of(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yields what was judged as pairs of a dotted name and a text, in the order given."""
    for name, value in _flat("", inputs):
        text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        if value is not None and text:
            yield name, text if len(text) <= _VALUE_AT_MOST else f"{text[:_VALUE_AT_MOST]} …"


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}" if name else str(key), inner)
    else:
        yield name, value

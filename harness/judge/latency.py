"""How fast was each operation, and how much slower is it now? Ratios of median and p95, with a bootstrap interval.

Figures only: whether a ratio is too high is for a Scheme's bound to say.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias, final

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = [
    "LATENCY_COLUMNS",
    "SAMPLE_POINTS",
    "Bootstrap",
    "Times",
    "compare_latency",
    "latency_figures",
    "operation_figures",
    "percentile",
    "samples_of",
]

Samples: TypeAlias = Mapping[str, Mapping[str, Sequence[float]]]
"""Per operation and measure (``response``, ``callback``) its times in ms, sorted."""
SAMPLE_POINTS: Final = 101
"""So many of a longer sample are kept: its 0th to 100th percentile."""
LATENCY_COLUMNS: Final = (
    "operation", "measure", "before_count", "after_count",
    *(f"{side}_{share}_ms" for share in ("p50", "p95") for side in ("before", "after")),
    *(f"{share}_{what}" for share in ("p50", "p95") for what in ("ratio", "low", "high")),
)  # fmt: skip
_MEASURES: Final = (("response", "latency_ms", ""), ("callback", "callback_ms", "callback_"))
_SHARES: Final = (50, 95)


@final
@dataclass(frozen=True, slots=True)
class Times:
    """What one side knows of its times. ``figures`` are those of a baseline; ``samples`` may be empty."""

    figures: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    samples: Samples = field(default_factory=dict)


@final
@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How intervals are drawn. The same seed gives the same interval, whatever else is compared."""

    confidence: float = 0.95
    resamples: int = 2000
    seed: int = 1
    minimum_count: int = 5
    """With fewer times on a side no interval is given: it would only look like one."""


def percentile(values: Iterable[float], share: int) -> float:
    """Returns the ``share`` percentile (0 to 100) of ``values`` by nearest rank: always a value that was measured."""
    ordered = sorted(values)
    return float(ordered[max(0, -(-len(ordered) * share // 100) - 1)])


def latency_figures(prefix: str, values: Sequence[float]) -> dict[str, float]:
    """Returns p50, p95 and maximum of ``values`` in ms, named with ``prefix``; not a number where there is none."""
    if not len(values):
        return {f"{prefix}{name}_ms": float("nan") for name in ("p50", "p95", "max")}
    figures = {"p50": percentile(values, 50), "p95": percentile(values, 95), "max": float(max(values))}
    return {f"{prefix}{name}_ms": round(value, 1) for name, value in figures.items()}


def operation_figures(steps: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Returns per operation ``count p50_ms p95_ms max_ms``, and the same of callbacks with ``callback_``."""
    found: dict[str, dict[str, float]] = {}
    for operation, group in steps.groupby("operation", sort=True):
        figures: dict[str, float] = {}
        for _, column, prefix in _MEASURES:
            if values := list(group[column].dropna()):
                figures |= {f"{prefix}count": len(values)} | latency_figures(prefix, values)
        if figures:
            found[str(operation)] = figures
    return found


def samples_of(steps: pd.DataFrame) -> dict[str, dict[str, tuple[float, ...]]]:
    """Returns per operation and measure its times in ms to a tenth, sorted; of a long sample its percentiles."""
    found: dict[str, dict[str, tuple[float, ...]]] = {}
    for operation, group in steps.groupby("operation", sort=True):
        for measure, column, _ in _MEASURES:
            times = sorted(round(float(value), 1) for value in group[column].dropna())
            if len(times) > SAMPLE_POINTS:
                times = [percentile(times, share) for share in range(SAMPLE_POINTS)]
            if times:
                found.setdefault(str(operation), {})[measure] = tuple(times)
    return found


def compare_latency(before: Times, after: Times, how: Bootstrap = Bootstrap()) -> pd.DataFrame:
    """Returns ``LATENCY_COLUMNS``, a row per operation and measure that both sides have, sorted.

    Ratios are after to before. The interval is a percentile bootstrap of both samples; it is not a number where a side
    kept no sample, or a short one.
    """
    rows = [
        row
        for operation in sorted({*before.figures} & {*after.figures})
        for measure, _, prefix in _MEASURES
        if (row := _row(operation, measure, prefix, before, after, how)) is not None
    ]
    frame = pd.DataFrame(rows, columns=list(LATENCY_COLUMNS))
    kinds = dict.fromkeys(LATENCY_COLUMNS[4:], "float64") | dict.fromkeys(LATENCY_COLUMNS[2:4], "int64")
    return frame.astype(kinds)


def _row(
    operation: str, measure: str, prefix: str, before: Times, after: Times, how: Bootstrap
) -> dict[str, str | float] | None:
    sides = [(times.figures[operation], times.samples.get(operation, {}).get(measure, ())) for times in (before, after)]
    counts = [int(figures.get(f"{prefix}count", 0)) for figures, _ in sides]
    if not all(counts):
        return None
    row: dict[str, str | float] = {
        "operation": operation, "measure": measure, "before_count": counts[0], "after_count": counts[1],
    }  # fmt: skip
    for share in _SHARES:
        old, new = (
            percentile(sample, share) if sample else figures[f"{prefix}p{share}_ms"] for figures, sample in sides
        )
        row |= {f"before_p{share}_ms": old, f"after_p{share}_ms": new}
        row[f"p{share}_ratio"] = new / old if old > 0 else float("nan")
        drawn = [
            _drawn(sample, count, share, how, f"{operation} {measure} {side} {share}")
            for (_, sample), count, side in zip(sides, counts, ("before", "after"), strict=True)
        ]
        row |= _interval(f"p{share}", drawn[0], drawn[1], how.confidence)
    return row


def _drawn(
    sample: Sequence[float], count: int, share: int, how: Bootstrap, name: str
) -> npt.NDArray[np.float64] | None:
    """``resamples`` bootstrap values of the percentile; ``None`` where the sample is too short.

    The r-th smallest of ``count`` draws with replacement is the sample's quantile at a point that is distributed as
    Beta(r, count - r + 1), so that the draws themselves need not be made.
    """
    if not sample or count < how.minimum_count:
        return None
    rank = max(1, -(-count * share // 100))
    chance = np.random.default_rng([how.seed, zlib.crc32(name.encode())])
    points = chance.beta(rank, count - rank + 1, size=how.resamples)
    at = np.clip(np.ceil(points * len(sample)).astype(np.int64) - 1, 0, len(sample) - 1)
    return np.asarray(sample, dtype=np.float64)[at]


def _interval(
    name: str, before: npt.NDArray[np.float64] | None, after: npt.NDArray[np.float64] | None, confidence: float
) -> dict[str, float]:
    if before is None or after is None or not bool((before > 0).all()):
        return {f"{name}_low": float("nan"), f"{name}_high": float("nan")}
    low, high = np.quantile(after / before, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return {f"{name}_low": float(low), f"{name}_high": float(high)}

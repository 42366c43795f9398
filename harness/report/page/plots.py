"""The small pictures of a page, as inline SVG: how many checks are in which class, and how two samples of times lie.

Sizes stand in attributes, colours in classes: the page allows no style of an element's own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness.judge.latency import percentile
from harness.report.sequence import xml_text

__all__ = ["Spread", "bar", "times"]

_WIDTH: Final = 220
_PAD: Final = 4


def bar(parts: Sequence[tuple[str, int]], text: str) -> str:
    """Returns a bar of ``parts`` (class, count); a part that is there is 0.6 % wide at least. ``text`` says it all."""
    present = [(name, count) for name, count in parts if count]
    total = sum(count for _, count in present) or 1
    widths = [max(count / total * 1000, 6.0) for _, count in present]
    scale = 1000 / (sum(widths) or 1)
    drawn, x = [], 0.0
    for (name, _), width in zip(present, widths, strict=True):
        drawn.append(f'<rect class="k-{name}" x="{x:.1f}" y="0" width="{width * scale:.1f}" height="20"/>')
        x += width * scale
    return (
        f'<svg class="bar" role="img" aria-label="{xml_text(text)}" viewBox="0 0 1000 20" preserveAspectRatio="none">'
        f"{''.join(drawn)}</svg>"
    )


@dataclass(frozen=True, slots=True)
class Spread:
    """How times lie, in ms. ``box`` is from p25 to p75, ``low`` the least; ``None`` where only figures were kept."""

    p50: float
    p95: float
    low: float | None = None
    box: tuple[float, float] | None = None

    @classmethod
    def of(cls, sample: Sequence[float], p50: float, p95: float) -> Spread:
        """Returns the spread of a sorted sample or, where that is empty, of the two figures."""
        if not sample:
            return cls(p50, p95)
        return cls(p50, p95, percentile(sample, 0), (percentile(sample, 25), percentile(sample, 75)))


def times(before: Spread, after: Spread, text: str) -> str:
    """Returns two spreads on one scale, ``before`` above: a line to p95, a box from p25 to p75, a bar at the median.

    The scale ends at the larger p95, so that one slow call does not flatten the rest. Empty where there is no figure.
    """
    most = max(before.p95, after.p95)
    if not (math.isfinite(most) and most > 0):
        return ""

    def x(value: float) -> str:
        return f"{_PAD + min(max(value / most, 0.0), 1.0) * (_WIDTH - 2 * _PAD):.1f}"

    def drawn(name: str, one: Spread, y: int) -> str:
        low = one.p50 if one.low is None else one.low
        parts = [f'<path d="M{x(low)} {y}H{x(one.p95)}m0-4v8"/>']
        if one.box is not None:
            width = max(float(x(one.box[1])) - float(x(one.box[0])), 1.0)
            parts.append(f'<rect x="{x(one.box[0])}" y="{y - 4}" width="{width:.1f}" height="8"/>')
        parts.append(f'<path class="p50" d="M{x(one.p50)} {y - 6}v12"/>')
        return f'<g class="{name}">{"".join(parts)}</g>'

    size = f'width="{_WIDTH}" height="32" viewBox="0 0 {_WIDTH} 32"'
    return (
        f'<svg class="times" role="img" aria-label="{xml_text(text)}" {size}>'
        f"{drawn('before', before, 9)}{drawn('after', after, 24)}</svg>"
    )

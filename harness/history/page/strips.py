"""The pictures of the history page, as inline SVG: a strip of nights, and a line of times. No style of their own.

A strip says by shape what it says by colour: a failure stands full height or as high as its share, what gave no result
is a low block, what was not part of a night leaves a gap.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.history.nights import BLIND, FAILED, PASSED
from harness.report.sequence import xml_text

__all__ = ["lines", "strip", "verdicts"]

_HIGH = 20


def verdicts(kinds: Sequence[str], text: str) -> str:
    """Returns a strip with a block per night; ``kinds`` are ``good``, ``known``, ``bad`` or ``unknown``."""
    shapes = {"good": "M{x} 8h.8v12h-.8z", "known": "M{x} 8h.8v12h-.8z", "bad": "M{x} 0h.8v20h-.8z",
              "unknown": "M{x} 14h.8v6h-.8z"}  # fmt: skip
    paths = {
        kind: "".join(shape.format(x=_at(night)) for night, own in enumerate(kinds) if own == kind)
        for kind, shape in shapes.items()
    }
    return _svg(paths, len(kinds), text)


def strip(showed: npt.NDArray[np.int8], excluded: npt.NDArray[np.bool_], text: str) -> str:
    """Returns the strip of checks (rows) over nights (columns): per night what passed, and the share that failed."""
    failed, blind, passed = ((showed == each).sum(axis=0) for each in (FAILED, BLIND, PASSED))
    told = failed + blind + passed
    paths = {"p": "", "f": "", "b": "", "x": ""}
    for start, end in _runs((told > 0) & (failed == 0) & (blind == 0) & ~excluded):
        # One block for many nights: most of a grid is this.
        paths["p"] += f"M{_at(start)} 4h{end - start - 0.2:g}v16h-{end - start - 0.2:g}z"
    for night in np.flatnonzero((told > 0) & ((failed > 0) | (blind > 0)) & ~excluded):
        if failed[night]:
            # A third at the least, so that one of many is seen.
            height = max(round(_HIGH * failed[night] / told[night]), 7)
            paths["f"] += f"M{_at(night)} {_HIGH - height}h.8v{height}h-.8z"
            if height < 16:
                paths["p"] += f"M{_at(night)} 4h.8v{16 - height}h-.8z"
        else:
            paths["b"] += f"M{_at(night)} 14h.8v6h-.8z"
    for night in np.flatnonzero((told > 0) & excluded):
        paths["x"] += f"M{_at(night)} 18h.8v2h-.8z"
    return _svg({f"s-{name}": path for name, path in paths.items()}, showed.shape[1], text)


def _runs(holds: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], holds, [False]]).astype(np.int8)))
    return zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _at(night: int | np.integer[Any]) -> str:
    return f"{int(night) + 0.1:g}"


def _svg(paths: dict[str, str], width: int, text: str) -> str:
    drawn = "".join(f'<path class="{name}" d="{path}"/>' for name, path in paths.items() if path)
    return (
        f'<svg class="strip" role="img" aria-label="{xml_text(text)}" viewBox="0 0 {max(width, 1)} {_HIGH}" '
        f'preserveAspectRatio="none">{drawn}</svg>'
    )


_WIDE, _TALL, _PAD = 300, 90, 4


def lines(
    p50: Sequence[float], p95: Sequence[float], marks: Sequence[tuple[int, bool]], excluded: Sequence[bool], text: str
) -> str:
    """Returns median and p95 of one operation over the nights, in ms from 0 to the greatest; gaps where not made.

    ``marks`` are nights in which a component's version changed, and whether it is the operation's own.
    """
    known = [value for value in p95 if math.isfinite(value)]
    most = max(known, default=0.0)
    count = max(len(p95), 1)
    if most <= 0:
        return ""

    def x(night: float) -> str:
        return f"{_PAD + (night + 0.5) / count * (_WIDE - 2 * _PAD):.1f}"

    def path(values: Sequence[float]) -> str:
        drawn, pen = [], "M"
        for night, value in enumerate(values):
            if not math.isfinite(value) or excluded[night]:
                pen = "M"
                continue
            y = _TALL - _PAD - value / most * (_TALL - 2 * _PAD)
            # A point alone is a dot: a line of no length with round ends.
            drawn.append(f"{pen}{x(night)} {y:.1f}" + ("h0" if pen == "M" else ""))
            pen = "L"
        return "".join(drawn)

    changed = "".join(
        f'<path class="{"own" if own else "other"}" d="M{x(night - 0.5)} 0V{_TALL}"/>' for night, own in marks
    )
    return (
        f'<svg class="lines" role="img" aria-label="{xml_text(text)}" viewBox="0 0 {_WIDE} {_TALL}">'
        f'<path class="axis" d="M0 {_TALL - 1}H{_WIDE}"/>{changed}'
        f'<path class="p95" d="{path(p95)}"/><path class="p50" d="{path(p50)}"/></svg>'
    )

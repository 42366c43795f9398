"""How is a comparison of two sides handed to a machine? One JSON document, or one CSV line per check.

The same sides give the same bytes; nothing depends on the hour.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, Final

import pandas as pd

from harness.judge.published import Published, Total
from harness.judge.results import ResultsComparison
from harness.judge.shown import Shown

__all__ = ["RESULTS_FORMAT", "results_to_csv", "results_to_json", "totals_to_json"]

RESULTS_FORMAT: Final = 1


def results_to_json(found: ResultsComparison) -> str:
    """Returns the whole comparison as JSON; what is not known is ``null``."""
    return _text(
        {
            "format": RESULTS_FORMAT,
            "before": _side(found.before),
            "after": _side(found.after),
            "differs": found.differs,
            "counts": found.counts(),
            "moved": len(found.moved),
            "notes": list(found.notes),
            "components": {name: list(versions) for name, versions in found.components.items()},
            "checks": _rows(found.table),
            "latency": _rows(found.latency),
        }
    )


def results_to_csv(found: ResultsComparison) -> str:
    """Returns a line per check, sorted, with a head; what is not known is empty."""
    return str(found.table.to_csv(index=False, lineterminator="\n"))


def totals_to_json(published: Published, side: Shown, totals: Iterable[Total]) -> str:
    """Returns published totals beside those of ``side`` as JSON."""
    return _text(
        {
            "format": RESULTS_FORMAT,
            "published": {name: getattr(published, name) for name in ("product", "release", "suite", "date", "source")},
            "side": _side(side),
            "totals": {
                total.what: {"published": total.published, "found": total.found, "difference": total.difference}
                for total in totals
            },
            "notes": list(published.limits),
        }
    )


def _side(side: Shown) -> dict[str, Any]:
    return {
        "name": side.name,
        "kind": side.kind,
        "product": side.product,
        "release": side.release,
        "suite_digest": side.suite_digest,
        "runs": side.runs,
        "checks": len(side.results),
        "components": dict(sorted(side.components.items())),
        "limits": list(side.limits),
    }


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    columns = [table[name].tolist() for name in table.columns]
    return [
        {name: _known(value) for name, value in zip(table.columns, row, strict=True)}
        for row in zip(*columns, strict=True)
    ]


def _known(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


def _text(document: dict[str, Any]) -> str:
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")

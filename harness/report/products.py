"""How did each extension product of the release do? The worst first, each with the page of its own run.

What does not count (a run that is not the one listed) is not shown as what it says of itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from harness.judge.parts import ProductShown
from harness.judge.products import obstacle, on_product
from harness.model.outcome import GateName, GateStatus
from harness.model.scheme import PRODUCTS_FOLDER
from harness.model.verdict import Reason
from harness.report.interface import ReportInput

__all__ = ["PAGE", "ProductLine", "Standing", "products_of"]

PAGE: Final = "verdict.html"


class Standing(StrEnum):
    """What a product's run is worth for the release, worst first."""

    REJECTED = "rejected"
    OPEN = "open"
    """Not run, cut off, inconclusive, or not the run that is listed."""
    KNOWN = "known"
    APPROVED = "approved"


_WORST_FIRST: Final = list(Standing)
_STANDINGS: Final = {
    GateStatus.FAIL: Standing.REJECTED,
    GateStatus.UNKNOWN: Standing.OPEN,
    GateStatus.PASS: Standing.KNOWN,  # a reason with status pass is a known issue
}


@dataclass(frozen=True, slots=True)
class ProductLine:
    """One product that the Scheme lists."""

    name: str
    """``payment-manager v5.1.0``."""
    standing: Standing
    word: str
    """The verdict on its run, or why there is none that counts."""
    text: str
    next_action: str
    rehearsal: bool
    folder: str
    """Its run's folder, relative to the core's; empty where there is nothing to read there."""


def products_of(run: ReportInput) -> tuple[ProductLine, ...]:
    """Returns each product that the Scheme lists, the worst first and else as listed."""
    stopped = obstacle(run.judged.verdict.reasons)
    lines = [_line(run, shown, stopped) for shown in run.judged.products]
    return tuple(sorted(lines, key=lambda line: _WORST_FIRST.index(line.standing)))


def _line(run: ReportInput, shown: ProductShown, stopped: Reason | None) -> ProductLine:
    judged, listed = shown.judged, shown.listed
    reasons = list(on_product(shown, run.judged.evidence, stopped))
    standing = min((_STANDINGS[one.status] for one in reasons), key=_WORST_FIRST.index, default=Standing.APPROVED)
    text = "; ".join(one.text.removeprefix(f"{listed.name} ") for one in reasons)
    if judged is None:
        word = "UNREADABLE" if shown.problem else "NOT RUN"
        return ProductLine(listed.name, standing, word, text, "", rehearsal=False, folder="")
    verdict = judged.verdict
    strange = any(one.code == "product-differs" for one in reasons)
    core = next((gate.summary for gate in verdict.gates if gate.name is GateName.CORE), "")
    return ProductLine(
        name=listed.name,
        standing=standing,
        word=f"DOES NOT COUNT (says {verdict.text})" if strange else verdict.text,
        text=text if strange else _told(verdict.reasons) or core,
        next_action=verdict.next_action if standing in (Standing.REJECTED, Standing.OPEN) and not strange else "",
        rehearsal=verdict.rehearsal,
        folder=f"{PRODUCTS_FOLDER}/{listed.product}" if listed.product in run.products else "",
    )


def _told(reasons: Sequence[Reason]) -> str:
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return f"{reasons[0].text}{more}" if reasons else ""

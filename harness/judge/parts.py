"""What belongs to a release beside the run of its core? Extension products, each judged by its run, and documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model.artefacts import ArtefactsFound
from harness.model.scheme import ListedProduct, SchemeRelease

if TYPE_CHECKING:
    from harness.judge.verdict import JudgedRun

__all__ = ["NO_PARTS", "Parts", "ProductShown"]


@dataclass(frozen=True, slots=True, eq=False)
class ProductShown:
    """What became of a product that the Scheme lists."""

    listed: ListedProduct
    judged: JudgedRun | None = None
    """Its run in the core run's folder, judged; ``None`` where there is none, or none that can be read."""
    problem: str = ""
    """Why its run cannot be read; empty where there is none at all."""


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What belongs to a release beside the run of its core."""

    contents: SchemeRelease | None = None
    """What the Scheme lists; ``None`` where no Scheme is applied."""
    products: tuple[ProductShown, ...] = ()
    unlisted: tuple[str, ...] = ()
    """Products of which there are runs in the core run's folder, and which the Scheme does not list."""
    within: str = ""
    """Of a product's run: the id of the core's run that holds it, and that it followed."""
    artefacts: ArtefactsFound | None = None
    """What was found in the release's documents; ``None`` where nobody looked."""


NO_PARTS = Parts()
"""Nothing is known of anything beside the run."""

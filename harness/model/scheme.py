"""What does a Scheme's release consist of? The core, extension products on top of it, and the documents it demands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["CORE_PRODUCT", "PRODUCTS_FOLDER", "Artefact", "CoreRun", "ListedProduct", "SchemeRelease"]

CORE_PRODUCT = "mojaloop"
"""The product that every other one is an extension of."""

PRODUCTS_FOLDER = "products"
"""Where a run of the core holds the runs of its extension products, and a Scheme their criteria: a folder for each."""


class Artefact(StrEnum):
    """What the Definition of Done demands of a release beside the software."""

    NOTES = "notes"
    RUNBOOK = "runbook"
    UNIT = "unit"
    INTEGRATION = "integration"
    REGRESSION = "regression"
    """The regression suite on merge."""
    REVIEW = "review"
    """Review by peers."""


@dataclass(frozen=True, slots=True)
class ListedProduct:
    """A product that a Scheme's release holds."""

    product: str
    release: str
    """With its ``v``: ``v5.1.0``."""
    suite: str
    """``native`` or ``official``."""
    targets: Mapping[str, str] = field(default_factory=dict)
    """The core's target to the one that this product is reached by, where that is another one."""

    @property
    def name(self) -> str:
        """``payment-manager v5.1.0``."""
        return f"{self.product} {self.release}"

    def target_beside(self, core_target: str) -> str:
        """Returns the name of the target that this product is run on where the core is run on ``core_target``."""
        return self.targets.get(core_target, core_target)


@dataclass(frozen=True, slots=True)
class SchemeRelease:
    """``scheme_rules/<scheme>/scheme.yaml``. Without one a Scheme lists no products and demands no documents."""

    scheme: str
    products: tuple[ListedProduct, ...] = ()
    """In the order they run; the core first, where it is listed."""
    artefacts: tuple[Artefact, ...] = ()
    """What every release must come with."""
    digest: str = ""
    """SHA-256 of the file; empty where there is none."""

    @property
    def core(self) -> ListedProduct | None:
        """The core, where the Scheme says which release of it."""
        return next((one for one in self.products if one.product == CORE_PRODUCT), None)

    @property
    def extensions(self) -> tuple[ListedProduct, ...]:
        """The products on top of the core."""
        return tuple(one for one in self.products if one.product != CORE_PRODUCT)


@dataclass(frozen=True, slots=True)
class CoreRun:
    """The run of the core that a product's run follows."""

    run_id: str
    release: str
    """With its ``v``."""
    journal: str
    """The digest of its journal, which was complete by then."""

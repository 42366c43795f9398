"""Which part of a suite is asked about a defect first, and which defects a suite says it catches.

A part is a selection by pytest's ``-k``: small enough to be run once per defect. What a part does not see, the whole
suite is asked about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import final

from harness.errors import UsageError
from harness.hub.defects import Defect
from harness.selftest.slips import SLIPS

__all__ = ["NATIVE", "OFFICIAL", "SUITES", "WHOLE", "Part", "SuitePlan", "is_claimed", "plan_of"]

NATIVE = "native"
OFFICIAL = "official"


@final
@dataclass(frozen=True, slots=True)
class Part:
    """A selection of a suite's cases. An empty ``keyword`` selects all of them."""

    name: str
    keyword: str = ""


WHOLE = Part("whole suite")
# What waits for what must not come takes five or ten seconds a case, however time is scaled: no first part has it,
# unless the capability is about that.
_SLOW = "settlement or unicode or fulfill_commit or 2697 or 998"
_FX = Part("fx", "fx")
_SETTLEMENT = Part("settlement", "settlement")
_REQUESTS = Part("transaction requests", "state or authorizations or error-framework")
_ON_US = Part("on-us transfers", "on_us")
_FUNDS = Part("funds", "funds_in or funds_out")
_PARTICIPANTS = Part("participants", "participant")
_DUPLICATES = Part("duplicates", "duplicate_handling and not fx")
_VERSIONS = Part("versions", "fspiop_protocol_validation")
_AGREEMENT = Part("look-up and quotes", f"(p2p_happy_path or subid or quot) and not ({_SLOW})")
_PAYMENTS = Part(
    "payments",
    "(p2p_happy_path or fulfil or fulfill or duplicate or transfer_timeout or invalid_timestamp or abort or "
    f"block_transfer or patch_notification or get_transfers or bugfix) and not (funds or fx or {_SLOW})",
)


@final
@dataclass(frozen=True, slots=True)
class SuitePlan:
    """How a suite is walked. ``at_once`` is how many runs share the machine, ``seconds`` what one may take at most."""

    suite: str
    options: tuple[str, ...]
    """What ``harness run`` is told beside release, defect and selection."""
    at_once: int
    seconds: float
    parts: Mapping[str, Part]
    """The part that is asked first, by capability."""
    otherwise: Part
    """The part for every other capability."""
    components: Mapping[str, Part] = field(default_factory=dict)
    """The part for another capability of a component that the part for every other one looks little at."""

    def first_part(self, defect: Defect) -> Part:
        """The part that is asked about ``defect`` first."""
        other = self.components.get(defect.component, self.otherwise)
        return self.parts.get(defect.capability, other)


SUITES: Mapping[str, SuitePlan] = MappingProxyType(
    {
        NATIVE: SuitePlan(NATIVE, ("--suite", NATIVE), 2, 300, MappingProxyType({}), WHOLE),
        OFFICIAL: SuitePlan(
            OFFICIAL,
            ("--suite", OFFICIAL, "--time-scale", "0.1"),
            1,
            600,
            MappingProxyType({
                "authorizations": _REQUESTS, "funds": _FUNDS, "fx": _FX, "look-up": _AGREEMENT,
                "on-us transfers": _ON_US, "participants": _PARTICIPANTS, "quotes": _AGREEMENT,
                "settlements": _SETTLEMENT, "transaction requests": _REQUESTS, "windows": _SETTLEMENT,
                "duplicates": _DUPLICATES, "versions": _VERSIONS,
            }),
            _PAYMENTS,
            MappingProxyType({"quoting-service": _AGREEMENT}),
        ),
    }
)  # fmt: skip


def plan_of(suite: str) -> SuitePlan:
    """Returns how ``suite`` is walked. Raises ``UsageError`` where there is no such suite."""
    if suite not in SUITES:
        raise UsageError(f"no suite is called {suite!r}", remedy=f"Choose {' or '.join(SUITES)}")
    return SUITES[suite]


def is_claimed(suite: str, defect: Defect) -> bool:
    """Whether ``suite`` is said to catch ``defect``: the official one does unless it is written why it cannot."""
    if suite == NATIVE:
        return defect.caught_by_native
    return defect.name not in SLIPS.get(suite, {})

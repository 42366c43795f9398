"""Does the hub keep the laws that no hub may break, whatever is asked of it? Checked while it runs.

Sums per currency and ledger account type balance; nothing stays reserved past its expiration; no state goes back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Protocol, TypeVar, final

from harness.fspiop.dates import iso_ms
from harness.hub.fx_states import FX_TRANSITIONS, FxState, FxTransfer
from harness.hub.fx_transfers import FxTransfers
from harness.hub.ledger import Ledger
from harness.hub.settlement import WINDOW_TRANSITIONS, Windows
from harness.hub.settlements import TRANSITIONS as SETTLEMENT_TRANSITIONS
from harness.hub.settlements import Settlements
from harness.hub.transfer_states import TRANSITIONS as TRANSFER_TRANSITIONS
from harness.hub.transfer_states import State, Transfer
from harness.hub.transfers import Transfers

__all__ = ["Invariants", "Kind", "Tracked", "Violation", "watching"]

S = TypeVar("S", bound=str)

_log = logging.getLogger(__name__)

_SHOWN = 20
"""How many histories a sum that does not balance carries: those of the transfers that changed last."""
_SHARE = 2000
"""How many of the things that have ended one check looks at again."""
_KEPT = 100
"""How many violations are kept; what breaks first tells most."""


class Tracked(Protocol):
    """Something with a state, and the states it has been in."""

    @property
    def id(self) -> str | int:
        """What it is told apart by among its kind."""

    @property
    def state(self) -> str:
        """Where it stands."""

    @property
    def history(self) -> Sequence[tuple[str, datetime]]:
        """Every state with the moment it was taken, the present one last."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is watched: all things of one sort, where they may go, and until when they may stay where they are."""

    name: str
    items: Callable[[], Iterable[Tracked]]
    steps: Mapping[str, frozenset[str]]
    """State to the states that may follow."""
    due: Callable[[Any], datetime | None] = lambda _: None
    """When an item must have left its present state; ``None`` where it may stay."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A law that was broken, with the histories of what it is about."""

    rule: str
    """``sums``, ``expiry`` or ``states``."""
    subject: str
    detail: str
    found: datetime
    histories: Mapping[str, tuple[tuple[str, datetime], ...]]

    def to_json(self) -> dict[str, Any]:
        """Returns a JSON-ready object."""
        return {
            "rule": self.rule,
            "subject": self.subject,
            "detail": self.detail,
            "found": iso_ms(self.found),
            "histories": {
                name: [{"state": state, "since": iso_ms(since)} for state, since in history]
                for name, history in self.histories.items()
            },
        }


@final
class _Watch:
    """What is known of one kind: what may still move, what has ended, and how each thing was seen last."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.seen: dict[str | int, tuple[str, int]] = {}
        """State and length of the history, by id."""
        self._known = 0
        self._moving: dict[str | int, Tracked] = {}
        self._ended: list[Tracked] = []
        self._next = 0

    def due(self) -> list[Tracked]:
        """Returns what to look at now: everything that may move, everything new, and a share of what has ended."""
        for item in islice(self.kind.items(), self._known, None):
            self._known += 1
            self._moving[item.id] = item
        share = self._ended[self._next : self._next + _SHARE]
        self._next = self._next + _SHARE if self._next + _SHARE < len(self._ended) else 0
        return [*self._moving.values(), *share]

    def saw(self, item: Tracked) -> None:
        """Remembers how ``item`` is."""
        self.seen[item.id] = (item.state, len(item.history))
        if not self.kind.steps.get(item.state) and item.id in self._moving:
            del self._moving[item.id]
            self._ended.append(item)


@final
class Invariants:
    """Watches a hub. ``check`` may be called at any moment between two messages."""

    def __init__(self, ledger: Ledger, kinds: Iterable[Kind]) -> None:
        self._ledger = ledger
        self._watches = tuple(_Watch(kind) for kind in kinds)
        self._overdue: set[str] = set()
        self._reported: set[tuple[str, str]] = set()
        self.violations: list[Violation] = []
        """What was broken so far, the first first; at most a hundred."""
        self.checks = 0

    def check(self, now: datetime, patience: timedelta = timedelta(0)) -> list[Violation]:
        """Returns the violations that are new.

        What is past its expiration by more than ``patience`` breaks the law where the check before said so too: between
        the two the hub has had its turn, however slow the machine is. Of what has ended each check looks at a share, so
        that its cost does not grow with the age of the hub.
        """
        self.checks += 1
        found: list[Violation] = []
        changed: dict[str, Tracked] = {}
        overdue: set[str] = set()
        for watch in self._watches:
            kind, seen = watch.kind, watch.seen
            for item in watch.due():
                before = seen.get(item.id)
                if before is None or before != (item.state, len(item.history)):
                    name = f"{kind.name} {item.id}"
                    changed[name] = item
                    if (detail := _went_wrong(item, kind.steps, before)) is not None:
                        found.append(_violation("states", name, detail, now, {name: item}))
                    watch.saw(item)
                due = kind.due(item)
                if due is not None and due + patience < now:
                    name = f"{kind.name} {item.id}"
                    overdue.add(name)
                    if name in self._overdue:
                        detail = f"{item.state} since it should have ended at {iso_ms(due)}"
                        found.append(_violation("expiry", name, detail, now, {name: item}))
        self._overdue = overdue
        for subject, detail in self._ledger.imbalances().items():
            latest = dict(list(changed.items())[-_SHOWN:])
            found.append(_violation("sums", subject, detail, now, latest))
        return self._keep(found)

    def _keep(self, found: Iterable[Violation]) -> list[Violation]:
        new = [each for each in found if (each.rule, each.subject) not in self._reported]
        for each in new:
            self._reported.add((each.rule, each.subject))
            _log.critical("%s: %s: %s", each.rule, each.subject, each.detail)
        self.violations += new[: _KEPT - len(self.violations)]
        return new

    async def check_regularly(self, interval_s: float) -> None:
        """Checks until cancelled, once a second or as seldom as transfers are looked through for expired ones."""
        while True:
            await asyncio.sleep(max(1.0, interval_s))
            self.check(datetime.now(UTC), timedelta(seconds=interval_s))


def watching(
    ledger: Ledger,
    transfers: Transfers,
    windows: Windows,
    settlements: Settlements,
    conversions: FxTransfers | None = None,
) -> Invariants:
    """Returns what watches the ledger, transfers, conversions, windows and settlements of a hub."""
    kinds = [
        Kind("transfer", transfers.all, _steps(TRANSFER_TRANSITIONS), _expires),
        Kind("window", windows.all, {state: frozenset(after) for state, after in WINDOW_TRANSITIONS.items()}),
        Kind("settlement", settlements.all, {s: frozenset(after) for s, after in SETTLEMENT_TRANSITIONS.items()}),
    ]
    if conversions is not None:
        kinds.append(Kind("fxTransfer", conversions.all, _steps(FX_TRANSITIONS), _conversion_expires))
    return Invariants(ledger, kinds)


def _steps(transitions: Mapping[tuple[S, Any], S]) -> dict[str, frozenset[str]]:
    """Returns which states may follow each, of a table of states and events."""
    found: dict[str, frozenset[str]] = {}
    for (before, _event), after in transitions.items():
        found[before] = found.get(before, frozenset()) | {after}
    return found


def _expires(transfer: Transfer) -> datetime | None:
    return transfer.expires if transfer.state is State.RESERVED else None


def _conversion_expires(conversion: FxTransfer) -> datetime | None:
    return conversion.expires if conversion.state is FxState.RESERVED else None


def _went_wrong(item: Tracked, steps: Mapping[str, frozenset[str]], before: tuple[str, int] | None) -> str | None:
    """Returns how an item came to its state in a way it may not, or ``None``. Only what is new is looked at."""
    history = [state for state, _ in item.history]
    if not history or history[-1] != item.state:
        return f"it is {item.state} without having taken that step"
    known = 1 if before is None else before[1]
    if before is not None and (len(history) < known or history[known - 1] != before[0]):
        return f"it was {before[0]} and is {item.state}, and its history has changed"
    for earlier, later in zip(history[known - 1 :], history[known:], strict=False):
        if later not in steps.get(earlier, frozenset()):
            return f"from {earlier} to {later}"
    return None


def _violation(rule: str, subject: str, detail: str, now: datetime, about: Mapping[str, Tracked]) -> Violation:
    return Violation(rule, subject, detail, now, {name: tuple(item.history) for name, item in about.items()})

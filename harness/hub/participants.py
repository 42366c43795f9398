"""Which participants does the hub know, are they active, and where do their callbacks go?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import final
from urllib.parse import quote

from harness.fspiop.errors import FspiopError
from harness.hub.faults import Fault
from harness.hub.ledger import Account, AccountType, Ledger

__all__ = ["HUB", "Callback", "Participant", "Participants"]

HUB = "Hub"
"""The participant that holds the hub's own accounts."""

_SAFE = "{}:+@"
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True, slots=True)
class Callback:
    """A kind of call to a participant: the endpoint types that say where it goes, and its path under a base URL."""

    types: tuple[str, ...]
    """In order of preference: the sub-id variant, then the general one."""
    path: str
    """With ``{{name}}`` placeholders; appended where the registered value is a base URL."""

    def uri(self, parameters: Mapping[str, str]) -> str:
        """Returns the path of the resource that the call is about, wherever it is sent to: its ``FSPIOP-URI``."""
        return _filled(self.path, parameters)


@dataclass(slots=True)
class Participant:
    """A DFSP, or the hub itself."""

    name: str
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    active: bool = True
    accounts: list[Account] = field(default_factory=list)
    endpoints: dict[str, str] = field(default_factory=dict)


@final
class Participants:
    """The registry of participants; it opens their accounts in the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._by_name: dict[str, Participant] = {HUB: Participant(HUB)}

    def all(self) -> list[Participant]:
        """Returns every participant, the hub first."""
        return list(self._by_name.values())

    def find(self, name: str) -> Participant | None:
        """Returns the participant, or ``None``."""
        return self._by_name.get(name)

    def number_of(self, name: str) -> int:
        """Returns the participantId of one that exists: the hub is 1, DFSPs follow as they were registered."""
        return tuple(self._by_name).index(name) + 1

    def active(self, name: str) -> bool:
        """Whether a participant of that name exists and is active."""
        found = self._by_name.get(name)
        return found is not None and found.active

    def get(self, name: str) -> Participant:
        """Returns the participant. Raises ``Fault`` 3200 where there is none."""
        if (found := self._by_name.get(name)) is None:
            raise Fault(FspiopError.ID_NOT_FOUND, "The requested resource could not be found.")
        return found

    def create(self, name: str, currency: str, further: Iterable[AccountType] = ()) -> Participant:
        """Registers a participant, or a further currency of one, with inactive accounts (as central-ledger does).

        ``further`` names the accounts it gets beside position and settlement account.

        Raises ``Fault`` 3003 where the hub has no accounts in the currency, 3000 where the currency is registered.
        """
        for kind, word in (
            (AccountType.HUB_RECONCILIATION, "reconciliation"),
            (AccountType.HUB_MULTILATERAL_SETTLEMENT, "multilateral net settlement"),
        ):
            if self._ledger.account(HUB, currency, kind) is None:
                raise Fault(
                    FspiopError.ADD_PARTY_INFORMATION,
                    f"Hub {word} account for the specified currency does not exist",
                )
        if self._ledger.account(name, currency, AccountType.POSITION) is not None:
            raise Fault(FspiopError.CLIENT, "Participant currency has already been registered")
        found = self._by_name.setdefault(name, Participant(name))
        for kind in (AccountType.POSITION, AccountType.SETTLEMENT, *further):
            found.accounts.append(self._ledger.open(name, currency, kind, active=False))
        return found

    def open_hub_account(self, currency: str, kind: AccountType) -> Participant:
        """Opens one of the hub's own accounts. Raises ``Fault`` 3003 where it exists."""
        if self._ledger.account(HUB, currency, kind) is not None:
            raise Fault(FspiopError.ADD_PARTY_INFORMATION, "Hub account has already been registered.")
        hub = self._by_name[HUB]
        hub.accounts.append(self._ledger.open(HUB, currency, kind, active=True))
        return hub

    def callback_url(self, name: str, callback: Callback, parameters: Mapping[str, str]) -> str | None:
        """Returns where a callback to ``name`` goes, or ``None`` where the participant has not said.

        A registered value is either a template with placeholders or a base URL that ``callback.path`` is appended to.
        """
        participant = self._by_name.get(name)
        if participant is None:
            return None
        for kind in callback.types:
            if (value := participant.endpoints.get(kind)) is None:
                continue
            if kind in _BASE_URLS:
                value = value.rstrip("/") + callback.path
            return _filled(value, parameters)
        return None


def _filled(template: str, parameters: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: quote(parameters.get(match[1], match[0]), safe=_SAFE), template)


_BASE_URLS = frozenset({
    "FSPIOP_CALLBACK_URL_AUTHORIZATIONS", "FSPIOP_CALLBACK_URL_FX_QUOTES", "FSPIOP_CALLBACK_URL_QUOTES",
    "FSPIOP_CALLBACK_URL_TRX_REQ_SERVICE",
})  # fmt: skip
"""Endpoint types whose value is a base URL; all others are registered with their path (official provisioning)."""

"""How does central-settlement show windows and settlements? The JSON of its answers, as recorded from 17.2.2."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from decimal import Decimal
from typing import Any, final

from harness.fspiop.dates import iso_ms
from harness.hub.ledger import to_number
from harness.hub.settlement import Content, Window
from harness.hub.settlements import Obligation, Settlement, Told

__all__ = ["SettlementViews", "accounts_view", "content_view", "window_view", "windows_of"]


@final
class SettlementViews:
    """Settlements as one release shows them. ``number_of`` gives a participant's id by its name."""

    def __init__(self, number_of: Callable[[str], int], *, amounts_are_text: bool) -> None:
        self._number_of = number_of
        self._amounts_are_text = amounts_are_text

    def settlement(self, settlement: Settlement) -> dict[str, Any]:
        """Returns a settlement as ``GET /settlements/{id}`` shows it."""
        return {
            "id": settlement.id,
            "state": settlement.state,
            "reason": settlement.reason,
            "createdDate": iso_ms(settlement.created),
            "changedDate": iso_ms(settlement.changed),
            "settlementWindows": windows_of(settlement),
            "participants": self.participants(settlement.obligations.values()),
        }

    def participants(self, obligations: Iterable[Obligation]) -> list[dict[str, Any]]:
        """Returns obligations by participant."""
        rows: dict[int, list[dict[str, Any]]] = {}
        for obligation in obligations:
            rows.setdefault(self._number_of(obligation.account.owner), []).append(
                {
                    "id": obligation.account.id,
                    "state": obligation.state,
                    "reason": obligation.reason,
                    "netSettlementAmount": self._amount(obligation),
                }
            )
        return [{"id": number, "accounts": rows[number]} for number in sorted(rows)]

    def told(self, settlement: Settlement, told: Sequence[Told]) -> dict[str, Any]:
        """Returns the answer to a PUT: the accounts that were asked for, with what was refused, and their windows."""
        participants: dict[int, list[dict[str, Any]]] = {}
        for each in told:
            participants.setdefault(each.asked.participant, []).append(self._told_account(each))
        moved = [each.asked.account for each in told if each.fault is None]
        return {
            "id": settlement.id,
            "state": settlement.state,
            "createdDate": iso_ms(settlement.changed),
            "settlementWindows": windows_of(settlement, moved),
            "participants": [{"id": number, "accounts": rows} for number, rows in participants.items()],
        }

    def _told_account(self, told: Told) -> dict[str, Any]:
        row: dict[str, Any] = {"id": told.asked.account}
        if told.obligation is not None:
            row |= {
                "state": told.obligation.state,
                "reason": told.obligation.reason,
                "createdDate": iso_ms(told.obligation.changed),
                "netSettlementAmount": self._amount(told.obligation),
            }
            if told.asked.reference is not None and told.fault is None:
                row["externalReference"] = told.asked.reference
        if told.fault is not None:
            row |= told.fault.body
        return row

    def _amount(self, obligation: Obligation) -> dict[str, Any]:
        amount: Any = to_number(obligation.units)
        if self._amounts_are_text:
            amount = f"{Decimal(obligation.units).scaleb(-4):.4f}"
        return {"amount": amount, "currency": obligation.account.currency}


def window_view(window: Window) -> dict[str, Any]:
    """Returns a window as ``/settlementWindows`` shows it, without its content."""
    return {
        "settlementWindowId": window.id,
        "state": window.state,
        "reason": window.reason,
        "createdDate": iso_ms(window.created),
        "changedDate": iso_ms(window.changed),
    }


def content_view(content: Content) -> dict[str, Any]:
    """Returns what a window holds in one currency."""
    return {
        "id": content.id,
        "state": content.state,
        "ledgerAccountType": content.ledger_account_type,
        "currencyId": content.currency,
        "createdDate": iso_ms(content.created),
        "changedDate": iso_ms(content.changed),
    }


def windows_of(settlement: Settlement, accounts: Collection[int] | None = None) -> list[dict[str, Any]]:
    """Returns the windows of a settlement with what it settles of them; of ``accounts`` only, where given."""
    mine = {
        content.id for content in settlement.contents if accounts is None or not content.net.keys().isdisjoint(accounts)
    }
    return [
        {**_plain(window), "content": [content_view(each) for each in window.contents if each.id in mine]}
        for window in settlement.windows
        if accounts is None or any(each.id in mine for each in window.contents)
    ]


def accounts_view(settlement: Settlement, accounts: Collection[int]) -> list[dict[str, Any]]:
    """Returns the windows that ``accounts`` take part in, as the sub-paths of a settlement show them."""
    return [
        _plain(window)
        for window in settlement.windows
        if any(not content.net.keys().isdisjoint(accounts) for content in window.contents)
    ]


def _plain(window: Window) -> dict[str, Any]:
    view = window_view(window)
    return {"id": view.pop("settlementWindowId"), **view}

"""What do FSPIOP requests of a native case look like? Paths and bodies, without anyone to send them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.engine.inbound.behaviour import Party
from harness.fspiop.ids import new_uuid

__all__ = ["callback_id", "changed", "party_path", "quote_request"]

Json = dict[str, Any]


def party_path(resource: str, party: Party) -> str:
    """Returns ``/parties/MSISDN/27123``, with the sub-id where the party has one."""
    return "/" + "/".join([resource, party.id_type, party.identifier, *([party.sub_id] if party.sub_id else [])])


def callback_id(resource: str, body: Any) -> str:
    """Returns the id by which a request about ``resource`` is answered; empty where ``body`` has none."""
    name = {"quotes": "quoteId", "transfers": "transferId"}.get(resource, "")
    return str(body.get(name, "")) if isinstance(body, dict) else ""


def changed(body: Json, changes: Mapping[str, Any] | None) -> Json:
    """Returns ``body`` with elements replaced (``"amount.currency": "XTS"``) or, by None, removed."""
    for path, value in (changes or {}).items():
        *parents, last = path.split(".")
        place = body
        for parent in parents:
            place = place[parent]
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return body


def quote_request(payer: str, payee: Mapping[str, Any], money: Mapping[str, str], kind: str) -> Json:
    """Returns a complete quote request (FSPIOP API 1.1, section 6.5.3.2) for a payee's PartyIdInfo."""
    return {
        "quoteId": new_uuid(),
        "transactionId": new_uuid(),
        "payer": {
            "partyIdInfo": {"partyIdType": "MSISDN", "partyIdentifier": "44123456789", "fspId": payer},
            "personalInfo": {
                "complexName": {"firstName": "Juma", "lastName": "Otieno"},
                "dateOfBirth": "1990-02-03",
            },
        },
        "payee": {"partyIdInfo": dict(payee)},
        "amountType": kind,
        "amount": dict(money),
        "transactionType": {"scenario": "TRANSFER", "initiator": "PAYER", "initiatorType": "CONSUMER"},
        "note": "regression test",
    }

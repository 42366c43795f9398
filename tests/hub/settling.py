"""The words a test needs to settle: models, a second currency, windows and settlements over HTTP."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from harness.fspiop.ids import new_uuid
from harness.fspiop.ilp import build_packet, condition_of, fulfilment_for
from tests.hub.world import CURRENCY, SECRET, World

SECOND = "ZMW"
DEFERRED = {
    "name": "DEFERREDNETXXX",
    "settlementGranularity": "NET",
    "settlementInterchange": "MULTILATERAL",
    "settlementDelay": "DEFERRED",
    "requireLiquidityCheck": True,
    "ledgerAccountType": "POSITION",
    "autoPositionReset": True,
    "currency": CURRENCY,
    "settlementAccountType": "SETTLEMENT",
}
DEFAULT = {name: value for name, value in DEFERRED.items() if name != "currency"} | {"name": "DEFAULTDEFERREDNET"}
GROSS = DEFERRED | {
    "name": "CGS",
    "settlementGranularity": "GROSS",
    "settlementInterchange": "BILATERAL",
    "settlementDelay": "IMMEDIATE",
    "autoPositionReset": False,
}
FEES = DEFERRED | {
    "name": "INTERCHANGEFEE",
    "requireLiquidityCheck": False,
    "ledgerAccountType": "INTERCHANGE_FEE",
    "settlementAccountType": "INTERCHANGE_FEE_SETTLEMENT",
}


def settle(w: World, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    response = w.admin(method, f"/v2{path}", body, service="central-settlement")
    return response.status_code, response.json()


def told(body: Any) -> tuple[str, str]:
    information = body["errorInformation"]
    return information["errorCode"], information["errorDescription"]


def open_currency(w: World, currency: str = SECOND) -> None:
    """Gives the hub, payer and payee accounts in a further currency, with funds."""
    for kind in ("HUB_MULTILATERAL_SETTLEMENT", "HUB_RECONCILIATION"):
        assert w.admin("POST", "/participants/Hub/accounts", {"type": kind, "currency": currency}).status_code == 201
    for dfsp in ("payer", "payee"):
        assert w.admin("POST", "/participants", {"name": dfsp, "currency": currency}).status_code == 201
        limit = {"type": "NET_DEBIT_CAP", "value": 10_000}
        body = {"currency": currency, "limit": limit, "initialPosition": 0}
        assert w.admin("POST", f"/participants/{dfsp}/initialPositionAndLimits", body).status_code == 201
        rows = w.admin("GET", f"/participants/{dfsp}/accounts").json()
        number = next(r["id"] for r in rows if (r["ledgerAccountType"], r["currency"]) == ("SETTLEMENT", currency))
        body = {
            "transferId": f"b51ec534-ee48-4575-b6a9-{number:012d}", "externalReference": "x", "reason": "x",
            "action": "recordFundsIn", "amount": {"amount": "5000", "currency": currency},
        }  # fmt: skip
        assert w.admin("POST", f"/participants/{dfsp}/accounts/{number}", body).status_code == 202


def paid(w: World, amount: str, currency: str = CURRENCY) -> None:
    """A transfer from payer to payee that went through."""
    w.committed(amount, amount={"amount": amount, "currency": currency})


def paid_between_wallets(w: World, amount: str, currency: str, *, payee: str = "Wallet") -> None:
    """A transfer that went through, with a packet that tells the accounts of payer (a wallet) and payee."""
    parties = {
        side: {
            "partyIdInfo": {
                "partyIdType": "MSISDN", "partyIdentifier": "1", "fspId": side,
                "extensionList": {"extension": [{"key": "accountType", "value": kind}]},
            }
        }
        for side, kind in (("payer", "Wallet"), ("payee", payee))
    }  # fmt: skip
    transaction = {
        **parties, "transactionId": new_uuid(), "amount": {"amount": amount, "currency": currency},
        "transactionType": {"scenario": "TRANSFER", "initiator": "PAYER", "initiatorType": "CONSUMER"},
    }  # fmt: skip
    packet = build_packet(amount=Decimal(amount), address="g.payee", transaction=transaction)
    condition = condition_of(fulfilment_for(packet, SECRET))
    w.committed(amount, amount=transaction["amount"], ilpPacket=packet, condition=condition)


def close_window(w: World) -> int:
    """Closes the newest open window and returns its id."""
    _, (window, *_) = settle(w, "GET", "/settlementWindows?state=OPEN")
    number: int = window["settlementWindowId"]
    status, opened = settle(w, "POST", f"/settlementWindows/{number}", {"state": "CLOSED", "reason": "test"})
    assert status == 200, opened
    assert (opened["state"], opened["settlementWindowId"]) == ("OPEN", number + 1)
    assert "content" not in opened
    return number


def started(w: World, *windows: int, model: str = "DEFERREDNETXXX") -> dict[str, Any]:
    """A new settlement of ``windows``."""
    listed = [{"id": number} for number in windows]
    asked = {"settlementModel": model, "reason": "TESTING", "settlementWindows": listed}
    status, body = settle(w, "POST", "/settlements", asked)
    assert status == 200, body
    found: dict[str, Any] = body
    return found


def step(w: World, settlement: dict[str, Any], state: str) -> dict[str, Any]:
    """Asks every account of a settlement to take ``state``; returns the answer."""
    participants = [
        {"id": each["id"], "accounts": [{"id": a["id"], "reason": "test", "state": state} for a in each["accounts"]]}
        for each in settlement["participants"]
    ]
    status, body = settle(w, "PUT", f"/settlements/{settlement['id']}", {"participants": participants})
    assert status == 200, body
    found: dict[str, Any] = body
    return found

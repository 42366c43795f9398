"""What does a well-behaved DFSP answer where a rule leaves the payload to us? One template per operation.

Deterministic: the same request at the same moment gives the same answer. Data types from FSPIOP API 1.1, section 7,
and, for fx, 2.0.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, final

from harness.engine.inbound.behaviour import secret_of
from harness.engine.inbound.dfsp import quote_amounts
from harness.engine.rules.model import Facts
from harness.fspiop import ilp
from harness.fspiop.dates import iso_ms
from harness.fspiop.money import format_amount, parse_amount

__all__ = ["Maker", "generated", "sealed"]

Json = dict[str, Any]
_VALID_S = 60
_NAMESPACE = uuid.UUID("6b1f0a52-4c5d-5b0e-9a57-2f0c2f1a7d10")


@final
@dataclass(frozen=True, slots=True)
class Maker:
    """Who answers what, and when."""

    fsp: str
    facts: Facts
    now: datetime

    @property
    def body(self) -> Json:
        """The request's body, an empty object where it has none."""
        return self.facts.body if isinstance(self.facts.body, dict) else {}

    @property
    def expires(self) -> str:
        """Until when an answer holds."""
        return iso_ms(self.now + timedelta(seconds=_VALID_S))


def generated(maker: Maker, key: str) -> Json:
    """Returns the body of the success callback of operation ``key``; empty where there is no template for it."""
    template = _TEMPLATES.get(key)
    return {} if template is None else template(maker)


def sealed(maker: Maker, key: str, answer: Json) -> Json:
    """Returns ``answer`` with what only its final terms allow: a quote's packet and condition, a fulfilment.

    What the answer has already stays. Amounts with more than four decimals, as scripts compute them, are rounded.
    """
    secret = secret_of(maker.fsp)
    match key:
        case "POST /quotes":
            answer = {name: _money(value) for name, value in answer.items()}
            if "ilpPacket" not in answer and (packet := _packet(maker, answer)) is not None:
                answer["ilpPacket"] = packet
            if "condition" not in answer and isinstance(packet := answer.get("ilpPacket"), str):
                answer["condition"] = ilp.condition_of(ilp.fulfilment_for(packet, secret))
        case "POST /fxQuotes":
            conversion = (answer.get("conversionTerms") or {}).get("conversionId")
            if "condition" not in answer and conversion is not None:
                answer = {**answer, "condition": ilp.condition_of(_fulfilment(str(conversion), secret))}
        case "POST /transfers" | "POST /fxTransfers":
            agreed = maker.body.get("ilpPacket") or maker.body.get("commitRequestId")
            state = answer.get("transferState") or answer.get("conversionState")
            if "fulfilment" not in answer and agreed is not None and state in ("COMMITTED", "RESERVED"):
                answer = {**answer, "fulfilment": _fulfilment(str(agreed), secret)}
    return answer


def _fulfilment(agreed: str, secret: bytes) -> str:
    return ilp.fulfilment_for(agreed if agreed.isascii() else hashlib.sha256(agreed.encode()).hexdigest(), secret)


def _packet(maker: Maker, answer: Json) -> str | None:
    """Returns the packet of a quote's terms, ``None`` where the terms cannot be put into one."""
    asked = maker.body
    try:
        amount = parse_amount(answer["transferAmount"]["amount"])
        payee = asked["payee"]["partyIdInfo"]
        segments = (maker.fsp, str(payee["partyIdType"]), str(payee["partyIdentifier"]))
        names = ("transactionId", "quoteId", "payee", "payer", "transactionType", "note")
        transaction = {name: asked[name] for name in names if name in asked}
        return ilp.build_packet(
            amount=amount,
            address=".".join(("g", *map(_segment, segments))),
            transaction={**transaction, "amount": answer["transferAmount"]},
        )
    except (KeyError, TypeError, ValueError):
        return None


def _segment(text: str) -> str:
    # ILP address segments hold letters, digits, _ ~ and - only (ILP addresses, version 2.0.0).
    return "".join(char if char.isascii() and (char.isalnum() or char in "_~-") else "~" for char in text) or "~"


def _money(value: Any) -> Any:
    if not isinstance(value, dict) or set(value) != {"currency", "amount"}:
        return value
    try:
        exact = Decimal(str(value["amount"])).quantize(Decimal("0.0001"), ROUND_HALF_UP)
        return {**value, "amount": format_amount(exact)}
    except (InvalidOperation, ValueError):
        return value


# --- the templates


def _party(maker: Maker) -> Json:
    parameters = maker.facts.path_params
    who = {"partyIdType": parameters["Type"], "partyIdentifier": parameters["ID"]}
    if "SubId" in parameters:
        who["partySubIdOrType"] = parameters["SubId"]
    name = {"firstName": "Test", "middleName": "Of", "lastName": "Party"}
    return {
        "party": {
            "partyIdInfo": {**who, "fspId": maker.fsp},
            "name": "Test Of Party",
            "personalInfo": {"complexName": name, "dateOfBirth": "1990-01-01"},
        }
    }


def _participant(maker: Maker) -> Json:
    return {"fspId": maker.body.get("fspId", maker.fsp)}


def _participants(maker: Maker) -> Json:
    rows = maker.body.get("partyList")
    listed = [{"partyId": row} for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    currency = {"currency": maker.body["currency"]} if "currency" in maker.body else {}
    return {"partyList": listed, **currency}


def _quote(maker: Maker) -> Json:
    asked = maker.body
    amount = asked.get("amount") if isinstance(asked.get("amount"), dict) else {}
    currency, text = str((amount or {}).get("currency")), str((amount or {}).get("amount"))
    transfer = receive = text
    try:
        payer_fee = parse_amount(asked["fees"]["amount"]) if asked.get("fees") else None
        exact = quote_amounts(str(asked["amountType"]), parse_amount(text), Decimal(0), Decimal(0), payer_fee)
        transfer, receive = (format_amount(each) for each in exact)
    except (KeyError, TypeError, ValueError):
        pass
    return {
        "transferAmount": {"currency": currency, "amount": transfer},
        "payeeReceiveAmount": {"currency": currency, "amount": receive},
        "payeeFspFee": {"currency": currency, "amount": "0"},
        "payeeFspCommission": {"currency": currency, "amount": "0"},
        "expiration": maker.expires,
    }


def _transfer(maker: Maker) -> Json:
    return {"completedTimestamp": iso_ms(maker.now), "transferState": "COMMITTED"}


def _conversion(maker: Maker) -> Json:
    terms = maker.body.get("conversionTerms")
    agreed = dict(terms) if isinstance(terms, dict) else {}
    source, target = (dict(agreed.get(name) or {}) for name in ("sourceAmount", "targetAmount"))
    # One for one: a rate of our own would be a figure nobody asked for.
    source.setdefault("amount", target.get("amount", "1"))
    target.setdefault("amount", source["amount"])
    return {"conversionTerms": {**agreed, "sourceAmount": source, "targetAmount": target, "expiration": maker.expires}}


def _fx_transfer(maker: Maker) -> Json:
    return {"completedTimestamp": iso_ms(maker.now), "conversionState": "RESERVED"}


def _providers(maker: Maker) -> Json:
    return {"providers": [maker.fsp]}


def _transaction_request(maker: Maker) -> Json:
    asked = maker.body.get("transactionRequestId") or maker.facts.path_params.get("ID", "")
    return {"transactionId": str(uuid.uuid5(_NAMESPACE, str(asked))), "transactionRequestState": "RECEIVED"}


def _authorization(maker: Maker) -> Json:
    return {
        "authenticationInfo": {"authentication": "OTP", "authenticationValue": "1234"},
        "responseType": "ENTERED",
    }


_TEMPLATES: Mapping[str, Callable[[Maker], Json]] = {
    "GET /parties/{Type}/{ID}": _party,
    "GET /parties/{Type}/{ID}/{SubId}": _party,
    "GET /participants/{Type}/{ID}": _participant,
    "GET /participants/{Type}/{ID}/{SubId}": _participant,
    "POST /participants/{Type}/{ID}": _participant,
    "POST /participants/{Type}/{ID}/{SubId}": _participant,
    "POST /participants": _participants,
    "POST /quotes": _quote,
    "POST /transfers": _transfer,
    "POST /fxQuotes": _conversion,
    "POST /fxTransfers": _fx_transfer,
    "GET /services/FXP": _providers,
    "GET /services/FXP/{SourceCurrency}/{TargetCurrency}": _providers,
    "POST /transactionRequests": _transaction_request,
    "GET /transactionRequests/{ID}": _transaction_request,
    "GET /authorizations/{ID}": _authorization,
}

"""What the tests of rules share: calls of a hub, rule files on disk, a script runner that is no V8."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.engine.inbound.messages import Inbound
from harness.engine.rules.model import Facts, Script
from harness.engine.rules.scripts import ScriptOutcome
from harness.fspiop.headers import content_type

OFFICIAL = Path(__file__).parents[4] / "shared" / "oss" / "collections"
NOW = datetime(2026, 11, 22, 8, 21, 28, 123000, UTC)
HUB = {
    name: f"http://hub.test/{name}"
    for name in ("account-lookup-service", "quoting-service", "ml-api-adapter", "transaction-requests-service")
}


def call(
    method: str,
    path: str,
    body: Any = None,
    *,
    source: str = "testingtoolkitdfsp",
    destination: str = "ttkpayeefsp",
    query: str = "",
    **headers: str,
) -> Inbound:
    """A call of the hub to ``destination``."""
    resource = path.split("/")[1]
    lines = {
        "fspiop-source": source,
        "fspiop-destination": destination,
        "content-type": content_type(resource, "1.1"),
        **({"accept": content_type(resource, "1.1")} if method == "GET" else {}),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    raw = b"" if body is None else json.dumps(body).encode()
    return Inbound(method, path, destination, lines, raw, received_monotonic=0.0, received_at="", query=query)


def quote_request(amount: str = "100", amount_type: str = "SEND", currency: str = "XXX") -> dict[str, Any]:
    """The body of POST /quotes."""

    def party(identifier: str, fsp: str) -> dict[str, Any]:
        return {"partyIdInfo": {"partyIdType": "MSISDN", "partyIdentifier": identifier, "fspId": fsp}}

    return {
        "quoteId": "b51ec534-ee48-4575-b6a9-ead2955b8069",
        "transactionId": "a8323bc6-c228-4df2-ae82-e5a997baf890",
        "payer": party("44123456789", "testingtoolkitdfsp"),
        "payee": party("27713803912", "ttkpayeefsp"),
        "amountType": amount_type,
        "amount": {"currency": currency, "amount": amount},
        "transactionType": {"scenario": "TRANSFER", "initiator": "PAYER", "initiatorType": "CONSUMER"},
    }


def transfer_request(quote: Mapping[str, Any], amount: str = "100") -> dict[str, Any]:
    """The body of POST /transfers under the terms of ``quote``."""
    return {
        "transferId": "b51ec534-ee48-4575-b6a9-ead2955b8070",
        "payerFsp": "testingtoolkitdfsp",
        "payeeFsp": "ttkpayeefsp",
        "amount": {"currency": "XXX", "amount": amount},
        "ilpPacket": quote["ilpPacket"],
        "condition": quote["condition"],
        "expiration": "2026-11-22T08:22:28.123Z",
    }


def rule(event: Mapping[str, Any], *conditions: Mapping[str, Any], name: int = 1) -> dict[str, Any]:
    """A rule as a file holds it."""
    return {
        "ruleId": name,
        "priority": 1,
        "description": "a rule",
        "conditions": {"all": list(conditions)},
        "event": dict(event),
        "type": "callback",
        "version": 1,
    }


def condition(fact: str, value: Any, operator: str = "equal", path: str | None = None) -> dict[str, Any]:
    """A condition as a file holds it."""
    return {"fact": fact, "operator": operator, "value": value, **({"path": path} if path else {})}


def on(method: str, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two conditions that every rule has."""
    return condition("operationPath", path), condition("method", method)


def rule_folder(folder: Path, **kinds: Any) -> Path:
    """Writes rule files: ``callback=[…]`` becomes ``rules_callback/default.json``."""
    for kind, rules in kinds.items():
        (folder / f"rules_{kind}").mkdir(parents=True)
        text = rules if isinstance(rules, str) else json.dumps(rules, indent=1)
        (folder / f"rules_{kind}" / "default.json").write_text(text, encoding="utf-8")
    return folder


@dataclass
class FakeScripts:
    """Leaves what it was told to; remembers what it was asked."""

    outcome: ScriptOutcome
    asked: list[tuple[Script, Facts, Mapping[str, Any]]] = field(default_factory=list)

    def run(self, script: Script, facts: Facts, environment: Mapping[str, Any]) -> ScriptOutcome:
        self.asked.append((script, facts, environment))
        return self.outcome

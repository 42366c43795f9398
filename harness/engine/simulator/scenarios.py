"""What does ``POST /scenarios`` of mojaloop-simulator do? Its steps in order, each with what the earlier ones gave."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from harness.engine.inbound.responder import Reaction
from harness.engine.simulator.outbound import OutboundError, OutboundTransfers, Send

__all__ = ["SCENARIOS", "run_scenarios"]

SCENARIOS = "/scenarios"
_REFERENCE = re.compile(r"\{\{\s*([\w.\-]+)\s*\}\}")


async def run_scenarios(steps: Any, transfers: OutboundTransfers, send: Send) -> Reaction:
    """Returns the response to the scenarios ``steps``: 200 with a result for each by name, up to the first failure.

    A failure is a result too: ``statusCode`` is the hub's error code (text) where it gave one, else an HTTP status.
    400 where ``steps`` are no scenarios. As the collections of v15.1.0 expect it of mojaloop-simulator.
    """
    if not isinstance(steps, list) or not steps:
        return _refused("a list of scenarios is expected")
    results: dict[str, Any] = {}
    for number, given in enumerate(steps, 1):
        if not isinstance(given, dict) or not isinstance(name := given.get("name"), str):
            return _refused(f"scenario {number} has no name")
        step = _filled(given, results)
        try:
            results[name] = {"result": await _run(step, transfers, send)}
        except OutboundError as error:
            code = _code_in(error.state) or error.status
            results[name] = {"result": {"message": error.message, "statusCode": code, "transferState": error.state}}
            break
    return Reaction(taken=True, status=200, body=results)


async def _run(step: Mapping[str, Any], transfers: OutboundTransfers, send: Send) -> dict[str, Any]:
    body = step.get("body")
    match step.get("operation"):
        case "postTransfers":
            return dict(await transfers.pay(body if isinstance(body, dict) else {}, send))
        case "putTransfers":
            # The payer accepted in advance, so there is nothing left to accept: the payment is told as it stands.
            ident = str((step.get("params") or {}).get("transferId"))
            if (state := transfers.state(ident)) is None:
                raise OutboundError(f"there is no transfer {ident}", 400, {})
            return {**state, **(body if isinstance(body, dict) else {})}
        case other:
            raise OutboundError(f"the operation {other} is not played: postTransfers and putTransfers are", 400, {})


def _filled(node: Any, results: Mapping[str, Any]) -> Any:
    """Returns ``node`` with each ``{{scenario.result.name}}`` in place of what it names; unknown ones stay."""
    if isinstance(node, dict):
        return {name: _filled(value, results) for name, value in node.items()}
    if isinstance(node, list):
        return [_filled(item, results) for item in node]
    return _REFERENCE.sub(lambda found: _named(found, results), node) if isinstance(node, str) else node


def _named(found: re.Match[str], results: Mapping[str, Any]) -> str:
    value: Any = results
    for part in found[1].split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return found[0] if value is None else str(value)


def _code_in(state: Mapping[str, Any]) -> str | None:
    said = (state.get("lastError") or {}).get("mojaloopError")
    information = said.get("errorInformation") if isinstance(said, dict) else None
    return str(information["errorCode"]) if isinstance(information, dict) and "errorCode" in information else None


def _refused(why: str) -> Reaction:
    return Reaction(taken=True, status=400, body={"message": why})

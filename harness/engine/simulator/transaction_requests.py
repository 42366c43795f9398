"""What does a simulator say to a request for money? It takes it up: its bank asks the payer later."""

from __future__ import annotations

from harness.engine.inbound.behaviour import SimulatedDfsp
from harness.engine.inbound.messages import Inbound
from harness.engine.inbound.responder import Outgoing, Reaction
from harness.fspiop.headers import DESTINATION, SOURCE, content_type
from harness.fspiop.ids import new_uuid

__all__ = ["take_up"]

_SERVICE = "transaction-requests-service"
_VERSION = "1.1"
"""The newest that the service speaks (transaction-requests-service, config/default.json)."""


def take_up(call: Inbound, dfsp: SimulatedDfsp) -> Reaction | None:
    """Returns the answer RECEIVED to ``POST /transactionRequests`` (mojaloop-simulator); ``None`` to all else."""
    asked = call.body if isinstance(call.body, dict) else {}
    request_id = asked.get("transactionRequestId")
    if (call.method, call.path) != ("POST", "/transactionRequests") or not isinstance(request_id, str):
        return None
    if _SERVICE not in dfsp.hub:
        return None
    headers = {
        "Content-Type": content_type("transactionRequests", _VERSION),
        SOURCE: dfsp.fsp,
        DESTINATION: call.source or "",
    }
    if "traceparent" in call.headers:
        headers["traceparent"] = call.headers["traceparent"]
    said = {"transactionId": new_uuid(), "transactionRequestState": "RECEIVED"}
    url = f"{dfsp.hub[_SERVICE].rstrip('/')}/transactionRequests/{request_id}"
    return Reaction(taken=True, sends=(Outgoing("PUT", url, headers, said),))

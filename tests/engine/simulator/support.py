"""A hub that calls, and one that answers a payer step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from harness.engine.inbound.messages import InboundAddress, Sent
from harness.engine.inbound.responder import Outgoing
from harness.engine.simulator.outbound import OutboundTransfers
from harness.fspiop.jws import fspiop_uri
from tests.engine.inbound.support import Hub, call

PARTY = {
    "party": {
        "partyIdInfo": {"partyIdType": "MSISDN", "partyIdentifier": "27713803912", "fspId": "payeefsp"},
        "personalInfo": {"complexName": {"firstName": "Pay", "lastName": "Ee"}, "dateOfBirth": "1984-01-01"},
    }
}
TERMS = {"transferAmount": {"currency": "XXX", "amount": "10"}, "ilpPacket": "AYI", "condition": "c"}
FULFILLED = {"transferState": "COMMITTED", "fulfilment": "f"}
ERROR = {"errorInformation": {"errorCode": "5100", "errorDescription": "Payee FSP rejected"}}


@contextmanager
def calling(address: InboundAddress) -> Iterator[Hub]:
    """The hub's side of a conversation."""
    with httpx.Client(trust_env=False, timeout=20) as http:
        yield Hub(address, http)


@dataclass
class AnsweringHub:
    """Calls back at once: ``answers`` gives, by resource, the path's suffix and the body; none for silence."""

    answers: Mapping[str, tuple[str, Any] | None]
    status: int | None = 202
    transfers: OutboundTransfers | None = None
    asked: list[Outgoing] = field(default_factory=list)

    async def send(self, outgoing: Outgoing) -> Sent:
        """Takes a call of the payer and, before it even answers, calls back."""
        self.asked.append(outgoing)
        path = fspiop_uri(outgoing.url) or ""
        resource = path.split("/")[1]
        ident = {"quotes": "quoteId", "transfers": "transferId"}.get(resource)
        answer = self.answers.get(resource)
        if answer is not None and self.status is not None and self.status < 400:
            back = path if ident is None else f"{path}/{outgoing.body[ident]}"
            assert self.transfers is not None
            source = {"fspiop-source": "payeefsp"}
            taken = self.transfers.take(call("PUT", back + answer[0], fsp="payerfsp", body=answer[1], headers=source))
            assert taken
        error = "" if self.status is not None else "ConnectError: refused"
        return Sent("payerfsp", outgoing.method, outgoing.url, {}, outgoing.body, self.status, error, "", 1.0)


Good = dict[str, tuple[str, Any] | None]


def good() -> Good:
    """The answers of a payment that works."""
    return {"parties": ("", PARTY), "quotes": ("", TERMS), "transfers": ("", FULFILLED)}

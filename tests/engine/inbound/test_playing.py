"""Simulated DFSPs answer a hub over HTTP, each on its own, while cases watch what happens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
import pytest

from harness.engine.inbound.behaviour import Behaviour, OnParties, OnTransfers, Party, SimulatedDfsp
from harness.engine.inbound.client import InboundClient
from harness.engine.inbound.messages import Inbound
from harness.engine.inbound.responder import Outgoing, Reaction
from harness.engine.inbound.server import InboundServer
from harness.errors import UsageError
from harness.fspiop import dates, ilp
from tests.engine.inbound.support import TRACE, FakeHub, Hub, eventually, traceparent
from tests.engine.inbound.test_dfsp import TRANSFER, quote_request

ANA = Party(id_type="MSISDN", identifier="27713803912", name="Ana")
PAYER = {"FSPIOP-Source": "payerfsp"}


def play(client: InboundClient, services: FakeHub, fsp: str = "payeefsp", **behaviour: Any) -> None:
    client.register(SimulatedDfsp(fsp, services.services, Behaviour(**behaviour), parties=(ANA,)))


def test_a_whole_transfer_is_played(client: InboundClient, hub: Hub, services: FakeHub, notes: list[Any]) -> None:
    play(client, services, transfers=OnTransfers(kind="reserve"))
    asked = {**PAYER, **traceparent()}
    assert hub.send("GET", "/parties/MSISDN/27713803912", fsp="payeefsp", headers=asked).status_code == 202
    _, path, headers, body = services.wait(1)[0]
    assert path == "/account-lookup-service/parties/MSISDN/27713803912"
    assert body["party"]["name"] == "Ana"
    assert (headers["fspiop-source"], headers["fspiop-destination"]) == ("payeefsp", "payerfsp")
    assert TRACE in headers["traceparent"]
    assert dates.http_date()[:16] == headers["date"][:16]

    assert hub.send("POST", "/quotes", quote_request(), fsp="payeefsp", headers=PAYER).status_code == 202
    terms = services.wait(2)[1][3]
    request = {
        "transferId": TRANSFER,
        "amount": terms["transferAmount"],
        "ilpPacket": terms["ilpPacket"],
        "condition": terms["condition"],
    }
    assert hub.send("POST", "/transfers", request, fsp="payeefsp", headers=PAYER).status_code == 202
    _, path, _, body = services.wait(3)[2]
    assert path == f"/ml-api-adapter/transfers/{TRANSFER}"
    assert body["transferState"] == "RESERVED"
    assert ilp.fulfils(body["fulfilment"], terms["condition"])

    hub.send("PATCH", f"/transfers/{TRANSFER}", {"transferState": "COMMITTED"}, fsp="payeefsp")
    assert len(client.seen("payeefsp", method="PATCH", path=f"/transfers/{TRANSFER}", wait_s=5)) == 1
    assert eventually(lambda: len(client.sent("payeefsp")) == 3)
    assert [one.status for one in client.sent("payeefsp")] == [200, 200, 200]
    assert notes == []


def test_a_request_that_a_dfsp_answers_can_also_be_waited_for(
    client: InboundClient, hub: Hub, services: FakeHub, notes: list[Any]
) -> None:
    play(client, services)
    waited = client.expect(fsp="payeefsp", routes=[("POST", "/quotes")], case="c", step="s")
    hub.send("POST", "/quotes", quote_request(), fsp="payeefsp", headers=PAYER)
    call = client.wait(waited, 5)
    assert call is not None
    assert call.body["amount"]["amount"] == "100"
    services.wait(1)
    assert notes == []


def test_a_party_can_be_added_and_the_same_registration_again_keeps_it(
    client: InboundClient, hub: Hub, services: FakeHub
) -> None:
    play(client, services)
    client.add_party("payeefsp", Party(id_type="ACCOUNT_ID", identifier="7"))
    play(client, services)
    hub.send("GET", "/parties/ACCOUNT_ID/7", fsp="payeefsp")
    assert services.wait(1)[0][1] == "/account-lookup-service/parties/ACCOUNT_ID/7"
    play(client, services, parties=OnParties(delay_ms=1))
    hub.send("GET", "/parties/ACCOUNT_ID/7", fsp="payeefsp")
    assert services.wait(2)[1][1] == "/account-lookup-service/parties/ACCOUNT_ID/7/error"


def test_a_party_of_an_unknown_dfsp_is_refused(client: InboundClient) -> None:
    with pytest.raises(UsageError, match="no simulated DFSP nobody is registered"):
        client.add_party("nobody", ANA)


def test_dfsps_behave_each_on_its_own(client: InboundClient, hub: Hub, services: FakeHub) -> None:
    play(client, services, "slowfsp", parties=OnParties(delay_ms=300))
    play(client, services, "silentfsp", parties=OnParties(kind="silent"))
    play(client, services, "quickfsp")
    for fsp in ("slowfsp", "silentfsp", "quickfsp"):
        hub.send("GET", "/parties/MSISDN/27713803912", fsp=fsp)
    assert [headers["fspiop-source"] for _, _, headers, _ in services.wait(2)] == ["quickfsp", "slowfsp"]


def test_a_hub_that_cannot_be_reached_is_recorded(client: InboundClient, hub: Hub, services: FakeHub) -> None:
    nowhere = dict.fromkeys(services.services, "http://127.0.0.1:1")
    client.register(SimulatedDfsp("payeefsp", nowhere, parties=(ANA,)))
    hub.send("GET", "/parties/MSISDN/27713803912", fsp="payeefsp")
    (sent,) = eventually(lambda: client.sent("payeefsp"), 15)
    assert sent.status is None
    assert "ConnectError" in sent.error


class Teller:
    """Another way to answer: says a status and a body at once, and sends one call."""

    def __init__(self, url: str) -> None:
        self._url = url

    def respond(self, call: Inbound, now: datetime) -> Reaction:
        """Answers everything but ``/broken``."""
        if call.path == "/broken":
            raise RuntimeError("a rule went wrong")
        outgoing = Outgoing("PUT", f"{self._url}/told", {"X-Rule": "7"}, {"path": call.path})
        return Reaction(taken=True, sends=(outgoing,), status=418, body={"a": 1}, headers={"x-rule": "7"})


def test_another_responder_can_be_plugged_in(
    server: InboundServer, hub: Hub, services: FakeHub, notes: list[Any]
) -> None:
    server.plug("rulesfsp", Teller(services.url))
    response = hub.send("POST", "/quotes", {}, fsp="rulesfsp")
    assert (response.status_code, response.json(), response.headers["x-rule"]) == (418, {"a": 1}, "7")
    _, path, headers, body = services.wait(1)[0]
    assert (path, headers["x-rule"], body) == ("/told", "7", {"path": "/quotes"})
    assert notes == []


def test_a_responder_that_breaks_is_our_problem_and_the_call_is_answered_and_kept() -> None:
    noted: list[Any] = []
    with InboundServer.start(on_note=noted.append) as server, InboundClient(server.address) as client:
        server.plug("rulesfsp", Teller(""))
        response = httpx.put(f"{server.address.endpoint('rulesfsp')}/broken", json={}, trust_env=False)
        assert response.status_code == 200
        assert len(client.seen("rulesfsp")) == 1
    assert [note.kind for note in noted] == ["unexpected"]
    assert len(server.problems) == 1
    assert "a rule went wrong" in server.problems[0]

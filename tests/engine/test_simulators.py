"""The cast that official collections expect is there, with the repository in which they put their parties."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from harness.engine.inbound.behaviour import Party, SimulatedDfsp
from harness.engine.inbound.client import AnyDfsp, InboundClient
from harness.engine.inbound.responder import Reaction
from harness.engine.inbound.server import InboundServer
from harness.engine.rules.model import RuleBook
from harness.engine.simulator.responder import SimulatorResponder
from harness.engine.simulators import CAST, backend_inputs, play_cast
from harness.fspiop.ilp import fulfils
from harness.hub.config import HUB_SERVICES
from tests.engine.inbound.support import fake_hub
from tests.engine.rules.support import HUB, NOW, call, quote_request

PARTY = {
    "displayName": "Test PayeeFSP",
    "firstName": "Test",
    "middleName": "Of",
    "lastName": "Payee",
    "dateOfBirth": "1984-01-01",
    "idType": "MSISDN",
    "idValue": "27713803912",
}
PATH = "/repository/parties"


def simulator() -> SimulatorResponder:
    return SimulatorResponder(SimulatedDfsp("payeefsp", HUB))


def ask(responder: SimulatorResponder, method: str, path: str = PATH, body: Any = None) -> Reaction:
    reaction = responder.respond(call(method, path, body, destination="payeefsp"), NOW)
    assert reaction.taken
    return reaction


def test_a_party_that_is_put_in_is_listed_and_answered_for_under_the_uri_it_was_asked_by() -> None:
    responder = simulator()
    assert ask(responder, "GET") == Reaction(taken=True, status=200, body=[])
    assert ask(responder, "POST", body=PARTY).status == 204
    assert ask(responder, "GET").body == [PARTY]
    (sent,) = ask(responder, "GET", "/parties/MSISDN/27713803912").sends
    assert sent.body["party"]["personalInfo"]["complexName"]["lastName"] == "Payee"
    assert sent.headers["FSPIOP-URI"].endswith("/parties/MSISDN/27713803912")
    assert sent.headers["FSPIOP-HTTP-Method"] == "PUT"


def test_a_sub_id_makes_another_party() -> None:
    responder = simulator()
    ask(responder, "POST", body=PARTY)
    assert ask(responder, "POST", body={**PARTY, "idSubValue": "30"}).status == 204
    (known,) = ask(responder, "GET", "/parties/MSISDN/27713803912/30").sends
    assert known.body["party"]["partyIdInfo"]["partySubIdOrType"] == "30"
    (unknown,) = ask(responder, "GET", "/parties/MSISDN/27713803912/31").sends
    assert unknown.url.endswith("/31/error")
    assert unknown.body["errorInformation"]["errorCode"] == "3200"


def test_what_a_party_has_beside_its_id_is_told_with_it() -> None:
    responder = simulator()
    listed = [{"key": "accountType", "value": "Wallet"}, {"key": "half"}, "nonsense"]
    ask(responder, "POST", PATH, {"idType": "MSISDN", "idValue": "1", "extensionList": listed})
    (sent,) = ask(responder, "GET", "/parties/MSISDN/1").sends
    told = sent.body["party"]["partyIdInfo"]["extensionList"]
    assert told == {"extension": [{"key": "accountType", "value": "Wallet"}]}
    party = Party(id_type="MSISDN", identifier="1", extensions=(("accountType", "Wallet"),))
    assert Party.from_json(json.loads(json.dumps(party.to_json()))) == party


def test_a_name_that_is_left_empty_is_not_told() -> None:
    responder = simulator()
    ask(responder, "POST", PATH, {**PARTY, "middleName": ""})
    (sent,) = ask(responder, "GET", "/parties/MSISDN/27713803912").sends
    assert "middleName" not in sent.body["party"]["personalInfo"]["complexName"]


def test_the_repository_refuses_in_the_simulators_words() -> None:
    responder = simulator()
    ask(responder, "POST", body=PARTY)
    again = ask(responder, "POST", body=PARTY)
    assert (again.status, again.body) == (500, {"statusCode": "2000", "message": "ID is already registered"})
    for wrong in (None, [], {"idType": "MSISDN"}, {**PARTY, "idValue": ""}):
        assert ask(responder, "POST", body=wrong).status == 400
    assert ask(responder, "PATCH").status == 404


def test_a_party_is_changed_and_removed_by_its_id() -> None:
    responder = simulator()
    ask(responder, "POST", body=PARTY)
    one = f"{PATH}/MSISDN/27713803912"
    assert ask(responder, "PUT", one, {**PARTY, "lastName": "Other"}).status == 204
    (sent,) = ask(responder, "GET", "/parties/MSISDN/27713803912").sends
    assert sent.body["party"]["personalInfo"]["complexName"]["lastName"] == "Other"
    assert ask(responder, "DELETE", one).status == 204
    assert ask(responder, "GET").body == []
    (gone,) = ask(responder, "GET", "/parties/MSISDN/27713803912").sends
    assert gone.url.endswith("/error")
    assert ask(responder, "DELETE", one).status == 500
    assert ask(responder, "PUT", one, PARTY).status == 500


@pytest.mark.parametrize(("amount", "sends"), [("16", 0), ("17", 1)])
def test_the_magic_amounts_hold_for_simulators_too(amount: str, sends: int) -> None:
    responder = simulator()
    (quote,) = responder.respond(call("POST", "/quotes", quote_request(amount), destination="payeefsp"), NOW).sends
    body = {
        "transferId": quote_request()["quoteId"],
        "amount": {"currency": "XXX", "amount": amount},
        "ilpPacket": quote.body["ilpPacket"],
        "condition": quote.body["condition"],
    }
    assert len(responder.respond(call("POST", "/transfers", body, destination="payeefsp"), NOW).sends) == sends


def test_fifteen_is_an_amount_like_any_other_to_a_simulator() -> None:
    responder = simulator()
    (quote,) = responder.respond(call("POST", "/quotes", quote_request("15"), destination="payeefsp"), NOW).sends
    body = {
        "transferId": quote_request()["quoteId"],
        "amount": {"currency": "XXX", "amount": "15"},
        "ilpPacket": quote.body["ilpPacket"],
        "condition": quote.body["condition"],
    }
    (answer,) = responder.respond(call("POST", "/transfers", body, destination="payeefsp"), NOW).sends
    assert fulfils(answer.body["fulfilment"], quote.body["condition"])


def test_the_whole_cast_answers_on_one_base_url_with_the_hub_untouched() -> None:
    with fake_hub() as hub, InboundServer.start() as inbound:
        play_cast(hub.services, inbound, api_version="1.1")
        assert not hub.received
        for fsp in CAST:
            heads = {"fspiop-source": "payerfsp", "fspiop-destination": fsp}
            answer = httpx.post(
                f"{inbound.address.public_url}/quotes", json=quote_request(), headers=heads, trust_env=False
            )
            assert answer.status_code == 202, fsp
        told = {heads["fspiop-source"] for _, _, heads, _ in hub.wait(len(CAST) - 1)}
        assert told == set(CAST) - {"noresponsepayeefsp"}
        assert inbound.problems == ()


def test_other_rules_can_be_played_by_the_toolkits_dfsps() -> None:
    with fake_hub() as hub, InboundServer.start() as inbound:
        play_cast(hub.services, inbound, api_version="1.1", rules=RuleBook())
        heads = {"fspiop-source": "payerfsp", "fspiop-destination": "ttkpayeefsp"}
        httpx.post(f"{inbound.address.public_url}/quotes", json=quote_request(), headers=heads, trust_env=False)
        heads["fspiop-destination"] = "payeefsp"
        httpx.post(f"{inbound.address.public_url}/quotes", json=quote_request(), headers=heads, trust_env=False)
        assert [told["fspiop-source"] for _, _, told, _ in hub.wait(1)] == ["payeefsp"]


def test_collections_find_hub_settlement_and_simulators_by_their_input_values() -> None:
    services = {name: f"http://hub.test/{name}" for name in HUB_SERVICES}
    with InboundServer.start() as inbound:
        values = backend_inputs(services, inbound, jws_key="a public key")
        assert values["HOST_CENTRAL_SETTLEMENT"] == "http://hub.test/central-settlement/v2"
        assert values["PAYEEFSP_BACKEND_TESTAPI_URL"] == inbound.address.endpoint("payeefsp")
        assert values["CALLBACK_ENDPOINT_BASE_URL"] == inbound.address.public_url


def test_a_listener_that_names_no_dfsp_hears_the_calls_to_all_of_them_in_order() -> None:
    with InboundServer.start() as inbound, InboundClient(inbound.address) as client:
        events = AnyDfsp(client)
        for fsp in ("second", "first", "second"):
            heads = {"fspiop-source": "hub", "fspiop-destination": fsp}
            httpx.put(f"{inbound.address.public_url}/parties/MSISDN/5", json={}, headers=heads, trust_env=False)
        found = events.seen(method="PUT", path="/parties/MSISDN/5", since=0.0, wait_s=1.0)
        assert [call.fsp for call in found] == ["second", "first", "second"]
        later = events.seen(method="PUT", path="/parties/MSISDN/5", since=found[1].received_monotonic, wait_s=0.0)
        assert len(later) == 2
        assert not events.seen(method="PUT", path="/parties/MSISDN/6", since=0.0, wait_s=0.05)

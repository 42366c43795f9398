"""What a simulated DFSP got from the hub can be asked for, and listened to as it comes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from harness.engine.inbound.behaviour import SimulatedDfsp
from harness.engine.inbound.messages import InboundAddress
from harness.engine.inbound.server import InboundServer
from harness.engine.simulator.responder import SimulatorResponder
from harness.engine.simulator.test_api import TestApi
from tests.engine.inbound.support import call, fake_hub
from tests.engine.simulator.support import calling

QUOTE = {"quoteId": "q1", "amount": {"amount": "1"}}


def ws(address: InboundAddress, path: str) -> ClientConnection:
    return connect(f"ws{address.endpoint('payeefsp').removeprefix('http')}{path}", open_timeout=5, close_timeout=1)


def heard(connection: ClientConnection) -> Any:
    return json.loads(connection.recv(timeout=5))


@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "ident"),
    [
        ("GET", "/parties/MSISDN/27713803912", None, "requests", "27713803912"),
        ("GET", "/parties/MSISDN/27713803912/30", None, "requests", "27713803912"),
        ("PUT", "/parties/MSISDN/27713803912/error", {}, "callbacks", "27713803912"),
        ("POST", "/quotes", QUOTE, "requests", "q1"),
        ("PUT", "/quotes/q1", {"a": 1}, "callbacks", "q1"),
        ("PUT", "/transfers/t1/error", {"a": 1}, "callbacks", "t1"),
        ("PATCH", "/transfers/t1", {"a": 1}, "requests", "t1"),
        ("POST", "/transfers", {"transferId": "t1"}, "requests", "t1"),
    ],
)
def test_a_call_is_kept_under_the_id_it_is_about(method: str, path: str, body: Any, kind: str, ident: str) -> None:
    api = TestApi()
    told: dict[str, list[Any]] = {place: [] for place in ("/", f"/{kind}", f"/{kind}/{ident}", f"/{kind}/other")}
    for place, texts in told.items():
        assert api.listen(place, texts.append) is not None
    api.keep(call(method, path, body=body))
    asked = api.respond(call("GET", f"/{kind}/{ident}"))
    assert asked is not None
    assert asked.status == 200
    assert asked.body["data"] == ({} if body is None else body)
    assert asked.body["headers"]["fspiop-source"] == "payerfsp"
    assert [len(texts) for texts in told.values()] == [1, 1, 1, 0]
    assert json.loads(told[f"/{kind}"][0]) == {**asked.body, "id": ident}


def test_what_names_no_id_is_kept_nowhere() -> None:
    api = TestApi()
    told: list[str] = []
    api.listen("/", told.append)
    for one in (call("POST", "/quotes", body=[]), call("POST", "/quotes", body={"quoteId": 1}), call("GET", "/health")):
        api.keep(one)
    assert told == []
    assert api.respond(call("GET", "/requests/q1")).body == {}  # type: ignore[union-attr]
    assert api.respond(call("GET", "/requests")) is None
    assert api.respond(call("POST", "/requests/q1", body={})) is None


def test_one_who_left_hears_no_more() -> None:
    api = TestApi()
    told: list[str] = []
    end = api.listen("/requests/q1", told.append)
    assert end is not None
    end()
    api.keep(call("POST", "/quotes", body=QUOTE))
    assert told == []
    assert api.listen("/parties/q1", told.append) is None
    assert api.listen("/requests/q1/more", told.append) is None


def test_a_websocket_hears_of_its_id_and_a_second_one_too() -> None:
    with fake_hub() as hub, InboundServer.start() as inbound, calling(inbound.address) as caller:
        inbound.plug("payeefsp", SimulatorResponder(SimulatedDfsp("payeefsp", hub.services)))
        with ws(inbound.address, "/requests/q1") as one, ws(inbound.address, "/requests") as all_of_them:
            assert caller.send("POST", "/quotes", {"quoteId": "q2"}, fsp="payeefsp").status_code == 202
            assert caller.send("POST", "/quotes", QUOTE, fsp="payeefsp").status_code == 202
            assert heard(one)["data"] == QUOTE
            assert [heard(all_of_them)["id"] for _ in range(2)] == ["q2", "q1"]
        asked = caller.http.get(f"{inbound.address.endpoint('payeefsp')}/requests/q1")
        assert asked.json()["data"] == QUOTE


def test_a_path_that_tells_nothing_is_refused_and_the_server_lives_on() -> None:
    with fake_hub() as hub, InboundServer.start() as inbound, calling(inbound.address) as caller:
        for path in ("/requests/q1", "/parties"):
            with pytest.raises(InvalidStatus), ws(inbound.address, path):
                pass
            inbound.plug("payeefsp", SimulatorResponder(SimulatedDfsp("payeefsp", hub.services)))
        with ws(inbound.address, "/requests/q1"):
            assert caller.send("POST", "/quotes", QUOTE, fsp="payeefsp").status_code == 202
            inbound.stop()
            assert inbound.problems == ()

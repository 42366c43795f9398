"""Callbacks reach the exchange that waits for them, in whatever process; the control API is for this run's workers."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from harness.engine.inbound.client import InboundClient
from harness.engine.inbound.messages import InboundAddress, InboundNote
from harness.engine.inbound.server import InboundServer
from harness.errors import InternalError, UsageError
from tests.engine.inbound.support import TRACE, Hub, eventually, traceparent

WHO = {"case": "a case", "step": "a step"}


def expect(client: InboundClient, *paths: str, **more: Any) -> str:
    routes = [("PUT", path) for path in paths or ("/transfers/1", "/transfers/1/error")]
    return client.expect(fsp="payerfsp", routes=routes, **{**WHO, **more})


def kinds(notes: list[InboundNote]) -> list[tuple[str, str, str | None]]:
    return [(note.kind, note.path, note.case) for note in notes]


def test_a_callback_is_delivered_with_its_headers_and_body(client: InboundClient, hub: Hub, notes: list[Any]) -> None:
    waited = expect(client)
    before = time.monotonic()
    response = hub.send("PUT", "/transfers/1", {"transferState": "COMMITTED", "note": "é測"}, headers=traceparent())
    assert (response.status_code, response.content) == (200, b"")
    callback = client.wait(waited, 5)
    assert callback is not None
    assert (callback.method, callback.path, callback.fsp) == ("PUT", "/transfers/1", "payerfsp")
    assert callback.body == {"transferState": "COMMITTED", "note": "é測"}
    assert callback.headers["fspiop-source"] == "switch"
    assert callback.trace_id == TRACE
    assert callback.violations == ()
    assert before <= callback.received_monotonic <= time.monotonic()
    assert notes == []


def test_a_callback_may_come_to_another_dfsp_that_was_named(client: InboundClient, hub: Hub, notes: list[Any]) -> None:
    early, waited = expect(client, "/participants/MSISDN/1"), expect(client, "/participants/MSISDN/2", also=["owner"])
    hub.send("PUT", "/participants/MSISDN/1", {}, fsp="owner")
    hub.send("PUT", "/participants/MSISDN/2", {}, fsp="owner")
    callback = client.wait(waited, 5)
    assert callback is not None
    assert callback.fsp == "owner"
    assert client.wait(early, 0.1) is None, "nobody said that it may come there"


def test_a_wait_ends_as_soon_as_the_callback_comes(client: InboundClient, hub: Hub) -> None:
    waited = expect(client)
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(client.wait, waited, 60)
        time.sleep(0.1)
        assert not later.done()
        hub.send("PUT", "/transfers/1/error", {"errorInformation": {}})
        callback = later.result(5)
    assert callback is not None
    assert callback.path == "/transfers/1/error"


@pytest.mark.parametrize(("method", "status"), [("PUT", 200), ("PATCH", 200), ("POST", 202), ("GET", 202)])
def test_every_call_is_answered_as_a_dfsp_answers(client: InboundClient, hub: Hub, method: str, status: int) -> None:
    response = hub.send(method, "/transfers/1", {} if method != "GET" else None)
    assert (response.status_code, response.content) == (status, b"")
    assert [call.method for call in client.seen("payerfsp")] == [method]


def test_early_late_and_duplicate_callbacks_are_noted(client: InboundClient, hub: Hub, notes: list[Any]) -> None:
    hub.send("PUT", "/transfers/1", {"n": 1})
    early = client.wait(expect(client, case="early one"), 5)
    assert early is not None
    assert early.body == {"n": 1}
    hub.send("PUT", "/transfers/1", {"n": 2})
    assert client.wait(expect(client, "/transfers/2", case="impatient"), 0.05) is None
    hub.send("PUT", "/transfers/2", {})
    assert kinds(notes) == [
        ("early", "/transfers/1", "early one"),
        ("duplicate", "/transfers/1", "early one"),
        ("late", "/transfers/2", "impatient"),
    ]
    assert {(note.source, note.destination, note.step) for note in notes} == {("switch", "payerfsp", "a step")}


def test_what_nobody_took_is_noted_when_the_server_stops(server: InboundServer, hub: Hub, notes: list[Any]) -> None:
    hub.send("PUT", "/transfers/9", {})
    assert notes == []
    server.stop()
    assert kinds(notes) == [("unexpected", "/transfers/9", None)]


def test_a_cancelled_expectation_is_over(client: InboundClient, hub: Hub, notes: list[Any]) -> None:
    waited = expect(client)
    client.cancel(waited)
    client.cancel(waited)
    hub.send("PUT", "/transfers/1", {})
    assert kinds(notes) == [("unexpected", "/transfers/1", "a case")]
    with pytest.raises(InternalError, match="is not open"):
        client.wait(waited, 1)


def test_the_same_route_expected_twice_is_told_apart_by_trace(client: InboundClient, hub: Hub) -> None:
    path, other = "/parties/MSISDN/1", "f" * 32
    first = expect(client, path, trace_id=TRACE)
    second = expect(client, path, trace_id=other)
    hub.send("PUT", path, {"n": 2}, headers=traceparent(other))
    hub.send("PUT", path, {"n": 1}, headers=traceparent(TRACE))
    got = [client.wait(waited, 5) for waited in (first, second)]
    assert [callback.body if callback else None for callback in got] == [{"n": 1}, {"n": 2}]


def test_prefix_and_header_both_route_and_a_contradiction_is_noted(
    client: InboundClient, hub: Hub, notes: list[Any]
) -> None:
    by_header = expect(client, "/transfers/1")
    hub.to(f"{hub.address.public_url}/transfers/1", "PUT", {"n": 1}, {"FSPIOP-Destination": "payerfsp"})
    by_prefix = expect(client, "/transfers/2")
    hub.send("PUT", "/transfers/2", {"n": 2}, headers={"FSPIOP-Destination": "payeefsp"})
    got = [client.wait(waited, 5) for waited in (by_header, by_prefix)]
    assert [callback.body if callback else None for callback in got] == [{"n": 1}, {"n": 2}]
    assert kinds(notes) == [("misdirected", "/dfsp/payerfsp/transfers/2", None)]
    assert notes[0].destination == "payeefsp"


def test_a_public_url_with_a_path_is_served_with_and_without_it() -> None:
    with (
        InboundServer.start(public_url="http://harness.test/callbacks/") as server,
        InboundClient(server.address) as client,
    ):
        assert server.address.endpoint("a") == "http://harness.test/callbacks/dfsp/a"
        port = server.public_port
        for path in ("/callbacks/dfsp/a/transfers/1", "/dfsp/a/transfers/1"):
            httpx.put(f"http://127.0.0.1:{port}{path}", json={}, trust_env=False)
        assert [call.path for call in client.seen("a")] == ["/transfers/1", "/transfers/1"]


WORKER = """
import json, sys
from harness.engine.inbound.client import InboundClient
from harness.engine.inbound.messages import InboundAddress
with InboundClient(InboundAddress.from_json(json.loads(sys.argv[1]))) as client:
    routes = [[("PUT", f"/transfers/{sys.argv[2]}-{n}")] for n in range(20)]
    waits = [client.expect(fsp="payerfsp", routes=route, case=sys.argv[2], step="s") for route in routes]
    print("ready", flush=True)
    got = [client.wait(one, 20) for one in waits]
    print(json.dumps([[call.body["for"], call.received_monotonic] for call in got]), flush=True)
"""


def test_two_worker_processes_share_one_server(server: InboundServer, hub: Hub, notes: list[Any]) -> None:
    address = json.dumps(server.address.to_json())
    workers = {
        name: subprocess.Popen([sys.executable, "-c", WORKER, address, name], stdout=subprocess.PIPE, text=True)
        for name in ("a", "b")
    }
    try:
        for worker in workers.values():
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        start = time.monotonic()
        for n in range(20):
            for name in ("b", "a"):
                hub.send("PUT", f"/transfers/{name}-{n}", {"for": f"{name}-{n}"})
        for name, worker in workers.items():
            got = json.loads(worker.communicate(timeout=30)[0])
            assert [body for body, _ in got] == [f"{name}-{n}" for n in range(20)]
            assert all(start <= moment <= time.monotonic() for _, moment in got)
    finally:
        for worker in workers.values():
            worker.kill()
            worker.communicate()
    assert notes == []


def test_hundreds_of_callbacks_at_once_reach_their_exchanges(client: InboundClient, hub: Hub, notes: list[Any]) -> None:
    waits = [expect(client, f"/transfers/{n}") for n in range(400)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: hub.send("PUT", f"/transfers/{n}", {"n": n}), reversed(range(400))))
        got = list(pool.map(lambda waited: client.wait(waited, 20), waits))
    assert [callback.body["n"] if callback else None for callback in got] == list(range(400))
    assert notes == []


def test_everything_sent_to_a_dfsp_can_be_seen_in_order(client: InboundClient, hub: Hub) -> None:
    hub.send("PUT", "/transfers/1", {})
    mark = time.monotonic()
    hub.send("POST", "/quotes", {"quoteId": "1"})
    hub.send("PATCH", "/transfers/1", {})
    hub.send("PATCH", "/transfers/1", {}, fsp="payeefsp")
    assert [call.method for call in client.seen("payerfsp")] == ["PUT", "POST", "PATCH"]
    assert [call.method for call in client.seen("payerfsp", path="/transfers/1")] == ["PUT", "PATCH"]
    assert [call.path for call in client.seen("payerfsp", method="post")] == ["/quotes"]
    assert [call.method for call in client.seen("payerfsp", since=mark)] == ["POST", "PATCH"]
    assert client.seen("nobody", wait_s=0.05) == []


def test_what_is_yet_to_come_can_be_watched_for(client: InboundClient, hub: Hub) -> None:
    with ThreadPoolExecutor(1) as pool:
        watch = pool.submit(client.seen, "payeefsp", method="PATCH", path="/transfers/1", wait_s=20)
        time.sleep(0.1)
        hub.send("PUT", "/transfers/1", {}, fsp="payeefsp")
        time.sleep(0.1)
        assert not watch.done()
        hub.send("PATCH", "/transfers/1", {"transferState": "COMMITTED"}, fsp="payeefsp")
        assert [call.body for call in watch.result(5)] == [{"transferState": "COMMITTED"}]


VERBS = ("expect", "wait", "cancel", "register", "party", "seen", "sent")


def test_the_control_api_refuses_who_has_no_token(server: InboundServer) -> None:
    for verb in (*VERBS, "nothing"):
        for given in (b"", b"Bearer", b"Bearer wrong", b"Bearer \xe9", server.address.token.encode()):
            lines = {"authorization": given}
            answer = httpx.post(f"{server.address.control_url}/{verb}", json={}, headers=lines, trust_env=False)
            assert answer.status_code == 401
    stranger = InboundAddress("", server.address.control_url, "wrong")
    with InboundClient(stranger) as client, pytest.raises(InternalError, match="401"):
        client.seen("payerfsp")


def test_the_control_api_is_not_on_the_public_port(server: InboundServer, client: InboundClient) -> None:
    lines = {"authorization": f"Bearer {server.address.token}"}
    for verb in VERBS:
        answer = httpx.post(f"{server.address.public_url}/{verb}", json={"fsp": ""}, headers=lines, trust_env=False)
        assert (answer.status_code, answer.content) == (202, b""), "a call like any other to nobody in particular"
    assert [call.path for call in client.seen("")] == [f"/{verb}" for verb in VERBS]


def test_the_public_side_is_not_on_the_control_port(server: InboundServer, client: InboundClient) -> None:
    lines = {"authorization": f"Bearer {server.address.token}"}
    answer = httpx.put(f"{server.address.control_url}/dfsp/a/transfers/1", json={}, headers=lines, trust_env=False)
    assert answer.status_code == 404
    assert client.seen("a") == []


def test_a_control_question_that_makes_no_sense_is_refused(server: InboundServer) -> None:
    lines = {"authorization": f"Bearer {server.address.token}"}
    bodies = (b"", b"{", b"[]", b"{}", b'"x"', b'{"expectation": [], "timeout_s": "x"}', b'{"fsp": "a", "routes": []}')
    for verb in VERBS:
        for body in bodies:
            answer = httpx.post(f"{server.address.control_url}/{verb}", content=body, headers=lines, trust_env=False)
            wanted = 200 if (verb, body) == ("sent", bodies[-1]) else 400
            assert answer.status_code == wanted, (verb, body, answer.text)


def test_nobody_can_wait_for_longer_than_the_server_allows(client: InboundClient) -> None:
    with pytest.raises(UsageError, match="cannot wait 901"):
        client.wait(expect(client), 901)


def test_stopping_is_quick_and_open_waits_end_in_an_error_not_in_no_callback(server: InboundServer) -> None:
    answers: list[BaseException | object] = []

    def ask(question: Any) -> None:
        with InboundClient(server.address) as client:
            try:
                answers.append(question(client))
            except InternalError as error:
                answers.append(error)

    questions = [lambda client: client.wait(expect(client), 600), lambda client: client.seen("nobody", wait_s=600)]
    threads = [threading.Thread(target=ask, args=(question,)) for question in questions * 10]
    for thread in threads:
        thread.start()
    with InboundClient(server.address) as client:
        assert eventually(lambda: server.open_waits == len(threads)), server.open_waits
    start = time.monotonic()
    server.stop()
    for thread in threads:
        thread.join(5)
    assert time.monotonic() - start < 5
    assert [type(answer) for answer in answers] == [InternalError] * len(threads)
    assert not server.alive
    server.stop()
    with InboundClient(server.address) as client, pytest.raises(InternalError, match="does not answer"):
        client.seen("payerfsp")


def test_a_half_sent_call_does_not_hold_up_the_stop(server: InboundServer, notes: list[Any]) -> None:
    url = httpx.URL(server.address.public_url)
    with socket.create_connection((url.host, url.port or 0)) as connection:
        connection.sendall(b"PUT /dfsp/payerfsp/transfers/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
        time.sleep(0.1)
        start = time.monotonic()
        server.stop()
        assert time.monotonic() - start < 8
    assert kinds(notes) in ([], [("cut-short", "/transfers/1", None)])


def test_a_note_that_cannot_be_recorded_is_a_problem_not_a_crash() -> None:
    def refuse(note: InboundNote) -> None:
        raise OSError("disk full")

    with InboundServer.start(on_note=refuse) as server:
        httpx.put(f"{server.address.endpoint('a')}/transfers/1", json={}, trust_env=False)
    assert len(server.problems) == 1
    assert "disk full" in server.problems[0]


def test_an_address_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(UsageError, match="public URL"):
        InboundServer.start(host="0.0.0.0")
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UsageError, match="cannot listen"):
        InboundServer.start(port=taken.getsockname()[1])

"""A wait ends early only where nothing can come: not while anything is under way, here or there."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from harness.engine.inbound.client import InboundClient
from harness.engine.inbound.responder import Outgoing, Reaction
from harness.engine.inbound.server import InboundServer
from harness.engine.inbound.silence import LOOK_S, Silence
from harness.fspiop.ids import new_uuid
from harness.hub.process import HubProcess, silence_url
from tests.engine.inbound.support import Hub
from tests.engine.inbound.test_server import expect
from tests.hub.world import release

LONG_S = 20.0


@pytest.fixture(scope="module")
def embedded() -> Iterator[HubProcess]:
    with HubProcess.start(release()) as hub:
        yield hub


@pytest.fixture
def server(embedded: HubProcess) -> Iterator[InboundServer]:
    with InboundServer.start(silence_url=silence_url(embedded.services)) as running:
        yield running
    assert running.problems == ()


def seconds_of(action: Any) -> float:
    began = time.monotonic()
    assert not action()
    return time.monotonic() - began


def test_nobody_waits_for_what_cannot_come(client: InboundClient) -> None:
    assert client.silence_lasts(LONG_S)
    assert seconds_of(lambda: client.wait(expect(client), LONG_S)) < LONG_S / 2
    assert seconds_of(lambda: client.seen("payerfsp", path=f"/transfers/{new_uuid()}", wait_s=LONG_S)) < LONG_S / 2


def test_where_the_hub_does_not_tell_a_wait_lasts() -> None:
    with InboundServer.start() as server, InboundClient(server.address) as client:
        assert not client.silence_lasts(0.1)
        assert seconds_of(lambda: client.wait(expect(client), 3 * LOOK_S)) >= 3 * LOOK_S


def test_an_answer_that_one_of_ours_still_owes_is_waited_for(
    server: InboundServer, client: InboundClient, hub: Hub
) -> None:
    class Slow:
        def respond(self, call: Any, now: Any) -> Reaction:
            url = f"{server.address.endpoint('payerfsp')}/transfers/1"
            lines = {"Content-Type": "application/vnd.interoperability.transfers+json;version=1.1"}
            return Reaction(taken=True, sends=(Outgoing("PUT", url, lines, {}, delay_ms=int(6 * LOOK_S * 1000)),))

    server.plug("payeefsp", Slow())
    waited = expect(client)
    hub.send("POST", "/transfers", {}, fsp="payeefsp")
    assert not client.silence_lasts(0.1)
    assert client.wait(waited, LONG_S) is not None


def test_a_call_that_one_of_ours_still_works_on_is_waited_for(
    server: InboundServer, client: InboundClient, hub: Hub
) -> None:
    let_go = threading.Event()

    class Working:
        def respond(self, call: Any, now: Any) -> Reaction:
            async def later(send: Any) -> Reaction:
                await asyncio.to_thread(let_go.wait, LONG_S)
                return Reaction(taken=True)

            return Reaction(taken=True, later=later)

    server.plug("payeefsp", Working())
    with ThreadPoolExecutor(1) as pool:
        answered = pool.submit(hub.send, "POST", "/transfers", {}, fsp="payeefsp")
        assert client.seen("payeefsp", wait_s=5)
        assert not client.silence_lasts(0.1)
        let_go.set()
        assert answered.result(5).status_code == 202
    assert client.silence_lasts(LONG_S)


class Answers:
    """A hub that says one thing after the other of its silence; what happens meanwhile is given with each."""

    def __init__(self, *said: Any) -> None:
        self.said = list(said)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        said = self.said.pop(0)
        if callable(said):
            said = said()
        return said if isinstance(said, httpx.Response) else httpx.Response(200, json={"silent_s": said})


def lasts(seconds: float, *said: Any) -> bool:
    async def ask() -> bool:
        async with httpx.AsyncClient(transport=httpx.MockTransport(Answers(*said))) as http:
            return await Silence(http, "http://hub.test/harness/silence").lasts(seconds)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (None, True),
        (6.0, True),
        (5.0, False),
        (0, False),
        (httpx.Response(404, json={}), False),
        (httpx.Response(200, text="no JSON"), False),
        (httpx.Response(200, json=[1]), False),
    ],
)
def test_a_silence_lasts_only_where_the_hub_says_so(said: Any, expected: bool) -> None:
    assert lasts(5.0, said) is expected


def test_a_hub_that_is_gone_does_not_make_silence() -> None:
    def gone() -> None:
        raise httpx.ConnectError("refused")

    assert not lasts(5.0, gone)


def test_what_begins_while_the_hub_answers_breaks_the_silence() -> None:
    async def ask() -> tuple[bool, bool, bool]:
        def call_comes() -> None:
            with silence.broken():
                pass

        answers = Answers(call_comes, None, None)
        async with httpx.AsyncClient(transport=httpx.MockTransport(answers)) as http:
            silence = Silence(http, "http://hub.test/harness/silence")
            meanwhile, after = await silence.lasts(5.0), await silence.lasts(5.0)
            with silence.broken():
                during = await silence.lasts(5.0)
            return meanwhile, after, during

    assert asyncio.run(ask()) == (False, True, False)

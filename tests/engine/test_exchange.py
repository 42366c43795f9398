"""An exchange says truly how long its callback was waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import httpx
import pytest

from harness.engine.exchange import CallbackRoutes, Exchange, Exchanger, Request
from harness.engine.inbound.messages import Inbound


class Waits:
    """An inbound server to which nothing comes; a wait lasts as ``lasting`` makes of what was asked for."""

    def __init__(self, lasting: Callable[[float], float]) -> None:
        self.lasting = lasting
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def expect(
        self,
        *,
        fsp: str,
        routes: Sequence[tuple[str, str]],
        case: str,
        step: str,
        trace_id: str | None = None,
        also: Sequence[str] = (),
    ) -> str:
        self.asked.append((fsp, tuple(also)))
        return "e1"

    def wait(self, expectation: str, timeout_s: float) -> Inbound | None:
        time.sleep(self.lasting(timeout_s))
        return None

    def cancel(self, expectation: str) -> None:
        raise AssertionError("the request was accepted")


def exchanged(inbound: Waits) -> Exchange:
    accepting = httpx.MockTransport(lambda request: httpx.Response(202))
    exchanger = Exchanger(inbound, callback_timeout_s=0.2, transport=accepting)
    try:
        awaiting = CallbackRoutes("payer", [("PUT", "/parties/1")], also=("owner",))
        return exchanger.exchange(Request("GET", "http://hub.test/parties/1", {}, None), awaiting=awaiting)
    finally:
        exchanger.close()


@pytest.mark.parametrize(
    ("lasting", "said"),
    [
        (lambda asked: asked + 0.01, "no callback within 0.2 s"),
        (lambda asked: 0.0, "no callback, and none was on its way any more after 0.0 of 0.2 s"),
    ],
)
def test_what_is_said_of_a_missing_callback_is_how_long_it_was_waited_for(
    lasting: Callable[[float], float], said: str
) -> None:
    inbound = Waits(lasting)
    exchange = exchanged(inbound)
    assert (exchange.callback, exchange.error, exchange.error_kind) == (None, said, "callback-timeout")
    assert inbound.asked == [("payer", ("owner",))]

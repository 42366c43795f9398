"""The hub says for how long it will call nobody: never too long, or a wait would end before its call came."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness.hub.defects import SLOWNESS_S
from tests.hub.world import World, quote, until, world


def silent_s(w: World) -> float | None:
    found: float | None = w.admin("GET", "/harness/silence").json()["silent_s"]
    return found


def settled(w: World) -> None:
    """Waits until nothing is under way, which here takes no more than an answer to a callback."""
    until(lambda: silent_s(w) != 0)


def test_a_hub_with_nothing_to_do_is_silent_for_good() -> None:
    with world() as w:
        assert silent_s(w) is None
        w.committed()
        settled(w)
        assert silent_s(w) is None


def test_a_reserved_transfer_breaks_the_silence_when_it_expires() -> None:
    with world() as w:
        w.reserve()
        settled(w)
        left = silent_s(w)
        assert left is not None
        assert 50 < left <= 60
        later = w.reserve()
        w.fulfil(later)
        w.receiver.wait("payer", "PUT", f"/transfers/{later['transferId']}")
        settled(w)
        again = silent_s(w)
        assert again is not None
        assert again <= left, "the first is still reserved"


def test_a_transfer_that_has_ended_leaves_silence_behind() -> None:
    with world() as w:
        body = w.reserve()
        assert w.abort(body).status_code == 200
        w.receiver.wait("payer", "PUT", f"/transfers/{body['transferId']}/error")
        settled(w)
        assert silent_s(w) is None


def test_work_that_a_request_left_behind_is_no_silence() -> None:
    assert SLOWNESS_S > 1
    with world("quote-slow") as w:
        assert w.fspiop(
            "POST", "quoting-service", "/quotes", "quotes", "payer", quote(), destination="payee"
        ).is_success
        for _ in range(20):
            assert silent_s(w) == 0


def test_a_callback_that_nobody_has_answered_is_no_silence() -> None:
    let_go = threading.Event()

    class Slow(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            let_go.wait(10)
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server, world() as w:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        kind = {
            "type": "FSPIOP_CALLBACK_URL_TRANSFER_POST",
            "value": f"http://127.0.0.1:{server.server_port}/transfers",
        }
        assert w.admin("POST", "/participants/payee/endpoints", kind).is_success
        w.prepare()
        for _ in range(20):
            assert silent_s(w) == 0
        let_go.set()
        settled(w)
        server.shutdown()


def test_a_request_that_is_not_answered_yet_is_no_silence() -> None:
    with world() as w:
        assert w.core is not None
        assert silent_s(w) is None
        under_way = w.core.requests_under_way
        w.core.requests_under_way = lambda: under_way() + 1
        assert silent_s(w) == 0

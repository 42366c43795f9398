"""Whom a call is for is read the same way whatever is in it, and nothing in it breaks the reader."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.engine.inbound.messages import Inbound, InboundAddress, normalise_path, trace_id_of
from harness.engine.inbound.public import read_call
from harness.fspiop.headers import content_type

TRANSFERS = (b"Content-Type", content_type("transfers").encode())


def destination(fsp: str) -> tuple[bytes, bytes]:
    return b"FSPIOP-Destination", fsp.encode("latin-1")


def test_the_prefix_names_the_dfsp_and_is_taken_off() -> None:
    call = read_call("PUT", "/dfsp/payerfsp/transfers/1?a=b", [TRANSFERS, destination("payerfsp")], b"{}")
    assert (call.fsp, call.path, call.query, call.body, call.violations) == ("payerfsp", "/transfers/1", "a=b", {}, ())


def test_without_a_prefix_the_header_names_it() -> None:
    call = read_call("PUT", "/transfers/1", [TRANSFERS, destination("payerfsp")], b"{}")
    assert (call.fsp, call.path, call.violations) == ("payerfsp", "/transfers/1", ())


def test_the_prefix_wins_over_a_header_that_names_another() -> None:
    call = read_call("PUT", "/dfsp/payerfsp/transfers/1", [TRANSFERS, destination("payeefsp")], b"{}")
    assert call.fsp == "payerfsp"
    assert call.violations == ("FSPIOP-Destination is 'payeefsp' in a call to 'payerfsp'",)


def test_a_call_that_names_nobody_says_so() -> None:
    call = read_call("PUT", "/transfers/1", [TRANSFERS], b"{}")
    assert call.fsp == ""
    assert "tells whom" in call.violations[0]


@pytest.mark.parametrize(
    ("line", "raw", "violation"),
    [
        (TRANSFERS, b"{", "body is not JSON: JSONDecodeError"),
        (TRANSFERS, b"\xff\xfe\x00", "body is not JSON: UnicodeDecodeError"),
        (TRANSFERS, b"[" * 100_000, "body is not JSON: RecursionError"),
        (TRANSFERS, b'{"a": NaN}', "body is not JSON: ValueError: NaN"),
        (TRANSFERS, b"9" * 5000, "body is not JSON: ValueError"),
        (TRANSFERS, b"", "a body is missing"),
        ((b"Content-Type", b"text/plain"), b"{}", "Content-Type is 'text/plain'"),
        ((b"Content-Type", content_type("quotes").encode()), b"{}", "Content-Type names 'quotes'"),
    ],
)
def test_a_call_that_is_not_fspiop_is_read_with_its_violation(
    line: tuple[bytes, bytes], raw: bytes, violation: str
) -> None:
    call = read_call("PUT", "/dfsp/payerfsp/transfers/1", [line], raw)
    assert call.raw == raw
    assert any(text.startswith(violation) for text in call.violations), call.violations


@pytest.mark.parametrize(
    ("target", "fsp", "path"),
    [
        ("/dfsp/a%2Fb/parties/MSISDN/%2B1", "a/b", "/parties/MSISDN/+1"),
        ("/dfsp/a/parties/BUSINESS/x%2Fy", "a", "/parties/BUSINESS/x%2Fy"),
        ("/dfsp/a/../b/transfers/1", "a", "/../b/transfers/1"),
        ("/dfsp/..%2F..%2Fetc/passwd", "../../etc", "/passwd"),
        ("/dfsp/a", "a", "/"),
        ("/dfsp//transfers/1", "h", "/transfers/1"),
        ("/dfspx/transfers/1", "h", "/dfspx/transfers/1"),
        ("/parties/PERSONAL_ID/%E6%B5%8B", "h", "/parties/PERSONAL_ID/测"),
        ("*", "h", "*"),
    ],
)
def test_odd_targets_are_read_literally(target: str, fsp: str, path: str) -> None:
    call = read_call("GET", target, [destination("h")], b"")
    assert (call.fsp, call.path) == (fsp, path)


def test_a_header_that_comes_twice_is_joined() -> None:
    call = read_call("GET", "/", [(b"Accept", b"a"), (b"ACCEPT", b"b")], b"")
    assert call.headers == {"accept": "a, b"}


@settings(deadline=None)
@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126)),
    st.lists(st.tuples(st.binary(max_size=9), st.binary(max_size=9)), max_size=4),
    st.binary(max_size=60) | st.text(max_size=30).map(lambda text: json.dumps({"a": text}).encode()),
)
def test_whatever_comes_is_read_and_survives_the_control_api(
    target: str, lines: list[tuple[bytes, bytes]], raw: bytes
) -> None:
    call = read_call("PUT", "/dfsp/x/" + target, lines, raw)
    again = Inbound.from_json(json.loads(json.dumps(call.to_json())))
    assert again == call
    assert again.body == call.body


@settings(deadline=None)
@given(st.text())
def test_the_endpoint_of_any_dfsp_leads_back_to_it(fsp: str) -> None:
    try:
        endpoint = InboundAddress("", "", "").endpoint(fsp)
    except UnicodeEncodeError:
        return
    call = read_call("GET", f"{endpoint}/parties/MSISDN/1", [], b"")
    assert (call.fsp, call.path) == (fsp, "/parties/MSISDN/1")


def test_an_address_survives_the_way_to_a_worker_and_hides_its_token() -> None:
    address = InboundAddress("http://127.0.0.1:1", "http://127.0.0.1:2", "a-token")
    assert InboundAddress.from_json(json.loads(json.dumps(address.to_json()))) == address
    assert "a-token" not in repr(address)


def test_paths_are_compared_decoded_once_and_without_query() -> None:
    assert normalise_path("/parties/MSISDN/%2B1?x=1") == normalise_path("/parties/MSISDN/+1") == "/parties/MSISDN/+1"
    assert normalise_path("/parties/X/%252B") == "/parties/X/%2B"


def test_only_a_valid_traceparent_has_a_trace_id() -> None:
    assert trace_id_of("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01") == "0af7651916cd43dd8448eb211c80319c"
    for text in ("", "00-1-2-3", f"00-{'0' * 32}-b7ad6b7169203331-01"):
        assert trace_id_of(text) is None

"""Protocol facts hold: packets, amounts, ids, headers, operations."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.fspiop import dates, headers, ids, ilp, money, resources
from harness.fspiop.errors import FspiopError, error_information, error_said

amounts = st.integers(min_value=0, max_value=2**64 - 1).map(lambda units: Decimal(units).scaleb(-4))


@given(amounts)
def test_an_amount_survives_being_written(value: Decimal) -> None:
    assert money.parse_amount(money.format_amount(value)) == value


@pytest.mark.parametrize("text", ["", "01", "1.0", "1.", ".5", "-1", "1e3", "1.00001", "1234567890123456789", "١", 1])
def test_what_fspiop_does_not_call_an_amount_is_refused(text: object) -> None:
    assert not money.is_amount(text)


@given(amounts, st.dictionaries(st.text(max_size=5), st.text(max_size=400), max_size=4))
def test_a_packet_can_be_read_back(amount: Decimal, transaction: dict[str, str]) -> None:
    packet = ilp.parse_packet(ilp.build_packet(amount=amount, address="g.payeefsp.msisdn.1", transaction=transaction))
    assert packet.transaction == transaction
    assert packet.amount == amount.scaleb(4)
    assert packet.address == "g.payeefsp.msisdn.1"


@given(st.binary(max_size=80))
def test_arbitrary_octets_are_read_or_refused_never_a_crash(raw: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert ilp.parse_packet(ilp.encode(raw)).amount >= 0


def test_only_the_right_fulfilment_fulfils() -> None:
    packet = ilp.build_packet(amount=Decimal(1), address="g.a", transaction={"transactionId": "t"})
    fulfilment = ilp.fulfilment_for(packet, b"secret")
    condition = ilp.condition_of(fulfilment)
    assert ilp.fulfils(fulfilment, condition)
    assert not ilp.fulfils(ilp.fulfilment_for(packet, b"other"), condition)
    assert not ilp.fulfils("not base64!", condition)
    assert not ilp.fulfils("", ilp.condition_of(""))


def test_ids_are_recognised() -> None:
    assert ids.is_uuid(ids.new_uuid())
    assert ids.is_ulid(ids.new_ulid())
    assert not ids.is_uuid(ids.new_ulid())
    assert not ids.is_correlation_id("00000000-0000-0000-0000-000000000000")


def test_media_types_are_written_and_read() -> None:
    text = headers.content_type("parties", "1.1")
    assert text == "application/vnd.interoperability.parties+json;version=1.1"
    assert headers.parse_content_type(text) == headers.MediaType("parties", headers.ApiVersion(1, 1))
    assert headers.parse_content_type(text + "; charset=utf-8").resource == "parties"
    assert headers.parse_accept(headers.accept("quotes", "2", "1.0")) == [
        headers.MediaType("quotes", headers.ApiVersion(2)),
        headers.MediaType("quotes", headers.ApiVersion(1, 0)),
    ]
    with pytest.raises(ValueError, match="not an FSPIOP media type"):
        headers.parse_content_type("application/json")


@pytest.mark.parametrize(
    ("method", "path", "key", "parameters"),
    [
        ("get", "/parties/MSISDN/1", "GET /parties/{Type}/{ID}", {"Type": "MSISDN", "ID": "1"}),
        ("PUT", "/parties/MSISDN/1/error", "PUT /parties/{Type}/{ID}/error", {"Type": "MSISDN", "ID": "1"}),
        (
            "PUT",
            "/parties/MSISDN/1/sub",
            "PUT /parties/{Type}/{ID}/{SubId}",
            {"Type": "MSISDN", "ID": "1", "SubId": "sub"},
        ),
        ("POST", "/transfers", "POST /transfers", {}),
        ("PUT", "/transfers/7/error", "PUT /transfers/{ID}/error", {"ID": "7"}),
        ("PATCH", "/transfers/7", "PATCH /transfers/{ID}", {"ID": "7"}),
    ],
)
def test_a_path_is_recognised(method: str, path: str, key: str, parameters: dict[str, str]) -> None:
    found = resources.find_operation(method, path)
    assert found is not None
    assert (found[0].key, found[1]) == (key, parameters)


def test_unknown_paths_are_none() -> None:
    assert resources.find_operation("GET", "/health") is None


def test_moments_are_written_both_ways() -> None:
    moment = datetime(2026, 11, 22, 8, 21, 28, 123456, tzinfo=UTC)
    assert dates.http_date(moment) == "Sun, 22 Nov 2026 08:21:28 GMT"
    assert dates.iso_ms(moment) == "2026-11-22T08:21:28.123Z"
    assert dates.parse_iso("2026-11-22T08:21:28.123Z") == moment.replace(microsecond=123000)


def test_an_error_body_carries_code_and_text() -> None:
    assert error_information(FspiopError.PARTY_NOT_FOUND)["errorInformation"] == {
        "errorCode": "3204",
        "errorDescription": "Party not found",
    }
    assert len(error_information(FspiopError.CLIENT, "x" * 300)["errorInformation"]["errorDescription"]) == 128


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (error_information(FspiopError.PARTY_NOT_FOUND, "x"), ("3204", "Party not found - x")),
        ({"errorInformation": {"errorCode": 3100, "errorDescription": None}}, ("3100", "")),
        ({"transferState": {"lastError": error_information(FspiopError.CLIENT)}}, ("3000", "Generic client error")),
        ({"s1": {"result": {"message": "must NOT have\n this", "statusCode": 400}}}, ("400", "must NOT have this")),
        ({"message": "fine", "statusCode": 200}, ("", "")),
        ({"errorInformation": "broken"}, ("", "")),
        ({"a": {"b": {"c": {"d": {"e": error_information(FspiopError.CLIENT)}}}}}, ("", "")),
        (["3204"], ("", "")),
        (None, ("", "")),
        ("text", ("", "")),
    ],
)
def test_the_error_in_a_body_is_found_and_nothing_else_is_taken_for_one(body: object, said: tuple[str, str]) -> None:
    assert error_said(body) == said


def test_the_words_of_an_error_are_kept_short() -> None:
    body = {"errorInformation": {"errorCode": "2001", "errorDescription": "x" * 999}}
    assert error_said(body) == ("2001", "x" * 200)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (
            {"amount": {"amount": "1", "currency": "XOF"}, "fee": [{"currency": "EUR"}, {"currency": "XOF"}]},
            ["EUR", "XOF"],
        ),
        ({"currency": "euro"}, []),
        ({"currency": ["EUR"]}, []),
        ("EUR", []),
        (None, []),
    ],
)
def test_the_currencies_of_a_message_are_found(body: object, found: list[str]) -> None:
    assert money.currencies_in(body) == found

"""Transfers over HTTP: limits, refusals, aborts, expiry, duplicates, notifications."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from harness.fspiop.dates import iso_ms
from harness.fspiop.ids import new_ulid, new_uuid
from harness.hub.transfer_times import expires_at
from tests.hub.world import World, in_seconds, transfer, until, world


@pytest.fixture(scope="module")
def shared() -> Iterator[World]:
    with world() as one:
        yield one


@pytest.fixture
def w(shared: World) -> Iterator[World]:
    """A hub whose ledger balances after every test."""
    yield shared
    assert shared.core is not None
    shared.core.ledger.check_invariants()


def test_a_prepare_reserves_the_payers_position_and_a_fulfil_moves_it_to_the_payee(w: World) -> None:
    payer, payee = w.balance("payer"), w.balance("payee")
    body = w.reserve("12.3456")
    assert (w.balance("payer"), w.balance("payee")) == (payer + Decimal("12.3456"), payee)
    assert w.fulfil(body).status_code == 200
    w.receiver.wait("payer", "PUT", f"/transfers/{body['transferId']}")
    assert (w.balance("payer"), w.balance("payee")) == (payer + Decimal("12.3456"), payee - Decimal("12.3456"))


def test_the_payees_answer_reaches_the_payer_as_the_payee_gave_it(w: World) -> None:
    body = w.reserve()
    w.fulfil(body)
    callback = w.receiver.wait("payer", "PUT", f"/transfers/{body['transferId']}")
    assert callback.headers["content-type"] == "application/vnd.interoperability.transfers+json;version=1.1"
    assert (callback.headers["fspiop-source"], callback.headers["fspiop-destination"]) == ("payee", "payer")
    assert set(callback.body) == {"transferState", "fulfilment", "completedTimestamp"}


def test_a_trace_goes_on_with_a_new_span(w: World) -> None:
    body, _ = w.prepare(headers={"tracestate": "vendor=1"})
    until(lambda: any(c.body["transferId"] == body["transferId"] for c in w.receiver.of("payee", "POST", "/transfers")))
    headers = w.receiver.of("payee", "POST", "/transfers")[-1].headers
    version, trace, span, flags = headers["traceparent"].split("-")
    assert (version, trace, flags) == ("00", "aabbeec0f44a9289378f261f2214288d", "01")
    assert span != "0000000000000002"
    assert headers["tracestate"] == "vendor=1"


def test_a_payee_that_answers_reserved_is_told_the_end_by_patch(w: World) -> None:
    body = w.reserve()
    path = f"/transfers/{body['transferId']}"
    w.fulfil(body, transferState="RESERVED", completedTimestamp=in_seconds(-1))
    patch = w.receiver.wait("payee", "PATCH", path)
    assert patch.body["transferState"] == "COMMITTED"
    assert set(patch.body) == {"transferState", "completedTimestamp"}
    assert (patch.headers["fspiop-source"], patch.headers["fspiop-http-method"]) == ("Hub", "PATCH")
    callback = w.receiver.wait("payer", "PUT", path)
    assert callback.headers["fspiop-source"] == "Hub"
    assert set(callback.body) == {"transferState", "fulfilment", "completedTimestamp"}


def test_reserved_is_passed_over_in_version_1_0(w: World) -> None:
    body = w.reserve()
    assert w.fulfil(body, transferState="RESERVED", version="1.0").status_code == 200
    assert w.state(body["transferId"])["transferState"] == "RESERVED"
    w.abort(body)


def test_aborted_as_a_transfer_state_is_passed_over(w: World) -> None:
    body = w.reserve()
    assert w.fulfil(body, transferState="ABORTED").status_code == 200
    assert w.state(body["transferId"])["transferState"] == "RESERVED"
    w.abort(body)


def test_an_invalid_fulfilment_aborts_and_both_sides_are_told(w: World) -> None:
    payer = w.balance("payer")
    body = w.reserve()
    path = f"/transfers/{body['transferId']}"
    w.fulfil(body, fulfilment="A" * 43)
    expected = {"errorCode": "3100", "errorDescription": "Generic validation error"}
    assert (w.error("payer", path), w.error("payee", path)) == (expected, expected)
    assert w.balance("payer") == payer
    cause = {"key": "cause", "value": "3100: Generic validation error - invalid fulfilment"}
    assert w.state(body["transferId"])["extensionList"] == {"extension": [cause]}


def test_an_invalid_fulfilment_with_reserved_is_told_by_patch(w: World) -> None:
    body = w.reserve()
    w.fulfil(body, fulfilment="A" * 43, transferState="RESERVED")
    path = f"/transfers/{body['transferId']}"
    assert w.receiver.wait("payee", "PATCH", path).body["transferState"] == "ABORTED"
    assert w.error("payer", path)["errorCode"] == "3100"


@pytest.mark.parametrize(
    ("source", "destination", "text"),
    [
        ("payer", "payer", "fspiop-source does not match payee fsp on the Fulfil callback response"),
        ("payee", "payee", "fspiop-destination does not match payer fsp on the Fulfil callback response"),
    ],
)
def test_an_answer_from_or_to_the_wrong_dfsp_aborts(w: World, source: str, destination: str, text: str) -> None:
    payer = w.balance("payer")
    body = w.reserve()
    w.fulfil(body, source=source, destination=destination)
    error = w.error("payer", f"/transfers/{body['transferId']}")
    assert error == {"errorCode": "3100", "errorDescription": f"Generic validation error - {text}"[:128]}
    assert w.balance("payer") == payer


def test_an_abort_by_the_payee_gives_the_position_back_and_reaches_the_payer(w: World) -> None:
    payer = w.balance("payer")
    body = w.reserve()
    assert w.abort(body, "5101").status_code == 200
    path = f"/transfers/{body['transferId']}"
    assert w.error("payer", path) == {"errorCode": "5101", "errorDescription": "No thanks"}
    assert w.receiver.wait("payer", "PUT", f"{path}/error").headers["fspiop-source"] == "payee"
    assert w.balance("payer") == payer
    state = w.state(body["transferId"])
    assert state["transferState"] == "ABORTED"
    assert state["extensionList"]["extension"] == [{"key": "cause", "value": "5101: No thanks"}]


def test_a_transfer_expires_and_both_sides_are_told(w: World) -> None:
    payer = w.balance("payer")
    body = w.reserve(expiration=in_seconds(0.4))
    path = f"/transfers/{body['transferId']}"
    expected = {"errorCode": "3303", "errorDescription": "Transfer expired"}
    assert (w.error("payer", path), w.error("payee", path)) == (expected, expected)
    assert w.balance("payer") == payer
    assert w.state(body["transferId"])["extensionList"]["extension"][0]["value"] == "3303: Transfer expired"


def test_a_fulfil_after_expiry_is_refused_and_changes_nothing(w: World) -> None:
    body = w.reserve(expiration=in_seconds(0.3))
    path = f"/transfers/{body['transferId']}"
    w.error("payee", path)
    w.fulfil(body)
    until(lambda: len(w.receiver.of("payee", "PUT", f"{path}/error")) == 2)
    late = w.receiver.of("payee", "PUT", f"{path}/error")[1].body["errorInformation"]
    assert late["errorDescription"] == "Generic validation error - non-RESERVED transfer state"
    assert w.state(body["transferId"])["transferState"] == "ABORTED"


def test_a_repeated_prepare_is_answered_once_the_transfer_has_ended(w: World) -> None:
    body = w.reserve()
    path = f"/transfers/{body['transferId']}"
    w.send_prepare(body)
    assert w.receiver.count("payer", "PUT", path) == 0
    w.fulfil(body)
    w.receiver.wait("payer", "PUT", path)
    w.send_prepare(body)
    until(lambda: len(w.receiver.of("payer", "PUT", path)) == 2)
    again = w.receiver.of("payer", "PUT", path)[1]
    assert (again.body["transferState"], again.headers["fspiop-source"]) == ("COMMITTED", "Hub")
    sent = [c for c in w.receiver.of("payee", "POST", "/transfers") if c.body["transferId"] == body["transferId"]]
    assert len(sent) == 1


def test_a_modified_prepare_is_refused_and_the_first_goes_on(w: World) -> None:
    body = w.reserve()
    w.send_prepare({**body, "expiration": in_seconds(90)})
    assert w.error("payer", f"/transfers/{body['transferId']}")["errorCode"] == "3106"
    w.fulfil(body)
    assert w.receiver.wait("payer", "PUT", f"/transfers/{body['transferId']}").body["transferState"] == "COMMITTED"


def test_a_repeated_fulfil_is_answered_with_the_state_and_a_modified_one_with_3106(w: World) -> None:
    body = w.reserve()
    path, moment = f"/transfers/{body['transferId']}", in_seconds(-1)
    w.fulfil(body, completedTimestamp=moment)
    w.receiver.wait("payer", "PUT", path)
    w.fulfil(body, completedTimestamp=moment)
    assert w.receiver.wait("payee", "PUT", path).body["transferState"] == "COMMITTED"
    w.fulfil(body, completedTimestamp=moment, fulfilment="A" * 43)
    assert w.error("payee", path) == {"errorCode": "3106", "errorDescription": "Modified request"}
    assert w.receiver.count("payer", "PUT", path) == 1


def test_a_fulfil_of_an_unknown_transfer_is_answered_with_2001(w: World) -> None:
    body = transfer()
    w.fulfil(body)
    error = w.error("payee", f"/transfers/{body['transferId']}")
    assert error == {"errorCode": "2001", "errorDescription": "Internal server error - transfer not found"}


def test_an_unknown_transfer_is_answered_with_3208_and_a_stranger_with_3000(w: World) -> None:
    missing = new_uuid()
    w.fspiop("GET", "ml-api-adapter", f"/transfers/{missing}", "transfers", "payer")
    error = w.error("payer", f"/transfers/{missing}")
    text = "Transfer ID not found - Provided Transfer ID was not found on the server."
    assert error == {"errorCode": "3208", "errorDescription": text}
    if not w.receiver.of("stranger"):
        w.onboard("stranger")
    body = w.committed()
    w.fspiop("GET", "ml-api-adapter", f"/transfers/{body['transferId']}", "transfers", "stranger")
    assert w.error("stranger", f"/transfers/{body['transferId']}")["errorCode"] == "3000"


def test_ids_may_be_ulids_from_v17_on(w: World) -> None:
    assert w.prepare(transferId=new_ulid())[1].status_code == 202
    with world(version="v15.1.0") as old:
        body, response = old.prepare(transferId=new_ulid())
        assert response.status_code == 400
        assert (
            response.json()["errorInformation"]["errorCode"] == "3101"
        )  # what Joi says of a text: harness/hub/profile.py
        assert old.send_prepare({**body, "transferId": new_uuid()}).status_code == 202


def test_before_v17_the_hub_calls_itself_switch_and_writes_version_1_1() -> None:
    with world(version="v15.1.0") as old:
        missing = new_uuid()
        old.fspiop("GET", "ml-api-adapter", f"/transfers/{missing}", "transfers", "payer")
        headers = old.receiver.wait("payer", "PUT", f"/transfers/{missing}/error").headers
        assert headers["fspiop-source"] == "switch"
        assert headers["content-type"] == "application/vnd.interoperability.transfers+json;version=1.1"


@pytest.mark.parametrize(
    ("changes", "source", "reason"),
    [
        ({"payerFsp": "payee"}, "payer", "FSPIOP-Source header should match Payer"),
        ({"payeeFsp": "nobody"}, "payer", "Participant nobody not found"),
        ({"amount": {"amount": "1", "currency": "USD"}}, "payer", "Participant payer USD account not found"),
        ({"payeeFsp": "payer"}, "payer", "Payer FSP and Payee FSP should be different"),
    ],
)
def test_a_prepare_that_cannot_be_carried_out_is_answered_with_3100(
    w: World, changes: dict[str, object], source: str, reason: str
) -> None:
    before = w.balance("payer")
    body, response = w.prepare(source=source, **changes)
    assert response.status_code == 202
    error = w.error(source, f"/transfers/{body['transferId']}")
    assert error["errorCode"] == "3100"
    assert error["errorDescription"].startswith(f"Generic validation error - {reason}")
    assert w.balance("payer") == before


def test_a_prepare_that_has_expired_is_refused(w: World) -> None:
    moment = iso_ms(datetime.now(UTC) - timedelta(seconds=5))
    body, _ = w.prepare(expiration=moment)
    text = f"Generic validation error - Expiration date {moment} is already in the past"
    assert w.error("payer", f"/transfers/{body['transferId']}")["errorDescription"] == text


@pytest.mark.parametrize(("seconds", "text"), [(30, "future timestamp was provided"), (-400, "exceeded the maximum")])
def test_a_completed_timestamp_out_of_bounds_is_refused_at_once(w: World, seconds: float, text: str) -> None:
    body = w.reserve()
    response = w.fulfil(body, completedTimestamp=in_seconds(seconds))
    assert response.status_code == 400
    assert text in response.json()["errorInformation"]["errorDescription"]
    assert w.state(body["transferId"])["transferState"] == "RESERVED"
    w.abort(body)


def test_a_prepare_to_an_inactive_participant_or_account_is_refused() -> None:
    with world() as w:
        w.admin("PUT", "/participants/payee", {"isActive": False})
        body, _ = w.prepare()
        text = "Generic validation error - Participant payee is inactive"
        assert w.error("payer", f"/transfers/{body['transferId']}")["errorDescription"] == text
        w.admin("PUT", "/participants/payee", {"isActive": True})
        account = f"/participants/payee/accounts/{w.accounts['payee', 'POSITION']}"
        w.admin("PUT", account, {"isActive": False})
        body, _ = w.prepare()
        text = "Generic validation error - Participant payee XXX account is inactive"
        assert w.error("payer", f"/transfers/{body['transferId']}")["errorDescription"] == text
        w.admin("PUT", account, {"isActive": True})
        w.committed()


def test_cover_is_looked_at_before_the_net_debit_cap() -> None:
    with world() as w:
        body, _ = w.prepare("5000.0001")
        expected = {"errorCode": "4001", "errorDescription": "Payer FSP insufficient liquidity"}
        assert w.error("payer", f"/transfers/{body['transferId']}") == expected
        limit = {"currency": "XXX", "limit": {"type": "NET_DEBIT_CAP", "value": 300, "alarmPercentage": 10}}
        assert w.admin("PUT", "/participants/payer/limits", limit).status_code == 200
        body, _ = w.prepare("300.0001")
        expected = {"errorCode": "4200", "errorDescription": "Payer limit error"}
        assert w.error("payer", f"/transfers/{body['transferId']}") == expected
        w.committed("300")
        body, _ = w.prepare("0.0001")
        assert w.error("payer", f"/transfers/{body['transferId']}") == expected
        assert w.state(body["transferId"])["transferState"] == "ABORTED"


def test_a_dfsp_that_never_answers_holds_up_nobody() -> None:
    with world() as w, socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        w.onboard("deaf")
        value = f"http://127.0.0.1:{deaf.getsockname()[1]}/transfers"
        kind = "FSPIOP_CALLBACK_URL_TRANSFER_POST"
        w.admin("POST", "/participants/deaf/endpoints", {"type": kind, "value": value})
        for _ in range(20):
            w.prepare(payeeFsp="deaf")
        began = time.monotonic()
        w.committed()
        assert time.monotonic() - began < 2


def test_time_left_shrinks_with_the_scale_and_what_is_past_stays() -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert expires_at("2026-11-24T12:01:00.000Z", now, 1.0) == now + timedelta(seconds=60)
    assert expires_at("2026-11-24T12:01:00.000Z", now, 0.1) == now + timedelta(seconds=6)
    assert expires_at("2026-11-24T11:59:00.000Z", now, 0.1) == now - timedelta(seconds=60)


def test_a_hub_in_a_hurry_expires_sooner() -> None:
    with world(time_scale=0.01) as w:
        body = w.reserve(expiration=in_seconds(60))
        assert w.error("payer", f"/transfers/{body['transferId']}")["errorCode"] == "3303"

"""Conversions over HTTP: positions of payer, FXP and payee, refusals, expiry, duplicates, notifications."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from harness.fspiop.dates import iso_ms
from harness.fspiop.ids import new_uuid
from tests.hub.fx_world import MLA, SOURCE, TARGET, Fx, conversion, fx_world, path_of
from tests.hub.world import in_seconds, until, world

REJECTED = {"errorCode": "5100", "errorDescription": "Generic Payee rejection"}
INVALID = {"errorCode": "3100", "errorDescription": "Generic validation error"}
EXPIRED = {"errorCode": "3303", "errorDescription": "Transfer expired"}


@pytest.fixture(scope="module")
def shared() -> Iterator[Fx]:
    with fx_world() as one:
        yield one


@pytest.fixture
def fx(shared: Fx) -> Iterator[Fx]:
    """A hub whose ledger balances after every test."""
    yield shared
    assert shared.w.core is not None
    shared.w.core.ledger.check_invariants()


def moved(fx: Fx, before: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
    return tuple(now - then for now, then in zip(fx.positions(), before, strict=True))


def as_units(*values: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(value) for value in values)


# --- success


def test_positions_move_with_each_step_of_a_payment_through_an_fxp(fx: Fx) -> None:
    before = fx.positions()
    body = fx.fulfilled("10.5", "500.25")
    assert moved(fx, before) == as_units("10.5", "0", "0", "0")
    transfer = fx.reserved_transfer(body)
    assert moved(fx, before) == as_units("10.5", "0", "500.25", "0")
    fx.w.fulfil(transfer)
    fx.w.receiver.wait("payer", "PUT", f"/transfers/{transfer['transferId']}")
    assert moved(fx, before) == as_units("10.5", "-10.5", "500.25", "-500.25")


def test_the_fxps_answer_reaches_the_payer_as_the_fxp_gave_it(fx: Fx) -> None:
    body = fx.fulfilled()
    callback = fx.w.receiver.wait("payer", "PUT", path_of(body))
    assert callback.headers["content-type"] == "application/vnd.interoperability.fxTransfers+json;version=2.0"
    assert (callback.headers["fspiop-source"], callback.headers["fspiop-destination"]) == ("fxp", "payer")
    assert set(callback.body) == {"conversionState", "fulfilment", "completedTimestamp"}


def test_a_conversion_is_reserved_until_its_transfer_commits_and_the_fxp_is_told_by_patch(fx: Fx) -> None:
    body = fx.fulfilled()
    assert fx.state(body)["conversionState"] == "RESERVED"
    assert fx.w.receiver.of("fxp", "PATCH", path_of(body)) == []
    transfer = fx.reserved_transfer(body)
    fx.w.fulfil(transfer)
    patch = fx.w.receiver.wait("fxp", "PATCH", path_of(body))
    assert (patch.headers["fspiop-source"], patch.headers["fspiop-destination"]) == ("Hub", "fxp")
    assert patch.headers["content-type"] == "application/vnd.interoperability.fxTransfers+json;version=2.0"
    completed = fx.w.receiver.wait("payer", "PUT", path_of(body)).body["completedTimestamp"]
    assert patch.body == {"conversionState": "COMMITTED", "completedTimestamp": completed}
    told = fx.state(body, "fxp")
    assert (told["conversionState"], set(told)) == (
        "COMMITTED",
        {"completedTimestamp", "conversionState", "fulfilment"},
    )


def test_the_payees_conversion_follows_the_transfer_and_is_owed_by_its_fxp() -> None:
    with fx_world() as fx:
        fx.w.onboard("payee2")
        limit = {"currency": TARGET, "limit": {"type": "NET_DEBIT_CAP", "value": 9}, "initialPosition": 0}
        fx.w.admin("POST", "/participants", {"name": "payee2", "currency": TARGET})
        fx.w.admin("POST", "/participants/payee2/initialPositionAndLimits", limit)
        before = fx.positions()
        transfer, _ = fx.w.prepare("10", payeeFsp="payee2")
        body = {
            **conversion("10", "500"),
            "determiningTransferId": transfer["transferId"],
            "initiatingFsp": "payee2",
        }
        fx.say("POST", MLA, "/fxTransfers", "payee2", body, destination="fxp")
        until(lambda: fx.asked(body))
        assert moved(fx, before) == as_units("10", "0", "500", "0")
        fx.fulfil(body, destination="payee2")
        fx.w.fulfil(transfer, source="payee2")
        fx.w.receiver.wait("payer", "PUT", f"/transfers/{transfer['transferId']}")
        assert moved(fx, before) == as_units("10", "-10", "500", "0")
        assert fx.account("payee2", TARGET)["value"] == -500
        assert fx.account("payee2", SOURCE)["value"] == 0
        assert fx.w.core is not None
        fx.w.core.ledger.check_invariants()


# --- the FXP says no, or nonsense


def test_what_an_fxp_refuses_reaches_the_payer_as_5100_and_gives_the_position_back(fx: Fx) -> None:
    before = fx.positions()
    body = fx.reserve()
    assert fx.refuse(body).status_code == 200
    callback = fx.w.receiver.wait("payer", "PUT", f"{path_of(body)}/error")
    assert callback.body["errorInformation"] == REJECTED
    assert callback.headers["fspiop-source"] == "fxp"
    assert moved(fx, before) == as_units("0", "0", "0", "0")
    assert fx.state(body)["conversionState"] == "ABORTED"


def test_a_fulfilment_of_the_fxp_that_does_not_fit_aborts_and_the_hub_says_so(fx: Fx) -> None:
    before = fx.positions()
    body = fx.reserve()
    fx.fulfil(body, fulfilment="A" * 43)
    callback = fx.w.receiver.wait("payer", "PUT", f"{path_of(body)}/error")
    assert callback.body["errorInformation"] == INVALID
    assert callback.headers["fspiop-source"] == "Hub"
    assert moved(fx, before) == as_units("0", "0", "0", "0")
    assert set(fx.state(body)) == {"completedTimestamp", "conversionState"}


@pytest.mark.parametrize(("source", "destination"), [("payee", "payer"), ("fxp", "payee")])
def test_an_answer_of_or_to_somebody_else_aborts_the_conversion(fx: Fx, source: str, destination: str) -> None:
    before = fx.positions()
    body = fx.reserve()
    fx.fulfil(body, source=source, destination=destination)
    assert fx.error("payer", body) == INVALID
    assert moved(fx, before) == as_units("0", "0", "0", "0")


def test_an_answer_about_a_conversion_that_is_unknown_or_over_is_told_to_nobody(fx: Fx) -> None:
    unknown = conversion()
    assert fx.fulfil(unknown).status_code == 200
    over = fx.reserve()
    fx.refuse(over)
    fx.error("payer", over)
    fx.fulfil(over)
    assert fx.w.receiver.count("fxp", "PUT", f"{path_of(unknown)}/error") == 0
    assert fx.w.receiver.of("fxp", "PUT", f"{path_of(over)}/error") == []
    assert fx.w.receiver.of("payer", "PUT", path_of(over)) == []


@pytest.mark.parametrize(("seconds", "text"), [(30, "future timestamp was provided"), (-400, "exceeded the maximum")])
def test_a_completed_timestamp_out_of_bounds_is_refused_at_once(fx: Fx, seconds: float, text: str) -> None:
    body = fx.reserve()
    response = fx.fulfil(body, completedTimestamp=in_seconds(seconds))
    assert response.status_code == 400
    assert text in response.json()["errorInformation"]["errorDescription"]
    fx.refuse(body)
    fx.error("payer", body)


def test_an_answer_is_taken_again_and_a_changed_one_refused(fx: Fx) -> None:
    body = fx.reserve()
    moment = iso_ms(datetime.now(UTC) - timedelta(milliseconds=50))
    for _ in range(2):
        fx.fulfil(body, completedTimestamp=moment)
    assert fx.w.receiver.count("payer", "PUT", path_of(body)) == 1
    fx.fulfil(body, conversionState="COMMITTED")
    expected = {"errorCode": "3106", "errorDescription": "Modified request - No fxDuplicateHash found"}
    assert fx.error("fxp", body) == expected
    fx.reserved_transfer(body)
    fx.w.abort({"transferId": body["determiningTransferId"]})
    fx.error("payer", body)
    fx.fulfil(body, completedTimestamp=moment)
    assert fx.w.receiver.wait("fxp", "PUT", path_of(body)).body["conversionState"] == "ABORTED"


# --- the transfer fails


def test_a_transfer_whose_conversion_is_not_fulfilled_is_refused(fx: Fx) -> None:
    before = fx.positions()
    body = fx.reserve()
    transfer = fx.transfer(body)
    text = "Generic validation error - Related FX Transfer is not fulfilled"
    error = {"errorCode": "3100", "errorDescription": text}
    assert fx.w.error("payer", f"/transfers/{transfer['transferId']}") == error
    assert moved(fx, before) == as_units("10", "0", "0", "0")
    fx.refuse(body)
    fx.error("payer", body)


@pytest.mark.parametrize("answer", ["an error", "a wrong fulfilment"])
def test_a_transfer_that_fails_takes_its_conversion_with_it(fx: Fx, answer: str) -> None:
    before = fx.positions()
    body = fx.fulfilled()
    transfer = fx.reserved_transfer(body)
    if answer == "an error":
        fx.w.abort(transfer, "2000")
    else:
        fx.w.fulfil(transfer, fulfilment="A" * 43)
    told = fx.w.receiver.wait("payer", "PUT", f"/transfers/{transfer['transferId']}/error")
    assert told.body["errorInformation"] == REJECTED
    assert told.headers["fspiop-source"] == "payee"
    conversion_told = fx.w.receiver.wait("payer", "PUT", f"{path_of(body)}/error")
    assert conversion_told.body["errorInformation"] == REJECTED
    assert conversion_told.headers["fspiop-source"] == "Hub"
    assert conversion_told.headers["content-type"].startswith("application/vnd.interoperability.fxTransfers+json")
    assert moved(fx, before) == as_units("0", "0", "0", "0")
    assert fx.state(body)["conversionState"] == "ABORTED"
    assert fx.w.receiver.of("fxp", "PATCH", path_of(body)) == []


# --- time


def test_a_conversion_that_nobody_answers_expires_and_both_sides_are_told(fx: Fx) -> None:
    before = fx.positions()
    body = fx.reserve(expiration=in_seconds(0.3))
    assert fx.error("payer", body) == EXPIRED
    assert fx.error("fxp", body) == EXPIRED
    assert moved(fx, before) == as_units("0", "0", "0", "0")
    assert fx.state(body)["conversionState"] == "ABORTED"


def test_a_conversion_that_expires_ends_its_transfer(fx: Fx) -> None:
    before = fx.positions()
    body = fx.fulfilled(expiration=in_seconds(0.6))
    transfer = fx.reserved_transfer(body)
    for dfsp in ("payer", "payee"):
        assert fx.w.error(dfsp, f"/transfers/{transfer['transferId']}") == EXPIRED
    assert fx.error("payer", body) == EXPIRED
    assert moved(fx, before) == as_units("0", "0", "0", "0")
    assert fx.w.state(transfer["transferId"])["transferState"] == "ABORTED"


def test_a_transfer_that_expires_ends_its_conversion(fx: Fx) -> None:
    before = fx.positions()
    body = fx.fulfilled()
    transfer = fx.reserved_transfer(body, expiration=in_seconds(0.3))
    for dfsp in ("payer", "payee"):
        assert fx.w.error(dfsp, f"/transfers/{transfer['transferId']}") == EXPIRED
    for dfsp in ("payer", "fxp"):
        assert fx.error(dfsp, body) == EXPIRED
    assert moved(fx, before) == as_units("0", "0", "0", "0")


# --- prepare


@pytest.mark.parametrize(
    ("changes", "source", "reason"),
    [
        ({}, "payee", "FSPIOP-Source header should match Payer"),
        ({"counterPartyFsp": "nobody"}, "payer", "Participant nobody not found"),
        ({"counterPartyFsp": "payee"}, "payer", None),
        ({"counterPartyFsp": "payer"}, "payer", "Payer FSP and Payee FSP should be different"),
        ({"targetAmount": {"currency": "INR", "amount": "1"}}, "payer", "Participant fxp INR account not found"),
        ({"sourceAmount": {"currency": TARGET, "amount": "1"}}, "payer", "Participant payer XTS account not found"),
    ],
)
def test_a_conversion_that_cannot_be_carried_out_is_answered_with_3100(
    fx: Fx, changes: dict[str, Any], source: str, reason: str | None
) -> None:
    before = fx.positions()
    body = {**conversion(), **changes}
    fx.say("POST", MLA, "/fxTransfers", source, body, destination="fxp")
    if reason is None:
        fx.fulfil(body, source="payee", fulfilment="A" * 43)
        assert fx.error(source, body) == INVALID
    else:
        assert fx.error(source, body)["errorDescription"].startswith(f"Generic validation error - {reason}")
    assert moved(fx, before) == as_units("0", "0", "0", "0")


def test_a_conversion_needs_an_expiration_that_lies_ahead(fx: Fx) -> None:
    moment = in_seconds(-5)
    body = fx.prepare(expiration=moment)
    text = f"Generic validation error - Expiration date {moment} is already in the past"
    assert fx.error("payer", body)["errorDescription"] == text
    body = conversion()
    del body["expiration"]
    fx.say("POST", MLA, "/fxTransfers", "payer", body, destination="fxp")
    text = "Generic validation error - Expiration is required for conditional transfer"
    assert fx.error("payer", body)["errorDescription"] == text


def test_an_inactive_fxp_or_account_of_it_is_refused() -> None:
    with fx_world() as fx:
        fx.w.admin("PUT", "/participants/fxp", {"isActive": False})
        text = "Generic validation error - Participant fxp is inactive"
        assert fx.error("payer", fx.prepare())["errorDescription"] == text
        fx.w.admin("PUT", "/participants/fxp", {"isActive": True})
        path = f"/participants/fxp/accounts/{fx.account('fxp', TARGET)['id']}"
        fx.w.admin("PUT", path, {"isActive": False})
        text = "Generic validation error - Participant fxp XTS account is inactive"
        assert fx.error("payer", fx.prepare())["errorDescription"] == text


def test_payer_and_fxp_need_cover_for_what_they_will_owe(fx: Fx) -> None:
    lack = {"errorCode": "4001", "errorDescription": "Payer FSP insufficient liquidity"}
    before = fx.positions()
    assert fx.error("payer", fx.prepare("5000.0001")) == lack
    body = fx.fulfilled("1", "5000.0001")
    transfer = fx.transfer(body)
    assert fx.w.error("payer", f"/transfers/{transfer['transferId']}") == lack
    assert moved(fx, before) == as_units("1", "0", "0", "0")


def test_a_repeated_conversion_is_answered_with_its_state_and_a_modified_one_refused(fx: Fx) -> None:
    body, _ = fx.committed()
    fx.say("POST", MLA, "/fxTransfers", "payer", {**body, "expiration": in_seconds(99)}, destination="fxp")
    assert fx.error("payer", body) == {"errorCode": "3106", "errorDescription": "Modified request"}
    before = len(fx.w.receiver.of("payer", "PUT", path_of(body)))
    fx.say("POST", MLA, "/fxTransfers", "payer", body, destination="fxp")
    until(lambda: len(fx.w.receiver.of("payer", "PUT", path_of(body))) > before)
    told = fx.w.receiver.of("payer", "PUT", path_of(body))[-1]
    assert told.headers["fspiop-source"] == "Hub"
    assert told.body["conversionState"] == "COMMITTED"
    assert told.body["fulfilment"] == fx.w.receiver.of("payer", "PUT", path_of(body))[0].body["fulfilment"]


# --- questions, and what is not there


def test_an_unknown_conversion_is_not_found_and_one_of_others_is_not_shown(fx: Fx) -> None:
    path = f"/fxTransfers/{new_uuid()}"
    fx.say("GET", MLA, path, "payer")
    text = "Transfer ID not found - Provided commitRequest ID was not found on the server."
    assert fx.w.error("payer", path) == {"errorCode": "3208", "errorDescription": text}
    body = fx.fulfilled()
    fx.say("GET", MLA, path_of(body), "payee")
    assert fx.error("payee", body) == {"errorCode": "3000", "errorDescription": "Generic client error"}


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"commitRequestId": "invalid"}, "/requestBody/commitRequestId must match pattern"),
        ({"determiningTransferId": "invalid"}, "/requestBody/determiningTransferId must match pattern"),
        ({"condition": "condition"}, '/requestBody/condition must match pattern "^[A-Za-z0-9-_]{43}$"'),
        (
            {"condition": "100", "sourceAmount": {"currency": "ABC", "amount": "1"}},
            "/requestBody/sourceAmount/currency must be equal to one of the allowed values",
        ),
    ],
)
def test_a_malformed_conversion_is_refused_at_once(fx: Fx, changes: dict[str, Any], detail: str) -> None:
    body = {**conversion(), **changes}
    response = fx.say("POST", MLA, "/fxTransfers", "payer", body, destination="fxp")
    assert response.status_code == 400
    error = response.json()["errorInformation"]
    assert error["errorCode"] == "3100"
    assert error["errorDescription"].startswith(f"Generic validation error - {detail}")


def test_a_hub_before_fx_has_no_conversions() -> None:
    with world(version="v15.1.0") as w:
        for service, path in ((MLA, "/fxTransfers"), ("quoting-service", "/fxQuotes")):
            resource = path[1:]
            response = w.fspiop("POST", service, path, resource, "payer", conversion(), destination="payee")
            assert response.status_code == 404


def test_no_release_has_a_directory_of_fxps_yet(fx: Fx) -> None:
    response = fx.say("GET", "account-lookup-service", f"/services/FXP/{SOURCE}/{TARGET}", "payer")
    assert response.status_code == 404
    assert response.json()["errorInformation"]["errorCode"] == "3002"

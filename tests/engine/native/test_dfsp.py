"""A DFSP sends what FSPIOP asks for, waits where the answer will come, and tells what it was told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from harness.engine.exchange import Request
from harness.engine.inbound.behaviour import Party
from harness.engine.native.matchers import ABSENT
from harness.fspiop.headers import content_type
from harness.fspiop.ids import is_uuid
from harness.fspiop.ilp import condition_of, parse_packet
from harness.model.outcome import Outcome
from tests.engine.native.support import dfsp_of, handed_on, hub_of, inbound

PARTY = Party(id_type="MSISDN", identifier="27123", sub_id=None)


def test_a_look_up_waits_for_success_and_error_of_that_party() -> None:
    hub, exchanger, _, _ = hub_of()
    dfsp_of(hub).look_up(PARTY)
    awaited = exchanger.awaited[0]
    assert awaited is not None
    assert awaited.fsp == "payer"
    assert list(awaited.routes) == [("PUT", "/parties/MSISDN/27123"), ("PUT", "/parties/MSISDN/27123/error")]
    assert exchanger.requests[0].url == "http://account-lookup-service.test/parties/MSISDN/27123"


def test_a_sub_id_is_part_of_the_path() -> None:
    hub, exchanger, _, recorder = hub_of()
    dfsp_of(hub).look_up(Party(id_type="MSISDN", identifier="27123", sub_id="CHILD"))
    assert exchanger.requests[0].url.endswith("/parties/MSISDN/27123/CHILD")
    assert recorder.steps[0].operation == "GET /parties/{Type}/{ID}/{SubId}"


def test_a_request_carries_the_headers_that_fspiop_asks_for() -> None:
    hub, exchanger, _, _ = hub_of()
    payer = dfsp_of(hub)
    payer.quote(dfsp_of(hub, "payee"), PARTY, "100")
    sent = exchanger.requests[0].headers
    assert sent["FSPIOP-Source"] == "payer"
    assert sent["FSPIOP-Destination"] == "payee"
    assert sent["Content-Type"] == sent["Accept"] == content_type("quotes")
    assert sent["Date"].endswith("GMT")
    assert "traceparent" in sent
    assert "FSPIOP-Destination" not in payer.headers("parties")


def test_labels_never_hold_what_a_run_makes_up() -> None:
    hub, _, _, recorder = hub_of(lambda request: (200, {"value": 0}))
    payer, payee = dfsp_of(hub, "payer1a2b3c"), dfsp_of(hub, "payee4d5e6f")
    payer.look_up(PARTY)
    transfer = payer.transfer(payee, "100")
    payer.get_transfer(str(transfer.sent["transferId"]))
    for step in recorder.steps:
        assert "1a2b3c" not in step.label
        assert "27123" not in step.label
        assert str(transfer.sent["transferId"]) not in step.label


def test_a_transfer_without_a_quote_can_be_fulfilled_by_the_payee() -> None:
    hub, _, _, _ = hub_of()
    payee = dfsp_of(hub, "payee")
    body = dfsp_of(hub).transfer_body(payee, "12.3456")
    assert condition_of(payee.fulfilment(body["ilpPacket"])) == body["condition"]
    assert parse_packet(body["ilpPacket"]).amount == 123456
    assert is_uuid(body["transferId"])


def test_a_transfer_takes_the_terms_of_its_quote() -> None:
    hub, exchanger, _, _ = hub_of()
    payer, payee = dfsp_of(hub), dfsp_of(hub, "payee")
    exchanger.callbacks = [handed_on("/quotes/q", {"ilpPacket": "PACKET", "condition": "CONDITION"}, "quotes")]
    quote = payer.quote(payee, PARTY, "100")
    body = payer.transfer_body(payee, "100", quote=quote)
    assert (body["ilpPacket"], body["condition"]) == ("PACKET", "CONDITION")
    assert body["transferId"] == quote.sent["transactionId"]


def test_a_quote_that_was_never_answered_does_not_stop_the_case() -> None:
    hub, _, _, _ = hub_of()
    payer, payee = dfsp_of(hub), dfsp_of(hub, "payee")
    quote = payer.quote(payee, PARTY, "100")
    assert quote.callback("ilpPacket") is ABSENT
    assert payer.transfer_body(payee, "100", quote=quote)["condition"]


def test_elements_are_changed_and_removed() -> None:
    hub, _, _, _ = hub_of()
    changes = {"amount.currency": "XTS", "condition": None}
    transfer = dfsp_of(hub).transfer(dfsp_of(hub, "payee"), "100", changes=changes)
    assert transfer.sent["amount"] == {"amount": "100", "currency": "XTS"}
    assert "condition" not in transfer.sent


def test_a_request_that_awaits_nothing_opens_no_expectation() -> None:
    hub, exchanger, _, _ = hub_of()
    payer, payee = dfsp_of(hub), dfsp_of(hub, "payee")
    transfer = payer.transfer(payee, "100", awaits=False)
    payee.fulfil(transfer.sent)
    assert exchanger.awaited == [None, None]


def test_what_is_no_fspiop_operation_is_a_mistake_of_the_case() -> None:
    hub, _, _, _ = hub_of()
    with pytest.raises(LookupError, match="not an FSPIOP operation"):
        dfsp_of(hub).send("GET", "/nonsense")


def test_after_one_callback_in_vain_a_case_waits_less() -> None:
    hub, exchanger, _, _ = hub_of()
    payer, payee = dfsp_of(hub), dfsp_of(hub, "payee")
    payer.transfer(payee, "1")
    payer.transfer(payee, "1")
    assert exchanger.timeouts == [5.0, 1.0]


def test_news_is_what_came_first() -> None:
    hub, _, server, _ = hub_of()
    server.calls = [
        inbound("PATCH", "/transfers/t1", {"transferState": "COMMITTED"}),
        inbound("PATCH", "/transfers/t1", {"transferState": "ABORTED"}),
    ]
    payee = dfsp_of(hub, "payee")
    assert payee.news("PATCH", "/transfers/t1", "transferState") == "COMMITTED"
    assert payee.times("PATCH", "/transfers/t1") == 2


def test_no_news_is_absent_and_the_next_wait_is_short() -> None:
    hub, _, server, _ = hub_of()
    payee = dfsp_of(hub, "payee")
    assert payee.news("PATCH", "/transfers/t1", "transferState") is ABSENT
    assert payee.saw("PATCH", "/transfers/t2") is None
    assert server.waits == [3.0, 1.0]


def account(value: Any) -> dict[str, Any]:
    return {"id": 1, "ledgerAccountType": "SETTLEMENT", "currency": "USD", "value": value}


def ledger(position: Any, settlement: Any) -> Any:
    def answer(request: Request) -> tuple[int, Any]:
        if request.url.endswith("/accounts"):
            other = {**account(position), "ledgerAccountType": "POSITION"}
            return 200, [{**account(0), "currency": "EUR"}, other, account(settlement)]
        return 200, {"currency": "USD", "value": position}

    return answer


def test_a_position_is_checked_when_the_ledger_has_come_to_it() -> None:
    hub, _, _, recorder = hub_of(ledger("100.5", -7))
    step = dfsp_of(hub).has_position("100.50", "after it")
    assert [(check.label, check.outcome) for check in recorder.checks] == [("response value", Outcome.PASSED)]
    assert recorder.steps[0].label == "position of the payer after it"
    assert step.exchange.request.url.endswith("/participants/payer/positions?currency=USD")


def test_a_position_that_is_not_reached_fails_its_check() -> None:
    hub, _, _, recorder = hub_of(ledger(99, 0))
    hub.waited_in_vain()
    dfsp_of(hub).has_position("100")
    assert [check.outcome for check in recorder.checks] == [Outcome.FAILED]
    assert recorder.checks[0].message == "expected 99 to be the amount '100'"


def test_funds_are_those_of_the_settlement_account_in_the_target_currency() -> None:
    hub, _, _, recorder = hub_of(ledger(5, -250.25))
    dfsp_of(hub).has_funds("250.25")
    assert [check.outcome for check in recorder.checks] == [Outcome.PASSED]
    assert dfsp_of(hub).settlement_balance() == Decimal("250.25")

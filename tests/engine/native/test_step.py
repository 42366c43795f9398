"""A step records each check with its outcome, its meaning and the component to blame, and never stops the case."""

from __future__ import annotations

import pytest

from harness.engine.native.matchers import ABSENT, equals, present
from harness.engine.native.step import Step
from harness.engine.recorder import CaseRecorder
from harness.fspiop.headers import content_type
from harness.model.outcome import Outcome
from harness.model.records import CheckRecorded
from tests.engine.native.support import CASE, TRACE, exchange, handed_on, inbound, step_of

LOST = "no callback within 5 s"


def checks_of(step: Step) -> dict[str, CheckRecorded]:
    return {check.label: check for check in step._recorder.checks}


def outcomes(step: Step) -> dict[str, Outcome]:
    return {label: check.outcome for label, check in checks_of(step).items()}


def test_a_good_answer_passes_every_check() -> None:
    step = step_of(exchange(callback=handed_on("/transfers/t1", {"transferState": "COMMITTED"})))
    assert step.accepted()
    assert step.answered(by="payee")
    assert step.calls_back("transferState", "COMMITTED")
    assert step.callback_within(2000)
    assert step.keeps_the_trace()
    assert set(outcomes(step).values()) == {Outcome.PASSED}
    assert list(outcomes(step)) == [
        "response status is 202",
        "callback is PUT /transfers/{ID}",
        "callback header fspiop-destination",
        "callback header fspiop-source",
        "callback header content-type",
        "callback transferState",
        "callback within 2000 ms",
        "callback is in the trace of the request",
    ]


def test_a_callback_that_never_came_fails_every_check_of_it_and_says_why() -> None:
    step = step_of(exchange(error=LOST))
    step.answered(by="payee")
    step.calls_back("transferState", "COMMITTED")
    step.callback_within(2000)
    step.keeps_the_trace()
    for check in checks_of(step).values():
        assert check.outcome is Outcome.FAILED
        assert LOST in check.message
        assert check.actual is None
        assert check.component == "ml-api-adapter"


def test_who_is_to_be_asked_about_a_lost_callback_can_be_said() -> None:
    step = step_of(exchange(error=LOST), lost_by="central-ledger")
    step.answered_with_error("3303")
    step.calls_back("transferState", "COMMITTED")
    assert {check.component for check in checks_of(step).values()} == {"central-ledger"}


def test_what_a_callback_says_is_put_down_to_who_decided_it_and_how_it_came_to_who_delivered_it() -> None:
    wrong = handed_on("/transfers/t1", {"transferState": "RESERVED"}, content_type=content_type("transfers", "1.9"))
    step = step_of(exchange(callback=wrong))
    step.answered(by="payee")
    step.calls_back("transferState", "COMMITTED")
    found = checks_of(step)
    assert found["callback transferState"].outcome is Outcome.FAILED
    assert found["callback transferState"].component == "central-ledger"
    assert found["callback header content-type"].outcome is Outcome.FAILED
    assert found["callback header content-type"].component == "ml-api-adapter"


def test_an_error_in_place_of_success_fails_the_route() -> None:
    body = {"errorInformation": {"errorCode": "4001", "errorDescription": "no"}}
    step = step_of(exchange(callback=handed_on("/transfers/t1/error", body)))
    assert not step.answered(by="other")
    found = checks_of(step)
    assert "PUT /transfers/{ID}/error" in found["callback is PUT /transfers/{ID}"].message
    assert {check.component for check in found.values()} == {"central-ledger"}


def test_an_error_is_checked_by_its_code() -> None:
    body = {"errorInformation": {"errorCode": "4001", "errorDescription": "no"}}
    assert step_of(exchange(callback=handed_on("/transfers/t1/error", body))).answered_with_error("4001", by="payee")
    assert not step_of(exchange(callback=handed_on("/transfers/t1/error", body))).answered_with_error("4200")


def test_what_the_hub_says_itself_names_the_hub_and_a_version_it_speaks() -> None:
    own = {"fspiop_source": "Hub", "content_type": content_type("transfers", "2.0")}
    step = step_of(exchange(callback=handed_on("/transfers/t1", {}, **own)))
    assert step.answered_by_hub()
    step = step_of(exchange(callback=handed_on("/transfers/t1", {}, **own)))
    assert step.answered(by="payee")
    found = outcomes(step)
    assert found["callback header fspiop-source"] is Outcome.FAILED
    assert found["callback header content-type"] is Outcome.FAILED


@pytest.mark.parametrize("version", ["1.9", "3.0"])
def test_a_version_that_the_hub_does_not_speak_fails(version: str) -> None:
    own = {"fspiop_source": "Hub", "content_type": content_type("transfers", version)}
    step = step_of(exchange(callback=handed_on("/transfers/t1", {}, **own)))
    step.answered_by_hub()
    assert outcomes(step)["callback header content-type"] is Outcome.FAILED


def test_a_connection_that_broke_says_nothing_about_the_hub() -> None:
    step = step_of(exchange(status=None, error="cannot reach it"))
    step.status(202)
    step.answered()
    step.check("something", ABSENT, equals(1))
    assert set(outcomes(step).values()) == {Outcome.ERROR}
    assert {check.message for check in checks_of(step).values()} == {"cannot reach it"}


def test_a_refusal_is_checked_by_status_and_code() -> None:
    body = {"errorInformation": {"errorCode": "3102"}}
    assert step_of(exchange(status=400, body=body)).refused(400, "3102")
    assert not step_of(exchange(status=406, body=body)).refused(400, "3102")
    assert not step_of(exchange(status=400, body="Bad Request")).refused(400, "3102")


def test_a_check_that_is_made_twice_is_numbered_not_merged() -> None:
    step = step_of(exchange(body={"value": 1}))
    step.says("value", 1)
    step.says("value", 2)
    ids = [check.check for check in step._recorder.checks]
    assert ids == [f"{CASE}::POST /transfers::response value", f"{CASE}::POST /transfers::response value#2"]


def test_a_step_that_is_repeated_is_numbered() -> None:
    recorder = CaseRecorder(CASE)
    for _ in range(2):
        step_of(exchange(), recorder).accepted()
    assert [step.id for step in recorder.steps] == [f"{CASE}::POST /transfers", f"{CASE}::POST /transfers#2"]


def test_a_fingerprint_stands_for_the_question_not_for_the_answer() -> None:
    def fingerprint(demand: object, *, label: str = "state", operation: str = "POST /transfers") -> str:
        step = step_of(exchange(), operation=operation)
        step.check(label, "x", demand)
        return step._recorder.checks[0].fingerprint

    assert fingerprint("x") == fingerprint("generated in this run")
    assert fingerprint("x") != fingerprint(present())
    assert fingerprint("x") != fingerprint("x", label="other")
    assert fingerprint("x") != fingerprint("x", operation="POST /quotes")


def test_a_huge_value_is_kept_short() -> None:
    step = step_of(exchange())
    step.check("body", "x" * 100_000, "y")
    check = step._recorder.checks[0]
    assert len(check.message) < 1000
    assert len(str(check.actual)) < 2000


def test_a_step_that_awaits_nothing_cannot_be_asked_about_a_callback() -> None:
    with pytest.raises(LookupError, match="awaited no callback"):
        step_of(exchange(awaited=False)).answered()


def test_the_trace_of_a_callback_is_read_not_believed() -> None:
    other = handed_on("/transfers/t1", {}, traceparent=f"00-{TRACE[::-1]}-00f067aa0ba902b7-01")
    assert not step_of(exchange(callback=other)).keeps_the_trace()
    none = inbound("PUT", "/transfers/t1", {})
    assert step_of(exchange(callback=none)).callback_trace() is ABSENT

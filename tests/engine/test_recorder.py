"""What a step keeps of its exchange: the error that came back, and what money it was about."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.engine.exchange import Exchange, Request, Response
from harness.engine.recorder import CaseRecorder
from harness.fspiop.errors import FspiopError, error_information
from harness.model.records import StepFinished

REFUSED = error_information(FspiopError.VALIDATION, "no amount")
UNKNOWN = error_information(FspiopError.TRANSFER_ID_NOT_FOUND)


def kept(sent: Any = None, answered: Any = "", called_back: Any = None) -> StepFinished:
    step = CaseRecorder("a::b").step("send", operation="POST /transfers", url="http://hub", component="ml-api-adapter")
    callback: Any = None if called_back is None else SimpleNamespace(body=called_back)
    step.sent(
        Exchange(
            id="1", request=Request("POST", "http://hub", body=sent), response=Response(202, "Accepted", {}, answered),
            callback=callback, awaited=None, started_at="", latency_ms=1.0, callback_ms=None,
        )
    )  # fmt: skip
    return step.record()


@pytest.mark.parametrize(
    ("answered", "called_back", "code"),
    [
        ("", None, ""),
        (REFUSED, None, "3100"),
        ("", UNKNOWN, "3208"),
        (REFUSED, UNKNOWN, "3208"),
        (REFUSED, {"transferState": "COMMITTED"}, "3100"),
    ],
)
def test_the_error_of_the_callback_or_else_of_the_response_is_kept(answered: Any, called_back: Any, code: str) -> None:
    assert kept(answered=answered, called_back=called_back).error_code == code


def test_the_words_of_the_error_are_kept_with_it() -> None:
    assert kept(answered=REFUSED).error_text == "Generic validation error - no amount"


def test_the_currencies_of_request_and_callback_are_kept() -> None:
    step = kept({"amount": {"amount": "1", "currency": "XOF"}}, called_back={"transferAmount": {"currency": "EUR"}})
    assert step.currencies == ["EUR", "XOF"]


def test_a_step_that_sent_nothing_says_nothing() -> None:
    step = CaseRecorder("a::b").step("send", operation="POST /transfers", url="http://hub", component="x").record()
    assert (step.error_code, step.error_text, step.currencies) == ("", "", [])

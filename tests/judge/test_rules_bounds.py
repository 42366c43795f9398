"""Rules that count say pass, fail or unknown by what was shown, and never pass for want of something to count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.model.outcome import GateStatus
from harness.model.records import Record, StepFinished
from tests.judge.build import SOUND, E, F, H, P, Run, S, Shape, case, judging, on, run

PASS, FAIL, UNKNOWN = GateStatus.PASS, GateStatus.FAIL, GateStatus.UNKNOWN
SKIPPED = {"kind": "outcome-at-most", "outcomes": "[skipped, hollow]"}


@pytest.mark.parametrize(
    ("outcomes", "keys", "expected"),
    [
        ((P, P), {"at_most": 0}, PASS),
        ((P, H), {"at_most": 0}, UNKNOWN),
        ((S, H), {"at_most": 1}, UNKNOWN),
        ((S, H), {"at_most": 2}, PASS),
        ((P, H), {"share_at_most": 0.17}, PASS),
        ((P, H), {"share_at_most": 0.16}, UNKNOWN),
        ((P, F), {"outcomes": "[failed]", "at_most": 0}, FAIL),
        ((P, E), {"outcomes": "[error]", "at_most": 0}, UNKNOWN),
        ((P, H), {"at_most": 0, "labels": "[expiry]"}, PASS),
        ((P, H), {"at_most": 0, "labels": "[nosuch]"}, UNKNOWN),
    ],
)
def test_outcomes_are_bounded_by_number_or_share(outcomes: Any, keys: dict[str, Any], expected: GateStatus) -> None:
    assert on(run([case("pays", *outcomes), *SOUND[1:]]), **(SKIPPED | keys)).status is expected


@pytest.mark.parametrize(
    ("outcomes", "least", "expected"),
    [
        ((P, P), 1.0, PASS),
        ((P, F), 0.83, PASS),
        ((P, F), 0.84, FAIL),
        ((P, H), 0.84, UNKNOWN),
        ((F, H), 0.67, UNKNOWN),
        ((F, H), 0.84, FAIL),
        ((P,), 0.84, UNKNOWN),
    ],
)
def test_the_pass_rate_is_of_what_was_expected(outcomes: Any, least: float, expected: GateStatus) -> None:
    found = on(run([case("pays", *outcomes), *SOUND[1:]]), kind="pass-rate", at_least=least)
    assert found.status is expected


def test_what_was_removed_lowers_the_pass_rate() -> None:
    assert on(run(SOUND[1:]), kind="pass-rate", at_least=0.67).status is UNKNOWN
    assert "4 of 6 passed" in on(run(SOUND[1:]), kind="pass-rate", at_least=0.67).text


def test_a_minimum_may_be_of_cases_with_a_label() -> None:
    keys = {"kind": "minimum-executed", "what": "cases"}
    for least, labels, expected in ((2, "[p2p]", PASS), (3, "[p2p]", UNKNOWN), (1, "[nosuch]", UNKNOWN)):
        found = judging(run(SOUND), rule=keys | {"at_least": least, "labels": labels})
        assert found.findings[0].status is expected


def in_euro(what: Run, name: str) -> Run:
    def change(record: Record) -> Record:
        return (
            replace(record, currencies=["EUR"]) if isinstance(record, StepFinished) and name in record.case else record
        )

    return what.each(change)


@pytest.mark.parametrize(("currency", "expected"), [("EUR", FAIL), ("XXX", UNKNOWN)])
def test_a_currency_takes_the_cases_that_deal_with_it(currency: str, expected: GateStatus) -> None:
    what = in_euro(run([case("pays", P, F), *SOUND[1:]]), "pays")
    keys = {"kind": "class-at-most", "classes": "[regressed]", "at_most": 0, "currency": currency}
    assert on(what, **keys).status is expected


def test_a_failure_in_another_currency_does_not_break_the_rule() -> None:
    what = in_euro(run([case("pays", P, F), *SOUND[1:]]), "aborts")
    assert on(what, kind="class-at-most", classes="[regressed]", at_most=0, currency="EUR").status is PASS


def test_a_case_without_a_check_never_lets_a_count_pass() -> None:
    assert on(run([Shape("pays", {})]), kind="pass-rate", at_least=0.5).status is UNKNOWN

"""A run counts as evidence only if it came to its end, and a check is lost whatever became of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.outcome import Outcome
from harness.model.records import Interrupted, Provisioned, Record, ServiceProbed, WorkerLost
from harness.selftest.shown import lost, rooted, shown
from tests.selftest.build import check, finished, journal, step


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.PASSED])
def test_a_check_that_does_not_pass_any_more_is_lost(outcome: Outcome) -> None:
    sound = shown(journal(check("a"), check("b")), ())
    assert lost(sound.passed, shown(journal(check("a"), check("b", outcome)), ())) == (check("b").check,)


def test_a_check_that_was_never_made_is_lost() -> None:
    sound = shown(journal(check("a"), check("b")), ())
    assert lost(sound.passed, shown(journal(check("a")), ())) == (check("b").check,)


@given(sound=st.sets(st.sampled_from("abcdef")), found=st.sets(st.sampled_from("abcdef")))
def test_what_did_not_pass_on_the_sound_hub_is_never_lost(sound: set[str], found: set[str]) -> None:
    ids = {check(label).check for label in sound}
    missing = lost(ids, shown(journal(*(check(label) for label in found)), ()))
    assert set(missing) == {check(label).check for label in sound - found}
    assert list(missing) == sorted(missing)


def _worker() -> WorkerLost:
    return WorkerLost(worker="gw0", case=None, message="killed")


def _probe() -> ServiceProbed:
    return ServiceProbed(service="central-ledger", url="", status="down", version=None, expected_version=None)


@pytest.mark.parametrize(
    ("records", "damage", "problem"),
    [
        ([check("a")], (), "did not come to its end"),
        ([_worker(), finished()], (), "a worker died: killed"),
        ([_probe(), finished()], (), "central-ledger was down"),
        ([Interrupted(reason="SIGTERM"), finished()], (), "interrupted: SIGTERM"),
        ([finished("the hub has ended")], (), "the hub has ended"),
        ([finished()], ("line 3 is cut off",), "line 3 is cut off"),
    ],
)
def test_a_run_that_broke_is_no_evidence(records: list[Record], damage: tuple[str, ...], problem: str) -> None:
    assert problem in shown(records, damage).problem


def test_scaled_time_and_a_provisioning_that_failed_are_told_as_what_they_are() -> None:
    failed = Provisioned(
        collections=["a.json"], cases=1, checks=2, passed=1, failures=[{"check": "x", "message": "no"}], duration_ms=1
    )
    found = shown([failed, finished("time was scaled by 0.1: a dry run", "provisioning: 1 of 2 checks failed")], ())
    assert found.provisioning == ("x",)
    assert found.problem == ""


def test_only_the_step_that_failed_first_in_its_case_is_a_root() -> None:
    first, second = "POST /quotes", "POST /transfers"
    records = [
        step(first), check("a", Outcome.FAILED, step=first),
        step(second, "central-ledger"), check("b", Outcome.FAILED, step=second),
    ]  # fmt: skip
    failed = {record.check for record in records if hasattr(record, "check")}
    assert rooted(records, failed, "quoting-service") == (check("a", step=first).check,)
    assert rooted(records, failed, "central-ledger") == ()

"""A plan of nights says what it means, or is refused with its line; a secret in it is refused and never shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import NightlyError
from harness.nightly.plan import load_plan, seconds
from tests.nightly.support import JOB, plan_of
from tests.support import REPOSITORY

SECRET = "https://hooks.example/T000/B000/XXXXsecretXXXX"


def refused(path: Path) -> str:
    with pytest.raises(NightlyError) as caught:
        load_plan(path)
    return str(caught.value)


def test_the_shipped_plan_is_one() -> None:
    plan = load_plan(REPOSITORY / "scheme_rules/example/nightly.yaml")
    assert plan.name == "example-nightly"
    assert [job.name for job in plan.plan.jobs] == ["rehearsal"]


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ({"suite": "native"}, "unknown key 'suite'"),
        ({"time_budget": "2 hours"}, "'time_budget'"),
        ({"suites": ["native", "native"]}, "names a suite twice"),
        ({"suites": []}, "'suites'"),
        ({"target": "staging", "defects": ["transfer-slow"]}, "defects belong to target embedded only"),
        ({"notify": ["nobody"]}, "no channel is called that"),
        ({"clean_up": ["no/such.json"]}, "there is no collection"),
        ({"suites": ["official"], "clean_up": ["nightly.yaml"]}, "brings its own provisioning"),
    ],
)
def test_what_a_job_cannot_say_is_refused_with_its_line(tmp_path: Path, job: dict[str, Any], said: str) -> None:
    text = refused(plan_of(tmp_path, jobs=[{**JOB, **job}]))
    assert said in text
    assert "line " in text


@pytest.mark.parametrize("kind", ["slack", "teams", "json"])
def test_the_address_of_a_webhook_is_given_by_reference_only(tmp_path: Path, kind: str) -> None:
    text = refused(plan_of(tmp_path, {"name": "ops", "kind": kind, "url": SECRET}))
    assert "env:NAME or file:PATH" in text
    assert "secret" in text
    assert "XXXX" not in text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"security": "none"}, "leaves this machine"),
        ({"username": "env:U"}, "give both or neither"),
        ({"username": "me", "password": "env:P"}, "env:NAME or file:PATH"),
        ({"sender": "a@b\r\nBcc: c@d"}, "'sender'"),
        ({"to": ["x@y, z@w"]}, ""),
        ({"to": []}, "'to'"),
        ({"events": ["everything"]}, ""),
    ],
)
def test_mail_is_encrypted_and_its_addresses_are_addresses(tmp_path: Path, given: dict[str, Any], said: str) -> None:
    mail = {"name": "ops", "kind": "mail", "host": "smtp.example", "sender": "a@b", "to": ["c@d"]}
    assert load_plan(plan_of(tmp_path, mail)).plan.channels[0].kind == "mail"
    assert said in refused(plan_of(tmp_path, {**mail, **given}))


def test_a_plan_in_another_schemes_folder_is_refused(tmp_path: Path) -> None:
    assert "stands in the folder of 'mine'" in refused(plan_of(tmp_path / "scheme_rules" / "mine"))


def test_two_jobs_or_channels_of_one_name_are_refused(tmp_path: Path) -> None:
    assert "two jobs are called 'night'" in refused(plan_of(tmp_path, jobs=[JOB, JOB]))
    hook = {"name": "ops", "kind": "json", "url": "env:HOOK"}
    assert "two channels are called 'ops'" in refused(plan_of(tmp_path, hook, hook))


def test_durations() -> None:
    assert [seconds(text) for text in ("90s", "45m", "2h")] == [90, 2700, 7200]

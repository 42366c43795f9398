"""Whatever a hub says, a message stays within its channel's limits and its words stay words."""

from __future__ import annotations

import email
import email.policy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.model.event_kind import EventKind
from harness.model.rehearsal import REHEARSAL
from harness.nightly.messages.message import (
    FAILURES,
    Happening,
    Message,
    Said,
    job_happenings,
    message_of,
    run_happenings,
)
from harness.nightly.messages.render import as_json, as_mail, as_slack, as_teams, plain
from harness.nightly.record import JobRecord
from tests.nightly.support import message

EVIL = (
    "<!channel> <@U1> <https://evil.example|click> [click](https://evil.example) **bold** "
    "\r\nBcc: all@example &amp; \x1b[31m \u202e <at>all</at> | `x`"
)


def evil(**more: Any) -> Message:
    record = JobRecord("night", EVIL, "v1", "mojaloop", runs=[{"suite": "native", "run_id": EVIL, "verdict": EVIL}])
    record.problems.append(EVIL)
    said = Said(night="n", at="2026-11-25T01:00:00.000Z", record=record, link="https://r.example/{run_id}", target=EVIL)
    found = message_of(said, [Happening(EventKind.NEW_REGRESSION, EVIL, (EVIL,), EVIL, EVIL)])
    assert found is not None
    return found


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    return [value] if isinstance(value, str) else []


def test_slack_is_not_made_to_call_anybody_or_to_link() -> None:
    document = json.loads(as_slack(evil()))
    assert document["link_names"] is False
    for block in document["blocks"]:
        if block["type"] in ("header", "section"):
            assert block["text"]["type"] == "plain_text"
            assert "<" not in block["text"]["text"]
    assert "<" not in document["text"]
    assert "&lt;!channel&gt;" in document["blocks"][0]["text"]["text"]
    [context] = [block for block in document["blocks"] if block["type"] == "context"]
    [link] = [element["text"] for element in context["elements"]]
    assert link.count("<") == 1
    assert link.startswith("<https://r.example/%3C%21channel%3E")


def test_teams_shows_words_as_they_are() -> None:
    [attachment] = json.loads(as_teams(evil()))["attachments"]
    card = attachment["content"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    # a TextBlock takes its text for Markdown; a run of a RichTextBlock does not
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert "entities" not in card["msteams"]
    assert [action["url"][:24] for action in card["actions"]] == ["https://r.example/%3C%21"]


def test_a_mails_header_holds_no_second_header() -> None:
    raw = as_mail(evil(), "harness@hub.example", ("support@hub.example",)).as_bytes()
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert read["bcc"] is None
    assert read["to"] == "support@hub.example"
    assert "<!channel>" in read["subject"]
    assert read["message-id"].endswith("@hub.example>")
    assert read.get_content_type() == "text/plain"


@pytest.mark.parametrize("render", [as_slack, as_teams, as_json])
def test_nothing_steers_who_reads_it(render: Any) -> None:
    for text in texts(json.loads(render(evil()))):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\r" not in text


def large() -> Message:
    long = "x" * 399
    return message(
        title="t" * 140,
        happenings=tuple(Happening(kind, long, (long,) * FAILURES, long, long) for kind in EventKind),
        problems=(long,) * 40,
        failures=((long, long),) * FAILURES,
        failing=5000,
        suspects=(long,) * 40,
    )


def test_the_largest_message_keeps_the_limits_of_each_channel() -> None:
    document = json.loads(as_slack(large()))
    assert len(document["blocks"]) <= 50
    assert len(document["blocks"][0]["text"]["text"]) <= 150
    assert all(len(block["text"]["text"]) <= 3000 for block in document["blocks"] if block["type"] == "section")
    assert len(as_teams(large())) <= 28_000
    assert "Worse than in the baseline, or without a result: 5000" in as_teams(message(failing=5000)).decode()
    assert "… and 4980 more" in plain(large())


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=500), st.text(max_size=500))
def test_any_text_can_be_told(one: str, other: str) -> None:
    record = JobRecord("night", "t", "v1", "mojaloop", problems=[other])
    said = Said(night="n", at="2026-11-25T01:00:00.000Z", record=record, target=one)
    found = message_of(said, [Happening(EventKind.FIXED, one, (other,))])
    assert found is not None
    assert Message.from_json(json.loads(json.dumps(found.to_json()))) == found
    for raw in (as_slack(found), as_teams(found), as_json(found)):
        json.loads(raw)
    document = json.loads(as_slack(found))
    assert "<" not in document["blocks"][0]["text"]["text"] + document["text"]
    email.message_from_bytes(as_mail(found, "a@b", ("c@d",)).as_bytes())


def test_a_channel_gets_what_it_wants() -> None:
    both = message(
        happenings=(Happening(EventKind.NEW_REGRESSION, "worse"), Happening(EventKind.FIXED, "better")), title=""
    )
    only = both.only([EventKind.FIXED])
    assert only is not None
    assert [one.text for one in only.happenings] == ["better"]
    assert only.title == "staging: better"
    assert both.only([EventKind.NEWLY_FLAKY]) is None


def job(exit_code: int, *problems: str) -> JobRecord:
    return JobRecord("night", "t", "v1", "mojaloop", problems=list(problems), exit_code=exit_code)


@pytest.mark.parametrize(
    ("now", "before", "kinds"),
    [
        (job(2, "clean-up: 1 of 3 failed"), None, ["inconclusive"]),
        (job(2, "clean-up: 1 of 3 failed"), job(0), ["inconclusive"]),
        (job(2, "clean-up: 2 of 3 failed"), job(2, "clean-up: 1 of 3 failed"), []),
        (job(2, "the time budget of 2h was over"), job(2, "clean-up: 1 of 3 failed"), ["inconclusive"]),
        (job(0), job(2, "clean-up: 1 of 3 failed"), ["back-to-green"]),
        (job(1), job(2, "clean-up: 1 of 3 failed"), ["rejected"]),
        (job(1, "clean-up: 1 of 3 failed"), job(0, "clean-up: 1 of 3 failed"), ["rejected"]),
        (job(0, "positions differ"), job(0), ["problem"]),
        (job(1, "positions differ"), job(0), ["problem", "rejected"]),
        (job(0, "positions differ"), job(1, "positions differ"), ["back-to-green"]),
        (job(4, "it broke"), job(0, "it broke"), ["inconclusive"]),
        (job(2), job(0), ["inconclusive"]),
        (job(2), job(2), []),
        (job(1), job(1), []),
        (job(0), job(0), []),
        (job(0), None, []),
        (job(1), None, ["rejected"]),
        (job(2), None, ["inconclusive"]),
    ],
)
def test_what_went_wrong_beside_the_runs_is_told_when_it_changes(
    now: JobRecord, before: JobRecord | None, kinds: list[str]
) -> None:
    assert [one.kind.value for one in job_happenings(now, before, [])] == kinds


@pytest.mark.parametrize(
    ("now", "kind"),
    [(job(0), EventKind.BACK_TO_GREEN), (job(1), EventKind.REJECTED), (job(2, "it broke"), EventKind.INCONCLUSIVE)],
)
def test_what_the_history_tells_is_not_told_twice(now: JobRecord, kind: EventKind) -> None:
    told = [Happening(kind, "as the history has it")]
    assert job_happenings(now, job(2 if now.exit_code == 0 else 0), told) == []


def test_a_job_that_is_approved_again_in_a_rehearsal_says_so() -> None:
    now = job(0)
    now.runs.append({"suite": "native", "run_id": "r", "exit_code": 0, "verdict": f"APPROVED ({REHEARSAL})"})
    [happening] = job_happenings(now, job(2, "clean-up: 1 of 3 failed"), [])
    assert happening.text == "job night: approved (rehearsal on the embedded hub) after inconclusive"


def test_a_suite_that_is_approved_again_makes_no_job_approved() -> None:
    now = job(1)
    now.runs += [{"suite": name, "run_id": name, "exit_code": None, "verdict": ""} for name in ("native", "official")]
    [one] = run_happenings(now, "native", [Happening(EventKind.BACK_TO_GREEN, "APPROVED after REJECTED")])
    assert one.text == "suite native: APPROVED after REJECTED, but job night is rejected"
    alone = job(2, "clean-up: 1 of 3 failed")
    [one] = run_happenings(alone, "native", [Happening(EventKind.BACK_TO_GREEN, "APPROVED after REJECTED")])
    assert one.text == "APPROVED after REJECTED, but job night is inconclusive"
    [one] = run_happenings(job(0), "native", [Happening(EventKind.BACK_TO_GREEN, "APPROVED after REJECTED")])
    assert one.text == "APPROVED after REJECTED"

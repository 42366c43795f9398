"""A sequence diagram shows every message of a case, tells kinds apart without colour, and survives what a hub sends."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.model.outcome import Outcome
from harness.model.records import CaseFinished, CasePlanned, CheckRecorded, InboundNoted, Record, StepFinished
from harness.report.owners import owners
from harness.report.sequence import sequence_figure, sequence_svg
from harness.report.sequence_events import STEPS_AT_MOST, Event, Gap, Kind, StepHead, events_of
from harness.report.stories import CaseStory, tell

CASE = "test_transfers.py::A payer sends money"
TRANSFER = "/transfers/1b53c3d7-0025-43b9-ab7d-315a247decc5"


def step(number: int = 1, *, outcome: Outcome = Outcome.PASSED, **changes: Any) -> list[Record]:
    """One exchange and its check."""
    values: dict[str, Any] = {
        "case": CASE,
        "step": f"{CASE}::send {number}",
        "label": f"send {number}",
        "operation": "POST /transfers",
        "url": "http://hub:3000/transfers",
        "component": "ml-api-adapter",
        "status": 202,
        "latency_ms": 10.0,
        "callback_ms": 40.0,
        "callback_awaited": True,
        "callback_received": True,
        "exchange": f"x{number}",
    }
    name = f"{CASE}::send {number}::accepted"
    return [
        StepFinished(**values | changes),
        CheckRecorded(check=name, case=CASE, step=f"{CASE}::send {number}", label="accepted", outcome=outcome),
    ]


def exchange(number: int = 1, **changes: Any) -> dict[str, Any]:
    """What went over the wire in it."""
    return {
        "id": f"x{number}",
        "case": CASE,
        "started_at": f"2026-01-02T03:{number // 60:02d}:{number % 60:02d}.000Z",
        "request": {
            "method": "POST",
            "url": f"http://hub:3000/transfers?n={number}",
            "headers": {"FSPIOP-Source": "payerfsp"},
            "body": {"transferId": TRANSFER.rpartition("/")[2]},
        },
        "response": {"status": 202, "reason": "Accepted", "headers": {}, "body": "", "latency_ms": 10.0},
        "callback": {
            "method": "PUT",
            "path": TRANSFER,
            "headers": {"fspiop-destination": "payerfsp"},
            "body": {"transferState": "COMMITTED"},
            "received_at": f"2026-01-02T03:{number // 60:02d}:{number % 60:02d}.040Z",
            "latency_ms": 40.0,
        },
    } | changes


def note(kind: str, *, case: str | None = CASE, at: str = "2026-01-02T03:00:01.500Z", path: str = TRANSFER) -> Record:
    return InboundNoted(
        kind=kind, method="PUT", path=path, source="payeefsp", destination="payerfsp", case=case, received_at=at
    )


def story(records: Sequence[Record]) -> CaseStory:
    plan = CasePlanned(case=CASE, title="A payer sends money", feature="p2p", labels=[], severity="major", file="x")
    end = CaseFinished(
        case=CASE, outcome=Outcome.PASSED, duration_ms=80.0, worker="gw0", started_at="2026-01-02T03:00:01.000Z"
    )
    return tell([plan, *records, end], []).cases[0]


def events(records: Sequence[Record], exchanges: Sequence[Mapping[str, Any]]) -> list[Event]:
    rows = events_of(story(records), {one["id"]: one for one in exchanges})
    return [row for row in rows if isinstance(row, Event)]


def kinds(found: Sequence[Event]) -> list[str]:
    return [one.kind.value for one in found]


def test_request_response_and_callback_are_an_arrow_each_from_who_sent_to_who_received() -> None:
    found = events(step(), [exchange()])
    assert [(one.kind, one.sender, one.receiver, one.text) for one in found] == [
        (Kind.REQUEST, "payerfsp", "ml-api-adapter", "POST /transfers?n=1"),
        (Kind.RESPONSE, "ml-api-adapter", "payerfsp", "202 Accepted · 10 ms"),
        (Kind.CALLBACK, "ml-api-adapter", "payerfsp", "PUT /transfers/1b53c3d7… · 40 ms"),
    ]
    assert [one.after_ms for one in found] == [0.0, 10.0, 40.0]


def test_what_no_dfsp_signs_for_is_sent_by_the_harness() -> None:
    plain = exchange(request={"method": "GET", "url": "http://hub/health", "headers": {}}, callback=None)
    found = events(step(callback_received=False, callback_awaited=False), [plain])
    assert {found[0].sender, found[0].receiver} == {"harness", "ml-api-adapter"}


def test_an_error_is_told_with_its_code_at_the_message_that_carries_it() -> None:
    found = events(step(error_code="3204", error_text="Party not found"), [exchange()])
    assert [(one.kind.value, one.bad) for one in found] == [("request", False), ("response", False), ("callback", True)]
    assert "3204 Party not found" in found[2].text
    refused = events(
        step(status=400, error_code="3101", error_text="Malformed syntax", callback_received=False),
        [exchange(response={"status": 400, "reason": "Bad Request"}, callback=None)],
    )
    assert [(one.kind.value, one.bad, "3101" in one.text) for one in refused[1:]] == [("response", True, True)]


def test_a_callback_or_response_that_did_not_come_is_drawn_as_absent() -> None:
    late = events(
        step(callback_received=False, error="no callback within 10 s", error_kind="callback-timeout"),
        [exchange(callback=None)],
    )
    assert kinds(late) == ["request", "response", "absent"]
    assert late[2].text == "no callback within 10 s"
    silent = events(
        step(status=None, callback_received=False, error="no response in time", error_kind="timeout"),
        [exchange(callback=None, response=None)],
    )
    assert kinds(silent)[:2] == ["request", "absent"]
    assert "no response in time" in silent[1].text


def test_a_callback_before_its_response_stands_before_it_and_says_so() -> None:
    early = exchange()
    early["callback"] |= {"latency_ms": 4.0}
    found = events([*step(), note("early", at=early["callback"]["received_at"])], [early])
    assert kinds(found) == ["request", "callback", "response"]
    assert found[1].tags == ("early", "before its response")


def test_late_duplicate_and_unexpected_calls_stand_where_they_came_in_time() -> None:
    notes = [note("duplicate", at="2026-01-02T03:00:01.020Z"), note("late"), note("unexpected", at="")]
    found = events([*step(1), *step(2), *notes], [exchange(1), exchange(2)])
    assert [one.tags[0] if one.tags else one.kind.value for one in found] == [
        "request", "response", "duplicate", "callback", "late", "request", "response", "callback", "unexpected",
    ]  # fmt: skip
    assert all(one.sender == "ml-api-adapter" for one in found if one.kind is Kind.STRAY)


def test_the_same_request_again_says_so_and_another_reading_does_not() -> None:
    again = [exchange(1), exchange(2)]
    again[1]["request"] = again[0]["request"]
    assert [one.tags for one in events([*step(1), *step(2)], again) if one.kind is Kind.REQUEST] == [
        (),
        ("sent again, 2nd time",),
    ]
    reading = {"method": "GET", "url": "http://hub/positions", "headers": {}}
    three = [exchange(1, request=reading), exchange(2), exchange(3, request=reading)]
    found = events([*step(1), *step(2), *step(3)], three)
    assert all(not one.tags for one in found)


def test_a_stray_call_belongs_to_the_only_case_that_is_about_its_resource() -> None:
    stray, other = note("unexpected", case=None), note("unexpected", case=None, path="/participants/MSISDN/1")
    assert isinstance(stray, InboundNoted)
    assert isinstance(other, InboundNoted)
    owner = owners([stray, other], {"x1": exchange()})
    assert (owner(stray), owner(other)) == (CASE, None)
    shared = owners([stray], {"x1": exchange(), "x2": exchange(2, case="another::case")})
    assert shared(stray) is None


def test_kinds_differ_by_line_and_by_word_not_only_by_colour() -> None:
    lost = step(2, callback_received=False, error="no callback within 10 s", error_kind="callback-timeout")
    drawn = sequence_svg(
        story([*step(), *lost, note("duplicate")]), {"x1": exchange(), "x2": exchange(2, callback=None)}
    )
    styles = dict(re.findall(r"\.sequence \.(\w+) \.line\{([^}]*)\}", drawn))
    assert len({*styles.values()}) == len(styles) == 4
    assert "DUPLICATE" in drawn
    assert "✕ no callback within 10 s" in drawn


def test_a_case_of_two_hundred_exchanges_stays_small_and_keeps_what_failed() -> None:
    records = [
        record
        for number in range(200)
        for record in step(number, outcome=Outcome.FAILED if number == 150 else Outcome.PASSED)
    ]
    notes = [note("duplicate", at=f"2026-01-02T03:00:{number % 60:02d}.500Z") for number in range(1_000)]
    case, exchanges = story([*records, *notes]), {f"x{number}": exchange(number) for number in range(200)}
    rows = events_of(case, exchanges)
    heads = [row for row in rows if isinstance(row, StepHead)]
    assert len(heads) == STEPS_AT_MOST
    assert [head.label for head in heads if head.failed] == ["send 150"]
    gaps = [row.text for row in rows if isinstance(row, Gap)]
    assert sum(int(found) for text in gaps for found in re.findall(r"… (\d+) more step", text)) == 200 - STEPS_AT_MOST
    assert gaps[-1] == "… 976 more calls out of the ordinary, not drawn: 976 duplicate"
    svg = sequence_svg(case, exchanges)
    height = int(float(ElementTree.fromstring(svg).attrib["height"]))
    assert len(svg) < 100_000
    assert height < 6_000


def test_a_step_that_is_left_out_although_it_failed_is_counted_as_such() -> None:
    records = [record for number in range(60) for record in step(number, outcome=Outcome.FAILED)]
    rows = events_of(story(records), {})
    assert [row.text for row in rows if isinstance(row, Gap)] == [
        f"… {60 - STEPS_AT_MOST} more steps, not drawn: {60 - STEPS_AT_MOST} of them failed or out of the ordinary"
    ]


def test_a_case_without_a_trace_says_so() -> None:
    assert "nothing of this case was recorded" in sequence_svg(story([]), {})


_HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
    | st.sampled_from(["<script>x</script>", "\ud800\0\u202e\ufffe", "]]>", '"><a href="javascript:x">', "x" * 5_000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["method", "url", "headers", "status", "path", "body", "latency_ms", "fspiop-source"]),
        inner,
        max_size=4,
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(
    parts=st.dictionaries(st.sampled_from(["request", "response", "callback", "started_at"]), _HOSTILE), text=st.text()
)
def test_whatever_was_recorded_the_picture_is_one_well_formed_document(parts: dict[str, Any], text: str) -> None:
    case = story([*step(label=text, component=text, url=text, error_text=text), note(text, path=text)])
    drawn = sequence_svg(case, {"x1": exchange(1, **parts)})
    tree = ElementTree.fromstring(drawn)
    assert {element.tag.rpartition("}")[2] for element in tree.iter()} <= {
        "svg", "title", "desc", "style", "rect", "g", "path", "text",
    }  # fmt: skip
    assert len(drawn) < 30_000
    assert drawn == sequence_svg(case, {"x1": exchange(1, **parts)})
    assert "<style" not in sequence_figure(case, {"x1": exchange(1, **parts)})

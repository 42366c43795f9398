"""What changed with a night? Told once, on the night it changed, whatever was recorded first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.history.events import EventKind, events, events_of
from harness.history.nights import Nights
from harness.history.statistics import tell
from harness.history.store import append
from harness.model.outcome import VerdictKind
from tests.history.nights import PAYS, judged_night, matrix
from tests.judge.build import F, P


def kinds(nights: Nights, number: int = -1) -> list[str]:
    at = number % len(nights.nights)
    return [event.kind.value for event in events_of(nights, tell(nights), at)]


def with_night(nights: Nights, number: int, **changes: object) -> Nights:
    listed = list(nights.nights)
    listed[number] = replace(listed[number], **changes)  # type: ignore[arg-type]
    return replace(nights, nights=tuple(listed))


def test_the_story_of_a_regression(tmp_path: Path) -> None:
    shown = {2: F, 3: F}
    for number in (3, 0, 6, 2, 1, 5, 4):
        append(tmp_path, judged_night(number, shown.get(number, P)))
    told = {number: events(tmp_path, "t", f"r{number:03}").events for number in range(7)}
    assert {number: [event.kind.value for event in found] for number, found in told.items() if found} == {
        2: ["new-regression", "rejected"],
        4: ["back-to-green"],
        6: ["fixed"],
    }
    regression, rejected = told[2]
    assert rejected.text == "REJECTED after APPROVED"  # why, the regression says
    assert (regression.checks, regression.component, regression.since) == ((PAYS,), "ml-api-adapter", "2026-06-03")
    assert "1 check of ml-api-adapter regressed" in regression.text
    assert "against 1 of 1 passed in the baseline" in regression.text
    assert told[6][0].since == "2026-06-03"
    with pytest.raises(UsageError, match="history record r009"):
        events(tmp_path, "t", "r009")


def test_what_could_not_be_read_is_told_beside_what_changed(tmp_path: Path) -> None:
    for number in range(4):
        append(tmp_path, judged_night(number, F if number == 3 else P))
    assert events(tmp_path, "t", "r003").passed_over == ()
    torn = next(tmp_path.glob("checks/*/*/*/run-r003.parquet"))
    torn.write_bytes(torn.read_bytes()[:100])
    news = events(tmp_path, "t", "r003")
    # What regressed is in the torn file: the verdict shows that something did, and not what.
    assert [each.kind for each in news.events] == ["rejected"]
    (text,) = news.passed_over
    assert "run-r003.parquet is passed over" in text
    next(tmp_path.glob("runs/*/*/*/run-r003.parquet")).write_bytes(b"PAR1")
    with pytest.raises(UsageError, match=r"does not hold run 'r003'; runs/.*run-r003.parquet is passed over"):
        events(tmp_path, "t", "r003")


def test_flaky_failing_and_fixed() -> None:
    nights = matrix("p" * 15 + "fpp")
    assert kinds(nights, 15) == ["rejected", "newly-failing"]
    assert kinds(nights, 16) == ["newly-flaky", "back-to-green"]
    assert kinds(nights, 17) == []


def test_a_night_that_does_not_count_is_told_once_as_what_it_is() -> None:
    nights = matrix("ppffp", excluded=[2, 3])
    for number in (2, 3):
        nights = with_night(nights, number, verdict=VerdictKind.INCONCLUSIVE)
    assert [kinds(nights, number) for number in range(1, 5)] == [[], ["mass-failure"], [], ["back-to-green"]]
    cut_off = with_night(nights, 2, excluded="cut-off", verdict=VerdictKind.INCONCLUSIVE)
    assert kinds(cut_off, 2) == ["inconclusive"]


def test_a_verdict_that_changed_is_told_where_no_check_changed() -> None:
    # its regression is open since the third night, and it is known to be flaky since the fifth
    nights = matrix("ppfpfpf")
    assert [kinds(nights, number) for number in (2, 4, 6)] == [
        ["new-regression", "rejected"],
        ["rejected", "newly-flaky"],
        ["rejected"],
    ]
    (event,) = events_of(nights, tell(nights), 6)
    assert event.text == "REJECTED after APPROVED"
    # a night that was cut off counts for no check, and what it showed may still reject the release
    cut_off = with_night(nights, 6, excluded="cut-off", why="1 check regressed")
    (event,) = events_of(cut_off, tell(cut_off), 6)
    assert (event.kind, event.text) == (EventKind.REJECTED, "REJECTED after APPROVED: 1 check regressed")
    # after an outage too, and in the first night that is known of
    after_outage = with_night(nights, 5, excluded="not-ready", verdict=VerdictKind.INCONCLUSIVE)
    assert kinds(after_outage, 6) == ["rejected"]
    assert "rejected" in kinds(matrix("f"), 0)
    assert kinds(matrix("ff"), 1) == []
    # an outage that rejects is news on its first morning only
    outage = matrix("pff", excluded=[1, 2])
    assert [kinds(outage, number) for number in (1, 2)] == [["rejected", "mass-failure"], []]


def test_a_rehearsal_never_reads_as_an_approval() -> None:
    nights = with_night(with_night(matrix("pfp"), 2, rehearsal=True), 1, rehearsal=True)
    told = [event.text for event in events_of(nights, tell(nights), 2) if event.kind is EventKind.BACK_TO_GREEN]
    assert told == ["APPROVED (rehearsal on the embedded hub) after REJECTED"]
    told = [event.text for event in events_of(nights, tell(nights), 1) if event.kind is EventKind.REJECTED]
    assert told == ["REJECTED (rehearsal on the embedded hub) after APPROVED"]


def test_a_waiver_is_spoken_of_a_week_and_a_day_before_and_when_it_has_expired() -> None:
    nights = matrix("p" * 12)
    waiver = {"id": "agreed", "status": "applied", "expires": "2026-06-10", "ticket": "https://t/1", "checks": 2}
    for number in range(12):
        nights = with_night(nights, number, waivers=(waiver,))
    days = [number + 1 for number in range(12) if kinds(nights, number)]
    # The first night is the first that is known of; 3 June is a week before, 9 June a day, 11 June after.
    assert days == [3, 9, 11]
    (event,) = events_of(nights, tell(nights), 8)
    assert (event.kind, event.since) == (EventKind.WAIVER_EXPIRES, "2026-06-10")
    assert "expires on 2026-06-10, tomorrow: 2 checks" in event.text
    assert "expired on 2026-06-10" in events_of(nights, tell(nights), 10)[0].text


def test_events_are_grouped_by_component_and_heaviest_first() -> None:
    nights = replace(matrix("ppf", "ppf", "ppf"), component=("a", "b", "b"))
    found = events_of(nights, tell(nights), 2)
    assert [(event.kind.value, event.component, len(event.checks)) for event in found] == [
        ("new-regression", "b", 2),
        ("new-regression", "a", 1),
        ("rejected", "", 0),
    ]

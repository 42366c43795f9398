"""A history holds every run once, in the order in which they were made, and outlives a torn file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness.report.allure_history import (
    RUNS_KEPT,
    before,
    history_path,
    point_of,
    read_history,
    with_point,
    write_history,
)
from harness.report.interface import story_of
from tests.report import scenarios


def point(number: int, status: str = "passed") -> dict[str, Any]:
    return {
        "uuid": f"u{number}",
        "name": f"run {number:03}",
        "timestamp": number,
        "testResults": {"x": {"status": status}},
    }


@given(st.lists(st.integers(0, 80), max_size=90))
def test_whatever_the_order_in_which_runs_are_reported_the_history_is_the_same(numbers: list[int]) -> None:
    points: list[dict[str, Any]] = []
    for number in numbers:
        points = with_point(points, point(number))
    assert len(points) <= RUNS_KEPT
    shown = [one["timestamp"] for one in points]
    assert shown == sorted(set(shown))
    if len(set(numbers)) <= RUNS_KEPT:
        assert set(shown) == set(numbers)


def test_a_run_reported_again_takes_its_own_place_and_sees_no_later_one() -> None:
    points = [point(1), point(2), point(3)]
    again = with_point(points, point(2, "failed"))
    assert [(one["timestamp"], one["testResults"]["x"]["status"]) for one in again] == [
        (1, "passed"),
        (2, "failed"),
        (3, "passed"),
    ]
    assert before(again, point(2)) == [point(1)]


def test_torn_lines_are_left_out_and_told_of(tmp_path: Path) -> None:
    file = tmp_path / "one.jsonl"
    write_history(file, [point(1), point(2)])
    whole = file.read_bytes()
    file.write_bytes(whole[:-20] + b'\n[1]\n{"uuid": 1}\n\xff\xfe\n' + json.dumps(point(3)).encode() + b"\n")
    history = read_history(file)
    assert [one["timestamp"] for one in history.points] == [1, 3]
    assert [text.partition(":")[0] for text in history.damage] == [f"one.jsonl, line {n}" for n in (2, 3, 4, 5)]
    assert read_history(tmp_path / "none.jsonl").points == ()


def test_a_run_tells_of_each_case_that_was_to_run_and_of_no_other(tmp_path: Path) -> None:
    run = scenarios.inconclusive(tmp_path)
    records = [
        replace(record, selected=False)
        if record.type == "case-planned" and record.case == scenarios.cases()[11].id
        else record
        for record in run.records
    ]
    told = point_of(replace(run, records=records), story_of(replace(run, records=records)))
    statuses = {result["fullName"]: result["status"] for result in told["testResults"].values()}
    assert len(statuses) == len(told["knownTestCaseIds"]) == 11
    assert list(statuses.values()).count("passed") == 5
    assert list(statuses.values()).count("broken") == 6


def test_what_names_a_target_cannot_leave_the_folder(tmp_path: Path) -> None:
    run = replace(scenarios.approved(), folder=tmp_path / "reports" / "runs" / "one")
    started = replace(scenarios.started(), target={"name": "../../etc/x y"}, product="..")
    path = history_path(run, started)
    assert path == tmp_path / "reports" / "allure-history" / "..-native-.._.._etc_x_y.jsonl"

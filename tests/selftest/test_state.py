"""A walk is taken up where it stopped, and never with the results of another hub or suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import InputError
from harness.selftest.state import State, fingerprint
from tests.selftest.build import result


def test_results_are_read_back_as_they_were_kept(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "state.jsonl"
    kept = result("quote-slow", "a::b::c::d", suspects=("quoting-service",), rooted=("a::b::c::d",))
    State(path).add(kept)
    assert State(path).get("quote-slow", "whole suite") == kept
    assert State(path).get("quote-slow", "another part") is None


def test_a_run_that_broke_is_made_again(tmp_path: Path) -> None:
    state = State(tmp_path / "state.jsonl")
    state.add(result("quote-slow", problem="exit 4"))
    assert state.get("quote-slow", "whole suite") is None
    assert [kept.problem for kept in state.of("quote-slow")] == ["exit 4"]
    state.add(result("quote-slow", "a"))
    assert [kept.problem for kept in State(state.path).of("quote-slow")] == [""]


def test_a_line_that_was_cut_off_is_dropped_and_the_next_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"
    State(path).add(result("quote-slow", "a"))
    with path.open("a") as file:
        file.write('{"defect": "lookup')
    state = State(path)
    state.add(result("transfer-slow", "b"))
    read = State(path)
    assert read.get("quote-slow", "whole suite")
    assert read.get("transfer-slow", "whole suite")


@pytest.mark.parametrize("line", ["no json", "[]", '{"defect": "x"}', '{"unknown": 1}'])
def test_a_file_that_is_none_of_ours_is_refused_with_its_place(line: str, tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(InputError, match=r"state\.jsonl, line 1"):
        State(path)


def test_another_suite_selection_or_file_has_another_fingerprint(tmp_path: Path) -> None:
    (file := tmp_path / "x.py").write_text("1")
    before = fingerprint("suite", "", files=[file])
    assert before == fingerprint("suite", "", files=[file])
    assert before != fingerprint("other", "", files=[file])
    assert before != fingerprint("suite", "keyword", files=[file])
    file.write_text("2")
    assert before != fingerprint("suite", "", files=[file])

"""Each defect meets its part, then the whole; nothing is run twice, and a run that breaks catches nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from harness.hub.defects import DEFECTS
from harness.model.outcome import Outcome
from harness.run.journal import JournalWriter
from harness.run.redact import Redactor
from harness.selftest.parts import OFFICIAL, plan_of
from harness.selftest.state import SOUND, State
from harness.selftest.walk import Asked, Commands, Ended, Walk
from harness.workspace import Workspace
from tests.selftest.build import check, finished, step
from tests.support import RELEASE, REPOSITORY, harness, start, wait_for

FX = "fx-patch-lost"
QUOTE = "quote-accepted-200"
Lost = Callable[[str, str, int], Sequence[str]]
"""From defect, keyword and number of the run to the labels of the checks that fail."""


class Hub:
    """Plays ``harness run``: writes the journal of a run in which ``lost`` fails."""

    def __init__(self, lost: Lost, code: int = 2) -> None:
        self.lost, self.code = lost, code
        self.calls: list[tuple[str, str]] = []

    def __call__(self, arguments: Sequence[str], cwd: Path, seconds: float) -> Ended:
        given = {name: arguments[place + 1] for place, name in enumerate(arguments[:-1]) if name.startswith("-")}
        defect, keyword = given.get("--defect", ""), given.get("-k", "")
        self.calls.append((defect, keyword))
        (folder := cwd / "reports" / "runs" / given["--run-id"]).mkdir(parents=True)
        writer = JournalWriter(folder, Redactor())
        failing = self.lost(defect, keyword, self.calls.count((defect, keyword)))
        for record in (
            step(), *(check(x, Outcome.FAILED if x in failing else Outcome.PASSED) for x in "abcd"), finished(),
        ):  # fmt: skip
            writer.write(record)
        writer.close()
        return Ended(self.code, json.dumps({"suspects": [{"component": "quoting-service"}]}), "it broke")


def walk(root: Path, hub: Hub, *defects: str) -> tuple[State, str]:
    (root / "reports" / "runs").mkdir(parents=True, exist_ok=True)
    state = State(root / "state.jsonl")
    asked = Asked(Workspace(root), RELEASE, plan_of(OFFICIAL), defects, 0)
    return state, Walk(asked, state, lambda line: None, lambda: None, hub).go()


def test_a_defect_that_its_part_shows_does_not_meet_the_whole(tmp_path: Path) -> None:
    hub = Hub(lambda defect, keyword, number: "abc" if defect else "")
    state, problem = walk(tmp_path, hub, QUOTE)
    assert problem == ""
    assert [part for defect, part in hub.calls if defect] == [plan_of(OFFICIAL).first_part(DEFECTS[QUOTE]).keyword]
    assert state.of(QUOTE)[0].is_caught
    assert state.of(QUOTE)[0].suspects == ("quoting-service",)


def test_what_the_part_does_not_show_meets_the_whole(tmp_path: Path) -> None:
    part = plan_of(OFFICIAL).first_part(DEFECTS[QUOTE]).keyword
    hub = Hub(lambda defect, keyword, number: "abc" if defect and not keyword else "")
    state, _ = walk(tmp_path, hub, QUOTE)
    assert hub.calls == [("", ""), ("", part), (QUOTE, part), (QUOTE, "")]
    assert [found.is_caught for found in state.of(QUOTE)] == [False, True]


def test_a_catch_that_blames_another_component_is_run_again(tmp_path: Path) -> None:
    hub = Hub(lambda defect, keyword, number: "abc" if defect and number == 1 else "")
    state, _ = walk(tmp_path, hub, FX)  # the steps of this hub are of quoting-service
    assert not any(found.is_caught for found in state.of(FX))


def test_what_the_sound_hub_loses_as_well_when_it_is_asked_again_is_no_catch(tmp_path: Path) -> None:
    hub = Hub(lambda defect, keyword, number: "abc" if defect else "a" if number > 1 else "")
    state, _ = walk(tmp_path, hub, FX)
    assert state.of(FX)[0].checks == (check("b").check, check("c").check)

    busy = Hub(lambda defect, keyword, number: "abc" if defect or number > 1 else "")
    state, _ = walk(tmp_path / "busy", busy, FX)
    assert not any(found.is_caught for found in state.of(FX))


def test_nothing_is_run_twice(tmp_path: Path) -> None:
    walk(tmp_path, Hub(lambda defect, keyword, number: "abc" if defect == QUOTE else ""), QUOTE, FX)
    again = Hub(lambda defect, keyword, number: "")
    state, _ = walk(tmp_path, again, QUOTE, FX)
    assert again.calls == []
    assert state.of(QUOTE)[0].is_caught


def test_a_catch_by_few_checks_counts_as_far_as_a_second_run_shows_it(tmp_path: Path) -> None:
    hub = Hub(lambda defect, keyword, number: ("ab" if number == 1 else "bc") if defect == QUOTE else "")
    state, _ = walk(tmp_path, hub, QUOTE)
    assert state.of(QUOTE)[0].checks == (check("b").check,)


def test_chance_catches_nothing(tmp_path: Path) -> None:
    hub = Hub(lambda defect, keyword, number: "a" if defect and number == 1 else "")
    state, _ = walk(tmp_path, hub, QUOTE)
    assert not any(found.is_caught for found in state.of(QUOTE))


@pytest.mark.parametrize("code", [3, 4, None])
def test_a_run_without_a_verdict_is_told_and_catches_nothing(code: int, tmp_path: Path) -> None:
    walk(tmp_path, Hub(lambda defect, keyword, number: ""), FX)
    state, problem = walk(tmp_path, Hub(lambda defect, keyword, number: "abcd", code), QUOTE, FX)
    assert "it broke" in problem or "stopped" in problem
    assert not any(found.is_caught for name in (QUOTE, FX) for found in state.of(name))


def test_a_suite_that_fails_on_the_sound_hub_is_not_walked(tmp_path: Path) -> None:
    hub = Hub(lambda defect, keyword, number: "a")
    state, problem = walk(tmp_path, hub, QUOTE)
    assert "not sound" in problem
    assert check("a").check in problem
    assert state.of(SOUND) == state.of(QUOTE) == []
    assert hub.calls == [("", "")]


def test_what_fails_in_a_part_without_a_defect_is_no_catch(tmp_path: Path) -> None:
    hub = Hub(lambda defect, keyword, number: "a" if keyword else "")
    state, problem = walk(tmp_path, hub, QUOTE)
    assert problem == ""
    assert not any(found.is_caught for found in state.of(QUOTE))


def test_a_command_that_takes_too_long_is_stopped() -> None:
    assert Commands()(["hub", "serve"], REPOSITORY, 1.0).code is None


def test_told_to_end_the_command_ends_its_runs_and_catches_nothing(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    assert harness("init", str(workspace), cwd=tmp_path).code == 0
    walking = start("selftest", RELEASE, "--defect", QUOTE, "-n", "0", cwd=workspace)
    wait_for(lambda: bool(list((workspace / "reports" / "runs").glob("selftest-*/journal.jsonl"))), "the first run")
    walking.terminate()
    said, _ = walking.communicate(timeout=60)
    assert walking.returncode == 2, said
    (run,) = (workspace / "reports" / "runs").glob("selftest-*")
    left = (run / "journal.jsonl").read_text()
    assert "run-finished" not in left or "interrupted" in left
    assert not list((workspace / "reports").glob("selftest/*"))


def test_the_command_catches_what_the_native_suite_claims_and_says_what_it_does_not(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    assert harness("init", str(workspace), cwd=tmp_path).code == 0
    names = ("quote-accepted-200", "transfer-state-wrong", "fx-not-found-wrong-code")
    asked = (
        "selftest",
        RELEASE,
        "-n",
        "0",
        "-k",
        "test_payment or test_state_of_committed",
        "--out",
        "out.md",
        "--json",
    )
    asked += tuple(word for name in names for word in ("--defect", name))
    ended = harness(*asked, cwd=workspace)
    found = json.loads(ended.out)
    assert ended.code == found["exit_code"] == 0, ended
    assert {row["defect"]: row["status"] for row in found["matrix"]} == {
        "quote-accepted-200": "caught", "transfer-state-wrong": "caught", "fx-not-found-wrong-code": "not caught",
    }  # fmt: skip
    assert all(row["suspect_is_right"] for row in found["matrix"] if row["status"] == "caught")
    assert "What slips through" in (workspace / "out.md").read_text()
    assert not list((workspace / "reports" / "runs").glob("selftest-*"))
    again = harness(*asked, cwd=workspace)
    assert json.loads(again.out) == found
    assert again.err == ""

"""The score counts what is known, and the exit code tells whether the suite catches what it claims to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.hub.defects import DEFECTS
from harness.selftest.matrix import Matrix, Status, matrix
from harness.selftest.parts import NATIVE, OFFICIAL, SUITES, is_claimed, plan_of
from harness.selftest.slips import SLIPS
from harness.selftest.state import Result
from harness.selftest.text import as_lines, as_section, score_line, write_section
from tests.selftest.build import result

CLAIMED = "quote-accepted-200"
BEYOND = "fx-patch-lost"
CAUGHT = result(CLAIMED, "a::b::c::d", suspects=("quoting-service",))


def made(*results: Result, defects: tuple[str, ...] = (CLAIMED, BEYOND), problem: str = "") -> Matrix:
    by = {name: [one for one in results if one.defect == name] for name in defects}
    return matrix("v17.1.0", NATIVE, "whole suite", defects, by, problem)


@pytest.mark.parametrize(
    ("found", "status"),
    [
        ([], Status.NOT_RUN),
        ([result(CLAIMED)], Status.NOT_CAUGHT),
        ([result(CLAIMED, part="fx")], Status.NOT_BY_PART),
        ([result(CLAIMED, part="fx"), CAUGHT], Status.CAUGHT),
        ([result(CLAIMED, provisioning=("x",))], Status.CAUGHT),
        ([result(CLAIMED, "a", problem="exit 4")], Status.BROKEN),
        ([result(CLAIMED, part="fx"), result(CLAIMED, problem="exit 4")], Status.BROKEN),
    ],
)
def test_what_is_known_of_a_defect(found: list[Result], status: Status) -> None:
    assert made(*found).rows[0].status is status


def test_the_score_is_the_share_of_those_whose_runs_came_to_their_end() -> None:
    assert made(CAUGHT, result(BEYOND)).score == 0.5
    assert made(CAUGHT, result(BEYOND, problem="exit 4")).score == 1
    assert made().score is None


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([CAUGHT, result(BEYOND)], 0),
        ([result(CLAIMED), result(BEYOND, "a")], 1),
        ([result(CLAIMED, "a", problem="exit 4")], 1),
        ([], 1),
    ],
)
def test_the_exit_code_tells_whether_every_claim_was_kept(found: list[Result], code: int) -> None:
    assert made(*found).exit_code == code


def test_a_suite_that_is_not_sound_says_nothing() -> None:
    unsound = made(CAUGHT, problem="the suite is not sound")
    assert unsound.exit_code == 2
    assert "the suite is not sound" in as_lines(unsound)[-1]


def test_a_wrong_suspect_is_told() -> None:
    wrong = made(result(CLAIMED, "a", suspects=("central-ledger", "quoting-service")))
    assert not wrong.rows[0].suspect_is_right
    assert "first suspect central-ledger, not quoting-service" in as_lines(wrong)[0]


def test_the_json_carries_the_whole_matrix() -> None:
    found = json.loads(json.dumps(made(CAUGHT, result(BEYOND)).to_json()))
    assert (found["defects"], found["caught"], found["score"], found["exit_code"]) == (2, 1, 0.5, 0)
    assert [row["status"] for row in found["matrix"]] == ["caught", "not caught"]


def test_the_document_keeps_the_sections_of_other_suites(tmp_path: Path) -> None:
    path = tmp_path / "mutation.md"
    native = made(CAUGHT)
    official = matrix("v17.1.0", OFFICIAL, "whole suite", (CLAIMED,), {CLAIMED: [result(CLAIMED)]})
    for one in (official, native, official, native):
        write_section(path, one)
    text = path.read_text()
    assert text.count("## The native suite of v17.1.0") == text.count("## The official suite of v17.1.0") == 1
    assert as_section(native) in text
    assert as_section(official) in text


def test_a_document_of_another_kind_is_not_overwritten(tmp_path: Path) -> None:
    (path := tmp_path / "notes.md").write_text("# Notes\n")
    with pytest.raises(InputError, match="something else"):
        write_section(path, made(CAUGHT))
    assert path.read_text() == "# Notes\n"


def test_a_defect_that_met_only_a_part_is_told_as_such() -> None:
    assert "1 defects met only a part" in as_section(made(result(CLAIMED, part="fx")))
    assert "100%" in score_line(made(CAUGHT))


def test_the_reasons_written_by_hand_are_of_defects_and_suites_that_exist() -> None:
    assert SLIPS.keys() <= SUITES.keys()
    for suite, reasons in SLIPS.items():
        assert reasons.keys() <= DEFECTS.keys()
        assert all(reasons.values())
        assert not any(is_claimed(suite, DEFECTS[name]) for name in reasons)


def test_every_part_belongs_to_a_capability_that_has_defects() -> None:
    assert plan_of(OFFICIAL).parts.keys() <= {defect.capability for defect in DEFECTS.values()}

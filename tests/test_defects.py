"""The gate sees every regression that the embedded hub can show, by the check that docs/defects.md names.

Here each defect meets the smoke cases and the case that catches it; ``python -m tests.walk_defects`` runs the whole
suite against each and writes the table.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.hub.defects import DEFECTS
from tests.support import RELEASE, harness, outcomes
from tests.walk_defects import NATIVE, TABLE, Walked, function_of, functions, judged_workspace, read_table, render, walk

CAUGHT_BY = read_table(TABLE.read_text(encoding="utf-8"))
SMOKE = "test_payment"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the shipped suite, a run of it against a sound hub, and the baseline of that run."""
    return judged_workspace(tmp_path_factory.mktemp("defects") / "workspace")


def test_the_table_has_every_defect_of_the_native_suite_and_its_component() -> None:
    assert {name: component for name, (component, _) in CAUGHT_BY.items()} == {
        name: DEFECTS[name].component for name in NATIVE
    }


def test_every_check_of_the_table_passes_on_a_sound_hub(workspace: Path) -> None:
    found = outcomes(workspace / "reports" / "runs" / "sound")
    assert {found.get(check, "never made") for _, check in CAUGHT_BY.values()} == {"passed"}


@pytest.mark.parametrize("defect", NATIVE)
def test_a_defect_is_caught_by_the_check_of_the_table(defect: str, workspace: Path) -> None:
    _, check = CAUGHT_BY[defect]
    case = function_of(check, functions(workspace / "suites" / "mojaloop"))
    walked = walk(workspace, defect, "-n", "0", "-k", f"{SMOKE} or {case}")
    assert check in walked.rooted
    assert walked.problem == ""


def test_with_a_defect_the_whole_suite_is_rejected(workspace: Path) -> None:
    ended = harness(
        "run", RELEASE, "--scheme", "example", "--defect", "position-kept-on-abort", "--run-id", "whole", cwd=workspace
    )
    assert ended.code == 1, ended
    assert "REJECTED (rehearsal on the embedded hub)" in ended.out
    assert "Suspect  central-ledger" in ended.out
    assert CAUGHT_BY["position-kept-on-abort"][1] in (workspace / "reports/runs/whole/verdict.json").read_text()


def test_a_table_reads_as_it_was_written() -> None:
    check = "test_x.py::A title | with a bar::POST /quotes::response status is 202"
    walked = Walked("quote-accepted-200", 1, "REJECTED", ("quoting-service",), (check,), (check,), 1.0)
    assert read_table(render([walked])) == {"quote-accepted-200": ("quoting-service", check)}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"exit_code": 0, "verdict": "APPROVED"}, "APPROVED, exit 0"),
        ({"exit_code": 2, "verdict": "INCONCLUSIVE"}, "INCONCLUSIVE, exit 2"),
        ({"rooted": ()}, "no check of quoting-service"),
        ({"suspects": ("central-ledger", "quoting-service")}, "first suspect is central-ledger"),
        ({"suspects": ()}, "first suspect is nobody"),
    ],
)
def test_a_walk_in_which_the_gate_did_not_see_it_is_a_problem(change: dict[str, Any], problem: str) -> None:
    good = Walked("quote-accepted-200", 1, "REJECTED (…)", ("quoting-service",), ("a",), ("a",), 1.0)
    assert good.problem == ""
    assert problem in replace(good, **change).problem

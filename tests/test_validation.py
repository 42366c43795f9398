"""A run's folder and the workspace it stands in give the judge all that a person stated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import BaselineError
from harness.judge.baseline_store import write_baseline
from harness.judge.verdict import JudgedRun
from harness.model.outcome import VerdictKind
from harness.validation import Against, judge_folder
from harness.workspace import Workspace
from tests.cli.test_compare import write_run
from tests.judge.build import P, baseline, case, check_id, run

OLD, NEW = case("old", P, fingerprint="aaaa"), case("new", P, fingerprint="bbbb")


AS_NAMED = Against()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """One whose baseline was made with another suite, in which the only case had another name."""
    workspace = Workspace(tmp_path)
    write_baseline(replace(baseline((OLD,)), suite_digest="7" * 64), tmp_path / "baselines" / "mojaloop" / "v17.1.0")
    scheme = tmp_path / "scheme_rules" / "example"
    scheme.mkdir(parents=True)
    (scheme / "criteria.yaml").write_text(
        "scheme: example\ntitle: Example\nrules:\n"
        "  - {id: none, kind: class-at-most, classes: [regressed], at_most: 0, severity: blocker, title: t, "
        "rationale: Nothing may get worse}\n"
    )
    write_run(workspace.runs / "first", run([NEW]))
    return workspace


def judged(workspace: Workspace, against: Against = AS_NAMED) -> JudgedRun:
    return judge_folder(workspace, workspace.runs / "first", against).judged


def test_the_judge_knows_the_renames_that_the_product_states(workspace: Workspace) -> None:
    assert judged(workspace).counts["removed"] == 1
    renames = workspace.root / "baselines" / "mojaloop" / "renames.yaml"
    renames.write_text(f"format: 1\nrenames:\n  - {{before: {OLD.case!r}, after: {NEW.case!r}, reason: reworded}}\n")
    table = judged(workspace).comparison.table.set_index("check")
    assert table.loc[check_id("new", "c1"), "moved_from"] == check_id("old", "c1")
    assert table.loc[check_id("new", "c1"), "class"] == "unchanged-pass"
    assert judged(workspace).counts["removed"] == 0


def test_a_rename_table_that_cannot_be_read_never_approves(workspace: Workspace) -> None:
    (workspace.root / "baselines" / "mojaloop" / "renames.yaml").write_text("format: 2\n")
    verdict = judged(workspace).verdict
    assert verdict.kind is VerdictKind.INCONCLUSIVE
    assert any("renames.yaml" in reason.text for reason in verdict.reasons)
    with pytest.raises(BaselineError, match=r"renames\.yaml"):
        judged(workspace, Against(baseline="v17.1.0"))


def test_a_baseline_of_too_few_runs_gives_way_to_a_fallback_that_is_named(workspace: Workspace) -> None:
    write_baseline(
        replace(baseline((NEW,), (NEW,), (NEW,)), release="v16.0.0"),
        workspace.root / "baselines" / "mojaloop" / "v16.0.0",
    )
    against = Against(fallback="v16.0.0")
    found = judged(workspace, against).verdict
    why = "that of v17.1.0, made of 1 run where 3 are asked for"
    assert found.inputs["baseline"]["stands_in_for"] == why
    assert (found.inputs["baseline"]["release"], found.inputs["baseline"]["runs"]) == ("v16.0.0", 3)
    assert f"judged against the baseline of v16.0.0 in place of {why}" in found.notes
    enough = judged(workspace, replace(against, minimum_runs=1)).verdict
    assert enough.inputs["baseline"]["release"] == "v17.1.0"
    assert enough.inputs["baseline"]["stands_in_for"] == ""


def test_a_fallback_that_is_not_there_is_told(workspace: Workspace) -> None:
    with pytest.raises(BaselineError, match="there is no baseline here"):
        judged(workspace, Against(baseline="v17.1.0", fallback="v14.0.0"))
    verdict = judged(workspace, Against(fallback="v14.0.0")).verdict
    assert verdict.kind is VerdictKind.INCONCLUSIVE

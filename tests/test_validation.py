"""A run's folder and the workspace it stands in give the judge all that a person stated."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness import __version__
from harness.cli import app
from harness.errors import BaselineError, InputError
from harness.judge.baseline_store import write_baseline
from harness.judge.document import verdict_to_json
from harness.judge.judged_by import JUDGED_BY, judged_by_schema
from harness.judge.verdict import JudgedRun
from harness.model.outcome import VerdictKind
from harness.validation import Against, judge_as_before, judge_folder, judged_against, write_reports
from harness.workspace import Workspace
from tests.cli.test_compare import write_run
from tests.judge.build import P, baseline, case, check_id, run
from tests.support import REPOSITORY

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


def judged_and_written(workspace: Workspace, against: Against = AS_NAMED) -> Path:
    """The folder of the run after it was judged and reported."""
    write_reports(judge_folder(workspace, workspace.runs / "first", against))
    return workspace.runs / "first"


def other_inputs(workspace: Workspace) -> Against:
    """Everything else than what the run names: a baseline folder outside, its fallback, criteria and waivers."""
    write_baseline(baseline((NEW,)), workspace.root / "other" / "baseline")
    write_baseline(
        replace(baseline((NEW,), (NEW,)), release="v16.0.0"), workspace.root / "baselines" / "mojaloop" / "v16.0.0"
    )
    own = workspace.root / "scheme_rules" / "example" / "criteria.yaml"
    criteria = own.with_name("strict.yaml")
    criteria.write_text(own.read_text().replace("title: Example", "title: Strict"))
    waivers = workspace.root / "agreed.yaml"
    waivers.write_text("scheme: example\nwaivers: []\n")
    return Against(
        criteria=criteria,
        baseline=str(workspace.root / "other" / "baseline"),
        waivers=waivers,
        fallback="v16.0.0",
        minimum_runs=2,
    )


def test_whoever_tells_of_a_verdict_tells_of_the_one_that_was_decided(workspace: Workspace) -> None:
    folder = judged_and_written(workspace, other_inputs(workspace))
    before = (folder / "verdict.json").read_bytes()
    assert judged_against(workspace, folder) == other_inputs(workspace)
    assert verdict_to_json(judge_as_before(workspace, folder).judged).encode() == before
    assert verdict_to_json(judged(workspace)).encode() != before
    assert str(workspace.root) not in (folder / JUDGED_BY).read_text()


def test_a_run_judged_by_what_it_names_itself_says_so(workspace: Workspace) -> None:
    folder = judged_and_written(workspace)
    text = (folder / JUDGED_BY).read_text()
    assert json.loads(text) == {
        "format": 1, "tool": __version__, "scheme": None, "criteria": None, "baseline": None, "fallback": None,
        "minimum_runs": 3, "waivers": None,
    }  # fmt: skip
    judged_and_written(workspace)
    assert (folder / JUDGED_BY).read_text() == text


def test_a_run_that_was_never_judged_is_judged_by_what_it_names(workspace: Workspace) -> None:
    found = judge_as_before(workspace, workspace.runs / "first")
    assert verdict_to_json(found.judged) == verdict_to_json(judged(workspace))
    assert not (workspace.runs / "first" / "verdict.json").exists()


def _append(name: str, text: str) -> Callable[[Workspace], object]:
    def change(workspace: Workspace) -> None:
        path = workspace.root / name
        path.write_text((path.read_text() if path.exists() else "") + text)

    return change


def _faster(workspace: Workspace) -> None:
    path = workspace.root / "baselines/mojaloop/v17.1.0/baseline.yaml"
    path.write_text(path.read_text().replace("p95_ms: 10.0", "p95_ms: 11.0"))


CHANGES: dict[str, Callable[[Workspace], object]] = {
    "the journal": _append("reports/runs/first/journal.jsonl", '{"seq": 99}\n'),
    "the criteria": _append("scheme_rules/example/criteria.yaml", "# another word\n"),
    "the waivers": _append("scheme_rules/example/waivers.yaml", "scheme: example\nwaivers: []\n"),
    "the baseline (renames": _append("baselines/mojaloop/renames.yaml", "format: 1\nrenames: []\n"),
    "the baseline (document": _faster,
    "the baseline (there then, none now)": lambda w: shutil.rmtree(w.root / "baselines" / "mojaloop" / "v17.1.0"),
}


@pytest.mark.parametrize("named", CHANGES)
def test_a_verdict_whose_inputs_changed_since_is_not_told_but_the_change_is(workspace: Workspace, named: str) -> None:
    folder = judged_and_written(workspace)
    CHANGES[named](workspace)
    with pytest.raises(InputError) as raised:
        judge_as_before(workspace, folder)
    assert named in str(raised.value)
    assert str(raised.value).startswith("reports/runs/first/verdict.json: ")
    assert "harness judge first decides again" in str(raised.value)
    assert raised.value.exit_code == 3
    judged_and_written(workspace)
    judge_as_before(workspace, folder)


def test_a_verdict_that_was_touched_is_not_told(workspace: Workspace) -> None:
    folder = judged_and_written(workspace)
    verdict = folder / "verdict.json"
    for touched in (verdict.read_text().replace("INCONCLUSIVE", "APPROVED"), "{", "[]"):
        verdict.write_text(touched)
        with pytest.raises(InputError, match="the file itself was changed since"):
            judge_as_before(workspace, folder)


def test_a_verdict_of_another_version_of_the_harness_is_not_told(workspace: Workspace) -> None:
    folder = judged_and_written(workspace)
    (folder / "verdict.json").write_text((folder / "verdict.json").read_text().replace('"format": 1', '"format": 0'))
    (folder / JUDGED_BY).write_text((folder / JUDGED_BY).read_text().replace(__version__, "0.0.9"))
    with pytest.raises(InputError, match=r"version 0\.0\.9 of the harness"):
        judge_as_before(workspace, folder)


@pytest.mark.parametrize("text", ["{", '{"format": 2, "tool": "1"}', '{"format": 1, "tool": "1", "more": 1}'])
def test_what_a_run_was_judged_by_is_read_or_refused(workspace: Workspace, text: str) -> None:
    folder = judged_and_written(workspace)
    (folder / JUDGED_BY).write_text(text)
    with pytest.raises(InputError, match=r"judged-by\.json.*cannot be read"):
        judge_as_before(workspace, folder)


def test_judging_again_is_by_what_the_run_was_judged_by(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace.root / "suites").mkdir()
    monkeypatch.chdir(workspace.root)
    folder = judged_and_written(workspace, other_inputs(workspace))
    before = (folder / "verdict.json").read_bytes()
    app(["judge", "first"], standalone_mode=False)
    assert (folder / "verdict.json").read_bytes() == before
    assert "judged as before: --criteria scheme_rules/example/strict.yaml --baseline" in capsys.readouterr().err
    app(["judge", "first", "--scheme", "example"], standalone_mode=False)
    assert (folder / "verdict.json").read_bytes() != before
    app(["report", "first", "--format", "junit"], standalone_mode=False)
    (workspace.root / "scheme_rules/example/waivers.yaml").write_text("scheme: example\nwaivers: []\n")
    with pytest.raises(InputError, match="the waivers"):
        app(["report", "first", "--format", "junit"], standalone_mode=False)


def test_the_schema_in_docs_is_the_one_in_force() -> None:
    stored = REPOSITORY / "docs" / "judged-by.schema.json"
    assert json.loads(stored.read_text()) == judged_by_schema()

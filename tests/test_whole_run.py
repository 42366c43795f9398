"""From the command to the verdict: what is approved, and everything that must not be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support import RELEASE, approved_workspace, harness, make_workspace, outcomes

RUN = ("run", RELEASE, "--scheme", "example", "-n", "0")


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one approved run called ``good``."""
    workspace = approved_workspace(tmp_path_factory.mktemp("workspace"))
    ended = harness(*RUN, "--run-id", "good", cwd=workspace)
    assert ended.code == 0, ended
    assert "APPROVED (rehearsal on the embedded hub)" in ended.out
    return workspace


@pytest.fixture
def workspace(approved: Path, tmp_path: Path) -> Path:
    """A copy of the approved workspace that a test may damage."""
    return Path(shutil.copytree(approved, tmp_path / "copy"))


def judged(workspace: Path, run: str = "good") -> tuple[int, dict[str, object]]:
    ended = harness("judge", run, "--json", cwd=workspace)
    assert ended.code in (0, 1, 2), ended
    return ended.code, json.loads(ended.out)


def test_the_verdict_of_a_rehearsal_says_so_wherever_it_is_stored(approved: Path) -> None:
    folder = approved / "reports" / "runs" / "good"
    verdict = json.loads((folder / "verdict.json").read_text())
    assert verdict["verdict"] == "APPROVED (rehearsal on the embedded hub)"
    assert "APPROVED (rehearsal on the embedded hub)" in (folder / "allure-results/environment.properties").read_text()


@pytest.mark.parametrize(
    ("workers", "settings"),
    [("0", {}), ("2", {}), ("0", {"PYTEST_PLUGINS": "stray"}), ("2", {"PYTEST_ADDOPTS": "-p stray -k nothing"})],
)
def test_no_plugin_or_setting_that_happens_to_be_there_changes_a_run(
    workspace: Path, tmp_path: Path, workers: str, settings: dict[str, str]
) -> None:
    installed = tmp_path / "installed"
    (installed / "stray-1.0.dist-info").mkdir(parents=True)
    (installed / "stray-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: stray\nVersion: 1.0\n")
    (installed / "stray-1.0.dist-info/entry_points.txt").write_text("[pytest11]\nstray = stray\n")
    (installed / "stray.py").write_text("def pytest_collection_modifyitems(items):\n    del items[1:]\n")
    ended = harness(*RUN[:-1], workers, "--run-id", "beside", cwd=workspace, PYTHONPATH=str(installed), **settings)
    assert ended.code == 0, ended
    assert outcomes(workspace / "reports/runs/beside") == outcomes(workspace / "reports/runs/good")


def test_judging_again_gives_the_same_bytes(approved: Path) -> None:
    stored = (approved / "reports/runs/good/verdict.json").read_bytes()
    assert harness("judge", "good", cwd=approved).code == 0
    assert (approved / "reports/runs/good/verdict.json").read_bytes() == stored


def test_a_defect_is_rejected(workspace: Path) -> None:
    suite = workspace / "suites/mojaloop/test_health.py"
    suite.write_text(
        suite.read_text()
        + """
@case("An unknown transfer is answered with 3208")
def test_unknown(payer):
    answer = payer.get_transfer("7d6ba9d6-2c4e-4b9c-8d8a-111111111111")
    answer.calls_back("errorInformation.errorCode", "3208", component="ml-api-adapter")
"""
    )
    assert harness("suite", "pin", RELEASE, cwd=workspace).code == 0
    assert harness(*RUN, "--run-id", "again", cwd=workspace).code == 2
    assert harness("baseline", "record", "again", cwd=workspace).code == 0
    assert harness(*RUN, cwd=workspace).code == 0
    ended = harness(*RUN, "--defect", "transfer-not-found-wrong-code", cwd=workspace)
    assert ended.code == 1
    assert "REJECTED (rehearsal on the embedded hub)" in ended.out
    assert "callback errorInformation.errorCode" in ended.out
    assert "ml-api-adapter" in ended.out


def test_no_cases_is_no_approval(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, suite={"support.py": ""})
    ended = harness(*RUN, cwd=workspace)
    assert ended.code == 2
    assert "INCONCLUSIVE" in ended.out


def test_an_empty_journal_is_no_approval(workspace: Path) -> None:
    (workspace / "reports/runs/good/journal.jsonl").write_bytes(b"")
    assert judged(workspace)[0] == 2


def test_a_journal_cut_in_its_last_line_is_no_approval(workspace: Path) -> None:
    journal = workspace / "reports/runs/good/journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    code, verdict = judged(workspace)
    assert code == 2
    assert "cut off" in json.dumps(verdict)


def test_a_missing_journal_is_unreadable_input(workspace: Path) -> None:
    (workspace / "reports/runs/good/journal.jsonl").unlink()
    ended = harness("judge", "good", cwd=workspace)
    assert ended.code == 3
    assert "journal.jsonl" in ended.err


def test_a_baseline_that_does_not_exist_is_no_approval(workspace: Path) -> None:
    (workspace / "baselines/mojaloop" / RELEASE / "baseline.yaml").unlink()
    assert judged(workspace)[0] == 2
    assert harness("judge", "good", "--baseline", "v16.0.0", cwd=workspace).code == 3


def test_a_changed_baseline_is_no_approval(workspace: Path) -> None:
    results = workspace / "baselines/mojaloop" / RELEASE / "results.csv"
    results.write_text(results.read_text().replace(",1,1,0", ",1,0,1"))
    assert judged(workspace)[0] == 2


def test_a_suite_off_its_pin_is_no_approval(workspace: Path) -> None:
    suite = workspace / "suites/mojaloop/test_health.py"
    suite.write_text(suite.read_text().replace("status(200)", "status(200)  # harmless, or is it"))
    ended = harness(*RUN, "--run-id", "off", cwd=workspace)
    assert ended.code == 2
    assert "test_health.py was changed" in json.dumps(judged(workspace, "off")[1])


def test_a_suite_without_a_pin_is_no_approval(workspace: Path) -> None:
    (workspace / "suites/mojaloop" / f"{RELEASE}.yaml").unlink()
    assert harness(*RUN, cwd=workspace).code == 2


@pytest.mark.parametrize("selection", [["-k", "ledger"], ["--label", "other"]])
def test_a_part_of_the_suite_is_no_approval(workspace: Path, selection: list[str]) -> None:
    assert harness(*RUN, *selection, cwd=workspace).code == 2


def test_a_case_that_says_nothing_of_itself_is_no_approval(workspace: Path) -> None:
    (workspace / "suites/mojaloop/test_more.py").write_text("def test_plain():\n    pass\n")
    ended = harness(*RUN, "--run-id", "plain", cwd=workspace)
    assert ended.code == 2
    assert "@case" in json.dumps(judged(workspace, "plain")[1])


def test_a_file_that_does_not_load_is_no_approval(workspace: Path) -> None:
    (workspace / "suites/mojaloop/test_more.py").write_text("this is no Python\n")
    ended = harness(*RUN, "--run-id", "broken", cwd=workspace)
    assert ended.code == 2
    assert "test_more.py" in json.dumps(judged(workspace, "broken")[1])


def test_a_run_without_a_scheme_is_no_approval(workspace: Path) -> None:
    assert harness("run", RELEASE, "-n", "0", cwd=workspace).code == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run"], "release"),
        (["run", "seventeen"], "not a release version"),
        (["run", "v9.9.9"], "release.yaml"),
        (["run", RELEASE, "--target", "nowhere.yaml"], "nowhere.yaml"),
        (["run", RELEASE, "--scheme", "none"], "none"),
        (["run", RELEASE, "--defect", "nonsense"], "nonsense"),
        (["run", RELEASE, "--collection", "absent.json"], "absent.json"),
        (["run", RELEASE, "--no-such-option"], "--no-such-option"),
        (["judge", "no-such-run"], "no-such-run"),
        (["report", "good", "--format", "pdf"], "pdf"),
    ],
)
def test_wrong_usage_ends_with_3_and_says_what_is_wrong(approved: Path, arguments: list[str], told: str) -> None:
    before = sorted((approved / "reports/runs").iterdir())
    ended = harness(*arguments, cwd=approved)
    assert ended.code == 3, ended
    assert told in ended.err
    assert "Traceback" not in ended.err
    assert sorted((approved / "reports/runs").iterdir()) == before


def test_criteria_that_cannot_be_used_stop_the_run_before_it_starts(workspace: Path) -> None:
    criteria = workspace / "scheme_rules/example/criteria.yaml"
    criteria.write_text(criteria.read_text() + "surprise: 1\n")
    ended = harness(*RUN, "--run-id", "never", cwd=workspace)
    assert ended.code == 3
    assert "criteria.yaml" in ended.err
    assert "line" in ended.err
    assert not (workspace / "reports/runs/never").exists()


def test_waivers_that_cannot_be_used_stop_the_run_before_it_starts(workspace: Path) -> None:
    waivers = workspace / "scheme_rules/example/waivers.yaml"
    waivers.write_text("scheme: example\nwaivers:\n  - id: all\n    checks: ['*']\n")
    ended = harness(*RUN, "--run-id", "never", cwd=workspace)
    assert ended.code == 3
    assert "waivers.yaml, line 3" in ended.err
    assert not (workspace / "reports/runs/never").exists()
    absent = harness(*RUN, "--run-id", "never", "--waivers", "no-such.yaml", cwd=workspace)
    assert (absent.code, "no-such.yaml" in absent.err) == (3, True)


def test_a_failure_is_waived_by_name_for_as_long_as_was_agreed(workspace: Path) -> None:
    journal = workspace / "reports/runs/good/journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    victim = next(line for line in lines if line["type"] == "check")
    victim["outcome"] = "failed"
    for line in lines:
        if line["type"] == "case-finished" and line["case"] == victim["case"]:
            line["outcome"] = "failed"
        line["at"] = "2026-06-01T10:00:00.000Z"
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert judged(workspace)[0] == 1
    entry = {
        "id": "agreed", "checks": [victim["check"]], "ticket": "https://tracker.example/browse/HUB-1",
        "reason": "The endpoint is renamed in the next release", "approved_by": "A. Person, Operations",
        "approved_on": "2026-05-01", "expires": "2026-06-01", "at_most": 1,
    }  # fmt: skip
    own = workspace / "scheme_rules/example/waivers.yaml"
    own.write_text(json.dumps({"scheme": "example", "waivers": [entry]}))
    code, verdict = judged(workspace)
    assert (code, verdict["kind"]) == (0, "APPROVED WITH KNOWN ISSUES")
    first = (workspace / "reports/runs/good/verdict.json").read_bytes()
    assert judged(workspace)[0] == 0
    assert (workspace / "reports/runs/good/verdict.json").read_bytes() == first
    other = workspace / "other.yaml"
    other.write_text(json.dumps({"scheme": "example", "waivers": [entry | {"expires": "2026-05-31"}]}))
    ended = harness("judge", "good", "--waivers", str(other), cwd=workspace)
    assert ended.code == 1
    assert "waiver agreed covers nothing: expired on 2026-05-31" in ended.out


def test_workers_and_order_do_not_change_outcomes(workspace: Path) -> None:
    for run, arguments in {"alone": ["-n", "0"], "four": ["-n", "4"]}.items():
        assert harness("run", RELEASE, "--scheme", "example", *arguments, "--run-id", run, cwd=workspace).code == 0
    suite = workspace / "suites/mojaloop/test_health.py"
    head, *cases = suite.read_text().split("\n@case")
    suite.write_text(head + "".join(f"\n@case{case}\n" for case in reversed(cases)))
    harness("run", RELEASE, "-n", "0", "--run-id", "reversed", cwd=workspace)
    runs = workspace / "reports/runs"
    assert outcomes(runs / "alone") == outcomes(runs / "four") == outcomes(runs / "reversed") == outcomes(runs / "good")
    assert outcomes(runs / "alone")


def test_a_kept_hub_gives_the_same_outcomes_again(workspace: Path) -> None:
    seen = []
    try:
        for number in (1, 2):
            ended = harness("run", RELEASE, "--keep", "--check-invariants", "--run-id", f"kept{number}", cwd=workspace)
            assert ended.code in (0, 2), ended
            seen.append(outcomes(workspace / "reports/runs" / f"kept{number}"))
        assert seen[0] == seen[1] != {}
        other = harness("run", RELEASE, "--keep", "--defect", "quote-slow", cwd=workspace)
        assert (other.code, "harness hub stop" in other.err) == (3, True)
    finally:
        assert harness("hub", "stop", cwd=workspace).out == "stopped\n"
    assert harness("hub", "stop", cwd=workspace).out == "there was none\n"


def test_a_law_that_the_hub_breaks_is_our_own_fault(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.run import stage
    from harness.run.execute import execute
    from harness.run.options import resolve_values

    broken = [{"rule": "sums", "subject": "XXX POSITION", "detail": "they add up to 5", "histories": {}}]
    monkeypatch.setattr(stage, "broken_laws", lambda services: broken)
    options = resolve_values(
        start=workspace, release=RELEASE, product="mojaloop", scheme=None, target="embedded", run_id="unlawful",
        labels=(), defects=(), check_invariants=True,
    )  # fmt: skip
    done = execute(options, workers=0)
    assert "1 laws of the embedded hub broken" in done.internal_error
    assert "they add up to 5" in done.internal_error
    assert json.loads((done.folder / "violations.json").read_text()) == broken


def test_defects_and_the_watch_over_the_laws_exclude_each_other(workspace: Path) -> None:
    ended = harness("run", RELEASE, "--check-invariants", "--defect", "quote-slow", cwd=workspace)
    assert (ended.code, "on purpose" in ended.err) == (3, True)

"""The official collections, from a release's archive to a run, through the real commands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from harness.model.records import CasePlanned, CheckRecorded, Provisioned
from harness.run.reader import read_journal
from tests.support import RELEASE, REPOSITORY, environment, harness, make_workspace

OSS = REPOSITORY.parent / "shared" / "oss"
P2P = "collections/hub/golden_path/feature_tests/p2p_money_transfer"
pytestmark = pytest.mark.skipif(not OSS.is_dir(), reason=f"the official collections are not at {OSS}")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace into which v17.1.0 was imported from an archive in GitHub's layout."""
    root = make_workspace(tmp_path_factory.mktemp("workspace"))
    archive = tmp_path_factory.mktemp("archive") / "testing-toolkit-test-cases-17.1.0.zip"
    source = OSS / "collections" / RELEASE
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(source.rglob("*")):
            if path.is_file():
                packed.write(path, f"testing-toolkit-test-cases-17.1.0/{path.relative_to(source).as_posix()}")
    ended = harness("suite", "import", str(archive), "--product", "mojaloop", "--release", RELEASE, cwd=root)
    assert ended.code == 0, ended
    return root


def outcomes(folder: Path) -> dict[str, str]:
    records = read_journal(folder).records
    return {record.check: record.outcome.value for record in records if isinstance(record, CheckRecorded)}


def test_the_counts_shown_are_the_published_ones(workspace: Path) -> None:
    shown = harness("suite", "show", RELEASE, cwd=workspace).out
    (line,) = [line for line in shown.splitlines() if line.startswith("hub/golden_path")]
    assert " ".join(line.split()) == "hub/golden_path 60 files 129 cases 631 requests 2617 assertions"


def test_the_same_archive_again_changes_nothing(workspace: Path) -> None:
    ended = harness("suite", "import", str(OSS / "collections" / RELEASE), "--release", RELEASE, cwd=workspace)
    assert ended.code == 0
    assert "was there already" in ended.out
    other = harness("suite", "import", str(OSS / "collections/v15.1.0"), "--release", RELEASE, cwd=workspace)
    assert other.code == 3
    assert harness("suite", "verify", RELEASE, "--suite", "official", cwd=workspace).code == 0


def test_two_releases_are_compared(workspace: Path) -> None:
    assert harness("suite", "import", str(OSS / "collections/v15.1.0"), "--release", "v15.1.0", cwd=workspace).code == 0
    ended = harness("suite", "diff", "v15.1.0", RELEASE, "--json", cwd=workspace)
    found = json.loads(ended.out)
    assert ended.code == 1
    assert found["checks"]["unchanged"] > 1500
    assert harness("suite", "diff", RELEASE, RELEASE, cwd=workspace).code == 0


def test_a_label_of_the_official_suite_runs_and_the_rest_is_not_forgotten(workspace: Path) -> None:
    for workers in ("0", "2"):
        run = ("run", RELEASE, "--suite", "official", "--label", "p2p", "--run-id", f"p2p-{workers}", "-n", workers)
        ended = harness(*run, cwd=workspace)
        assert ended.code in (1, 2), ended
        assert "APPROVED" not in ended.out
    records = read_journal(workspace / "reports/runs/p2p-0").records
    planned = [record for record in records if isinstance(record, CasePlanned)]
    assert (len(planned), sum(case.selected for case in planned)) == (129, 7)
    alone, spread = (outcomes(workspace / f"reports/runs/p2p-{workers}") for workers in ("0", "2"))
    assert alone == spread
    assert "error" not in alone.values()


def test_an_imported_suite_that_changed_since_is_refused(workspace: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(workspace, tmp_path / "copy"))
    file = next((copy / "suites/mojaloop/official" / RELEASE).rglob("p2p_happy_path.json"))
    file.write_text(file.read_text().replace("COMMITTED", "COMMITED"))
    ended = harness("run", RELEASE, "--suite", "official", cwd=copy)
    assert ended.code == 3
    assert "p2p_happy_path.json" in ended.err
    verified = harness("suite", "verify", RELEASE, "--suite", "official", cwd=copy)
    assert verified.code == 1
    assert "p2p_happy_path.json" in verified.out


def test_a_suite_that_was_not_imported_says_how_to(tmp_path: Path) -> None:
    ended = harness("run", RELEASE, "--suite", "official", cwd=make_workspace(tmp_path))
    assert ended.code == 3
    assert "harness suite import" in ended.err


def test_one_malformed_file_among_ten_stops_the_run_or_spoils_its_verdict(workspace: Path, tmp_path: Path) -> None:
    health = {
        "id": "1",
        "description": "Health",
        "apiVersion": {"type": "central_admin", "majorVersion": 1, "minorVersion": 0, "asynchronous": False},
        "operationPath": "/health",
        "method": "get",
        "url": "{$inputs.HOST_CENTRAL_LEDGER}",
        "tests": {
            "assertions": [{"id": "1", "description": "well", "exec": ["expect(response.status).to.equal(200)"]}]
        },
    }
    folder = tmp_path / "collections"
    folder.mkdir()
    for number in range(10):
        document = {
            "name": str(number),
            "test_cases": [{"id": str(number), "name": f"Case {number}", "requests": [health]}],
        }
        (folder / f"c{number}.json").write_text(json.dumps(document, indent=1))
    broken = folder / "c7.json"
    broken.write_text(broken.read_text().replace('"test_cases"', '"test_case"'))
    run = ("run", RELEASE, "--collection", str(folder))
    refused = harness(*run, "--run-id", "refused", cwd=workspace)
    assert refused.code == 3
    assert "c7.json" in refused.err
    assert "line" in refused.err
    assert not (workspace / "reports/runs/refused").exists()
    ended = harness(*run, "--keep-going", "--run-id", "nine", cwd=workspace)
    assert ended.code == 2, ended
    assert list(outcomes(workspace / "reports/runs/nine").values()) == ["passed"] * 9
    verdict = (workspace / "reports/runs/nine/verdict.json").read_text()
    assert "c7.json" in verdict


@pytest.mark.parametrize(
    ("selection", "chosen"),
    [
        (["-k", "RECEIVE_QUOTE"], "1 "),
        (["-m", "p2p"], "7 "),
        (["-m", "p2p and not prod-tests"], "0 "),
        (["-n", "2"], "7 "),
    ],
)
def test_plain_pytest_selects_among_collections(workspace: Path, selection: list[str], chosen: str) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", str(OSS / "collections" / RELEASE / P2P), "-c", os.devnull),
            *("--rootdir", str(workspace), "-p", "no:cacheprovider", "-q"),
            *("--harness-target", "embedded", "--harness-release", RELEASE, *selection),
        ],
        cwd=workspace,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    last = done.stdout.strip().splitlines()[-1]
    ran = sum(
        int(part.split()[0]) for part in last.replace("=", "").split(",") if part.split()[1] in ("failed", "passed")
    )
    assert f"{ran} " == chosen, done.stdout


# Cases without an assertion, and assertions behind a switch that the published environment turns off.
HOLLOW = {"v15.1.0": 35, "v17.1.0": 35}


@pytest.mark.parametrize("release", sorted(HOLLOW))
def test_provisioning_p2p_and_clean_up_run_in_one_go_on_an_empty_hub(tmp_path: Path, release: str) -> None:
    root = make_workspace(tmp_path / "workspace")
    shutil.copytree(
        REPOSITORY / "baselines/mojaloop" / release, root / "baselines/mojaloop" / release, dirs_exist_ok=True
    )
    hub = OSS / "collections" / release / "collections" / "hub"
    # v17.1.0 has another clean-up beside, for production: whichever comes second finds nothing left to settle
    cleaning = hub / "cleanup/position_cleanup.json"
    chosen = [hub / "provisioning", hub / "golden_path/feature_tests/p2p_money_transfer", cleaning]
    ended = harness(
        "run", release, "-n", "0", "--empty-hub", "--time-scale", "0.1", "--run-id", "all",
        *(part for path in chosen for part in ("--collection", str(path))),
        cwd=root,
    )  # fmt: skip
    assert ended.code == 2, ended
    folder = root / "reports/runs/all"
    records = read_journal(folder).records
    planned = [check for record in records if isinstance(record, CasePlanned) for check in record.checks or ()]
    checks = [record for record in records if isinstance(record, CheckRecorded)]
    assert sorted(planned) == sorted(check.check for check in checks)
    told = {check.check: check.message for check in checks if check.outcome.value not in ("passed", "hollow")}
    assert not told
    rows = outcomes(folder).values()
    silent = [record for record in records if isinstance(record, CasePlanned) and not record.checks]
    assert list(rows).count("hollow") + len(silent) == HOLLOW[release]
    assert "time was scaled by 0.1" in ended.out


def test_the_official_suite_provisions_the_hub_by_its_own_collections(workspace: Path) -> None:
    ended = harness(
        "run", RELEASE, "--suite", "official", "--label", "p2p", "--time-scale", "0.1", "--run-id", "provisioned",
        cwd=workspace,
    )  # fmt: skip
    assert ended.code == 2, ended
    folder = workspace / "reports/runs/provisioned"
    (shown,) = [record for record in read_journal(folder).records if isinstance(record, Provisioned)]
    assert (shown.cases, shown.checks, shown.failures) == (49, 460, [])
    told = [name for name, outcome in outcomes(folder).items() if outcome not in ("passed", "hollow")]
    assert told == []
    assert harness("baseline", "record", "provisioned", cwd=workspace).code == 3


def test_a_hub_that_cannot_be_provisioned_is_told_and_approves_nothing(workspace: Path) -> None:
    ended = harness(
        "run", RELEASE, "--suite", "official", "--label", "p2p", "--time-scale", "0.1", "--run-id", "unprovisioned",
        "--defect", "funds-in-doubled", cwd=workspace,
    )  # fmt: skip
    assert ended.code != 0, ended
    (shown,) = [
        record
        for record in read_journal(workspace / "reports/runs/unprovisioned").records
        if isinstance(record, Provisioned)
    ]
    assert shown.failures
    assert "provisioning: " in ended.out

"""The core, then each product that the Scheme lists: real runs, one folder that holds them all, one verdict."""

from __future__ import annotations

import io
import json
import re
import shutil
import signal
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.errors import CriteriaError
from harness.handover.bundle import make_bundle
from harness.handover.verify import verify_bundle
from harness.judge.baseline_store import write_baseline
from harness.model.outcome import VerdictKind
from harness.model.verdict import Verdict
from harness.recording import baseline_from_runs
from harness.suite.pin import make_pin, write_pin
from harness.validation import check_scheme, judge_folder, write_reports
from harness.workspace import Workspace
from tests.support import RELEASE, harness, make_workspace, start, wait_for

PRODUCT, VERSION = "payment-manager", "v5.1.0"
NESTED = f"products/{PRODUCT}"
SUITE = """
import os
import time
from pathlib import Path
from harness.suite.native import case

HERE = Path(__file__).parent
if (HERE / "hold").exists():
    (HERE / "waiting").write_text(str(os.getpid()))
    for _ in range(600):
        if (HERE / "go").exists():
            break
        time.sleep(0.05)

@case("The ledger that payments rest on is well", labels=["smoke"])
def test_ledger(hub):
    hub.health("central-ledger").status(200)

@case("A payee is found", labels=["smoke"])
def test_party(payer, payee):
    look_up = payer.look_up(payee.has_party("MSISDN"))
    look_up.accepted()
    look_up.calls_back("party.partyIdInfo.fspId", payee.name)
"""
MANIFEST = {"product": PRODUCT, "version": VERSION, "components": {"payment-manager-api": VERSION}, "source": "notes"}
CONTENTS = {
    "scheme": "example",
    "products": [{"product": "mojaloop", "release": RELEASE}, {"product": PRODUCT, "release": VERSION}],
}


def pinned(root: Path, product: str, release: str, cases: Sequence[str]) -> None:
    folder = root / "suites" / product
    write_pin(make_pin(folder, product=product, release=release, cases=cases), folder / f"{release}.yaml")


def recorded(root: Path, run: str, product: str, release: str) -> None:
    write_baseline(baseline_from_runs([root / "reports/runs" / run]), root / "baselines" / product / release)


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a core and a product, each pinned, with a baseline; and an approved run of both: ``whole``."""
    root = make_workspace(tmp_path_factory.mktemp("products"))
    suite, manifest = root / "suites" / PRODUCT, root / "baselines" / PRODUCT / VERSION / "release.yaml"
    own = root / "scheme_rules/example" / NESTED
    for folder in (suite, manifest.parent, own):
        folder.mkdir(parents=True)
    (suite / "test_payments.py").write_text(SUITE)
    manifest.write_text(yaml.safe_dump(MANIFEST))
    (root / "scheme_rules/example/scheme.yaml").write_text(yaml.safe_dump(CONTENTS))
    shutil.copy(root / "scheme_rules/example/criteria.yaml", own)
    core = ("The ledger is well", "The adapter is well")
    pinned(root, "mojaloop", RELEASE, [f"test_health.py::{title}" for title in core])
    titles = ("The ledger that payments rest on is well", "A payee is found")
    pinned(root, PRODUCT, VERSION, [f"test_payments.py::{title}" for title in titles])
    with_scheme = ("--scheme", "example", "-n", "0", "--run-id")
    first = harness("run", RELEASE, *with_scheme, "first", cwd=root)
    assert first.code == 2, first
    recorded(root, "first", "mojaloop", RELEASE)
    whole = harness("run", RELEASE, *with_scheme, "whole", cwd=root)
    assert whole.code == 2, whole
    assert f"{PRODUCT} {VERSION} is inconclusive: there is no usable baseline" in whole.out
    recorded(root, f"whole/{NESTED}", PRODUCT, VERSION)
    write_reports(judge_folder(Workspace(root), root / "reports/runs/whole"))
    return root


@pytest.fixture
def workspace(approved: Path) -> Iterator[Path]:
    """The approved workspace; what a test does to its Scheme, its suite and its run is undone."""
    kept = approved.parent / "kept"
    shutil.copytree(approved, kept)
    yield approved
    shutil.rmtree(approved)
    kept.rename(approved)


def run_of(workspace: Path) -> Path:
    return workspace / "reports/runs/whole"


def verdict_on(workspace: Path) -> Verdict:
    return judge_folder(Workspace(workspace), run_of(workspace)).judged.verdict


def stored(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "verdict.json").read_text())
    return found


def test_one_folder_holds_the_core_and_its_product_and_one_verdict(approved: Path) -> None:
    folder = run_of(approved)
    verdict = stored(folder)
    assert verdict["verdict"] == "APPROVED (rehearsal on the embedded hub)"
    assert {"name": "products", "status": "pass", "summary": f"{PRODUCT} {VERSION} approved (3 checks)"} in verdict[
        "gates"
    ]
    names = {"run.json", "journal.jsonl", "exchanges.jsonl", "verdict.json", "comparison.csv"}
    assert names <= {path.name for path in (folder / NESTED).iterdir()}
    inner = stored(folder / NESTED)
    assert (inner["product"], inner["run_id"], inner["kind"]) == (PRODUCT, f"whole-{PRODUCT}", "APPROVED")
    told = verdict["inputs"]["products"][PRODUCT]
    assert told["journal_sha256"] == inner["inputs"]["journal"]["sha256"]
    assert told["journal_sha256"] != verdict["inputs"]["journal"]["sha256"]


def test_a_night_runs_the_products_on_top_of_the_core(workspace: Path) -> None:
    plan = {"scheme": "example", "jobs": [{"name": "all", "target": "embedded", "release": RELEASE, "workers": 0}]}
    file = workspace / "scheme_rules/example/nightly.yaml"
    file.write_text(yaml.safe_dump(plan))
    night = harness("nightly", str(file), cwd=workspace)
    assert night.code == 0, night
    (folder,) = (path for path in (workspace / "reports/runs").glob("2*") if path.is_dir())
    assert stored(folder)["kind"] == stored(folder / NESTED)["kind"] == "APPROVED"


def test_judging_again_gives_the_same_bytes_for_both(workspace: Path) -> None:
    folder = run_of(workspace)
    files = [place / name for place in (folder, folder / NESTED) for name in ("verdict.json", "comparison.csv")]
    before = [file.read_bytes() for file in files]
    for again in (folder / NESTED, folder):
        for file in again.glob("**/verdict.json"):
            file.unlink()
        write_reports(judge_folder(Workspace(workspace), again))
        assert [file.read_bytes() for file in files] == before


def test_evidence_that_is_taken_away_cut_or_exchanged_never_approves(workspace: Path) -> None:
    folder = run_of(workspace)
    journal = folder / NESTED / "journal.jsonl"
    whole = journal.read_bytes()
    assert verdict_on(workspace).kind is VerdictKind.APPROVED

    def spoilt(told: str) -> None:
        verdict = verdict_on(workspace)
        assert verdict.kind is VerdictKind.INCONCLUSIVE, told
        assert any(told in reason.text for reason in verdict.reasons), [reason.text for reason in verdict.reasons]

    lines = whole.splitlines(keepends=True)
    for count in (1, len(lines) // 2, len(lines) - 1):
        journal.write_bytes(b"".join(lines[:count]))
        spoilt(f"{PRODUCT} {VERSION} is inconclusive")
    journal.write_bytes(b"")
    spoilt(f"{PRODUCT} {VERSION} is inconclusive")
    journal.unlink()
    spoilt(f"the run of {PRODUCT} {VERSION} cannot be read")
    # a run of the product that followed another run of the core
    journal.write_bytes(whole)
    (folder / "journal.jsonl").write_bytes((workspace / "reports/runs/first/journal.jsonl").read_bytes())
    spoilt("does not follow this run of the core")
    shutil.rmtree(folder / "products")
    spoilt(f"{PRODUCT} {VERSION} was not run")


def test_every_way_from_page_to_page_leads_somewhere_in_the_run_and_elsewhere(approved: Path, tmp_path: Path) -> None:
    ended = harness("report", "whole", "--format", "html", "--out", str(tmp_path), cwd=approved)
    assert ended.code == 0, ended
    for folder in (run_of(approved), tmp_path):
        ways = []
        for page in (folder / "verdict.html", folder / NESTED / "verdict.html"):
            for way in re.findall(r'href="([^"#]*verdict\.html)"', page.read_text()):
                assert (page.parent / way).is_file(), (page, way)
                ways.append(way)
        assert ways == [f"{NESTED}/verdict.html", "../../verdict.html"]


def test_a_bundle_holds_all_that_the_verdict_on_both_stands_on(approved: Path) -> None:
    bundle = make_bundle(Workspace(approved), run_of(approved))
    names = set(zipfile.ZipFile(io.BytesIO(bundle.data)).namelist())
    assert {f"reports/runs/whole/{NESTED}/journal.jsonl", "scheme_rules/example/scheme.yaml"} <= names
    assert {f"scheme_rules/example/{NESTED}/criteria.yaml", f"baselines/{PRODUCT}/{VERSION}/results.csv"} <= names
    found = verify_bundle(bundle.data)
    assert not found.faults, found.faults


def test_a_product_that_the_scheme_drops_after_the_run_is_not_forgotten(workspace: Path) -> None:
    contents = workspace / "scheme_rules/example/scheme.yaml"
    contents.unlink()
    assert verdict_on(workspace).kind is VerdictKind.INCONCLUSIVE
    shutil.rmtree(run_of(workspace) / "products")
    verdict = verdict_on(workspace)
    assert verdict.kind is VerdictKind.INCONCLUSIVE
    assert PRODUCT in verdict.reasons[0].text
    contents.write_text(yaml.safe_dump(CONTENTS).replace(VERSION, "v5.2.0"))
    assert verdict_on(workspace).kind is VerdictKind.INCONCLUSIVE


def test_what_is_demanded_of_a_product_is_read_before_anything_runs(workspace: Path) -> None:
    own = workspace / "scheme_rules/example" / NESTED / "criteria.yaml"
    own.unlink()
    with pytest.raises(CriteriaError, match=f"{NESTED}/criteria.yaml"):
        check_scheme(Workspace(workspace), "example")
    assert verdict_on(workspace).kind is VerdictKind.INCONCLUSIVE


def test_a_rule_about_a_product_that_is_not_listed_is_refused(workspace: Path) -> None:
    criteria = workspace / "scheme_rules/example/criteria.yaml"
    rule = "- {id: all, kind: required-products, products: [fraud-check], severity: major, title: t, rationale: r}\n"
    criteria.write_text(criteria.read_text() + rule)
    with pytest.raises(CriteriaError, match="the Scheme does not list fraud-check"):
        check_scheme(Workspace(workspace), "example")


def test_a_core_that_is_not_approved_ends_the_sequence(approved: Path) -> None:
    first = approved / "reports/runs/first"
    assert not (first / "products").exists()
    assert f"{PRODUCT} {VERSION} was not run: the core is not approved" in json.dumps(stored(first))


def test_a_core_with_another_suite_than_is_listed_has_no_products_run(workspace: Path) -> None:
    contents = workspace / "scheme_rules/example/scheme.yaml"
    products = [dict(CONTENTS["products"][0], suite="official"), CONTENTS["products"][1]]
    contents.write_text(yaml.safe_dump({**CONTENTS, "products": products}))
    ended = harness(
        "run", RELEASE, "--scheme", "example", "-n", "0", "--suite", "native", "--run-id", "other", cwd=workspace
    )
    assert ended.code == 2, ended
    assert "the Scheme lists mojaloop v17.1.0 with its official suite" in ended.out
    assert not (workspace / "reports/runs/other/products").exists()


def test_whoever_names_a_baseline_or_criteria_is_told_that_they_are_for_the_core(workspace: Path) -> None:
    plain = harness("judge", "whole", cwd=workspace)
    assert (plain.code, "note: " in plain.err) == (0, False), plain
    named = harness("judge", "whole", "--baseline", RELEASE, cwd=workspace)
    assert named.code == 0, named
    told = f"note: --baseline for the core only; by its own baseline, criteria and waivers: {PRODUCT} {VERSION}"
    assert told in named.err
    for command in ("run", "judge"):
        shown = harness(command, "--help", cwd=workspace).out
        assert "Judge the core against this release's baseline" in " ".join(shown.split())


def test_a_product_that_fails_rejects_the_release(workspace: Path) -> None:
    ended = harness(
        "run", RELEASE, "--scheme", "example", "-n", "0", "--defect", "lookup-callback-lost", "--run-id", "bad",
        cwd=workspace,
    )  # fmt: skip
    assert ended.code == 1, ended
    assert f"{PRODUCT} {VERSION} is rejected" in ended.out
    verdict = stored(workspace / "reports/runs/bad")
    assert verdict["next_action"].startswith(f"{PRODUCT} team: look at account-lookup-service")
    status = {gate["name"]: gate["status"] for gate in verdict["gates"]}
    assert (status["core"], status["products"]) == ("pass", "fail")


def test_a_run_that_ends_between_core_and_product_is_inconclusive(workspace: Path) -> None:
    suite, folder = workspace / "suites" / PRODUCT, workspace / "reports/runs/doomed"
    (suite / "hold").touch()
    process = start("run", RELEASE, "--scheme", "example", "-n", "0", "--run-id", "doomed", cwd=workspace)
    wait_for(lambda: (suite / "waiting").exists() or process.poll() is not None, "the product's run")
    assert process.poll() is None, process.communicate()[0]
    # what a crash would leave at this moment says so itself, and so does whoever judges it
    assert stored(folder)["kind"] == "INCONCLUSIVE"
    assert f"{PRODUCT} {VERSION} was not run, though the Scheme lists it" in json.dumps(stored(folder))
    left = workspace / "reports/runs/left"
    shutil.copytree(folder, left)
    assert judge_folder(Workspace(workspace), left).judged.verdict.kind is VerdictKind.INCONCLUSIVE
    process.send_signal(signal.SIGTERM)
    (suite / "go").touch()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 2, out
    assert stored(folder)["kind"] == "INCONCLUSIVE"
    assert {gate["name"]: gate["status"] for gate in stored(folder)["gates"]}["core"] == "pass"

"""The commands of the history, as a person gives them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.errors import UsageError
from harness.history.store import append
from tests.history.nights import PAYS, judged_night
from tests.judge.build import F, P

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("workspace")
    for part in ("suites", "baselines", "scheme_rules", "reports"):
        (root / part).mkdir()
    for number in range(3):
        append(root / "reports" / "history", judged_night(number, F if number == 2 else P))
    return root


def given(*arguments: str) -> str:
    ended = RUNNER.invoke(app, ["history", *arguments], catch_exceptions=False)
    assert ended.exit_code == 0
    return ended.output


def test_they_show_nights_and_single_checks(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workspace)
    assert [line.split()[5] for line in given().splitlines()[1:]] == ["APPROVED", "APPROVED", "REJECTED"]
    assert [row["run_id"] for row in json.loads(given("--since", "2026-06-02", "--json"))] == ["r001", "r002"]
    assert [row["failed"] for row in csv.DictReader(io.StringIO(given("--csv")))] == ["0", "0", "1"]
    assert "no night is recorded" in given("--target", "nowhere")
    text = given("--check", PAYS)
    assert "passed in 2 of 3 nights that count" in text
    assert "open: 1 of 1 night failed" in text
    (side,) = json.loads(given("--check", PAYS, "--json"))
    assert [row["outcome"] for row in side["nights"]] == ["passed", "passed", "failed"]
    with pytest.raises(UsageError, match=r"Did you mean: .*pays::send::c2"):
        given("--check", "c2")
    with pytest.raises(UsageError, match="is no day"):
        given("--since", "yesterday")
    with pytest.raises(UsageError, match="Choose one"):
        given("--json", "--csv")


def test_a_rehearsal_does_not_read_as_an_approval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for part in ("suites", "baselines", "scheme_rules", "reports"):
        (tmp_path / part).mkdir()
    rehearsed = judged_night(0)
    verdict = replace(rehearsed.verdict, rehearsal=True)
    append(tmp_path / "reports" / "history", replace(rehearsed, verdict=verdict))
    append(tmp_path / "reports" / "history", judged_night(1))
    monkeypatch.chdir(tmp_path)
    first, second = given().splitlines()[1:]
    assert "APPROVED (rehearsal)" in first
    assert "rehearsal" not in second
    assert [row["rehearsal"] for row in json.loads(given("--json"))] == [True, False]
    assert [row["rehearsal"] for row in csv.DictReader(io.StringIO(given("--csv")))] == ["True", "False"]


def test_they_merge_draw_and_warn(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workspace)
    assert "3 files, 18 rows, now one file" in given("compact")
    assert "nothing to merge" in given("compact")
    place = given("page", "--target", "t").strip()
    assert "Open regressions" in (workspace / place).read_text(encoding="utf-8")
    (workspace / "reports/history/runs/product=mojaloop/target=t/month=2026-06/torn.parquet").write_bytes(b"PAR1")
    assert "warning: runs/product=mojaloop/target=t/month=2026-06/torn.parquet is passed over" in given()
    folder = workspace / "reports/history/checks/product=mojaloop/target=t/month=2026-06"
    (folder / "torn.parquet").write_bytes(b"PAR1")
    warning = "warning: checks/product=mojaloop/target=t/month=2026-06/torn.parquet is passed over"
    for how in ((), ("--json",), ("--csv",)):
        assert warning in given("--check", PAYS, *how)
    assert warning in given("page", "--target", "t")
    # Nor is it hidden by the error that it may be the reason of.
    ended = RUNNER.invoke(app, ["history", "--check", "unheard of"])
    assert isinstance(ended.exception, UsageError)
    assert warning in ended.output

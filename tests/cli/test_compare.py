"""Whoever sets two runs or baselines side by side sees every difference by name, and is told what it cannot mean."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from harness.cli import app
from harness.errors import BaselineError, HarnessError, UsageError
from harness.judge.baseline_store import write_baseline
from harness.judge.results import RESULTS_COLUMNS
from harness.run.journal import JournalWriter
from harness.run.redact import Redactor
from tests.judge.build import F, H, P, Run, Shape, baseline, case, check_id, run


@dataclass(frozen=True)
class Ended:
    code: int
    out: str


Command = Callable[..., Ended]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with three baselines of two suites, and published totals of a fourth release."""
    for part in ("suites", "scheme_rules", "baselines/mojaloop/v14.1.0"):
        (tmp_path / part).mkdir(parents=True)
    for release, suite, components, *shapes in (
        ("v16.0.0", "6", "16.0.0", PAYS, REFUNDS, OLD),
        ("v17.1.0", "7", "16.5.9", PAYS_ON, replace(REFUNDS, fingerprint="cccc"), NEW),
        ("v18.0.0", "7", "16.5.9", PAYS_ON),
    ):
        made = replace(
            baseline(tuple(shapes), tuple(shapes)),
            release=release,
            suite_digest=suite * 64,
            components={"ml-api-adapter": components},
        )
        write_baseline(made, tmp_path / "baselines" / "mojaloop" / release)
    (tmp_path / "baselines/mojaloop/v14.1.0/published.yaml").write_text(PUBLISHED)
    for name, shown in (("first", run([PAYS_ON])), ("cut", run([PAYS_ON]).without(_is_end))):
        write_run(tmp_path / "reports" / "runs" / name, shown)
    return tmp_path


PAYS = case("pays", P, F, fingerprint="aaaa")
PAYS_ON = case("pays on", F, P, fingerprint="aaaa", latency_ms=20.0)
REFUNDS = case("refunds", P, fingerprint="bbbb")
OLD = case("old", P, H, fingerprint="dddd", feature="old")
NEW = case("new", F, fingerprint="eeee", feature="new")
PUBLISHED = """\
format: 1
kind: published
product: mojaloop
release: v14.1.0
suite: golden path
date: "2022-11-24"
source: mojaloop/project#2975
totals: {assertions: 4, passed: 4, requests: 2, cases: 2}
"""


def _is_end(record: Any) -> bool:
    return bool(record.type == "run-finished")


def write_run(folder: Path, what: Run) -> None:
    folder.mkdir(parents=True)
    writer = JournalWriter(folder, Redactor())
    for record in what.records:
        writer.write(record)
    writer.close()


@pytest.fixture
def harness(workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in the workspace, in this process."""
    monkeypatch.chdir(workspace)

    def command(*arguments: str) -> Ended:
        code = app(list(arguments), standalone_mode=False)
        return Ended(code or 0, capsys.readouterr().out)

    return command


def without_digest(text: str) -> str:
    return re.sub(r"\b[0-9a-f]{64}\b", "(digest)", text)


def test_two_baselines_differ_by_name(harness: Command, snapshot: SnapshotAssertion) -> None:
    ended = harness("baseline", "diff", "v16.0.0", "v17.1.0")
    assert ended.code == 1
    assert ended.out == snapshot
    assert "\x1b" not in ended.out


def test_a_baseline_is_shown_with_what_it_cannot_say(harness: Command, snapshot: SnapshotAssertion) -> None:
    ended = harness("baseline", "show", "v16.0.0")
    assert ended.code == 0
    assert without_digest(ended.out) == snapshot


def test_where_an_imported_baseline_comes_from_is_told_report_by_report(harness: Command, workspace: Path) -> None:
    reports = [{"file": f"run-{n}.json", "sha256": "ab" * 4} for n in (1, 2)]
    made = replace(baseline(), provenance={"engine_version": "18.14.1", "reports": reports, "components": "declared"})
    write_baseline(made, workspace / "imported")
    shown = harness("baseline", "show", "imported").out
    assert "engine_version  18.14.1\n" in shown
    assert "reports         file run-1.json, sha256 abababab\nreports         file run-2.json" in shown
    assert "Its component versions were declared, not asked of the services" in shown


def test_published_totals_are_shown_and_compared_by_count(harness: Command, snapshot: SnapshotAssertion) -> None:
    assert harness("baseline", "show", "v14.1.0").out == snapshot(name="shown")
    ended = harness("compare", "v14.1.0", "v17.1.0")
    assert ended.code == 1
    assert ended.out == snapshot(name="compared")
    assert harness("compare", "v17.1.0", "v14.1.0").out == ended.out
    told = json.loads(harness("compare", "v14.1.0", "v17.1.0", "--json").out)
    assert told["totals"]["cases"] == {"published": 2, "found": 3, "difference": 1}
    assert told["published"]["source"] == "mojaloop/project#2975"


def test_what_is_the_same_ends_with_nothing_to_tell(harness: Command) -> None:
    ended = harness("compare", "v17.1.0", "v17.1.0")
    assert ended.code == 0
    assert "Regressed" not in ended.out
    assert re.search(r"unchanged-pass +2\n", ended.out)


def test_a_run_is_compared_with_a_baseline_or_a_run_by_id_or_folder(harness: Command) -> None:
    ended = harness("compare", "v16.0.0", "first")
    assert ended.code == 1
    assert f"{check_id('pays', 'c1')}\n    is now {check_id('pays on', 'c1')}" in ended.out
    assert harness("compare", "v16.0.0", "reports/runs/first").out == ended.out.replace(
        "first: run", "reports/runs/first: run"
    )
    assert harness("compare", "first", "first").code == 0
    assert "It cannot speak for its release: it was cut off" in harness("compare", "first", "cut").out


def test_a_machine_reads_all_of_it(harness: Command) -> None:
    told = json.loads(harness("compare", "v16.0.0", "v17.1.0", "--json").out)
    assert told["counts"]["regressed"] == 1
    assert told["components"] == {"ml-api-adapter": ["16.0.0", "16.5.9"]}
    assert told["latency"][0]["p50_ratio"] == pytest.approx(1.0)
    assert told["latency"][0]["p50_low"] is not None
    assert sum(told["counts"].values()) == len(told["checks"])
    moved = [row for row in told["checks"] if row["moved_from"]]
    assert len(moved) == told["moved"] == 2
    assert moved[0]["rise_low"] is None
    rows = list(csv.DictReader(io.StringIO(harness("baseline", "diff", "v16.0.0", "v17.1.0", "--csv").out)))
    assert tuple(rows[0]) == RESULTS_COLUMNS
    assert [row["check"] for row in rows] == sorted(row["check"] for row in told["checks"])


def test_long_lists_are_cut_only_where_it_is_said(harness: Command) -> None:
    cut = harness("baseline", "diff", "v16.0.0", "v17.1.0", "--at-most", "1").out
    assert "and 1 more; --at-most 0 names them all" in cut
    whole = harness("baseline", "diff", "v16.0.0", "v17.1.0", "--at-most", "0").out
    assert "more; --at-most" not in whole
    assert check_id("old", "c2", "old") in whole
    assert check_id("old", "c2", "old") not in cut


def test_a_rename_table_is_read_and_a_wrong_one_refused(harness: Command, workspace: Path) -> None:
    file = workspace / "baselines" / "mojaloop" / "renames.yaml"
    old, new = check_id("old", "c1", "old"), check_id("new", "c1", "new")
    file.write_text(f"format: 1\nrenames:\n  - {{before: {old!r}, after: {new!r}, reason: reworded}}\n")
    assert f"{old}\n    is now {new}" in harness("baseline", "diff", "v16.0.0", "v17.1.0").out
    file.write_text(f"format: 1\nrenames:\n  - {{before: {old!r}, after: {old!r}, reason: reworded}}\n")
    with pytest.raises(BaselineError, match=r"renames\.yaml, line 3"):
        harness("baseline", "diff", "v16.0.0", "v17.1.0")


def test_a_name_cannot_forge_a_line(harness: Command, workspace: Path) -> None:
    forged = Shape("pays", {"send": {"\x1b[2Jok": P}}, fingerprint="ffff")
    write_baseline(baseline((forged,)), workspace / "forged")
    ended = harness("compare", "v17.1.0", "forged")
    assert "\x1b" not in ended.out
    assert "\\x1b[2Jok" in ended.out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("compare", "nothing", "v17.1.0"), "no run and no baseline is called 'nothing'"),
        (("baseline", "diff", "v17.1.0", "first"), "no run and no baseline is called 'first'"),
        (("compare", "v16.0.0", "v9.9.9"), "no baseline here"),
        (("compare", "v16.0.0", "v17.1.0", "--json", "--csv"), "both given"),
        (("compare", "v14.1.0", "v17.1.0", "--csv"), "no line per check"),
        (("compare", "v14.1.0", "v14.1.0"), "only totals are known"),
    ],
)
def test_what_cannot_be_compared_is_said(harness: Command, arguments: tuple[str, ...], why: str) -> None:
    with pytest.raises(HarnessError, match=why) as refusal:
        harness(*arguments)
    assert refusal.value.remedy
    assert refusal.value.exit_code == 3
    assert isinstance(refusal.value, UsageError | BaselineError)

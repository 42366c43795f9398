"""The Allure report as Allure's own command line builds it: every case and check is in it, and it tells nobody."""

from __future__ import annotations

import json
import stat
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from harness.errors import ToolError
from harness.model.outcome import Outcome
from harness.model.records import CaseFinished, CheckRecorded
from harness.report.allure_command import find_allure
from harness.report.allure_history import read_history
from harness.report.allure_offline import POLICY, offline
from harness.report.allure_page import AllureReport, Built
from harness.report.interface import ReportInput
from tests import outside
from tests.report import scenarios

SCRIPT = "<img src=x onerror=alert(1)><script>alert(2)</script>"


@dataclass(frozen=True)
class Page:
    """A built report and the run that it is of."""

    run: ReportInput
    built: Built

    @property
    def results(self) -> dict[str, dict[str, Any]]:
        files = (self.built.paths[1] / "data" / "test-results").glob("*.json")
        return {result["fullName"]: result for result in map(json.loads, (file.read_text() for file in files))}

    def widget(self, name: str) -> Any:
        return json.loads((self.built.paths[1] / "widgets" / f"{name}.json").read_text())


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Page]:
    """An approved, a rejected and a crashed run on one target, one after the other."""
    command = outside.allure()
    reports = tmp_path_factory.mktemp("reports")
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(command.parent), prepend=":")
        for number, (name, scenario) in enumerate(
            (("approved", scenarios.approved), ("rejected", scenarios.rejected), ("crashed", scenarios.inconclusive))
        ):
            folder = reports / "runs" / name
            folder.mkdir(parents=True)
            run = at(scenario(folder), f"run-{number}", day=number + 1)
            made[name] = Page(run, AllureReport().build(run, folder))
    return made


def at(run: ReportInput, run_id: str, day: int) -> ReportInput:
    """The run, made on another day under another name, by a hub that would like to run scripts."""
    records = [
        replace(record, message=f"{record.message} {SCRIPT}")
        if isinstance(record, CheckRecorded) and record.outcome is Outcome.FAILED
        else replace(record, started_at=record.started_at.replace("2026-01-02", f"2026-02-{day:02d}"))
        if isinstance(record, CaseFinished)
        else record
        for record in run.records
    ]
    judged = replace(run.judged, verdict=replace(run.judged.verdict, run_id=run_id))
    return replace(run, records=records, judged=judged)


@pytest.mark.parametrize("name", ["approved", "rejected", "crashed"])
def test_the_page_has_the_cases_steps_and_checks_of_the_journal(pages: dict[str, Page], name: str) -> None:
    page = pages[name]
    results = page.results
    planned = {record.case for record in page.run.records if record.type == "case-planned"}
    assert results.keys() == planned
    steps = sum(record.type == "step" for record in page.run.records)
    recorded = [record for record in page.run.records if isinstance(record, CheckRecorded)]
    tops = [step for result in results.values() for step in result["steps"] if step["type"] == "step"]
    ran = [step for step in tops if step["parameters"]]
    assert len(ran) == steps
    assert sum(len([one for one in step["steps"] if one["type"] == "step"]) for step in ran) == len(recorded)
    passed = sum(one["status"] == "passed" for step in ran for one in step["steps"] if one["type"] == "step")
    assert passed == sum(record.outcome is Outcome.PASSED for record in recorded)


def test_a_case_of_a_worker_that_died_is_broken_and_so_is_what_never_ran(pages: dict[str, Page]) -> None:
    results = pages["crashed"].results
    assert Counter(result["status"] for result in results.values()) == {"passed": 5, "broken": 7}
    lost = results[scenarios.cases()[5].id]
    assert lost["error"]["message"].startswith("missing: worker gw1 was lost in this case")
    assert [category["name"] for category in lost["categories"]] == ["Missing evidence"]


def test_categories_are_by_class_then_cause_then_component(pages: dict[str, Page]) -> None:
    nodes = pages["rejected"].widget("categories")["nodes"].values()
    named = {node["name"]: node["statistic"]["total"] for node in nodes if node["type"] in ("category", "group")}
    assert named["Regressions"] == 14
    assert named["cause: product"] == 14
    assert named["component: central-ledger"] == named["component: account-lookup-service"] == 7
    assert not {"Product errors", "Test errors"} & named.keys()


def test_the_verdict_its_reasons_and_what_was_run_are_on_the_first_page(pages: dict[str, Page]) -> None:
    shown = {item["name"]: item["values"] for item in pages["rejected"].widget("allure_environment")}
    assert shown["Verdict"] == ["REJECTED (rehearsal on the embedded hub)"]
    assert shown["Component central-ledger"] == ["19.10.6"]
    assert any("regressed" in error["message"] for error in pages["rejected"].widget("globals")["errors"])
    assert "mojaloop v17.1.0: REJECTED (rehearsal on the embedded hub)" in pages["rejected"].built.single.read_text()


def test_a_case_has_its_exchange_as_http_and_a_picture(pages: dict[str, Page]) -> None:
    result = pages["rejected"].results[scenarios.cases()[0].id]
    types = [attachment["link"]["contentType"] for attachment in result["attachments"]]
    assert types == ["application/vnd.allure.http+json"] * 2 + ["image/svg+xml"]
    assert not any(attachment["link"]["missed"] for attachment in result["attachments"])


def test_history_holds_each_run_once_and_a_report_sees_the_runs_before_it(pages: dict[str, Page]) -> None:
    case = scenarios.cases()[0].id
    assert pages["approved"].results[case]["history"] == []
    assert [one["status"] for one in pages["rejected"].results[case]["history"]] == ["passed"]
    assert pages["rejected"].results[case]["transition"] == "regressed"
    assert [one["status"] for one in pages["crashed"].results[case]["history"]] == ["failed", "passed"]
    (file,) = (pages["approved"].run.folder.parents[1] / "allure-history").iterdir()
    assert file.name == "mojaloop-native-embedded.jsonl"
    names = [point["name"].partition(":")[0] for point in read_history(file).points]
    assert names == ["run-0", "run-1", "run-2"]


def test_the_page_reaches_nobody_and_runs_in_a_browser_without_network(pages: dict[str, Page]) -> None:
    from playwright.sync_api import sync_playwright

    chromium = outside.chromium()
    page = pages["rejected"]
    for file in (page.built.single, page.built.paths[1] / "index.html"):
        content = file.read_text()
        assert "googletagmanager" not in content
        assert "gtag(" not in content
        assert POLICY in content
    troubles: list[str] = []
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=[*arguments])
        context = browser.new_context(offline=True)
        tab = context.new_page()
        tab.on("dialog", lambda dialog: troubles.append(dialog.message))
        tab.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
        tab.on("pageerror", lambda error: troubles.append(str(error)))
        tab.on("request", lambda asked: troubles.append(asked.url) if asked.url.startswith("http") else None)
        tab.goto(page.built.single.as_uri())
        tab.get_by_text("A payer sends 1 USD").first.click(timeout=20_000)
        tab.get_by_text("regressed: 1 of 3 checks").first.wait_for(timeout=20_000)
        tab.get_by_text("who called whom").first.click(timeout=20_000)
        tab.locator("img").last.wait_for(timeout=20_000)
        browser.close()
    assert troubles == []


def test_a_visitor_counter_is_taken_out_and_the_report_is_left(tmp_path: Path) -> None:
    page = (
        b"<html><head><title>x</title></head><body><script>var a = 1</script>"
        b'<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>\n'
        b"<script>\nfunction gtag(){}\ngtag('js', new Date());\n</script><script src=app.js></script></body></html>"
    )
    assert (
        offline(page)
        == (
            f'<html><head><meta http-equiv="Content-Security-Policy" content="{POLICY}"><title>x</title></head>'
            "<body><script>var a = 1</script><script src=app.js></script></body></html>"
        ).encode()
    )


def program(folder: Path, body: str) -> Path:
    """A stand-in for the command line, called ``allure``."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "allure"
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder from which no Allure is seen, and no npx."""
    (tmp_path / "bin").mkdir()
    for tool in ("sh", "cat", "mkdir", "sleep"):
        (tmp_path / "bin" / tool).symlink_to(f"/bin/{tool}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_where_none_is_a_sentence_says_how_to_get_it_and_the_results_are_there(alone: Path) -> None:
    run = scenarios.approved(alone / "runs" / "one")
    with pytest.raises(ToolError, match="npm install allure") as refused:
        AllureReport().write(run, run.folder)
    assert refused.value.exit_code == 3
    assert [path.name for path in run.folder.iterdir()] == ["allure-results"]


def test_allure_2_is_not_taken_for_allure_3_and_one_above_is_found(alone: Path) -> None:
    program(alone / "bin", "echo 2.34.1")
    with pytest.raises(ToolError, match=r"is Allure 2\.34\.1"):
        find_allure([alone])
    program(alone / "node_modules" / ".bin", "echo 3.18.0")
    deep = alone / "a" / "b"
    deep.mkdir(parents=True)
    assert find_allure([deep]).version == "3.18.0"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("echo it broke >&2; exit 7", "exit code 7; it printed:\nit broke"),
        ("echo all is well", "made no page awesome, single"),
        ("mkdir -p report/awesome report/single; echo x >report/awesome/index.html; exit 0", "made no page single"),
        (
            "mkdir -p report/awesome/data/test-results report/single; for i in awesome single; do echo x "
            '>report/$i/index.html; done; echo \'{"status":"passed"}\' >report/awesome/data/test-results/1.json',
            "1 passed instead of 12 passed",
        ),
        (
            "mkdir -p report/awesome/data/test-results report/single; echo x >report/awesome/index.html; "
            "echo x >report/single/index.html",
            "none instead of 12 passed",
        ),
    ],
)
def test_a_command_that_fails_or_loses_cases_is_told_of_and_leaves_no_page(alone: Path, body: str, told: str) -> None:
    program(alone / "bin", f'if [ "$1" = --version ]; then echo 3.1.0; exit; fi\n{body}')
    run = scenarios.approved(alone / "runs" / "one")
    with pytest.raises(ToolError) as failed:
        AllureReport().write(run, run.folder)
    assert told in str(failed.value)
    assert [path.name for path in run.folder.iterdir()] == ["allure-results"]
    assert not (alone / "allure-history").exists()


def test_a_command_that_hangs_is_ended(alone: Path) -> None:
    program(alone / "bin", 'if [ "$1" = --version ]; then echo 3.1.0; exit; fi\nsleep 60')
    with pytest.raises(ToolError, match="did not end within 0 s"):
        find_allure([alone]).run(["generate"], alone, timeout_s=0.2)

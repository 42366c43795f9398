"""A run as JUnit XML, Markdown and JSON: none is ever greener than the verdict, and none does what a hub asks for."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from harness.judge.document import verdict_to_json
from harness.judge.evidence import evidence_from_records
from harness.judge.verdict import judge
from harness.judge.waivers import parse_waivers
from harness.model.outcome import ComparisonClass, Outcome, VerdictKind
from harness.report.allure import AllureResults
from harness.report.formats import FORMATS
from harness.report.interface import ReportInput
from harness.report.junit import junit_xml
from harness.report.machine import report_document, report_schema
from harness.report.markdown import CHARACTERS_AT_MOST, code, escape, markdown
from tests.report import scenarios
from tests.report.test_allure import _input, _records
from tests.support import REPOSITORY

NAMES = ["approved", "known_issues", "rejected", "inconclusive", "waived", "removed", "empty"]
SCHEMA = xmlschema.XMLSchema(str(Path(__file__).with_name("junit.xsd")))
HOSTILE = "</failure><script>alert(1)</script> @team [x](javascript:x) | `a` https://evil.example #1 \x1b[2J\x00\ufffe"


def waived() -> ReportInput:
    """Two cases fail as they did before, and one of them is waived; one check is hollow."""
    before = [scenarios.failing(case) if number < 2 else case for number, case in enumerate(scenarios.cases())]
    hollow = replace(before[2].checks[0], outcome=Outcome.HOLLOW)
    now = [*before[:2], replace(before[2], checks=(hollow, *before[2].checks[1:])), *before[3:]]
    run = scenarios.report_input(scenarios.whole_run(now), before)
    check = f"{now[0].step}::{now[0].checks[-1].label}"
    waivers = parse_waivers(
        f"""
        scheme: example
        waivers:
          - id: aborted-transfer
            checks: ["{check}"]
            ticket: https://tracker.example.org/browse/HUB-1
            reason: The payee of this environment aborts what it should commit
            approved_by: Scheme manager
            approved_on: "2026-01-01"
            expires: "2026-02-01"
            at_most: 1
        """,
        "waivers.yaml",
    )
    evidence = evidence_from_records(run.records, ended_at="2026-01-02T03:05:00Z")
    judged = judge(evidence, run.judged.baseline, scenarios.CRITERIA, None, waivers=waivers)
    return replace(run, judged=judged)


def removed() -> ReportInput:
    """A case that the baseline's suite has is gone."""
    return scenarios.report_input(scenarios.whole_run(scenarios.cases(3)), scenarios.cases(4))


def empty() -> ReportInput:
    """A run of which nothing was written down."""
    return _input([], scenarios.FOLDER)


def scenario(name: str) -> ReportInput:
    made: ReportInput = (globals().get(name) or getattr(scenarios, name))()
    return made


@pytest.mark.parametrize("name", NAMES)
def test_junit_is_valid_and_red_exactly_where_the_verdict_is_not_approved(
    name: str, snapshot: SnapshotAssertion
) -> None:
    run = scenario(name)
    document = junit_xml(run)
    SCHEMA.validate(document.decode())
    tree = ElementTree.fromstring(document)
    red = len(tree.findall(".//failure")) + len(tree.findall(".//error"))
    assert (red == 0) == (run.judged.verdict.kind.exit_code == 0)
    (verdict,) = (case for case in tree.iter("testcase") if case.get("name") == "verdict")
    tag = {VerdictKind.REJECTED: "failure", VerdictKind.INCONCLUSIVE: "error"}.get(run.judged.verdict.kind)
    assert [child.tag for child in verdict] == ([tag] if tag else [])
    for suite in [tree, *tree.iter("testsuite")]:
        cases = list(suite.iter("testcase"))
        assert int(suite.get("tests", "")) == len(cases)
        for attribute, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(attribute, "")) == sum(case.find(kind) is not None for case in cases)
    assert junit_xml(run) == document
    assert document.decode() == snapshot


def test_junit_has_a_test_case_for_every_check_and_calls_only_passed_what_passed() -> None:
    for run in (scenarios.rejected(), scenarios.inconclusive(), waived()):
        tree = ElementTree.fromstring(junit_xml(run))
        told = [case for case in tree.iter("testcase") if case.get("classname") != "harness.verdict"]
        green = [case for case in told if all(child.tag == "system-out" for child in case)]
        passed = [record for record in run.records if getattr(record, "outcome", None) is Outcome.PASSED]
        assert len(green) == sum(record.type == "check" for record in passed)


def test_junit_says_which_waiver_excuses_and_what_was_hollow() -> None:
    tree = ElementTree.fromstring(junit_xml(waived()))
    messages = [skipped.get("message", "") for skipped in tree.iter("skipped")]
    assert sum(text.startswith("waived by aborted-transfer: unchanged-fail") for text in messages) == 1
    assert "hollow: asserted nothing" in messages


def test_junit_tells_a_lost_case_as_an_error() -> None:
    tree = ElementTree.fromstring(junit_xml(scenarios.inconclusive()))
    errors = [error.get("message", "") for error in tree.iter("error")]
    assert sum(text.startswith("missing: worker gw1 was lost") for text in errors) == 1
    assert {error.get("type") for error in tree.iter("error")} == {"INCONCLUSIVE", "missing"}


@settings(max_examples=25, deadline=None)
@given(records=st.lists(_records(), max_size=20))
def test_whatever_the_journal_holds_every_format_is_well_formed(records: list) -> None:  # type: ignore[type-arg]
    run = _input(records, Path())
    SCHEMA.validate(junit_xml(run).decode())
    jsonschema.Draft202012Validator(report_schema()).validate(report_document(run))
    assert "\x1b" not in markdown(run)


@pytest.mark.parametrize("name", NAMES)
def test_markdown_is_what_a_person_reads(name: str, snapshot: SnapshotAssertion) -> None:
    run = scenario(name)
    text = markdown(run)
    assert run.judged.verdict.text in text.splitlines()[0]
    assert markdown(run) == text
    assert text == snapshot


def hostile(count: int = 40) -> ReportInput:
    """Cases whose names and messages try whatever can be tried."""
    before = [replace(case, id=f"{case.id} {HOSTILE}", title=HOSTILE) for case in scenarios.cases(count)]
    now = [scenarios.failing(case) for case in before]
    now = [
        replace(case, checks=(*case.checks[:-1], replace(case.checks[-1], message=HOSTILE * 30, actual=HOSTILE)))
        for case in now
    ]
    return scenarios.report_input(scenarios.whole_run(now), before)


def test_markdown_lets_a_hub_form_no_link_mention_html_or_table_cell() -> None:
    text = markdown(hostile())
    assert len(text) <= CHARACTERS_AT_MOST + 100
    # What stands in code spans is shown as it is; everything else is looked at.
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", re.sub(r"\\`", "", text))
    assert "@team" not in outside
    assert "https://" not in outside
    assert "<script" not in outside
    assert not re.search(r"(?<!\\)\[x", outside)
    assert not re.search(r"#\d", outside)
    assert "\x1b" not in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert len(tables) == 7
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 4 for line in tables)
    assert "… and 20 more: `comparison.csv`" in text


@given(st.text())
def test_a_code_span_holds_any_text_whole(text: str) -> None:
    span = code(text)
    found = re.fullmatch(r"(`+)(?!`)(.*)(?<!`)\1", span)
    assert found, span
    assert not re.search(rf"(?<!`){found[1]}(?!`)", found[2])
    assert "\n" not in span


@given(st.text())
def test_escaped_text_has_no_bare_sign(text: str) -> None:
    bare = re.sub(r"\\.", " ", escape(text))
    assert not re.search(r"[`*_\[\]|~$<>]", bare)
    assert not re.search(r"[@#]\w", bare)


@pytest.mark.parametrize("name", NAMES)
def test_json_holds_the_verdict_and_every_row(name: str) -> None:
    run = scenario(name)
    document = report_document(run)
    jsonschema.Draft202012Validator(report_schema()).validate(document)
    assert document["verdict"]["kind"] == run.judged.verdict.kind.value
    rows = document["checks"]
    assert len(rows) == len(run.judged.comparison.table)
    for one in ComparisonClass:
        assert sum(row["class"] == one.value for row in rows) == run.judged.counts[one.value]
    planned = {record.case for record in run.records if record.type == "case-planned"}
    assert {case["case"] for case in document["cases"]} == planned


def test_json_as_a_whole_reads_the_same_each_time(snapshot: SnapshotAssertion) -> None:
    run = scenarios.report_input(scenarios.whole_run([scenarios.failing(scenarios.cases(1)[0])]), scenarios.cases(2))
    document = report_document(run)
    assert document.pop("verdict") == json.loads(verdict_to_json(run.judged))
    assert json.dumps(document, indent=1) == snapshot


def test_json_and_allure_name_the_waiver_and_its_ticket(tmp_path: Path) -> None:
    run = waived()
    named = [row for row in report_document(run)["checks"] if row["waived_by"]]
    assert [row["waived_by"] for row in named] == ["aborted-transfer"]
    AllureResults().write(run, tmp_path)
    files = (tmp_path / "allure-results").glob("*-result.json")
    (result,) = (result for result in map(json.loads, (file.read_text() for file in files)) if result.get("links"))
    assert result["links"] == [
        {"type": "issue", "url": "https://tracker.example.org/browse/HUB-1", "name": "waiver aborted-transfer"}
    ]
    assert "waived: 1 check by aborted-transfer until 2026-02-01" in result["statusDetails"]["message"]


def test_the_schema_is_the_one_that_is_published() -> None:
    assert json.loads((REPOSITORY / "docs" / "report.schema.json").read_text()) == report_schema()


@pytest.mark.parametrize("one", [one for one in FORMATS.values() if one.name != "allure"], ids=lambda one: one.name)
def test_a_format_writes_the_same_bytes_again(one: object, tmp_path: Path) -> None:
    made = FORMATS[one.name].make()  # type: ignore[attr-defined]
    run = scenarios.rejected(tmp_path / "a")

    def written(folder: Path) -> dict[str, bytes]:
        paths = made.write(run, folder)
        files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path])]
        return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}

    assert written(tmp_path / "a") == written(tmp_path / "b")

"""A release whose documents lack what the Definition of Done demands is not complete, and each gap has a remedy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import ReleaseError, UsageError
from harness.release.artefacts import Artefacts, Evidence, evidence_named, load_artefacts
from harness.release.completeness import Completeness, check_release
from harness.release.findings import Weight
from harness.release.junit import JUnitTotals, read_junit
from harness.release.notes import parse_notes
from harness.release.runbook import check_runbook

NOTES = """\
# Helm Release Notes

## 0. Summary

Changes to the one before, which includes:

1. Ledgers count faster

## 1. New features
There are no new features in this release.

## 3. Application versions

1. ledger: v1.1.6 -> **v1.2.0**

## 5. Breaking changes

N/A
"""
RUNBOOK = """\
# Runbook
## Prerequisites
A cluster.
## Deployment
### Steps
1. Upgrade the chart
## Rollback
Roll the chart back.
## Environment variables
None.
## Database scripts
    migrate up
"""
PASSED = '<testsuites><testsuite tests="1"><testcase name="a"/></testsuite></testsuites>'
FILE = Path("release-v13.9.0.md")


@pytest.fixture
def artefacts(tmp_path: Path) -> Artefacts:
    report = tmp_path / "unit.xml"
    report.write_text(PASSED)
    links = dict.fromkeys(list(Evidence)[1:], "https://ci.example/1")
    return Artefacts(FILE, tmp_path / "RUNBOOK.md", {Evidence.UNIT: report, **links})


def check(artefacts: Artefacts, notes: str | None = NOTES, runbook: str | None = RUNBOOK) -> Completeness:
    manifest = parse_notes(NOTES, FILE, product="mojaloop").release
    read = None if notes is None else parse_notes(notes, FILE, product="mojaloop")
    return check_release(manifest, artefacts, read, runbook)


def errors(found: Completeness) -> list[str]:
    return [finding.text for finding in found.findings if finding.weight is Weight.ERROR]


def test_a_release_with_all_of_it_is_complete(artefacts: Artefacts) -> None:
    found = check(artefacts)
    assert errors(found) == []
    assert found.is_complete


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (
            "1. Ledgers count faster",
            "_Release summary points go here..._",
            "description of the changes is a placeholder",
        ),
        ("1. Ledgers count faster", "", "description of the changes is empty"),
        ("## 0. Summary", "## 0. Words", "the notes have no description of the changes"),
        ("There are no new features in this release.", "TBD", "list of stories and bugs is a placeholder"),
        ("## 1. New features", "## 1. Other", "the notes have no list of stories and bugs"),
        ("N/A", "", "statement on breaking changes is empty"),
        ("## 5. Breaking changes", "## 5. Words", "the notes have no statement on breaking changes"),
        ("**v1.2.0**", "**v1.3.0**", "ledger is 1.3.0 in the notes and 1.2.0 in the manifest"),
    ],
)
def test_each_detail_of_the_notes_is_demanded(artefacts: Artefacts, before: str, after: str, text: str) -> None:
    found = check(artefacts, NOTES.replace(before, after))
    assert [text in error for error in errors(found)] == [True]
    assert all(finding.remedy for finding in found.findings if finding.weight is Weight.ERROR)


def test_what_is_not_given_is_not_there(artefacts: Artefacts) -> None:
    found = check(Artefacts(), None, None)
    assert len(errors(found)) == 2 + len(Evidence)
    assert not found.is_complete
    for kind in Evidence:
        without = replace(artefacts, evidence={k: v for k, v in artefacts.evidence.items() if k is not kind})
        assert len(errors(check(without))) == 1


@pytest.mark.parametrize(
    "part", ["Prerequisites", "Deployment", "Rollback", "Environment variables", "Database scripts"]
)
def test_each_part_of_the_runbook_is_demanded(part: str) -> None:
    file = Path("RUNBOOK.md")
    absent = list(check_runbook(RUNBOOK.replace(f"## {part}", "## Words"), file))
    assert [one.text for one in absent if one.weight is Weight.ERROR] == [f"the runbook has no part on {part.lower()}"]
    head, rest = RUNBOOK.split(f"## {part}\n")
    following = rest[rest.index("\n## ") + 1 :] if "\n## " in rest else ""
    for body, word in (("", "empty"), ("TODO\n", "placeholder")):
        found = list(check_runbook(f"{head}## {part}\n{body}{following}", file))
        assert [word in one.text for one in found if one.weight is Weight.ERROR] == [True]


def test_nobody_deploys_or_rolls_back_nothing() -> None:
    found = list(check_runbook(RUNBOOK.replace("Roll the chart back.", "N/A"), Path("RUNBOOK.md")))
    assert [one.where for one in found if one.weight is Weight.ERROR] == ["RUNBOOK.md, line 7"]


@pytest.mark.parametrize(
    ("report", "text"),
    [
        ("<testsuite tests='9'/>", "no test passed"),
        ("<testsuite><testcase><skipped/></testcase></testsuite>", "no test passed"),
        ("<testsuite><testcase/><testcase><failure/></testcase></testsuite>", "1 tests failed"),
        ("<testsuite><testcase/><error/></testsuite>", "1 tests failed"),
    ],
)
def test_a_report_that_shows_no_pass_is_no_evidence(artefacts: Artefacts, report: str, text: str) -> None:
    Path(artefacts.evidence[Evidence.UNIT]).write_text(report)
    assert [text in error for error in errors(check(artefacts))] == [True]


@pytest.mark.parametrize(
    "report", ["", "<html/>", "<testsuite>", "<!DOCTYPE x [<!ENTITY a 'b'>]><testsuite><testcase/></testsuite>"]
)
def test_what_is_no_report_is_refused(tmp_path: Path, report: str) -> None:
    (tmp_path / "unit.xml").write_text(report)
    with pytest.raises(ReleaseError, match=r"unit\.xml"):
        read_junit(tmp_path / "unit.xml")
    with pytest.raises(ReleaseError, match=r"gone\.xml"):
        read_junit(tmp_path / "gone.xml")


def test_a_report_is_counted_not_believed(tmp_path: Path) -> None:
    report = '<testsuite tests="99"><testcase/><testcase><skipped/></testcase></testsuite>'
    (tmp_path / "r.xml").write_text(report)
    assert read_junit(tmp_path / "r.xml") == JUnitTotals(1, 0, 1)


def test_artefacts_are_declared_relative_to_their_file(tmp_path: Path) -> None:
    file = tmp_path / "artefacts.yaml"
    assert load_artefacts(file) == Artefacts()
    file.write_text("runbook: RUNBOOK.md\nevidence: {unit: unit.xml, review: https://x}\n")
    evidence = {Evidence.UNIT: tmp_path / "unit.xml", Evidence.REVIEW: "https://x"}
    assert load_artefacts(file) == Artefacts(None, tmp_path / "RUNBOOK.md", evidence)
    file.write_text("evidence: {smoke: unit.xml}\n")
    with pytest.raises(ReleaseError, match="line 1"):
        load_artefacts(file)


def test_evidence_of_an_unknown_kind_is_refused() -> None:
    assert evidence_named("unit=a.xml") == (Evidence.UNIT, Path("a.xml"))
    for wrong in ("smoke=a.xml", "unit", "unit="):
        with pytest.raises(UsageError, match="KIND"):
            evidence_named(wrong)

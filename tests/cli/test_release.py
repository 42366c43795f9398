"""Whoever imports, checks or compares a release at the command line is told what was read, and the exit code agrees."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.cli import app
from harness.errors import HarnessError, ReleaseError, UsageError
from harness.release.manifest import load_manifest
from harness.suite.imported.diff import Difference, SuiteDiff
from tests.release.layouts import COMPONENTS, V13, V17
from tests.release.test_completeness import PASSED, RUNBOOK
from tests.support import REPOSITORY

MANIFEST = Path("baselines/mojaloop/v13.9.0/release.yaml")


@dataclass(frozen=True)
class Ended:
    code: int
    out: str


Command = Callable[..., Ended]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """A command in an empty workspace with notes of v13.9.0 in ``notes.md`` of its root."""
    for part in ("suites", "scheme_rules", "baselines"):
        (tmp_path / part).mkdir()
    (tmp_path / "release-v13.9.0.md").write_text(V17)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ended:
        code = app(["release", *arguments], standalone_mode=False)
        return Ended(code or 0, capsys.readouterr().out)

    return run


def test_import_then_show(command: Command) -> None:
    ended = command("import", "release-v13.9.0.md", "--source", "https://notes.example")
    assert ended.code == 0
    assert "baselines/mojaloop/v13.9.0/release.yaml: 4 components (2 with a version before)" in ended.out
    assert "warning  line 15: a placeholder was left" in ended.out
    shown = json.loads(command("show", "v13.9.0", "--json").out)
    assert shown["components"] == COMPONENTS
    assert shown["source"] == "https://notes.example"
    assert "ledger     1.2.0  (before: 1.1.6)" in command("show", "v13.9.0").out


def test_a_line_that_cannot_be_read_ends_the_import_and_nothing_is_written(command: Command) -> None:
    Path("release-v13.9.0.md").write_text(V17.replace("4. portal: [4.0.0]", "4. portal: [TBD]"))
    ended = command("import", "release-v13.9.0.md", "--json")
    assert ended.code == 3
    data = json.loads(ended.out)
    assert data["written"] is None
    assert [one["where"] for one in data["findings"] if one["severity"] == "error"] == ["line 25"]
    assert not MANIFEST.exists()


def test_a_manifest_that_says_something_else_is_replaced_only_if_told(command: Command) -> None:
    command("import", "release-v13.9.0.md")
    assert command("import", "release-v13.9.0.md").code == 0
    text = MANIFEST.read_text().replace("1.2.0", "1.2.1")
    url = "https://git.example/team/project/issues/11"
    MANIFEST.write_text(text.replace(f"source: {url}", f"source: {url}\n  operations: [GET /sums]"))
    with pytest.raises(UsageError, match="--replace"):
        command("import", "release-v13.9.0.md")
    assert command("import", "release-v13.9.0.md", "--replace").code == 0
    manifest = load_manifest(MANIFEST)
    assert manifest.components["ledger"] == "1.2.0"
    assert manifest.known_issues[0].operations == ("GET /sums",)  # what a person added stays


def test_check_says_what_is_missing_and_what_is_complete(command: Command) -> None:
    command("import", "release-v13.9.0.md")
    ended = command("check", "v13.9.0", "--notes", "release-v13.9.0.md", "--json")
    assert ended.code == 1
    found = json.loads(ended.out)
    assert not found["complete"]
    assert any("description of the changes is a placeholder" in one["text"] for one in found["findings"])
    Path("RUNBOOK.md").write_text(RUNBOOK)
    Path("unit.xml").write_text(PASSED)
    Path("release-v13.9.0.md").write_text(V17.replace("_Release summary points go here..._", "Ledgers count faster"))
    links = [
        part for kind in ("integration", "regression", "review") for part in ("--evidence", f"{kind}=https://ci/1")
    ]
    given = ("--notes", "release-v13.9.0.md", "--runbook", "RUNBOOK.md", "--evidence", "unit=unit.xml", *links)
    ended = command("check", "v13.9.0", *given)
    assert ended.code == 0, ended.out
    assert "mojaloop v13.9.0: complete" in ended.out


@pytest.mark.parametrize(
    "arguments", [["--notes", "gone.md"], ["--runbook", "gone.md"], ["--evidence", "unit=gone.xml"]]
)
def test_what_cannot_be_read_is_exit_3(command: Command, arguments: list[str]) -> None:
    command("import", "release-v13.9.0.md")
    with pytest.raises(ReleaseError, match="gone") as raised:
        command("check", "v13.9.0", *arguments)
    assert raised.value.exit_code == 3


def test_a_release_without_manifest_is_told(command: Command) -> None:
    with pytest.raises(HarnessError, match="no release manifest"):
        command("show", "v1.0.0")


def test_diff_ends_with_1_where_something_went_back(command: Command) -> None:
    command("import", "release-v13.9.0.md")
    Path("release-v13.10.0.md").write_text(V13.replace("**v1.2.0**", "**v1.1.9**"))
    command("import", "release-v13.10.0.md")
    ended = command("diff", "v13.9.0", "v13.10.0")
    assert ended.code == 1
    assert "downgraded (1)\n  ledger 1.2.0 -> 1.1.9\n" in ended.out
    assert "Sums are late  https://git.example/team/project/issues/11, in 2 releases, v13.9.0 first" in ended.out
    data = json.loads(command("diff", "v13.9.0", "v13.10.0", "--json").out)
    assert [one["name"] for one in data["downgraded"]] == ["ledger"]
    assert command("diff", "v13.9.0", "v13.9.0").code == 0


@pytest.mark.parametrize(("added", "code"), [((), 1), (("c",), 0)])
def test_a_suite_with_a_newer_number_that_only_lacks_cases_is_the_older(
    command: Command, monkeypatch: pytest.MonkeyPatch, added: tuple[str, ...], code: int
) -> None:
    found = SuiteDiff(Difference(removed=("a", "b"), added=added), Difference())
    monkeypatch.setattr("harness.suite.imported.diff.diff", lambda before, after: found)
    monkeypatch.setattr("harness.suite.imported.store.load_imported", lambda folder: type("S", (), {"suite": None}))
    Path("suites/mojaloop/official/v13.9.0").mkdir(parents=True)
    command("import", "release-v13.9.0.md")
    ended = command("diff", "v13.9.0", "v13.9.0")
    assert ended.code == code
    assert ("it is the OLDER suite" in ended.out) == bool(code)
    assert f"2 cases gone, {len(added)} new" in ended.out


@pytest.mark.parametrize("release", ["v15.1.0", "v15.2.0", "v16.0.0", "v17.0.0", "v17.1.0"])
def test_every_shipped_manifest_names_its_source_and_its_suite(release: str) -> None:
    manifest = load_manifest(REPOSITORY / "baselines/mojaloop" / release / "release.yaml")
    assert manifest.source.startswith(f"mojaloop/helm, .changelog/release-{release}")
    assert manifest.suite_version == release
    assert len(manifest.components) >= 22
    assert len(manifest.known_issues) >= 6

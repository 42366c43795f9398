"""What is declared beside a manifest is read and judged as it is now; what cannot be read falls short."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.model.artefacts import ArtefactsFound, Shortfall
from harness.model.release import Release, ReleaseVersion
from harness.model.scheme import Artefact
from harness.release.artefacts import load_artefacts
from harness.release.documents import look_at
from tests.release.test_completeness import NOTES, PASSED, RUNBOOK

MANIFEST = Release("mojaloop", ReleaseVersion(13, 9, 0), {"ledger": "v1.2.0"}, "notes")
TOLD = (Shortfall.DECLARED, Shortfall.REMARKED)
DECLARED = """\
notes: release-v13.9.0.md
runbook: RUNBOOK.md
evidence:
  unit: unit.xml
  integration: it.xml
  regression: https://ci.example/7
  review: https://git.example/pull/1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "artefacts.yaml": DECLARED, "release-v13.9.0.md": NOTES, "RUNBOOK.md": RUNBOOK,
        "unit.xml": PASSED, "it.xml": PASSED,
    }.items():  # fmt: skip
        (tmp_path / name).write_text(text)
    return tmp_path


def seen(folder: Path) -> ArtefactsFound:
    return look_at(MANIFEST, load_artefacts(folder / "artefacts.yaml"))


def short(found: ArtefactsFound) -> set[tuple[Artefact, Shortfall]]:
    return {(one.artefact, one.shortfall) for one in found.findings if one.shortfall not in TOLD}


def test_whole_documents_fall_short_in_nothing(folder: Path) -> None:
    found = seen(folder)
    assert short(found) == set()
    assert {one.artefact for one in found.findings} == {Artefact.NOTES, Artefact.REGRESSION, Artefact.REVIEW}
    assert set(found.digests) == set(Artefact)
    assert found.digests["review"] == "https://git.example/pull/1"


@pytest.mark.parametrize(
    ("file", "text", "artefact", "shortfall"),
    [
        ("release-v13.9.0.md", NOTES.replace("Ledgers", "_Release summary points go here..._ #"), "notes", None),
        ("release-v13.9.0.md", NOTES.replace("v1.2.0", "v1.3.0"), "notes", "lacking"),
        ("release-v13.9.0.md", NOTES.replace("## 5. Breaking changes\n\nN/A\n", ""), "notes", "lacking"),
        ("RUNBOOK.md", RUNBOOK.replace("## Rollback\nRoll the chart back.\n", ""), "runbook", "lacking"),
        ("unit.xml", PASSED.replace("/></testsuite>", "><failure/></testcase></testsuite>"), "unit", "failed"),
        ("unit.xml", "<testsuites/>", "unit", "lacking"),
        ("it.xml", "no xml", "integration", "lacking"),
        (
            "it.xml",
            PASSED.replace("/></testsuite>", "/><testcase><skipped/></testcase></testsuite>"),
            "integration",
            "doubtful",
        ),
    ],
)
def test_a_document_that_falls_short(folder: Path, file: str, text: str, artefact: str, shortfall: str | None) -> None:
    before = seen(folder).digests[artefact]
    (folder / file).write_text(text)
    found = seen(folder)
    assert found.digests[artefact] != before
    if shortfall is not None:
        assert (Artefact(artefact), Shortfall(shortfall)) in short(found)


def test_a_file_that_is_gone_falls_short_and_one_that_is_not_declared_is_absent(folder: Path) -> None:
    for name in ("RUNBOOK.md", "unit.xml", "release-v13.9.0.md"):
        (folder / name).unlink()
    found = seen(folder)
    gone = {Artefact.RUNBOOK, Artefact.UNIT, Artefact.NOTES}
    assert {(artefact, Shortfall.LACKING) for artefact in gone} <= short(found)
    assert gone.isdisjoint(Artefact(name) for name in found.digests)
    (folder / "artefacts.yaml").unlink()
    assert short(seen(folder)) == {(artefact, Shortfall.ABSENT) for artefact in Artefact}

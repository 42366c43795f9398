"""Is a release described as its Definition of Done demands? Notes, runbook, and evidence of tests and review."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import final

from harness.model.artefacts import Shortfall
from harness.model.release import Release
from harness.release.artefacts import Artefacts, Evidence
from harness.release.findings import Finding, Weight
from harness.release.junit import read_junit
from harness.release.markdown import Table, plain
from harness.release.notes import Notes
from harness.release.outline import Role, is_placeholder, says_none
from harness.release.runbook import check_runbook
from harness.release.versions import bare

__all__ = ["Completeness", "check_evidence", "check_notes", "check_operation", "check_release"]


@final
@dataclass(frozen=True, slots=True)
class Completeness:
    """What a release lacks, the worst first."""

    findings: tuple[Finding, ...]

    @property
    def is_complete(self) -> bool:
        """Whether nothing that is demanded is absent."""
        return not any(finding.weight is Weight.ERROR for finding in self.findings)


def check_release(manifest: Release, artefacts: Artefacts, notes: Notes | None, runbook: str | None) -> Completeness:
    """Returns what the release with this ``manifest`` lacks.

    ``notes`` and ``runbook`` are the documents that ``artefacts`` names, read; ``None`` where it names none.
    Raises ``ReleaseError`` for evidence that cannot be read.
    """
    found = [*check_notes(notes, manifest), *check_operation(runbook, artefacts.runbook)]
    for kind in Evidence:
        found += check_evidence(kind, artefacts)
    order = list(Weight)
    return Completeness(tuple(sorted(found, key=lambda finding: order.index(finding.weight))))


def check_notes(notes: Notes | None, manifest: Release) -> Iterator[Finding]:
    """Yields what the release notes lack; ``None`` where there are none."""
    if notes is None:
        remedy = "Give them with --notes, or name them in artefacts.yaml"
        yield Finding(Weight.ERROR, "release notes", "no release notes are given", remedy, Shortfall.ABSENT)
        return
    yield from notes.findings
    yield from _details(notes)
    yield from _against_manifest(notes, manifest)


def check_operation(runbook: str | None, file: Path | None) -> Iterator[Finding]:
    """Yields what the runbook in ``file`` lacks; ``None`` where there is none."""
    if runbook is None or file is None:
        remedy = "Give it with --runbook, or name it in artefacts.yaml"
        yield Finding(Weight.ERROR, "runbook", "no runbook is given", remedy, Shortfall.ABSENT)
        return
    yield from check_runbook(runbook, file)


def _details(notes: Notes) -> Iterator[Finding]:
    """The four details that the Definition of Done asks of release notes."""
    yield from _detail(notes, (Role.SUMMARY,), "description of the changes")
    yield from _detail(notes, (Role.COMPONENTS,), "list of changed components")
    if not notes.release.previous and notes.release.components:
        text = "no component is told to have changed: none has a version before"
        yield Finding(Weight.WARNING, "release notes", text, "Write changed components as NAME: OLD -> NEW")
    yield from _detail(notes, (Role.STORIES, Role.BUGS), "list of stories and bugs")
    yield from _detail(notes, (Role.BREAKING,), "statement on breaking changes")


def _detail(notes: Notes, roles: tuple[Role, ...], what: str) -> Iterator[Finding]:
    groups = [group for role in roles for group in notes.outline.with_role(role)]
    if not groups:
        text = f"the notes have no {what}"
        yield Finding(Weight.ERROR, "release notes", text, f"Add the section: {_TITLES[roles[0]]}")
        return
    written = []
    for role in roles:
        for _, block in notes.outline.blocks(role):
            if isinstance(block, Table):
                written += [" ".join(plain(cell) for cell in row) for _, row in block.rows]
            else:
                written += [plain(line.text) for line in block.lines]
    where = f"line {groups[0][0].line}"
    lead = roles == (Role.SUMMARY,)
    # "…, which includes:" announces what is to come; it describes nothing itself.
    told = [text for text in written if text and not is_placeholder(text) and not (lead and text.endswith(":"))]
    if not told:
        left = any(is_placeholder(text) for text in written)
        text = f"the {what} is {'a placeholder' if left else 'empty'}"
        remedy = "Write it" if lead else "Write it, or state that there is none"
        yield Finding(Weight.ERROR, where, text, remedy)
    elif lead and all(says_none(text) for text in told):
        yield Finding(Weight.ERROR, where, f"the {what} says nothing", "Say what changed and why")


_TITLES = {
    Role.SUMMARY: "Summary",
    Role.COMPONENTS: "Application versions",
    Role.STORIES: "New features, Bug fixes",
    Role.BREAKING: "Breaking changes",
}


def _against_manifest(notes: Notes, manifest: Release) -> Iterator[Finding]:
    told = notes.release
    if (told.product, told.version) != (manifest.product, manifest.version):
        text = (
            f"the notes are of {told.product} {told.version}, the manifest is of {manifest.product} {manifest.version}"
        )
        yield Finding(Weight.ERROR, notes.file.name, text, "Give the notes of the release")
        return
    for name in sorted(told.components.keys() | manifest.components.keys()):
        pair = [bare(side.components[name]) if name in side.components else "absent" for side in (told, manifest)]
        if pair[0] != pair[1]:
            text = f"{name} is {pair[0]} in the notes and {pair[1]} in the manifest"
            yield Finding(Weight.ERROR, notes.file.name, text, "Correct the notes and import them again")


_DEMANDED = {
    Evidence.UNIT: "unit tests",
    Evidence.INTEGRATION: "integration tests",
    Evidence.REGRESSION: "the regression suite on merge",
    Evidence.REVIEW: "review by peers",
}


def check_evidence(kind: Evidence, artefacts: Artefacts) -> Iterator[Finding]:
    """Yields what the evidence of ``kind`` lacks. Raises ``ReleaseError`` where it cannot be read."""
    what, given = _DEMANDED[kind], artefacts.evidence.get(kind)
    if given is None:
        remedy = f"Give --evidence {kind.value}=REPORT.xml, or a link to it"
        yield Finding(
            Weight.ERROR, f"evidence {kind.value}", f"there is no evidence of {what}", remedy, Shortfall.ABSENT
        )
        return
    if isinstance(given, str):
        text = f"evidence of {what} is declared, not read: {given}"
        yield Finding(Weight.NOTE, f"evidence {kind.value}", text, shortfall=Shortfall.DECLARED)
        return
    totals = read_junit(given)
    where = f"evidence {kind.value} ({given.name})"
    if totals.failed:
        text = f"{totals.failed} tests failed"
        yield Finding(Weight.ERROR, where, text, "Correct the component, or the test", Shortfall.FAILED)
    if not totals.passed:
        yield Finding(Weight.ERROR, where, "no test passed: the report shows nothing", "Give the report of a whole run")
    elif totals.skipped:
        text = f"{totals.skipped} of {totals.passed + totals.skipped} tests were skipped"
        yield Finding(Weight.WARNING, where, text, "Say why, or run them")

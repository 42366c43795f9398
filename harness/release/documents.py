"""What do a release's documents show? All that ``artefacts.yaml`` declares, read and checked, as the judge takes it.

Unlike a check by hand this never stops: a document that cannot be read is one that falls short.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from harness.errors import InputError, ReleaseError
from harness.model.artefacts import ArtefactFinding, ArtefactsFound, Shortfall
from harness.model.release import Release
from harness.model.scheme import Artefact
from harness.release.artefacts import Artefacts, Evidence
from harness.release.completeness import check_evidence, check_notes, check_operation
from harness.release.findings import Finding, Weight
from harness.release.notes import parse_notes
from harness.yaml_document import read_text

__all__ = ["look_at"]

_BY_WEIGHT: Final = {Weight.ERROR: Shortfall.LACKING, Weight.WARNING: Shortfall.DOUBTFUL, Weight.NOTE: None}


def look_at(manifest: Release, given: Artefacts) -> ArtefactsFound:
    """Returns what the documents of the release with this ``manifest`` lack, with the digest of each."""
    questions: dict[Artefact, Callable[[], Iterable[Finding]]] = {
        Artefact.NOTES: lambda: _notes(manifest, given.notes),
        Artefact.RUNBOOK: lambda: _runbook(given.runbook),
    }
    for kind in Evidence:
        questions[Artefact(kind.value)] = lambda kind=kind: check_evidence(kind, given)  # type: ignore[misc]
    found: list[ArtefactFinding] = []
    for artefact, question in questions.items():
        try:
            found += _told(artefact, question())
        except InputError as problem:
            where = problem.file.name if isinstance(problem.file, Path) else artefact.value
            remedy = problem.remedy or "Give one that can be read"
            found.append(ArtefactFinding(artefact, Shortfall.LACKING, where, problem.message, remedy))
    files: dict[str, Path | str | None] = {"notes": given.notes, "runbook": given.runbook}
    files |= {kind.value: given.evidence.get(kind) for kind in Evidence}
    digests = {name: digest for name, file in files.items() if (digest := _digest(file)) is not None}
    return ArtefactsFound(tuple(found), digests)


def _told(artefact: Artefact, findings: Iterable[Finding]) -> Iterator[ArtefactFinding]:
    for one in findings:
        shortfall = one.shortfall or _BY_WEIGHT[one.weight]
        if shortfall is Shortfall.DOUBTFUL and artefact is Artefact.NOTES:
            # the Definition of Done asks four details of release notes, and none of what a warning is about
            shortfall = Shortfall.REMARKED
        if shortfall is not None:
            yield ArtefactFinding(artefact, shortfall, one.where, one.text, one.remedy)


def _notes(manifest: Release, file: Path | None) -> Iterator[Finding]:
    read = None
    if file is not None:
        text = read_text(file, ReleaseError, what="release notes")
        read = parse_notes(text, file, product=manifest.product, otherwise=manifest.version)
    yield from check_notes(read, manifest)


def _runbook(file: Path | None) -> Iterator[Finding]:
    yield from check_operation(None if file is None else read_text(file, ReleaseError, what="runbook"), file)


def _digest(file: Path | str | None) -> str | None:
    """A link is kept as it is declared: nobody has read what it leads to."""
    if file is None or isinstance(file, str):
        return file
    try:
        return f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
    except OSError:
        return None

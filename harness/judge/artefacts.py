"""Does the release come with what it must: its manifest, and the documents and evidence that the Scheme demands?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from harness.judge.evidence import Evidence
from harness.judge.reasons import FAIL, KNOWN, UNKNOWN, Code, reason_of, same_version
from harness.judge.words import counted, some_of
from harness.model.artefacts import ArtefactsFound, Shortfall
from harness.model.outcome import GateName, GateStatus
from harness.model.release import Release
from harness.model.scheme import SchemeRelease
from harness.model.verdict import Reason

__all__ = ["artefacts", "documents", "in_order", "notes"]

_WHEN_DEMANDED: Final = {
    Shortfall.ABSENT: UNKNOWN,
    Shortfall.LACKING: UNKNOWN,
    Shortfall.FAILED: FAIL,
    Shortfall.DOUBTFUL: KNOWN,
}
_WHEN_NOT: Final = {Shortfall.LACKING: KNOWN, Shortfall.FAILED: FAIL, Shortfall.DOUBTFUL: KNOWN}
"""Nothing is demanded, but what is there and shows a failure is not overlooked."""
_CODES: Final = {
    Shortfall.ABSENT: Code.ARTEFACT_ABSENT,
    Shortfall.LACKING: Code.ARTEFACT_LACKING,
    Shortfall.FAILED: Code.ARTEFACT_FAILED,
    Shortfall.DOUBTFUL: Code.ARTEFACT_DOUBTFUL,
}


def artefacts(
    evidence: Evidence,
    release: Release | None,
    recorded: Release | None,
    contents: SchemeRelease | None,
    found: ArtefactsFound | None,
) -> Iterator[Reason]:
    """Yields what keeps manifest and documents from being there and being those of this run's release.

    ``recorded`` is the manifest that the journal holds. ``found`` is what was found in the documents; ``None`` where
    nobody looked, which is as good as none being there.

    ==========================================  ===========  =============
    a document or its evidence                  demanded     not demanded
    ==========================================  ===========  =============
    is absent                                   unknown      says nothing
    is unreadable, incomplete, of another one   unknown      known issue
    shows tests that failed                     fail         fail
    leaves a doubt (tests skipped)              known issue  known issue
    is a declared link, or could be better      a note       a note
    ==========================================  ===========  =============
    """
    yield from _manifest(evidence, release, recorded)
    yield from documents(contents, found)


def documents(contents: SchemeRelease | None, found: ArtefactsFound | None) -> Iterator[Reason]:
    """Yields what of the documents weighs on a release, run or not: the table of ``artefacts``."""
    demanded = contents.artefacts if contents else ()
    gate = GateName.ARTEFACTS
    if found is None:
        for kind in demanded:
            remedy = "Declare it in artefacts.yaml beside the manifest, and judge again"
            text = f"{kind.value} is demanded, and nobody looked for it"
            yield reason_of(Code.ARTEFACT_ABSENT, gate, UNKNOWN, text, remedy)
        return
    for one in found.findings:
        status: GateStatus | None = (_WHEN_DEMANDED if one.artefact in demanded else _WHEN_NOT).get(one.shortfall)
        if status is not None:
            text = f"{one.artefact.value} ({one.where}): {one.text}"
            yield reason_of(_CODES[one.shortfall], gate, status, text, one.remedy)
    for kind in demanded:
        # a document that nothing is said of and no digest is kept of was not looked at
        if kind.value not in found.digests and all(one.artefact is not kind for one in found.findings):
            text, remedy = f"{kind.value} is demanded and was not looked at", "Judge again"
            yield reason_of(Code.ARTEFACT_ABSENT, gate, UNKNOWN, text, remedy)


def notes(found: ArtefactsFound | None) -> Iterator[str]:
    """Yields a note on each link that counts as declared, never as read, and one on what could be better."""
    findings = found.findings if found else ()
    yield from (one.text for one in findings if one.shortfall is Shortfall.DECLARED)
    if remarks := [one.text for one in findings if one.shortfall is Shortfall.REMARKED]:
        yield f"release notes: {counted(len(remarks), 'remark')}: {some_of(remarks)} (harness release check)"


def in_order(contents: SchemeRelease | None) -> str:
    """Returns what the gate says where nothing keeps it from a pass."""
    manifest = "the release manifest is there and is the one of this run"
    if contents is None or not contents.artefacts:
        return f"{manifest}; the Scheme demands no further documents"
    return f"{manifest}, and so are {', '.join(kind.value for kind in contents.artefacts)}"


def _manifest(evidence: Evidence, release: Release | None, recorded: Release | None) -> Iterator[Reason]:
    gate, started = GateName.ARTEFACTS, evidence.started
    if release is None:
        text = "there is no manifest of the release"
        yield reason_of(Code.MANIFEST_ABSENT, gate, UNKNOWN, text, "Import the release notes: harness release import")
        return
    if not release.components:
        text = "the manifest of the release names no component"
        yield reason_of(Code.MANIFEST_ABSENT, gate, UNKNOWN, text, "Import the release notes again")
    if started is not None and (
        release.product != started.product or not same_version(str(release.version), started.release)
    ):
        text = f"the manifest is of {release.product} {release.version}, the run of {started.product} {started.release}"
        yield reason_of(Code.MANIFEST_DIFFERS, gate, UNKNOWN, text, "Judge with the manifest of the run's release")
    elif recorded is not None and (
        recorded.version != release.version or dict(recorded.components) != dict(release.components)
    ):
        text = "the manifest is not the one the run was started with"
        yield reason_of(Code.MANIFEST_DIFFERS, gate, UNKNOWN, text, "Run again with this manifest")

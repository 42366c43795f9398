"""What a Scheme demands of a release's documents decides its gate; what is declared and shows a failure always does."""

from __future__ import annotations

import pytest

from harness.judge.parts import Parts
from harness.judge.verdict import JudgedRun
from harness.model.artefacts import ArtefactFinding, ArtefactsFound, Shortfall
from harness.model.outcome import GateName, VerdictKind
from harness.model.scheme import Artefact, SchemeRelease
from tests.judge.build import SOUND, judged, run

APPROVED, KNOWN = VerdictKind.APPROVED, VerdictKind.APPROVED_WITH_KNOWN_ISSUES
INCONCLUSIVE, REJECTED = VerdictKind.INCONCLUSIVE, VerdictKind.REJECTED
UNIT = "sha256:" + "1" * 64


def with_documents(demanded: tuple[Artefact, ...], found: ArtefactsFound | None) -> JudgedRun:
    return judged(run(SOUND), parts=Parts(SchemeRelease("example", artefacts=demanded), artefacts=found))


def one(shortfall: Shortfall, artefact: Artefact = Artefact.UNIT) -> ArtefactsFound:
    finding = ArtefactFinding(artefact, shortfall, "unit.xml", "it is so", "Change it")
    return ArtefactsFound((finding,), {} if shortfall is Shortfall.ABSENT else {artefact.value: UNIT})


@pytest.mark.parametrize(
    ("shortfall", "demanded", "otherwise"),
    [
        (Shortfall.ABSENT, INCONCLUSIVE, APPROVED),
        (Shortfall.LACKING, INCONCLUSIVE, KNOWN),
        (Shortfall.FAILED, REJECTED, REJECTED),
        (Shortfall.DOUBTFUL, KNOWN, KNOWN),
        (Shortfall.DECLARED, APPROVED, APPROVED),
        (Shortfall.REMARKED, APPROVED, APPROVED),
    ],
)
def test_what_a_shortfall_means(shortfall: Shortfall, demanded: VerdictKind, otherwise: VerdictKind) -> None:
    found = with_documents((Artefact.UNIT,), one(shortfall)).verdict
    assert found.kind is demanded
    assert with_documents((), one(shortfall)).verdict.kind is otherwise
    assert all(reason.gate is GateName.ARTEFACTS for reason in found.reasons)
    if demanded is INCONCLUSIVE:
        assert found.next_action == "Support team: unit (unit.xml): it is so. Change it."
    if demanded is REJECTED:
        assert found.next_action == "mojaloop developers: unit (unit.xml): it is so. Do not hand over."
    if shortfall is Shortfall.DECLARED:
        assert "it is so" in found.notes


def test_what_nobody_looked_at_is_not_there() -> None:
    for found in (None, ArtefactsFound(), one(Shortfall.DOUBTFUL, Artefact.NOTES)):
        verdict = with_documents((Artefact.RUNBOOK,), found).verdict
        assert verdict.kind is INCONCLUSIVE
        assert verdict.reasons[0].code == "artefact-absent"


def test_the_gate_says_what_was_demanded_and_the_inputs_what_was_read() -> None:
    fine = ArtefactsFound((), {"unit": UNIT})
    verdict = with_documents((Artefact.UNIT,), fine).verdict
    assert verdict.kind is APPROVED
    assert verdict.gates[-1].summary.endswith("is the one of this run, and so are unit")
    assert verdict.inputs["artefacts"] == {"unit": UNIT}
    assert verdict.inputs["scheme_release"]["artefacts"] == ["unit"]
    nothing = with_documents((), ArtefactsFound()).verdict
    assert nothing.gates[-1].summary.endswith("; the Scheme demands no further documents")

"""A stored verdict says all that a reader must know, rehearsals included, in the same bytes whenever it is made."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from harness.judge.baseline import BaselineSource
from harness.judge.document import verdict_schema, verdict_to_json
from harness.judge.reasons import Code
from harness.model.outcome import VerdictKind
from harness.model.records import RunStarted
from tests.judge.build import COMPONENTS, SOUND, F, H, P, Run, Shape, baseline, case, criteria, judged, run

REGRESSED = (case("pays", P, F), *SOUND[1:])


# --- rehearsals ------------------------------------------------------------------------------------------------------


def test_a_run_on_the_embedded_hub_is_a_rehearsal_wherever_it_is_told() -> None:
    found = judged(run(SOUND, kind="embedded"), baseline(source=BaselineSource.EMBEDDED))
    assert found.verdict.kind is VerdictKind.APPROVED
    assert found.verdict.text == "APPROVED (rehearsal on the embedded hub)"
    stored = json.loads(verdict_to_json(found))
    assert stored["verdict"] == found.verdict.text
    assert stored["rehearsal"] is True
    assert "rehearsal" in stored["next_action"]


def test_a_rehearsal_with_defects_is_judged_by_its_checks_and_says_which() -> None:
    spoilt = run(REGRESSED, kind="embedded").changed(RunStarted, target={"defects": ["no-callback"]})
    found = judged(spoilt, baseline(source=BaselineSource.EMBEDDED))
    assert found.verdict.text == "REJECTED (rehearsal on the embedded hub)"
    assert found.verdict.inputs["target"]["defects"] == ["no-callback"]


# --- the document ----------------------------------------------------------------------------------------------------

DOCUMENTED = [run(SOUND), run(REGRESSED), run([]), Run(()), run([case("pays", F, F), case("żółw", H)])]


@pytest.mark.parametrize("what", DOCUMENTED)
def test_the_document_keeps_to_its_schema_and_is_the_same_whenever_it_is_made(what: Run) -> None:
    text = verdict_to_json(judged(what))
    assert text == verdict_to_json(judged(what))
    document = json.loads(text)
    jsonschema.validate(document, verdict_schema())
    assert document["exit_code"] == {"REJECTED": 1, "INCONCLUSIVE": 2}.get(document["kind"], 0)
    assert list(document) == sorted(document)


def test_a_name_that_is_no_text_can_still_be_stored() -> None:
    odd = Shape("pays", {"send": {"c1": P, "\udc80": F}})
    text = verdict_to_json(judged(run([odd, *SOUND[1:]])))
    assert any("\udc80" in check for check in json.loads(text.encode())["reasons"][0]["checks"])


def test_the_schema_in_docs_is_the_one_in_force() -> None:
    stored = Path(__file__).parents[2] / "docs" / "verdict.schema.json"
    assert json.loads(stored.read_text()) == verdict_schema()


def test_every_kind_of_reason_has_a_test() -> None:
    told = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))
    assert [code.value for code in Code if f'"{code.value}"' not in told] == []


def test_the_inputs_are_named_with_their_digests() -> None:
    inputs = judged(run(SOUND)).verdict.inputs
    assert inputs["journal"] == {"sha256": "a" * 64}
    assert inputs["suite"]["digest"] == "5" * 64
    assert inputs["criteria"] == {"scheme": "example", "sha256": criteria().digest}
    assert inputs["release"]["components"] == COMPONENTS

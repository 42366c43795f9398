"""A Scheme's criteria say what they mean or are refused with file and line."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from harness.errors import CriteriaError
from harness.judge.criteria import Criteria, criteria_schema, load_criteria, load_scheme, parse_criteria
from harness.model.outcome import ComparisonClass

EXAMPLE = Path(__file__).parents[2] / "scheme_rules" / "example" / "criteria.yaml"

HEAD = "scheme: example\ntitle: Example\nrules:\n"


def rule(**changes: str | None) -> str:
    keys: dict[str, str | None] = {
        "id": "one", "kind": "class-at-most", "classes": "[regressed]", "at_most": "0", "severity": "blocker",
        "title": "t", "rationale": "r",
    } | changes  # fmt: skip
    lines = [f"{key}: {value}" for key, value in keys.items() if value is not None]
    return "  - " + "\n    ".join(lines) + "\n"


def parsed(*rules: str) -> Criteria:
    return parse_criteria(HEAD + "".join(rules), "criteria.yaml")


def test_the_example_is_readable() -> None:
    criteria = load_criteria(EXAMPLE)
    assert criteria.scheme == EXAMPLE.parent.name
    assert {each.kind for each in criteria.rules} == {
        "class-at-most", "required-cases", "latency-p95", "minimum-executed", "required-folders",
    }  # fmt: skip
    assert len(criteria.digest) == 64


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "criteria.yaml: the file is empty"),
        ("- 1\n", "criteria.yaml, line 1"),
        ("scheme: [a\n", "criteria.yaml, line 2: not readable as YAML"),
        (HEAD, "criteria.yaml, line 3 (rules)"),
        (HEAD + "  []\n", "criteria.yaml, line 3 (rules)"),
        ("mood: good\n" + HEAD + rule(), "criteria.yaml, line 1 (mood): unknown key 'mood'. Remove it"),
        (HEAD + rule(at_mosst="1"), "criteria.yaml, line 11 (rules[0].at_mosst): unknown key 'at_mosst'"),
        (HEAD + rule(at_most='"0"'), "criteria.yaml, line 7 (rules[0].at_most): 'at_most': input should be a"),
        (HEAD + rule(at_most="true"), "criteria.yaml, line 7 (rules[0].at_most)"),
        (HEAD + rule(at_most="-1"), "criteria.yaml, line 7 (rules[0].at_most)"),
        (HEAD + rule(at_most="0.5"), "criteria.yaml, line 7 (rules[0].at_most)"),
        (HEAD + rule(at_most=".inf"), "criteria.yaml, line 7 (rules[0].at_most)"),
        (HEAD + rule(at_most=None), "criteria.yaml, line 4 (rules[0]): the key 'at_most' is absent. Add it"),
        (HEAD + rule(rationale=None), "the key 'rationale' is absent"),
        (HEAD + rule(rationale='" "'), "criteria.yaml, line 10 (rules[0].rationale)"),
        (HEAD + rule(severity="grave"), "criteria.yaml, line 8 (rules[0].severity)"),
        (HEAD + rule(classes="[regresed]"), "criteria.yaml, line 6 (rules[0].classes[0])"),
        (HEAD + rule(classes="[]"), "criteria.yaml, line 6 (rules[0].classes)"),
        (HEAD + rule(kind="wish"), "criteria.yaml, line 4 (rules[0])"),
        (HEAD + rule(id="One Rule"), "criteria.yaml, line 4 (rules[0].id)"),
        (HEAD + rule(title="2026-01-01"), "dates and the like as text in quotes"),
        (HEAD + rule() + rule(), "criteria.yaml, line 11 (rules[1].id): two rules have the id 'one'"),
        (HEAD + rule(at_most="0\n    at_most: 9"), "criteria.yaml, line 8: the key 'at_most' stands twice"),
        (
            HEAD + rule(kind="required-cases", classes=None, at_most=None),
            "criteria.yaml, line 4 (rules[0]): a required-cases rule needs 'labels' or 'cases'",
        ),
        (
            HEAD + rule(kind="latency-p95", classes=None, at_most=None, operation="POST /quotes", measure="callback"),
            "a latency-p95 rule needs 'at_most_ms'",
        ),
        (
            HEAD + rule(kind="latency-p95", classes=None, at_most=None, operation="o", measure="callback",
                        at_most_ms=".nan"),
            "criteria.yaml, line 11 (rules[0].at_most_ms)",
        ),
        (
            HEAD + rule(kind="latency-p95", classes=None, at_most=None, operation="o", measure="callback",
                        ratio_to_baseline_at_most="2", labels="[p2p]"),
            "drop 'labels'",
        ),
        (
            HEAD + rule(kind="minimum-executed", classes=None, at_most=None, what="cases", at_least="0"),
            "criteria.yaml, line 10 (rules[0].at_least)",
        ),
        (
            HEAD + rule(kind="outcome-at-most", classes=None, outcomes="[hollow]", share_at_most="0.1"),
            "an outcome-at-most rule needs either 'at_most' or 'share_at_most'",
        ),
        (HEAD + rule(kind="pass-rate", classes=None, at_most=None, at_least="0"), "(rules[0].at_least)"),
        (HEAD + rule(kind="pass-rate", classes=None, at_most=None, at_least="1.5"), "(rules[0].at_least)"),
        (HEAD + rule(kind="required-checks", classes=None, at_most=None, checks="[pays]"), "(rules[0].checks[0])"),
        (HEAD + rule(kind="required-cases", classes=None, at_most=None, cases="['*']"), "(rules[0].cases[0])"),
        (HEAD + rule(kind="target-facts", classes=None, at_most=None, facts="{}"), "(rules[0].facts)"),
        (HEAD + rule(currency="euro"), "(rules[0].currency)"),
        ("environment_share: 0\n" + HEAD + rule(), "criteria.yaml, line 1 (environment_share)"),
        ("waiver_days_at_most: 9999\n" + HEAD + rule(), "criteria.yaml, line 1 (waiver_days_at_most)"),
        ("a: &a [*a]\n", "criteria.yaml, line 1"),
        ("a: !!python/object:os.system {}\n", "criteria.yaml, line 1: not readable as YAML"),
    ],
)  # fmt: skip
def test_what_the_vocabulary_does_not_know_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(CriteriaError) as refusal:
        parse_criteria(text, "criteria.yaml")
    assert message in str(refusal.value)
    assert refusal.value.remedy


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CriteriaError, match="there is no criteria file here") as refusal:
        load_criteria(tmp_path / "criteria.yaml")
    assert str(tmp_path) in str(refusal.value)
    (tmp_path / "criteria.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(CriteriaError, match="cannot be read"):
        load_criteria(tmp_path / "criteria.yaml")


def test_criteria_copied_from_another_scheme_and_not_renamed_are_refused(tmp_path: Path) -> None:
    (tmp_path / "criteria.yaml").write_text(HEAD + rule())
    with pytest.raises(CriteriaError, match="scheme: the criteria are of scheme 'example'"):
        load_scheme(tmp_path)
    assert load_criteria(tmp_path / "criteria.yaml").scheme == "example"
    assert load_scheme(EXAMPLE.parent).scheme == "example"


def test_the_strictest_rule_for_the_whole_run_is_the_bound() -> None:
    criteria = parsed(
        rule(id="a", classes="[hollow, unknown]", at_most="5"),
        rule(id="b", classes="[hollow]", at_most="3"),
        rule(id="c", classes="[removed]", at_most="7", labels="[p2p]"),
    )
    assert criteria.bound(ComparisonClass.HOLLOW) == 3
    assert criteria.bound(ComparisonClass.UNKNOWN) == 5
    assert criteria.bound(ComparisonClass.REMOVED) == 0


def test_the_schema_is_closed() -> None:
    schema = criteria_schema()
    assert schema["additionalProperties"] is False
    assert all(part.get("additionalProperties") is False for part in schema["$defs"].values() if "properties" in part)


def test_the_schema_in_docs_is_the_one_in_force_and_takes_the_example() -> None:
    stored = json.loads((EXAMPLE.parents[2] / "docs" / "criteria.schema.json").read_text())
    assert stored == criteria_schema()
    jsonschema.validate(yaml.safe_load(EXAMPLE.read_text()), stored)


FACTS = {"kind": "target-facts", "classes": None, "at_most": None}
EXPECTED = {"kind": "expected-failures", "classes": None, "at_most": None, "checks": "['a::b::c::d']"}
RATE = {"kind": "pass-rate", "classes": None, "at_most": None}
RUN_AT_LEAST = {"kind": "minimum-executed", "classes": None, "at_most": None, "what": "cases"}


@pytest.mark.parametrize(
    ("first", "second", "line"),
    [
        (rule(id="a", at_most="0"), rule(id="b", at_most="5"), 11),
        (rule(id="a", at_most="5"), rule(id="b", at_most="0"), 4),
        (rule(id="a"), rule(id="b"), 11),
        (rule(id="a", classes="[regressed, new-fail]"), rule(id="b", at_most="1"), 11),
        (rule(id="a", labels="[p, q]"), rule(id="b", labels="[q, p]"), 12),
        (rule(id="a", **RATE, at_least="0.9"), rule(id="b", **RATE, at_least="0.8"), 10),
        (rule(id="a", **RUN_AT_LEAST, at_least="9"), rule(id="b", **RUN_AT_LEAST, at_least="8"), 11),
        (rule(id="a", **FACTS, facts="{x: true}"), rule(id="b", **EXPECTED, when="{x: false}"), 10),
        (rule(id="a", **EXPECTED, when="{x: 1}"), rule(id="b", **FACTS, facts="{x: 2}"), 4),
        (rule(id="a", **FACTS, facts="{x: 1}"), rule(id="b", **FACTS, facts="{x: 2}"), 4),
    ],
)
def test_a_rule_that_can_never_decide_anything_is_refused_with_its_line(first: str, second: str, line: int) -> None:
    with pytest.raises(CriteriaError, match=rf"criteria.yaml, line {line} \(rules\[[01]\]\): .* can never decide"):
        parsed(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (rule(id="a", severity="minor"), rule(id="b", at_most="5")),
        (rule(id="a", labels="[p]"), rule(id="b", at_most="5")),
        (rule(id="a", at_most="5"), rule(id="b", labels="[p]")),
        (rule(id="a", currency="EUR"), rule(id="b", currency="XOF")),
        (rule(id="a", classes="[hollow, unknown]", at_most="5"), rule(id="b", classes="[hollow]", at_most="3")),
        (rule(id="a", **FACTS, facts="{x: true}"), rule(id="b", **EXPECTED, when="{x: true, y: 1}")),
        (rule(id="a", **RATE, at_least="0.9"), rule(id="b", **RATE, at_least="0.8", labels="[p]")),
    ],
)
def test_rules_that_each_decide_something_stand_together(first: str, second: str) -> None:
    assert len(parsed(first, second).rules) == 2


def test_what_else_a_scheme_may_set_has_a_default() -> None:
    plain = parsed(rule())
    assert (plain.environment_share, plain.waiver_days_at_most) == (0.5, 180)
    own = parse_criteria("environment_share: 0.8\nwaiver_days_at_most: 30\n" + HEAD + rule(), "criteria.yaml")
    assert (own.environment_share, own.waiver_days_at_most) == (0.8, 30)


DOCUMENT = (EXAMPLE.parents[2] / "docs" / "criteria.md").read_text(encoding="utf-8")


def test_the_document_shows_one_rule_of_each_kind_as_it_can_be_written() -> None:
    shown = parse_criteria(DOCUMENT.split("```yaml\n")[1].split("```")[0], "criteria.md")
    kinds = [each.kind for each in shown.rules]
    assert sorted(kinds) == sorted(criteria_schema()["properties"]["rules"]["items"]["discriminator"]["mapping"])

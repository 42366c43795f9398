"""A waiver says what, why, who and until when, or is refused with file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.errors import CriteriaError
from harness.judge.criteria import load_scheme
from harness.judge.waivers import load_waivers, parse_waivers, waivers_schema
from tests.judge.build import waiver

REPOSITORY = Path(__file__).parents[2]


def written(*entries: dict[str, Any], **outer: Any) -> str:
    lines = ["scheme: example", *(f"{key}: {value}" for key, value in outer.items()), "waivers:"]
    for entry in entries:
        given = [(key, value) for key, value in entry.items() if value is not None]
        lines += [f"  {' ' if at else '-'} {key}: {json.dumps(value)}" for at, (key, value) in enumerate(given)]
    return "\n".join(lines) + ("\n" if entries else " []\n")


def test_a_waiver_that_says_everything_is_taken() -> None:
    read = parse_waivers(written(waiver()), "waivers.yaml")
    assert (read.scheme, read.waivers[0].id, read.waivers[0].expires.isoformat()) == ("example", "agreed", "2026-06-01")
    assert len(read.digest) == 64
    assert parse_waivers(written(), "waivers.yaml").waivers == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"checks": ["*"]}, "line 3 (waivers[0]): '*' is a wildcard"),
        ({"checks": ["*::*::*::*"]}, "is a wildcard"),
        ({"checks": None, "label": "*"}, "is a wildcard"),
        ({"checks": None, "label": " "}, "line 10 (waivers[0].label)"),
        ({"checks": []}, "line 4 (waivers[0].checks)"),
        ({"checks": ["pays"]}, "'pays' is not the id of a check or case"),
        ({"checks": None}, "needs either 'checks' or 'label'"),
        ({"label": "p2p"}, "needs either 'checks' or 'label'"),
        ({"at_most": None}, "needs either 'at_most' or 'rate_at_most'"),
        ({"rate_at_most": 0.5}, "needs either 'at_most' or 'rate_at_most'"),
        ({"at_most": 0}, "line 10 (waivers[0].at_most)"),
        ({"at_most": None, "rate_at_most": 1.0}, "line 10 (waivers[0].rate_at_most)"),
        ({"ticket": "HUB-1"}, "line 5 (waivers[0].ticket)"),
        ({"ticket": "https://tracker"}, "line 5 (waivers[0].ticket)"),
        ({"ticket": None}, "the key 'ticket' is absent"),
        ({"reason": "TBD"}, "line 6 (waivers[0].reason)"),
        ({"reason": "tbd tbd tbd tbd tbd tbd"}, "'reason' does not say why"),
        ({"reason": "n/a, to do, TODO, see ticket"}, "'reason' does not say why"),
        ({"reason": "." * 30}, "'reason' does not say why"),
        ({"reason": "a short one" + " " * 20}, "'reason' does not say why"),
        ({"approved_by": ""}, "line 7 (waivers[0].approved_by)"),
        ({"approved_by": "TBD"}, "'approved_by' names nobody"),
        ({"approved_on": "yesterday"}, "line 8 (waivers[0].approved_on)"),
        ({"approved_on": "2026-06-02"}, "expires (2026-06-01) before it was approved (2026-06-02)"),
        ({"expires": "2026-10-29"}, "line 9 (waivers[0].expires): waiver 'agreed' holds longer than 180 days"),
        ({"expires": None}, "the key 'expires' is absent"),
        ({"excuse": "x"}, "line 11 (waivers[0].excuse): unknown key 'excuse'"),
        ({"id": "No Id"}, "line 3 (waivers[0].id)"),
    ],
)
def test_what_says_too_little_is_refused_with_its_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(CriteriaError) as refusal:
        parse_waivers(written(waiver(**changes)), "waivers.yaml")
    assert str(refusal.value).startswith("waivers.yaml, line ")
    assert message in str(refusal.value)
    assert refusal.value.remedy


def test_the_longest_time_is_counted_from_the_approval_and_the_scheme_may_shorten_it() -> None:
    longest = waiver(approved_on="2026-05-01", expires="2026-10-28")
    assert len(parse_waivers(written(longest), "w").waivers) == 1
    with pytest.raises(CriteriaError, match="longer than 30 days after its approval"):
        parse_waivers(written(longest), "w", days_at_most=30)


def test_two_waivers_of_one_id_are_refused() -> None:
    with pytest.raises(CriteriaError, match=r"line 11 \(waivers\[1\].id\): two waivers have the id 'agreed'"):
        parse_waivers(written(waiver(), waiver()), "waivers.yaml")


def test_dates_without_quotes_are_told_how_to_be_written() -> None:
    text = written(waiver()).replace('"2026-05-01"', "2026-05-01")
    with pytest.raises(CriteriaError, match="Write dates and the like as text in quotes"):
        parse_waivers(text, "waivers.yaml")


def test_one_scheme_cannot_waive_for_another(tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(written(waiver()))
    assert load_waivers(file, scheme="example").waivers[0].id == "agreed"
    with pytest.raises(CriteriaError, match="are of scheme 'example', the run is judged by 'other'"):
        load_waivers(file, scheme="other")
    with pytest.raises(CriteriaError, match="there is no waiver file here"):
        load_waivers(tmp_path / "absent.yaml", scheme=None)


def test_the_example_scheme_waives_nothing() -> None:
    folder = REPOSITORY / "scheme_rules" / "example"
    assert load_waivers(folder / "waivers.yaml", scheme=load_scheme(folder).scheme).waivers == ()


def test_the_entry_shown_in_the_example_would_be_taken() -> None:
    text = (REPOSITORY / "scheme_rules" / "example" / "waivers.yaml").read_text()
    shown = [line.removeprefix("#") for line in text.splitlines() if line.startswith("#   ")]
    assert len(parse_waivers("scheme: example\nwaivers:\n" + "\n".join(shown) + "\n", "waivers.yaml").waivers) == 1


def test_the_schema_in_docs_is_the_one_in_force_and_takes_what_is_taken() -> None:
    stored = json.loads((REPOSITORY / "docs" / "waivers.schema.json").read_text())
    assert stored == waivers_schema()
    entry = {key: value for key, value in waiver().items() if value is not None}
    jsonschema.validate({"scheme": "example", "waivers": [entry]}, stored)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"scheme": "example", "waivers": [entry | {"excuse": "x"}]}, stored)

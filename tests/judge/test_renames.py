"""A rename table says what became of a name, once and certainly, or is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import BaselineError
from harness.judge.renames import NO_RENAMES, load_renames, parse_renames

TABLE = """\
format: 1
renames:
  - before: a/x.json
    after: b/x.json
    reason: moved at v17.0.0
  - before: b/x.json::Pays
    after: b/x.json::Pays once
    reason: reworded at v17.1.0
"""


def test_a_check_has_the_names_it_got_and_the_names_it_had() -> None:
    table = parse_renames(TABLE, "renames.yaml")
    assert list(table.forms("a/x.json::Pays::send::status")) == [
        "b/x.json::Pays::send::status",
        "b/x.json::Pays once::send::status",
    ]
    assert list(table.forms("b/x.json::Pays once::send::status")) == [
        "b/x.json::Pays::send::status",
        "a/x.json::Pays::send::status",
    ]
    assert list(table.forms("c/x.json::Pays::send::status")) == []
    assert len(table.digest) == 64


def test_a_product_without_a_table_has_no_renames(tmp_path: Path) -> None:
    assert load_renames(tmp_path) is NO_RENAMES
    assert not NO_RENAMES
    (tmp_path / "renames.yaml").write_text(TABLE)
    assert load_renames(tmp_path).after == {"a/x.json": "b/x.json", "b/x.json::Pays": "b/x.json::Pays once"}


def entry(before: str, after: str) -> str:
    return f"  - {{before: {before!r}, after: {after!r}, reason: r}}\n"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (entry("a/x.json", "c"), r"line 9 \(renames\[2\]\): 'a/x.json' is renamed twice"),
        (entry("c", "b/x.json"), r"'b/x.json' is what two names became \(the other is renames\[0\]\)"),
        (entry("c", "c"), "to itself"),
        (entry("c::d", "c"), "renames a path::case to a path"),
        (entry("a::b::c::d::e", "a::b::c::d::f"), "no name"),
        (entry("b/x.json", "a/x.json"), "leads back to itself"),
        ("  - {before: c, after: d}\n", r"line 9 .*'reason' is absent"),
        ("  - {before: c, after: d, reason: r, since: v1}\n", "unknown key 'since'"),
        ("  - {before: c, after: d, reason: ''}\n", "reason"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused_with_its_line(more: str, why: str) -> None:
    with pytest.raises(BaselineError, match=why) as refusal:
        parse_renames(TABLE + more, "renames.yaml")
    assert refusal.value.remedy
    assert str(refusal.value).startswith("renames.yaml, line 9")


def test_a_table_that_is_no_table_is_refused() -> None:
    for text in ("", "- a", "format: 2\nrenames: []", "format: 1"):
        with pytest.raises(BaselineError):
            parse_renames(text, "renames.yaml")

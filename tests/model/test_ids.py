"""Ids are unique, stable and readable back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.ids import CheckId, escape_label, fingerprint, number_labels, unescape_label

labels = st.lists(st.one_of(st.text(max_size=12), st.sampled_from(["a", "a#2", "a#3", "a::b", ":", "::", "\\", ""])))


@given(labels)
def test_siblings_never_share_a_segment(siblings: list[str]) -> None:
    segments = number_labels(siblings)
    assert len(set(segments)) == len(segments)


@given(labels)
def test_numbering_does_not_depend_on_what_comes_later(siblings: list[str]) -> None:
    segments = number_labels(siblings)
    for cut in range(len(siblings)):
        assert number_labels(siblings[:cut]) == segments[:cut]


@given(st.text())
def test_a_label_can_be_read_back_from_its_segment(label: str) -> None:
    assert unescape_label(escape_label(label)) == " ".join(label.split())


@given(st.lists(st.text(min_size=1), min_size=4, max_size=4))
def test_an_id_can_be_read_back(parts: list[str]) -> None:
    check = CheckId(*(number_labels([part])[0] for part in parts))
    assert CheckId.parse(str(check)) == check


@pytest.mark.parametrize("text", ["", "a", "a::b::c", "a::b::c::d::e", "a::::c::d"])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a check id"):
        CheckId.parse(text)


def test_repeated_labels_count_from_two() -> None:
    assert number_labels(["x", "y", "x", "x"]) == ["x", "y", "x#2", "x#3"]


def test_a_fingerprint_ignores_white_space_and_nothing_else() -> None:
    base = fingerprint("POST", "/quotes", "expect(a).to.equal(1)")
    assert base == fingerprint("post", "/quotes", " expect( a )\n.to.equal(1) ")
    assert base != fingerprint("post", "/quotes", "expect(a).to.equal(2)")
    assert base != fingerprint("put", "/quotes", "expect(a).to.equal(1)")

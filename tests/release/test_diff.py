"""Whoever sets two releases side by side sees what went back, and what nobody has announced."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.release import KnownIssue, Release, ReleaseVersion
from harness.release.diff import diff_releases
from harness.release.versions import order

OLD = KnownIssue("Sums are late", "https://t/1")
NEW = KnownIssue("Unstable", "https://t/2")


def release(minor: int, components: dict[str, str], **more: object) -> Release:
    return replace(Release("mojaloop", ReleaseVersion(17, minor, 0), components, "test"), **more)  # type: ignore[arg-type]


def test_components_up_down_new_and_gone() -> None:
    before = release(
        2, {"als": "17.15.2", "ledger": "v19.8.3", "esp": "12.0.0-snapshot.14", "gone": "1.0.0", "ui": "1.0"}
    )
    after = release(3, {"als": "17.14.11", "ledger": "19.12.0", "esp": "12.0.1", "new": "0.1.0", "ui": "v1.0.0"})
    found = diff_releases(before, after)
    assert [one.name for one in found.downgraded] == ["als"]
    assert [one.name for one in found.upgraded] == ["esp", "ledger"]
    assert (found.added, found.removed, found.unchanged) == ((("new", "0.1.0"),), (("gone", "1.0.0"),), 1)
    assert found.goes_back


def test_a_change_that_the_notes_do_not_announce_as_it_is_is_named() -> None:
    before = release(2, {"als": "1.0.0", "ledger": "1.0.0", "esp": "1.0.0"})
    told = {"ledger": "1.0.5", "esp": "1.0.0"}
    after = release(3, {"als": "1.1.0", "ledger": "1.1.0", "esp": "1.1.0"}, previous=told, previous_release="v17.2.0")
    assert [one.name for one in diff_releases(before, after).unannounced] == ["als", "ledger"]
    assert diff_releases(before, replace(after, previous_release="v17.1.0")).unannounced == ()


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [("v2.0.0", "v1.9.0", -1), ("1.0.0", "v1.0.0", 0), ("1.9.0", "1.10.0", 1), (None, "1", None)],
)
def test_a_suite_that_went_back_is_seen(before: str | None, after: str, expected: int | None) -> None:
    found = diff_releases(release(2, {"a": "1"}, suite_version=before), release(3, {"a": "1"}, suite_version=after))
    assert found.suite_order == expected
    assert found.goes_back == (expected == -1)


def test_issues_are_counted_back_until_a_release_without_them() -> None:
    history = [
        release(minor, {"a": "1"}, known_issues=known)
        for minor, known in enumerate([(OLD,), (), (OLD,), (OLD, NEW), (OLD, NEW), (OLD,)])
    ]
    found = diff_releases(history[3], history[4], history)
    assert [(one.issue, one.releases, one.since) for one in found.carried] == [(OLD, 3, "v17.2.0"), (NEW, 2, "v17.3.0")]
    assert diff_releases(history[2], history[3], history).new_issues == (NEW,)
    assert diff_releases(history[4], history[5], history).gone_issues == (NEW,)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("17.14.11", "17.15.2"),
        ("v1.9.0", "1.10.0"),
        ("12.0.0-snapshot.9", "12.0.0-snapshot.14"),
        ("12.0.0-snapshot.14", "12.0.0"),
        ("11.0.0-snapshot", "11.0.0-snapshot.1"),
        ('"v0.1.1"', "v0.1.2"),
    ],
)
def test_versions_are_ordered_as_numbers_and_pre_releases_come_before(older: str, newer: str) -> None:
    assert (order(older, newer), order(newer, older), order(newer, newer)) == (-1, 1, 0)


def test_what_is_no_version_has_no_order() -> None:
    assert (order("latest", "1.0.0"), order("latest", "latest")) == (None, 0)


VERSIONS = st.from_regex(r"[0-9]{1,2}(\.[0-9]{1,2}){1,2}(-[a-z]{1,3}(\.[0-9]{1,2})?)?", fullmatch=True)


@given(VERSIONS, VERSIONS, VERSIONS)
def test_the_order_of_versions_is_an_order(a: str, b: str, c: str) -> None:
    first, second, third = order(a, b), order(b, c), order(a, c)
    assert first is not None
    assert second is not None
    assert order(b, a) == -first
    if first <= 0 and second <= 0:
        assert third is not None
        assert third <= 0

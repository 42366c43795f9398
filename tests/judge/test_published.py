"""Published totals are read with their source, shown beside what was found, and decide nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import BaselineError
from harness.judge.published import Published, Total, compare_totals, load_published, totals_of
from harness.judge.shown import shown_by_baseline, shown_by_run
from tests.judge.build import F, H, P, Shape, baseline, case, run
from tests.support import REPOSITORY

SHIPPED = {
    "v13.1.0": (2535, 577, 128, "mojaloop/project#2528"),
    "v14.0.0": (2573, 587, 129, "mojaloop/project#2812"),
    "v14.1.0": (2634, 598, 130, "mojaloop/project#2975"),
    "v15.0.0": (2668, 603, 131, "mojaloop/project#3122"),
    "v15.1.0": (2556, 610, 131, "mojaloop/project#3379"),
}


@pytest.mark.parametrize("release", SHIPPED)
def test_the_published_figures_of_the_golden_path_are_shipped_with_their_source(release: str) -> None:
    found = load_published(REPOSITORY / "baselines" / "mojaloop" / release)
    assert (found.assertions, found.requests, found.cases, found.source) == SHIPPED[release]
    assert found.passed == found.assertions
    assert (found.product, found.release) == ("mojaloop", release)
    assert any("totals only" in limit for limit in found.limits)


def test_counts_stand_beside_the_published_ones() -> None:
    two_steps = Shape("refunds", {"send": {"c1": P}, "read": {"c1": P, "c2": F}})
    side = shown_by_run(run([case("pays", P, H), two_steps]).evidence(), "run")
    assert totals_of(side) == {"assertions": 5, "passed": 3, "requests": 3, "cases": 2}
    published = Published("mojaloop", "v1.0.0", "golden path", "2026-01-01", "here", 6, 6, 3, 1)
    found = compare_totals(published, side)
    assert found[0] == Total("assertions", 6, 5)
    assert [total.difference for total in found] == [-1, -3, 0, 1]


def test_of_several_runs_a_check_counts_as_passed_that_passed_in_all() -> None:
    side = shown_by_baseline(baseline((case("pays", P, P),), (case("pays", P, F),)), "baseline")
    assert totals_of(side)["passed"] == 1


GOOD = """\
format: 1
kind: published
product: mojaloop
release: v15.1.0
suite: golden path
date: "2023-06-21"
source: mojaloop/project#3379
totals: {assertions: 2, passed: 2, requests: 1, cases: 1}
"""


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("kind: published", "kind: detailed", r"line 2 \(kind\)"),
        ("source: mojaloop/project#3379\n", "", "'source' is absent"),
        ("passed: 2", "passed: 3", r"line 8 \(totals\): 3 of 2 assertions cannot have passed"),
        ("cases: 1", "cases: -1", "cases"),
        ("cases: 1", "cases: 1, mood: 2", "unknown key 'mood'"),
        ('"2023-06-21"', "2023-06-21", "dates"),
        ('"2023-06-21"', "yesterday", "date"),
    ],
)
def test_what_does_not_add_up_is_refused(tmp_path: Path, old: str, new: str, why: str) -> None:
    assert old in GOOD
    (tmp_path / "published.yaml").write_text(GOOD.replace(old, new))
    with pytest.raises(BaselineError, match=why) as refusal:
        load_published(tmp_path)
    assert refusal.value.remedy
    with pytest.raises(BaselineError, match="no published baseline here"):
        load_published(tmp_path / "absent")

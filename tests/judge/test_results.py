"""Anything can be compared with anything, and no check gets lost between the sides."""

from __future__ import annotations

import random
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.judge.baseline import Baseline
from harness.judge.rates import Repeats
from harness.judge.renames import Renames
from harness.judge.results import RESULTS_COLUMNS, ResultsComparison, compare_results
from harness.judge.shown import Shown, shown_by_baseline, shown_by_run
from harness.model.outcome import ComparisonClass, Outcome
from harness.model.records import RunFinished
from tests.judge.build import SOUND, F, H, P, S, Shape, baseline, case, check_id, run

Shapes = tuple[Shape, ...]


def kept(*runs: Shapes, suite: str = "5", renames: Renames | None = None) -> Shown:
    """A baseline of these runs, made with this suite."""
    made: Baseline = replace(baseline(*runs), suite_digest=suite * 64)
    return shown_by_baseline(made if renames is None else replace(made, renames=renames), "baseline")


def ran(*shapes: Shape) -> Shown:
    return shown_by_run(run(shapes).evidence(), "run")


def classes(found: ResultsComparison) -> dict[str, str]:
    return dict(zip(found.table["check"], found.table["class"], strict=True))


def test_two_baselines_are_compared_check_by_check() -> None:
    before = kept((case("pays", P, P), case("aborts", P, F)), suite="6")
    after = kept((case("pays", P, F), case("expires", P)), suite="7")
    found = compare_results(before, after)
    assert tuple(found.table.columns) == RESULTS_COLUMNS
    assert classes(found) == {
        check_id("aborts", "c1"): "removed",
        check_id("aborts", "c2"): "removed",
        check_id("expires", "c1"): "new-pass",
        check_id("pays", "c1"): "unchanged-pass",
        check_id("pays", "c2"): "regressed",
    }
    row = found.table.set_index("check").loc[check_id("pays", "c2")]
    assert (row["before_passed"], row["after_failed"], row["before_runs"], row["after_runs"]) == (1, 1, 1, 1)
    assert (row["component"], row["operation"], row["kind"]) == ("ml-api-adapter", "POST /transfers", "check")
    assert found.differs


def test_what_one_suite_and_release_gave_on_one_side_only_is_missing() -> None:
    found = compare_results(kept(SOUND), kept(SOUND[1:]))
    assert classes(found)[check_id("pays", "c1")] == "missing"
    other_release = replace(kept(SOUND[1:]), release="v18.0.0")
    assert classes(compare_results(kept(SOUND), other_release))[check_id("pays", "c1")] == "removed"


def test_a_run_after_is_compared_as_the_judge_does() -> None:
    found = compare_results(kept((case("pays", P, P, P),)), ran(case("pays", P, F), case("gone", P, selected=False)))
    assert classes(found)[check_id("pays", "c2")] == "regressed"
    assert classes(found)[check_id("pays", "c3")] == "missing"
    row = found.table.set_index("check").loc[check_id("pays", "c2")]
    assert (row["after_runs"], row["after_failed"], row["message"]) == (1, 1, "c2 is failed")
    assert found.table.set_index("check").loc[check_id("pays", "c3"), "after_runs"] == 0


def test_a_run_before_is_one_run_of_its_checks() -> None:
    found = compare_results(ran(case("pays", P, F, H, S)), kept((case("pays", P, P, P, P),)))
    assert [*classes(found).values()] == ["unchanged-pass", "fixed", "new-pass", "new-pass"]
    assert found.table["before_runs"].tolist() == [1, 1, 1, 1]
    assert found.table["before_hollow"].tolist() == [0, 0, 1, 0]
    both = compare_results(ran(*SOUND), ran(*SOUND))
    assert set(classes(both).values()) == {"unchanged-pass"}
    assert not both.differs
    assert both.latency["p50_ratio"].tolist() == [1.0, 1.0]


def test_with_enough_runs_on_both_sides_rates_are_compared_and_their_interval_shown() -> None:
    before = kept(*[(case("pays", P, P),)] * 6)
    after = kept(*[(case("pays", P, F),)] * 4, *[(case("pays", P, P),)] * 2)
    found = compare_results(before, after)
    row = found.table.set_index("check").loc[check_id("pays", "c2")]
    assert row["class"] == "regressed"
    assert 0 < row["rise_low"] < 4 / 6 < row["rise_high"] < 1
    strict = compare_results(before, after, repeats=Repeats(runs_for_a_rate=7))
    assert classes(strict)[check_id("pays", "c2")] == "flaky"
    assert strict.table["rise_low"].isna().all()


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ((P,), (H,), ComparisonClass.HOLLOW),
        ((P,), (S,), ComparisonClass.UNKNOWN),
        ((P, F), (P, P, F), ComparisonClass.FLAKY),
        ((P, P, H), (P, H, H), ComparisonClass.HOLLOW),
    ],
)
def test_saying_less_or_otherwise_than_before_is_a_difference(
    before: tuple[Outcome, ...], after: tuple[Outcome, ...], kind: ComparisonClass
) -> None:
    one, other = (kept(*((case("pays", each),) for each in outcomes)) for outcomes in (before, after))
    found = compare_results(one, other)
    assert found.differs
    assert found.different(kind)["check"].tolist() == [check_id("pays", "c1")]
    assert not compare_results(other, other).differs


def test_a_moved_check_is_in_one_row_and_told() -> None:
    before = kept((case("pays", P, F, fingerprint="aa"), case("aborts", P, fingerprint="bb")), suite="6")
    after = kept((case("pays on", P, P, fingerprint="aa"), case("aborts", P, fingerprint="cc")), suite="7")
    found = compare_results(before, after)
    assert classes(found) == {
        check_id("aborts", "c1"): "unchanged-pass",
        check_id("pays on", "c1"): "unchanged-pass",
        check_id("pays on", "c2"): "fixed",
    }
    assert found.moved["moved_from"].tolist() == [check_id("pays", "c1"), check_id("pays", "c2")]
    assert found.table["definition_changed"].tolist() == [True, False, False]
    assert found.table["before_failed"].tolist() == [0, 0, 1]


def test_it_is_said_what_the_sides_cannot_say_and_where_they_are_not_alike() -> None:
    before = replace(kept(SOUND, suite="6"), components={"ml-api-adapter": "v16.5.0", "a": "1", "b": "2"})
    after = replace(kept(SOUND), release="v18.0.0", components={"ml-api-adapter": "16.5.0", "a": "2", "c": "3"})
    found = compare_results(before, after)
    assert found.components == {"a": ("1", "2"), "b": ("2", ""), "c": ("", "3")}
    notes = "\n".join(found.notes)
    assert "different releases: v17.1.0 and v18.0.0" in notes
    assert "made with different suites" in notes
    assert "after: One run says nothing about flakiness" in notes
    cut = run(SOUND).without(lambda record: isinstance(record, RunFinished))
    looked_at = compare_results(kept(SOUND), shown_by_run(cut.evidence(), "cut"))
    assert "after: It cannot speak for its release: it was cut off before its end" in looked_at.notes


# --- laws ------------------------------------------------------------------------------------------------------------

some = settings(max_examples=25, deadline=None)
names = st.sampled_from(["pays", "aborts", "a,b", 'q"uote', "x y", "x y#2"])
shapes = st.lists(
    st.builds(
        lambda name, results, mark: case(name, *results, fingerprint=mark),
        names,
        st.lists(st.sampled_from([P, F, H, S]), min_size=1, max_size=4),
        st.sampled_from(["aa", "bb", ""]),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda shape: shape.name,
).map(tuple)


@st.composite
def sides(draw: st.DrawFn, suite: str) -> Shown:
    """A baseline of one to seven runs of cases that ask the same each time."""
    first = draw(shapes)
    marks = {shape.name: shape.fingerprint for shape in first}
    runs = [first, *draw(st.lists(shapes, max_size=6))]
    return kept(
        *(tuple(replace(s, fingerprint=marks.setdefault(s.name, s.fingerprint)) for s in each) for each in runs),
        suite=suite,
    )


@some
@given(sides("6"))
def test_a_side_compared_with_itself_shows_no_difference(side: Shown) -> None:
    found = compare_results(side, side)
    changed = {"regressed", "fixed", "new-pass", "new-fail", "missing", "removed"}
    assert not changed & set(found.table["class"])
    assert not found.table["definition_changed"].any()
    assert found.moved.empty
    assert not found.differs
    assert set(found.table.loc[found.table["class"] == "flaky", "check"]) <= {
        row.check for row in side.results.itertuples() if row.passed and row.failed
    }


@some
@given(sides("6"), sides("7"))
def test_every_check_of_either_side_is_in_exactly_one_row_and_the_counts_add_up(before: Shown, after: Shown) -> None:
    found = compare_results(before, after)
    table = found.table
    assert table["check"].is_unique
    assert table["check"].tolist() == sorted(table["check"])
    assert sum(found.counts().values()) == len(table)
    assert not table["class"].isna().any()
    own = table["check"].where(table["moved_from"] == "", table["moved_from"])
    assert sorted(own[table["before_runs"] > 0]) == sorted(before.results["check"])
    assert sorted(table.loc[table["after_runs"] > 0, "check"]) == sorted(after.results["check"])
    for side, shown in (("before", before), ("after", after)):
        for name in ("runs", "passed", "failed", "hollow", "skipped"):
            assert int(table[f"{side}_{name}"].sum()) == int(shown.results[name].sum())


@some
@given(sides("6"), sides("7"), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(before: Shown, after: Shown, chance: random.Random) -> None:
    def shuffled(side: Shown) -> Shown:
        order = chance.sample(range(len(side.results)), len(side.results))
        return replace(side, results=side.results.take(order).reset_index(drop=True))

    pd.testing.assert_frame_equal(
        compare_results(before, after).table, compare_results(shuffled(before), shuffled(after)).table
    )


@some
@given(sides("6"), sides("7"))
def test_a_stated_renaming_of_cases_moves_checks_and_changes_nothing_else(before: Shown, after: Shown) -> None:
    cases = sorted({check.rsplit("::", 2)[0] for check in after.results["check"]})
    names_now = {name: f"new/{at}.py::case {at}" for at, name in enumerate(cases)}
    renamed = after.results.assign(
        check=["::".join((names_now[c.rsplit("::", 2)[0]], *c.split("::")[2:])) for c in after.results["check"]]
    )
    # only what is found by its name: what is found otherwise may be found elsewhere once the names are others
    marked = [side.results.assign(fingerprint="") for side in (before, after)]
    plain = compare_results(replace(before, results=marked[0]), replace(after, results=marked[1]))
    moved = compare_results(
        replace(before, results=marked[0], renames=Renames(names_now)),
        replace(after, results=renamed.assign(fingerprint="")),
    )
    back = {new: old for old, new in names_now.items()}

    def named_before(check: str) -> str:
        head = check.rsplit("::", 2)[0]
        return "::".join((back.get(head, head), *check.split("::")[2:]))

    told = moved.table.assign(check=moved.table["check"].map(named_before)).sort_values("check", ignore_index=True)
    same = [name for name in RESULTS_COLUMNS if name not in ("moved_from", "case", "step")]
    pd.testing.assert_frame_equal(told[same], plain.table[same])
    both = set(before.results["check"]) & set(after.results["check"])
    assert set(moved.moved["moved_from"]) == both

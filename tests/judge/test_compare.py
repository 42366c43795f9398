"""Every check is in exactly one class, and which one follows from the two sides alone."""

from __future__ import annotations

import random
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.judge.compare import COMPARISON_COLUMNS, Comparison, compare
from harness.judge.evidence import Evidence
from harness.judge.renames import Renames
from harness.model.outcome import ComparisonClass, Outcome
from harness.model.records import CaseFinished, CheckRecorded, PlanComplete, RunStarted
from tests.judge.build import SOUND, E, F, H, P, Run, S, Shape, baseline, case, check_id, run


def classes(comparison: Comparison) -> dict[str, str]:
    return dict(zip(comparison.table["check"], comparison.table["class"], strict=True))


def class_of(now: Outcome, *before: Outcome, now_means: str = "f00d") -> str:
    base = baseline(*((case("pays", P, one),) for one in before)) if before else baseline((case("pays", P),))
    compared = compare(run([case("pays", P, now, fingerprint=now_means)]).evidence(), base)
    return classes(compared)[check_id("pays", "c2")]


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ((P,), P, "unchanged-pass"),
        ((P, P), P, "unchanged-pass"),
        ((P, H), P, "unchanged-pass"),
        ((P,), F, "regressed"),
        ((P, S), F, "regressed"),
        ((F,), P, "fixed"),
        ((F,), F, "unchanged-fail"),
        ((F, H), F, "unchanged-fail"),
        ((P, F), P, "flaky"),
        ((P, F), F, "flaky"),
        ((H,), P, "new-pass"),
        ((S,), F, "new-fail"),
        ((S, H), P, "new-pass"),
        ((), P, "new-pass"),
        ((), F, "new-fail"),
        ((P,), H, "hollow"),
        ((H,), H, "hollow"),
        ((P, F), H, "hollow"),
        ((P,), E, "unknown"),
        ((P,), S, "unknown"),
        ((S,), S, "unknown"),
        ((F,), E, "unknown"),
    ],
)
def test_a_result_is_classed_by_what_the_baseline_showed(
    before: tuple[Outcome, ...], now: Outcome, expected: str
) -> None:
    assert class_of(now, *before) == expected


def test_mixed_outcomes_of_another_definition_say_nothing_of_this_one() -> None:
    assert class_of(F, P, F, now_means="beef") == "new-fail"
    assert class_of(P, P, F, now_means="beef") == "new-pass"


def test_a_changed_definition_is_told_beside_the_class() -> None:
    compared = compare(run([case("pays", P, F, fingerprint="beef")]).evidence(), baseline((case("pays", P, P),)))
    assert compared.table["class"].tolist() == ["unchanged-pass", "regressed"]
    assert compared.table["definition_changed"].tolist() == [True, True]


def test_a_case_gone_from_the_plan_is_removed() -> None:
    found = classes(compare(run(SOUND[1:]).evidence(), baseline()))
    assert found[check_id("pays", "c1")] == "removed"
    assert found[check_id("aborts", "c1")] == "unchanged-pass"


def test_without_a_closed_plan_nothing_is_said_to_be_removed() -> None:
    cut = run(SOUND[1:]).without(lambda record: isinstance(record, PlanComplete))
    assert classes(compare(cut.evidence(), baseline()))[check_id("pays", "c1")] == "missing"


def test_a_case_that_was_not_selected_is_unknown() -> None:
    found = classes(compare(run([case("pays", P, P, selected=False), *SOUND[1:]]).evidence(), baseline()))
    assert found[check_id("pays", "c1")] == found[check_id("pays", "c2")] == "unknown"


def test_an_expected_check_without_a_result_is_missing() -> None:
    compared = compare(run([case("pays", P), *SOUND[1:]]).evidence(), baseline())
    assert classes(compared)[check_id("pays", "c2")] == "missing"
    row = compared.table.set_index("check").loc[check_id("pays", "c2")]
    assert (row["component"], row["operation"], row["outcome"]) == ("ml-api-adapter", "POST /transfers", "")


def test_a_plan_that_names_its_checks_is_the_measure_of_what_is_missing_and_removed() -> None:
    ids = (check_id("pays", "c1"), check_id("pays", "c3"))
    found = classes(compare(run([case("pays", P, planned_checks=ids)]).evidence(), baseline((case("pays", P, P),))))
    assert found == {ids[0]: "unchanged-pass", check_id("pays", "c2"): "removed", ids[1]: "missing"}


def test_a_check_of_a_case_that_never_finished_is_missing() -> None:
    cut = run(SOUND).without(lambda r: isinstance(r, CaseFinished | CheckRecorded) and r.case == SOUND[0].case)
    assert classes(compare(cut.evidence(), baseline()))[check_id("pays", "c2")] == "missing"


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (Shape("new", {"send": {}}), "hollow"),
        (Shape("new", {}), "hollow"),
        (Shape("new", {"send": {"c1": P}}, outcome=H), "hollow"),
        (Shape("new", {}, outcome=E), "unknown"),
        (Shape("new", {"send": {"c1": P}}, outcome=E), "unknown"),
        (Shape("new", {}, outcome=S), "unknown"),
        (Shape("new", {}, outcome=F), "new-fail"),
        (Shape("new", {"send": {"c1": P}}, outcome=F), "new-fail"),
        (Shape("pays", {"send": {"c1": P, "c2": P}}, outcome=F), "regressed"),
    ],
)
def test_a_case_whose_fate_no_check_shows_has_a_row_of_its_own(shape: Shape, expected: str) -> None:
    compared = compare(run([*(s for s in SOUND if s.name != shape.name), shape]).evidence(), baseline())
    assert classes(compared)[shape.case] == expected
    assert compared.table.set_index("check").loc[shape.case, "kind"] == "case"


def test_a_new_case_that_never_finished_is_missing_by_its_own_name() -> None:
    new = case("new", P)
    cut = run([*SOUND, new]).without(lambda r: isinstance(r, CaseFinished | CheckRecorded) and r.case == new.case)
    assert classes(compare(cut.evidence(), baseline()))[new.case] == "missing"


def test_a_case_that_gave_all_its_checks_but_never_finished_is_missing() -> None:
    cut = run(SOUND).without(lambda r: isinstance(r, CaseFinished) and r.case == SOUND[0].case)
    assert classes(compare(cut.evidence(), baseline()))[SOUND[0].case] == "missing"


def test_without_a_baseline_everything_is_new() -> None:
    assert set(compare(run(SOUND).evidence(), None).table["class"]) == {"new-pass"}


# --- moved -----------------------------------------------------------------------------------------------------------


def of_another_suite(now: list[Shape]) -> Run:
    return run(now).changed(RunStarted, suite={"digest": "7" * 64, "pinned_digest": "7" * 64})


PAYS = case("pays", P, F, fingerprint="aaaa")
PAYS_ON = case("pays on", P, P, fingerprint="aaaa")


def test_a_check_of_a_renamed_case_is_moved_and_neither_removed_nor_new() -> None:
    compared = compare(of_another_suite([PAYS_ON, *SOUND[1:]]).evidence(), baseline((PAYS, *SOUND[1:])))
    table = compared.table.set_index("check")
    assert classes(compared)[check_id("pays on", "c1")] == "unchanged-pass"
    assert classes(compared)[check_id("pays on", "c2")] == "fixed"
    assert table.loc[check_id("pays on", "c2"), "moved_from"] == check_id("pays", "c2")
    assert table.loc[check_id("aborts", "c1"), "moved_from"] == ""
    assert check_id("pays", "c1") not in table.index
    assert compared.counts()["removed"] == compared.counts()["new-pass"] == 0


def test_in_one_and_the_same_suite_nothing_moves() -> None:
    compared = compare(run([PAYS_ON]).evidence(), baseline((PAYS,)))
    assert set(compared.table["moved_from"]) == {""}
    assert classes(compared)[check_id("pays", "c1")] == "removed"


def test_a_check_whose_own_case_never_finished_is_missing_and_not_found_elsewhere() -> None:
    cut = of_another_suite([PAYS, PAYS_ON]).without(
        lambda r: isinstance(r, CaseFinished | CheckRecorded) and r.case == PAYS.case
    )
    compared = compare(cut.evidence(), baseline((PAYS,)))
    assert classes(compared)[check_id("pays", "c1")] == "missing"
    assert set(compared.table["moved_from"]) == {""}


def test_a_stated_rename_whose_case_gave_no_result_is_missing_under_its_new_name() -> None:
    planned = tuple(check_id("pays on", f"c{n}") for n in (1, 2))
    silent = of_another_suite([case("pays on", planned_checks=planned)])
    renamed = replace(baseline((PAYS,)), renames=Renames({PAYS.case: PAYS_ON.case}))
    compared = compare(silent.evidence(), renamed)
    assert [classes(compared)[check] for check in planned] == ["missing", "missing"]
    row = compared.table.set_index("check").loc[planned[1]]
    assert (row["moved_from"], row["baseline_failed"], row["operation"]) == (
        check_id("pays", "c2"),
        1,
        "POST /transfers",
    )


# --- laws ------------------------------------------------------------------------------------------------------------

some = settings(max_examples=50, deadline=None)
outcomes = st.sampled_from(list(Outcome))
names = st.sampled_from(["pays", "aborts", "a,b", 'q"uote', "zażółć", "b::c".replace("::", ":\\c"), "x y"])
shapes = st.lists(
    st.builds(
        lambda name, results, selected: case(name, *results, selected=selected),
        names,
        st.lists(outcomes, min_size=0, max_size=4),
        st.sampled_from([True, True, True, False]),
    ),
    max_size=5,
    unique_by=lambda shape: shape.name,
)
no_errors = st.sampled_from([P, F, H, S])
recorded = st.lists(
    st.builds(lambda name, results: case(name, *results), names, st.lists(no_errors, min_size=1, max_size=4)),
    min_size=1,
    max_size=5,
    unique_by=lambda shape: shape.name,
)


def _same(one: Comparison, other: Comparison) -> None:
    pd.testing.assert_frame_equal(one.table, other.table)


@some
@given(recorded)
def test_a_run_compared_with_itself_shows_no_difference(both: list[Shape]) -> None:
    evidence = run(both).evidence()
    found = compare(evidence, baseline(both))
    changed = {"regressed", "fixed", "new-pass", "new-fail", "flaky", "missing", "removed"}
    assert not changed & set(found.table["class"])
    assert not found.table["definition_changed"].any()


@some
@given(shapes, st.lists(recorded, min_size=1, max_size=3))
def test_every_check_of_either_side_is_in_exactly_one_class(now: list[Shape], before: list[list[Shape]]) -> None:
    evidence, base = run(now).evidence(), baseline(*before)
    found = compare(evidence, base)
    union = set(evidence.checks["check"]) | set(base.results["check"])
    checks = found.table[found.table["kind"] == "check"]
    assert sorted(checks["check"]) == sorted(union)
    assert found.table["check"].is_unique
    assert not found.table["class"].isna().any()
    counts = found.counts()
    assert sum(counts.values()) == len(found.table)
    assert set(counts) == {each.value for each in ComparisonClass}
    assert tuple(found.table.columns) == COMPARISON_COLUMNS


@some
@given(shapes, recorded, st.randoms(use_true_random=False))
def test_the_order_of_either_side_does_not_matter(now: list[Shape], before: list[Shape], chance: random.Random) -> None:
    def shuffled(items: list[Shape]) -> list[Shape]:
        return chance.sample(items, len(items))

    _same(
        compare(run(now).evidence(), baseline(before)),
        compare(run(shuffled(now)).evidence(), baseline(shuffled(before))),
    )


@some
@given(shapes, recorded)
def test_a_selected_case_is_never_without_a_row(now: list[Shape], before: list[Shape]) -> None:
    evidence: Evidence = run(now).evidence()
    found = compare(evidence, baseline(before))
    assert {shape.case for shape in now if shape.selected} <= set(found.table["case"])


@some
@given(shapes, st.lists(recorded, min_size=1, max_size=3))
def test_across_suites_too_every_check_has_one_row_and_a_moved_one_no_other(
    now: list[Shape], before: list[list[Shape]]
) -> None:
    evidence, base = of_another_suite(now).evidence(), baseline(*before)
    table = compare(evidence, base).table
    checks = table[table["kind"] == "check"]
    moved = checks[checks["moved_from"] != ""]
    assert checks["check"].is_unique
    assert set(evidence.checks["check"]) <= set(checks["check"])
    assert moved["moved_from"].is_unique
    told = set(checks.loc[checks["baseline_runs"] > 0, "check"]) - set(moved["check"]) | set(moved["moved_from"])
    assert told == set(base.results["check"])


@some
@given(recorded)
def test_a_stated_renaming_of_cases_moves_the_checks_and_changes_nothing_else(both: list[Shape]) -> None:
    plain = compare(of_another_suite(both).evidence(), baseline(both)).table
    renamed = [replace(shape, name=f"{shape.name} anew") for shape in both]
    table = Renames({shape.case: new.case for shape, new in zip(both, renamed, strict=True)})
    moved = compare(of_another_suite(renamed).evidence(), replace(baseline(both), renames=table)).table
    assert set(moved["moved_from"]) == set(plain["check"])
    back = moved.assign(check=moved["moved_from"]).sort_values("check", ignore_index=True)
    same = [name for name in COMPARISON_COLUMNS if name not in ("moved_from", "case", "step")]
    pd.testing.assert_frame_equal(back[same], plain[same])


def test_a_schemes_own_check_is_none_of_the_suites_that_moved() -> None:
    before = replace(baseline((case("pays", P, P, fingerprint="aaaa"),)), suite_digest="6" * 64)
    for feature, expected in (("moved", "unchanged-pass"), ("own", "new-pass")):
        shape = case("pays", P, P, fingerprint="aaaa", feature=feature)
        prefix = "scheme_rules/example/suites/mojaloop" if feature == "own" else "transfers"

        def named(text: str, prefix: str = prefix) -> str:
            return text.replace("transfers/test_", f"{prefix}/test_")

        what = run([shape]).each(
            lambda record: replace(
                record,
                **{key: named(getattr(record, key)) for key in ("case", "step", "check") if hasattr(record, key)},
            )
        )
        found = classes(compare(what.evidence(), before))
        assert {name for check, name in found.items() if f"{feature}.py" in check} == {expected}, found

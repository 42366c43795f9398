"""A check keeps its history when its case, file or number changes, and gets no other check's history."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.judge.matching import match
from harness.judge.renames import NO_RENAMES, Renames
from harness.suite.ttk.folder import load_folder
from tests.judge import official_draw
from tests.judge.official_sample import MOVED, NEW, REMOVED
from tests.suite.ttk.support import OSS

Side = Mapping[str, str]
"""Fingerprint by check id."""


def moves(before: Side, after: Side, *, renames: Renames = NO_RENAMES, expected: Sequence[str] = ()) -> dict[str, str]:
    """Returns the id after by the id before, of every check that was found."""

    def texts(values: Sequence[str]) -> np.ndarray:  # type: ignore[type-arg]
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array

    found = match(
        texts([*before]),
        texts([*before.values()]),
        texts([*after]),
        texts([*after.values()]),
        renames=renames,
        expected=expected,
    )
    names = [*after]
    told = {old: str(name) for old, at, name in zip(before, found.at, found.name, strict=True) if at >= 0}
    assert told == {old: names[at] for old, at in zip(before, found.at, strict=True) if at >= 0}
    return told


def of(case: str, *checks: str, path: str = "a/x.json") -> dict[str, str]:
    """Checks ``step::label=mark`` of one case."""
    return {f"{path}::{case}::{one.partition('=')[0]}": one.partition("=")[2] for one in checks}


PAY = ("send::is accepted=1", "send::names the payer=2", "read::is committed=3")


def ids(case: str, path: str = "a/x.json") -> list[str]:
    return [f"{path}::{case}::{one.partition('=')[0]}" for one in PAY]


@pytest.mark.parametrize(
    ("case", "path"),
    [("Pays twice", "a/x.json"), ("Pays", "b/x.json"), ("Pays", "a/y.json"), ("Pays twice", "c/d/y.json")],
)
def test_a_renamed_case_or_file_takes_its_checks_along(case: str, path: str) -> None:
    assert moves(of("Pays", *PAY), of(case, *PAY, path=path)) == dict(zip(ids("Pays"), ids(case, path), strict=True))


def test_a_check_whose_case_moved_keeps_its_place_though_it_asks_something_else() -> None:
    changed = ("send::is accepted=1", "send::names the payer=9", "read::is committed=3")
    assert moves(of("Pays", *PAY), of("Pays twice", *changed)) == dict(zip(ids("Pays"), ids("Pays twice"), strict=True))


def test_two_cases_that_could_be_the_one_are_not_chosen_between() -> None:
    assert moves(of("Pays", *PAY), of("Pays A", *PAY) | of("Pays B", *PAY)) == {}
    assert moves(of("Pays A", *PAY) | of("Pays B", *PAY), of("Pays", *PAY)) == {}


def test_a_single_check_does_not_move_into_a_case_that_is_mostly_another() -> None:
    other = of("Refunds", "send::is accepted=1", "send::names the payee=7", "read::is returned=8")
    assert moves(of("Pays", *PAY), other) == {}


def test_a_small_new_case_does_not_take_a_check_of_a_large_one_that_went() -> None:
    assert moves(of("Pays", *PAY), of("Refunds", "send::is accepted=1")) == {}
    assert moves(of("Refunds", "send::is accepted=1"), of("Pays", *PAY)) == {}


def test_one_large_case_split_in_two_is_found_in_both() -> None:
    whole = of("Provisions", *(f"add {n}::is created={n}" for n in range(6)))
    parts = of("Accounts", *(f"add {n}::is created={n}" for n in range(3))) | of(
        "Endpoints", *(f"add {n}::is created={n}" for n in range(3, 6))
    )
    assert set(moves(whole, parts).values()) == set(parts)


def test_the_number_of_a_repeated_step_is_no_part_of_what_it_asks() -> None:
    before = of("Pays", "send::status=1", "read#2::state=2", "read#3::amount=3")
    after = of("Pays", "send::status=1", "read::state=2", "read#2::amount=3")
    assert moves(before, after) == {
        "a/x.json::Pays::send::status": "a/x.json::Pays::send::status",
        "a/x.json::Pays::read#2::state": "a/x.json::Pays::read::state",
        "a/x.json::Pays::read#3::amount": "a/x.json::Pays::read#2::amount",
    }


def test_an_id_that_both_sides_have_is_never_left_for_a_removed_check() -> None:
    before = of("Pays", "send::status=1", "send::status#2=2")
    assert moves(before, of("Pays", "send::status=2")) == {
        "a/x.json::Pays::send::status": "a/x.json::Pays::send::status"
    }
    assert moves(of("Pays", "send::status=2"), before) == {
        "a/x.json::Pays::send::status": "a/x.json::Pays::send::status"
    }


def test_repeated_labels_go_by_what_they_ask_and_not_by_their_number() -> None:
    before = of("Pays", "send::status=1", "send::status#2=2")
    after = of("Pays", "send::status=2", "send::status#2=1")
    assert moves(before, after) == {
        "a/x.json::Pays::send::status": "a/x.json::Pays::send::status#2",
        "a/x.json::Pays::send::status#2": "a/x.json::Pays::send::status",
    }


def test_the_same_name_with_another_question_stays_where_it_is() -> None:
    before = of("Pays", "send::status=1")
    after = of("Pays", "send::status=2") | of("Aborts", "send::status=1")
    assert moves(before, after) == {"a/x.json::Pays::send::status": "a/x.json::Pays::send::status"}


def test_a_reworded_description_is_known_by_its_question_in_its_own_step_only() -> None:
    before = of("Pays", "send::is accepted=1", "send::other=5")
    assert moves(before, of("Pays", "send::status is 202=1", "send::other=5"))["a/x.json::Pays::send::is accepted"] == (
        "a/x.json::Pays::send::status is 202"
    )
    assert "a/x.json::Pays::send::is accepted" not in moves(
        before, of("Pays", "send::other=5") | of("Aborts", "send::status is 202=1")
    )


def test_what_a_check_asks_must_be_known_for_it_to_be_found_elsewhere() -> None:
    unmarked = [one.partition("=")[0] + "=" for one in PAY]
    assert moves(of("Pays", *unmarked), of("Pays twice", *unmarked)) == {}
    assert moves(of("Pays", *unmarked), of("Pays", *PAY)) == dict(zip(ids("Pays"), ids("Pays"), strict=True))


def test_a_check_that_is_expected_under_its_name_is_not_sought_elsewhere() -> None:
    assert moves(of("Pays", *PAY), of("Pays twice", *PAY), expected=ids("Pays")) == {}


def test_the_rename_table_decides_what_the_checks_cannot() -> None:
    twins = of("Pays A", *PAY) | of("Pays B", *PAY)
    table = Renames({"a/x.json::Pays": "a/x.json::Pays B"})
    assert moves(of("Pays", *PAY), twins, renames=table) == dict(zip(ids("Pays"), ids("Pays B"), strict=True))
    # and the other way, where the newer side is the one compared with
    assert moves(of("Pays B", *PAY), of("Pays", *PAY), renames=table) == dict(
        zip(ids("Pays B"), ids("Pays"), strict=True)
    )


def test_the_rename_table_holds_though_the_check_asks_something_else_now() -> None:
    table = Renames({"a/x.json::Pays": "b/y.json::Sends"})
    changed = of("Sends", *(one.replace("=", "=9") for one in PAY), path="b/y.json")
    assert moves(of("Pays", *PAY), changed, renames=table) == dict(
        zip(ids("Pays"), ids("Sends", "b/y.json"), strict=True)
    )


def test_the_rename_table_moves_nothing_that_is_there_under_its_own_name() -> None:
    table = Renames({"a/x.json::Pays": "a/x.json::Pays B"})
    both = of("Pays", *PAY) | of("Pays B", *PAY)
    assert moves(of("Pays", *PAY), both, renames=table) == {check: check for check in ids("Pays")}
    assert moves(both, of("Pays B", *PAY), renames=table) == {check: check for check in ids("Pays B")}


def test_a_renamed_check_that_gave_no_result_is_expected_under_its_new_name() -> None:
    names = np.array(ids("Pays"), dtype=object)
    marks = np.array(["1", "2", "3"], dtype=object)
    nothing = np.array([], dtype=object)
    table = Renames({"a/x.json": "b/y.json"})
    expected = ids("Pays", "b/y.json")
    found = match(names, marks, nothing, nothing, renames=table, expected=expected)
    assert found.at.tolist() == [-1, -1, -1]
    assert found.name.tolist() == expected


# --- laws ------------------------------------------------------------------------------------------------------------

some = settings(max_examples=150, deadline=None)
segment = st.sampled_from(["a", "b", "a#2", "b#2", "c"])
sides = st.dictionaries(
    st.tuples(st.sampled_from(["p/x", "q/x", "p/y"]), segment, segment, segment).map("::".join),
    st.sampled_from(["", "1", "2", "3"]),
    max_size=14,
)


@some
@given(sides)
def test_a_side_is_itself(side: Side) -> None:
    assert moves(side, side) == {check: check for check in side}


@some
@given(sides, sides, st.randoms(use_true_random=False))
def test_no_check_is_two_and_the_order_and_the_direction_do_not_matter(
    before: Side, after: Side, chance: random.Random
) -> None:
    def shuffled(side: Side) -> Side:
        return dict(chance.sample([*side.items()], len(side)))

    found = moves(before, after)
    assert len(set(found.values())) == len(found)
    shared = before.keys() & after.keys()
    assert shared <= found.keys()
    assert shared <= set(found.values())
    assert moves(shuffled(before), shuffled(after)) == found
    assert moves(after, before) == {new: old for old, new in found.items()}


@some
@given(sides, st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f"]), unique=True, min_size=6, max_size=6))
def test_a_renaming_of_cases_that_the_table_states_moves_everything_and_changes_nothing_else(
    side: Side, names: list[str]
) -> None:
    cases = sorted({check.rsplit("::", 2)[0] for check in side})
    table = {case: f"z/{at}::{names[at % 6]}" for at, case in enumerate(cases)}
    expected = {check: "::".join((table[check.rsplit("::", 2)[0]], *check.split("::")[2:])) for check in side}
    after = {expected[check]: mark for check, mark in side.items()}
    assert moves(side, after, renames=Renames(table)) == expected


@some
@given(sides, st.data())
def test_a_renaming_of_cases_that_ask_different_things_needs_no_table(side: Side, data: st.DataObject) -> None:
    marked = {check: f"m{at}" for at, check in enumerate(side)}
    new_case = {case: f"z/{at}::new {at}" for at, case in enumerate({check.rsplit("::", 2)[0] for check in side})}
    renamed = data.draw(st.sets(st.sampled_from(sorted(new_case)))) if new_case else set()
    assume(renamed)
    expected = {
        check: "::".join((new_case[case], *check.split("::")[2:])) if case in renamed else check
        for check in marked
        for case in [check.rsplit("::", 2)[0]]
    }
    assert moves(marked, {expected[check]: mark for check, mark in marked.items()}) == expected


# --- the official suites ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def official() -> tuple[Side, Side]:
    roots = [OSS / release / "collections" for release in ("v15.1.0", "v17.1.0")]
    if not all(root.is_dir() for root in roots):
        pytest.skip(f"{OSS} is not here: the official collections are read from beside the project")
    one, other = (
        {
            str(check.check): check.fingerprint
            for case in load_folder(root).cases
            for request in case.requests
            for check in request.assertions
        }
        for root in roots
    )
    return one, other


def test_between_official_releases_nearly_all_that_both_hold_is_found(official: tuple[Side, Side]) -> None:
    before, after = official
    found = moves(before, after)

    def asked(side: Side) -> Counter[tuple[str, str]]:
        return Counter((check.rsplit("::", 1)[1].partition("#")[0], mark) for check, mark in side.items())

    both = sum((asked(before) & asked(after)).values())
    kept = sum(before[old] == after[new] for old, new in found.items())
    assert both > 2400
    assert kept >= 0.95 * both
    assert len(before) - len(found) < 400


def test_a_sample_checked_by_hand_agrees(official: tuple[Side, Side]) -> None:
    before, after = official
    found = moves(before, after)
    assert len(MOVED) + len(REMOVED) + len(NEW) == 50
    assert {*MOVED, *REMOVED} <= set(before)
    assert {*MOVED.values(), *NEW} <= set(after)
    assert {old: found.get(old) for old in MOVED} == MOVED
    assert not set(REMOVED) & set(found)
    assert not set(NEW) & set(found.values())


def test_a_random_draw_followed_by_reading_both_collections_agrees(official: tuple[Side, Side]) -> None:
    before, after = official

    def digest(check: str) -> str:
        return hashlib.sha256(check.encode()).hexdigest()[:12]

    drawn = random.Random(official_draw.SEED).sample(sorted(before), 50)
    assert {digest(check) for check in drawn} == official_draw.FOUND.keys() | official_draw.REMOVED
    found = moves(before, after)
    told = {digest(check): digest(found[check]) for check in drawn if check in found}
    assert told == official_draw.FOUND

"""When is a regression opened and closed, what is flaky, what does a night that does not count change? Nothing."""

from __future__ import annotations

from dataclasses import fields, replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from harness.errors import UsageError
from harness.history.course import Course
from harness.history.nights import ABSENT, PASSED, Nights
from harness.history.rules import CLEAN_NIGHTS, HistoryRules
from harness.history.statistics import Told, rates, tell
from tests.history.nights import matrix


def episodes(nights: Nights) -> list[tuple[int, int, int, int | None]]:
    return [(each.check, each.since, each.opened, each.closed) for each in tell(nights).episodes]


def changes(nights: Nights, kind: str) -> list[int]:
    return [change.night for change in tell(nights).changes if change.kind == kind]


def test_before_fourteen_nights_the_first_failure_opens_and_three_clean_nights_close() -> None:
    nights = matrix("ppffpppp")
    assert episodes(nights) == [(0, 2, 2, 6)]
    (told,) = tell(nights).episodes
    assert (told.exact, told.reference, told.reference_passed, told.reference_told) == (True, "the baseline", 3, 3)
    assert episodes(matrix("ppffpp")) == [(0, 2, 2, None)]
    assert changes(nights, "closed") == [6]


def test_from_fourteen_nights_on_fishers_test_decides() -> None:
    nights = matrix("p" * 14 + "fff")
    assert episodes(nights) == [(0, 14, 16, None)]
    (told,) = tell(nights).episodes
    expected = fisher_exact([[3, 0], [0, 14]], alternative="greater").pvalue
    assert told.chance == pytest.approx(expected)
    assert (told.exact, told.failed, told.told, told.reference) == (False, 3, 3, "the nights of v17.1.0 before")
    # A failure that is none (yet) is told at once.
    assert changes(nights, "failing") == [14]
    assert episodes(matrix("p" * 14 + "ffp")) == []
    assert changes(matrix("p" * 14 + "ffp"), "flaky") == [16]


def test_many_failures_that_are_not_in_a_row_are_a_regression_too() -> None:
    nights = matrix("p" * 24 + "fpfpfpf")
    assert [each.opened for each in tell(nights).episodes] == [30]
    (told,) = tell(nights).episodes
    assert (told.since, told.failed, told.told) == (24, 4, 14)


def test_the_best_of_the_earlier_releases_is_the_reference_where_it_did_better() -> None:
    releases = ["v17.0.0"] * 14 + ["v17.1.0"] * 17
    slow = matrix("p" * 14 + "p" * 14 + "fff", releases=releases, baseline=(2, 2))
    (told,) = tell(slow).episodes
    assert (told.reference, told.reference_passed) == ("v17.0.0", 14)
    unknown = matrix("p" * 14 + "f", releases=releases[:15], baseline=(0, 0))
    (told,) = tell(unknown).episodes
    assert (told.reference, told.exact, told.opened) == ("v17.0.0", True, 14)
    # Too few nights of another release do not push a baseline aside.
    few = matrix("ppf", releases=["v17.0.0", "v17.0.0", "v17.1.0"])
    assert tell(few).episodes[0].reference == "the baseline"
    # Nor does a later release speak for an earlier one.
    back = matrix("pppppppf", releases=["v17.1.0"] * 7 + ["v17.0.0"], baseline=(0, 0))
    assert tell(back).episodes == ()


def test_what_failed_before_as_well_is_no_regression_and_is_told_when_it_is_fixed() -> None:
    nights = matrix("fffppp", baseline=(0, 3))
    assert episodes(nights) == []
    assert changes(nights, "failing") == []
    assert changes(nights, "recovered") == [5]
    assert changes(matrix("fff", baseline=(0, 0)), "failing") == [0]


def test_missing_counts_as_failed_and_blind_never_as_passed() -> None:
    assert episodes(matrix("pppbbb")) == []
    counts = rates(matrix("pppbbb"))
    assert (counts.pass_rate[0], int(counts.blind[0])) == (0.5, 3)
    # A night that says nothing is not a clean one.
    assert episodes(matrix("pfppbpp")) == [(0, 1, 1, None)]
    assert episodes(matrix("pfppbppp")) == [(0, 1, 1, 7)]


def test_a_flaky_check_is_told_once_and_never_forgotten() -> None:
    nights = matrix("p" * 15 + "fp" + "p" * 200 + "fp")
    told = tell(nights)
    assert changes(nights, "flaky") == [16]
    assert (int(told.flaky_since[0]), int(told.flakes[0]), int(told.last_flake[0])) == (16, 2, 217)
    assert told.open == ()
    # Also where its first failure was taken for a regression, as it is with few nights.
    early = tell(matrix("ppfpfppp"))
    assert (int(early.flaky_since[0]), early.episodes[0].flaky, early.episodes[0].closed) == (4, True, 7)
    again = matrix("ppfpppfp")
    assert len(tell(again).episodes) == 1
    assert changes(again, "flaky") == [7]


def test_failures_of_a_closed_regression_do_not_open_the_next() -> None:
    nights = matrix("p" * 20 + "ffffff" + "ppp" + "f")
    assert [(each.opened, each.closed) for each in tell(nights).episodes] == [(22, 28)]


def test_a_check_that_asks_something_else_begins_anew() -> None:
    nights = matrix("p" * 14 + "fff", baseline=(0, 0))
    asked = nights.asked.copy()
    asked[0, 14:] = 1
    fresh = replace(nights, asked=asked)
    assert episodes(nights) == [(0, 14, 16, None)]
    assert episodes(fresh) == []


def test_nights_that_do_not_count_change_nothing_but_are_there() -> None:
    with_outage = matrix("ppfpp", excluded=[2])
    told = tell(with_outage)
    assert told.episodes == ()
    assert told.changes == ()
    assert int(rates(with_outage).passed[0]) == 4
    assert (int(told.first_seen[0]), int(told.last_seen[0]), int(told.last_change[0])) == (0, 4, -1)


def test_senseless_rules_are_refused() -> None:
    for senseless in ({"clean_nights": 0}, {"nights_for_a_rate": 3}):
        with pytest.raises(UsageError):
            HistoryRules(**senseless)


SHOWN = st.integers(1, 4).flatmap(
    lambda checks: st.integers(1, 40).flatmap(
        lambda width: st.lists(st.text("ppppffb ", min_size=width, max_size=width), min_size=checks, max_size=checks)
    )
)


def nights_of_seed(seed: int) -> Nights:
    """Nights of some checks with quiet stretches, excluded nights, several releases, changed questions, baselines."""
    random = Random(seed)
    width, count = random.randint(1, 90), random.choice([1, 1, 2, 5])

    def line() -> str:
        text = ""
        while len(text) < width:
            text += "p" * random.randint(0, 25)
            kind = random.choice(["f", "pf", "pf", "ppf", "pppppf", "ppppffb ", "pppp ", "pb"])
            text += "".join(random.choice(kind) for _ in range(random.randint(1, 12)))
        return text[:width]

    releases = sorted(random.choice(["v17.0.0", "v17.1.0", "odd"]) for _ in range(width))
    releases = random.choice([releases, ["v17.1.0"] * width])
    at = random.randint(0, width)
    nights = matrix(
        *(line() for _ in range(count)),
        excluded=[random.randrange(width) for _ in range(random.randint(0, 4))],
        releases=[*releases[at:], *releases[:at]],
    )
    shape = (count, width)
    changes = np.array([[random.random() < 0.02 for _ in range(width)] for _ in range(count)])
    asked = np.where([[random.random() < 0.1 for _ in range(width)] for _ in range(count)], -1, changes.cumsum(axis=1))
    baseline = np.array([random.choice([(3, 0), (0, 0), (0, 3), (2, 1), (20, 0)]) for _ in range(count)])
    return replace(
        nights,
        asked=asked.astype(np.int32),
        baseline_passed=np.broadcast_to(baseline[:, :1], shape).astype(np.int32),
        baseline_failed=np.broadcast_to(baseline[:, 1:], shape).astype(np.int32),
        baseline_asks_same=np.array([[random.random() < 0.9 for _ in range(width)] for _ in range(count)]),
    )


def plainly(nights: Nights, rules: HistoryRules) -> Told:
    """What is told where every night of every check is taken in, one after the other."""
    course = Course.of(nights, rules)
    last_change, showed = [-1] * len(nights.checks), [ABSENT] * len(nights.checks)
    for number in np.flatnonzero(nights.counted).tolist():
        course.night(number)
        for row, now in enumerate(nights.showed[:, number].tolist()):
            if now != ABSENT:
                last_change[row] = number if showed[row] not in (ABSENT, now) else last_change[row]
                showed[row] = now
    there = [np.flatnonzero(row != ABSENT).tolist() or [-1] for row in nights.showed]
    return Told(
        changes=tuple(course.changes),
        episodes=tuple(sorted(course.episodes, key=lambda each: (each.opened, each.check))),
        flaky_since=course.flaky_since,
        flakes=course.flakes,
        last_flake=course.last_flake,
        failing_since=np.where(course.streak > 0, course.streak_from, -1),
        first_seen=np.array([each[0] for each in there]),
        last_seen=np.array([each[-1] for each in there]),
        last_change=np.array(last_change),
    )


@given(
    st.integers(0, 2**32).map(nights_of_seed),
    st.sampled_from([HistoryRules(), HistoryRules(nights_for_a_rate=6, clean_nights=2)]),
)
@settings(max_examples=200, deadline=None)
def test_passing_over_what_changes_nothing_changes_nothing(nights: Nights, rules: HistoryRules) -> None:
    fast, plain = tell(nights, rules), plainly(nights, rules)
    for each in fields(Told):
        mine, other = getattr(fast, each.name), getattr(plain, each.name)
        assert mine == other if isinstance(mine, tuple) else mine.tolist() == other.tolist(), each.name


def test_quiet_nights_are_passed_over_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    night = Course.night
    monkeypatch.setattr(Course, "night", lambda self, number: (taken.append(number), night(self, number)))
    told = tell(matrix("p" * 100 + "fff" + "p" * 50, "p" * 153))
    assert [(each.opened, each.closed) for each in told.episodes] == [(102, 105)]
    assert told.episodes[0].reference_told == 100
    # From the first failure until it is closed; the check that never failed is not followed at all.
    assert taken == list(range(100, 106))


@given(SHOWN, st.data())
@settings(max_examples=40, deadline=None)
def test_an_excluded_night_changes_no_rate_and_no_regression(shown: list[str], data: st.DataObject) -> None:
    width = len(shown[0])
    at = data.draw(st.integers(0, width))
    bad = data.draw(st.text("pf ", min_size=len(shown), max_size=len(shown)))
    with_bad = matrix(*(text[:at] + bad[row] + text[at:] for row, text in enumerate(shown)), excluded=[at])
    without = matrix(*shown)
    for mine, other in zip(tell(with_bad).episodes, tell(without).episodes, strict=True):
        assert (mine.check, mine.failed, mine.told, mine.chance) == (
            other.check,
            other.failed,
            other.told,
            other.chance,
        )
    for name in ("passed", "failed", "blind", "absent"):
        assert (getattr(rates(with_bad), name) == getattr(rates(without), name)).all()


@given(SHOWN)
@settings(max_examples=40, deadline=None)
def test_a_clean_night_opens_nothing_and_counts_add_up(shown: list[str]) -> None:
    before, after = matrix(*shown), matrix(*(text + "p" for text in shown))
    assert len(tell(after).episodes) == len(tell(before).episodes)
    assert len(tell(after).open) <= len(tell(before).open)
    counts = rates(before)
    total = counts.passed + counts.failed + counts.blind + counts.absent
    assert (total == len(shown[0])).all()
    assert ((counts.low <= counts.high) & (counts.low >= 0) & (counts.high <= 1)).all()
    assert (counts.expected == (before.showed != ABSENT).sum(axis=1)).all()


@given(SHOWN, st.integers(1, 6))
@settings(max_examples=40, deadline=None)
def test_closing_takes_exactly_so_many_clean_nights(shown: list[str], clean: int) -> None:
    rules = HistoryRules(clean_nights=clean)
    for more in range(clean + 1):
        nights = matrix(*(text + "f" + "p" * more for text in shown))
        for episode in tell(nights, rules).episodes:
            tail = nights.showed[episode.check, -more:] if more else np.array([])
            assert (episode.closed is None) or episode.closed < len(shown[0]) or (len(tail) == clean)
        if more == clean:
            assert tell(nights, rules).open == ()
    for episode in tell(matrix(*shown), rules).episodes:
        if episode.closed is not None:
            row = matrix(*shown).showed[episode.check, : episode.closed + 1]
            told = row[row != ABSENT]
            assert (told[-clean:] == PASSED).all()
            assert len(told) == clean or told[-clean - 1] != PASSED


def test_the_default_is_the_documented_one() -> None:
    assert CLEAN_NIGHTS == 3

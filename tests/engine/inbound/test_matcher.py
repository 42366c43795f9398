"""Every call has exactly one fate, whatever the order in which exchanges wait, calls come and time passes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.engine.inbound.matcher import Expectation, Matcher, MatcherLimits
from harness.engine.inbound.messages import Inbound, InboundNote
from tests.engine.inbound.support import call, traceparent

SUCCESS, ERROR = ("PUT", "/transfers/1"), ("PUT", "/transfers/1/error")
ONE, OTHER = "1" * 32, "2" * 32


def expectation(
    name: str = "e", *routes: tuple[str, str], fsp: str = "payerfsp", trace: str | None = None
) -> Expectation:
    return Expectation(name, fsp, routes or (SUCCESS, ERROR), f"case of {name}", f"step of {name}", trace)


def arrival(
    mark: str = "1", route: tuple[str, str] = SUCCESS, fsp: str = "payerfsp", trace: str | None = None
) -> Inbound:
    return call(*route, fsp=fsp, mark=mark, body={"mark": mark}, headers=traceparent(trace) if trace else None)


def kinds(notes: tuple[InboundNote, ...]) -> list[tuple[str, str | None]]:
    return [(note.kind, note.case) for note in notes]


def test_the_first_call_on_any_route_fills_the_expectation() -> None:
    matcher = Matcher()
    matcher.expect(expectation(), 0)
    assert not matcher.is_filled("e")
    assert matcher.arrive(arrival(route=ERROR), 1).filled == "e"
    assert matcher.is_filled("e")
    taken = matcher.close("e", 1)
    assert taken is not None
    assert taken.path == "/transfers/1/error"


def test_a_kept_call_of_another_exchange_is_left_for_that_one() -> None:
    matcher = Matcher()
    matcher.arrive(arrival(trace=OTHER), 0)
    assert matcher.expect(expectation("asks", trace=ONE), 1) == ()
    assert not matcher.is_filled("asks")
    matcher.expect(expectation("caused", trace=OTHER), 2)
    assert matcher.is_filled("caused")


@pytest.mark.parametrize("closed_first", [True, False])
def test_a_second_call_is_a_duplicate_of_its_case(closed_first: bool) -> None:
    matcher = Matcher()
    matcher.expect(expectation(), 0)
    matcher.arrive(arrival(), 1)
    if closed_first:
        matcher.close("e", 1)
    assert kinds(matcher.arrive(arrival("2"), 2).notes) == [("duplicate", "case of e")]


def test_a_call_after_the_time_out_is_late_and_the_next_one_a_duplicate() -> None:
    matcher = Matcher()
    matcher.expect(expectation(), 0)
    assert matcher.close("e", 5) is None
    assert kinds(matcher.arrive(arrival("1"), 6).notes) == [("late", "case of e")]
    assert kinds(matcher.arrive(arrival("2"), 7).notes) == [("duplicate", "case of e")]


def test_a_call_before_its_expectation_is_kept_and_marked_early() -> None:
    matcher = Matcher()
    assert matcher.arrive(arrival(), 0).notes == ()
    assert kinds(matcher.expect(expectation(), 1)) == [("early", "case of e")]
    assert matcher.close("e", 1) is not None
    assert matcher.finish() == ()


def test_a_kept_call_that_nobody_claims_becomes_unexpected() -> None:
    matcher = Matcher(MatcherLimits(keep_s=30))
    matcher.arrive(arrival(), 0)
    assert matcher.expire(30) == ()
    assert kinds(matcher.expire(30.1)) == [("unexpected", None)]
    matcher.arrive(arrival(), 31)
    assert kinds(matcher.finish()) == [("unexpected", None)]


def test_after_a_cancel_a_call_is_unexpected_whether_it_has_come_or_comes_later() -> None:
    matcher = Matcher()
    matcher.expect(expectation(), 0)
    matcher.arrive(arrival(), 1)
    assert kinds(matcher.cancel("e", 2)) == [("unexpected", "case of e")]
    assert kinds(matcher.arrive(arrival("2"), 3).notes) == [("unexpected", "case of e")]
    assert matcher.cancel("e", 4) == ()


def test_equal_expectations_are_served_in_order() -> None:
    matcher = Matcher()
    for name in ("a", "b"):
        matcher.expect(expectation(name), 0)
    assert [matcher.arrive(arrival(str(n)), 1).filled for n in (1, 2)] == ["a", "b"]


def test_the_trace_id_is_stronger_than_the_order() -> None:
    matcher = Matcher()
    matcher.expect(expectation("a", trace=ONE), 0)
    matcher.expect(expectation("b", trace=OTHER), 0)
    assert matcher.arrive(arrival(trace=OTHER), 1).filled == "b"
    assert matcher.arrive(arrival(trace=ONE), 1).filled == "a"


def test_the_duplicate_of_one_exchange_is_not_taken_for_the_callback_of_another() -> None:
    matcher = Matcher()
    matcher.expect(expectation("a", trace=ONE), 0)
    matcher.expect(expectation("b", trace=OTHER), 0)
    matcher.arrive(arrival("1", trace=ONE), 1)
    second = matcher.arrive(arrival("2", trace=ONE), 1)
    assert (second.filled, kinds(second.notes)) == (None, [("duplicate", "case of a")])
    assert not matcher.is_filled("b")


def test_a_hub_that_starts_a_trace_of_its_own_is_served_in_order() -> None:
    matcher = Matcher()
    matcher.expect(expectation("a", trace=ONE), 0)
    assert matcher.arrive(arrival(trace="3" * 32), 1).filled == "a"


def test_a_call_for_another_dfsp_fills_nothing() -> None:
    matcher = Matcher()
    matcher.expect(expectation(fsp="payerfsp"), 0)
    assert matcher.arrive(arrival(fsp="payeefsp"), 1).filled is None
    assert matcher.arrive(arrival(fsp=""), 1).filled == "e", "a call that names no DFSP is matched by route alone"


def test_a_call_taken_by_a_simulated_dfsp_fills_an_expectation_but_is_never_noted() -> None:
    matcher = Matcher()
    matcher.expect(expectation("e", ("POST", "/transfers")), 0)
    assert matcher.offer(arrival("1", ("POST", "/transfers")), 1).filled == "e"
    assert matcher.offer(arrival("2", ("POST", "/transfers")), 1).notes == ()
    matcher.close("e", 1)
    assert matcher.finish() == ()


def test_what_was_ended_or_given_up_is_not_open() -> None:
    matcher = Matcher(MatcherLimits(open_s=10))
    matcher.expect(expectation("a"), 0)
    matcher.arrive(arrival(), 0)
    assert kinds(matcher.expire(11)) == [("unexpected", "case of a")]
    for use in (matcher.is_filled, lambda name: matcher.close(name, 12)):
        with pytest.raises(KeyError):
            use("a")


routes = st.sampled_from([SUCCESS, ERROR, ("PATCH", "/transfers/1")])
fsps = st.sampled_from(["a", "b"])
traces = st.sampled_from([None, ONE, OTHER])
operations = st.lists(
    st.one_of(
        st.tuples(st.just("expect"), st.lists(routes, min_size=1, max_size=2), fsps, traces),
        st.tuples(st.just("arrive"), routes, st.sampled_from(["a", "b", ""]), traces),
        st.tuples(st.just("close"), st.integers(0, 9)),
        st.tuples(st.just("cancel"), st.integers(0, 9)),
        st.tuples(st.just("pass"), st.sampled_from([0.5, 4.0, 11.0])),
    ),
    max_size=60,
)
small = st.builds(
    MatcherLimits,
    keep_s=st.just(5.0), keep=st.integers(1, 3), keep_octets=st.integers(0, 40),
    remember_s=st.just(8.0), remember=st.integers(1, 4),
    open_s=st.just(20.0), open=st.integers(1, 4),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(operations, st.one_of(st.just(MatcherLimits()), small))
def test_every_call_is_delivered_once_or_noted_once(steps: list[tuple[Any, ...]], limits: MatcherLimits) -> None:
    matcher = Matcher(limits)
    now = 0.0
    waiting: dict[str, Expectation] = {}
    notes: list[InboundNote] = []
    fates: Counter[str] = Counter()
    came: dict[str, Inbound] = {}
    delivered: set[str] = set()
    for step in steps:
        match step:
            case ("expect", wanted, fsp, trace):
                name = f"e{len(waiting)}"
                waiting[name] = expectation(name, *wanted, fsp=fsp, trace=trace)
                notes += matcher.expect(waiting[name], now)
            case ("arrive", route, fsp, trace):
                mark = str(len(came))
                came[mark] = arrival(mark, route, fsp, trace)
                result = matcher.arrive(came[mark], now)
                notes += result.notes
            case ("close", number) if f"e{number}" in waiting:
                name = f"e{number}"
                try:
                    taken = matcher.close(name, now)
                except KeyError:
                    continue
                if taken is not None:
                    assert (taken.method, taken.path) in waiting[name].routes
                    assert taken.fsp in ("", waiting[name].fsp)
                    fates[taken.received_at] += 1
                    delivered.add(taken.received_at)
            case ("cancel", number):
                notes += matcher.cancel(f"e{number}", now)
            case ("pass", seconds):
                now += seconds
                notes += matcher.expire(now)
    notes += matcher.finish()
    fates.update(note.received_at for note in notes if note.kind != "early")
    assert fates == Counter(dict.fromkeys(came, 1))
    early = [note.received_at for note in notes if note.kind == "early"]
    assert len(early) == len(set(early))
    assert {note.kind for note in notes} <= {"early", "late", "duplicate", "unexpected"}
    assert matcher == Matcher(limits), "nothing is left behind"
    assert delivered <= came.keys()


@settings(deadline=None)
@given(st.permutations(range(6)), st.booleans())
def test_with_trace_ids_each_exchange_gets_its_own_call_in_any_order(order: list[int], early: bool) -> None:
    matcher = Matcher()
    trace = {n: f"{n + 1:032x}" for n in order}

    def expect_all() -> None:
        for n in sorted(order):
            matcher.expect(expectation(f"e{n}", trace=trace[n]), 0)

    def arrive_all() -> None:
        for n in order:
            matcher.arrive(arrival(str(n), trace=trace[n]), 0)

    for act in (arrive_all, expect_all) if early else (expect_all, arrive_all):
        act()
    taken = [matcher.close(f"e{n}", 0) for n in range(6)]
    assert [one.received_at if one else None for one in taken] == [str(n) for n in range(6)]

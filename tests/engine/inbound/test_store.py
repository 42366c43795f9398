"""What is remembered of each DFSP is the newest, in order, and never more than its bounds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.engine.inbound.store import Log


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(1, 6)), max_size=60))
def test_a_log_keeps_the_newest_within_its_bounds(added: list[tuple[str, int]]) -> None:
    log: Log[tuple[int, int]] = Log(lambda entry: entry[1], entries=4, octets=20, dfsps=3)
    for number, (fsp, size) in enumerate(added):
        log.add(fsp, (number, size))
        assert log.of(fsp)[-1] == (number, size), "what came last is there"
    kept = {fsp: log.of(fsp) for fsp in "abcde"}
    assert sum(1 for entries in kept.values() if entries) <= 3
    assert sum(size for entries in kept.values() for _, size in entries) <= 20
    for fsp, entries in kept.items():
        assert len(entries) <= 4
        sent = [(number, size) for number, (to, size) in enumerate(added) if to == fsp]
        assert list(entries) == sent[len(sent) - len(entries) :], "the newest, in order, without a gap"


def test_an_entry_larger_than_the_bound_is_kept_alone() -> None:
    log: Log[int] = Log(lambda entry: entry, octets=10)
    for size in (1, 2, 50):
        log.add("a", size)
    assert log.of("a") == (50,)

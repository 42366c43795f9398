"""A signal ends a run in order, and never in the middle of a record."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from harness.run.interrupt import Interruption


@pytest.fixture
def interruption() -> Iterator[Interruption]:
    found = Interruption()
    found.install()
    yield found
    found.restore()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_comes_while_it_is_held_waits_for_the_end(
    interruption: Interruption, number: signal.Signals
) -> None:
    written: list[str] = []

    def write() -> None:
        with interruption.held():
            os.kill(os.getpid(), number)
            written.extend(["first half", "second half"])

    with pytest.raises(KeyboardInterrupt):
        write()
    assert written == ["first half", "second half"]
    assert interruption.reason == number.name
    with interruption.held():
        written.append("what is left to say")
    assert len(written) == 3


def test_otherwise_it_takes_effect_at_once(interruption: Interruption) -> None:
    after: list[str] = []

    def work() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        after.append("too late")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert after == []


def test_an_error_in_what_is_held_is_not_hidden(interruption: Interruption) -> None:
    with pytest.raises(OSError, match="full"), interruption.held():
        raise OSError("full")


def test_both_signals_are_given_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    found = Interruption()
    found.install()
    assert signal.getsignal(signal.SIGTERM) is not before[0]
    found.restore()
    found.restore()
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before

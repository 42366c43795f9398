"""A pause is what the collection says; a dry run cuts it short only where nothing is under way any more."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from harness.engine.ttk.pauses import Pauses
from harness.engine.ttk.script import ScriptHost, World


def seconds_of(action: Callable[[], Any]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began


class Tells:
    """A hub that is busy for so many questions."""

    def __init__(self, busy: int) -> None:
        self.busy = busy

    def __call__(self, seconds: float) -> bool:
        assert seconds == 0
        self.busy -= 1
        return self.busy < 0


@pytest.mark.parametrize("tells", [None, Tells(0), Tells(1000)])
def test_with_real_time_a_pause_lasts_as_it_says(tells: Callable[[float], bool] | None) -> None:
    assert 0.2 <= seconds_of(lambda: Pauses(1.0, tells).sleep(0.2)) < 2


def test_a_dry_run_shortens_it() -> None:
    assert 0.2 <= seconds_of(lambda: Pauses(0.01).sleep(20)) < 5
    assert 0.2 <= seconds_of(lambda: Pauses(0.01, Tells(0)).sleep(20)) < 5


def test_a_dry_run_goes_on_pausing_while_something_is_under_way() -> None:
    assert 0.5 <= seconds_of(lambda: Pauses(0.01, Tells(10)).sleep(20)) < 5


def test_it_never_pauses_longer_than_was_asked_for() -> None:
    tells = Tells(10**9)
    assert 0.3 <= seconds_of(lambda: Pauses(0.1, tells).sleep(0.3)) < 2
    assert tells.busy < 10**9


@pytest.mark.parametrize("source", ["await custom.sleep(20000)", "setTimeout(() => { environment.x = 1 }, 20000)"])
def test_pauses_of_scripts_are_the_same(source: str) -> None:
    tells = Tells(10)
    with ScriptHost(pauses=Pauses(0.01, tells)) as host:
        host.run_script("environment.warm = 1", World({}, {}))
        assert 0.5 <= seconds_of(lambda: host.run_script(source, World({}, {}))) < 5
    assert tells.busy < 0

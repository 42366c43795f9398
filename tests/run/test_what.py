"""How many workers a suite can use: more than that read all its collections and then have nothing to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.run.scheme_suite import SchemeSuite
from harness.run.what import SuiteToRun
from harness.suite.pin import PinCheck

PLAIN = SuiteToRun("s", "official", "d", PinCheck("match", "d"), ())


def suite(*groups: str, alone: int = 0) -> SuiteToRun:
    paths = tuple(Path(f"/c/{number}.json") for number in range(len(groups)))
    named = {str(path): group for path, group in zip(paths, groups, strict=True)}
    own = None
    if alone:
        own = SchemeSuite(Path("/s"), "s", tuple(f"test_{number}.py" for number in range(alone)), "d")
    return replace(PLAIN, collections=paths, groups=named, scheme=own)


@pytest.mark.parametrize(
    ("given", "most", "useful"),
    [
        (PLAIN, 4, 4),
        (suite("a", "a", "a"), 4, 1),
        (suite("a", "a", "a"), 0, 0),
        (suite(*"a" * 50, "b", "c"), 4, 2),
        (suite("a", "b", "c"), 4, 3),
        (suite("a", "b", "c"), 2, 2),
        (suite("a", "a", "b", "b", "c", "d"), 8, 3),
        (suite("a", "a", alone=4), 8, 3),
    ],
)
def test_no_more_workers_than_make_the_run_shorter(given: SuiteToRun, most: int, useful: int) -> None:
    assert given.useful_workers(most) == useful

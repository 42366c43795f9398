"""Does a check that was renamed keep its history? Where the judge found it again, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from harness.history.nights import Nights, nights_of
from harness.history.places import folder_of, run_file, write_parquet
from harness.history.reader import History, Selection
from harness.history.schema import CHECKS, RUNS, SCHEMAS, in_order
from harness.history.statistics import rates, tell
from harness.history.table import check_histories
from tests.history.test_reader import a_fact, a_row

OLD, NEW, NEWER = "a.py::pays::send::1", "a.py::pays::send::one", "b.py::pays::send::one"
OTHER = "a.py::aborts::send::1"


def recorded(root: Path, *nights: dict[str, tuple[str, str]]) -> History:
    """Records nights; each says of its checks the outcome and the id that the baseline has for it."""
    for number, night in enumerate(nights):
        run = f"r{number:03}"
        rows = [a_row(check, number, (outcome, "f1", "c", 3), was) for check, (outcome, was) in night.items()]
        for dataset, found in ((CHECKS, rows), (RUNS, [a_fact(number)])):
            place = folder_of(root, dataset, "mojaloop", "t", "2026-06").path / run_file(run)
            table = pa.Table.from_pylist(found, schema=SCHEMAS[dataset])
            write_parquet(root, place, dataset, in_order(dataset, table), [run])
    return History(root)


def told_of(history: History) -> Nights:
    return nights_of(history, history.runs(), "mojaloop", "t", "native")


def test_its_earlier_nights_follow_it(tmp_path: Path) -> None:
    p, f = ("passed", ""), ("failed", "")
    before = {OLD: p, OTHER: p}
    after = {NEW: ("failed", OLD), OTHER: p}
    history = recorded(tmp_path, before, before, {OLD: f, OTHER: p}, after, after)
    nights = told_of(history)
    assert nights.checks == (OTHER, NEW)
    assert nights.formerly == {NEW: OLD}
    assert nights.showed.tolist() == [[1, 1, 1, 1, 1], [1, 1, 2, 2, 2]]
    assert [(each.check, each.since, each.closed) for each in tell(nights).episodes] == [(1, 2, None)]
    assert (rates(nights).passed.tolist(), rates(nights).absent.tolist()) == ([5, 2], [0, 0])
    (side,) = check_histories(history, NEW, Selection())
    assert [(row["run_id"], row["check"]) for row in side.rows] == [
        ("r000", OLD), ("r001", OLD), ("r002", OLD), ("r003", NEW), ("r004", NEW),
    ]  # fmt: skip
    assert f"until 2026-06-03 its id was {OLD}" in side.says
    assert "passed in 2 of 5 nights that count" in side.says[1]
    # Asked for by its old id, it is what it was under it.
    (side,) = check_histories(history, OLD, Selection())
    assert [row["run_id"] for row in side.rows] == ["r000", "r001", "r002"]


def test_two_that_stand_side_by_side_are_two(tmp_path: Path) -> None:
    p = ("passed", "")
    history = recorded(tmp_path, {OLD: p}, {NEW: ("passed", OLD)}, {OLD: p})
    nights = told_of(history)
    assert (nights.checks, nights.formerly) == ((OLD, NEW), {})
    (side,) = check_histories(history, NEW, Selection())
    assert [row["run_id"] for row in side.rows] == ["r001"]
    assert not any("its id was" in text for text in side.says)


def test_renamed_twice_it_is_followed_twice(tmp_path: Path) -> None:
    for number, second in enumerate((NEW, OLD)):
        # The baseline is new meanwhile, or still the one that has the first id.
        history = recorded(
            tmp_path / str(number), {OLD: ("passed", "")}, {NEW: ("passed", OLD)}, {NEWER: ("passed", second)}
        )
        nights = told_of(history)
        assert nights.checks == (NEWER,)
        assert np.array_equal(nights.showed, [[1, 1, 1]])
    history = recorded(tmp_path / "0")
    (side,) = check_histories(history, NEWER, Selection())
    assert [row["check"] for row in side.rows] == [OLD, NEW, NEWER]

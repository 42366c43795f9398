"""Does the way that reads little, file by file, find what is found where all is read? Row by row the same."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.history import places
from harness.history.nights import ABSENT, BLIND, FAILED, PASSED, nights_of
from harness.history.places import folder_of, run_file, write_parquet
from harness.history.reader import History, Selection
from harness.history.schema import CHECKS, RUNS, SCHEMAS, in_order
from harness.history.store import append
from tests.history.nights import FIRST, PAYS, judged_night
from tests.support import REPOSITORY

IDS = [f"a.py::case {number // 3}::step::c{number}" for number in range(12)] + ["a.py::case 1"]
SHOWS = {"passed": PASSED, "failed": FAILED, "hollow": BLIND, "skipped": BLIND, "error": BLIND}


def a_row(check: str, number: int, shown: tuple[str, str, str, int], moved_from: str = "") -> dict[str, Any]:
    outcome, fingerprint, component, passed = shown
    return {
        "check": check, "run_id": f"r{number:03}", "started": FIRST + timedelta(days=number), "release": "v17.1.0",
        "suite": "native", "kind": "case" if check.count("::") == 1 else "check", "outcome": outcome,
        "class": "unchanged-pass" if outcome else "missing", "excused": passed == 2, "fingerprint": fingerprint,
        "definition_changed": passed == 1, "moved_from": moved_from,
        "baseline_passed": passed, "baseline_failed": 3 - passed,
        "cause": "", "component": component, "operation": "", "latency_ms": 1.5, "callback_ms": None, "message": "",
    }  # fmt: skip


SHOWN = st.tuples(
    st.sampled_from(["passed", "failed", "hollow", ""]),
    st.sampled_from(["", "f1", "f2"]),
    st.sampled_from(["", "quoting-service", "central-ledger"]),
    st.integers(0, 3),
)


@given(
    st.lists(st.dictionaries(st.sampled_from(IDS), SHOWN, min_size=1), min_size=1, max_size=6),
    st.lists(st.booleans(), min_size=6, max_size=6),
)
@settings(max_examples=30, deadline=None)
def test_every_way_of_reading_finds_the_same_rows(nights: list[dict[str, Any]], merged: list[bool]) -> None:
    rows = [a_row(check, number, shown) for number, night in enumerate(nights) for check, shown in night.items()]
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        # Many groups in a file, though there are few rows.
        patch.setattr(places, "ROWS_PER_GROUP", 4)
        root = Path(name)
        one = [number for number in range(len(nights)) if merged[number]]
        groups = [("merged-0.parquet", one)] * bool(one)
        groups += [(run_file(f"r{each:03}"), [each]) for each in range(len(nights)) if not merged[each]]
        folder = folder_of(root, CHECKS, "mojaloop", "t", "2026-06").path
        for file, own in groups:
            runs = [f"r{number:03}" for number in own]
            table = pa.Table.from_pylist([row for row in rows if row["run_id"] in runs], schema=SCHEMAS[CHECKS])
            write_parquet(root, folder / file, CHECKS, in_order(CHECKS, table), runs)
        history = History(root)
        for check in IDS:
            found = history.read(CHECKS, SCHEMAS[CHECKS].names, Selection(check=check), None).to_pylist()
            plain = pd.read_parquet(root / CHECKS, filters=[("check", "==", check)])
            assert sorted(row["run_id"] for row in found) == sorted(plain["run_id"])
            assert sorted(map(repr, ({k: row[k] for k in SCHEMAS[CHECKS].names} for row in found))) == sorted(
                repr(at_moment(row)) for row in rows if row["check"] == check
            )
        facts = [{**a_fact(number), "product": "mojaloop", "target": "t"} for number in range(len(nights))]
        told = nights_of(history, pa.Table.from_pylist(facts), "mojaloop", "t", "native")
        assert (history.problems, told.checks) == ([], tuple(sorted({row["check"] for row in rows})))
        by_cell = {(row["check"], int(row["run_id"][1:])): row for row in rows}
        for at, check in enumerate(told.checks):
            named = [by_cell[check, n]["component"] for n in range(len(nights)) if (check, n) in by_cell]
            assert told.component[at] == next((each for each in reversed(named) if each), "")
            prints: dict[str, int] = {}
            for number in range(len(nights)):
                row = by_cell.get((check, number))
                case_ran = check == "a.py::case 1" and any(each.startswith(f"{check}::") for each in nights[number])
                absent = PASSED if case_ran else ABSENT
                shown = absent if row is None else SHOWS.get(row["outcome"], FAILED)
                assert told.showed[at, number] == shown
                asked = "" if row is None else row["fingerprint"]
                assert (told.asked[at, number] >= 0) == bool(asked)
                assert not asked or prints.setdefault(asked, int(told.asked[at, number])) == told.asked[at, number]
                assert told.baseline_passed[at, number] == (0 if row is None else row["baseline_passed"])
                assert told.baseline_failed[at, number] == (0 if row is None else row["baseline_failed"])
                assert told.excused[at, number] == (row is not None and row["excused"])
                assert told.baseline_asks_same[at, number] == (row is None or not row["definition_changed"])
            assert len(set(prints.values())) == len(prints)


def at_moment(row: dict[str, Any]) -> dict[str, Any]:
    table = pa.Table.from_pylist([row], schema=SCHEMAS[CHECKS])
    made: dict[str, Any] = table.to_pylist()[0]
    return made


def a_fact(number: int) -> dict[str, Any]:
    empty: dict[str, Any] = {field.name: 0 if pa.types.is_integer(field.type) else "" for field in SCHEMAS[RUNS]}
    return empty | {
        "run_id": f"r{number:03}", "started": FIRST + timedelta(days=number), "suite": "native",
        "release": "v17.1.0", "ended": FIRST + timedelta(days=number),
        "verdict": "APPROVED", "components": "{}", "waivers": "[]", "causes": "[]", "rehearsal": False,
    }  # fmt: skip


MANY = """
import resource, sys
from pathlib import Path
from harness.history.reader import History, Selection
import harness.history.nights
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
history = History(Path(sys.argv[1]))
found = history.read("checks", ["run_id"], Selection(), None)
print(len(found), history.problems)
"""


def test_more_files_than_may_be_open_are_read_all_the_same(tmp_path: Path) -> None:
    for number in range(90):
        append(tmp_path, judged_night(0, target=f"t{number}"))
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= 64
    done = subprocess.run(
        [sys.executable, "-c", MANY, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "540 []"
    assert PAYS in History(tmp_path).read(CHECKS, ["check"], Selection(), None)["check"].to_pylist()

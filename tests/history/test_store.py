"""A run is in the history whole and once, or not at all; what is torn or foreign is named and passed over."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.errors import UsageError
from harness.history.compact import compact
from harness.history.reader import History, Selection
from harness.history.schema import CHECKS, DATASETS, FORMAT, RUNS
from harness.history.store import append
from tests.history.nights import FIRST, PAYS, judged_night
from tests.judge.build import F, H, P, case, judged, run
from tests.support import REPOSITORY


def rows(root: Path, dataset: str = CHECKS, **wanted: str) -> list[tuple[str, str]]:
    history = History(root)
    known = set(history.runs()["run_id"].to_pylist())
    found = history.read(dataset, ["run_id", "check"], Selection(**wanted), known)
    return sorted(zip(found["run_id"].to_pylist(), found["check"].to_pylist(), strict=True))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three nights, the last but one with a failure."""
    for number in range(3):
        append(tmp_path, judged_night(number, F if number == 1 else P))
    return tmp_path


def test_a_run_is_read_back_as_it_was_judged(root: Path) -> None:
    runs = History(root).runs().to_pylist()
    assert [row["verdict"] for row in runs] == ["APPROVED", "REJECTED", "APPROVED"]
    assert [(row["checks"], row["failed"], row["count_regressed"]) for row in runs] == [(6, 0, 0), (6, 1, 1), (6, 0, 0)]
    assert (runs[0]["started"], runs[0]["product"], runs[0]["target"]) == (
        FIRST - timedelta(milliseconds=1), "mojaloop", "t",
    )  # fmt: skip
    found = History(root).read(
        CHECKS, ["outcome", "class", "latency_ms", "message", "cause"], Selection(check=PAYS), None
    )
    bad = next(row for row in found.to_pylist() if row["outcome"] == "failed")
    assert (bad["class"], bad["latency_ms"], bad["message"]) == ("regressed", 10.0, "c2 is failed")
    assert bad["cause"] == "product"


def test_the_same_run_is_there_once_and_another_judgement_takes_its_place(root: Path) -> None:
    before = rows(root)
    again = append(root, judged_night(1, F))
    assert again.notes == ("run r001 is in the history already",)
    assert rows(root) == before
    compact(root)
    for _ in range(2):
        said = append(root, judged_night(1, P)).notes
        assert rows(root) == before
    assert said == ("run r001 is in the history already",)
    assert {row["verdict"] for row in History(root).runs().to_pylist()} == {"APPROVED"}
    failed = History(root).read(CHECKS, ["outcome"], Selection(), None)
    assert set(failed["outcome"].to_pylist()) == {"passed"}


def test_a_run_that_does_not_say_when_it_ended_is_refused(tmp_path: Path) -> None:
    from dataclasses import replace

    unknown = judged(replace(run([case("pays", P)]), ended_at=""))
    with pytest.raises(UsageError, match="when it ended"):
        append(tmp_path, unknown)
    assert not list(tmp_path.rglob("*.parquet"))


@pytest.mark.parametrize("spoil", ["cut", "changed", "empty", "foreign", "newer", "renamed", "other"])
def test_what_is_torn_or_foreign_is_named_and_passed_over(root: Path, spoil: str) -> None:
    path = next(root.glob("checks/*/*/*/run-r001.parquet"))
    raw = path.read_bytes()
    if spoil == "cut":
        path.write_bytes(raw[: len(raw) // 2])
    elif spoil == "changed":
        at = raw.index(b"PAR1") + 40
        path.write_bytes(raw[:at] + bytes([raw[at] ^ 0xFF, raw[at + 1] ^ 0xFF]) + raw[at + 2 :])
    elif spoil == "empty":
        path.write_bytes(b"")
    elif spoil == "foreign":
        pq.write_table(pa.table({"check": ["x"]}), path)
    elif spoil == "newer":
        table = pq.read_table(path, partitioning=None)
        marks = {**table.schema.metadata, b"mojaloop-harness.format": str(FORMAT + 1).encode()}
        pq.write_table(table.replace_schema_metadata(marks), path)
    elif spoil == "renamed":
        path.write_bytes(next(root.glob("checks/*/*/*/run-r002.parquet")).read_bytes())
    else:
        path.write_bytes(next(root.glob("runs/*/*/*/run-r001.parquet")).read_bytes())
    history = History(root)
    found = history.read(CHECKS, ["run_id", "check"], Selection(), None)
    assert sorted(set(found["run_id"].to_pylist())) == ["r000", "r002"]
    assert len(found) == 12
    assert len(history.problems) == 1
    assert "run-r001.parquet is passed over" in history.problems[0]
    # Nor is it lost or fatal when months are merged.
    spoilt = path.read_bytes()
    merged = next(each for each in compact(root) if each.folder.parts[0] == CHECKS)
    assert "run-r001.parquet" in merged.passed_over[0]
    assert path.read_bytes() == spoilt
    assert len(rows(root)) == 12


def test_merging_loses_no_row_and_repeats_none(root: Path) -> None:
    before = {dataset: rows(root, dataset) for dataset in (CHECKS,)}
    for number in range(3, 6):
        append(root, judged_night(number, target="other"))
    facts = History(root).runs().to_pylist()
    assert {each.files for each in compact(root)} == {3}
    assert len(list(root.rglob("*.parquet"))) == 2 * len(DATASETS)
    assert rows(root, target="t") == before[CHECKS]
    assert History(root).runs().to_pylist() == facts
    assert compact(root) == ()
    append(root, judged_night(7))
    compact(root, target="t")
    assert len(rows(root, target="t")) == 24
    assert not list((root / ".work").iterdir())


def test_where_folders_cannot_be_exchanged_our_readers_still_see_each_row_once(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.history.compact._exchanged", lambda *_: False)
    before = rows(root)
    old = {path: path.read_bytes() for path in root.glob("checks/*/*/*/*.parquet")}
    assert not any(each.in_one_step for each in compact(root))
    assert rows(root) == before
    # As if it had been killed before the old files were gone.
    for path, raw in old.items():
        path.write_bytes(raw)
    assert rows(root) == before
    compact(root)
    assert rows(root) == before
    assert len(list(root.glob("checks/*/*/*/*.parquet"))) == 1


def test_months_that_are_over_are_merged_as_the_next_begins(tmp_path: Path) -> None:
    for number in (26, 27, 28):
        append(tmp_path, judged_night(number))
    assert len(list(tmp_path.rglob("*.parquet"))) == 9
    append(tmp_path, judged_night(30))
    assert len(list(tmp_path.rglob("month=2026-06/*.parquet"))) == 3
    assert len(list(tmp_path.rglob("month=2026-07/*.parquet"))) == 3
    assert len(rows(tmp_path)) == 24


def test_others_read_it_as_it_is(root: Path) -> None:
    append(root, judged_night(4, target="a/b ü"))
    compact(root, target="t")
    frame = pd.read_parquet(root / CHECKS)
    assert (len(frame), set(frame["target"])) == (24, {"t", "a/b ü"})
    glob = f"{root}/{{}}/*/*/*/*.parquet"
    query = (
        "select r.verdict, count(*) from read_parquet($checks, hive_partitioning=true) c "
        "join read_parquet($runs, hive_partitioning=true) r using (run_id) "
        "where c.outcome = 'failed' and c.month = '2026-06' and r.target = 't' group by 1"
    )
    given = {"checks": glob.format(CHECKS), "runs": glob.format(RUNS)}
    assert duckdb.execute(query, given).fetchall() == [("REJECTED", 1)]
    for path in root.rglob("*.parquet"):
        kinds = {str(field.type) for field in pq.read_schema(path)}
        assert kinds <= {"string", "bool", "int32", "float", "timestamp[ms, tz=UTC]"}


KILLED = """
import os, signal, sys
from pathlib import Path
from harness.history import store, compact
from tests.history.nights import judged_night

judged, sync = judged_night(3), os.fsync

def die_in(root, what, count):
    left = [count]
    def fsync(handle):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        sync(handle)
    os.fsync = fsync
    store.append(root, judged) if what == "append" else compact.compact(root)
    os._exit(1)

for root in sorted(Path(sys.argv[1]).iterdir()):
    what, count = root.name.split("-")
    child = os.fork()
    if not child:
        die_in(root, what, int(count))
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, (root, status)
"""
RECORDING, MERGING = range(6), range(12)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Histories of three nights whose writer was killed by ``kill -9`` before its n-th write reached the disk."""
    first, folder = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("killed")
    for number in range(3):
        append(first, judged_night(number, F if number == 1 else P))
    for what, counts in (("append", RECORDING), ("compact", MERGING)):
        for count in counts:
            shutil.copytree(first, folder / f"{what}-{count}")
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    subprocess.run([sys.executable, "-c", KILLED, str(folder)], env=environment, timeout=120, check=True)
    return folder


@pytest.mark.parametrize("count", RECORDING)
def test_kill_9_in_mid_record_leaves_it_readable_and_the_next_night_repairs(killed: Path, count: int) -> None:
    root = killed / f"append-{count}"
    history = History(root)
    # The last write puts the name of what counts on the disk; before it the run is not there, after it all of it is.
    recorded = 4 if count == 5 else 3
    assert len(history.runs()) == recorded
    assert len(rows(root)) == 6 * recorded
    said = append(root, judged_night(4)).notes
    assert recorded == 4 or any("killed" in note for note in said), said
    assert append(root, judged_night(3)).notes == (("run r003 is in the history already",) if recorded == 4 else ())
    assert append(root, judged_night(5)).notes == ()
    assert len(rows(root)) == 36


@pytest.mark.parametrize("count", MERGING)
def test_kill_9_in_mid_merge_leaves_each_row_once_for_every_reader(killed: Path, count: int) -> None:
    root = killed / f"compact-{count}"
    assert len(rows(root)) == 18
    keys = {"runs": ["run_id"], "checks": ["run_id", "check"], "operations": ["run_id", "operation", "measure"]}
    for dataset in DATASETS:
        frame = pd.read_parquet(root / dataset)
        assert not frame.duplicated(keys[dataset]).any()
        assert set(frame["run_id"]) == {"r000", "r001", "r002"}
    compact(root)
    assert len(rows(root)) == 18
    assert not list((root / ".work").iterdir())


def test_what_hubs_say_survives(tmp_path: Path) -> None:
    odd = "\u202e\x00<script>=1+1"
    append(tmp_path, judged(run([case("pays", P, H), case(odd, F)])))
    checks = History(tmp_path).read(CHECKS, ["check"], Selection(), None)["check"].to_pylist()
    assert any("<script>" in check for check in checks)

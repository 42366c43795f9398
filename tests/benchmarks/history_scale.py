"""How long do one check's history and a target's page take, against a bare scan of the same files? Prints the ratios.

Run as ``python -m tests.benchmarks.history_scale [ROWS]``: 16,425,000 are three years of five targets at 3,000 checks a
night. The history is made first; each question is then asked in a process of its own, for time and memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from harness.history.places import folder_of, run_file, write_parquet
from harness.history.schema import CHECKS, CLASS_COUNTS, OPERATIONS, RUNS, SCHEMAS

TARGETS, CHECKS_A_NIGHT, NIGHTS = 5, 3000, 1095
FLAKY = 0.03
FULL = TARGETS * CHECKS_A_NIGHT * NIGHTS
DEFAULT = FULL // 20
_FIRST = datetime(2024, 1, 1, 2, tzinfo=UTC)
_OPERATIONS = [f"{method} /{name}" for name in ("transfers", "quotes", "parties", "fxTransfers", "settlements")
               for method in ("GET", "POST", "PUT")]  # fmt: skip
_CHECK = "area_{:02}/test_area.py::pays with variant {:04}::POST transfers::check {:04}"

_ASK = """
import json, resource, sys, time
from pathlib import Path
root, what, check = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
if what.startswith("bare-pyarrow") or what == "bare-page":
    import pyarrow.dataset as ds
    began = (time.perf_counter(), time.process_time())
    data = ds.dataset(root / "checks", partitioning="hive")
    if what == "bare-page":
        columns = ["check", "kind", "run_id", "outcome", "class", "excused", "fingerprint", "baseline_passed",
                   "baseline_failed", "component", "definition_changed"]
        rows = data.to_table(columns=columns, filter=ds.field("target") == "target-0").num_rows
    else:
        wanted = ds.field("check") == check
        if what == "bare-pyarrow":
            wanted &= ds.field("target") == "target-0"
        rows = data.to_table(filter=wanted).num_rows
elif what == "bare-duckdb":
    import duckdb
    began = (time.perf_counter(), time.process_time())
    rows = len(duckdb.execute(
        "select * from read_parquet($files, hive_partitioning=true) where target = 'target-0' and \\"check\\" = $check",
        {"files": f"{root}/checks/*/*/*/*.parquet", "check": check},
    ).fetchall())
elif what == "page":
    from harness.history.page.view import page_view
    from harness.history.page.writer import history_page
    from harness.history.reader import History
    began = (time.perf_counter(), time.process_time())
    rows = len(history_page(page_view(History(root), "target-0")))
else:
    from harness.history.reader import History, Selection
    from harness.history.table import check_histories
    began = (time.perf_counter(), time.process_time())
    rows = len(check_histories(History(root), check, Selection(None, "target-0" if what == "check" else None))[0].rows)
took, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
print(json.dumps({"s": took, "cpu": cpu, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "n": rows}))
"""


def main(rows: int = DEFAULT) -> float:
    """Prints the figures and returns the ratio of one check's history to the bare scan by pyarrow."""
    nights = max(1, rows // (TARGETS * CHECKS_A_NIGHT))
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        began = time.perf_counter()
        for target in range(TARGETS):
            make_history(root, f"target-{target}", nights, seed=target)
        made_s = time.perf_counter() - began
        size = sum(path.stat().st_size for path in root.rglob("*.parquet"))
        files = sum(1 for _ in root.rglob("*.parquet"))
        # By the first draw of ``make_history`` a check that fails now and then: of it there is more to tell.
        number = int(np.flatnonzero(np.random.default_rng(0).random(CHECKS_A_NIGHT) < FLAKY)[0])
        check = _CHECK.format(number // 100, number // 10, number)
        asked = {
            what: _ask(root, what, check)
            for what in ("check", "check-all", "bare-pyarrow", "bare-pyarrow-all", "bare-duckdb", "page", "bare-page")
        }
    print(f"rows of checks      {nights * TARGETS * CHECKS_A_NIGHT:>12,}   {size / 2**20:,.0f} MB in {files:,} files")
    print(f"made in             {made_s:>12.0f} s")
    labels = {
        "check": ("one check, one target", "(at most 1 s)"),
        "check-all": ("one check, all targets", "(at most 1 s)"),
        "bare-pyarrow": ("  pyarrow, one target", ""),
        "bare-pyarrow-all": ("  pyarrow, all targets", ""),
        "bare-duckdb": ("  DuckDB, one target", ""),
        "page": ("page of 90 nights", "(at most 3 s)"),
        "bare-page": ("  pyarrow, its columns", ""),
    }
    for what, (label, bound) in labels.items():
        found = asked[what]
        print(f"{label:<24}{found['s']:>8.2f} s, CPU {found['cpu']:>6.2f} s, {found['mb']:>6.0f} MB  {bound}")
    ratio = asked["check"]["cpu"] / asked["bare-pyarrow"]["cpu"]
    print(f"CPU: one check / pyarrow             {ratio:.2f}")
    print(f"CPU: the same, all targets           {asked['check-all']['cpu'] / asked['bare-pyarrow-all']['cpu']:.2f}")
    print(f"CPU: one check / DuckDB              {asked['check']['cpu'] / asked['bare-duckdb']['cpu']:.2f}")
    print(f"CPU: page / pyarrow                  {asked['page']['cpu'] / asked['bare-page']['cpu']:.2f}")
    print(f"memory: page / pyarrow               {asked['page']['mb'] / asked['bare-page']['mb']:.2f}")
    print(f"size of the page                     {asked['page']['n'] / 2**20:.2f} MB  (at most 2)")
    return float(ratio)


def _ask(root: Path, what: str, check: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", _ASK, str(root), what, check], check=True, capture_output=True, text=True, timeout=900
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def make_history(root: Path, target: str, nights: int, *, seed: int = 0, checks: int = CHECKS_A_NIGHT) -> None:
    """Writes ``nights`` of ``target``: months that are over in one file each, the last in one file per run.

    Nine checks in ten always pass, some are flaky, some break for a while, and on one night in fifty all is dark.
    """
    chance = np.random.default_rng(seed)
    ids = [_CHECK.format(number // 100, number // 10, number) for number in range(checks)]
    flaky = np.where(chance.random(checks) < FLAKY, 0.1, 0.0)
    breaks = np.where(chance.random(checks) < 0.05, chance.integers(0, max(nights, 1), checks), -1)
    started = [_FIRST + timedelta(days=night) for night in range(nights)]
    months: dict[str, list[int]] = {}
    for night, moment in enumerate(started):
        months.setdefault(f"{moment:%Y-%m}", []).append(night)
    for month, own in months.items():
        age = np.array(own)[None, :] - breaks[:, None]
        failed = (chance.random((checks, len(own))) < flaky[:, None]) | (
            (breaks >= 0)[:, None] & (age >= 0) & (age < 12)
        )
        failed[:, [at for at, night in enumerate(own) if night % 50 == 49]] = True
        runs = [f"{started[night]:%Y%m%d}-{target}" for night in own]
        tables = {
            CHECKS: _checks(ids, runs, [started[night] for night in own], failed, chance),
            OPERATIONS: _operations(runs, [started[night] for night in own], own, chance),
            RUNS: _runs(runs, [started[night] for night in own], own, failed),
        }
        open_month = month == max(months)
        for dataset, table in tables.items():
            folder = folder_of(root, dataset, "mojaloop", target, month).path
            if not open_month:
                write_parquet(root, folder / "merged-0.parquet", dataset, table, runs)
                continue
            for run in runs:
                mine = table.filter(pa.compute.equal(table["run_id"], run))
                write_parquet(root, folder / run_file(run), dataset, mine, [run])


def _text(names: list[str], codes: Any) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(names)).cast(pa.string())


def _checks(
    ids: list[str], runs: list[str], started: list[datetime], failed: Any, chance: np.random.Generator
) -> pa.Table:
    count, width = failed.shape
    rows = count * width
    which, night = np.repeat(np.arange(count), width), np.tile(np.arange(width), count)
    bad = failed.ravel().astype(np.int32)
    columns: dict[str, Any] = {
        "check": _text(ids, which),
        "run_id": _text(runs, night),
        "started": pa.array(started, SCHEMAS[CHECKS].field("started").type).take(pa.array(night)),
        "release": _text(["v17.1.0"], np.zeros(rows)),
        "suite": _text(["native"], np.zeros(rows)),
        "kind": _text(["check"], np.zeros(rows)),
        "outcome": _text(["passed", "failed"], bad),
        "class": _text(["unchanged-pass", "regressed"], bad),
        "excused": pa.array(np.zeros(rows, dtype=bool)),
        "fingerprint": _text([f"{number:016x}" for number in range(count)], which),
        "definition_changed": pa.array(np.zeros(rows, dtype=bool)),
        "moved_from": _text([""], np.zeros(rows)),
        "baseline_passed": pa.array(np.full(rows, 3, dtype=np.int32)),
        "baseline_failed": pa.array(np.zeros(rows, dtype=np.int32)),
        "cause": _text(["", "product"], bad),
        "component": _text(["central-ledger", "ml-api-adapter", "quoting-service"], which // 10 % 3),
        "operation": _text(_OPERATIONS, which // 10 % len(_OPERATIONS)),
        "latency_ms": pa.array(np.round(chance.gamma(4, 5, rows), 1), pa.float32()),
        "callback_ms": pa.array(np.round(chance.gamma(4, 20, rows), 1), pa.float32()),
        "message": _text(["", "expected 'COMMITTED' to equal 'ABORTED'"], bad),
    }
    return pa.table({name: columns[name] for name in SCHEMAS[CHECKS].names}, schema=SCHEMAS[CHECKS])


def _operations(runs: list[str], started: list[datetime], own: list[int], chance: np.random.Generator) -> pa.Table:
    rows = [
        {
            "operation": operation, "measure": measure, "run_id": run, "started": moment, "release": "v17.1.0",
            "suite": "native", "component": "central-ledger", "count": 200,
            "p50_ms": 12 + slow + float(chance.random()),
            "p95_ms": 30 + 2 * slow + 5 * float(chance.random()), "max_ms": 90.0,
        }
        for operation in _OPERATIONS
        for measure in ("response", "callback")
        for run, moment, night in zip(runs, started, own, strict=True)
        for slow in [8.0 if night % 90 > 60 and operation == "POST /transfers" else 0.0]
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=SCHEMAS[OPERATIONS])


def _runs(runs: list[str], started: list[datetime], own: list[int], failed: Any) -> pa.Table:
    rows = []
    for at, (run, moment, night) in enumerate(zip(runs, started, own, strict=True)):
        bad, dark = int(failed[:, at].sum()), night % 50 == 49
        verdict = "INCONCLUSIVE" if dark else "REJECTED" if bad else "APPROVED"
        counts = dict.fromkeys(CLASS_COUNTS.values(), 0) | {"count_regressed": bad}
        components = {"central-ledger": f"v19.8.{3 + night // 60}", "quoting-service": f"v17.8.{night // 100}"}
        rows.append({
            "run_id": run, "started": moment, "ended": moment + timedelta(minutes=20), "release": "v17.1.0",
            "suite": "native", "suite_digest": "5" * 64, "scheme": "example", "target_kind": "environment",
            "rehearsal": False, "verdict": verdict, "excluded": "mass-failure" if dark else "",
            "excluded_why": "92% of the failing cases failed for reasons outside the product" if dark else "",
            "why": f"{bad} checks regressed" if bad else "", "next_action": "", "cases": failed.shape[0] // 10,
            "checks": failed.shape[0], "passed": failed.shape[0] - bad, "failed": bad, **counts,
            "components": json.dumps(components), "waivers": "[]", "causes": "[]", "harness": "0.1.0",
            "verdict_sha256": "",
        })  # fmt: skip
    return pa.Table.from_pylist(rows, schema=SCHEMAS[RUNS])


if __name__ == "__main__":
    main(*(int(argument.replace("_", "").replace(",", "")) for argument in sys.argv[1:2]))

"""How long does judging take, against reading both tables with pandas and merging them? Prints the ratios.

Run as ``python -m tests.benchmarks.judge_scale [CHECKS]``; 1,000,000 checks a side where no number is given.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from harness.judge.baseline import COUNTS, LATENCIES, RESULT_COLUMNS, Baseline, BaselineSource
from harness.judge.compare import compare
from harness.judge.criteria import parse_criteria
from harness.judge.evidence import CASE_COLUMNS, CHECK_COLUMNS, PLAN_COLUMNS, STEP_COLUMNS, Evidence, table
from harness.judge.verdict import JudgedRun, judge
from harness.model.records import PlanComplete, RunFinished, RunStarted, ServiceProbed
from harness.model.release import Release, ReleaseVersion

T = TypeVar("T")

CHECKS_PER_CASE = 10
_CRITERIA = """\
scheme: bench
title: Benchmark
rules:
  - {id: a, kind: class-at-most, classes: [regressed], at_most: 0, severity: blocker, title: t, rationale: r}
  - {id: b, kind: required-cases, labels: [p2p], severity: blocker, title: t, rationale: r}
"""


def main(checks: int = 1_000_000) -> float:
    """Prints the figures and returns the ratio of judging to reading and merging."""
    with tempfile.TemporaryDirectory() as name:
        run_file, base_file = Path(name) / "run.csv", Path(name) / "baseline.csv"
        _run_table(checks).to_csv(run_file, index=False)
        _baseline_table(checks).to_csv(base_file, index=False)
        read_s, (run, base) = _timed(lambda: (_read(run_file), _read(base_file)))
        merge_s, _ = _timed(lambda: run.merge(base, on="check", how="outer"))
    evidence, baseline = _evidence(run), _baseline(base)
    judge_s, judged = _timed(lambda: _judge(evidence, baseline))
    ratio = judge_s / (read_s + merge_s)
    peak = _peak(lambda: _judge(evidence, baseline)) / _peak(lambda: run.merge(base, on="check", how="outer"))
    counts = {name: count for name, count in judged.counts.items() if count}
    kind = judged.verdict.kind
    del judged
    # The worst that matching can meet: another suite, in which every file has another name.
    elsewhere = _baseline(_moved(base), suite="7")
    moved_s, moved = _timed(lambda: compare(evidence, elsewhere))
    moved_peak = _peak(lambda: compare(evidence, elsewhere)) / _peak(lambda: run.merge(base, on="check", how="outer"))
    found = int((moved.table["moved_from"] != "").sum())
    print(f"checks a side        {checks:>12,}")
    print(f"read both tables     {read_s:>12.2f} s")
    print(f"merge them           {merge_s:>12.2f} s")
    print(f"compare and judge    {judge_s:>12.2f} s   {kind}, {counts}")
    print(f"judging / (reading + merging)             {ratio:.2f}   (at most 2)")
    print(f"with reading / (reading + merging)        {(read_s + judge_s) / (read_s + merge_s):.2f}   (at most 2)")
    print(f"peak memory of judging / peak of merging  {peak:.2f}   (at most 3)")
    print(f"compare, all moved   {moved_s:>12.2f} s   {found:,} found again")
    print(f"comparing moved / (reading + merging)     {moved_s / (read_s + merge_s):.2f}   (at most 2)")
    print(f"peak memory of that / peak of merging     {moved_peak:.2f}   (at most 3)")
    return ratio


def _timed(call: Callable[[], T]) -> tuple[float, T]:
    gc.collect()
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


def _peak(call: Callable[[], object]) -> int:
    gc.collect()
    tracemalloc.start()
    kept = call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    del kept
    return peak


def _ids(first: int, count: int) -> list[str]:
    return [
        f"transfers/test_area_{n // 1000}.py::pays with variant {n // CHECKS_PER_CASE}::POST transfers::check {n}"
        for n in range(first, first + count)
    ]


def _run_table(checks: int) -> pd.DataFrame:
    ids = _ids(0, checks)
    outcome = np.full(checks, "passed", dtype=object)
    outcome[::100], outcome[1::1000], outcome[2::1000] = "failed", "hollow", "skipped"
    frame = pd.DataFrame({"check": ids, "outcome": outcome, "label": "check", "message": ""})
    frame["fingerprint"] = [f"{n:016x}" for n in range(checks)]
    frame["case"] = [check.rsplit("::", 2)[0] for check in ids]
    frame["step"] = [check.rsplit("::", 1)[0] for check in ids]
    frame["component"], frame["operation"] = "ml-api-adapter", "POST /transfers"
    frame["expected"], frame["actual"] = "", ""
    return frame.sample(frac=1, random_state=1)[list(CHECK_COLUMNS)]


def _baseline_table(checks: int) -> pd.DataFrame:
    # One check in a hundred is only on either side.
    frame = pd.DataFrame({"check": _ids(checks // 100, checks)})
    frame["fingerprint"] = [f"{n:016x}" for n in range(checks // 100, checks // 100 + checks)]
    frame["operation"], frame["component"], frame["runs"] = "POST /transfers", "ml-api-adapter", 3
    for name in COUNTS:
        frame[name] = 0
    frame["passed"] = 3
    frame.loc[::70, ["passed", "failed"]] = [0, 3]
    for name in LATENCIES:
        frame[name] = 12.5
    return frame.sort_values("check")[list(RESULT_COLUMNS)]


def _moved(base: pd.DataFrame) -> pd.DataFrame:
    """The baseline of a suite of another layout, in which each check asks what no other asks."""
    marks = [f"{int(check.rsplit(' ', 1)[1]):016x}" for check in base["check"]]
    return base.assign(check="old/" + base["check"], fingerprint=marks)


def _read(file: Path) -> pd.DataFrame:
    return pd.read_csv(file, keep_default_na=False, dtype={"fingerprint": "object"})


def _evidence(run: pd.DataFrame) -> Evidence:
    run = run.astype(dict.fromkeys(CHECK_COLUMNS, "object"))
    names = list(run["case"].unique())
    planned = table(((name, name, "transfers", ["p2p"], "major", "x.py", True, None) for name in names), PLAN_COLUMNS)
    failed = set(run.loc[run["outcome"] == "failed", "case"])
    cases = table(((name, "failed" if name in failed else "passed", 1.0, "", "") for name in names), CASE_COLUMNS)
    digest = "5" * 64
    return Evidence(
        started=RunStarted(
            run_id="bench",
            product="mojaloop",
            release="v17.1.0",
            scheme="bench",
            suite={"name": "mojaloop", "digest": digest, "pin": "match", "pinned_digest": digest},
            target={"name": "t", "kind": "environment", "services": {}, "facts": {}, "defects": []},
            selection={"complete": True},
            tool={},
        ),
        finished=RunFinished(cases=len(names), checks=len(run), duration_ms=1.0),
        plan_complete=PlanComplete(cases=len(names), selected=len(names)),
        probes=(ServiceProbed(service="s", url="", status="ok", version="v1", expected_version="v1"),),
        planned=planned,
        checks=run,
        steps=table((), STEP_COLUMNS),
        cases=cases,
    )


def _baseline(base: pd.DataFrame, suite: str = "5") -> Baseline:
    return Baseline(
        product="mojaloop",
        release="v17.1.0",
        source=BaselineSource.OSS,
        suite_name="mojaloop",
        suite_digest=suite * 64,
        recorded_at="",
        recorded_by="",
        run_ids=("1", "2", "3"),
        components={},
        target={},
        results=base.astype(dict.fromkeys(("check", "fingerprint", "operation", "component"), "object")),
        operations={},
    )


def _judge(evidence: Evidence, baseline: Baseline) -> JudgedRun:
    release = Release("mojaloop", ReleaseVersion(17, 1, 0), {"s": "v1"}, "bench")
    return judge(evidence, baseline, parse_criteria(_CRITERIA, "criteria.yaml"), release)


if __name__ == "__main__":
    main(*(int(argument.replace("_", "").replace(",", "")) for argument in sys.argv[1:2]))

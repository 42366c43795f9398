"""Only whole, sound runs make a baseline, and what is written is what is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import BaselineError
from harness.judge.baseline import Baseline, BaselineSource, baseline_from_evidence, component_versions, percentile
from harness.judge.baseline_store import load_baseline, write_baseline
from harness.judge.evidence import Evidence
from harness.model.outcome import Outcome
from harness.model.records import (
    CaseFinished,
    CasePlanned,
    CheckRecorded,
    Interrupted,
    PlanComplete,
    Record,
    RunFinished,
    RunStarted,
    ServiceProbed,
    WorkerLost,
)
from tests.judge.build import SOUND, E, F, H, P, Run, S, Shape, baseline, case, check_id, run


def record(*evidences: Evidence, source: BaselineSource = BaselineSource.OSS) -> Baseline:
    return baseline_from_evidence(evidences, source=source, recorded_at="2026-01-01", recorded_by="test")


def test_outcomes_are_counted_over_the_runs() -> None:
    merged = baseline((case("pays", P, P, H),), (case("pays", P, F, S),), (case("pays", P, F, P),))
    counts = merged.results.set_index("check")[["runs", "passed", "failed", "hollow", "skipped", "error"]]
    assert counts.loc[check_id("pays", "c1")].tolist() == [3, 3, 0, 0, 0, 0]
    assert counts.loc[check_id("pays", "c2")].tolist() == [3, 1, 2, 0, 0, 0]
    assert counts.loc[check_id("pays", "c3")].tolist() == [3, 1, 0, 1, 1, 0]
    assert merged.runs == 3
    assert merged.cases == (SOUND[0].case,)
    assert merged.components["ml-api-adapter"] == "v16.5.0"


def test_latency_is_of_the_step_and_of_the_operation() -> None:
    merged = baseline(
        (case("pays", P, latency_ms=10.04, callback_ms=None),), (case("pays", P, latency_ms=30.0, callback_ms=55.55),)
    )
    row = merged.results.iloc[0]
    assert (row["latency_p50_ms"], row["latency_p95_ms"], row["latency_max_ms"]) == (10.0, 30.0, 30.0)
    assert merged.operations == {
        "POST /transfers": {
            "count": 2, "p50_ms": 10.0, "p95_ms": 30.0, "max_ms": 30.0,
            "callback_count": 1, "callback_p50_ms": 55.5, "callback_p95_ms": 55.5, "callback_max_ms": 55.5,
        }
    }  # fmt: skip


def test_the_times_are_kept_sorted_and_of_many_their_percentiles() -> None:
    few = baseline(tuple(case(f"c{n}", P, latency_ms=float(9 - n)) for n in range(9)))
    assert few.samples["POST /transfers"]["response"] == tuple(float(n) for n in range(1, 10))
    many = baseline(tuple(case(f"c{n}", P, latency_ms=float(n), callback_ms=None) for n in range(1000, 0, -1)))
    kept = many.samples["POST /transfers"]
    assert list(kept) == ["response"]
    assert len(kept["response"]) == 101
    assert (kept["response"][0], kept["response"][50], kept["response"][100]) == (1.0, 500.0, 1000.0)


def test_a_baseline_of_an_older_format_without_times_is_read_and_says_so(tmp_path: Path) -> None:
    write_baseline(replace(baseline(), samples={}), tmp_path)
    assert "samples" not in (tmp_path / "baseline.yaml").read_text()
    assert any("no interval" in limit for limit in load_baseline(tmp_path).limits)


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([1, 2, 3, 4], 50) == 2
    assert percentile(range(1, 101), 95) == 95
    assert percentile([7], 95) == 7


def _insert(what: Run, told: Record) -> Run:
    return replace(what, records=(*what.records[:-1], told, what.records[-1]))


REFUSED: list[tuple[Run, str]] = [
    (replace(run(SOUND), damage=("a gap",)), "damaged"),
    (run(SOUND).without(lambda r: isinstance(r, RunFinished)), "cut off"),
    (run(SOUND).without(lambda r: isinstance(r, PlanComplete)), "cut off"),
    (_insert(run(SOUND), Interrupted(reason="SIGTERM")), "interrupted"),
    (_insert(run(SOUND), WorkerLost(worker="gw0", case=None, message="")), "interrupted"),
    (run(SOUND).changed(RunFinished, problems=["the inbound server died"]), "inbound server died"),
    (run(SOUND).changed(RunStarted, selection={"complete": False}), "a part of the suite"),
    (run([replace(SOUND[0], selected=False), *SOUND[1:]]), "a part of the suite"),
    (run(SOUND).changed(RunStarted, suite={"pin": "differs"}), "not the pinned one"),
    (run(SOUND).changed(RunStarted, suite={"pin": "absent"}), "not the pinned one"),
    (run(SOUND).changed(RunStarted, suite={"digest": ""}), "not the pinned one"),
    (run(SOUND).changed(RunStarted, target={"defects": ["no-callback"]}), "no-callback"),
    (run(SOUND).without(lambda r: isinstance(r, ServiceProbed)), "healthy"),
    (run(SOUND).changed(ServiceProbed, status="down"), "healthy"),
    (run(SOUND).changed(ServiceProbed, version="v1.0.0"), "reported version v1.0.0"),
    (run(SOUND).without(lambda r: isinstance(r, CaseFinished) and "pays" in r.case), "pays has no result"),
    (run([*SOUND, case("broke", E)]), "broke"),
    (run([Shape("empty", {})]), "holds no check"),
    (run([]), "holds no check"),
]


@pytest.mark.parametrize(("spoilt", "why"), REFUSED, ids=[why for _, why in REFUSED])
def test_a_run_that_is_not_whole_and_sound_is_refused(spoilt: Run, why: str) -> None:
    with pytest.raises(BaselineError, match=why) as refusal:
        record(spoilt.evidence())
    assert refusal.value.remedy


def test_runs_that_do_not_belong_together_are_refused() -> None:
    first, other = run(SOUND), run(SOUND, run_id="r2")
    cases: list[tuple[Run, str]] = [
        (other.changed(RunStarted, suite={"digest": "6" * 64}), "another suite"),
        (other.changed(RunStarted, release="v16.0.0"), "another release"),
        (other.changed(RunStarted, product="payment-manager"), "another product"),
        (run(SOUND, run_id="r2", kind="embedded"), "another kind of target"),
        (run(SOUND), "given twice"),
        (other.changed(ServiceProbed, version="v1", expected_version=None), "different component versions"),
        (other.changed(CheckRecorded, fingerprint="beef"), "different questions"),
    ]
    for second, why in cases:
        with pytest.raises(BaselineError, match=why):
            record(first.evidence(), second.evidence())


def test_no_run_makes_no_baseline() -> None:
    with pytest.raises(BaselineError, match="no run to record"):
        record()


def test_a_rehearsal_cannot_be_recorded_as_oss() -> None:
    rehearsal = run(SOUND, kind="embedded").evidence()
    with pytest.raises(BaselineError, match="no evidence of OSS"):
        record(rehearsal)
    assert record(rehearsal, source=BaselineSource.EMBEDDED).source is BaselineSource.EMBEDDED


def test_a_case_planned_but_left_out_is_found_though_the_run_calls_itself_complete() -> None:
    spoilt = run(SOUND).each(
        lambda r: replace(r, selected=False) if isinstance(r, CasePlanned) and "pays" in r.case else r
    )
    with pytest.raises(BaselineError):
        record(spoilt.evidence())


def test_a_component_asked_only_through_its_admin_api_is_known_by_its_own_name() -> None:
    told = run(SOUND).each(
        lambda r: (
            replace(r, service="central-ledger-admin") if isinstance(r, ServiceProbed) and "ml-" in r.service else r
        )
    )
    assert component_versions(told.evidence())["central-ledger"] == "v16.5.0"


# --- imported evidence, and what a baseline cannot say ---------------------------------------------------------------

DECLARED = {"ml-api-adapter": "16.5.9", "central-ledger": "19.8.3"}


def imported(*runs: Run, components: dict[str, str] | None = None, **more: Any) -> Baseline:
    return baseline_from_evidence(
        [one.evidence() for one in runs],
        source=BaselineSource.OSS,
        recorded_at="2026-01-01",
        recorded_by="test",
        components=DECLARED if components is None else components,
        **more,
    )


def unasked(run_id: str = "r1") -> Run:
    return run(SOUND, run_id=run_id).without(lambda r: isinstance(r, ServiceProbed))


def test_evidence_whose_components_are_declared_needs_no_probe(tmp_path: Path) -> None:
    told = {"reports": [{"file": "golden-path-1.json", "sha256": "a" * 64}], "engine": "ml-testing-toolkit 18.14.1"}
    made = imported(unasked(), unasked("r2"), provenance=told)
    assert made.components == DECLARED
    assert made.runs == 2
    assert made.provenance == {**told, "components": "declared"}
    assert write_baseline(made, tmp_path / "b").provenance == made.provenance


def test_declared_components_must_be_named_and_not_contradict_what_was_asked() -> None:
    for components in ({}, {"central-ledger": ""}):
        with pytest.raises(BaselineError, match="no component versions are declared"):
            imported(unasked(), components=components)
    with pytest.raises(BaselineError, match=r"ml-api-adapter reported version v16\.5\.0, but 16\.5\.9 is declared"):
        imported(run(SOUND))
    with pytest.raises(BaselineError, match="healthy"):
        imported(run(SOUND).changed(ServiceProbed, status="down"))


def test_provenance_that_cannot_be_kept_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="provenance holds a value"):
        write_baseline(imported(unasked(), provenance={"when": object()}), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_baseline_says_what_it_cannot_say() -> None:
    def limits(*before: tuple[Shape, ...], source: BaselineSource = BaselineSource.OSS) -> str:
        return "\n".join(baseline(*before, source=source).limits)

    assert limits(SOUND) == "One run says nothing about flakiness"
    assert "2 runs show flakiness only where" in limits(SOUND, SOUND)
    assert limits(*[SOUND] * 6) == ""
    assert "embedded hub" in limits(SOUND, source=BaselineSource.EMBEDDED)
    assert "holds no latency" in limits((case("pays", P, latency_ms=None),))
    partly = (case("pays", P, latency_ms=None), case("aborts", P))
    assert "holds no latency for 1 of 2 checks" in limits(partly)
    assert "saw 1 check neither pass nor fail" in limits((case("pays", P, H),))
    assert "does not know what 1 check asked" in limits((case("pays", P, fingerprint=""),))
    assert "declared, not asked" in "\n".join(imported(unasked()).limits)


# --- the store -------------------------------------------------------------------------------------------------------


def same(one: Baseline, other: Baseline) -> None:
    pd.testing.assert_frame_equal(one.results, other.results)
    for name in ("product", "release", "source", "suite_name", "suite_digest", "recorded_at", "recorded_by", "run_ids"):
        assert getattr(one, name) == getattr(other, name)
    for name in ("components", "target", "operations", "samples"):
        assert dict(getattr(one, name)) == dict(getattr(other, name))


segment = st.text(min_size=1, max_size=8).filter(lambda text: ":" not in text and text.strip() == text != "")
odd = st.sampled_from(["a,b", '"', "it's", "ż", "NA", "null", "nan", "1", "-", "=1+1", "x\ry", "x\ny", "#2"])


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.one_of(segment, odd), st.sampled_from([P, F, H, S])), min_size=1, max_size=6,
             unique_by=lambda pair: pair[0]),
    st.floats(0, 1e6) | st.none(),
)  # fmt: skip
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, checks: list[tuple[str, Outcome]], latency: float | None
) -> None:
    made = baseline((Shape("pays", {"send": dict(checks)}, latency_ms=latency),))
    folder = tmp_path_factory.mktemp("baseline")
    same(write_baseline(made, folder), made)
    again = load_baseline(folder)
    same(again, made)
    before = [(folder / name).read_bytes() for name in ("baseline.yaml", "results.csv")]
    write_baseline(again, folder)
    assert [(folder / name).read_bytes() for name in ("baseline.yaml", "results.csv")] == before


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    write_baseline(baseline(), tmp_path / "v17.1.0")
    return tmp_path / "v17.1.0"


def test_results_are_one_sorted_line_per_check(stored: Path) -> None:
    lines = (stored / "results.csv").read_text().splitlines()
    assert lines[0].startswith('"check","fingerprint","operation","component","runs","passed"')
    assert lines[1:] == sorted(lines[1:])
    assert len(lines) == 7
    assert lines[1].endswith('"f00d","POST /transfers","ml-api-adapter",1,1,0,0,0,0,10.0,10.0,10.0')


def test_nothing_else_is_left_in_the_folder(stored: Path) -> None:
    assert sorted(path.name for path in stored.iterdir()) == ["baseline.yaml", "results.csv"]


def _edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))

    return edit


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda folder: (folder / "results.csv").unlink(), "results.csv: the file is absent"),
        (lambda folder: (folder / "baseline.yaml").unlink(), "baseline.yaml: the file is absent"),
        (_edit("results.csv", ",1,1,0,0,0,0,", ",1,0,1,0,0,0,"), "digest"),
        (lambda folder: (folder / "results.csv").write_text(""), "digest"),
        (lambda folder: (folder / "baseline.yaml").write_text(""), "empty"),
        (lambda folder: (folder / "baseline.yaml").write_text("a: [1"), "line"),
        (lambda folder: (folder / "baseline.yaml").write_bytes(b"\xff"), "not readable"),
        (_edit("baseline.yaml", "source: oss", "source: os"), r"line 5 \(source\)"),
        (_edit("baseline.yaml", "runs: 1", "runs: 2"), "says 2 runs but names 1"),
        (_edit("baseline.yaml", "runs: 1", "runs: true"), "runs"),
        (_edit("baseline.yaml", "kind: detailed", "kind: detailed\nkind: detailed"), "stands twice"),
        (_edit("baseline.yaml", "kind: detailed", "kind: detailed\nmood: good"), "line 3 .*: unknown key 'mood'|mood"),
        (_edit("baseline.yaml", "checks: 6", "checks: 7"), "7 checks"),
        (_edit("baseline.yaml", "format: 1", "format: 2"), "format"),
        (_edit("baseline.yaml", "response: [10.0, 10.0, 10.0]", "response: [10.0, 10.0, 9.0]"), "not in order"),
        (_edit("baseline.yaml", "response: [10.0, 10.0, 10.0]", "response: []"), "not in order"),
        (_edit("baseline.yaml", "response: [10.0, 10.0, 10.0]", "answer: [10.0]"), "answer"),
    ],
)
def test_a_baseline_that_does_not_add_up_is_refused(stored: Path, spoil: Callable[[Path], object], why: str) -> None:
    spoil(stored)
    with pytest.raises(BaselineError, match=why) as refusal:
        load_baseline(stored)
    assert refusal.value.remedy
    assert str(stored) in str(refusal.value)


def _resigned(folder: Path, old: str, new: str) -> None:
    import hashlib

    _edit("results.csv", old, new)(folder)
    digest = hashlib.sha256((folder / "results.csv").read_bytes()).hexdigest()
    text = (folder / "baseline.yaml").read_text()
    at = text.index("sha256: ") + len("sha256: ")
    (folder / "baseline.yaml").write_text(text[:at] + digest + text[at + 64 :])


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (",1,1,0,0,0,0,", ",2,1,0,0,0,0,", "row 2: the outcomes do not add up"),
        (",1,1,0,0,0,0,", ",0,0,0,0,0,0,", "without a run"),
        (",1,1,0,0,0,0,", ",2,2,0,0,0,0,", "more than 1"),
        (",1,1,0,0,0,0,", ",1,2,-1,0,0,0,", "below zero"),
        (",1,1,0,0,0,0,", ",1,x,0,0,0,0,", "not readable"),
        ("::aborts::send::c2", "::aborts::send::c1", "stands there twice"),
        ("::aborts::send::c2", "::aborts::c2", "not a check id"),
        ('"runs"', '"rums"', "line 1"),
    ],
)
def test_results_with_a_right_digest_must_still_make_sense(stored: Path, old: str, new: str, why: str) -> None:
    _resigned(stored, old, new)
    with pytest.raises(BaselineError, match=why):
        load_baseline(stored)


def test_a_name_that_is_no_text_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="no Unicode text"):
        write_baseline(baseline((Shape("pays", {"send": {"\udc80": P}}),)), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_absent_baseline_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match=r"no baseline here\. Record it with: harness baseline record"):
        load_baseline(tmp_path / "v9.9.9")

"""The figures are what Prometheus reads, and a night that showed nothing is no approval in them."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from harness.model.outcome import VerdictKind
from harness.nightly.figures import figures, write_figures
from harness.nightly.processes import Process
from harness.nightly.record import JobRecord, NightRecord, Stage


def night(job: JobRecord) -> NightRecord:
    return NightRecord(Path(), "n", "p", "d", Process.me(), "2026-11-25T01:00:00.000Z", [job])


def samples(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    families = list(text_string_to_metric_families(text))
    assert all(one.documentation and one.type == "gauge" for one in families)
    return {one.name: [(sample.labels, sample.value) for sample in one.samples] for one in families}


def test_a_run_without_a_verdict_is_inconclusive() -> None:
    job = JobRecord('ni"ght\\', "t\n", "v1", "mojaloop", runs=[{"suite": "native", "run_id": "r"}], exit_code=4)
    job.stages.append(Stage("lock", "2026-11-25T01:00:00.000Z", "2026-11-25T01:02:00.000Z"))
    found = samples(figures("plan", night(job), job, [], 3))
    verdict = {labels["verdict"]: value for labels, value in found["mojaloop_harness_verdict"]}
    assert verdict == {kind.value: float(kind is VerdictKind.INCONCLUSIVE) for kind in VerdictKind}
    labels, value = found["mojaloop_harness_night_exit_code"][0]
    assert (labels["job"], labels["target"], value) == ('ni"ght\\', "t\n", 4)
    [(_, begin)], [(_, end)] = (found[f"mojaloop_harness_night_{name}_timestamp_seconds"] for name in ("start", "end"))
    assert end - begin == 120
    assert found["mojaloop_harness_messages_pending"][0][1] == 3


def test_a_night_without_a_run_is_inconclusive_too(tmp_path: Path) -> None:
    job = JobRecord("night", "t", "v1", "mojaloop")
    path = write_figures(tmp_path, "plan", night(job), job, [], 0)
    assert path.name == "plan-night.prom"
    found = samples(path.read_text())
    assert {labels["verdict"]: value for labels, value in found["mojaloop_harness_verdict"]}["INCONCLUSIVE"] == 1
    assert found["mojaloop_harness_night_exit_code"][0][1] == -1

"""What does Prometheus see of the last night? A file for the node exporter's textfile collector, one per job.

The format is the text exposition format 0.0.4 of Prometheus; the collector reads ``*.prom`` in a folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.fspiop.dates import parse_iso
from harness.model.outcome import ComparisonClass, VerdictKind
from harness.nightly.record import JobRecord, NightRecord
from harness.report.files import write_file

if TYPE_CHECKING:
    from harness.report.interface import ReportInput

__all__ = ["figures", "write_figures"]

_PREFIX = "mojaloop_harness"


def write_figures(
    folder: Path, plan: str, night: NightRecord, job: JobRecord, judged: Iterable[ReportInput], pending: int
) -> Path:
    """Writes ``<plan>-<job>.prom`` into ``folder``, whole or not at all. Raises ``OSError``."""
    text = figures(plan, night, job, list(judged), pending)
    return write_file(folder / f"{plan}-{job.name}.prom", text.encode())


def figures(plan: str, night: NightRecord, job: JobRecord, judged: list[ReportInput], pending: int) -> str:
    """Returns what the last night of ``job`` came to. ``pending``: how many messages have not arrived."""
    base = {"plan": plan, "job": job.name, "target": job.target, "product": job.product, "release": job.release}
    times = [parse_iso(at).timestamp() for stage in job.stages for at in (stage.started_at, stage.finished_at) if at]
    lines: list[str] = []

    def family(name: str, text: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> None:
        full = f"{_PREFIX}_{name}"
        lines.append(f"# HELP {full} {text}")
        lines.append(f"# TYPE {full} gauge")
        lines.extend(f"{full}{_labels({**base, **more})} {_number(value)}" for more, value in samples)

    family(
        "verdict",
        "Verdict of the last night's run of each suite: 1 for the one that it has, 0 for the others.",
        _verdicts(job, judged),
    )
    family(
        "checks",
        "Checks of the last night's run by comparison class.",
        (
            ({"suite": _suite(run), "class": kind.value}, float(run.judged.counts[kind.value]))
            for run in judged
            for kind in ComparisonClass
        ),
    )
    code = -1 if job.exit_code is None else job.exit_code
    family("night_exit_code", "Exit code of the last night's job, 0 where it is approved.", [({}, float(code))])
    family("night_problems", "What went wrong in the last night beside its runs.", [({}, float(len(job.problems)))])
    family("messages_pending", "Messages of the plan that have not reached their channel.", [({}, float(pending))])
    family(
        "night_start_timestamp_seconds",
        "When the last night's job began.",
        [({}, value) for value in times and [min(times)]],
    )
    family(
        "night_end_timestamp_seconds",
        "When the last night's job ended.",
        [({}, value) for value in times and [max(times)]],
    )
    return "\n".join(lines) + "\n"


def _verdicts(job: JobRecord, judged: list[ReportInput]) -> Iterator[tuple[Mapping[str, str], float]]:
    kinds = {_suite(run): run.judged.verdict.kind for run in judged}
    rehearsals = {_suite(run): "true" if run.judged.verdict.rehearsal else "false" for run in judged}
    for suite in dict.fromkeys([*(str(run["suite"]) for run in job.runs), *kinds]):
        for kind in VerdictKind:
            # what gave no verdict is inconclusive: a figure that is absent alarms nobody
            yield (
                {"suite": suite, "verdict": kind.value, "rehearsal": rehearsals.get(suite, "false")},
                float(kinds.get(suite, VerdictKind.INCONCLUSIVE) is kind),
            )
    if not job.runs:
        for kind in VerdictKind:
            yield {"suite": "", "verdict": kind.value, "rehearsal": "false"}, float(kind is VerdictKind.INCONCLUSIVE)


def _suite(run: ReportInput) -> str:
    started = run.judged.evidence.started
    return str(started.suite.get("source", "")) if started else ""


def _labels(values: Mapping[str, str]) -> str:
    pairs = (f'{name}="{_escaped(value)}"' for name, value in values.items())
    return "{" + ",".join(pairs) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)

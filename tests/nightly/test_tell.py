"""Is it told that the history cannot be read? What it holds may be what changed: silence is not health."""

from __future__ import annotations

from pathlib import Path

from harness.history.store import append
from harness.nightly.messages.message import Message
from harness.nightly.messages.outbox import Outbox
from harness.nightly.processes import Process
from harness.nightly.record import JobRecord, NightRecord
from harness.nightly.tell import Telling
from harness.report.interface import ReportInput
from harness.workspace import Workspace
from tests.history.nights import judged_night
from tests.nightly.support import loaded

HOOK = {"name": "ops", "kind": "json", "url": "env:HOOK"}


def a_night(root: Path, number: int) -> tuple[NightRecord, list[str], list[Message]]:
    """Tells of a night with one sound run; returns its record, what was said, and what was sent."""
    workspace, plan = Workspace(root), loaded(root, HOOK)
    said: list[str] = []
    sent: list[Message] = []

    def send(_plan: object, _channel: object, message: Message, _patience: object) -> int:
        sent.append(message)
        return 1

    outbox = Outbox(root / "outbox", plan, send)
    record = JobRecord("night", "embedded", "v17.1.0", "mojaloop", exit_code=0)
    night = NightRecord(
        root / "reports" / "nightly" / plan.name / f"n{number}", f"n{number}", plan.name, "", Process.me(),
        f"2026-06-0{number}T03:00:00.000Z", [record],
    )  # fmt: skip
    job = plan.chosen("night")[0]
    Telling(workspace, plan, outbox, said.append).tell(night, job, record, [ReportInput(judged_night(number), [])])
    night.write()
    return night, said, sent


def test_a_torn_file_is_said_stands_in_the_record_and_is_told_once(tmp_path: Path) -> None:
    root = tmp_path / "reports" / "history"
    for number in range(1, 4):
        append(root, judged_night(number))
    next(root.glob("checks/*/*/*/run-r003.parquet")).write_bytes(b"PAR1")
    night, said, sent = a_night(tmp_path, 4)
    (problem,) = night.jobs[0].problems
    assert problem.startswith("the history: checks/product=mojaloop/target=t/month=2026-06/run-r003.parquet is passed")
    assert said.count(problem) == 1
    assert [(len(one.happenings), one.problems) for one in sent] == [(1, (problem,))]
    assert problem in sent[0].happenings[0].text
    # The morning after it is no news, and still said and written down.
    night, said, sent = a_night(tmp_path, 5)
    assert (night.jobs[0].problems, said.count(problem), sent) == ([problem], 1, [])

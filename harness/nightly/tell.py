"""What is done with a job once it is judged: into the history, to those who must know, into the figures.

None of it changes the verdict or the exit code; what fails of it is said, and stands in ``nightly.json``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from harness.errors import HarnessError
from harness.model.event_kind import EventKind
from harness.nightly.figures import write_figures
from harness.nightly.messages.message import Happening, Message, Said, job_happenings, message_of, run_happenings
from harness.nightly.messages.outbox import Outbox
from harness.nightly.night import nights_of
from harness.nightly.orders import against_of
from harness.nightly.plan import Job, NightlyPlan
from harness.nightly.record import SKIPPED, JobRecord, NightRecord
from harness.workspace import Workspace

if TYPE_CHECKING:
    from harness.report.interface import ReportInput

__all__ = ["Last", "Telling"]

Last = tuple[NightRecord, JobRecord, "list[ReportInput]"]
"""The last night of a job: what became of the job, and its runs as they are judged now."""


@final
@dataclass(frozen=True, slots=True)
class Telling:
    """Tells of the jobs of one plan. ``say`` is what a person at the terminal hears."""

    workspace: Workspace
    plan: NightlyPlan
    outbox: Outbox
    say: Callable[[str], None]

    def pending(self) -> int:
        """Sends what earlier nights could not, and returns how many messages that were."""
        unfinished = [night.night for night in nights_of(self.workspace, self.plan) if not night.finished_at]
        found = self.outbox.resend(but=unfinished)
        for one in found:
            self.say(f"pending message, channel {one['channel']}: {one['status']}: {one['text']}")
        return len(found)

    def tell(self, night: NightRecord, job: Job, record: JobRecord, judged: Sequence[ReportInput]) -> None:
        """Records, notifies and counts. Raises ``HarnessError`` only where ``nightly.json`` cannot be written."""
        self._record(night, record, judged)
        self._page(record, judged)
        with night.stage(record, "notify") as stage:
            message = self.message(night, record, judged)
            if message is None:
                stage.status, stage.text = SKIPPED, "nothing changed"
                self.say("nothing changed: nobody is told")
            else:
                self.say(f"changed: {message.title}")
                for one in self.deliver(job, message, but=[str(one["channel"]) for one in record.messages]):
                    record.messages.append(one)
                    night.write()
                sent = sum(one["status"] == "sent" for one in record.messages)
                stage.text = f"{message.title}: {sent} of {len(record.messages)} sent"
                stage.status = "ok" if sent == len(record.messages) else "failed"
        lock = record.stage("lock")
        if lock is not None and lock.status == "failed" and not record.runs:
            return  # another night has the target, and its figures are those to be seen
        try:
            path = write_figures(
                self.workspace.root / "reports" / "prometheus", self.plan.name, night, record, judged,
                self.outbox.waiting,
            )  # fmt: skip
        except OSError as problem:
            self.say(f"the figures for Prometheus cannot be written: {problem.strerror or problem}")
        else:
            self.say(f"figures: {self.workspace.relative(path)}")

    def deliver(self, job: Job, message: Message, but: Collection[str] = ()) -> Iterator[dict[str, str]]:
        """Sends ``message`` by every channel of ``job`` that wants it, and yields what came of each.

        ``but`` names the channels that have had it.
        """
        if not job.notify:
            self.say("the job notifies nobody: give it channels under notify")
        for channel in self.plan.channels(job):
            if channel.name in but:
                continue
            wanted = message.only(channel.events)
            if wanted is None:
                self.say(f"channel {channel.name}: not told: none of it is among its events")
                continue
            one = self.outbox.deliver(channel, wanted)
            self.say(f"channel {channel.name}: {one['status']}{': ' + one['text'] if one['text'] else ''}")
            yield one

    def message(self, night: NightRecord, record: JobRecord, judged: Sequence[ReportInput]) -> Message | None:
        """Returns what is to be told of ``record``; ``None`` where nothing changed."""
        happenings: list[Happening] = []
        # a run without a judgement or a history can have changed anything: that is told, never silence
        lost = [f"what run {name} changed is not known: it is gone" for name in _unjudged(record, judged)]
        for run in judged:
            try:
                happenings += run_happenings(record, _suite(run), self._events(record, run))
            except HarnessError as problem:
                lost.append(f"what changed is not known: {problem}")
        happenings += [Happening(EventKind.PROBLEM, text) for text in lost]
        before = self._before(night, record)
        happenings += job_happenings(record, before, happenings)
        target = next((name for run in judged if (name := _target(run))), record.target)
        plan = self.plan.plan
        said = Said(
            night=night.night, at=record.stages[-1].started_at if record.stages else night.started_at, record=record,
            judged=judged, link=plan.link or "", dashboard=plan.dashboard or "", target=target, unknown=bool(lost),
        )  # fmt: skip
        return message_of(said, happenings)

    def last(self, job: Job) -> Last | None:
        """Returns the last finished night of ``job``, its runs judged again; ``None`` where there was none."""
        from harness.validation import judge_folder

        for night in reversed(nights_of(self.workspace, self.plan)):
            record = next((one for one in night.jobs if one.name == job.name and one.exit_code is not None), None)
            if record is None:
                continue
            folders = [self.workspace.runs / str(run["run_id"]) for run in record.runs]
            against = against_of(self.plan, job)
            judged = [judge_folder(self.workspace, path, against) for path in folders if path.is_dir()]
            return night, record, judged
        return None

    def _record(self, night: NightRecord, record: JobRecord, judged: Iterable[ReportInput]) -> None:
        from harness.history.store import append

        for run in judged:
            try:
                with night.stage(record, "history") as stage:
                    done = append(self.workspace.history, run.judged)
                    stage.text = "; ".join((self.workspace.relative(done.path), *done.notes))
                    for note in done.notes:
                        self.say(f"history: {note}")
            except HarnessError as problem:
                self._note(record, str(problem))

    def _note(self, record: JobRecord, text: str) -> None:
        """Says once what is wrong with the history, and has it told: what it cannot read may be what changed."""
        if (noted := f"the history: {text}") not in record.problems:
            record.problems.append(noted)
            self.say(noted)

    def _page(self, record: JobRecord, judged: Iterable[ReportInput]) -> None:
        """Writes the history page of each target anew."""
        from harness.history.page.writer import write_page
        from harness.history.places import page_place

        for target, product in dict.fromkeys((_target(run), run.judged.verdict.product) for run in judged):
            dataset = self.workspace.history
            try:
                path, problems = write_page(dataset, target, page_place(dataset, product, target), product=product)
            except HarnessError as problem:
                self.say(f"the history page cannot be written: {problem}")
                continue
            self.say(f"history page: {self.workspace.relative(path)}")
            for text in problems:
                self._note(record, text)

    def _events(self, record: JobRecord, run: ReportInput) -> list[Happening]:
        """Returns what the history says that ``run`` changed. Raises ``HarnessError`` where it cannot say."""
        from harness.history.events import events

        started = run.judged.evidence.started
        if started is None:
            return []
        news = events(self.workspace.history, _target(run), started.run_id, product=started.product)
        for text in news.passed_over:
            self._note(record, text)
        return [Happening(one.kind, one.text, one.checks, one.component, one.since) for one in news.events]

    def _before(self, night: NightRecord, record: JobRecord) -> JobRecord | None:
        found = None
        for other in nights_of(self.workspace, self.plan):
            if other.night == night.night:
                break
            for one in other.jobs:
                if one.name == record.name and one.exit_code is not None:
                    found = one
        return found


def _target(run: ReportInput) -> str:
    started = run.judged.evidence.started
    return str(started.target.get("name", "")) if started else ""


def _suite(run: ReportInput) -> str:
    started = run.judged.evidence.started
    return str(started.suite.get("source", "")) if started else ""


def _unjudged(record: JobRecord, judged: Sequence[ReportInput]) -> list[str]:
    """Returns the runs that had a verdict when the night was judged, and have none to be read now."""
    there = {run.judged.verdict.run_id for run in judged}
    return [str(run["run_id"]) for run in record.runs if run["verdict"] and run["run_id"] not in there]

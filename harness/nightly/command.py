"""What ``harness nightly`` and ``harness notify`` do, put together: plan, night, history, messages, figures."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from harness.errors import HarnessError, UsageError
from harness.nightly.job import JobRun
from harness.nightly.messages.message import Message
from harness.nightly.messages.outbox import Outbox
from harness.nightly.messages.render import as_json, as_mail, as_slack, as_teams
from harness.nightly.night import Night
from harness.nightly.orders import resolved
from harness.nightly.plan import Job, MailChannel, NightlyPlan, WebChannel, load_plan, seconds
from harness.nightly.record import NightRecord, worst
from harness.nightly.stop import Stop
from harness.nightly.tell import Last, Telling
from harness.workspace import Workspace

__all__ = ["dry", "dry_notify", "notify", "run"]

Say = Callable[[str], None]


def run(workspace: Workspace, path: Path, job: str | None, wait: str, say: Say) -> int:
    """Carries out the plan in ``path`` and returns the exit code. Raises ``HarnessError`` where it cannot begin."""
    plan = load_plan(path)
    wait_s = _wait(wait)
    telling = _telling(workspace, plan, say)

    def after(night: NightRecord, done: JobRun) -> None:
        telling.tell(night, done.job, done.record, done.judged)
        for one in done.record.runs:
            say(f"job {done.job.name}: suite {one['suite']}: {one['verdict'] or 'not judged'}")
        say(f"job {done.job.name}: exit code {done.record.exit_code}, {workspace.relative(night.path)}")

    with Stop() as stop:
        telling.pending()
        code = Night(workspace, plan, wait_s, stop, say, after).go(job)
    say(f"exit code {code}")
    return code


def dry(workspace: Workspace, path: Path, job: str | None, say: Say) -> int:
    """Says what would be done, and prints what would be sent of each job's last night. Touches no target.

    Returns 0, or 3 where a job could not begin or a channel's secret is not there.
    """
    plan = load_plan(path)
    telling = _telling(workspace, plan, say)
    codes = [0]
    for one in plan.chosen(job):
        try:
            for suite in one.suites:
                options = resolved(workspace, plan, one, suite)
                say(f"job {one.name}: suite {suite} of {one.product} {options.release} on {one.target}")
        except HarnessError as problem:
            codes.append(problem.exit_code)
            say(f"job {one.name} cannot begin: {problem}")
        for what, names in (("provisioning", one.provisioning), ("clean-up", one.clean_up)):
            say(f"  {what}: {', '.join(names) or 'none'}")
        say(f"  time budget {one.time_budget}, clean-up {one.clean_up_budget}")
        for channel in plan.channels(one):
            lack = _lack(plan, channel)
            codes.append(3 if lack else 0)
            say(f"  channel {channel.name} ({channel.kind}): {lack or ', '.join(kind for kind in channel.events)}")
        if not one.notify:
            say("  notifies nobody")
        _print_last(telling, plan, one, say)
    return worst(codes)


def notify(workspace: Workspace, path: Path, job: str | None, *, last: bool, say: Say) -> int:
    """Sends what is pending, and with ``last`` what each job's last night changed, once more.

    Returns 0, or 2 where something did not arrive or what changed is not known.
    """
    plan = load_plan(path)
    telling = _telling(workspace, plan, say)
    chosen = plan.chosen(job)
    codes: list[int] = [0]
    if not telling.pending():
        say("no message is waiting")
    for one in chosen if last else ():
        found = telling.last(one)
        message = None if found is None else telling.message(*found)
        if message is None:
            say(f"job {one.name}: {_nothing_to_tell(found)}")
            continue
        say(f"job {one.name}: {message.title}")
        list(telling.deliver(one, message))
        codes.append(2 if message.unknown else 0)
    return worst([*codes, 2 if telling.outbox.waiting else 0])


def dry_notify(workspace: Workspace, path: Path, job: str | None, *, last: bool, say: Say) -> int:
    """Says what ``notify`` would send, and with ``last`` prints it. Sends nothing. Returns 0."""
    plan = load_plan(path)
    telling = _telling(workspace, plan, say)
    chosen = plan.chosen(job)
    waiting = telling.outbox.kept()
    for text in waiting:
        say(f"waiting: {text}")
    if not waiting:
        say("no message is waiting")
    for one in chosen if last else ():
        say(f"job {one.name}:")
        _print_last(telling, plan, one, say)
    return 0


def _nothing_to_tell(found: Last | None) -> str:
    return (
        "no night yet, so nothing to tell" if found is None else f"nothing changed in its last night ({found[0].night})"
    )


def _print_last(telling: Telling, plan: NightlyPlan, job: Job, say: Say) -> None:
    found = telling.last(job)
    message = None if found is None else telling.message(*found)
    if message is None:
        say(f"  {_nothing_to_tell(found)}")
        return
    say(f"  its last night ({message.night}) changed: {message.title}")
    for channel in plan.channels(job):
        wanted = message.only(channel.events)
        if wanted is None:
            say(f"  channel {channel.name} would get nothing: none of it is among its events")
        else:
            say(f"  channel {channel.name} would get:")
            say(_shown(channel, wanted))


def _shown(channel: WebChannel | MailChannel, message: Message) -> str:
    if isinstance(channel, MailChannel):
        return as_mail(message, channel.sender, channel.to).as_string()
    return {"slack": as_slack, "teams": as_teams, "json": as_json}[channel.kind](message).decode("utf-8")


def _lack(plan: NightlyPlan, channel: WebChannel | MailChannel) -> str:
    """Returns what keeps the channel from being used; empty where its secrets are there."""
    number = plan.plan.channels.index(channel)
    for name in ("url", "username", "password", "ca"):
        if getattr(channel, name, None) is not None:
            try:
                plan.references().value(getattr(channel, name), "channels", number, name)
            except HarnessError as problem:
                return str(problem)
    return ""


def _telling(workspace: Workspace, plan: NightlyPlan, say: Say) -> Telling:
    folder = workspace.root / "reports" / "nightly" / plan.name / "outbox"
    return Telling(workspace, plan, Outbox(folder, plan), say)


def _wait(text: str) -> float:
    if text == "0s":
        return 0.0
    if re.fullmatch(r"[1-9][0-9]{0,5}[smh]", text) is None:
        raise UsageError(f"--wait {text!r} is no length of time", remedy="Write it like 90s, 45m or 2h")
    return seconds(text)

"""``harness notify`` as a user calls it, with real receivers: it says what was sent, and what was not and why."""

from __future__ import annotations

import contextlib
import email
import email.message
import email.policy
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.nightly.lab import PLAN, QUICK, Lab
from tests.nightly.support import Answer, receiver
from tests.support import Ended, harness
from tests.target.servers import free_port

DEFECT = "quote-accepted-200"
CHANGED = "lab: 1 check of quoting-service regressed"


class Mailbox:
    def __init__(self) -> None:
        self.mails: list[email.message.EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))  # type: ignore[arg-type]
        return "250 OK"


@contextlib.contextmanager
def mail_server(port: int) -> Iterator[Mailbox]:
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def notify(lab: Lab, *arguments: str) -> Ended:
    return harness("notify", PLAN, *arguments, cwd=lab.root, **QUICK)


def channels(folder: Path, url: str, port: int) -> list[dict[str, Any]]:
    (folder / "hook").write_text(url)
    return [
        {"name": "ops", "kind": "json", "url": f"file:{folder}/hook"},
        {"name": "fixes", "kind": "slack", "url": f"file:{folder}/hook", "events": ["fixed"]},
        {
            "name": "support", "kind": "mail", "host": "127.0.0.1", "port": port, "security": "none",
            "sender": "harness@hub.example", "to": ["support@hub.example"],
        },
    ]  # fmt: skip


def test_what_did_not_arrive_is_sent_and_what_changed_is_told_again(shared_lab: Lab, tmp_path: Path) -> None:
    lab, port = shared_lab, free_port()
    lab.clear()
    with receiver(Answer(404)) as hook, lab.hub(DEFECT):
        lab.write(channels=channels(tmp_path, hook.url, port))
        assert (notify(lab).code, notify(lab).out) == (0, "no message is waiting\n")
        none = notify(lab, "--last")
        assert (none.code, none.out) == (0, "no message is waiting\njob night: no night yet, so nothing to tell\n")

        # the receivers are down: said, kept, and the verdict is what it is
        night = lab.nightly()
        assert night.code == 1, night
        assert "channel ops: pending: 127.0.0.1 answered HTTP 404 (1 attempt); it is tried again the next" in night.out
        assert "channel fixes: not told: none of it is among its events" in night.out
        assert f"channel support: pending: 127.0.0.1:{port} cannot be reached" in night.out
        [kept] = lab.nights()
        assert [(one["channel"], one["status"]) for one in kept.jobs[0].messages] == [
            ("ops", "pending"), ("support", "pending"),
        ]  # fmt: skip
        assert (kept.exit_code, kept.jobs[0].problems) == (1, [])
        stage = kept.jobs[0].stage("notify")
        assert stage is not None
        assert (stage.status, stage.text[-11:]) == ("failed", "0 of 2 sent")

        files = sorted(lab.root.rglob("*"))
        dry = notify(lab, "--dry-run", "--last")
        assert dry.code == 0
        assert f"waiting: channel ops: {CHANGED}" in dry.out
        assert "waiting: channel support: " in dry.out
        assert "channel ops would get:" in dry.out
        assert "Subject: lab: 1 check of quoting-service regressed" in dry.out
        assert "channel fixes would get nothing: none of it is among its events" in dry.out
        assert "s3cr3t" not in dry.out + night.out
        assert (sorted(lab.root.rglob("*")), len(hook.bodies)) == (files, 1)

        # one is back: the other stays kept, and the exit code says that something is
        hook.answers = [Answer()]
        half = notify(lab)
        assert half.code == 2, half
        assert f"pending message, channel ops: sent: {CHANGED}" in half.out
        assert f"pending message, channel support: pending: {CHANGED}" in half.out
        with mail_server(port) as box:
            whole = notify(lab)
            assert (whole.code, "channel support: sent: " in whole.out) == (0, True)
            assert notify(lab).out == "no message is waiting\n"
            again = notify(lab, "--last")
            assert again.code == 0, again
            assert f"job night: {CHANGED}" in again.out
            assert "channel ops: sent\n" in again.out
        assert [mail["subject"].startswith(CHANGED) for mail in box.mails] == [True, True]
        assert len({mail["message-id"] for mail in box.mails}) == 1
        bodies = [json.loads(body) for body in hook.bodies]
        assert len(bodies) == 3
        assert len({body["id"] for body in bodies}) == 1
        assert [one["kind"] for one in bodies[-1]["happenings"]] == ["new-regression", "rejected"]

        # a second night like the first changes nothing
        same = lab.nightly()
        assert (same.code, "nothing changed" in notify(lab, "--last").out) == (1, True)
        assert len(hook.bodies) == 3

    # a history that does not hold the run, and a run that is gone: not known is not unchanged
    shutil.rmtree(lab.root / "reports/history")
    with mail_server(port) as box, receiver() as hook:
        (tmp_path / "hook").write_text(hook.url)
        lost = notify(lab, "--last")
        assert lost.code == 2, lost
        assert "what changed is not known: the history of target 'lab' does not hold run" in lost.out
        shutil.rmtree(lab.root / "reports/runs")
        gone = notify(lab, "--last")
        assert (gone.code, "changed is not known: it is gone" in gone.out) == (2, True)
        assert len(hook.bodies) == len(box.mails) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([PLAN, "--job", "none"], "no job is called 'none'"),
        ([PLAN, "--job", "none", "--last"], "no job is called 'none'"),
        ([PLAN, "--job", "none", "--dry-run"], "no job is called 'none'"),
        (["scheme_rules/example/other.yaml"], "other.yaml"),
        (["latest"], "latest"),
    ],
)
def test_what_is_not_there_is_wrong_usage(shared_lab: Lab, arguments: list[str], said: str) -> None:
    shared_lab.clear()
    shared_lab.write()
    ended = harness("notify", *arguments, cwd=shared_lab.root, **QUICK)
    assert ended.code == 3, ended
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert not (shared_lab.root / "reports").exists()

"""A message reaches its receiver over a network that fails, or is kept and said; no secret is in what is said."""

from __future__ import annotations

import datetime
import email
import email.policy
import json
import ssl
from collections.abc import Iterator
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from harness.nightly.messages.outbox import Outbox
from harness.nightly.messages.send import NotSent, Patience, send
from tests.nightly.support import Answer, Waiting, loaded, message, receiver
from tests.target.servers import certificate, free_port, silent

HOOK = {"name": "ops", "kind": "json", "url": "env:HOOK", "timeout": "1s"}


def sent(folder: Path, url: str, patience: Patience, monkeypatch: pytest.MonkeyPatch, **more: Any) -> int:
    monkeypatch.setenv("HOOK", url)
    plan = loaded(folder, {**HOOK, **more})
    return send(plan, plan.plan.channels[0], message(), patience)


def test_a_message_arrives_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as found:
        assert sent(tmp_path, found.url, Waiting().patience(), monkeypatch) == 1
    assert json.loads(found.bodies[0])["title"] == "staging: 2 checks regressed"
    assert found.headers[0]["content-type"].startswith("application/json")
    assert found.headers[0]["idempotency-key"] == message().id


def test_it_is_tried_again_with_growing_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting()
    with receiver(Answer(500), Answer(hang_up=True), Answer(503), Answer(202)) as found:
        assert sent(tmp_path, found.url, waiting.patience(), monkeypatch) == 4
    assert len(waiting.slept) == 3
    assert all(0 <= slept <= bound for slept, bound in zip(waiting.slept, (1, 2, 4), strict=True))


def test_the_receiver_says_how_long_to_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting()
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=20)
    at = format_datetime(later, usegmt=True)
    asks = [Answer(429, {"retry-after": "7"}), Answer(503, {"retry-after": at}), Answer()]
    with receiver(*asks) as found:
        assert sent(tmp_path, found.url, waiting.patience(), monkeypatch) == 3
    assert waiting.slept[0] == 7
    assert 15 < waiting.slept[1] <= 20


def test_no_wait_is_longer_than_the_night_has_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting()
    with receiver(Answer(429, {"retry-after": "86400"})) as found, pytest.raises(NotSent, match="asks to wait 86400 s"):
        sent(tmp_path, found.url, waiting.patience(), monkeypatch)
    assert (len(found.bodies), waiting.slept) == (1, [])
    with receiver(Answer(500)) as found, pytest.raises(NotSent, match=r"HTTP 500 \(5 attempts\)"):
        sent(tmp_path, found.url, waiting.patience(), monkeypatch)
    assert len(found.bodies) == 5


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 410])
def test_what_does_not_help_is_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    with (
        receiver(Answer(status, {"location": "http://127.0.0.1:9/"})) as found,
        pytest.raises(NotSent, match=f"HTTP {status}") as caught,
    ):
        sent(tmp_path, found.url, Waiting().patience(), monkeypatch)
    assert len(found.bodies) == 1
    assert caught.value.for_good


def test_a_receiver_that_is_slow_silent_or_gone_is_told_without_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = Patience(attempts=1)
    with receiver(Answer(delay_s=1.6)) as slow, pytest.raises(NotSent, match="no answer within 1s") as caught:
        sent(tmp_path, slow.url, once, monkeypatch)
    assert "s3cr3t" not in str(caught.value)
    gone = f"http://127.0.0.1:{free_port()}/hook/s3cr3t"
    with pytest.raises(NotSent, match="cannot be reached") as caught:
        sent(tmp_path, gone, once, monkeypatch)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://hooks.example/s3cr3t", "ftp://hooks.example/s3cr3t", "s3cr3t", "http://[::1/s3cr3t"]
)
def test_a_secret_address_goes_over_no_open_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(NotSent) as caught:
        sent(tmp_path, url, Patience(attempts=1), monkeypatch)
    assert caught.value.for_good
    assert "s3cr3t" not in str(caught.value)


def test_a_secret_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOOK", raising=False)
    plan = loaded(tmp_path, HOOK)
    with pytest.raises(NotSent, match="HOOK is not set"):
        send(plan, plan.plan.channels[0], message(), Patience())


# -- the outbox ------------------------------------------------------------------------------------------------------


def test_what_did_not_arrive_is_sent_the_next_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = loaded(tmp_path, HOOK)
    box = Outbox(tmp_path / "outbox", plan)
    channel = plan.plan.channels[0]
    with receiver(Answer(404)) as found:
        monkeypatch.setenv("HOOK", found.url)
        said = box.deliver(channel, message())
        assert said["status"] == "pending"
        assert "tried again the next night" in said["text"]
        assert "s3cr3t" not in (tmp_path / "outbox").joinpath(f"{message().id}-ops.json").read_text()
        assert box.waiting == 1
        assert [one["status"] for one in box.resend()] == ["pending"]
        found.answers = [Answer()]
        assert [one["status"] for one in box.resend()] == ["sent"]
        assert (box.waiting, box.resend()) == (0, [])
    assert json.loads(found.bodies[-1])["id"] == message().id


def test_a_message_nobody_can_read_or_wants_is_dropped_and_said(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "outbox", loaded(tmp_path, HOOK))
    box.folder.mkdir()
    (box.folder / "torn.json").write_text("{")
    old = {"format": 1, "channel": "ops", "message": message().to_json(), "since": "2026-01-01T00:00:00.000Z"}
    (box.folder / "old.json").write_text(json.dumps(old))
    (box.folder / "strange.json").write_text(json.dumps({**old, "channel": "left"}))
    said = {one["text"].rpartition(": ")[2]: one["status"] for one in box.resend()}
    assert set(said.values()) == {"dropped"}
    assert len(said) == 3
    assert box.waiting == 0


# -- mail ------------------------------------------------------------------------------------------------------------


class Mailbox:
    def __init__(self) -> None:
        self.mails: list[email.message.EmailMessage] = []
        self.tls: list[bool] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.tls.append(server.transport.get_extra_info("sslcontext") is not None)
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))  # type: ignore[arg-type]
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if not session.authenticated:
            return "530 sign in first"
        if address.startswith("nobody"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=["starttls", "tls"])
def server(request: pytest.FixtureRequest, pair: tuple[Path, Path]) -> Iterator[tuple[str, int, Mailbox]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    box = Mailbox()

    def accepts(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == b"p4ssw0rd", handled=False)

    secured = (
        {"tls_context": context, "require_starttls": True} if request.param == "starttls" else {"ssl_context": context}
    )
    controller = Controller(
        box, hostname="127.0.0.1", port=free_port(), authenticator=accepts,
        auth_require_tls=request.param == "starttls", **secured,
    )  # fmt: skip
    controller.start()
    try:
        yield request.param, controller.port, box
    finally:
        controller.stop()


def mail(server: tuple[str, int, Mailbox], pair: tuple[Path, Path], **more: Any) -> dict[str, Any]:
    return {
        "name": "support", "kind": "mail", "host": "127.0.0.1", "port": server[1], "security": server[0],
        "ca": f"file:{pair[0]}", "username": "env:SMTP_USER", "password": "env:SMTP_PASSWORD",
        "sender": "harness@hub.example", "to": ["support@hub.example"], "timeout": "10s", **more,
    }  # fmt: skip


def mailed(folder: Path, channel: dict[str, Any], monkeypatch: pytest.MonkeyPatch, password: str = "p4ssw0rd") -> int:
    monkeypatch.setenv("SMTP_USER", "harness")
    monkeypatch.setenv("SMTP_PASSWORD", password)
    plan = loaded(folder, channel)
    return send(plan, plan.plan.channels[0], message(), Waiting().patience(attempts=2))


def test_mail_arrives_encrypted(
    server: tuple[str, int, Mailbox], pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mailed(tmp_path, mail(server, pair), monkeypatch) == 1
    [arrived] = server[2].mails
    assert server[2].tls == [True]
    assert arrived["subject"] == "staging: 2 checks regressed"
    assert "Suspects" in arrived.get_content()
    assert arrived["message-id"] == f"<{message().id}@hub.example>"


@pytest.mark.parametrize(
    ("more", "password", "said"),
    [
        ({"ca": None}, "p4ssw0rd", "certificate of 127.0.0.1 was not accepted"),
        ({}, "wr0ng", "did not accept our sign-in"),
        ({"to": ["nobody@hub.example"]}, "p4ssw0rd", "takes no mail for nobody@hub.example"),
    ],
)
def test_mail_that_is_not_taken_is_told(
    server: tuple[str, int, Mailbox], pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    more: dict[str, Any], password: str, said: str,
) -> None:  # fmt: skip
    with pytest.raises(NotSent, match=said) as caught:
        mailed(tmp_path, mail(server, pair, **more), monkeypatch, password)
    assert caught.value.for_good
    assert password not in str(caught.value)
    assert server[2].mails == []


def test_mail_is_not_sent_to_a_server_without_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pair: Any) -> None:
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        with pytest.raises(NotSent, match="STARTTLS"):
            mailed(tmp_path, mail(("starttls", controller.port, box), pair), monkeypatch)
    finally:
        controller.stop()
    assert box.mails == []


def test_a_mail_server_that_says_nothing_costs_its_time_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pair: Any
) -> None:
    with silent() as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(NotSent, match="cannot be reached"):
            mailed(tmp_path, mail(("starttls", port, Mailbox()), pair, timeout="1s"), monkeypatch)

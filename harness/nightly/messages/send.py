"""How does a message reach its channel, over a network that fails? Tried again with patience, and for a bounded time.

No message of ours shows the address of a webhook or a password: both are secrets.
"""

from __future__ import annotations

import random
import smtplib
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import final
from urllib.parse import urlsplit

import httpx

from harness.errors import InputError
from harness.nightly.messages.message import Message
from harness.nightly.messages.render import as_json, as_mail, as_slack, as_teams
from harness.nightly.plan import MailChannel, NightlyPlan, WebChannel, seconds

__all__ = ["NotSent", "Patience", "send"]

_RENDER = {"slack": as_slack, "teams": as_teams, "json": as_json}
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class NotSent(Exception):  # noqa: N818
    """Why a message did not reach its channel. ``for_good``: trying again now does not help."""

    def __init__(self, why: str, *, for_good: bool = False, after_s: float | None = None) -> None:
        super().__init__(why)
        self.for_good = for_good
        self.after_s = after_s
        """How long the receiver asks to wait, where it does."""


@final
@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a message is tried. Waits double from ``first_s``, with full jitter, up to ``most_s``."""

    attempts: int = 5
    first_s: float = 1.0
    most_s: float = 30.0
    total_s: float = 90.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    chance: random.Random = field(default_factory=random.Random)

    def wait_s(self, attempt: int, asked_s: float | None) -> float:
        """Returns how long to wait after ``attempt`` (from 1): what the receiver asks for, or a chance share."""
        if asked_s is not None:
            return asked_s
        return self.chance.uniform(0.0, min(self.most_s, self.first_s * 2 ** (attempt - 1)))


def send(
    plan: NightlyPlan, channel: WebChannel | MailChannel, message: Message, patience: Patience = Patience()
) -> int:
    """Sends ``message`` by ``channel`` and returns how many attempts it took. Raises ``NotSent`` with the reason."""
    number = plan.plan.channels.index(channel)
    references = plan.references()

    def secret(name: str) -> str:
        value = getattr(channel, name)
        return "" if value is None else references.value(value, "channels", number, name)

    try:
        if isinstance(channel, MailChannel):
            keys = {name: secret(name) for name in ("username", "password", "ca")}

            def once() -> None:
                _mail(channel, message, keys)
        else:
            url = secret("url")

            def once() -> None:
                _post(channel, message, url)
    except InputError as problem:
        raise NotSent(str(problem), for_good=True) from None
    return _again(once, patience)


def _again(once: Callable[[], None], patience: Patience) -> int:
    deadline = patience.clock() + patience.total_s
    attempt = 0
    while True:
        attempt += 1
        try:
            once()
            return attempt
        except NotSent as problem:
            wait = patience.wait_s(attempt, problem.after_s)
            tries = "1 attempt" if attempt == 1 else f"{attempt} attempts"
            if problem.for_good or attempt >= patience.attempts:
                raise NotSent(f"{problem} ({tries})", for_good=problem.for_good) from None
            if patience.clock() + wait > deadline:
                asked = f", it asks to wait {wait:.0f} s" if problem.after_s is not None else ""
                raise NotSent(f"{problem} ({tries}{asked})") from None
            patience.sleep(wait)


def _post(channel: WebChannel, message: Message, url: str) -> None:
    try:
        parts = urlsplit(url)
        where = parts.hostname or ""
    except ValueError:
        where = ""
    if not where or parts.scheme not in ("http", "https"):
        raise NotSent("what its url refers to is no address of a webhook", for_good=True)
    if parts.scheme == "http" and where not in _LOOPBACK:
        raise NotSent(f"the webhook at {where} is not https: its address is a secret", for_good=True)
    headers = {
        "content-type": "application/json; charset=utf-8",
        "idempotency-key": message.id,
        "user-agent": "mojaloop-harness",
    }
    timeout = float(seconds(channel.timeout))
    deadline = time.monotonic() + timeout
    try:
        # a proxy named by the process environment is used: a chat is often beyond one; this machine never is
        with (
            httpx.Client(timeout=timeout, trust_env=where not in _LOOPBACK, follow_redirects=False) as client,
            client.stream("POST", url, content=_RENDER[channel.kind](message), headers=headers) as answer,
        ):
            status, after = answer.status_code, _retry_after(answer.headers.get("retry-after"))
            if time.monotonic() > deadline:
                raise NotSent(f"{where} took longer than {channel.timeout}")
    except httpx.InvalidURL:
        raise NotSent("what its url refers to is no address of a webhook", for_good=True) from None
    except httpx.TimeoutException:
        raise NotSent(f"{where} gave no answer within {channel.timeout}") from None
    except httpx.HTTPError as problem:
        # its text may hold the address
        raise NotSent(f"{where} cannot be reached ({type(problem).__name__})") from None
    if 200 <= status < 300:
        return
    raise NotSent(f"{where} answered HTTP {status}", for_good=status not in _TRY_AGAIN and status < 500, after_s=after)


def _retry_after(value: str | None) -> float | None:
    """Reads Retry-After (RFC 9110, section 10.2.3): seconds, or a date. ``None`` where there is none to read."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value.strip()[:9])
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _mail(channel: MailChannel, message: Message, keys: dict[str, str]) -> None:
    host, port, timeout = channel.host, channel.at_port, float(seconds(channel.timeout))
    try:
        context = ssl.create_default_context(cadata=keys["ca"] or None)
    except (ssl.SSLError, ValueError):
        raise NotSent("what its ca refers to is no certificate in PEM", for_good=True) from None
    mail = as_mail(message, channel.sender, channel.to)
    try:
        server = (
            smtplib.SMTP_SSL(host, port, timeout=timeout, context=context)
            if channel.security == "tls"
            else smtplib.SMTP(host, port, timeout=timeout)
        )
        with server:
            if channel.security == "starttls":
                server.starttls(context=context)
            if keys["username"]:
                server.login(keys["username"], keys["password"])
            refused = server.send_message(mail)
    except smtplib.SMTPAuthenticationError as problem:
        raise NotSent(f"{host} did not accept our sign-in (SMTP {problem.smtp_code})", for_good=True) from None
    except smtplib.SMTPNotSupportedError as problem:
        raise NotSent(f"{host} cannot do what is asked of it: {problem}", for_good=True) from None
    except smtplib.SMTPRecipientsRefused as problem:
        codes = {code for code, _ in problem.recipients.values()}
        for_good = all(code >= 500 for code in codes)
        raise NotSent(f"{host} takes no mail for {', '.join(problem.recipients)}", for_good=for_good) from None
    except smtplib.SMTPResponseException as problem:
        raise NotSent(f"{host} answered SMTP {problem.smtp_code}", for_good=problem.smtp_code >= 500) from None
    except ssl.SSLCertVerificationError as problem:
        raise NotSent(f"the certificate of {host} was not accepted ({problem.verify_message})", for_good=True) from None
    except (smtplib.SMTPException, OSError) as problem:
        raise NotSent(f"{host}:{port} cannot be reached ({type(problem).__name__})") from None
    if refused:
        raise NotSent(f"{host} takes no mail for {', '.join(refused)}; the others have it", for_good=True)

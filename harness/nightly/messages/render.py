"""How does each channel want a message? Bytes within its limits, in which the words of a hub are words and no more.

What a hub says may hold a channel's own markup: ``<!channel>`` calls everybody in Slack, ``[text](address)`` is a link
in Teams, a line break ends a mail's header. Texts arrive here cleaned of control characters, on one line each.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from harness.fspiop.dates import parse_iso
from harness.model.event_kind import EventKind
from harness.nightly.messages.message import Happening, Message
from harness.report.text import crop

__all__ = ["as_json", "as_mail", "as_slack", "as_teams", "plain"]

_SLACK_TEXT, _SLACK_HEADER, _SLACK_FALLBACK = 3000, 150, 3000
"""Block Kit: a section's text object and a header in characters; the fallback well under what Slack cuts off."""
_TEAMS_BYTES = 25_000
"""Teams takes 28 KB for a message to a webhook; the rest is left for what it adds."""
_LABELS = {EventKind.REJECTED: "Verdict"}
"""Where the word for a kind would only repeat what its text begins with."""
_SHOWN = 5
_SHOWN_BY_MAIL = 20


def as_slack(message: Message) -> bytes:
    """Returns the JSON of an incoming webhook with blocks (Slack, Block Kit)."""
    sections = ["\n".join(part) for part in _parts(message, _SHOWN)]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _slack_plain(message.title, _SLACK_HEADER)},
        *({"type": "section", "text": _slack_plain(text, _SLACK_TEXT)} for text in sections if text),
    ]
    links = [f"<{_slack(address)}|{name}>" for name, address in _links(message)]
    if links:
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": " · ".join(links)}]})
    fallback = _fit(_slack(message.title), _SLACK_FALLBACK)
    return _bytes({"text": fallback, "blocks": blocks, "unfurl_links": False, "link_names": False})


def as_teams(message: Message) -> bytes:
    """Returns the JSON of a Workflows webhook with an Adaptive Card (version 1.4)."""
    shown = _SHOWN
    while True:
        raw = _bytes(_card(message, shown))
        if len(raw) <= _TEAMS_BYTES:
            return raw
        if shown == 0:
            happenings = tuple(replace(one, checks=()) for one in message.happenings[:3])
            message = replace(message, happenings=happenings, problems=message.problems[:2], suspects=())
        shown = max(0, shown - 2)


def as_json(message: Message) -> bytes:
    """Returns the whole message, for machines: ``{"format": 1, …}``."""
    return _bytes({"format": 1, "source": "mojaloop-harness", **message.to_json()})


def as_mail(message: Message, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """Returns the mail: plain text, with an id that stays the same when it is sent again."""
    mail = EmailMessage()
    mail["Subject"] = crop(message.title, 160)
    mail["From"], mail["To"] = sender, ", ".join(to)
    mail["Date"] = format_datetime(parse_iso(message.at))
    mail["Message-ID"] = f"<{message.id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no machine is to answer it
    mail.set_content(plain(message))
    return mail


def plain(message: Message) -> str:
    """Returns the message as lines of text."""
    parts = [[message.title], *_parts(message, _SHOWN_BY_MAIL), [f"{name}: {url}" for name, url in _links(message)]]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _parts(message: Message, shown: int) -> Iterator[list[str]]:
    """Yields the parts of a message, each a list of lines."""
    yield [
        f"{message.verdict} (exit code {message.exit_code})",
        f"{message.product} {message.release} on {message.target}, job {message.job}, night {message.night}",
    ]
    for one in message.happenings:
        yield list(_happening(one, shown))
    if message.failures and shown:
        listed = message.failures[:shown]
        more = message.failing - len(listed)
        yield [
            f"Worse than in the baseline, or without a result: {message.failing}",
            *(f"• {check}{f': {said}' if said else ''}" for check, said in listed),
            *([f"… and {more} more"] if more else []),
        ]
    if message.suspects:
        yield ["Suspects", *(f"• {one}" for one in message.suspects[:shown])]
    if message.problems:
        yield ["Beside the runs", *(f"• {one}" for one in message.problems[: max(shown, 1)])]
    if message.next_action:
        yield [f"Next: {message.next_action}"]


def _happening(one: Happening, shown: int) -> Iterator[str]:
    since = f" (since {one.since})" if one.since else ""
    component = f" [{one.component}]" if one.component else ""
    yield f"{_LABELS.get(one.kind, one.kind.value.replace('-', ' ').capitalize())}: {one.text}{component}{since}"
    yield from (f"• {check}" for check in one.checks[:shown])
    if len(one.checks) > shown:
        yield f"… and {len(one.checks) - shown} more"


def _links(message: Message) -> list[tuple[str, str]]:
    return [(name, url) for name, url in (("Report", message.link), ("History", message.dashboard)) if url]


def _slack(text: str) -> str:
    """The three characters that Slack gives a meaning to; without them no text can call, mention or link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _slack_plain(text: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": _fit(_slack(text), limit), "emoji": False}


def _fit(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    # not in the middle of an entity: &am is none
    tail = cut.rfind("&")
    if tail > limit - 8 and ";" not in cut[tail:]:
        cut = cut[:tail]
    return f"{cut}…"


def _card(message: Message, shown: int) -> dict[str, Any]:
    # A TextRun shows its text as it is; a TextBlock would take it for Markdown.
    body: list[dict[str, Any]] = [_runs(message.title, size="Large", weight="Bolder")]
    for part in _parts(message, shown):
        body += [_runs(line, weight="Bolder" if number == 0 else "Default") for number, line in enumerate(part)]
    actions = [{"type": "Action.OpenUrl", "title": name, "url": url} for name, url in _links(message)]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "fallbackText": crop(message.title, 140),
        "body": body,
        **({"actions": actions} if actions else {}),
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _runs(text: str, **style: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _bytes(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "backslashreplace")

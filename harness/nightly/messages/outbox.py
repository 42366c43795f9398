"""Which messages still have to be sent? Each is kept before it is tried, and gone once it has arrived."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, final

from harness.errors import TargetBusyError
from harness.fspiop.dates import iso_ms, parse_iso
from harness.nightly.lock import Lock
from harness.nightly.messages.message import Message
from harness.nightly.messages.send import NotSent, Patience, send
from harness.nightly.plan import MailChannel, NightlyPlan, WebChannel
from harness.report.files import json_bytes, write_file

__all__ = ["Outbox"]

_DAYS: Final = 7
"""A message that cannot be sent for so long says nothing any more."""
_LONG: Final = Patience()
_SHORT: Final = Patience(attempts=2, total_s=20.0)

Send = Callable[[NightlyPlan, "WebChannel | MailChannel", Message, Patience], int]


@final
@dataclass(frozen=True, slots=True)
class Outbox:
    """The messages of a plan that have not arrived, in ``folder``."""

    folder: Path
    plan: NightlyPlan
    send: Send = send
    failed: set[str] = field(default_factory=set)
    """Channels that did not take a message: what was tried for long already is tried briefly."""

    @property
    def waiting(self) -> int:
        """How many messages have not arrived."""
        return sum(1 for _ in self.folder.glob("*.json")) if self.folder.is_dir() else 0

    def kept(self) -> list[str]:
        """Returns which messages have not arrived, and why, as sentences."""
        found = []
        for path in sorted(self.folder.glob("*.json")) if self.folder.is_dir() else ():
            try:
                data = json.loads(path.read_text(encoding="utf-8"))
                message = Message.from_json(data["message"])
                why = f": {data['why']}" if data["why"] else ""
                found.append(f"channel {data['channel']}: {message.title} (night {message.night}){why}")
            except (OSError, ValueError, KeyError, TypeError):
                found.append(f"{path.name} cannot be read")
        return found

    def deliver(
        self, channel: WebChannel | MailChannel, message: Message, patience: Patience | None = None
    ) -> dict[str, Any]:
        """Sends ``message`` by ``channel``; returns ``{channel, status: sent|pending, text}``. Raises nothing.

        What does not arrive is kept, for ``resend`` the next night.
        """
        path = self.folder / f"{message.id}-{channel.name}.json"
        kept = {"format": 1, "channel": channel.name, "message": message.to_json(), "since": iso_ms(), "why": ""}
        problem = ""
        try:
            write_file(path, json_bytes(kept, indent=2))
        except OSError as trouble:
            problem = f"; it cannot be kept either: {trouble.strerror or trouble}"
        patience = patience or (_SHORT if channel.name in self.failed else _LONG)
        try:
            attempts = self.send(self.plan, channel, message, patience)
        except NotSent as trouble:
            self.failed.add(channel.name)
            text = f"{trouble}{problem or '; it is tried again the next night'}"
            self._keep(path, {**kept, "why": str(trouble)})
            return {"channel": channel.name, "status": "pending", "text": text}
        path.unlink(missing_ok=True)
        return {
            "channel": channel.name,
            "status": "sent",
            "text": "" if attempts == 1 else f"after {attempts} attempts",
        }

    def resend(self, but: Collection[str] = ()) -> list[dict[str, Any]]:
        """Tries what is pending; returns ``{channel, status: sent|pending|dropped, text}`` of each. Raises nothing.

        ``but`` names nights that are not finished: their messages are on their way, or are told when they are gone on
        with, and would arrive twice.
        """
        if not self.folder.is_dir() or not any(self.folder.glob("*.json")):
            return []
        try:
            with Lock.acquire(self.folder, "sending", f"messages of plan {self.plan.name}"):
                return list(self._resend(but))
        except TargetBusyError:
            return []  # another night sends them now

    def _resend(self, but: Collection[str]) -> Iterator[dict[str, Any]]:
        channels = {channel.name: channel for channel in self.plan.plan.channels}
        failed: set[str] = set()
        for path in sorted(self.folder.glob("*.json")):
            try:
                kept = json.loads(path.read_text(encoding="utf-8"))
                name, message = str(kept["channel"]), Message.from_json(kept["message"])
                age = datetime.now(UTC) - parse_iso(kept["since"])
            except (OSError, ValueError, KeyError, TypeError):
                aside = path.with_suffix(".unreadable")
                path.replace(aside)
                yield {"channel": "", "status": "dropped", "text": f"{path.name} cannot be read: kept as {aside.name}"}
                continue
            said = f"{message.title} (night {message.night})"
            if message.night in but:
                text = f"{said}: left to its night, which is not finished"
                yield {"channel": name, "status": "pending", "text": text}
                continue
            channel = channels.get(name)
            if channel is None or age.days >= _DAYS:
                why = "the plan has no such channel any more" if channel is None else f"not sent for {age.days} days"
                path.unlink(missing_ok=True)
                yield {"channel": name, "status": "dropped", "text": f"{said}: {why}"}
                continue
            if name in failed:
                yield {"channel": name, "status": "pending", "text": said}
                continue
            try:
                self.send(self.plan, channel, message, _SHORT)
            except NotSent as trouble:
                failed.add(name)
                self.failed.add(name)
                self._keep(path, {**kept, "why": str(trouble)})
                yield {"channel": name, "status": "pending", "text": f"{said}: {trouble}"}
                continue
            path.unlink(missing_ok=True)
            yield {"channel": name, "status": "sent", "text": f"{said}, late"}

    @staticmethod
    def _keep(path: Path, kept: dict[str, Any]) -> None:
        try:
            write_file(path, json_bytes(kept, indent=2))
        except OSError:
            return  # said already where it could not be kept at first

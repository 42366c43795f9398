"""What do the services of one hub share? Ledger, participants, transfers, outbox, and the rules of the release."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any, final

from starlette.requests import Request

from harness.fspiop.jws import KeyPair, Signer, new_key
from harness.hub.config import HubConfig
from harness.hub.defects import Defects
from harness.hub.fx_schemas import fx_schemas
from harness.hub.fx_transfers import FxTransfers
from harness.hub.headers import read_headers
from harness.hub.interchange_fees import InterchangeFees
from harness.hub.invariants import Invariants, watching
from harness.hub.ledger import Ledger
from harness.hub.messages import Message, Voice
from harness.hub.outbox import Outbox
from harness.hub.participants import Participants
from harness.hub.profile import profile_for
from harness.hub.schemas import check, fspiop_schemas
from harness.hub.settlement import Models, Windows
from harness.hub.settlements import Settlements
from harness.hub.transfers import Transfers
from harness.hub.web import read_body

__all__ = ["Core"]

_log = logging.getLogger(__name__)


@final
class Core:
    """One hub's memory. Made inside the running event loop, closed before it ends."""

    def __init__(self, config: HubConfig) -> None:
        self.config = config
        self.profile = profile_for(config.version)
        self.defects = Defects(config.defects)
        sign = None if self.defects.active("hub-signature-missing") else self._sign
        self.voice = Voice(self.profile.hub_name, self.profile.default_version, sign)
        self.ledger = Ledger(self.defects)
        self.participants = Participants(self.ledger)
        self.models = Models()
        self.windows = Windows(self.ledger, self.models, self.defects)
        self.settlements = Settlements(self.ledger, self.participants, self.windows, self.models, self.defects)
        self.transfers = Transfers(
            self.ledger, self.participants, self.defects, self.windows, on_us=config.on_us_transfers
        )
        self.fx_transfers = FxTransfers(self.ledger, self.participants, self.defects, self.windows, self.transfers)
        self.transfers.conversions = self.fx_transfers
        self.transfers.fees = InterchangeFees(self.ledger, self.models, self.windows, self.defects)
        self.transfers.time_scale = config.time_scale
        self.outbox = Outbox(self.participants, timeout_s=config.callback_timeout_s)
        schemas = fspiop_schemas(
            ulid_ids=self.profile.ulid_ids, transfer_texts_are_syntax=self.profile.transfer_texts_are_syntax
        )
        self._schemas = {**schemas, **fx_schemas(schemas)}
        self._tasks: set[asyncio.Task[None]] = set()
        self._rounds: set[asyncio.Task[None]] = set()
        self.requests_under_way: Callable[[], int] = lambda: 0
        """How many requests the services have not answered yet."""
        self.invariants: Invariants | None = None
        if config.check_invariants:
            self.invariants = watching(self.ledger, self.transfers, self.windows, self.settlements, self.fx_transfers)

    @cached_property
    def key(self) -> KeyPair:
        """What the hub signs with; made when it is first needed, for that takes a tenth of a second."""
        return new_key()

    @cached_property
    def _signer(self) -> Signer:
        return Signer(self.key.private)

    def _sign(self, headers: Mapping[str, str], *, method: str, uri: str, body: str) -> Mapping[str, str]:
        return self._signer.headers(headers, method=method, uri=uri, body=body)

    async def read(
        self,
        request: Request,
        resource: str,
        *,
        schema: str | None = None,
        required: tuple[str, ...] = (),
        refused_status: int = 406,
        versions: tuple[str, ...] | None = None,
    ) -> Message:
        """Returns the request as a checked message. Raises ``Fault`` with what is wrong with headers or body.

        ``versions`` are those the service speaks where it does not speak all of the release's.
        """
        raw = await request.body()
        message = read_headers(
            request.method,
            dict(request.headers),
            resource=resource,
            versions=versions or self.profile.api_versions,
            required=required,
            refused_status=refused_status,
            dated=self.profile.dates_checked or resource == "transfers",
        )
        if schema is None:
            return replace(message, raw=raw)
        body = read_body(raw)
        check(body, self._schemas[schema])
        return replace(message, raw=raw, body=body)

    def version_of(self, component: str) -> str:
        """Returns the version ``GET /health`` reports; ``unknown`` where the release names none."""
        return self.config.components.get(component, "unknown")

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs ``work``, which a request asked for, beside the requests; it is cancelled when the hub closes."""
        self._start(work, self._tasks)

    def repeat(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs ``work`` that never ends by itself, until the hub closes."""
        self._start(work, self._rounds)

    def silent_s(self, now: datetime) -> float:
        """For how many seconds from ``now`` the hub will call nobody, unless somebody asks something of it.

        0 while anything is under way, infinity where nothing is left to happen. The request that asks for this is
        itself under way, and not counted.
        """
        if self._tasks or self.outbox.busy or self.requests_under_way() > 1:
            return 0.0
        deadlines = [self.transfers.deadlines.next(), self.fx_transfers.deadlines.next()]
        return min([max(0.0, (each - now).total_seconds()) for each in deadlines if each is not None], default=math.inf)

    def _start(self, work: Coroutine[Any, Any, None], among: set[asyncio.Task[None]]) -> None:
        task = asyncio.create_task(work)
        among.add(task)
        task.add_done_callback(lambda ended: self._ended(ended, among))

    def _ended(self, task: asyncio.Task[None], among: set[asyncio.Task[None]]) -> None:
        among.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.critical("work in the background broke", exc_info=error)

    async def close(self) -> None:
        """Ends what runs in the background."""
        tasks = [*self._tasks, *self._rounds]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.outbox.close()

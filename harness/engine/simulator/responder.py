"""A DFSP of the reference deployment, whole: its bank's side, its connection to the hub, and its test API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import final

from harness.engine.inbound.behaviour import SimulatedDfsp
from harness.engine.inbound.dfsp import DfspResponder
from harness.engine.inbound.messages import Inbound
from harness.engine.inbound.responder import Outgoing, Reaction
from harness.engine.rules.cast import AMOUNTS_OF_SIMULATORS
from harness.engine.rules.responder import RuleResponder
from harness.engine.simulator.outbound import OutboundTransfers
from harness.engine.simulator.repository import PARTIES, Repository
from harness.engine.simulator.scenarios import SCENARIOS, run_scenarios
from harness.engine.simulator.test_api import TestApi
from harness.engine.simulator.transaction_requests import take_up
from harness.fspiop.errors import FspiopError, error_information
from harness.fspiop.jws import fspiop_uri, signed_headers
from harness.fspiop.resources import find_operation

__all__ = ["SimulatorResponder"]

_UNKNOWN_PARTY = {"errorInformation": {"errorCode": "3200", "errorDescription": "ID not found"}}


@final
class SimulatorResponder:
    """Plays one simulator: the repository API and the scenarios of mojaloop-simulator, the FSPIOP side of its SDK.

    With ``key``, an RSA private key in PEM, it signs what it sends.
    """

    def __init__(self, dfsp: SimulatedDfsp, *, key: str | None = None) -> None:
        self._key = key
        self._dfsp = dfsp
        payee = DfspResponder(dfsp)
        self._repository = Repository(payee)
        self._test_api = TestApi()
        self._outbound = OutboundTransfers(dfsp, self._as_the_sdk)
        self._scheme_side = RuleResponder(
            dfsp.fsp, dfsp.hub, AMOUNTS_OF_SIMULATORS, api_version=dfsp.api_version, otherwise=payee
        )

    def respond(self, call: Inbound, now: datetime) -> Reaction:
        """Returns what the simulator answers to its own calls, and what the DFSP says to all else."""
        if call.path == PARTIES or call.path.startswith(f"{PARTIES}/"):
            return self._repository.respond(call)
        if (asked := self._test_api.respond(call)) is not None:
            return asked
        if call.path == SCENARIOS and call.method == "POST":
            steps = call.body
            return Reaction(taken=True, later=lambda send: run_scenarios(steps, self._outbound, send))
        if find_operation(call.method, call.path) is None:
            return Reaction(taken=True, status=404)
        self._test_api.keep(call)
        if (taken_up := take_up(call, self._dfsp)) is not None:
            return self._from_the_sdk(taken_up)
        if self._outbound.take(call):
            return Reaction(taken=True)
        return self._from_the_sdk(self._scheme_side.respond(call, now))

    def _from_the_sdk(self, reaction: Reaction) -> Reaction:
        return replace(reaction, sends=tuple(self._as_the_sdk(sent) for sent in reaction.sends))

    def listen(self, path: str, push: Callable[[str], None]) -> Callable[[], None] | None:
        """Lets ``push`` hear what the test API tells at ``path``; see ``TestApi.listen``."""
        return self._test_api.listen(path, push)

    def _as_the_sdk(self, sent: Outgoing) -> Outgoing:
        """Returns ``sent`` as sdk-scheme-adapter 24.10 would send it (recorded).

        It names URI and method in headers, and signs what has a body (FSPIOP API 1.1, Signature, section 3); it says
        3200 where its backend does not know the party.
        """
        body = _UNKNOWN_PARTY if sent.body == error_information(FspiopError.PARTY_NOT_FOUND) else sent.body
        if body is None:
            return sent
        headers = {
            **sent.headers,
            "FSPIOP-URI": fspiop_uri(sent.url) or "/" + sent.url.partition("://")[2].partition("/")[2],
            "FSPIOP-HTTP-Method": sent.method,
        }
        if self._key is not None:
            known = {name.lower(): value for name, value in headers.items()}
            signed = signed_headers(known, method=sent.method, url=sent.url, body=body, key=self._key)
            headers["FSPIOP-Signature"] = signed["fspiop-signature"]
        return replace(sent, headers=headers, body=body)

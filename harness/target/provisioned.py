"""Is the target provisioned: participants with their endpoints and enough to pay with, oracles? Only reads.

Answers are those of central-ledger's admin API and of account-lookup-service's (GET /oracles).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, Final, final

import httpx

from harness.target.connection import trouble_with
from harness.target.model import ExpectedParticipant, Target
from harness.target.readiness import Finding

__all__ = ["LEDGER", "LOOK_UP_ADMIN", "check_oracles", "check_participant", "required_participants"]

LEDGER: Final = "central-ledger"
LOOK_UP_ADMIN: Final = "account-lookup-service-admin"
LOOK_UP_ANSWERS: Final = ("FSPIOP_CALLBACK_URL_PARTIES_PUT", "FSPIOP_CALLBACK_URL_PARTIES_PUT_ERROR")
"""Endpoint types by which the answer to a look-up comes."""


def required_participants(target: Target) -> list[ExpectedParticipant]:
    """Returns the participants that must be there: those listed, and the one in whose name preflight looks up."""
    listed = list(target.participants)
    if target.callback.probe_as:
        listed.append(ExpectedParticipant(target.callback.probe_as, target.currency, LOOK_UP_ANSWERS, here=True))
    return listed


def check_participant(client: httpx.Client, target: Target, wanted: ExpectedParticipant) -> list[Finding]:
    """Returns what ``wanted`` lacks. Raises ``httpx.HTTPError`` where central-ledger cannot be reached."""
    return list(_Participant(client, target, wanted).lacks())


def check_oracles(client: httpx.Client, target: Target) -> list[Finding]:
    """Returns which of the target's oracles are not registered. Raises ``httpx.HTTPError``."""
    if LOOK_UP_ADMIN not in target.services:
        text = f"whether there are oracles for {', '.join(target.oracles)} cannot be told without {LOOK_UP_ADMIN}"
        return [Finding("oracles", LEDGER, text, f"Give services.{LOOK_UP_ADMIN} in the target file")]
    url = f"{target.url(LOOK_UP_ADMIN)}/oracles"
    answer = client.get(url)
    rows = _json(answer)
    if answer.status_code != 200 or not isinstance(rows, list):
        text = f"{LOOK_UP_ADMIN} does not list its oracles (HTTP {answer.status_code})"
        return [Finding("oracles", LOOK_UP_ADMIN, text, f"See the log of {LOOK_UP_ADMIN}")]
    known = {row.get("oracleIdType") for row in rows if isinstance(row, dict)}
    return [
        Finding(
            "oracles",
            LOOK_UP_ADMIN,
            f"no oracle is registered for {kind}",
            f"Register one (POST /oracles), or take {kind} from oracles in the target file",
        )
        for kind in target.oracles
        if kind not in known
    ]


@final
class _Participant:
    """The questions about one participant."""

    def __init__(self, client: httpx.Client, target: Target, wanted: ExpectedParticipant) -> None:
        self._client = client
        self._target = target
        self._wanted = wanted

    def lacks(self) -> Iterator[Finding]:
        wanted = self._wanted
        answer = self._get("")
        if answer.status_code in (400, 404):
            text = f"participant {wanted.name} is not known to {LEDGER}"
            yield self._finding("participants", text, "Run the environment's provisioning, or correct the target file")
            return
        found = _json(answer)
        if answer.status_code != 200 or not isinstance(found, dict):
            text = f"{LEDGER} does not say whether participant {wanted.name} exists (HTTP {answer.status_code})"
            yield self._finding("participants", text, f"See the log of {LEDGER} and our credentials")
            return
        if not found.get("isActive", 1):
            text = f"participant {wanted.name} is not active"
            yield self._finding("participants", text, f"Activate it (PUT /participants/{wanted.name})")
        yield from self._accounts()
        yield from self._endpoints()

    def _accounts(self) -> Iterator[Finding]:
        wanted = self._wanted
        rows = _rows(self._get("/accounts"))
        accounts = {str(row.get("ledgerAccountType")): row for row in rows if row.get("currency") == wanted.currency}
        for kind in ("POSITION", "SETTLEMENT"):
            if kind not in accounts:
                text = f"participant {wanted.name} has no {kind} account in {wanted.currency}"
                yield self._finding("participants", text, f"Register it in {wanted.currency} by provisioning")
                return
            if not accounts[kind].get("isActive", 1):
                text = f"the {kind} account of {wanted.name} in {wanted.currency} is not active"
                yield self._finding("participants", text, "Activate it, or provision the participant anew")
        if wanted.liquidity_at_least is not None:
            yield from self._liquidity(accounts, wanted.liquidity_at_least)

    def _liquidity(self, accounts: dict[str, dict[str, Any]], needed: Decimal) -> Iterator[Finding]:
        """What a participant can still send: up to its net debit cap and its funds, less what it owes already."""
        wanted = self._wanted
        funds, position = (_amount(accounts[kind].get("value")) for kind in ("SETTLEMENT", "POSITION"))
        rows = _rows(self._get(f"/limits?currency={wanted.currency}&type=NET_DEBIT_CAP"))
        limits = [row.get("limit") for row in rows if row.get("currency", wanted.currency) == wanted.currency]
        caps = [_amount(limit.get("value")) for limit in limits if isinstance(limit, dict)]
        cap = caps[0] if caps else None
        if funds is None or position is None or cap is None:
            text = f"what {wanted.name} can send in {wanted.currency} cannot be told: {LEDGER} shows no net debit cap"
            yield self._finding(
                "liquidity", text, f"Set one (POST /participants/{wanted.name}/initialPositionAndLimits)"
            )
            return
        # a settlement account with funds in it is negative: the hub owes them
        left = min(cap, -funds) - position
        if left < needed:
            text = (
                f"{wanted.name} can send {left} {wanted.currency} at most, {needed} are needed "
                f"(funds {-funds}, net debit cap {cap}, position {position})"
            )
            remedy = "Pay funds in" if -funds <= cap else "Raise its net debit cap"
            yield self._finding("liquidity", text, f"{remedy}, or settle what it owes")

    def _endpoints(self) -> Iterator[Finding]:
        wanted = self._wanted
        if not wanted.endpoints:
            return
        rows = _rows(self._get("/endpoints"))
        known = {str(row.get("type")): str(row.get("value")) for row in rows}
        if absent := [kind for kind in wanted.endpoints if kind not in known]:
            text = f"participant {wanted.name} has no endpoint {', '.join(absent)}"
            remedy = f"Register it (POST /participants/{wanted.name}/endpoints) by provisioning"
            yield self._finding("participants", text, remedy)
        public = self._target.callback.public_url
        elsewhere = {known[kind] for kind in wanted.endpoints if kind in known and not _below(known[kind], public)}
        if wanted.here and public and elsewhere:
            text = f"callbacks of {wanted.name} go to {min(elsewhere)}, not to us at {public}"
            remedy = f"Register its endpoints below {public}/dfsp/{wanted.name}, or correct callback.public_url"
            yield self._finding("callback", text, remedy)

    def _get(self, path: str) -> httpx.Response:
        return self._client.get(f"{self._target.url(LEDGER)}/participants/{self._wanted.name}{path}")

    def _finding(self, check: str, text: str, remedy: str) -> Finding:
        return Finding(check, LEDGER, text, remedy)


def not_told(service: str, base: str, check: str, problem: Exception, timeout_s: float) -> Finding:
    """Returns the finding that a question could not be asked because of ``problem``."""
    trouble = trouble_with(base, problem, setting=f"services.{service}", timeout_s=timeout_s)
    return Finding(check, service, f"{check} cannot be seen: {trouble.text}", trouble.remedy)


def _below(value: str, base: str) -> bool:
    return value == base or value.startswith(f"{base}/")


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except (ValueError, RecursionError):
        return None


def _rows(answer: httpx.Response) -> list[dict[str, Any]]:
    found = _json(answer) if answer.status_code == 200 else None
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _amount(value: object) -> Decimal | None:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None

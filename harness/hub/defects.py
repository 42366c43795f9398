"""Which regressions can the hub be told to show? A table of plausible faults, each visible at the API.

``active(name)`` marks the one place in the code where a defect acts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

from harness.errors import UsageError

__all__ = ["DEFECTS", "SLOWNESS_S", "Defect", "Defects"]

SLOWNESS_S = 2.5
"""How long a slow service keeps a message."""


@dataclass(frozen=True, slots=True)
class Defect:
    """A regression that can be switched on."""

    name: str
    capability: str
    description: str
    component: str
    """The component to blame, as a release names it."""
    caught_by_native: bool = True
    """Whether the native suite looks at the capability; where not, the official one does."""


def _beyond(name: str, capability: str, description: str, component: str) -> Defect:
    """Returns a defect of a capability that the native suite does not look at."""
    return Defect(name, capability, description, component, caught_by_native=False)


def _table(*rows: Defect) -> Mapping[str, Defect]:
    return MappingProxyType({row.name: row for row in rows})


_ALS = "account-lookup-service"
_QS = "quoting-service"
_MLA = "ml-api-adapter"
_CL = "central-ledger"
_TRS = "transaction-requests-service"
_CS = "central-settlement"

DEFECTS: Mapping[str, Defect] = _table(
    Defect("lookup-callback-lost", "look-up", "PUT /parties of the payee is not forwarded to the payer", _ALS),
    Defect("lookup-wrong-party", "look-up", "the party handed to the payer has another identifier", _ALS),
    Defect("lookup-unknown-wrong-code", "look-up", "an unknown party is answered with 2001 in place of 3204", _ALS),
    Defect("lookup-sub-id-ignored", "look-up", "a look-up with a sub-id is answered as if it had none", _ALS),
    Defect("quote-amount-altered", "quotes", "transferAmount in the forwarded PUT /quotes is one unit higher", _QS),
    Defect("quote-duplicate-accepted", "quotes", "a modified quote with a known quoteId is forwarded", _QS),
    Defect("quote-slow", "latency", f"a quote waits {SLOWNESS_S} s before it is forwarded", _QS),
    Defect("quote-accepted-200", "quotes", "POST /quotes answers 200 in place of 202", _QS),
    Defect("quote-bad-amount-accepted", "validation", "amounts in POST /quotes are not checked", _QS),
    Defect("destination-header-dropped", "headers", "PUT /quotes reaches the payer without FSPIOP-Destination", _QS),
    Defect("transfer-slow", "latency", f"a transfer waits {SLOWNESS_S} s before it is prepared", _CL),
    Defect("transfer-callback-lost", "callbacks", "the payer never gets PUT /transfers of a committed transfer", _MLA),
    Defect("transfer-callback-twice", "callbacks", "the payer gets PUT /transfers of a committed transfer twice", _MLA),
    Defect("content-type-version", "headers", "PUT /transfers to the payer names API version 1.9", _MLA),
    Defect("traceparent-dropped", "headers", "the trace of a transfer is not propagated to callbacks", _MLA),
    Defect("version-negotiation", "versions", "an unsupported version is answered with 400, not 406", _MLA),
    Defect("patch-notification-lost", "notifications", "a payee that answered RESERVED gets no PATCH", _MLA),
    Defect("transfer-not-found-wrong-code", "transfers", "GET of an unknown transfer answers 3200, not 3208", _CL),
    Defect("transfer-state-wrong", "transfers", "GET of a committed transfer says RESERVED", _CL),
    Defect("fulfilment-unchecked", "transfers", "a fulfilment that does not match the condition commits", _CL),
    Defect("duplicate-modified-accepted", "duplicates", "a modified transfer with a known id is not refused", _CL),
    Defect("duplicate-not-resent", "duplicates", "a repeated POST of a committed transfer is not answered", _CL),
    Defect("expired-prepare-accepted", "validation", "a transfer whose expiration has passed is prepared", _CL),
    Defect("inactive-participant-accepted", "participants", "a transfer to an inactive payee is prepared", _CL),
    Defect("inactive-account-accepted", "participants", "a transfer to an inactive account is prepared", _CL),
    Defect("position-kept-on-abort", "positions", "an abort does not release the payer's position", _CL),
    Defect("position-kept-on-expiry", "positions", "an expiry does not release the payer's position", _CL),
    Defect("payee-position-unchanged", "positions", "a commit does not change the payee's position", _CL),
    Defect("expiry-not-notified", "notifications", "an expired transfer is not reported to the payer", _CL),
    Defect("net-debit-cap-ignored", "limits", "the net debit cap is not looked at", _CL),
    Defect("net-debit-cap-off-by-one", "limits", "a transfer that exactly reaches the net debit cap is refused", _CL),
    Defect("liquidity-wrong-code", "limits", "a lack of liquidity is answered with 5001 in place of 4001", _CL),
    Defect("limit-change-ignored", "limits", "PUT /participants/{name}/limits answers 200 and changes nothing", _CL),
    _beyond("fx-quote-amount-altered", "fx", "targetAmount in the forwarded PUT /fxQuotes is one unit higher", _QS),
    _beyond("fx-quote-provider-unchecked", "fx", "an fxQuote to an FXP without the currencies is forwarded", _QS),
    _beyond("fx-fulfilment-unchecked", "fx", "an FXP's fulfilment that does not match the condition is taken", _CL),
    _beyond("fx-unfulfilled-accepted", "fx", "a transfer whose conversion is not fulfilled is prepared", _CL),
    _beyond("fx-duplicate-modified-accepted", "fx", "a modified fxTransfer with a known id is not refused", _CL),
    _beyond("fx-not-found-wrong-code", "fx", "GET of an unknown fxTransfer answers 3200, not 3208", _CL),
    _beyond("fx-position-kept-on-abort", "fx", "an aborted conversion keeps the payer's position", _CL),
    _beyond("fx-provider-position-kept-on-abort", "fx", "an aborted transfer keeps the position of its FXP", _CL),
    _beyond("fx-provider-not-credited", "fx", "a commit does not change the FXP's source position", _CL),
    _beyond("fx-expiry-leaves-transfer", "fx", "a conversion that expires leaves its transfer reserved", _CL),
    _beyond("fx-kept-on-transfer-expiry", "fx", "a transfer that expires leaves its conversion reserved", _CL),
    _beyond("fx-patch-lost", "fx", "the FXP of a committed conversion gets no PATCH", _MLA),
    Defect("funds-in-doubled", "funds", "funds in are recorded twice", _CL),
    Defect("funds-out-beyond-balance", "funds", "funds out beyond the settlement balance are accepted", _CL),
    Defect("funds-out-abort-keeps", "funds", "an aborted funds-out does not give the reserved amount back", _CL),
    Defect("on-us-refused", "on-us transfers", "a transfer to oneself is refused though allowed", _CL, False),
    Defect("on-us-position-kept", "on-us transfers", "a transfer to oneself stays in the position", _CL, False),
    Defect("reject-modified-accepted", "duplicates", "a rejection changed afterwards is not refused", _CL),
    Defect("fulfil-repeat-unanswered", "duplicates", "a payee that answers again is not told the state", _CL),
    Defect("hub-signature-missing", "headers", "what the hub says itself is not signed", _MLA, False),
    Defect("trx-rejection-lost", "transaction requests", "a payer's REJECTED does not reach the payee", _TRS, False),
    Defect("authorization-query-dropped", "authorizations", "GET /authorizations loses its query", _TRS, False),
    Defect("authorization-retries-unchecked", "authorizations", "retriesLeft need not be a number", _TRS, False),
    Defect("authorization-failure-untold", "authorizations", "nobody hears of one that was not handed on", _TRS, False),
    Defect("funds-out-commit-lost", "funds", "a committed funds-out stays reserved", _CL),
    Defect("account-switch-ignored", "participants", "PUT …/accounts/{id} leaves an account active", _CL),
    Defect("settlement-window-stays-open", "windows", "a window that is closed stays open beside the next", _CS, False),
    Defect("settlement-window-never-settled", "windows", "a window is not settled with its settlement", _CS, False),
    Defect("settlement-transfer-counted-twice", "windows", "a transfer counts twice in its window", _CS, False),
    Defect("settlement-sign-turned", "settlements", "who owes is shown as owed, and the reverse", _CS, False),
    Defect("settlement-step-skipped", "settlements", "an account may skip a state of its settlement", _CS, False),
    Defect("settlement-sender-position-kept", "settlements", "the position of who owes is not reset", _CS, False),
    Defect("settlement-abort-keeps", "settlements", "an aborted settlement keeps the positions it reset", _CS, False),
    Defect("settlement-filter-ignored", "settlements", "GET /settlements answers whatever is asked for", _CS, False),
    Defect("settlement-default-model-greedy", "settlements", "the default model takes other models' too", _CS, False),
    Defect("interchange-fee-forgotten", "settlements", "no fee is owed for a transfer between wallets", _CS, False),
    Defect("gross-settlement-left-out", "settlements", "a gross model leaves positions as they are", _CS, False),
)  # fmt: skip


@final
class Defects:
    """The defects that are switched on in one hub."""

    __slots__ = ("_on",)

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Raises ``UsageError`` naming a defect that does not exist."""
        self._on = frozenset(names)
        if unknown := sorted(self._on - DEFECTS.keys()):
            raise UsageError(
                f"unknown defect: {', '.join(unknown)}", remedy="'harness hub defects' lists those that exist"
            )

    def active(self, name: str) -> bool:
        """Whether the defect is switched on. Raises ``KeyError`` on a name the table does not have."""
        return name in self._on or (name not in DEFECTS and self._missing(name))

    @staticmethod
    def _missing(name: str) -> bool:
        raise KeyError(name)

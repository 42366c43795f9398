"""Whom does a simulated DFSP know? The repository API of mojaloop-simulator, in which collections put their parties.

Statuses and bodies as recorded from mojaloop-simulator 15.4.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

from harness.engine.inbound.behaviour import Party
from harness.engine.inbound.dfsp import DfspResponder
from harness.engine.inbound.messages import Inbound
from harness.engine.inbound.responder import Reaction

__all__ = ["PARTIES", "Repository", "pairs_of"]

PARTIES = "/repository/parties"
_NO_ID = {"statusCode": "1000", "message": "ID not supplied"}
_KNOWN_ID = {"statusCode": "2000", "message": "ID is already registered"}

_Key = tuple[str, str, str | None]
"""Type, identifier, sub-id."""


@final
class Repository:
    """The parties that ``dfsp`` answers for, as they were put in."""

    def __init__(self, dfsp: DfspResponder) -> None:
        self._dfsp = dfsp
        self._parties: dict[_Key, dict[str, Any]] = {}

    def respond(self, call: Inbound) -> Reaction:
        """Returns what the repository answers to ``call``, whose path is ``PARTIES`` or below it."""
        parts = tuple(part.replace("%2F", "/") for part in call.path.removeprefix(PARTIES).split("/")[1:])
        match call.method, parts:
            case "GET", ():
                return Reaction(taken=True, status=200, body=list(self._parties.values()))
            case "POST", ():
                return self._add(call.body)
            case "PUT", (str(kind), str(value)):
                return self._replace(kind, value, call.body)
            case "DELETE", (str(kind), str(value)):
                return _done(self._remove(kind, value))
        return Reaction(taken=True, status=404)

    def _add(self, given: Any) -> Reaction:
        if not isinstance(given, dict) or not given.get("idType") or not given.get("idValue"):
            return Reaction(taken=True, status=400, body=_NO_ID)
        if _key(given) in self._parties:
            return _done(False)
        self._keep(given)
        return _done(True)

    def _replace(self, kind: str, value: str, given: Any) -> Reaction:
        if not isinstance(given, dict) or not self._remove(kind, value):
            return _done(False)
        self._keep({**given, "idType": given.get("idType", kind), "idValue": given.get("idValue", value)})
        return _done(True)

    def _remove(self, kind: str, value: str) -> bool:
        """Makes the parties of that id unknown, with and without a sub-id. Returns whether there were any."""
        known = [key for key in self._parties if key[:2] == (kind, value)]
        for key in known:
            del self._parties[key]
            self._dfsp.remove_party(*key)
        return bool(known)

    def _keep(self, given: Mapping[str, Any]) -> None:
        key = _key(given)
        self._parties[key] = dict(given)
        self._dfsp.add_party(
            Party(
                id_type=key[0],
                identifier=key[1],
                sub_id=key[2],
                name=_text(given.get("displayName")),
                # a name that is left empty is not told: the SDK leaves it out
                first_name=_text(given.get("firstName") or None),
                middle_name=_text(given.get("middleName") or None),
                last_name=_text(given.get("lastName") or None),
                date_of_birth=_text(given.get("dateOfBirth")),
                extensions=pairs_of(given),
            )
        )


def pairs_of(given: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Returns the extensions of a party as the simulator's API lists them: ``[{"key": …, "value": …}]``."""
    listed = given.get("extensionList")
    rows = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return tuple((str(row["key"]), str(row["value"])) for row in rows if "key" in row and "value" in row)


def _done(well: bool) -> Reaction:
    return Reaction(taken=True, status=204) if well else Reaction(taken=True, status=500, body=_KNOWN_ID)


def _key(given: Mapping[str, Any]) -> _Key:
    return str(given["idType"]), str(given["idValue"]), _text(given.get("idSubValue") or None)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)

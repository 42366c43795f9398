"""How does a DFSP that plays by rules answer the hub? The first rule that fits decides; its event becomes a callback.

No input or output of its own but the bounded script runner that is handed in.
"""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, final
from urllib.parse import parse_qsl, quote

from harness.engine.inbound.messages import Inbound
from harness.engine.inbound.responder import Outgoing, Reaction, Responder
from harness.engine.rules.mock import Maker, generated, sealed
from harness.engine.rules.model import Event, EventType, Facts, Rule, RuleBook, first
from harness.engine.rules.placeholders import fill
from harness.engine.rules.scripts import RuleScripts
from harness.engine.ttk.variables import FUNCTIONS
from harness.errors import InternalError, UsageError
from harness.fspiop.errors import FspiopError, error_information
from harness.fspiop.headers import DESTINATION, SOURCE, content_type, parse_accept, parse_content_type
from harness.fspiop.resources import REQUEST_IDS, Operation, find_operation

__all__ = ["RuleResponder"]

Json = dict[str, Any]
_PARAMETER = re.compile(r"\{(\w+)\}")
_REMEMBERED = 10_000
"""How many answers a DFSP remembers, to give them again to a GET and to know the hub's news of them."""
_NOT_FOUND = {
    "quotes": FspiopError.QUOTE_ID_NOT_FOUND,
    "transfers": FspiopError.TRANSFER_ID_NOT_FOUND,
    "bulkQuotes": FspiopError.BULK_QUOTE_ID_NOT_FOUND,
}


@final
class RuleResponder:
    """Plays one DFSP. ``hub`` maps each service to its base URL.

    ``otherwise`` is asked where no rule fits. ``peers`` maps the DFSPs that a ``FORWARD`` rule may name to base URLs.
    ``scripts`` may be left out where no rule has a script.
    """

    def __init__(
        self,
        fsp: str,
        hub: Mapping[str, str],
        rules: RuleBook,
        *,
        api_version: str = "1.1",
        scripts: RuleScripts | None = None,
        otherwise: Responder | None = None,
        peers: Mapping[str, str] | None = None,
        functions: Mapping[str, Callable[[], str]] = FUNCTIONS,
    ) -> None:
        if rules.scripted and scripts is None:
            raise InternalError(f"the rules of {fsp} have scripts and nobody to run them")
        self.fsp = fsp
        self._hub = dict(hub)
        self._rules = rules
        self._api_version = api_version
        self._scripts = scripts
        self._otherwise = otherwise
        self._peers = dict(peers or {})
        self._functions = functions
        self._environment: Mapping[str, Any] = {}
        self._answers: OrderedDict[tuple[str, str], Json] = OrderedDict()
        self._templates = {
            template: re.compile(_PARAMETER.sub(r"(?P<\1>[^/]+)", template))
            for rule in rules.response
            for template in sorted(rule.conditions.templates())
        }

    def respond(self, call: Inbound, now: datetime) -> Reaction:
        """Returns the reaction to ``call``. Raises ``UsageError`` where a rule cannot be carried out."""
        found = find_operation(call.method, call.path)
        if found is None:
            return self._respond_at_once(call, now)
        operation, parameters = found
        if operation.callback is None:
            return self._news(call, operation, parameters, now)
        facts = _facts(call, operation.template, parameters)
        rule = first(self._rules.validation, facts) or first(self._rules.callback, facts)
        if rule is None:
            return Reaction() if self._otherwise is None else self._otherwise.respond(call, now)
        return self._carry_out(rule, call, operation, facts, now)

    # Asynchronous operations

    def _carry_out(self, rule: Rule, call: Inbound, operation: Operation, facts: Facts, now: datetime) -> Reaction:
        event = rule.event
        overriding = self._run(rule, facts)
        if event.type is EventType.NO_CALLBACK:
            return Reaction(taken=True)
        if event.type is EventType.FORWARD:
            return self._forward(event, call)
        if event.type in (EventType.FIXED_RESPONSE, EventType.MOCK_RESPONSE):
            return self._response(event, facts)
        refused = event.type in (EventType.FIXED_ERROR_CALLBACK, EventType.MOCK_ERROR_CALLBACK)
        body = _merged(self._filled(event.body, facts), overriding)
        identity = _identity(operation, facts)
        if event.type is EventType.MOCK_CALLBACK:
            maker = Maker(self.fsp, facts, now)
            known = self._answers.get((operation.resource, identity.get("ID", ""))) if call.method == "GET" else None
            if known is None and call.method == "GET" and operation.resource in _NOT_FOUND:
                refused, body = True, error_information(_NOT_FOUND[operation.resource])
            else:
                made = known if known is not None else generated(maker, operation.key)
                body = sealed(maker, operation.key, _without_empty(_merged(made, body)))
        if event.type is EventType.MOCK_ERROR_CALLBACK:
            body = _without_empty(_merged(error_information(FspiopError.SERVER), body))
        if not refused and isinstance(body, dict):
            self._remember(operation.resource, identity.get("ID", ""), body)
        template = event.path or (operation.error_callback if refused else operation.callback) or ""
        if refused and not template.endswith("/error"):
            template = f"{template}/error"
        path = _PARAMETER.sub(lambda m: quote(identity.get(m[1], identity.get("ID", "")), safe=""), template)
        headers = self._headers(call, operation, self._filled(dict(event.headers), facts))
        method = (event.method or "put").upper()
        url = self._service(operation) + path
        return Reaction(taken=True, sends=(Outgoing(method, url, headers, body, event.delay_ms),))

    def _headers(self, call: Inbound, operation: Operation, given: Mapping[str, str]) -> dict[str, str]:
        """Returns the headers of a callback: the usual ones, and over them what the rule says, in any case."""
        lines = {
            "Content-Type": content_type(operation.resource, self._version(call)),
            SOURCE: self.fsp,
            DESTINATION: call.source,
        }
        if call.trace_id is not None:
            lines["traceparent"] = f"00-{call.trace_id}-{secrets.token_hex(8)}-01"
        names = {name.lower(): name for name in lines}
        for name, value in given.items():
            # A date in a rule is the day the rule was written: the sender says when it sends.
            if name.lower() != "date":
                lines[names.get(name.lower(), name)] = value
        return {name: value for name, value in lines.items() if value}

    def _version(self, call: Inbound) -> str:
        """Returns the API version to answer in: what the call accepts, then what it is written in, then our own."""
        try:
            for media in parse_accept(call.headers.get("accept", "")):
                if media.version is not None and media.version.minor is not None:
                    return str(media.version)
            media = parse_content_type(call.headers.get("content-type", ""))
            return self._api_version if media.version is None else str(media.version)
        except ValueError:
            return self._api_version

    def _service(self, operation: Operation) -> str:
        base = self._hub.get(operation.service)
        if base is None:
            raise UsageError(
                f"{self.fsp} cannot answer {operation.key}: it does not know where {operation.service} is",
                remedy="Name the service in the target",
            )
        return base.rstrip("/")

    def _forward(self, event: Event, call: Inbound) -> Reaction:
        base = self._peers.get(event.to or "")
        if base is None:
            raise UsageError(f"a rule of {self.fsp} forwards to {event.to}, which nobody plays")
        kept = {name: value for name, value in call.headers.items() if name not in _HOP_BY_HOP}
        url = base.rstrip("/") + "/".join(quote(part, safe="%") for part in call.path.split("/"))
        if call.query:
            url = f"{url}?{call.query}"
        return Reaction(taken=True, sends=(Outgoing(call.method, url, kept, call.body, event.delay_ms),))

    def _news(self, call: Inbound, operation: Operation, parameters: Mapping[str, str], now: datetime) -> Reaction:
        """The hub tells how a transfer that we answered ended, with PATCH or with an error."""
        if operation.method == "PATCH" or operation.template.endswith("/error"):
            answer = self._answers.get((operation.resource, parameters.get("ID", "")))
            states = ("RESERVED",) if operation.method == "PATCH" else ("RESERVED", "COMMITTED")
            if answer is not None and (answer.get("transferState") or answer.get("conversionState")) in states:
                return Reaction(taken=True)
        return Reaction() if self._otherwise is None else self._otherwise.respond(call, now)

    # Synchronous operations

    def _respond_at_once(self, call: Inbound, now: datetime) -> Reaction:
        for template, pattern in self._templates.items():
            if (match := pattern.fullmatch(call.path)) is not None:
                facts = _facts(call, template, match.groupdict())
                if (rule := first(self._rules.response, facts)) is not None:
                    self._run(rule, facts)
                    return self._response(rule.event, facts)
        return Reaction() if self._otherwise is None else self._otherwise.respond(call, now)

    def _response(self, event: Event, facts: Facts) -> Reaction:
        body = self._filled(event.body, facts)
        if event.type is EventType.MOCK_RESPONSE:
            body = _without_empty(_merged(dict(facts.path_params), body))
        return Reaction(taken=True, status=event.status or 200, body=body)

    # Parts

    def _run(self, rule: Rule, facts: Facts) -> Any:
        """Runs the rule's script; returns what it wants merged into the body. Raises ``UsageError`` where it broke."""
        script = rule.event.script
        if script is None or self._scripts is None:
            return None
        outcome = self._scripts.run(script, facts, self._environment)
        self._environment = outcome.environment
        if outcome.error:
            raise UsageError(f"the script of rule {rule.id} ({rule.description}) broke: {outcome.error}")
        return (outcome.override or {}).get("body")

    def _filled(self, document: Any, facts: Facts) -> Any:
        request = {
            "headers": facts.headers,
            "body": facts.body,
            "params": facts.path_params,
            "query": facts.query,
            "method": facts.method,
            "path": facts.path,
        }
        sources = {"request": request, "config": {"FSPID": self.fsp}, "environment": self._environment}
        return fill(document, sources, self._functions)

    def _remember(self, resource: str, ident: str, body: Json) -> None:
        self._answers[resource, ident] = body
        self._answers.move_to_end((resource, ident))
        if len(self._answers) > _REMEMBERED:
            self._answers.popitem(last=False)


_HOP_BY_HOP = frozenset({"host", "content-length", "connection", "transfer-encoding", "date", "keep-alive"})
"""What belongs to one connection or one sending (RFC 9110, section 7.6.1)."""


def _facts(call: Inbound, template: str, parameters: Mapping[str, str]) -> Facts:
    return Facts(
        operation_path=template,
        method=call.method.lower(),
        headers={name.lower(): value for name, value in call.headers.items()},
        body=call.body,
        path_params={name: value.replace("%2F", "/") for name, value in parameters.items()},
        query=dict(parse_qsl(call.query)),
        path=call.path,
    )


def _identity(operation: Operation, facts: Facts) -> dict[str, str]:
    """Returns what stands for the parameters of the callback's path: the call's own, or the id in its body."""
    name = REQUEST_IDS.get(operation.template)
    if name is None or not isinstance(facts.body, dict):
        return dict(facts.path_params)
    return {"ID": str(facts.body.get(name, ""))}


def _merged(base: Any, over: Any) -> Any:
    """Returns ``base`` with ``over`` laid on it, objects member by member, anything else as a whole."""
    if over is None:
        return base
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    return {
        **base,
        **{name: _merged(base.get(name), value) if value is not None else None for name, value in over.items()},
    }


def _without_empty(node: Any) -> Any:
    """Returns ``node`` without the members that are null: so a rule takes something away."""
    if isinstance(node, dict):
        return {name: _without_empty(value) for name, value in node.items() if value is not None}
    return [_without_empty(item) for item in node] if isinstance(node, list) else node

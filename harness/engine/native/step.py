"""One step of a native case: what went over the wire, and the checks made of it.

A check never stops the case: it is recorded, and the case goes on with ``ABSENT`` where something is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

from harness.engine.exchange import Exchange
from harness.engine.native.matchers import ABSENT, Matcher, equals, pick, present
from harness.engine.recorder import StepRecorder
from harness.fspiop.headers import content_type
from harness.fspiop.resources import Operation, find_operation
from harness.model.ids import fingerprint
from harness.model.outcome import Outcome

__all__ = ["Step"]

_SHOWN = 400


@final
class Step:
    """A recorded exchange. ``operation`` is FSPIOP's where the call is one of FSPIOP's, else ``None``."""

    def __init__(self, recorder: StepRecorder, exchange: Exchange, operation: Operation | None = None) -> None:
        self._recorder = recorder
        self.exchange = exchange
        self.operation = operation
        self.sent: Mapping[str, Any] = exchange.request.body if isinstance(exchange.request.body, dict) else {}

    # -- what is there ---------------------------------------------------------------------------------------------

    def response(self, path: str = "") -> Any:
        """Returns the response body or the element at ``path``; ``ABSENT`` where there is none."""
        answer = self.exchange.response
        if answer is None:
            return ABSENT
        return pick(answer.body, path) if path else answer.body

    def callback(self, path: str = "") -> Any:
        """Returns the callback body or the element at ``path``; ``ABSENT`` where there is none."""
        call = self.exchange.callback
        if call is None:
            return ABSENT
        return pick(call.body, path) if path else call.body

    def callback_header(self, name: str) -> Any:
        """Returns a header of the callback, ``ABSENT`` where there is none."""
        call = self.exchange.callback
        return ABSENT if call is None else call.headers.get(name.lower(), ABSENT)

    @property
    def _answered_by(self) -> str:
        return self._recorder.component if self.operation is None else self.operation.decided_by

    # -- checks ----------------------------------------------------------------------------------------------------

    def check(self, label: str, actual: Any, demand: Matcher | Any, *, component: str = "") -> bool:
        """Records whether ``actual`` meets ``demand`` (a plain value means: equals). Returns whether it does.

        Where the exchange itself broke off (no connection, no response) nothing is known of the hub: outcome error.
        """
        matcher = demand if isinstance(demand, Matcher) else equals(demand)
        exchange = self.exchange
        if exchange.response is None:
            outcome, message = Outcome.ERROR, exchange.error
        elif matcher.test(actual):
            outcome, message = Outcome.PASSED, ""
        else:
            outcome = Outcome.FAILED
            why = f" ({exchange.error})" if actual is ABSENT and exchange.error else ""
            message = f"expected {_short(actual)} {matcher.describe()}{why}"
        method, _, template = self._recorder.operation.partition(" ")
        self._recorder.check(
            label,
            outcome,
            message,
            expected=matcher.expected,
            actual=None if actual is ABSENT else _storable(actual),
            fingerprint=fingerprint(method, template, f"{label} {matcher.relation}"),
            component=component,
        )
        return outcome is Outcome.PASSED

    def status(self, expected: int) -> bool:
        """Checks the HTTP status of the response."""
        answer = self.exchange.response
        return self.check(f"response status is {expected}", answer.status if answer else ABSENT, expected)

    def accepted(self) -> bool:
        """Checks that the request was taken for asynchronous handling: 202."""
        return self.status(202)

    def answered(self, *, version: str | None = None) -> bool:
        """Checks that the success callback came, to the right DFSP and in the right media type."""
        return self._came("", version)

    def answered_with_error(self, code: str, *, version: str | None = None) -> bool:
        """Checks that the error callback came, with FSPIOP error ``code``."""
        came = self._came("/error", version)
        actual = self.callback("errorInformation.errorCode")
        return self.check(f"error code is {code}", actual, code, component=self._answered_by) and came

    def refused(self, status: int, code: str) -> bool:
        """Checks that the request was refused at once, with HTTP ``status`` and FSPIOP error ``code``."""
        was = self.status(status)
        return self.check(f"error code is {code}", self.response("errorInformation.errorCode"), code) and was

    def says(self, path: str, demand: Matcher | Any, *, component: str = "") -> bool:
        """Checks the element at ``path`` of the response body."""
        return self.check(f"response {path}", self.response(path), demand, component=component)

    def calls_back(self, path: str, demand: Matcher | Any, *, component: str = "") -> bool:
        """Checks the element at ``path`` of the callback body."""
        label = f"callback {path}"
        return self.check(label, self.callback(path), demand, component=component or self._answered_by)

    def calls_back_with_header(self, name: str, demand: Matcher | Any) -> bool:
        """Checks a header of the callback. The component that delivers callbacks answers for it."""
        return self.check(f"callback header {name.lower()}", self.callback_header(name), demand)

    def _came(self, suffix: str, version: str | None) -> bool:
        call, operation = self.exchange.callback, self.operation
        wanted = None if operation is None or operation.callback is None else f"PUT {operation.callback}{suffix}"
        found = None if call is None else find_operation(call.method, call.path)
        actual: Any = ABSENT if call is None else f"{call.method} {call.path}" if found is None else found[0].key
        came = self.check(f"callback is {wanted}", actual, wanted, component=self._answered_by)
        if operation is not None and self.exchange.awaited is not None:
            self.calls_back_with_header("fspiop-destination", self.exchange.awaited.fsp)
            self.calls_back_with_header("fspiop-source", present())
            self.calls_back_with_header("content-type", content_type(operation.resource, version or self._version()))
        return came

    def _version(self) -> str:
        sent = {name.lower(): value for name, value in self.exchange.request.headers.items()}
        return sent.get("content-type", "").rpartition("version=")[2] or "1.1"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _storable(value: Any) -> Any:
    text = repr(value)
    return value if len(text) <= 4 * _SHOWN else text[: 4 * _SHOWN] + "…"

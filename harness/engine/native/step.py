"""One step of a native case: what went over the wire, and the checks made of it.

A check never stops the case: it is recorded, and the case goes on with ``ABSENT`` where something is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from harness.engine.exchange import Exchange
from harness.engine.native.matchers import ABSENT, Matcher, at_most, equals, one_of, pick, present
from harness.engine.recorder import StepRecorder
from harness.fspiop.headers import content_type
from harness.fspiop.resources import Operation, find_operation
from harness.model.ids import fingerprint
from harness.model.outcome import Outcome

__all__ = ["DFSP_VERSION", "Step", "Voice"]

_SHOWN = 400
DFSP_VERSION = "1.1"
"""The FSPIOP version that the DFSPs of a run answer in, whatever they were asked in."""


@final
@dataclass(frozen=True, slots=True)
class Voice:
    """How the hub under validation speaks for itself: its ``FSPIOP-Source``, and the API versions it may write."""

    source: str
    versions: tuple[str, ...]


@final
class Step:
    """A recorded exchange. ``operation`` is FSPIOP's where the call is one of FSPIOP's, else ``None``.

    ``lost_by`` is the component to ask about a callback that never came; empty for the one that delivers it.
    """

    def __init__(
        self,
        recorder: StepRecorder,
        exchange: Exchange,
        operation: Operation | None = None,
        *,
        voice: Voice | None = None,
        lost_by: str = "",
    ) -> None:
        self._recorder = recorder
        self._voice = voice
        self._lost_by = lost_by or recorder.component
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

    def callback_trace(self) -> Any:
        """Returns the trace id that the callback belongs to, ``ABSENT`` where it names none."""
        call = self.exchange.callback
        return ABSENT if call is None or call.trace_id is None else call.trace_id

    @property
    def trace(self) -> str:
        """The trace id that the request was sent with."""
        return self.exchange.request.headers["traceparent"].split("-")[1]

    @property
    def _answered_by(self) -> str:
        """The component whose work the callback shows or, where none came, the one to ask about that."""
        if self.exchange.callback is None:
            return self._lost_by
        return self._recorder.component if self.operation is None else self.operation.decided_by

    @property
    def _delivered_by(self) -> str:
        return self._lost_by if self.exchange.callback is None else self._recorder.component

    # -- checks ----------------------------------------------------------------------------------------------------

    def check(self, label: str, actual: Any, demand: Matcher | Any, *, component: str = "") -> bool:
        """Records whether ``actual`` meets ``demand`` (a plain value means: equals). Returns whether it does.

        Where the exchange itself broke off (no connection, no response) nothing is known of the hub: outcome error.
        ``component`` is the one to blame if it is not the one that was called.
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

    def refused(self, status: int, code: str) -> bool:
        """Checks that the request was refused at once, with HTTP ``status`` and FSPIOP error ``code``."""
        was = self.status(status)
        return self.check(f"error code is {code}", self.response("errorInformation.errorCode"), code) and was

    def answered(self, *, by: str | None = None) -> bool:
        """Checks that the success callback came, to the right DFSP and in the right media type.

        ``by`` is the DFSP whose answer the hub hands on, where the case knows it.
        """
        return self._came("", equals(by) if by else present(), DFSP_VERSION)

    def answered_by_hub(self) -> bool:
        """Checks that the success callback came and that the hub says it for itself."""
        return self._came("", self._hub_source(), None)

    def answered_with_error(self, code: str, *, by: str | None = None) -> bool:
        """Checks that the error callback came, with FSPIOP error ``code`` as DFSP ``by`` said it."""
        came = self._came("/error", equals(by) if by else present(), DFSP_VERSION)
        return self._error_code(code) and came

    def declined_by_hub(self, code: str) -> bool:
        """Checks that the error callback came, with FSPIOP error ``code``, and that the hub says it for itself."""
        came = self._came("/error", self._hub_source(), None)
        return self._error_code(code) and came

    def callback_within(self, limit_ms: float) -> bool:
        """Checks that the callback came within ``limit_ms`` milliseconds of the request."""
        took = self.exchange.callback_ms
        label = f"callback within {limit_ms:g} ms"
        return self.check(label, ABSENT if took is None else took, at_most(limit_ms), component=self._answered_by)

    def says(self, path: str, demand: Matcher | Any, *, component: str = "") -> bool:
        """Checks the element at ``path`` of the response body."""
        return self.check(f"response {path}", self.response(path), demand, component=component)

    def calls_back(self, path: str, demand: Matcher | Any, *, component: str = "") -> bool:
        """Checks the element at ``path`` of the callback body."""
        label = f"callback {path}"
        return self.check(label, self.callback(path), demand, component=component or self._answered_by)

    def calls_back_with_header(self, name: str, demand: Matcher | Any) -> bool:
        """Checks a header of the callback. The component that delivers callbacks answers for it."""
        return self._header(name.lower(), demand, self._delivered_by)

    def keeps_the_trace(self) -> bool:
        """Checks that the callback belongs to the trace of the request (W3C Trace Context, section 3.2)."""
        label = "callback is in the trace of the request"
        return self.check(label, self.callback_trace(), self.trace, component=self._delivered_by)

    # -- parts -----------------------------------------------------------------------------------------------------

    def _came(self, suffix: str, source: Matcher, version: str | None) -> bool:
        """Checks route and headers. ``version`` is ``None`` where the hub chooses among those it speaks."""
        call, operation, awaited = self.exchange.callback, self.operation, self.exchange.awaited
        if operation is None or operation.callback is None or awaited is None:
            raise LookupError(f"{self._recorder.operation} awaited no callback")
        wanted = f"PUT {operation.callback}{suffix}"
        found = None if call is None else find_operation(call.method, call.path)
        actual: Any = ABSENT if call is None else f"{call.method} {call.path}" if found is None else found[0].key
        came = self.check(f"callback is {wanted}", actual, wanted, component=self._answered_by)
        versions = (version,) if version else self._voice.versions if self._voice else ()
        media_types = [content_type(operation.resource, one) for one in versions]
        # Another message than the one expected has other headers: that is put down to who decided to send it.
        component = self._delivered_by if came else self._answered_by
        self._header("fspiop-destination", awaited.fsp, component)
        self._header("fspiop-source", source, component)
        self._header("content-type", one_of(media_types), component)
        return came

    def _header(self, name: str, demand: Matcher | Any, component: str) -> bool:
        return self.check(f"callback header {name}", self.callback_header(name), demand, component=component)

    def _error_code(self, code: str) -> bool:
        actual = self.callback("errorInformation.errorCode")
        return self.check(f"error code is {code}", actual, code, component=self._answered_by)

    def _hub_source(self) -> Matcher:
        return present() if self._voice is None else equals(self._voice.source)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _storable(value: Any) -> Any:
    text = repr(value)
    return value if len(text) <= 4 * _SHOWN else text[: 4 * _SHOWN] + "…"

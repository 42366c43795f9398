"""What one case showed, collected as records: the single stream that native cases and collections both write to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, final

from harness.engine.exchange import Exchange
from harness.fspiop.errors import error_said
from harness.fspiop.money import currencies_in
from harness.model.ids import SEPARATOR, Numbering
from harness.model.outcome import Outcome
from harness.model.records import CheckRecorded, Record, StepFinished

__all__ = ["CaseRecorder", "StepRecorder"]


@final
@dataclass(slots=True)
class StepRecorder:
    """One step being recorded. Checks may be added for as long as the case runs."""

    case: str
    id: str
    label: str
    operation: str
    url: str
    component: str
    exchange: Exchange | None = None
    error: str = ""
    error_kind: str = ""
    checks: list[CheckRecorded] = field(default_factory=list)
    _numbering: Numbering = field(default_factory=Numbering)

    def sent(self, exchange: Exchange) -> None:
        """Takes the exchange of this step."""
        self.exchange = exchange
        if exchange.error_kind:
            self.error, self.error_kind = exchange.error, exchange.error_kind

    def broke(self, error: str, kind: str) -> None:
        """Notes that a script (``script``) or the harness (``harness``) broke in this step."""
        self.error, self.error_kind = error, kind

    def check(
        self,
        label: str,
        outcome: Outcome,
        message: str = "",
        *,
        expected: Any = None,
        actual: Any = None,
        fingerprint: str = "",
        component: str = "",
    ) -> str:
        """Adds one check's outcome and returns its id. A repeated label is numbered, never merged."""
        check = SEPARATOR.join((self.id, self._numbering.segment(label)))
        self.checks.append(
            CheckRecorded(
                check=check,
                case=self.case,
                step=self.id,
                label=label,
                outcome=outcome,
                message=message,
                expected=expected,
                actual=actual,
                fingerprint=fingerprint,
                component=component,
            )
        )
        return check

    def record(self) -> StepFinished:
        """Returns the step as the journal holds it."""
        exchange = self.exchange
        code, text = _error_in(exchange)
        return StepFinished(
            case=self.case,
            step=self.id,
            label=self.label,
            operation=self.operation,
            url=self.url,
            component=self.component,
            status=exchange.response.status if exchange and exchange.response else None,
            latency_ms=exchange.latency_ms if exchange else None,
            callback_ms=exchange.callback_ms if exchange else None,
            callback_awaited=bool(exchange and exchange.awaited),
            callback_received=bool(exchange and exchange.callback),
            exchange=exchange.id if exchange else None,
            error=self.error,
            error_kind=self.error_kind,
            error_code=code,
            error_text=text,
            currencies=_currencies_in(exchange),
        )


def _error_in(exchange: Exchange | None) -> tuple[str, str]:
    if exchange is None:
        return "", ""
    said = error_said(exchange.callback.body) if exchange.callback else ("", "")
    return said if said[0] or exchange.response is None else error_said(exchange.response.body)


def _currencies_in(exchange: Exchange | None) -> list[str]:
    if exchange is None:
        return []
    return currencies_in([exchange.request.body, exchange.callback.body if exchange.callback else None])


@final
class CaseRecorder:
    """Collects the steps of one case, in order."""

    def __init__(self, case: str) -> None:
        self.case = case
        self.steps: list[StepRecorder] = []
        self.failures: list[str] = []
        """Why the case failed outside any check."""
        self._numbering = Numbering()

    def step(self, label: str, *, operation: str, url: str, component: str) -> StepRecorder:
        """Opens a step. ``operation`` is ``POST /transfers``, ``component`` the service behind ``url``."""
        step_id = SEPARATOR.join((self.case, self._numbering.segment(label)))
        step = StepRecorder(case=self.case, id=step_id, label=label, operation=operation, url=url, component=component)
        self.steps.append(step)
        return step

    @property
    def checks(self) -> list[CheckRecorded]:
        """All checks so far."""
        return [check for step in self.steps for check in step.checks]

    @property
    def outcome(self) -> Outcome:
        """The worst of all checks: error, failed, hollow, skipped, passed. A case without checks is hollow."""
        outcomes = {check.outcome for check in self.checks}
        for worst in (Outcome.ERROR, Outcome.FAILED, Outcome.HOLLOW, Outcome.SKIPPED, Outcome.PASSED):
            if worst in outcomes:
                return worst
        return Outcome.HOLLOW

    def records(self) -> list[Record]:
        """Returns each step followed by its checks."""
        return [record for step in self.steps for record in (step.record(), *step.checks)]

    def exchanges(self) -> list[dict[str, Any]]:
        """Returns the exchanges of all steps, not yet redacted."""
        return [{"case": self.case, "step": step.id, **step.exchange.to_json()} for step in self.steps if step.exchange]

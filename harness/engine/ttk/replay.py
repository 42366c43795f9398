"""Evaluates a recorded TTK report again, without a hub: where do the reference engine and ours differ?

Scripts run on the recorded exchanges, in order. What hangs on something that the report lacks is not replayable.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

from harness.engine.ttk import messages
from harness.engine.ttk.script import AssertionResult, ScriptHost, World
from harness.model.outcome import Outcome
from harness.suite.report.model import RecordedAssertion, RecordedReport, RecordedRequest

__all__ = ["ReplayResult", "Replayed", "format_matrix", "replay"]

SHARED_ID = "shared assertion id: the result of a later assertion took its place"
NO_STATUS = "the report holds no status for it"
_THEIRS = ("SUCCESS", "SKIPPED", "FAILED")
_AGREE: Mapping[str, tuple[Outcome, ...]] = {
    "SUCCESS": (Outcome.PASSED,),
    "SKIPPED": (Outcome.HOLLOW, Outcome.SKIPPED),
    "FAILED": (Outcome.FAILED,),
}
_SHOWN = 200


@final
@dataclass(frozen=True, slots=True)
class Replayed:
    """One assertion, said twice. ``outcome`` is ``None`` where it is not replayable, for ``reason``."""

    check: str
    status: str
    their_message: str
    outcome: Outcome | None
    message: str
    reason: str = ""
    ours: Outcome | None = None
    """Our outcome where only theirs is lost: of an assertion that shares its id with a later one."""

    @property
    def agrees(self) -> bool:
        """Whether both say the same, in the same words where it failed. Never true of what is not replayable.

        A reference engine's FAILED for an assertion that is itself broken (does not compile, unknown name) is our
        *error*: the words must be the same.
        """
        if self.outcome is None:
            return False
        if self.outcome is Outcome.ERROR:
            return self.status == "FAILED" and self.message.endswith(self.their_message)
        if self.outcome not in _AGREE.get(self.status, ()):
            return False
        return self.outcome is not Outcome.FAILED or self.message == self.their_message


@final
@dataclass(frozen=True, slots=True)
class ReplayResult:
    """A whole report, assertion by assertion."""

    report: RecordedReport
    assertions: tuple[Replayed, ...]

    @property
    def matrix(self) -> dict[str, dict[str, int]]:
        """How many assertions, by their status and our outcome; ``not replayable`` is a column of its own."""
        counts: dict[str, Counter[str]] = {}
        for one in self.assertions:
            ours = "not replayable" if one.outcome is None else one.outcome.value
            counts.setdefault(one.status or "(none)", Counter())[ours] += 1
        return {status: dict(counts[status]) for status in (*_THEIRS, "(none)") if status in counts}

    @property
    def disagreements(self) -> tuple[Replayed, ...]:
        """Those that were evaluated and came out otherwise."""
        return tuple(one for one in self.assertions if one.outcome is not None and not one.agrees)

    @property
    def not_replayable(self) -> dict[str, int]:
        """How many assertions cannot be evaluated again, by reason, most frequent first."""
        return dict(Counter(one.reason for one in self.assertions if one.outcome is None).most_common())

    @property
    def settled(self) -> dict[str, Outcome]:
        """Our outcome, by check id, of assertions whose result the reference engine lost to a shared id."""
        return {one.check: one.ours for one in self.assertions if one.ours is not None}

    @property
    def agreeing(self) -> int:
        """How many came out the same."""
        return sum(one.agrees for one in self.assertions)

    @property
    def agrees(self) -> bool:
        """Whether every replayable assertion came out the same, and there is one."""
        return self.agreeing > 0 and not self.disagreements

    def to_json(self) -> dict[str, Any]:
        """Returns where the report comes from, the matrix, every disagreement and what is not replayable."""
        return {
            "report": self.report.to_json(),
            "agrees": self.agrees,
            "agreeing": self.agreeing,
            "matrix": self.matrix,
            "disagreements": [
                {
                    "check": one.check,
                    "their_status": one.status,
                    "their_message": one.their_message,
                    "our_outcome": None if one.outcome is None else one.outcome.value,
                    "our_message": one.message,
                }
                for one in self.disagreements
            ],
            "not_replayable": {
                reason: [one.check for one in self.assertions if one.outcome is None and one.reason == reason]
                for reason in self.not_replayable
            },
        }


def replay(report: RecordedReport, scripts: ScriptHost | None = None) -> ReplayResult:
    """Returns what our engine makes of each assertion of ``report``, on what the report recorded.

    ``environment`` begins as the report's inputs; each request's scripts are run again on its exchange. A host
    function gets no answer, and every assertion that meets a value which may hang on one is *not replayable*.
    """
    if scripts is None:
        with ScriptHost() as own:
            return replay(report, own)
    run = _Run(scripts, dict(report.inputs))
    for case in report.cases:
        for request in case.requests:
            run.request(request)
    return ReplayResult(report, tuple(run.found))


@final
@dataclass(slots=True)
class _Run:
    scripts: ScriptHost
    environment: Mapping[str, Any]
    found: list[Replayed] = field(default_factory=list)

    def request(self, recorded: RecordedRequest) -> None:
        document = recorded.request.document
        variables: Mapping[str, Any] = {}
        if recorded.request.disabled:
            return self._all(recorded, AssertionResult(Outcome.SKIPPED))
        asked = messages.script_request(document)
        variables = self._script(recorded, "preRequest", World(self.environment, variables, request=asked))
        if not recorded.sent:
            skips = variables.get("SKIP_REQUEST")
            said = Outcome.SKIPPED if skips else Outcome.ERROR
            return self._all(
                recorded, AssertionResult(said, "" if skips else "no script skips it, and it was not sent")
            )
        response, callback = recorded.response, recorded.callback
        seen = None
        if response is not None:
            body = response.get("body")
            seen = {"code": response.get("status"), "status": response.get("statusText"), "body": body}
        world = World(self.environment, variables, request=asked, response=seen, callback=callback)
        variables = self._script(recorded, "postRequest", world)
        sent = messages.assertion_request(document)
        world = World(self.environment, variables, sent, sent, response, callback)
        sources = [one.assertion.source for one in recorded.assertions]
        results = self.scripts.run_assertions(sources, world)
        for one, result in zip(recorded.assertions, results, strict=True):
            self.found.append(_judged(one, result))
        return None

    def _script(self, recorded: RecordedRequest, name: str, world: World) -> Mapping[str, Any]:
        script = (recorded.request.document.get("scripts") or {}).get(name) or {}
        source = "\n".join(map(str, script.get("exec") or ()))
        if not source.strip():
            return world.request_variables
        engine = recorded.request.scripting_engine
        result = self.scripts.replay_script(source, world, engine="javascript" if engine == "javascript" else "postman")
        self.environment = result.environment
        return result.request_variables

    def _all(self, recorded: RecordedRequest, result: AssertionResult) -> None:
        self.found.extend(_judged(one, result) for one in recorded.assertions)


def _judged(recorded: RecordedAssertion, result: AssertionResult) -> Replayed:
    reason = result.unrecorded
    if not recorded.status:
        reason = NO_STATUS
    elif recorded.overwritten:
        reason = SHARED_ID
    return Replayed(
        check=str(recorded.assertion.check),
        status=recorded.status,
        their_message=recorded.message,
        outcome=None if reason else result.outcome,
        message=result.message if result.outcome in (Outcome.FAILED, Outcome.ERROR) else "",
        reason=reason,
        ours=result.outcome if recorded.overwritten and not result.unrecorded else None,
    )


def format_matrix(result: ReplayResult) -> str:
    """Returns for a reader: the matrix, what is not replayable by reason, and every disagreement with both messages."""
    matrix = result.matrix
    present = {name for row in matrix.values() for name in row}
    columns = [name for name in (*(one.value for one in Outcome), "not replayable") if name in present]
    width = max(8, *(len(name) for name in columns)) + 2 if columns else 10
    lines = [f"{result.report.name}: {len(result.assertions)} assertions", ""]
    lines.append("theirs".ljust(10) + "".join(name.rjust(width) for name in columns))
    for status, row in matrix.items():
        lines.append(status.ljust(10) + "".join(str(row.get(name, 0)).rjust(width) for name in columns))
    lines += ["", f"agree: {result.agreeing}, disagree: {len(result.disagreements)}"]
    lacking = result.not_replayable
    share = 100 * sum(lacking.values()) / len(result.assertions) if result.assertions else 0
    lines.append(f"not replayable: {sum(lacking.values())} ({share:.1f} %)")
    lines += [f"  {count:5d}  {reason}" for reason, count in lacking.items()]
    for one in result.disagreements:
        ours = "" if one.outcome is None else one.outcome.value
        lines += ["", one.check, f"  theirs: {one.status} {one.their_message[:_SHOWN]}".rstrip()]
        lines.append(f"  ours:   {ours} {one.message[:_SHOWN]}".rstrip())
    return "\n".join(lines) + "\n"

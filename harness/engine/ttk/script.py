"""Runs the JavaScript of collections in V8: what did each assertion show, and what did a script write?

One isolate at a time, bounded in time and memory, without a way out but the host functions handed in. An isolate that
was stopped is thrown away and the next call gets a fresh one.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Self, final

from harness.engine.ttk.pauses import Pauses
from harness.engine.ttk.values import ABSENT, MARK
from harness.errors import InternalError
from harness.model.outcome import Outcome

if TYPE_CHECKING:
    from py_mini_racer import MiniRacer

__all__ = ["AssertionResult", "HostFunction", "Limits", "ScriptHost", "ScriptResult", "World", "unrecorded_mark"]

HostFunction = Callable[..., Any]
_Due = tuple[float, float]
"""When a pause is over at the earliest (``time.monotonic()``), and how much longer it may last, in seconds."""
"""Called with JSON values, returns one; what it raises becomes the script's own rejection."""

_SOURCES = (
    "values.js", "expect.js", "methods.js", "text.js", "unrecorded.js", "environment.js", "jws.js", "http.js",
    "names.js", "host.js",
)  # fmt: skip
_LAST = (".getMessage",)
"""Calls that wait for something: done after those that may bring it about."""
_MESSAGE = 2_000
"""Longest message kept, in characters."""


@final
@dataclass(frozen=True, slots=True)
class Limits:
    """What one call into V8 may use. ``script_s`` is the whole script, waiting included (the TTK's default is 5 s)."""

    assertions_s: float = 5.0
    script_s: float = 30.0
    step_s: float = 5.0
    """The longest a script may compute without awaiting anything, seconds."""
    memory_bytes: int = 256 * 1024 * 1024


@final
@dataclass(frozen=True, slots=True)
class World:
    """What JavaScript sees of a step. All values are JSON; ``None`` is ``null``."""

    environment: Mapping[str, Any] = field(default_factory=dict)
    """Crosses to V8 only where it is another object than the last result's: never write to one that was handed in."""
    request_variables: Mapping[str, Any] = field(default_factory=dict)
    """Likewise; a new object begins a new request, which forgets what the last one listened for."""
    request: Any = None
    request_sent: Any = None
    response: Any = None
    callback: Any = None

    def to_json(self) -> dict[str, Any]:
        """Returns the names as collections know them, without what scripts share."""
        return {
            "request": self.request,
            "requestSent": self.request_sent,
            "response": self.response,
            "callback": self.callback,
        }


@final
@dataclass(frozen=True, slots=True)
class AssertionResult:
    """What one assertion showed. ``expected`` and ``actual`` are given where it compared two values and failed."""

    outcome: Outcome
    message: str = ""
    expected: Any = None
    actual: Any = None
    unrecorded: str = ""
    """In a replay: what it read that the recording does not hold, in words. Then nothing else here means anything."""


@final
@dataclass(frozen=True, slots=True)
class ScriptResult:
    """What a script left behind. ``error`` is empty where it ran to its end.

    ``unavailable`` names the host functions it called that do not exist here, even where it caught the refusal;
    ``unrecorded`` those whose answer a replay does not have.
    """

    environment: Mapping[str, Any]
    request_variables: Mapping[str, Any]
    log: tuple[str, ...] = ()
    error: str = ""
    unavailable: tuple[str, ...] = ()
    unrecorded: tuple[str, ...] = ()


class _StoppedError(Exception):
    """V8 was stopped: ``args[0]`` says why."""


def classify(kind: str, message: str, count: int) -> tuple[Outcome, str]:
    """Returns the outcome of an assertion and its message.

    It ran to its end: passed, or hollow where no check of ``expect`` was executed. It threw:

    - *failed*: an ``AssertionError``, or any exception the data caused (reading a property of an absent callback,
      ``JSON.parse`` of a body that is none, a ``throw`` of its own). The reference engine fails it too, in those words.
    - *error*: the assertion itself is broken (does not compile, uses an unknown name or an unknown word of ``expect``,
      recurses without end) or needs a host function that is not there. Nothing is known about the hub.
    """
    if not kind:
        return (Outcome.PASSED, "") if count else (Outcome.HOLLOW, "no expectation was executed")
    if kind in ("assertion", "thrown"):
        return Outcome.FAILED, message
    prefix = {"syntax": "does not compile: ", "reference": "unknown name: ", "recursion": "recurses without end: "}
    return Outcome.ERROR, prefix.get(kind, "") + message


@final
class ScriptHost:
    """Runs scripts and assertions, one after another. Not shared between threads; close it, or use it in ``with``."""

    def __init__(
        self,
        limits: Limits | None = None,
        functions: Mapping[str, HostFunction] | None = None,
        *,
        pauses: Pauses | None = None,
    ) -> None:
        self._pauses = pauses or Pauses()
        self._limits = limits or Limits()
        self._functions = dict(functions or {})
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="v8", daemon=True)
        self._thread.start()
        self._isolate: MiniRacer | None = None
        self._owner: AbstractContextManager[MiniRacer] | None = None
        self._leaving: list[threading.Thread] = []
        self._held: tuple[Mapping[str, Any] | None, Mapping[str, Any] | None] = (None, None)
        self._foreign: dict[str, tuple[Any, list[Any]]] = {}
        """By key of ``environment``: its value, and where in it objects stand that scripts made: environment.js."""
        self.isolates = 0
        """How many isolates were made so far."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends V8. A stopped isolate that is still busy in native code is given ten seconds to notice."""
        if self._loop.is_closed():
            return
        self.renew()
        deadline = time.monotonic() + 10
        for thread in self._leaving:
            thread.join(max(0.0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in self._leaving):
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def renew(self) -> None:
        """Makes the next call start in a fresh isolate, so that no case sees what another left in globals."""
        owner, self._owner, self._isolate, self._held = self._owner, None, None, (None, None)
        if owner is None:
            return
        # Freeing waits until native code has noticed that it was stopped, which the run should not wait for.
        thread = threading.Thread(target=owner.__exit__, args=(None, None, None), name="v8-free", daemon=True)
        thread.start()
        self._leaving = [other for other in self._leaving if other.is_alive()] + [thread]

    def begin_case(self) -> None:
        """Makes sure that the case to come finds all built-ins as they should be; an isolate of its own costs 10 ms."""
        if self._isolate is None:
            return
        try:
            intact = self._eval("__harness.intact()", self._limits.step_s) == "yes"
        except _StoppedError:
            return
        if not intact:
            self.renew()

    # --- assertions

    def run_assertions(self, sources: Sequence[str], world: World) -> list[AssertionResult]:
        """Returns one result per source, in order. One that has to be stopped is an error; the others are untouched."""
        if not sources:
            return []
        try:
            return self._batch(sources, world)
        except _StoppedError as stopped:
            if len(sources) == 1:
                return [AssertionResult(Outcome.ERROR, f"was stopped: {stopped}")]
        return [result for source in sources for result in self.run_assertions([source], world)]

    def _batch(self, sources: Sequence[str], world: World) -> list[AssertionResult]:
        found = json.loads(self._enter("assertions", world, {"sources": list(sources)}, self._limits.assertions_s))
        results = []
        for one in found:
            outcome, message = classify(one["kind"], one["message"], one["count"])
            compared = one.get("expected"), one.get("actual")
            results.append(AssertionResult(outcome, message[:_MESSAGE], *compared, unrecorded=one["unrecorded"]))
        return results

    # --- scripts

    def run_script(self, source: str, world: World, *, engine: str = "javascript") -> ScriptResult:
        """Runs ``source`` with the names of ``engine`` and returns what it wrote, also where it threw on the way.

        Work that it does not await is carried to its end as well. Where it had to be stopped, what it wrote is lost and
        the world's own values are returned.
        """
        return self._run(source, world, {"engine": engine, "available": [*self._functions]})

    def replay_script(self, source: str, world: World, *, engine: str = "javascript") -> ScriptResult:
        """Runs ``source`` on a recorded exchange, where nothing answers: host functions give stand-ins, time stands.

        What the script wrote then holds a mark (see ``unrecorded_mark``) wherever the value, or whether it is written
        at all, may hang on an answer that the recording lacks.
        """
        given = {"engine": engine, "available": [], "replays": True, "refuses": False}
        answered = self._run(source, world, given)
        if not any(name.startswith("axios") for name in answered.unrecorded):
            return answered
        # A call by axios may also have ended in an exception; what comes out of both ways alike hangs on neither.
        refused = self._run(source, world, {**given, "refuses": True})
        return ScriptResult(
            environment=_common(answered.environment, refused.environment),
            request_variables=_common(answered.request_variables, refused.request_variables),
            log=answered.log,
            error=answered.error,
            unrecorded=answered.unrecorded,
        )

    def _run(self, source: str, world: World, options: Mapping[str, Any]) -> ScriptResult:
        deadline = time.monotonic() + self._limits.script_s
        due: dict[int, _Due] = {}
        try:
            state = json.loads(self._enter("start", world, {"source": source, **options}, self._limits.step_s))
            while not state["done"]:
                if state["waiting"] >= 0:
                    self._serve(state, due, deadline)
                state = json.loads(self._eval("__harness.poll()", self._limits.step_s))
        except _StoppedError as stopped:
            return ScriptResult(world.environment, world.request_variables, error=f"was stopped: {stopped}")
        problem = state["problem"]
        changes = state["changes"]
        environment = _changed(world.environment, changes["environment"])
        variables = _changed(world.request_variables, changes["requestVariables"])
        self._held = (environment, variables)
        for key, paths in changes["environment"]["foreign"].items():
            self._foreign[key] = (environment[key], paths)
        return ScriptResult(
            environment,
            variables,
            log=tuple(state["log"]),
            error="" if problem is None else classify(problem["kind"], problem["message"], 0)[1][:_MESSAGE],
            unavailable=tuple(dict.fromkeys(state["unavailable"])),
            unrecorded=tuple(dict.fromkeys(state["unrecorded"])),
        )

    def _serve(self, state: Mapping[str, Any], due: dict[int, _Due], deadline: float) -> None:
        """Does what the script asks for; sleeps until its next timer where there is nothing else to do."""
        now = time.monotonic()
        if now > deadline:
            raise self._stop(f"not finished after {self._limits.script_s:g} s")
        if not state["waiting"]:
            raise self._stop("it waits for something that can never come")
        calls = [one for one in state["asked"] if one["name"] != "sleep"]
        calls.sort(key=lambda one: one["name"].endswith(_LAST))
        asleep = [one for one in state["asked"] if one["name"] == "sleep"]
        due.update({one["id"]: self._due(now, one["given"][0] / 1000) for one in asleep})
        for one in calls:
            self._answer(one["id"], *self._perform(one["name"], one["given"]))
        if calls or not due:
            return
        timer = min(due, key=lambda key: due[key])
        moment, rest = due.pop(timer)
        if moment > deadline:
            raise self._stop(f"not finished after {self._limits.script_s:g} s")
        time.sleep(max(0.0, moment - time.monotonic()))
        self._pauses.settle(min(rest, deadline - time.monotonic()))
        self._answer(timer, {"value": None})

    def _due(self, now: float, seconds: float) -> _Due:
        least = self._pauses.least_s(seconds)
        return now + least, seconds - least

    def _perform(self, name: str, given: Sequence[Any]) -> tuple[dict[str, Any]]:
        try:
            return ({"value": self._functions[name](*given)},)
        except Exception as problem:
            return ({"problem": str(problem) or type(problem).__name__},)

    def _answer(self, request: int, answer: Mapping[str, Any]) -> None:
        self._eval(_call("answer", {"id": request, **answer}), self._limits.step_s)

    # --- V8

    def _enter(self, function: str, world: World, given: Mapping[str, Any], timeout_s: float) -> str:
        """Calls ``function`` with ``world``: what scripts share goes along only where V8 does not have it yet."""
        seen = world.to_json()
        self._ready()
        names = ("environment", "requestVariables")
        shared = (world.environment, world.request_variables)
        for name, value, held in zip(names, shared, self._held, strict=True):
            if value is not held:
                seen[name] = value
        if world.environment is not self._held[0]:
            kept = self._foreign.items()
            seen["foreign"] = {key: paths for key, (value, paths) in kept if world.environment.get(key) is value}
        self._held = shared
        return self._eval(_call(function, {"world": seen, **given}), timeout_s)

    def _eval(self, code: str, timeout_s: float) -> str:
        """Returns the text that ``code`` gives. At a limit: drops the isolate and raises ``_StoppedError``."""
        from py_mini_racer import JSEvalException, JSOOMException, JSTimeoutException

        try:
            value = self._ready().eval(code, timeout_sec=timeout_s)
        except JSTimeoutException:
            raise self._stop(f"not finished after {timeout_s:g} s") from None
        except JSOOMException:
            raise self._stop(f"more than {self._limits.memory_bytes // 2**20} MiB of memory") from None
        except JSEvalException as problem:
            raise self._stop(str(problem).strip().splitlines()[0][:_MESSAGE]) from None
        if not isinstance(value, str):
            raise InternalError(f"V8 gave {type(value).__name__} where JSON was due")
        return value

    def _stop(self, reason: str) -> _StoppedError:
        self.renew()
        return _StoppedError(reason)

    def _ready(self) -> MiniRacer:
        if self._isolate is None:
            from py_mini_racer import JSEvalException, mini_racer

            # With a loop that outlives every isolate, what V8 still reports from a stopped one finds a listener.
            self._owner = mini_racer(self._loop)
            self._isolate = self._owner.__enter__()
            self._isolate.set_hard_memory_limit(self._limits.memory_bytes)
            try:
                self._isolate.eval(_bootstrap(), timeout_sec=10)
            except JSEvalException as problem:
                raise InternalError(f"our own JavaScript does not load: {problem}") from problem
            self.isolates += 1
        return self._isolate


def unrecorded_mark(reason: str) -> dict[str, str]:
    """Returns what stands in ``environment`` for a value that the recording does not hold."""
    return {MARK: "unrecorded", "reason": reason}


def _common(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what both agree on; a mark where they differ."""
    found = {}
    for key in {**one, **other}:
        mine, yours = one.get(key, ABSENT), other.get(key, ABSENT)
        found[key] = yours if mine == yours else unrecorded_mark("the answer to an axios call")
    return found


def _changed(before: Mapping[str, Any], changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns ``before`` with ``changes``; the same object where there are none."""
    if not changes["set"] and not changes["gone"]:
        return before
    after = {**before, **changes["set"]}
    for key in changes["gone"]:
        after.pop(key, None)
    return after


def _call(function: str, argument: object) -> str:
    """Returns JavaScript that calls ``function`` with ``argument`` as JSON text."""
    return f"__harness.{function}({json.dumps(json.dumps(argument))})"


@cache
def _bootstrap() -> str:
    folder = files("harness.engine.ttk").joinpath("js")
    parts = [f"({folder.joinpath(name).read_text('utf-8').strip()})(kit);" for name in _SOURCES]
    return "(() => { const kit = {};\n" + "\n".join(parts) + "\n})(); ''"

"""What is a rule? Conditions over the facts of a call, and the event that follows where they hold.

The vocabulary is the Testing Toolkit's: what it writes into its rule files, and no more.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, final

from harness.engine.ttk.values import ABSENT, get_path, js_text

__all__ = [
    "FACTS",
    "Condition",
    "Conditions",
    "Event",
    "EventType",
    "Facts",
    "Operator",
    "Rule",
    "RuleBook",
    "Script",
    "first",
]


class Operator(StrEnum):
    """How a fact is compared with the value of a condition."""

    EQUAL = "equal"
    INCLUDES_STRING = "includesString"
    NUMERIC_EQUAL = "numericEqual"
    IN = "in"
    NUMERIC_GREATER_THAN = "numericGreaterThan"


class EventType(StrEnum):
    """What follows from a rule."""

    FIXED_CALLBACK = "FIXED_CALLBACK"
    MOCK_CALLBACK = "MOCK_CALLBACK"
    NO_CALLBACK = "NO_CALLBACK"
    FIXED_ERROR_CALLBACK = "FIXED_ERROR_CALLBACK"
    MOCK_ERROR_CALLBACK = "MOCK_ERROR_CALLBACK"
    FIXED_RESPONSE = "FIXED_RESPONSE"
    MOCK_RESPONSE = "MOCK_RESPONSE"
    FORWARD = "FORWARD"


@final
@dataclass(frozen=True, slots=True)
class Facts:
    """What conditions are asked of: one call, as rules see it."""

    operation_path: str
    """The template: ``/parties/{Type}/{ID}``."""
    method: str
    """In lower case, as rule files write it."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Any
    path_params: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    path: str = ""

    def get(self, name: str, path: str | None) -> Any:
        """Returns the fact ``name``, or what ``path`` leads to in it; ``ABSENT`` where it leads nowhere."""
        match name:
            case "operationPath":
                return self.operation_path
            case "method":
                return self.method
            case "headers":
                return self.headers if path is None else self.headers.get(path.lower(), ABSENT)
            case "pathParams":
                return self.path_params if path is None else self.path_params.get(path, ABSENT)
            case "body":
                return self.body if path is None else get_path(self.body, path.removeprefix("$."))
        return ABSENT


_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
FACTS = ("operationPath", "method", "headers", "body", "pathParams")


@final
@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison."""

    fact: str
    operator: Operator
    value: Any
    path: str | None = None

    def holds(self, facts: Facts) -> bool:
        """Whether the fact compares as asked. An absent fact never does."""
        fact = facts.get(self.fact, self.path)
        if fact is ABSENT:
            return False
        match self.operator:
            case Operator.EQUAL:
                return _same(fact, self.value)
            case Operator.INCLUDES_STRING:
                return isinstance(fact, str) and js_text(self.value) in fact
            case Operator.IN:
                return any(_same(fact, value) for value in _members(self.value))
            case Operator.NUMERIC_EQUAL:
                # What is no number is NaN in JavaScript, which equals nothing and is greater than nothing.
                left, right = _number(fact), _number(self.value)
                return left is not None and left == right
            case Operator.NUMERIC_GREATER_THAN:
                left, right = _number(fact), _number(self.value)
                return left is not None and right is not None and left > right


@final
@dataclass(frozen=True, slots=True)
class Conditions:
    """All of ``all``, and at least one of ``any`` where it names any."""

    all: tuple[Condition | Conditions, ...] = ()
    any: tuple[Condition | Conditions, ...] = ()

    def holds(self, facts: Facts) -> bool:
        """Whether the call fits."""
        return all(each.holds(facts) for each in self.all) and (
            not self.any or any(each.holds(facts) for each in self.any)
        )

    def templates(self) -> set[str]:
        """Returns the operation paths that conditions name."""
        found: set[str] = set()
        for each in (*self.all, *self.any):
            if isinstance(each, Conditions):
                found |= each.templates()
            elif each.fact == "operationPath" and isinstance(each.value, str):
                found.add(each.value)
        return found


@final
@dataclass(frozen=True, slots=True)
class Script:
    """JavaScript that runs before the event is carried out; what it writes to ``environment`` the event may name."""

    source: str
    engine: str


@final
@dataclass(frozen=True, slots=True)
class Event:
    """What is done where the conditions hold. ``body`` and ``headers`` may hold placeholders."""

    type: EventType
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_ms: int = 0
    status: int | None = None
    """Of a response; ``None`` for what the operation prescribes."""
    script: Script | None = None
    method: str | None = None
    path: str | None = None
    """Template of the callback; ``None`` for the operation's own."""
    to: str | None = None
    """With ``FORWARD``: the DFSP that gets the call instead."""


@final
@dataclass(frozen=True, slots=True)
class Rule:
    """One rule."""

    id: str
    description: str
    conditions: Conditions
    event: Event


@final
@dataclass(frozen=True, slots=True)
class RuleBook:
    """The rules of a DFSP, each kind in the order in which they are asked: the first that fits decides."""

    validation: tuple[Rule, ...] = ()
    """Asked first: calls that are refused."""
    callback: tuple[Rule, ...] = ()
    response: tuple[Rule, ...] = ()
    """For synchronous operations."""

    @property
    def scripted(self) -> bool:
        """Whether any rule has a script."""
        return any(rule.event.script is not None for rule in (*self.validation, *self.callback, *self.response))


def first(rules: tuple[Rule, ...], facts: Facts) -> Rule | None:
    """Returns the first rule whose conditions hold, or ``None``."""
    return next((rule for rule in rules if rule.conditions.holds(facts)), None)


def _same(left: Any, right: Any) -> bool:
    # JavaScript's ===: true is not 1, and a number is not its text.
    return type(left) is type(right) and bool(left == right) if isinstance(left, bool | str) else left == right


def _members(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [part.strip() for part in js_text(value).split(",")]


def _number(value: Any) -> float | None:
    """Returns ``Number(value)`` (ECMA-262, section 7.1.4.1) for numbers and decimal text, ``None`` for NaN."""
    if isinstance(value, bool | int | float):
        return _finite(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if not text:
        return 0.0
    return _finite(text) if _DECIMAL.fullmatch(text) else None


def _finite(value: float | str) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if isinstance(value, int) and value > 0 else -math.inf

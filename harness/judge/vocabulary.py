"""What may a rule of a Scheme say? Every kind of rule with its keys; anything else is refused.

How a rule is judged stands in the ``rules_*`` modules, how a file of rules is read in ``criteria.py``.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.model.outcome import ComparisonClass, Outcome, Severity

__all__ = [
    "ClassAtMost",
    "ComponentVersions",
    "ExpectedFailures",
    "Fact",
    "LatencyP95",
    "MinimumExecuted",
    "Name",
    "OutcomeAtMost",
    "Part",
    "PassRate",
    "RequiredCases",
    "RequiredChecks",
    "RequiredFolders",
    "RequiredProducts",
    "RequiredSuites",
    "Rule",
    "Scoped",
    "TargetFacts",
]

Name = Annotated[str, Field(min_length=1, pattern=r"\S")]
Names = Annotated[tuple[Name, ...], Field(min_length=1)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
Fact = bool | int | float | str
Facts = Annotated[dict[Name, Fact], Field(min_length=1)]
CheckId = Annotated[str, Field(pattern=r"^.+::.+::.+::.+$")]
CaseId = Annotated[str, Field(pattern=r"^.+::.+$")]


class Part(BaseModel):
    """Base: nothing but the keys named, each of its own type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Rule(Part):
    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: Name
    severity: Severity
    """``blocker`` and ``major`` fail the gate, ``minor`` becomes a known issue."""
    rationale: Name


class Scoped(_Rule):
    """A rule that looks at the checks that every given filter takes; at all of them where none is given."""

    labels: Names | None = None
    """Cases with any of these labels or features."""
    path: Name | None = None
    """A pattern for the path of the check, as in a shell: ``transfers/*``."""
    operation: Name | None = None
    """Checks of this operation: ``POST /transfers``."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    """Cases in which a request or callback is about this currency (ISO 4217)."""

    @property
    def filtered(self) -> bool:
        """Whether it looks at a part of the checks only."""
        return self.scope != (None, None, None, None)

    @property
    def scope(self) -> tuple[object, ...]:
        """Its filters, for comparing two rules."""
        labels = None if self.labels is None else frozenset(self.labels)
        return labels, self.path, self.operation, self.currency


class ClassAtMost(Scoped):
    """No more than ``at_most`` checks in ``classes`` together."""

    kind: Literal["class-at-most"]
    classes: Annotated[tuple[ComparisonClass, ...], Field(min_length=1)]
    at_most: Count


class OutcomeAtMost(Scoped):
    """No more than ``at_most`` checks, or than this share of them, with one of ``outcomes`` in this run."""

    kind: Literal["outcome-at-most"]
    outcomes: Annotated[tuple[Outcome, ...], Field(min_length=1)]
    at_most: Count | None = None
    share_at_most: Annotated[float, Field(ge=0, lt=1)] | None = None

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        if (self.at_most is None) == (self.share_at_most is None):
            raise ValueError("an outcome-at-most rule needs either 'at_most' or 'share_at_most'")
        return self


class PassRate(Scoped):
    """At least this share of the checks that were expected passed."""

    kind: Literal["pass-rate"]
    at_least: Share


class MinimumExecuted(_Rule):
    """At least so many cases, or checks, came to a result that says something (passed or failed)."""

    kind: Literal["minimum-executed"]
    what: Literal["cases", "checks"]
    at_least: Annotated[int, Field(ge=1)]
    labels: Names | None = None


class RequiredCases(_Rule):
    """Each case named, and each with one of the labels, must have run and passed wholly."""

    kind: Literal["required-cases"]
    labels: Names | None = None
    cases: Annotated[tuple[CaseId, ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.labels is None and self.cases is None:
            raise ValueError("a required-cases rule needs 'labels' or 'cases'")
        return self


class RequiredChecks(_Rule):
    """Each check named must have passed."""

    kind: Literal["required-checks"]
    checks: Annotated[tuple[CheckId, ...], Field(min_length=1)]


class RequiredFolders(_Rule):
    """In each folder of additional tests there are cases, and every one of them ran and passed wholly."""

    kind: Literal["required-folders"]
    folders: Names
    """As from the root of the workspace, ``scheme_rules/example/tests`` for instance, or of the suite."""


class RequiredSuites(_Rule):
    """The run is one of these suites: ``native``, ``official``."""

    kind: Literal["required-suites"]
    suites: Names


class RequiredProducts(_Rule):
    """Each of these products took part in the run."""

    kind: Literal["required-products"]
    products: Names


class ExpectedFailures(_Rule):
    """Where the target's facts are as in ``when``, each of these checks is expected to fail; else it says nothing.

    A check that fails as expected is a known issue. One that passes breaks the rule: the environment is not what its
    facts say.
    """

    kind: Literal["expected-failures"]
    when: Facts
    checks: Annotated[tuple[CheckId, ...], Field(min_length=1)]


class LatencyP95(_Rule):
    """The 95th percentile of an operation's response or callback time stays within a bound."""

    kind: Literal["latency-p95"]
    operation: Name
    measure: Literal["response", "callback"]
    at_most_ms: Positive | None = None
    ratio_to_baseline_at_most: Positive | None = None
    labels: Names | None = None

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        if self.at_most_ms is None and self.ratio_to_baseline_at_most is None:
            raise ValueError("a latency-p95 rule needs 'at_most_ms' or 'ratio_to_baseline_at_most'")
        if self.ratio_to_baseline_at_most is not None and self.labels is not None:
            raise ValueError("'ratio_to_baseline_at_most' looks at the whole run, as the baseline does: drop 'labels'")
        return self


class TargetFacts(_Rule):
    """Each of these facts of the target has this value."""

    kind: Literal["target-facts"]
    facts: Facts


class ComponentVersions(_Rule):
    """Each of these components runs in the version that the release has; without names, every one that reported."""

    kind: Literal["component-versions"]
    components: Names | None = None


Rule = Annotated[
    ClassAtMost
    | OutcomeAtMost
    | PassRate
    | MinimumExecuted
    | RequiredCases
    | RequiredChecks
    | RequiredFolders
    | RequiredSuites
    | RequiredProducts
    | ExpectedFailures
    | LatencyP95
    | TargetFacts
    | ComponentVersions,
    Field(discriminator="kind"),
]

"""What does a Scheme demand of a release? A closed vocabulary, read from ``scheme_rules/<scheme>/criteria.yaml``.

How a rule is judged stands in ``rules.py``; here is only what a rule may say.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.errors import CriteriaError
from harness.model.outcome import ComparisonClass, Severity
from harness.yaml_document import YamlDocument, parse_yaml, read_text, validated

__all__ = [
    "ClassAtMost",
    "Criteria",
    "LatencyP95",
    "MinimumExecuted",
    "RequiredCases",
    "Rule",
    "criteria_schema",
    "load_criteria",
    "load_scheme",
    "parse_criteria",
]

Name = Annotated[str, Field(min_length=1, pattern=r"\S")]
Names = Annotated[tuple[Name, ...], Field(min_length=1)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Rule(_Part):
    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: Name
    severity: Severity
    """``blocker`` and ``major`` fail the gate, ``minor`` becomes a known issue."""
    rationale: Name


class ClassAtMost(_Rule):
    """No more than ``at_most`` checks in ``classes`` together, among those that every given filter takes."""

    kind: Literal["class-at-most"]
    classes: Annotated[tuple[ComparisonClass, ...], Field(min_length=1)]
    at_most: Count
    labels: Names | None = None
    """Cases with any of these labels or features."""
    path: Name | None = None
    """A pattern for the path of the check, as in a shell: ``transfers/*``."""
    operation: Name | None = None

    @property
    def filtered(self) -> bool:
        """Whether it looks at a part of the checks only."""
        return self.labels is not None or self.path is not None or self.operation is not None


class RequiredCases(_Rule):
    """Each case named, and each with one of the labels, must have run and passed wholly."""

    kind: Literal["required-cases"]
    labels: Names | None = None
    cases: Names | None = None

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.labels is None and self.cases is None:
            raise ValueError("a required-cases rule needs 'labels' or 'cases'")
        return self


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


class MinimumExecuted(_Rule):
    """At least so many cases, or checks, came to a result that says something (passed or failed)."""

    kind: Literal["minimum-executed"]
    what: Literal["cases", "checks"]
    at_least: Annotated[int, Field(ge=1)]


Rule = Annotated[ClassAtMost | RequiredCases | LatencyP95 | MinimumExecuted, Field(discriminator="kind")]


class _Document(_Part):
    scheme: Name
    title: Name
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]


class Criteria(_Document):
    """A Scheme's rules and the SHA-256 of the file they were read from."""

    digest: str = ""

    def bound(self, kind: ComparisonClass) -> int:
        """Returns how many checks of ``kind`` the Scheme accepts in the whole run: its strictest bound, else 0."""
        bounds = [
            rule.at_most
            for rule in self.rules
            if isinstance(rule, ClassAtMost) and not rule.filtered and kind in rule.classes
        ]
        return min(bounds, default=0)


def load_criteria(path: Path) -> Criteria:
    """Returns the criteria in the file ``path``. Raises ``CriteriaError`` naming file, line and remedy."""
    return parse_criteria(read_text(path, CriteriaError, what="criteria file"), path)


def load_scheme(folder: Path) -> Criteria:
    """Returns the criteria of the scheme that ``folder`` is named after. Raises ``CriteriaError``, also for another's.

    A folder copied from another Scheme and not renamed inside would else approve under that Scheme's name.
    """
    criteria, name = load_criteria(folder / "criteria.yaml"), folder.absolute().name
    if criteria.scheme != name:
        raise CriteriaError(
            f"the criteria are of scheme {criteria.scheme!r}, the folder is that of {name!r}",
            file=folder / "criteria.yaml",
            place="scheme",
            remedy="Give both the same name",
        )
    return criteria


def parse_criteria(text: str, file: Path | str) -> Criteria:
    """Returns the criteria in ``text``; ``file`` is what errors name. Raises ``CriteriaError``."""
    document = parse_yaml(text, file, CriteriaError)
    _refuse_repeated_ids(document)
    read = validated(document, _Document, CriteriaError)
    return Criteria(
        scheme=read.scheme,
        title=read.title,
        rules=read.rules,
        digest=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
    )


def criteria_schema() -> dict[str, Any]:
    """Returns the JSON Schema of ``criteria.yaml``, for editors."""
    return _Document.model_json_schema()


def _refuse_repeated_ids(document: YamlDocument) -> None:
    rules = document.data.get("rules") if isinstance(document.data, dict) else None
    seen: dict[str, int] = {}
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        name = rule.get("id") if isinstance(rule, dict) else None
        if not isinstance(name, str):
            continue
        if name in seen:
            raise CriteriaError(
                f"two rules have the id {name!r}",
                file=document.file,
                place=document.place(("rules", index, "id")),
                remedy=f"Rename one; the first is on {document.place(('rules', seen[name], 'id'))}",
            )
        seen[name] = index

"""Which totals were published for a release, and how do those of a run or baseline stand beside them?

Totals alone make no verdict: two suites of one size may ask different things, and a sum hides what took whose place.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.errors import BaselineError
from harness.judge.baseline import case_of
from harness.judge.shown import Shown
from harness.yaml_document import read_yaml

__all__ = ["PUBLISHED_FILE", "Published", "Total", "compare_totals", "load_published", "totals_of"]

PUBLISHED_FILE: Final = "published.yaml"
_Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Totals(_Part):
    assertions: _Count
    passed: _Count
    requests: _Count
    cases: _Count

    @model_validator(mode="after")
    def _add_up(self) -> _Totals:
        if self.passed > self.assertions:
            raise ValueError(f"{self.passed} of {self.assertions} assertions cannot have passed")
        return self


class _Document(_Part):
    format: Literal[1]
    kind: Literal["published"]
    product: Annotated[str, Field(min_length=1)]
    release: Annotated[str, Field(min_length=1)]
    suite: Annotated[str, Field(min_length=1)]
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    source: Annotated[str, Field(min_length=1)]
    totals: _Totals


@final
@dataclass(frozen=True, slots=True)
class Published:
    """A baseline of the kind *published*: what somebody else counted, and where they say so."""

    product: str
    release: str
    suite: str
    """What was run, in words."""
    date: str
    """Of the run, ISO 8601."""
    source: str
    assertions: int
    passed: int
    requests: int
    cases: int

    @property
    def limits(self) -> tuple[str, ...]:
        """What it cannot say, as sentences."""
        return (
            "It holds totals only: which check passed, and how fast, is not known",
            "Its counts are the reference engine's, to which an assertion that never asserted has passed",
        )


@final
@dataclass(frozen=True, slots=True)
class Total:
    """One count beside the published one."""

    what: str
    published: int
    found: int

    @property
    def difference(self) -> int:
        """By how much more was found than published."""
        return self.found - self.published


def load_published(folder: Path) -> Published:
    """Returns the published totals in ``folder``. Raises ``BaselineError`` naming file, line and remedy."""
    read = read_yaml(folder / PUBLISHED_FILE, _Document, BaselineError, what="published baseline")
    return Published(
        product=read.product,
        release=read.release,
        suite=read.suite,
        date=read.date,
        source=read.source,
        assertions=read.totals.assertions,
        passed=read.totals.passed,
        requests=read.totals.requests,
        cases=read.totals.cases,
    )


def totals_of(side: Shown) -> dict[str, int]:
    """Returns ``assertions``, ``passed`` (in every run), ``requests`` and ``cases`` of a run or baseline."""
    checks = side.results["check"]
    return {
        "assertions": len(checks),
        "passed": int((side.results["passed"] == side.results["runs"]).sum()),
        "requests": len({check.rsplit("::", 1)[0] for check in checks}),
        "cases": len({case_of(check) for check in checks}),
    }


def compare_totals(published: Published, side: Shown) -> tuple[Total, ...]:
    """Returns each published count beside that of ``side``. Requests and cases are counted where they have checks."""
    return tuple(Total(what, getattr(published, what), found) for what, found in totals_of(side).items())

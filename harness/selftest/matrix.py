"""What do the results of a walk say? The detection matrix, the mutation score, and whether the suite keeps its word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, final

from harness.hub.defects import DEFECTS, Defect
from harness.model.outcome import ExitCode
from harness.selftest.parts import is_claimed
from harness.selftest.slips import SLIPS
from harness.selftest.state import Result

__all__ = ["Matrix", "Row", "Status", "matrix"]


class Status(StrEnum):
    """What is known of a defect."""

    CAUGHT = "caught"
    NOT_CAUGHT = "not caught"
    NOT_BY_PART = "not caught by the part"
    """The rest of the suite was not run."""
    BROKEN = "run broken"
    NOT_RUN = "not run"


@final
@dataclass(frozen=True, slots=True)
class Row:
    """One defect. ``result`` is the run that decides; ``None`` where there is none."""

    defect: Defect
    status: Status
    claimed: bool
    """Whether the suite is said to catch it."""
    result: Result | None
    why: str
    """Why it slips through, as far as somebody has written it down."""

    @property
    def suspect_is_right(self) -> bool:
        """Whether the judge suspects the broken component first."""
        return self.result is not None and self.result.suspects[:1] == (self.defect.component,)


@final
@dataclass(frozen=True, slots=True)
class Matrix:
    """The rows of one walk, in the order of the table of defects. ``problem`` says why nothing can be said."""

    release: str
    suite: str
    whole: str
    """The name of the selection that counts as all."""
    rows: tuple[Row, ...]
    problem: str = ""

    @property
    def known(self) -> tuple[Row, ...]:
        """The rows that weigh in the score: runs that are broken or were not made say nothing."""
        return tuple(row for row in self.rows if row.status not in (Status.BROKEN, Status.NOT_RUN))

    @property
    def caught(self) -> int:
        """How many defects were caught."""
        return sum(row.status is Status.CAUGHT for row in self.rows)

    @property
    def score(self) -> float | None:
        """The mutation score: the share of the known defects that were caught; ``None`` where none is known."""
        return self.caught / len(self.known) if self.known else None

    @property
    def broken_claims(self) -> tuple[Row, ...]:
        """What the suite is said to catch and was not seen to."""
        return tuple(row for row in self.rows if row.claimed and row.status is not Status.CAUGHT)

    @property
    def exit_code(self) -> ExitCode:
        """0 if everything claimed was caught, 1 if not, 2 where the suite is not sound without a defect."""
        if self.problem:
            return ExitCode.INCONCLUSIVE
        return ExitCode.REJECTED if self.broken_claims else ExitCode.APPROVED

    def to_json(self) -> dict[str, Any]:
        """Returns it as a JSON-ready object."""
        return {
            "format": 1,
            "release": self.release,
            "suite": self.suite,
            "problem": self.problem,
            "exit_code": int(self.exit_code),
            "defects": len(self.rows),
            "known": len(self.known),
            "caught": self.caught,
            "score": None if self.score is None else round(self.score, 4),
            "claimed": sum(row.claimed for row in self.rows),
            "claimed_and_caught": sum(row.claimed and row.status is Status.CAUGHT for row in self.rows),
            "matrix": [_row_to_json(row) for row in self.rows],
        }


def matrix(
    release: str, suite: str, whole: str, defects: Sequence[str], results: dict[str, list[Result]], problem: str = ""
) -> Matrix:
    """Returns the matrix of ``defects`` from the ``results`` of each. ``whole`` names the selection that is all."""
    return Matrix(
        release,
        suite,
        whole,
        tuple(_row(suite, whole, DEFECTS[name], results.get(name, [])) for name in defects),
        problem,
    )


def _row(suite: str, whole: str, defect: Defect, results: list[Result]) -> Row:
    result = next((found for found in results if found.is_caught), results[-1] if results else None)
    if result is None:
        status = Status.NOT_RUN
    elif result.is_caught:
        status = Status.CAUGHT
    elif result.problem:
        status = Status.BROKEN
    else:
        status = Status.NOT_CAUGHT if result.part == whole else Status.NOT_BY_PART
    return Row(defect, status, is_claimed(suite, defect), result, SLIPS.get(suite, {}).get(defect.name, ""))


def _row_to_json(row: Row) -> dict[str, Any]:
    result = row.result
    return {
        "defect": row.defect.name,
        "capability": row.defect.capability,
        "component": row.defect.component,
        "status": row.status.value,
        "claimed": row.claimed,
        "part": result.part if result else None,
        "checks": list(result.checks) if result else [],
        "provisioning": list(result.provisioning) if result else [],
        "suspects": list(result.suspects) if result else [],
        "suspect_is_right": row.suspect_is_right,
        "problem": result.problem if result else "",
        "why": row.why,
    }

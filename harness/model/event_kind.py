"""What can change from one night to the next? The words that messages, channels and pages use for it."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["EventKind"]


class EventKind(StrEnum):
    """What can change from one night to the next, heaviest first."""

    NEW_REGRESSION = "new-regression"
    REJECTED = "rejected"
    """The verdict became REJECTED, also where each check's failure had been told before."""
    NEWLY_FAILING = "newly-failing"
    """Failed after it had passed, or is new and fails; not called a regression (yet)."""
    MASS_FAILURE = "mass-failure"
    """The night is kept out of the statistics: most failures had one outside cause."""
    INCONCLUSIVE = "inconclusive"
    PROBLEM = "problem"
    """Something went wrong beside the runs that leaves the verdict as it is; told by who ran them, never from here."""
    NEWLY_FLAKY = "newly-flaky"
    WAIVER_EXPIRES = "waiver-expires"
    FIXED = "fixed"
    BACK_TO_GREEN = "back-to-green"

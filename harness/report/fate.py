"""How a case and its checks stand in a report's four words (passed, failed, broken, skipped), and why, in a sentence.

``passed`` is only for what was seen to pass: a check that is missing, hollow, skipped or in error never yields it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import IntEnum

from harness.model.outcome import Cause, ComparisonClass, Outcome
from harness.model.records import CaseFinished
from harness.report.stories import CaseStory, CheckStory, RunStory
from harness.report.text import compact, one_line

__all__ = ["HOLLOW_MESSAGE", "Fate", "Standing", "absence", "case_fate", "check_fate", "failure_message"]

HOLLOW_MESSAGE = "hollow: asserted nothing"

# The word a case's message begins with, and so the category it is shown under: the first that any check has.
_LEADS = (
    ComparisonClass.REGRESSED,
    ComparisonClass.NEW_FAIL,
    ComparisonClass.MISSING,
    ComparisonClass.FLAKY,
    ComparisonClass.UNCHANGED_FAIL,
    ComparisonClass.HOLLOW,
)
_ENVIRONMENTAL = (Cause.ENVIRONMENT.value, Cause.PROVISIONING.value)


class Standing(IntEnum):
    """The four words, from best to worst; a whole stands as its worst part does."""

    PASSED = 0
    SKIPPED = 1
    BROKEN = 2
    FAILED = 3

    @property
    def word(self) -> str:
        """``passed``, ``skipped``, ``broken`` or ``failed``."""
        return self.name.lower()


_BY_OUTCOME = {
    Outcome.PASSED: Standing.PASSED,
    Outcome.FAILED: Standing.FAILED,
    Outcome.ERROR: Standing.BROKEN,
    Outcome.SKIPPED: Standing.SKIPPED,
    Outcome.HOLLOW: Standing.SKIPPED,
}
_BY_CLASS = {
    ComparisonClass.REGRESSED: Standing.FAILED,
    ComparisonClass.NEW_FAIL: Standing.FAILED,
    ComparisonClass.UNCHANGED_FAIL: Standing.FAILED,
    ComparisonClass.MISSING: Standing.BROKEN,
    ComparisonClass.HOLLOW: Standing.SKIPPED,
    ComparisonClass.UNKNOWN: Standing.SKIPPED,
}


@dataclass(frozen=True, slots=True)
class Fate:
    """How something stands. ``message`` is empty only where it passed and no comparison says more."""

    standing: Standing
    message: str
    flaky: bool = False


def failure_message(check: CheckStory) -> str:
    """Returns why a check is not passed, expected against actual where both were recorded; one line."""
    message = one_line(check.message)
    record = check.record
    if record is None or record.outcome is not Outcome.FAILED or (record.expected is None and record.actual is None):
        return message
    sides = f"expected {compact(record.expected)}, got {compact(record.actual)}"
    if not message:
        return sides
    # A message that already shows both values is not told twice.
    shown = all(compact(side).strip('"') in message for side in (record.expected, record.actual))
    return message if shown else f"{sides} ({message})"


def check_fate(check: CheckStory) -> Fate:
    """Returns how one check stands: the worse of what was recorded and how it was judged."""
    recorded = Standing.SKIPPED if check.outcome is None else _BY_OUTCOME[check.outcome]
    comparison = check.comparison
    judged = Standing.PASSED if comparison is None else _BY_CLASS.get(comparison, Standing.PASSED)
    standing = max(recorded, judged)
    if standing is Standing.PASSED:
        return Fate(standing, comparison.value if comparison else "", flaky=comparison is ComparisonClass.FLAKY)
    if check.outcome is Outcome.HOLLOW:
        word, detail = HOLLOW_MESSAGE, failure_message(check)
    elif comparison is ComparisonClass.MISSING and check.record is None:
        word, detail = "missing: expected in this run, no result", ""
    else:
        # A judged error is of class unknown, which alone would not say that something broke.
        word = "harness error" if check.outcome is Outcome.ERROR else ""
        word = word or (comparison.value if comparison else check.outcome.value if check.outcome else "no result")
        detail = failure_message(check)
    if check.judged is not None and check.judged.definition_changed:
        word += " (asks something else than in the baseline)"
    return Fate(
        standing,
        f"{word}: {detail}" if detail and detail not in word else word,
        flaky=comparison is ComparisonClass.FLAKY,
    )


def case_fate(case: CaseStory, run: RunStory) -> Fate:
    """Returns how a case stands: its worst check, unless it was not to run or never came to its end."""
    if not case.selected:
        return Fate(Standing.SKIPPED, f"not selected: {_selection(run)}")
    troubled = [(check, fate) for check in case.checks if (fate := check_fate(check)).standing is not Standing.PASSED]
    details = [f"- {one_line(check.label)}: {fate.message}" for check, fate in troubled]
    if case.finished is None:
        return Fate(Standing.BROKEN, "\n".join([f"missing: {absence(case, run)}", *details]))
    whole = _BY_CLASS.get(case.judged.comparison, Standing.PASSED) if case.judged else Standing.PASSED
    standing = max([_BY_OUTCOME[case.finished.outcome], whole, *(fate.standing for _, fate in troubled)])
    if standing is Standing.PASSED and not case.checks:
        return Fate(Standing.SKIPPED, "hollow: the case asserted nothing")
    if standing is Standing.PASSED:
        counts = Counter(check.comparison.value for check in case.checks if check.comparison)
        told = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
        return Fate(standing, told, flaky=bool(counts[ComparisonClass.FLAKY.value]))
    said = one_line(case.judged.message if case.judged else case.finished.message)
    head = _headline(case, case.finished, [check for check, _ in troubled])
    return Fate(
        standing,
        "\n".join([head, *([said] if said else []), *details]),
        flaky=any(fate.flaky for _, fate in troubled),
    )


def _headline(case: CaseStory, finished: CaseFinished, troubled: list[CheckStory]) -> str:
    """The first line of a case's message; its first word says the category."""
    classes = Counter(check.comparison for check in troubled if check.comparison)
    whole = case.judged.comparison if case.judged else None
    cause = f"; cause: {one_line(case.cause)}" if case.cause else ""
    total = len(case.checks)
    lead = next((name for name in _LEADS if classes[name] or whole is name), None)
    amount = f"{classes[lead]} of {total} checks" if lead and classes[lead] else "the case as a whole"
    if lead in (ComparisonClass.REGRESSED, ComparisonClass.NEW_FAIL):
        return f"{lead.value}: {amount}{cause}"
    if case.cause.startswith(_ENVIRONMENTAL):
        return f"environment: the case could not show what it is for{cause}"
    if lead is not None and lead is not ComparisonClass.HOLLOW:
        return f"{lead.value}: {amount}{cause}"
    if finished.outcome is Outcome.ERROR or any(check.outcome is Outcome.ERROR for check in troubled):
        return f"harness error: nothing is known of this case{cause}"
    if any(check.outcome is Outcome.FAILED for check in troubled) or finished.outcome is Outcome.FAILED:
        return f"failed: not compared with a baseline{cause}"
    if count := sum(ComparisonClass.HOLLOW in (check.comparison, check.outcome) for check in troubled):
        return f"hollow: {count} of {total} checks asserted nothing"
    if finished.outcome is Outcome.HOLLOW or whole is ComparisonClass.HOLLOW:
        return "hollow: the case asserted nothing"
    return f"skipped: {len(troubled)} of {total} checks not made" if troubled else "skipped"


def absence(case: CaseStory, run: RunStory) -> str:
    """Returns why a case has no end, as far as the journal tells."""
    if case.lost is not None:
        said = one_line(case.lost.message)
        return f"worker {case.lost.worker} was lost in this case" + (f": {said}" if said else "")
    stopped = one_line(run.interrupted.reason) if run.interrupted else ""
    if run.interrupted:
        end = f"the run was interrupted ({stopped})" if stopped else "the run was interrupted"
    elif run.finished is None:
        end = "the run was cut off"
    else:
        end = "the run ended without it"
    traced = case.started is not None or any(step.record for step in case.steps)
    return f"started but never finished; {end}" if traced else f"not run; {end}"


def _selection(run: RunStory) -> str:
    asked = run.started.selection if run.started else {}
    parts = []
    if labels := asked.get("labels"):
        parts.append(f"labels {', '.join(map(str, labels))}")
    if keyword := asked.get("keyword"):
        parts.append(f"keyword {keyword}")
    if paths := asked.get("paths"):
        parts.append(f"paths {', '.join(map(str, paths))}")
    return one_line(f"this run was narrowed to {'; '.join(parts)}" if parts else "left out of this run")

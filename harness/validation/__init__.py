"""Joins the rooms: from a run's folder to evidence, from evidence to a verdict, from a verdict to reports."""

from harness.validation.again import judge_as_before
from harness.validation.against import Against, judged_against
from harness.validation.folder import judge_folder
from harness.validation.inputs import baseline_folder, check_scheme, suite_listed
from harness.validation.reports import write_reports

__all__ = [
    "Against",
    "baseline_folder",
    "check_scheme",
    "judge_as_before",
    "judge_folder",
    "judged_against",
    "suite_listed",
    "write_reports",
]

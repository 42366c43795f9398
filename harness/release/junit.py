"""Does a JUnit report show that tests ran and passed? What is empty, broken or skipped throughout shows nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from harness.errors import ReleaseError

__all__ = ["JUnitTotals", "read_junit"]

_MOST_BYTES = 64 * 1024 * 1024
_DECLARATION = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class JUnitTotals:
    """How many test cases of a report passed, failed (or ended in an error) and were skipped."""

    passed: int
    failed: int
    skipped: int


def read_junit(file: Path) -> JUnitTotals:
    """Returns what the JUnit XML ``file`` counts, test case by test case: its own totals are not believed.

    Raises ``ReleaseError`` where it is absent, is no JUnit XML, or declares entities (which no report needs).
    """
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise ReleaseError("the report is larger than 64 MiB", file=file, remedy="Give the report of one test run")
        data = file.read_bytes()
    except OSError as problem:
        said = f"the report cannot be read: {problem.strerror or problem}"
        raise ReleaseError(said, file=file, remedy="Check the path of the evidence") from None
    if _DECLARATION.search(data):
        raise ReleaseError("declares a document type", file=file, remedy="Remove it; JUnit reports have none")
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as problem:
        raise ReleaseError(f"is no XML: {problem}", file=file, remedy="Give a JUnit XML report") from None
    if root.tag not in ("testsuites", "testsuite"):
        raise ReleaseError(f"is no JUnit XML: it begins with <{root.tag}>", file=file, remedy="Give a JUnit XML report")
    failed = skipped = passed = 0
    for case in root.iter("testcase"):
        tags = {child.tag for child in case}
        if tags & {"failure", "error"}:
            failed += 1
        elif "skipped" in tags:
            skipped += 1
        else:
            passed += 1
    # An error of a whole suite stands beside its cases: its set-up broke, and no case tells.
    failed += sum(1 for suite in root.iter("testsuite") for child in suite if child.tag in ("failure", "error"))
    return JUnitTotals(passed, failed, skipped)

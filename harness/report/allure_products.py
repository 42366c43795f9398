"""What shall Allure show of an extension product? One test result: whether its own run approves it on this core.

Its cases are in the results of that run; here is what it means for the release.
"""

from __future__ import annotations

from typing import Final

from allure_commons.model2 import Label, Parameter, StatusDetails, TestResult
from allure_commons.types import LabelType

from harness.report.allure_results import stable_id, stable_uuid
from harness.report.products import PAGE, ProductLine, Standing
from harness.report.text import clean, one_line

__all__ = ["product_result"]

_STATUS: Final = {
    Standing.REJECTED: "failed",
    Standing.OPEN: "broken",
    Standing.KNOWN: "passed",
    Standing.APPROVED: "passed",
}


def product_result(line: ProductLine, run_id: str, moment: int) -> TestResult:
    """Returns the result for a product; ``moment`` is when the run began, in ms since 1970."""
    product = line.name.partition(" ")[0]
    told = f"product {line.name}: {line.word}: {line.text}"
    details = StatusDetails(message=clean(told), trace=clean(line.next_action) or None)
    labels = (
        (LabelType.EPIC, product),
        (LabelType.FEATURE, "verdict on the product"),
        (LabelType.SUITE, "products"),
        (LabelType.SEVERITY, "blocker"),
        (LabelType.FRAMEWORK, "mojaloop-harness"),
    )
    return TestResult(
        uuid=stable_uuid(run_id, "product", product),
        # by the product alone: its next release is the same thing, further on
        historyId=stable_id("product", product),
        testCaseId=stable_id("product", product),
        fullName=f"products::{product}",
        name=one_line(f"{line.name} on this core"),
        titlePath=["products"],
        status=_STATUS[line.standing],
        statusDetails=details if line.standing is not Standing.APPROVED else None,
        stage="finished",
        labels=[Label(name=str(name), value=one_line(value)) for name, value in labels],
        parameters=[
            Parameter(name="verdict", value=one_line(line.word)),
            *([Parameter(name="page", value=f"{line.folder}/{PAGE}")] if line.folder else []),
        ],
        start=moment,
        stop=moment,
    )

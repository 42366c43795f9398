"""Whoever opens a release's report sees what became of each product on top of the core, the rejected ones first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.judge.parts import ProductShown
from harness.model.scheme import ListedProduct, SchemeRelease
from harness.report.allure import AllureResults
from harness.report.interface import ReportInput
from harness.report.page.view import view_of
from harness.report.page.writer import page_of
from harness.report.products import Standing, products_of
from tests.judge.build import RELEASE, SOUND, F, P, Run, baseline, case, judged, run
from tests.judge.test_products import CORE, PAYMENTS, of_product, verdict_on_product, whole

WORSE = (case("pays", P, F), *SOUND[1:])
FRAUD = ListedProduct("fraud-check", "v2.0.0", "native")
BOTH = SchemeRelease("example", (CORE, FRAUD, PAYMENTS), digest="c" * 64)
APPROVED, REJECTED = of_product(), of_product(WORSE)
PAGE = "products/payment-manager/verdict.html"


def report(*shown: ProductShown, folder: Path = Path("runs/r1"), core: Run | None = None, **more: Any) -> ReportInput:
    """The core's run with its products; each that was judged has a run of its own that can be read."""
    what = core or run(SOUND)
    own = {
        one.listed.product: ReportInput(
            judged=one.judged, records=APPROVED.records, folder=folder / "products" / one.listed.product
        )
        for one in shown
        if one.judged is not None
    }
    found = whole(*shown, core=what, **more)
    return ReportInput(judged=found, records=what.records, folder=folder, products=own)


def shown(what: Run) -> ProductShown:
    return ProductShown(PAYMENTS, verdict_on_product(what))


ABSENT, UNREADABLE = ProductShown(PAYMENTS), ProductShown(PAYMENTS, problem="no journal")
FATES: Mapping[str, tuple[ProductShown, Standing, str, str]] = {
    "approved": (shown(APPROVED), Standing.APPROVED, "APPROVED", "6 checks, none worse than in the baseline"),
    "rejected": (shown(REJECTED), Standing.REJECTED, "REJECTED", "1 check regressed: "),
    "not run": (ABSENT, Standing.OPEN, "NOT RUN", "was not run, though the Scheme lists it"),
    "unreadable": (UNREADABLE, Standing.OPEN, "UNREADABLE", "cannot be read: no journal"),
    "of another core": (
        shown(of_product(core={"run_id": "r9", "journal": "9" * 64})), Standing.OPEN,
        "DOES NOT COUNT (says APPROVED)", "it does not follow this run of the core but r9",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FATES)
def test_each_product_stands_on_the_page_with_its_verdict_and_a_way_to_its_own(name: str) -> None:
    one, standing, word, told = FATES[name]
    found = report(one)
    (line,) = products_of(found)
    assert (line.standing, line.word) == (standing, word)
    assert told in line.text
    assert "None on its own" not in line.next_action
    page = page_of(found)
    head = page[: page.index('id="counts"')]
    assert f"<b>{word}</b>" in head
    assert (f'<a href="{PAGE}">payment-manager v5.1.0</a>' in head) is (one.judged is not None)
    ((tone, _),) = view_of(found).products
    assert tone == {Standing.APPROVED: "good", Standing.REJECTED: "bad", Standing.OPEN: "unknown"}[standing]


def test_the_rejected_stand_before_those_that_are_approved() -> None:
    found = report(ProductShown(FRAUD), shown(REJECTED), contents=BOTH)
    assert [line.name for line in products_of(found)] == ["payment-manager v5.1.0", "fraud-check v2.0.0"]
    assert view_of(found).look.tone == "bad"


def test_a_product_that_was_only_rehearsed_does_not_look_approved() -> None:
    embedded = run(SOUND, kind="embedded")
    product = of_product(target={"kind": "embedded"})
    found = report(shown(product), core=embedded)
    ((tone, line),) = view_of(found).products
    assert (tone, line.word) == ("rehearsal", "APPROVED (rehearsal on the embedded hub)")


def test_the_page_of_a_product_says_that_it_is_a_part_and_approves_no_release() -> None:
    own = ReportInput(judged=verdict_on_product(APPROVED), records=APPROVED.records, folder=Path("runs/r1/products/x"))
    look = view_of(own).look
    assert (look.tone, look.icon) == ("of-product", "rehearsal")
    page = page_of(own)
    assert "May be handed over" not in page
    assert '<a href="../../verdict.html">r1</a>' in page
    assert "<code>harness judge r1</code>" in page
    rejected = replace(own, judged=verdict_on_product(REJECTED))
    assert view_of(rejected).look.tone == "bad"


def test_a_run_without_products_says_nothing_of_them() -> None:
    plain = ReportInput(judged=judged(run(SOUND), baseline(), release=RELEASE), records=run(SOUND).records)
    page = page_of(plain)
    assert 'id="products"' not in page
    assert "#products" not in page


def results(found: ReportInput, folder: Path) -> tuple[dict[str, Any], list[str]]:
    AllureResults().write(found, folder)
    place = folder / "allure-results"
    every = [json.loads(path.read_text()) for path in place.glob("*-result.json")]
    (product,) = (one for one in every if one["fullName"].startswith("products::"))
    assert len(every) == len(SOUND) + 1
    return product, (place / "environment.properties").read_text().splitlines()


@pytest.mark.parametrize("name", FATES)
def test_allure_has_one_result_for_a_product_and_names_its_verdict(name: str, tmp_path: Path) -> None:
    one, standing, word, told = FATES[name]
    product, environment = results(report(one), tmp_path)
    status = {Standing.APPROVED: "passed", Standing.REJECTED: "failed", Standing.OPEN: "broken"}[standing]
    assert (product["status"], product["name"]) == (status, "payment-manager v5.1.0 on this core")
    assert f"payment-manager\\ v5.1.0={word}" in environment
    if standing is not Standing.APPROVED:
        message = product["statusDetails"]["message"]
        assert message.startswith(f"product payment-manager v5.1.0: {word}: ")
        assert told in message
    pages = [each["value"] for each in product["parameters"] if each["name"] == "page"]
    assert pages == ([PAGE] if one.judged is not None else [])

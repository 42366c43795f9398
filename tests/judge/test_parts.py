"""What stands beside the core: no product that a Scheme lists, no document that it demands, is left out in silence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.judge.parts import Parts, ProductShown
from harness.judge.verdict import JudgedRun
from harness.model.artefacts import ArtefactFinding, ArtefactsFound, Shortfall
from harness.model.outcome import GateName, GateStatus, VerdictKind
from harness.model.records import RunStarted
from harness.model.scheme import Artefact, ListedProduct, SchemeRelease
from tests.judge.build import SOUND, Run, judged, one_rule, run

CORE = ListedProduct("mojaloop", "v17.1.0", "native")
PRODUCT = ListedProduct("payment-manager", "v5.1.0", "native")
SCHEME = SchemeRelease("example", (CORE, PRODUCT))
FOLLOWS = {"run_id": "r1", "release": "v17.1.0", "journal": "a" * 64}


def core() -> Run:
    listed = [{"product": PRODUCT.product, "release": PRODUCT.release, "suite": PRODUCT.suite}]
    return run(SOUND).changed(RunStarted, products=listed)


def product_run(kind: VerdictKind, **changes: Any) -> JudgedRun:
    """A run of the product on top of ``core()`` that was judged so; ``changes`` are to its first record."""
    own = {"run_id": "r1-payment-manager", "product": PRODUCT.product, "release": PRODUCT.release, "core": FOLLOWS}
    found = judged(run(SOUND).changed(RunStarted, **{**own, **changes}))
    return replace(found, verdict=replace(found.verdict, kind=kind))


def with_product(shown: ProductShown | None, contents: SchemeRelease | None = SCHEME, **more: Any) -> JudgedRun:
    given = {"parts": Parts(contents=contents, products=() if shown is None else (shown,), **more)}
    return judged(core(), **given)


def told(of: JudgedRun, gate: GateName) -> list[tuple[str, GateStatus]]:
    return [(reason.code, reason.status) for reason in of.verdict.reasons if reason.gate is gate]


@pytest.mark.parametrize(
    ("kind", "code", "status", "whole"),
    [
        (VerdictKind.REJECTED, "product-rejected", GateStatus.FAIL, VerdictKind.REJECTED),
        (VerdictKind.INCONCLUSIVE, "product-inconclusive", GateStatus.UNKNOWN, VerdictKind.INCONCLUSIVE),
        (
            VerdictKind.APPROVED_WITH_KNOWN_ISSUES,
            "product-known-issues",
            GateStatus.PASS,
            VerdictKind.APPROVED_WITH_KNOWN_ISSUES,
        ),
    ],
)
def test_the_whole_is_no_better_than_its_product(
    kind: VerdictKind, code: str, status: GateStatus, whole: VerdictKind
) -> None:
    found = with_product(ProductShown(PRODUCT, product_run(kind)))
    assert told(found, GateName.PRODUCTS) == [(code, status)]
    assert found.verdict.kind is whole


def test_a_product_that_is_approved_lets_the_core_s_verdict_stand() -> None:
    found = with_product(ProductShown(PRODUCT, product_run(VerdictKind.APPROVED)))
    assert told(found, GateName.PRODUCTS) == []
    assert found.verdict.kind is VerdictKind.APPROVED


@pytest.mark.parametrize(
    "changes",
    [
        {"release": "v5.0.0"},
        {"product": "another"},
        {"suite": {"source": "official"}},
        {"scheme": "other"},
        {"target": {"name": "elsewhere"}},
        {"target": {"kind": "embedded"}},
        {"core": None},
        {"core": {**FOLLOWS, "run_id": "another"}},
        {"core": {**FOLLOWS, "journal": "b" * 64}},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_an_approved_run_that_is_not_the_one_listed_approves_nothing(changes: dict[str, Any]) -> None:
    found = with_product(ProductShown(PRODUCT, product_run(VerdictKind.APPROVED, **changes)))
    assert ("product-differs", GateStatus.UNKNOWN) in told(found, GateName.PRODUCTS)
    assert found.verdict.kind is VerdictKind.INCONCLUSIVE


@pytest.mark.parametrize("shown", [ProductShown(PRODUCT), ProductShown(PRODUCT, problem="torn"), None])
def test_a_product_without_a_run_that_can_be_read_leaves_the_gate_open(shown: ProductShown | None) -> None:
    found = with_product(shown)
    assert ("product-absent", GateStatus.UNKNOWN) in told(found, GateName.PRODUCTS)
    assert found.verdict.kind is VerdictKind.INCONCLUSIVE


@pytest.mark.parametrize("unlisted", [("payment-manager",), ()], ids=["in-the-folder", "in-the-journal"])
def test_a_product_cannot_be_dropped_from_the_list_after_the_run(unlisted: tuple[str, ...]) -> None:
    found = with_product(None, SchemeRelease("example", (CORE,)), unlisted=unlisted)
    assert told(found, GateName.PRODUCTS) == [("product-unlisted", GateStatus.UNKNOWN)]
    assert found.verdict.kind is VerdictKind.INCONCLUSIVE


def test_another_release_of_the_core_than_the_scheme_lists_leaves_the_gate_open() -> None:
    contents = SchemeRelease("example", (replace(CORE, release="v17.0.0"), PRODUCT))
    found = with_product(ProductShown(PRODUCT, product_run(VerdictKind.APPROVED)), contents)
    assert told(found, GateName.PRODUCTS) == [("core-differs", GateStatus.UNKNOWN)]


def test_a_required_product_is_met_by_its_run_alone() -> None:
    rule = one_rule(kind="required-products", products="[payment-manager]")
    shown = ProductShown(PRODUCT, product_run(VerdictKind.APPROVED))
    met = judged(core(), rules=rule, parts=Parts(contents=SCHEME, products=(shown,)))
    assert told(met, GateName.SCHEME) == []
    unmet = judged(run(SOUND), rules=rule, parts=Parts(contents=SchemeRelease("example", (CORE,))))
    assert [code for code, _ in told(unmet, GateName.SCHEME)] == ["required-product"]
    assert unmet.verdict.kind not in (VerdictKind.APPROVED, VerdictKind.APPROVED_WITH_KNOWN_ISSUES)


# --- documents -------------------------------------------------------------------------------------------------------


def with_documents(found: ArtefactsFound | None, *demanded: Artefact) -> JudgedRun:
    return judged(run(SOUND), parts=Parts(contents=SchemeRelease("example", artefacts=demanded), artefacts=found))


def finding(shortfall: Shortfall) -> ArtefactsFound:
    return ArtefactsFound((ArtefactFinding(Artefact.UNIT, shortfall, "unit.xml", "what was found", "do it"),))


@pytest.mark.parametrize(
    ("shortfall", "code", "demanded", "not_demanded"),
    [
        (Shortfall.ABSENT, "artefact-absent", VerdictKind.INCONCLUSIVE, VerdictKind.APPROVED),
        (
            Shortfall.LACKING,
            "artefact-lacking",
            VerdictKind.INCONCLUSIVE,
            VerdictKind.APPROVED_WITH_KNOWN_ISSUES,
        ),
        (Shortfall.FAILED, "artefact-failed", VerdictKind.REJECTED, VerdictKind.REJECTED),
        (
            Shortfall.DOUBTFUL,
            "artefact-doubtful",
            VerdictKind.APPROVED_WITH_KNOWN_ISSUES,
            VerdictKind.APPROVED_WITH_KNOWN_ISSUES,
        ),
    ],
)
def test_a_document_weighs_by_how_it_falls_short_and_whether_it_is_demanded(
    shortfall: Shortfall, code: str, demanded: VerdictKind, not_demanded: VerdictKind
) -> None:
    asked, unasked = with_documents(finding(shortfall), Artefact.UNIT), with_documents(finding(shortfall))
    assert [one for one, _ in told(asked, GateName.ARTEFACTS)] == [code]
    assert asked.verdict.kind is demanded
    assert unasked.verdict.kind is not_demanded


@pytest.mark.parametrize("found", [None, ArtefactsFound()], ids=["nobody-looked", "not-looked-at"])
def test_a_demanded_document_that_was_not_looked_at_is_absent(found: ArtefactsFound | None) -> None:
    judged_run = with_documents(found, Artefact.RUNBOOK)
    assert told(judged_run, GateName.ARTEFACTS) == [("artefact-absent", GateStatus.UNKNOWN)]
    assert judged_run.verdict.kind is VerdictKind.INCONCLUSIVE


def test_a_demanded_document_that_is_in_order_says_nothing_against_an_approval() -> None:
    found = ArtefactsFound(digests={"unit": "sha256:" + "0" * 64})
    assert with_documents(found, Artefact.UNIT).verdict.kind is VerdictKind.APPROVED

"""A product that a Scheme lists can be left out in no way, and what it shows reaches the verdict on the release."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from harness.judge.baseline import BaselineSource
from harness.judge.parts import NO_PARTS, Parts, ProductShown
from harness.judge.products import obstacle
from harness.judge.verdict import JudgedRun
from harness.model.outcome import GateName, GateStatus, VerdictKind
from harness.model.records import RunFinished, RunStarted, ServiceProbed
from harness.model.release import Release, ReleaseVersion
from harness.model.scheme import ListedProduct, SchemeRelease
from tests.judge.build import SOUND, F, P, Run, baseline, case, judged, on, one_rule, run

CORE = ListedProduct("mojaloop", "v17.1.0", "native")
PAYMENTS = ListedProduct("payment-manager", "v5.1.0", "native")
LISTED = SchemeRelease("example", (CORE, PAYMENTS), digest="c" * 64)
MANIFEST = Release("payment-manager", ReleaseVersion(5, 1, 0), {"payment-manager-api": "v5.1.0"}, "notes")
BEFORE = replace(baseline(), product="payment-manager", release="v5.1.0")
TOO_SLOW = {"kind": "latency-p95", "operation": "POST /transfers", "measure": "response", "at_most_ms": 1}
STARTED = {"product": "payment-manager", "release": "v5.1.0", "core": {"run_id": "r1", "journal": "a" * 64}}


def of_product(shapes: Any = SOUND, **started: Any) -> Run:
    """A sound run of payment-manager that follows the core's run, with a service of its own."""
    made = run(shapes, run_id="r1-payment-manager").changed(RunStarted, **{**STARTED, **started})
    own = ServiceProbed(service="payment-manager-api", url="", status="ok", version="v5.1.0", expected_version="v5.1.0")
    return replace(made, records=(made.records[0], own, *made.records[1:]))


def verdict_on_product(what: Run, **more: Any) -> JudgedRun:
    given: dict[str, Any] = {"release": MANIFEST, "parts": Parts(LISTED, within="r1")}
    return judged(what, more.pop("before", BEFORE), **{**given, **more})


def whole(*shown: ProductShown, core: Run | None = None, rules: Any = None, **more: Any) -> JudgedRun:
    """The core's run judged with what became of its products."""
    parts = Parts(**{"contents": LISTED, "products": shown, **more})
    return judged(core or run(SOUND), rules=rules, parts=parts)


def gate(judgement: JudgedRun) -> GateStatus:
    return next(one.status for one in judgement.verdict.gates if one.name is GateName.PRODUCTS)


def shown(what: Run, **more: Any) -> ProductShown:
    return ProductShown(PAYMENTS, verdict_on_product(what, **more))


def test_a_product_that_is_approved_lets_the_release_through() -> None:
    approved = whole(shown(of_product()))
    assert approved.verdict.kind is VerdictKind.APPROVED
    (told,) = [one.summary for one in approved.verdict.gates if one.name is GateName.PRODUCTS]
    assert told == "payment-manager v5.1.0 approved (6 checks)"
    given = approved.verdict.inputs["products"]["payment-manager"]
    assert (given["release"], given["suite"], given["verdict"]) == ("v5.1.0", "native", "APPROVED")
    assert given["journal_sha256"] == "a" * 64
    assert approved.verdict.inputs["scheme_release"]["sha256"] == "c" * 64


def test_the_verdict_on_a_product_is_none_on_the_release() -> None:
    alone = judged(of_product(), BEFORE, release=MANIFEST)
    assert alone.verdict.kind is VerdictKind.INCONCLUSIVE
    part = verdict_on_product(of_product()).verdict
    assert part.kind is VerdictKind.APPROVED
    assert part.next_action == "None on its own: the verdict on the release is that of run r1."


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (lambda: ProductShown(PAYMENTS), "was not run, though the Scheme lists it"),
        (lambda: ProductShown(PAYMENTS, problem="no journal"), "cannot be read: no journal"),
        (
            lambda: shown(of_product(release="v5.0.9"), before=replace(BEFORE, release="v5.0.9")),
            "it is of payment-manager v5.0",
        ),
        (lambda: ProductShown(PAYMENTS, judged(run(SOUND))), "it is of mojaloop v17.1.0, listed is payment-manager"),
        (lambda: shown(of_product(suite={"source": "collection"})), "it is of the collection suite"),
        (lambda: shown(of_product(scheme="other")), "it is for scheme other"),
        (lambda: shown(of_product(target={"name": "elsewhere"})), "it was run on elsewhere, and belongs on t"),
        (lambda: shown(of_product(core={"run_id": "r0"})), "does not follow this run of the core but r0"),
        (lambda: shown(of_product(core={"journal": "b" * 64})), "does not follow this run of the core"),
        (lambda: shown(of_product(core=None)), "does not follow this run of the core but none"),
        (lambda: shown(of_product(selection={"complete": False})), "is inconclusive: the run is partial"),
        (
            lambda: shown(of_product().without(lambda one: isinstance(one, RunFinished))),
            "is inconclusive: the run was cut off",
        ),
        (
            lambda: shown(of_product(), before=BEFORE, parts=NO_PARTS),
            "is inconclusive: payment-manager is an extension",
        ),
    ],
)
def test_what_was_not_run_as_listed_never_approves(given: Callable[[], ProductShown], told: str) -> None:
    found = whole(given())
    assert found.verdict.kind is VerdictKind.INCONCLUSIVE
    assert gate(found) is GateStatus.UNKNOWN
    assert any(told in reason.text for reason in found.verdict.reasons), [one.text for one in found.verdict.reasons]


def test_a_product_that_was_only_rehearsed_proves_nothing_for_an_environment() -> None:
    source = {"source": BaselineSource.EMBEDDED}
    rehearsed = shown(of_product(target={"kind": "embedded"}), before=replace(BEFORE, **source))
    found = whole(rehearsed)
    assert found.verdict.kind is VerdictKind.INCONCLUSIVE
    assert any("only rehearsed on the embedded hub" in reason.text for reason in found.verdict.reasons)
    core = run(SOUND, kind="embedded")
    assert whole(rehearsed, core=core).verdict.text == "APPROVED (rehearsal on the embedded hub)"


def test_a_product_that_is_rejected_rejects_the_release_and_calls_its_team() -> None:
    failing = (case("pays", P, F), *SOUND[1:])
    found = whole(shown(of_product(failing)))
    assert found.verdict.kind is VerdictKind.REJECTED
    assert gate(found) is GateStatus.FAIL
    assert found.verdict.reasons[0].text.startswith("payment-manager v5.1.0 is rejected: 1 check regressed")
    assert found.verdict.next_action.startswith("payment-manager team: look at ml-api-adapter")
    by_rule = shown(of_product(), rules=one_rule(**TOO_SLOW))
    assert whole(by_rule).verdict.next_action.startswith("payment-manager team: payment-manager v5.1.0 is rejected")


def test_known_issues_of_a_product_are_those_of_the_release() -> None:
    found = whole(shown(of_product(), rules=one_rule(**TOO_SLOW, severity="minor")))
    assert found.verdict.kind is VerdictKind.APPROVED_WITH_KNOWN_ISSUES
    assert found.verdict.reasons[0].text.startswith("payment-manager v5.1.0 has known issues: rule (minor")


def test_what_the_scheme_no_longer_lists_is_named() -> None:
    one = SchemeRelease("example", (CORE,))
    beside = whole(contents=one, unlisted=("payment-manager",))
    started = [{"product": "payment-manager", "release": "v5.1.0", "suite": "native"}]
    begun = whole(contents=one, core=run(SOUND).changed(RunStarted, products=started))
    gone = whole(contents=None, core=run(SOUND).changed(RunStarted, products=started))
    for found in (beside, begun, gone):
        assert found.verdict.kind is VerdictKind.INCONCLUSIVE
        assert "payment-manager, which the Scheme does not list" in found.verdict.reasons[0].text


def test_a_listed_product_that_the_judge_is_not_given_is_missed() -> None:
    found = whole()
    assert found.verdict.kind is VerdictKind.INCONCLUSIVE
    assert "of payment-manager v5.1.0, which the Scheme lists, nothing was looked at" in found.verdict.reasons[0].text


@pytest.mark.parametrize("listed", [replace(CORE, release="v17.0.0"), replace(CORE, suite="official")])
def test_a_core_that_is_not_the_listed_one_does_not_approve(listed: ListedProduct) -> None:
    found = whole(contents=SchemeRelease("example", (listed,)))
    assert found.verdict.kind is VerdictKind.INCONCLUSIVE
    assert found.verdict.reasons[0].code == "core-differs"
    # it can approve nothing whatever its products show, so they are not run, and it is said
    stopped = obstacle(found.verdict.reasons)
    assert stopped is not None
    assert stopped.code == "core-differs"
    beside = whole(ProductShown(PAYMENTS), contents=SchemeRelease("example", (listed, PAYMENTS)))
    assert "payment-manager v5.1.0 was not run: the core is not approved" in [r.text for r in beside.verdict.reasons]


def test_without_a_list_there_are_no_products() -> None:
    found = whole(contents=SchemeRelease("example"))
    assert found.verdict.kind is VerdictKind.APPROVED
    assert "scheme example lists no extension products" in [one.summary for one in found.verdict.gates]


def test_products_are_not_run_on_a_core_that_is_not_approved() -> None:
    failing = whole(ProductShown(PAYMENTS), core=run((case("pays", P, F), *SOUND[1:])))
    assert failing.verdict.kind is VerdictKind.REJECTED
    assert "payment-manager v5.1.0 was not run: the core is not approved" in [
        reason.text for reason in failing.verdict.reasons
    ]
    first = obstacle(failing.verdict.reasons)
    assert first is not None
    assert first.code == "regressed"
    assert obstacle(whole(ProductShown(PAYMENTS)).verdict.reasons) is None


def test_that_a_product_is_required_keeps_it_from_nothing() -> None:
    """The rule cannot be kept before the product ran: it must not be why the product is not run."""
    rule = {"kind": "required-products", "products": "[mojaloop, payment-manager]"}
    before = whole(ProductShown(PAYMENTS), rules=one_rule(**rule))
    assert before.verdict.kind is VerdictKind.INCONCLUSIVE
    assert obstacle(before.verdict.reasons) is None
    after = whole(shown(of_product()), rules=one_rule(**rule))
    assert after.verdict.kind is VerdictKind.APPROVED
    assert after.findings[0].text == "mojaloop, payment-manager took part"
    cut = whole(shown(of_product(core=None)), rules=one_rule(**rule))
    assert cut.findings[0].status is GateStatus.UNKNOWN
    assert on(run(SOUND), **rule).status is GateStatus.UNKNOWN


def test_the_services_of_the_core_do_not_prove_which_product_is_there() -> None:
    without = of_product().without(lambda one: getattr(one, "service", "") == "payment-manager-api")
    found = verdict_on_product(without)
    assert found.verdict.kind is VerdictKind.INCONCLUSIVE
    assert "no service of payment-manager was probed" in found.verdict.reasons[0].text
    old = of_product().each(
        lambda one: replace(one, version="v5.0.0") if getattr(one, "service", "") == "payment-manager-api" else one
    )
    assert verdict_on_product(old).verdict.kind is VerdictKind.INCONCLUSIVE

"""What a Scheme insists on must be there and must have passed; what is not there is never taken for passed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.model.outcome import GateStatus, Outcome
from harness.model.records import CasePlanned, Record
from tests.judge.build import SOUND, E, F, H, P, Run, case, check_id, on, run

PASS, FAIL, UNKNOWN = GateStatus.PASS, GateStatus.FAIL, GateStatus.UNKNOWN
ONE = f'["{check_id("pays", "c2")}"]'


@pytest.mark.parametrize(
    ("outcomes", "checks", "expected"),
    [
        ((P, P), ONE, PASS),
        ((P, F), ONE, FAIL),
        ((F, P), ONE, PASS),
        ((P, H), ONE, UNKNOWN),
        ((P, E), ONE, UNKNOWN),
        ((P,), ONE, UNKNOWN),
        ((P, P), f'["{check_id("pays", "c2")}", "{check_id("nobody", "c1")}"]', UNKNOWN),
    ],
)
def test_required_checks(outcomes: tuple[Outcome, ...], checks: str, expected: GateStatus) -> None:
    found = on(run([case("pays", *outcomes), *SOUND[1:]]), kind="required-checks", checks=checks)
    assert found.status is expected


def in_folder(what: Run, name: str) -> Run:
    def change(record: Record) -> Record:
        moved = isinstance(record, CasePlanned) and name in record.case
        return replace(record, file="scheme_rules/example/tests/test_own.py") if moved else record

    return what.each(change)


@pytest.mark.parametrize(
    ("shape", "folder", "expected"),
    [
        (case("own", P), "scheme_rules/example/tests", PASS),
        (case("own", P), "./scheme_rules/example/tests/", PASS),
        (case("own", F), "scheme_rules/example/tests", FAIL),
        (case("own", H), "scheme_rules/example/tests", UNKNOWN),
        (case("own", P), "scheme_rules/example/test", UNKNOWN),
        (case("own", P, selected=False), "scheme_rules/example/tests", UNKNOWN),
        (case("own", F), "transfers", FAIL),
    ],
)
def test_required_folders(shape: Any, folder: str, expected: GateStatus) -> None:
    what = in_folder(run([*SOUND, shape]), "own")
    assert on(what, kind="required-folders", folders=f"[{folder}]").status is expected


@pytest.mark.parametrize(("suites", "expected"), [("[native]", PASS), ("[official]", UNKNOWN), ("[a, mojaloop]", PASS)])
def test_required_suites(suites: str, expected: GateStatus) -> None:
    assert on(run(SOUND), kind="required-suites", suites=suites).status is expected


@pytest.mark.parametrize(
    ("products", "expected"), [("[mojaloop]", PASS), ("[payment-manager]", UNKNOWN), ("[mojaloop, pm]", UNKNOWN)]
)
def test_required_products(products: str, expected: GateStatus) -> None:
    assert on(run(SOUND), kind="required-products", products=products).status is expected


@pytest.mark.parametrize("kind", ["required-suites", "required-products"])
def test_a_run_that_does_not_say_what_it_is_meets_no_demand(kind: str) -> None:
    key = {"required-suites": "suites", "required-products": "products"}[kind]
    assert on(Run(()), kind=kind, **{key: "[mojaloop]"}).status is UNKNOWN

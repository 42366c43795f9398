"""What a Scheme insists on must be there and must have passed; what is not there is never taken for passed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.model.outcome import GateStatus, Outcome
from harness.model.records import CasePlanned, Record, RunStarted
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


def test_a_file_of_the_folder_without_a_case_leaves_the_demand_open() -> None:
    own = "scheme_rules/example/suites/mojaloop"
    suite = {"scheme": {"folder": own, "files": ["test_own.py", "test_none.py"], "digest": "d"}}

    def change(record: Record) -> Record:
        texts = {name: getattr(record, name) for name in ("case", "step", "check") if hasattr(record, name)}
        moved = {
            name: text.replace("transfers/test_transfers.py::own", f"{own}/test_own.py::own")
            for name, text in texts.items()
        }
        return replace(record, **moved)

    what = run([*SOUND, case("own", P)]).each(change).changed(RunStarted, suite=suite)
    found = on(what, kind="required-folders", folders=f"[{own}]")
    assert (found.status, found.text) == (UNKNOWN, f"without a case in this run: {own}/test_none.py")
    only = what.changed(RunStarted, suite={"scheme": {**suite["scheme"], "files": ["test_own.py"]}})
    assert on(only, kind="required-folders", folders=f"[{own}]").status is PASS
    # the Scheme's own cases make no product's suite as broad as was asked for
    for at_least, expected in ((len(SOUND), PASS), (len(SOUND) + 1, UNKNOWN)):
        rule = {"kind": "minimum-executed", "what": "cases", "at_least": at_least}
        assert on(only, rule=rule).status is expected


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


def test_where_not_a_single_check_told_anything_nothing_was_executed() -> None:
    found = on(run([]), rule={"kind": "minimum-executed", "what": "cases", "at_least": 1})
    assert (found.status, found.text) == (UNKNOWN, "0 cases told something, at least 1")

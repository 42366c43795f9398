"""The page holds what the judge said and what the run showed, within bounds, the same bytes each time."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.judge.waivers import Waiver
from harness.judge.waiving import WaiverFinding, WaiverStatus
from harness.model.outcome import GateName, GateStatus, Outcome, VerdictKind
from harness.model.records import CaseFinished, CasePlanned, CheckRecorded, PlanComplete, Record, RunFinished
from harness.report.interface import ReportInput
from harness.report.page.evidence import exchange_view, shortened
from harness.report.page.facts import waivers_of
from harness.report.page.plots import Spread, bar, times
from harness.report.page.view import view_of
from harness.report.page.writer import VerdictPage, page_of
from tests.report import scenarios
from tests.report.hostile import WORDS, hostile, huge

RUNS = {
    "approved": scenarios.approved,
    "known issues": scenarios.known_issues,
    "rejected": scenarios.rejected,
    "inconclusive": scenarios.inconclusive,
}


class _Page(HTMLParser):
    """The text of a page and the elements it is made of."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def as_release(run: ReportInput, kind: VerdictKind | None = None) -> ReportInput:
    """The same, had it run on an environment."""
    verdict = replace(run.judged.verdict, rehearsal=False)
    verdict = verdict if kind is None else replace(verdict, kind=kind)
    return replace(run, judged=replace(run.judged, verdict=verdict))


@pytest.mark.parametrize("name", RUNS)
def test_the_page_says_the_verdict_every_reason_every_gate_and_what_to_do(name: str) -> None:
    run = RUNS[name]()
    said = " ".join(_Page(page_of(run)).text.split())
    verdict = run.judged.verdict
    assert verdict.kind.value in said
    assert "rehearsal on the embedded hub" in said
    assert " ".join(verdict.next_action.split())[:300] in said
    for reason in verdict.reasons:
        assert " ".join(reason.text.split())[:200] in said
        assert " ".join(reason.remedy.split())[:200] in said
    for gate in verdict.gates:
        assert gate.name.value in said


@pytest.mark.parametrize("name", RUNS)
def test_the_same_run_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    first, second = (VerdictPage().write(RUNS[name](), tmp_path / place)[0].read_bytes() for place in "ab")
    assert first == second


def test_nothing_but_an_approval_of_a_release_looks_like_one() -> None:
    tones = {}
    for name, make in RUNS.items():
        tones[name, "rehearsal"] = view_of(make()).look
        tones[name, "release"] = view_of(as_release(make())).look
    good = [key for key, look in tones.items() if look.tone == "good"]
    assert good == [("approved", "release")]
    assert [key for key, look in tones.items() if look.icon == "check"] == [*good, ("known issues", "release")]
    assert tones["approved", "rehearsal"].tone == "rehearsal"
    assert "no approval" in tones["inconclusive", "release"].lead


def test_a_regression_is_shown_with_both_sides_its_exchange_and_a_line_to_send_it_again() -> None:
    run = scenarios.rejected()
    sent = {"url": "http://127.0.0.1:3001/transfers"}
    recorded = {name: {**one, "request": {**one["request"], **sent}} for name, one in run.exchanges.items()}
    run = replace(run, exchanges=recorded)
    page = page_of(run)
    card = view_of(run).cards[0]
    assert len(view_of(run).cards) == 14
    assert (card.comparison, card.checks[0].expected, card.checks[0].actual) == ("regressed", "COMMITTED", "ABORTED")
    assert card.checks[0].before == "baseline: 1 of 1 run passed, 0 failed"
    assert [part.title for part in card.exchanges[0][1].parts] == ["Request", "Response", "Callback"]
    assert "[redacted]" in card.exchanges[0][1].curl
    assert card.figure in page
    assert card.figure.startswith("<svg")
    assert ("central-ledger", 7, "19.9.0", "19.10.6", True) in view_of(run).suspects


def test_removed_and_missing_checks_are_there_by_name() -> None:
    before = scenarios.cases(12)
    gone = scenarios.report_input(scenarios.whole_run(before[:10]), before)
    said = _Page(page_of(gone)).text
    for case in before[10:]:
        assert case.id.partition("::")[2] in said
    lost = scenarios.inconclusive()
    listed = {one.comparison: one for one in view_of(lost).listed}
    names = {case.case for case in listed["missing"].cases}
    assert names == {case.title for case in scenarios.cases()[5:]}
    assert any("killed by signal 9" in case.message for case in listed["missing"].cases)


def test_every_check_of_the_run_is_in_the_list_once_with_its_class() -> None:
    run = scenarios.rejected()
    lines = [check for case in view_of(run).cases for step in case.steps for check in step.checks]
    assert len(lines) == len(run.judged.comparison.table) == 120
    assert sum(check.comparison == "regressed" for check in lines) == 14
    assert page_of(run).count('data-k="regressed"') == 14


@pytest.mark.parametrize(
    ("ended", "left", "soon"),
    [
        ("2026-01-02T23:59:59Z", "28 days left", False),
        ("2026-01-29T00:00:00Z", "1 day left", True),
        ("2026-01-30T00:00:00Z", "last day", True),
        ("2026-02-01T00:00:00Z", "expired 2 days before the run", True),
        ("", "not known", True),
    ],
)
def test_the_days_of_a_waiver_are_counted_from_the_end_of_the_run(ended: str, left: str, soon: bool) -> None:
    waiver = Waiver(
        id="w", checks=("a::b::c::d",), ticket="https://tickets.example/1", reason="the component is being replaced",
        approved_by="Board", approved_on=date(2026, 1, 1), expires=date(2026, 1, 30), at_most=1,
    )  # fmt: skip
    found = WaiverFinding(waiver, WaiverStatus.APPLIED, "1 check", ("a::b::c::d",), np.zeros(1, dtype=bool))
    (shown,) = waivers_of([found], ended)
    assert (shown.left, shown.soon) == (left, soon)


def breadth(cases: int, checks: int, outcome: Outcome, failing: str = "") -> list[Record]:
    """A run of so many cases, of so many checks each in five steps. The case that ends with ``failing`` fails."""
    records: list[Record] = [scenarios.started()]
    ids = [
        f"hub/golden_path/feature_tests/some/folder_{n % 20}/file_{n % 60}.json::a case number {n}"
        for n in range(cases)
    ]
    records += [
        CasePlanned(case=case, title=f"a case number {n}", feature="p2p", labels=["p2p"], severity="major", file=case)
        for n, case in enumerate(ids)
    ]
    records.append(PlanComplete(cases=cases, selected=cases))
    given = outcome
    for number, case in enumerate(ids):
        outcome = Outcome.FAILED if failing and case.endswith(failing) else given
        for step in range(5):
            made = scenarios.Case(f"{case}{step}", (), operation="POST /transfers")
            finished = scenarios.ran(made, number * 5 + step)[1]
            step_id = f"{case}::send the transfer {step}"
            records.append(replace(finished, case=case, step=step_id))  # type: ignore[call-arg]
            records += [
                CheckRecorded(
                    check=f"{step_id}::response status to be as it should, number {n}", case=case, step=step_id,
                    label=f"response status to be as it should, number {n}", outcome=outcome,
                    message="" if outcome is Outcome.PASSED else "expected 'ABORTED' to equal 'COMMITTED' " * 8,
                    expected=None if outcome is Outcome.PASSED else "COMMITTED", fingerprint="f" * 64,
                )
                for n in range(checks // 5)
            ]  # fmt: skip
        records.append(
            CaseFinished(
                case=case, outcome=outcome, duration_ms=80.0, worker="gw0", started_at="2026-01-02T03:04:05.500Z"
            )
        )
    records.append(RunFinished(cases=cases, checks=cases * checks, duration_ms=4000.0))
    return records


@pytest.mark.parametrize("outcome", [Outcome.PASSED, Outcome.FAILED, Outcome.HOLLOW])
def test_a_golden_path_of_2600_checks_stays_under_two_megabytes_whatever_becomes_of_it(outcome: Outcome) -> None:
    records = breadth(130, 20, outcome)
    exchanges = {
        f"x{number}": exchange | {"response": {"status": 202, "headers": {}, "body": {"note": "n" * 3_000}}}
        for number, exchange in enumerate(scenarios.exchanges(650).values())
    }
    run = replace(scenarios.report_input(records, scenarios.cases()), exchanges=exchanges)
    page = page_of(run)
    assert 300_000 < len(page.encode()) < 2_000_000
    view = view_of(run)
    assert sum(len(step.checks) for case in view.cases for step in case.steps) == 2_600
    assert view.cards_left == sum(card.without_evidence for card in view.cards)
    assert view.cards_left == 0 or f"the exchanges of {view.cards_left} of these cases are not on it" in page


def test_ten_megabytes_from_a_hub_do_not_make_a_page_of_ten_megabytes() -> None:
    page = page_of(huge())
    assert len(page) < 600_000
    assert "9,999,6" in page  # how much was cut of it
    assert "more characters" in page


def test_a_hostile_run_adds_no_element_no_attribute_and_no_link_of_its_own() -> None:
    page = page_of(hostile())
    parsed = _Page(page)
    tame = _Page(page_of(scenarios.rejected()))
    own = {tag for tag, _ in tame.elements} | {"h3", "option", "select", "label", "circle"}
    assert {tag for tag, _ in parsed.elements} <= own
    assert not [name for _, attrs in parsed.elements for name in attrs if name.startswith("on") or name == "style"]
    addresses = [value or "" for _, attrs in parsed.elements for name in ("href", "src") if (value := attrs.get(name))]
    assert all(re.match(r"#[\w-]+$|data:,$|https?://", address) for address in addresses), addresses
    assert sum(tag == "script" for tag, _ in parsed.elements) == 1
    steering = re.compile(
        "[\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
    )
    assert steering.search(page) is None
    assert "49" not in re.findall(r"{{.*?}}", page)
    for word in (WORDS[0], WORDS[3], WORDS[8][:20]):
        assert word in parsed.text


@pytest.mark.parametrize("part", [None, 7, "text", [], {"headers": 3, "body": {"a": [1] * 99}}, {"latency_ms": "x"}])
def test_whatever_a_line_of_the_exchanges_holds_it_is_shown_or_left_out(part: Any) -> None:
    view = exchange_view({"request": part, "response": part, "callback": part})
    assert all(len(one.text) < 20_000 for one in view.parts)


def test_what_is_cut_of_a_body_is_said() -> None:
    deep: Any = "bottom"
    for _ in range(20):
        deep = {"in": deep}
    short = shortened(
        {"list": list(range(50)), "text": "t" * 1_000, "deep": deep, "keys": {str(n): n for n in range(99)}}
    )
    assert short["list"][-1] == "… 30 more items"
    assert short["text"].endswith("… 600 more characters")
    assert short["keys"]["…"] == "39 more keys"
    assert "… an object of 1 keys" in str(short["deep"])


def test_a_bar_shows_every_class_that_is_there_however_few() -> None:
    drawn = bar([("regressed", 1), ("missing", 0), ("unchanged-pass", 100_000)], "1 regressed")
    widths = [float(width) for width in re.findall(r' width="([\d.]+)"', drawn)]
    assert re.findall(r'class="k-([\w-]+)"', drawn) == ["regressed", "unchanged-pass"]
    assert widths[0] > 5
    assert sum(widths) == pytest.approx(1000, abs=1)


def test_a_plot_of_times_needs_figures_only_and_draws_a_box_where_there_are_samples() -> None:
    sample = [float(n) for n in range(1, 101)]
    both = times(Spread.of((), 20.0, 40.0), Spread.of(sample, 50.0, 95.0), "POST /quotes")
    assert both.count("<rect") == 1
    assert times(Spread.of((), 0.0, 0.0), Spread.of((), 0.0, 0.0), "nothing") == ""
    assert times(Spread(float("nan"), float("nan")), Spread(1.0, 1.0), "nothing known") == ""


def test_gates_are_told_in_words() -> None:
    view = view_of(scenarios.inconclusive())
    assert [name for name, _, _ in view.gates] == [gate.value for gate in GateName]
    assert {status for _, status, _ in view.gates} == {GateStatus.PASS.value, GateStatus.FAIL.value}
    assert "FAIL" in page_of(scenarios.inconclusive())

"""What a person reads at the end of a run, as they read it."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from syrupy.assertion import SnapshotAssertion

from harness.judge.suspects import FailureGroup
from harness.model.ids import escape_label
from harness.model.outcome import Cause, GateName, GateStatus, VerdictKind
from harness.model.records import CheckRecorded, WorkerLost
from harness.model.verdict import Gate, Reason, Suspect
from harness.report.interface import ReportInput
from harness.report.terminal import print_summary
from tests.report import scenarios

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
FORGERIES = ["\x1b[2J\x1b[1;32mAPPROVED", "ok\n\nAPPROVED\n", "ok\rAPPROVED", "\u202eDEVORPPA"]
LONG = "a payer whose name is longer than any form has room for sends " + "very " * 16 + "little:"


def shown(
    run: ReportInput, *, width: int | None = None, environ: Mapping[str, str] | None = None, encoding: str = "utf-8"
) -> str:
    """The summary as printed to a log or, with ``width``, to a terminal without colours."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    console = Console(
        file=file, width=width or 80, force_terminal=width is not None, color_system=None, no_color=True, _environ={}
    )
    reports = [run.folder / name for name in ("verdict.json", "comparison.csv", "allure-results")]
    print_summary(console, run, reports, base=Path(), environ=environ or {})
    file.flush()
    return raw.getvalue().decode(encoding)


def long_names() -> ReportInput:
    return scenarios.rejected(rename=lambda case: case.replace("a payer sends", LONG))


def unicode_names() -> ReportInput:
    return scenarios.rejected(rename=lambda case: case.replace("a payer sends", "ክፍያ 支払い Überweisung 🏦"))


def in_fixed_words(run: ReportInput) -> ReportInput:
    """The run with other words for what the judge said: how the judge words things is not what is promised here."""
    verdict = run.judged.verdict
    fail, unknown = (verdict.kind is kind for kind in (VerdictKind.REJECTED, VerdictKind.INCONCLUSIVE))
    status = GateStatus.FAIL if fail else GateStatus.UNKNOWN if unknown else GateStatus.PASS
    checks = tuple(check for reason in verdict.reasons for check in reason.checks)
    reasons = (
        Reason("one", GateName.CORE, status, f"the first reason: {', '.join(checks)}", "the first remedy", checks),
        Reason("two", GateName.SCHEME, status, "the second reason, " + "which is long, " * 12, "the second remedy"),
        *(Reason(f"{n}", GateName.CORE, status, f"reason {n}", f"remedy {n}") for n in range(3, 6)),
    )
    words = {GateName.CORE: (status, reasons[0].text), GateName.SCHEME: (status, "the gate's summary")}
    fixed = replace(
        verdict,
        gates=tuple(Gate(name, *words.get(name, (GateStatus.PASS, f"what {name} has to say"))) for name in GateName),
        reasons=reasons if verdict.reasons else (),
        next_action="Support team: the first remedy, then whatever else the release process asks of those who act.",
        suspects=(Suspect("central-ledger", 7, "v2", "v1"), Suspect("ml-api-adapter", 1, None, "v1")) if fail else (),
    )
    groups = tuple(replace(group, text="what was seen, without ids") for group in run.judged.groups)
    if fail:
        long = "what was seen, " + "which is long, " * 12
        groups = (
            FailureGroup(Cause.PRODUCT, "sdk-scheme-adapter", long, ("c",) * 1170, ()),
            FailureGroup(Cause.ENVIRONMENT, "a component with a name as long as it gets", "no answer", ("c",) * 46, ()),
            FailureGroup(Cause.HARNESS, "", "the case never finished", (), ("x::y", "x::z")),
            *(FailureGroup(Cause.TIMING, f"service {n}", "no callback", ("c",), ()) for n in range(1, 5)),
        )
    return replace(run, judged=replace(run.judged, verdict=fixed, groups=groups))


SCENARIOS = {
    "approved rehearsal": scenarios.approved,
    "approved with known issues": scenarios.known_issues,
    "rejected with 14 regressions": scenarios.rejected,
    "inconclusive after a crash": scenarios.inconclusive,
    "long ids": long_names,
    "unicode": unicode_names,
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_summary_in_a_log(name: str, snapshot: SnapshotAssertion) -> None:
    assert shown(in_fixed_words(SCENARIOS[name]())) == snapshot


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_summary_on_a_terminal(name: str, snapshot: SnapshotAssertion) -> None:
    assert shown(in_fixed_words(SCENARIOS[name]()), width=90) == snapshot


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_summary_fits_one_screen(name: str, width: int) -> None:
    lines = shown(SCENARIOS[name](), width=width).splitlines()
    assert max(cell_len(line) for line in lines) <= width
    assert len(lines) <= (24 if name.startswith("approved") else 40)


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("approved rehearsal", "APPROVED (rehearsal on the embedded hub) · exit code 0"),
        ("approved with known issues", "APPROVED WITH KNOWN ISSUES (rehearsal on the embedded hub) · exit code 0"),
        ("rejected with 14 regressions", "REJECTED (rehearsal on the embedded hub) · exit code 1"),
        ("inconclusive after a crash", "INCONCLUSIVE (rehearsal on the embedded hub) · exit code 2"),
    ],
)
def test_the_verdict_stands_on_one_line_of_its_own(name: str, last: str) -> None:
    assert [line for line in shown(SCENARIOS[name]()).splitlines() if "exit code" in line] == [last]


def test_ten_are_named_and_the_rest_is_counted_with_its_place() -> None:
    text = shown(scenarios.rejected())
    assert text.count("::the state is COMMITTED\n") == 10
    assert f"… and 4 more: {scenarios.FOLDER}/comparison.csv" in text


def test_the_heavier_class_does_not_push_the_lighter_off_the_page() -> None:
    before = scenarios.cases(30)
    now = [scenarios.failing(case) for case in before[:20]]
    text = shown(scenarios.report_input(scenarios.whole_run(now), before))
    assert "Regressed (20)" in text
    assert "Removed (30)" in text
    named = [line.strip() for line in text.splitlines() if line.startswith("  mojaloop/")]
    assert len([name for name in named if name.endswith("COMMITTED") and name.startswith("mojaloop/test_")]) >= 8
    gone = {case.id for case in before[20:]}
    assert len([name for name in named if name.rsplit("::", 2)[0] in gone]) == 2


def test_the_suspect_is_shown_with_both_versions() -> None:
    assert "Suspect  central-ledger  19.9.0 → 19.10.6  (7 checks)" in shown(scenarios.rejected())


@pytest.mark.parametrize("environ", [{"CI": "true"}, {"NO_COLOR": "1"}, {"CI": "1", "NO_COLOR": ""}])
def test_colours_are_kept_from_build_servers_and_those_who_decline_them(environ: Mapping[str, str]) -> None:
    file = io.StringIO()
    console = Console(file=file, width=90, force_terminal=True, color_system="truecolor", _environ={})
    print_summary(console, scenarios.rejected(), [], base=Path(), environ=environ)
    assert not CONTROL.search(file.getvalue())


def test_a_terminal_has_colours() -> None:
    file = io.StringIO()
    console = Console(file=file, width=90, force_terminal=True, color_system="standard", _environ={})
    print_summary(console, scenarios.rejected(), [], base=Path(), environ={"CI": "false"})
    assert "\x1b[1;31mREJECTED" in file.getvalue()


def test_an_output_that_knows_only_ascii_is_not_a_crash() -> None:
    text = shown(unicode_names(), encoding="ascii")
    assert "REJECTED (rehearsal on the embedded hub) \\xb7 exit code 1" in text


@settings(max_examples=25, deadline=None)
@given(
    message=st.text(max_size=60) | st.sampled_from(["\x1b[2J\x1b[1;32mAPPROVED", "ok\n\nAPPROVED\n", "\u202eDEVORPPA"])
)
def test_what_a_hub_answers_cannot_steer_the_terminal_or_begin_a_line(message: str) -> None:
    first, *others = scenarios.cases(2)
    records = [
        replace(record, message=message, expected=None, actual=message, label=escape_label(message))
        if isinstance(record, CheckRecorded) and record.case == first.id
        else record
        for record in scenarios.whole_run([scenarios.failing(first), *others])
    ]
    records.insert(-1, WorkerLost(worker="gw1", case=None, message=message))
    for width in (None, 80):
        text = shown(scenarios.report_input(records, scenarios.cases(2)), width=width)
        assert not CONTROL.search(text)
        assert not [line for line in text.splitlines() if line.startswith("APPROVED")]


def test_the_failures_are_told_by_what_is_behind_them_most_checks_first() -> None:
    run = scenarios.rejected()
    lines = shown(run).splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith("Causes"))
    assert run.judged.groups
    for line, group in zip(lines[first:], run.judged.groups, strict=False):
        assert f"{len(group.checks)} check" in line
        assert f"  {group.cause.value}  {group.component}: " in line

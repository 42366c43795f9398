"""What is drafted says no more than the verdict allows, and what a hub said does nothing where it is pasted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from typer.testing import CliRunner

from harness import __version__
from harness.cli import app
from harness.errors import HarnessError, UsageError
from harness.handover.announce import Kind, refusal
from harness.handover.triage import drafts, overview
from harness.model.outcome import VerdictKind
from harness.model.records import StepFinished
from harness.model.release import KnownIssue
from harness.validation import judge_as_before
from harness.workspace import Workspace
from tests.handover import world
from tests.judge.test_products import of_product, verdict_on_product
from tests.report.scenarios import cases, failing, whole_run

RUNS = {"good": world.approved, "rehearsed": world.rehearsal, "broken": world.rejected, "cut-off": world.inconclusive}
KINDS = ("available", "window-opens", "validated", "window-closed")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = world.workspace(tmp_path_factory.mktemp("messages") / "workspace")
    for name, make in RUNS.items():
        make(made, name)
    return made


@pytest.fixture
def inside(here: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.chdir(here.root)
    return here


def command(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(one) for one in arguments], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.return_value, done.stdout, done.stderr


@pytest.mark.parametrize("format_", ["markdown", "text"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("inside")
def test_the_messages_of_an_approved_run(kind: str, format_: str, snapshot: SnapshotAssertion) -> None:
    code, out, _ = command("announce", "good", "--kind", kind, "--format", format_, "--target-date", "2026-12-01")
    assert code == 0
    assert out == snapshot


@pytest.mark.usefixtures("inside")
def test_the_messages_of_a_release_say_nothing_of_a_validation(snapshot: SnapshotAssertion) -> None:
    for kind in ("available", "window-opens", "window-closed"):
        code, out, _ = command("announce", "v17.1.0", "--kind", kind)
        assert code == 0
        assert "says nothing of a validation" in out
        assert "can be deployed" not in out
    assert command("announce", "v17.1.0", "--kind", "available")[1] == snapshot


@pytest.mark.parametrize(("run", "code"), [("rehearsed", 2), ("broken", 1), ("cut-off", 2), ("v17.1.0", 2)])
@pytest.mark.usefixtures("inside")
def test_what_must_not_go_is_not_announced(run: str, code: int, snapshot: SnapshotAssertion) -> None:
    refused = KINDS[2:3] if run.startswith("v") else KINDS[:3]
    for kind in refused:
        got, out, err = command("announce", run, "--kind", kind)
        assert (got, out) == (code, "")
        assert err.startswith("refused: ")
    if run.startswith("v"):
        return
    got, out, _ = command("announce", run, "--kind", "window-closed")
    assert got == 0
    assert "THE DEPLOYMENT WAS NOT VALIDATED" in out
    assert out == snapshot


@pytest.mark.usefixtures("inside")
def test_a_message_that_cannot_be_drafted_says_why() -> None:
    with pytest.raises(UsageError, match="no message is called"):
        command("announce", "good", "--kind", "party")
    with pytest.raises(UsageError, match="no format"):
        command("announce", "good", "--kind", "available", "--format", "html")
    with pytest.raises(UsageError, match="is no date"):
        command("announce", "good", "--kind", "available", "--target-date", "soon")
    with pytest.raises(UsageError, match="no run is called"):
        command("announce", "no-such", "--kind", "available")
    with pytest.raises(HarnessError):
        command("announce", "v9.9.9", "--kind", "available")


def test_an_approved_product_is_not_announced_before_its_core() -> None:
    """Its own run approves the product on that core; whether the release is approved, the core's run alone says."""
    part = verdict_on_product(of_product())
    assert part.verdict.kind is VerdictKind.APPROVED
    for kind in Kind:
        told = refusal(kind, part)
        if kind is Kind.WINDOW_CLOSED:
            assert told is None
        else:
            assert told is not None
            assert (told[1], "that of run r1" in told[0]) == (2, True), told


def test_a_manifest_that_changed_since_the_run_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = world.workspace(tmp_path / "workspace")
    world.approved(made)
    path = made.root / "baselines/mojaloop/v17.1.0/release.yaml"
    path.write_text(path.read_text().replace("19.10.6", "19.10.7"))
    monkeypatch.chdir(made.root)
    with pytest.raises(HarnessError, match="other components"):
        command("announce", "good", "--kind", "available")


# --- triage -----------------------------------------------------------------------------------------------------------


def test_each_cluster_has_a_draft_in_the_order_of_the_meeting(inside: Workspace, snapshot: SnapshotAssertion) -> None:
    code, out, _ = command("triage", "broken")
    assert code == 0
    assert "1 draft in reports/triage/broken/" in out
    text = (inside.root / "reports/triage/broken/01-central-ledger.md").read_text()
    ended = judge_as_before(inside, inside.runs / "broken").judged.evidence
    for value, word in {
        ended.ended_at: "ENDED",
        ended.journal_digest.removeprefix("sha256:"): "SHA256",
        __version__: "VERSION",
    }.items():
        text = text.replace(value, word)
    assert text == snapshot
    heads = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert heads == [
        "Summary", "Environment and versions", "Severity (suggested)", "Steps to reproduce", "Expected", "Actual",
        "Evidence", "Suspected component", "Known-issue candidates",
    ]  # fmt: skip
    assert "19.9.0 → 19.10.6" in text
    assert world.SECRET not in text
    assert (inside.root / "reports/triage/broken/index.md").read_text() == snapshot


@pytest.mark.usefixtures("inside")
def test_nothing_that_regressed_is_nothing_to_triage() -> None:
    for run in ("good", "rehearsed"):
        code, out, _ = command("triage", run)
        assert code == 0
        assert "nothing regressed, and nothing new fails" in out


def test_a_draft_that_somebody_worked_on_is_not_written_over(inside: Workspace, tmp_path: Path) -> None:
    command("triage", "broken", "--out", tmp_path)
    assert command("triage", "broken", "--out", tmp_path)[0] == 0
    draft = tmp_path / "01-central-ledger.md"
    draft.write_text("assigned to somebody")
    with pytest.raises(UsageError, match="--replace"):
        command("triage", "broken", "--out", tmp_path)
    assert draft.read_text() == "assigned to somebody"
    command("triage", "broken", "--out", tmp_path, "--replace")
    assert "Steps to reproduce" in draft.read_text()


def test_every_regressed_check_is_in_exactly_one_draft(here: Workspace) -> None:
    before = cases()
    now = [failing(case) for case in before]
    now[0] = replace(now[0], checks=(*before[0].checks[:-1], replace(now[0].checks[-1], message="something else")))
    run = judge_as_before(here, world.add_run(here, "many", whole_run(now)))
    made = drafts(run)
    regressed = run.judged.comparison.table.query("`class` == 'regressed'")["check"].tolist()
    assert len(regressed) == 12
    assert sum(draft.checks for draft in made) == 12
    assert len(made) >= 2
    for check in regressed:
        assert sum(f"`{check}`" in draft.text for draft in made) == 1
    assert overview(run, made).count("| [") == len(made)
    ungrouped = replace(run, judged=replace(run.judged, groups=()))
    assert sum(draft.checks for draft in drafts(ungrouped)) == 12


def test_known_issues_that_may_explain_a_cluster_are_its_candidates(here: Workspace) -> None:
    run = judge_as_before(here, here.runs / "broken")
    issue = KnownIssue("Transfers may *hang*", "https://example.org/issues/9", components=("central-ledger",))
    groups = tuple(replace(group, may_explain=(issue,)) for group in run.judged.groups)
    (draft,) = drafts(replace(run, judged=replace(run.judged, groups=groups)))
    assert r"- Transfers may \*hang\* (<https://example.org/issues/9>): about the same component" in draft.text


def test_what_a_hub_said_does_nothing_in_a_draft(here: Workspace) -> None:
    evil = "x`$(id)`\n```\n# head\n[a](javascript:1) <img src=x onerror=1> @everyone \x1b[2J\u202e"
    now = [replace(case, title=evil) for case in cases()]
    last = replace(failing(now[1]).checks[-1], message=evil, actual={evil: evil}, expected=evil)
    now[1] = replace(now[1], checks=(*now[1].checks[:-1], last))
    records = [
        replace(one, component=evil, error=evil) if isinstance(one, StepFinished) and one.case == now[1].id else one
        for one in whole_run(now)
    ]
    (draft,) = drafts(judge_as_before(here, world.add_run(here, "evil", records)))
    assert "\x1b" not in draft.text
    assert "\u202e" not in draft.text
    from markdown_it import MarkdownIt

    html = MarkdownIt("commonmark").render(draft.text)
    assert "<img" not in html
    assert 'href="javascript' not in html
    assert html.count("<h1>") == 1
    assert draft.name.endswith(".md")
    assert "/" not in draft.name

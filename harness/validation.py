"""Joins the rooms: from a run's folder to evidence, from evidence to a verdict, from a verdict to reports."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, final

from harness.errors import BaselineError, HarnessError, UsageError
from harness.model.records import RunStarted
from harness.model.release import ReleaseVersion
from harness.workspace import Workspace

if TYPE_CHECKING:
    from harness.judge.baseline import Baseline
    from harness.judge.criteria import Criteria
    from harness.judge.waivers import Waivers
    from harness.report.interface import ReportInput

__all__ = ["Against", "check_scheme", "judge_folder", "write_reports"]


@final
@dataclass(frozen=True, slots=True)
class Against:
    """What a run is judged against, where that is not what the run itself names."""

    scheme: str | None = None
    criteria: Path | None = None
    baseline: str | None = None
    """A release's version, or the path of a baseline folder."""
    waivers: Path | None = None
    """A waiver file instead of the Scheme's own."""
    fallback: str | None = None
    """A baseline, named like ``baseline``, that takes its place where it has fewer than ``minimum_runs``."""
    minimum_runs: int = 3


def judge_folder(workspace: Workspace, folder: Path, against: Against = Against()) -> ReportInput:
    """Returns the judged run in ``folder``. The same folder and inputs give the same result.

    Raises ``HarnessError`` where the journal, or a baseline or criteria asked for by name, cannot be read. A baseline
    that is merely the default and cannot be read leaves the verdict inconclusive.
    """
    from harness.judge.evidence import evidence_from_records
    from harness.judge.verdict import judge
    from harness.report.interface import ReportInput
    from harness.run.reader import read_exchanges, read_journal

    journal = read_journal(folder)
    evidence = evidence_from_records(
        journal.records, damage=journal.damage, journal_digest=journal.digest, ended_at=journal.ended_at
    )
    started = evidence.started
    baseline, problem = None, ""
    place = _baseline_folder(workspace, started, against)
    if place is not None:
        try:
            baseline = _baseline(workspace, place, started, against)
        except BaselineError as error:
            if against.baseline is not None:
                raise
            problem = str(error).replace(f"{workspace.root}/", "")
    criteria = _criteria(workspace, started, against)
    judged = judge(
        evidence,
        baseline,
        criteria,
        None,
        baseline_problem=problem,
        waivers=_waivers(workspace, criteria, against),
    )
    return ReportInput(
        judged=judged, records=journal.records, exchanges=read_exchanges(folder), folder=folder.resolve()
    )


def check_scheme(workspace: Workspace, scheme: str | None, waivers: Path | None = None) -> None:
    """Reads a Scheme's criteria and waivers before anything runs.

    ``waivers`` is a file instead of the Scheme's own. Raises ``CriteriaError`` where they cannot be used.
    """
    against = Against(scheme=scheme, waivers=waivers)
    _waivers(workspace, _criteria(workspace, None, against), against)


def write_reports(run: ReportInput) -> list[Path]:
    """Writes everything that is derived from a run into its folder and returns the paths, verdict first."""
    from harness.report.allure import AllureResults
    from harness.report.page.writer import VerdictPage
    from harness.report.verdict_file import VerdictFiles

    written: list[Path] = []
    try:
        for report in (VerdictFiles(), VerdictPage(), AllureResults()):
            written += report.write(run, run.folder)
    except OSError as problem:
        raise HarnessError(
            f"the reports cannot be written: {problem}", remedy="Make room and run harness judge on this run"
        ) from problem
    return written


def _baseline(workspace: Workspace, place: Path, started: RunStarted | None, against: Against) -> Baseline:
    """Returns the baseline in ``place``, or the one that takes its place because it was made of too few runs."""
    from harness.judge.baseline_store import load_baseline
    from harness.judge.renames import load_renames

    baseline = load_baseline(place)
    if against.fallback is not None and baseline.runs < against.minimum_runs:
        other = _baseline_folder(workspace, started, Against(baseline=against.fallback))
        assert other is not None  # one asked for by name has a folder
        runs = f"{baseline.runs} run" if baseline.runs == 1 else f"{baseline.runs} runs"
        why = f"that of {baseline.release}, made of {runs} where {against.minimum_runs} are asked for"
        baseline = replace(load_baseline(other), stands_in_for=why)
    return replace(baseline, renames=load_renames(workspace.root / "baselines" / baseline.product))


def _baseline_folder(workspace: Workspace, started: RunStarted | None, against: Against) -> Path | None:
    if against.baseline is None:
        if started is None or started.suite.get("source") == "collection":
            return None
        return workspace.baseline(started.product, ReleaseVersion.parse(started.release), started.suite.get("source"))
    path = Path(against.baseline)
    if path.is_dir():
        return path
    try:
        version = ReleaseVersion.parse(against.baseline)
    except ValueError:
        raise UsageError(
            f"no baseline is called {against.baseline!r}", remedy="Give a release's version or a baseline folder"
        ) from None
    if started is None:
        return workspace.baseline("mojaloop", version)
    return workspace.baseline(started.product, version, started.suite.get("source"))


def _criteria(workspace: Workspace, started: RunStarted | None, against: Against) -> Criteria | None:
    from harness.judge.criteria import load_criteria, load_scheme

    scheme = against.scheme or (started.scheme if started else None)
    if against.criteria is not None:
        return load_criteria(against.criteria)
    return None if scheme is None else load_scheme(workspace.scheme(scheme))


def _waivers(workspace: Workspace, criteria: Criteria | None, against: Against) -> Waivers | None:
    """The waivers asked for, or those that the Scheme has beside its criteria; ``None`` where there are none."""
    from harness.judge.waivers import DAYS_AT_MOST, load_waivers

    scheme = criteria.scheme if criteria else None
    days = criteria.waiver_days_at_most if criteria else DAYS_AT_MOST
    if against.waivers is not None:
        return load_waivers(against.waivers, scheme=scheme, days_at_most=days)
    if criteria is None:
        return None
    # Other criteria than the Scheme's are judged by with the waivers beside them, if there are any.
    own = against.criteria.parent if against.criteria is not None else workspace.scheme(criteria.scheme)
    path = own / "waivers.yaml"
    return load_waivers(path, scheme=scheme, days_at_most=days) if path.exists() else None

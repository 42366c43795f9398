"""Joins the rooms: from a run's folder to evidence, from evidence to a verdict, from a verdict to reports."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, final

from harness import __version__
from harness.errors import BaselineError, CriteriaError, HarnessError, InputError, UsageError
from harness.model.records import RunStarted
from harness.model.release import ReleaseVersion
from harness.model.scheme import CORE_PRODUCT, PRODUCTS_FOLDER
from harness.workspace import Workspace

if TYPE_CHECKING:
    from harness.judge.baseline import Baseline
    from harness.judge.criteria import Criteria
    from harness.judge.evidence import Evidence
    from harness.judge.judged_by import BaselineName, JudgedBy
    from harness.judge.parts import Parts, ProductShown
    from harness.judge.waivers import Waivers
    from harness.model.artefacts import ArtefactsFound
    from harness.model.scheme import ListedProduct, SchemeRelease
    from harness.report.interface import ReportInput

__all__ = [
    "Against",
    "baseline_folder",
    "check_scheme",
    "judge_as_before",
    "judge_folder",
    "judged_against",
    "suite_listed",
    "write_reports",
]


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

    def described(self, workspace: Workspace) -> str:
        """Returns what differs from what the run itself names, as a person would ask for it."""
        given = {
            "--scheme": self.scheme,
            "--criteria": self.criteria,
            "--baseline": self.baseline,
            "--waivers": self.waivers,
            "--fallback-baseline": self.fallback,
            "--minimum-runs": self.minimum_runs if self.fallback else None,
        }
        return " ".join(
            f"{option} {workspace.relative(value) if isinstance(value, Path) else value}"
            for option, value in given.items()
            if value is not None
        )


def judge_folder(workspace: Workspace, folder: Path, against: Against = Against()) -> ReportInput:
    """Returns the judged run in ``folder``. The same folder and inputs give the same result.

    A run of the core is judged together with those of the extension products that the Scheme lists, in its folder.
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
            problem = _without_root(workspace, str(error))
    criteria = _criteria(workspace, started, against)
    contents = _contents(workspace, started, against)
    found = _products(workspace, folder, contents, against, evidence)
    judged = judge(
        evidence,
        baseline,
        criteria,
        None,
        baseline_problem=problem,
        waivers=_waivers(workspace, criteria, against, started),
        parts=_parts(workspace, folder, contents, found, evidence),
    )
    return ReportInput(
        judged=judged,
        records=journal.records,
        exchanges=read_exchanges(folder),
        folder=folder.resolve(),
        judged_by=_judged_by(workspace, against),
        products={shown.listed.product: run for shown, run in found if run is not None},
    )


def judge_as_before(workspace: Workspace, folder: Path) -> ReportInput:
    """Returns the run in ``folder`` as it was judged last, for whoever tells of that verdict: reports, the handover.

    A run that was never judged is judged by what it names itself. Raises ``InputError`` where the verdict would not be
    the one in ``verdict.json``, naming what changed since, and ``HarnessError`` as ``judge_folder`` does.
    """
    from harness.judge.document import verdict_to_json
    from harness.judge.judged_by import changed_inputs, read_judged_by
    from harness.report.verdict_file import VERDICT

    run = judge_folder(workspace, folder, judged_against(workspace, folder))
    path = folder / VERDICT
    try:
        before = path.read_bytes()
    except FileNotFoundError:
        return run
    except OSError as problem:
        raise InputError(f"the verdict cannot be read: {problem.strerror}", file=path) from problem
    if before == verdict_to_json(run.judged).encode():
        return run
    try:
        inputs = json.loads(before)["inputs"]
        changed = changed_inputs(inputs, run.judged.verdict.inputs)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        changed = []
    judged_by = read_judged_by(folder)
    if changed:
        what = f"what it rests on changed since: {', '.join(changed)}"
    elif judged_by is not None and judged_by.tool != __version__:
        what = f"it was decided by version {judged_by.tool} of the harness, and this is {__version__}"
    else:
        what = "the file itself was changed since, or was not written by this version of the harness"
    raise InputError(
        f"the verdict that stands here is not the one that the judge gives now: {what}",
        file=workspace.relative(path),
        remedy=f"harness judge {folder.name} decides again; nothing has been written",
    )


def judged_against(workspace: Workspace, folder: Path) -> Against:
    """Returns what the run in ``folder`` was judged against last; what it names itself, where it never was judged.

    Raises ``InputError`` where that was written down and cannot be read.
    """
    from harness.judge.judged_by import read_judged_by

    stored = read_judged_by(folder)
    if stored is None:
        return Against()

    def place(text: str | None) -> Path | None:
        return None if text is None else workspace.root / text

    def named(name: BaselineName | None) -> str | None:
        return None if name is None else name.release or str(place(name.folder))

    return Against(
        scheme=stored.scheme,
        criteria=place(stored.criteria),
        baseline=named(stored.baseline),
        waivers=place(stored.waivers),
        fallback=named(stored.fallback),
        minimum_runs=stored.minimum_runs,
    )


def baseline_folder(workspace: Workspace, started: RunStarted | None, name: str | None) -> Path | None:
    """Returns the folder of the baseline called ``name``; of that of the run's release where it is ``None``.

    ``None`` where the run has no baseline. Raises ``UsageError`` where ``name`` names none.
    """
    return _baseline_folder(workspace, started, Against(baseline=name))


def _judged_by(workspace: Workspace, against: Against) -> JudgedBy:
    from harness.judge.judged_by import BaselineName, JudgedBy

    def place(path: Path | None) -> str | None:
        return None if path is None else workspace.relative(path.absolute())

    def named(name: str | None) -> BaselineName | None:
        if name is None:
            return None
        return BaselineName(folder=place(Path(name))) if Path(name).is_dir() else BaselineName(release=name)

    return JudgedBy(
        tool=__version__,
        scheme=against.scheme,
        criteria=place(against.criteria),
        baseline=named(against.baseline),
        fallback=named(against.fallback),
        minimum_runs=against.minimum_runs,
        waivers=place(against.waivers),
    )


def check_scheme(workspace: Workspace, scheme: str | None, waivers: Path | None = None) -> None:
    """Reads a Scheme's criteria and waivers, for the core and each product that it lists, before anything runs.

    ``waivers`` is a file instead of the Scheme's own. Raises ``CriteriaError`` where they cannot be used.
    """
    from harness.judge.criteria import load_scheme
    from harness.judge.vocabulary import RequiredProducts

    against = Against(scheme=scheme, waivers=waivers)
    criteria, contents = _criteria(workspace, None, against), _contents(workspace, None, against)
    _waivers(workspace, criteria, against, None)
    if criteria is None or contents is None or scheme is None:
        return
    listed = {CORE_PRODUCT, *(one.product for one in contents.extensions)}
    for rule in criteria.rules:
        if isinstance(rule, RequiredProducts) and (absent := sorted(set(rule.products) - listed)):
            raise CriteriaError(
                f"the rule {rule.id!r} can never be kept: the Scheme does not list {', '.join(absent)}",
                file=workspace.scheme(scheme) / "criteria.yaml",
                remedy="List it in scheme.yaml, with its release, or take it out of the rule",
            )
    for one in contents.extensions:
        folder = workspace.criteria_folder(scheme, one.product)
        _waivers_beside(folder, load_scheme(folder, scheme))


def suite_listed(workspace: Workspace, scheme: str | None, product: str) -> str:
    """Returns the suite that the Scheme lists for ``product``; ``native`` where it does not say."""
    contents = _contents(workspace, None, Against(scheme=scheme))
    listed = contents.products if contents else ()
    return next((one.suite for one in listed if one.product == product), "native")


def write_reports(run: ReportInput) -> list[Path]:
    """Writes everything that is derived from a run into its folder and returns the reports' paths, verdict first.

    Reports of an earlier, other verdict that somebody had asked for are removed. The runs of extension products that it
    holds get theirs before it, each in its own folder.
    """
    from harness.judge.document import verdict_to_json
    from harness.report.allure import AllureResults
    from harness.report.formats import remove_stale
    from harness.report.page.writer import VerdictPage
    from harness.report.verdict_file import VERDICT, VerdictFiles

    for product in run.products.values():
        write_reports(product)
    written: list[Path] = []
    try:
        before = run.folder / VERDICT
        if not before.exists() or before.read_bytes() != verdict_to_json(run.judged).encode():
            remove_stale(run.folder)
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

    if against.criteria is not None:
        return load_criteria(against.criteria)
    if (scheme := _scheme_of(started, against)) is None:
        return None
    if (own := _own_folder(workspace, started, scheme)) is not None:
        return load_scheme(own, scheme)
    # a product that follows a run of the core is judged by what the Scheme demands of that product, or not at all
    return None if started is not None and started.core is not None else load_scheme(workspace.scheme(scheme))


def _own_folder(workspace: Workspace, started: RunStarted | None, scheme: str) -> Path | None:
    """Where a Scheme has criteria for the extension product of a run; ``None`` where it has none."""
    if started is None or started.product == CORE_PRODUCT:
        return None
    folder = workspace.criteria_folder(scheme, started.product)
    return folder if (folder / "criteria.yaml").exists() else None


def _scheme_of(started: RunStarted | None, against: Against) -> str | None:
    return against.scheme or (started.scheme if started else None)


def _contents(workspace: Workspace, started: RunStarted | None, against: Against) -> SchemeRelease | None:
    """What the Scheme lists; ``None`` where none is applied."""
    from harness.release.scheme import load_scheme_release

    scheme = _scheme_of(started, against)
    return None if scheme is None else load_scheme_release(workspace.scheme(scheme))


def _products(
    workspace: Workspace, folder: Path, contents: SchemeRelease | None, against: Against, evidence: Evidence
) -> list[tuple[ProductShown, ReportInput | None]]:
    """Each product that the Scheme lists, with what its run in ``folder`` shows, judged by what is demanded of it."""
    if contents is None or (evidence.started is not None and evidence.started.product != CORE_PRODUCT):
        return []
    return [_product(workspace, folder, listed, against) for listed in contents.extensions]


def _product(
    workspace: Workspace, folder: Path, listed: ListedProduct, against: Against
) -> tuple[ProductShown, ReportInput | None]:
    from harness.judge.parts import ProductShown

    place = folder / PRODUCTS_FOLDER / listed.product
    if not place.is_dir():
        return ProductShown(listed), None
    try:
        run = judge_folder(workspace, place, Against(scheme=against.scheme))
    except HarnessError as problem:
        return ProductShown(listed, problem=_without_root(workspace, str(problem))), None
    return ProductShown(listed, run.judged), run


def _parts(
    workspace: Workspace,
    folder: Path,
    contents: SchemeRelease | None,
    found: list[tuple[ProductShown, ReportInput | None]],
    evidence: Evidence,
) -> Parts:
    from harness.judge.parts import Parts

    listed = {shown.listed.product for shown, _ in found}
    place = folder / PRODUCTS_FOLDER
    there = {path.name for path in place.iterdir()} if place.is_dir() else set()
    return Parts(
        contents=contents,
        products=tuple(shown for shown, _ in found),
        unlisted=tuple(sorted(there - listed)),
        within=_within(folder, evidence.started),
        artefacts=_artefacts(workspace, evidence),
    )


def _within(folder: Path, started: RunStarted | None) -> str:
    """The id of the core's run that a product's run lies in and has followed; empty where there is none."""
    from harness.run.reader import read_journal

    place = folder.resolve()
    if started is None or started.core is None or place.parent.name != PRODUCTS_FOLDER:
        return ""
    try:
        core = read_journal(place.parent.parent)
    except HarnessError:
        return ""
    first = core.records[0] if core.records else None
    if not isinstance(first, RunStarted):
        return ""
    same = (first.run_id, core.digest) == (started.core.get("run_id"), started.core.get("journal"))
    return first.run_id if same else ""


def _artefacts(workspace: Workspace, evidence: Evidence) -> ArtefactsFound | None:
    """What the documents show that are declared beside the manifest of the run's release."""
    from harness.judge.gates import release_of
    from harness.release.artefacts import load_artefacts
    from harness.release.documents import look_at

    manifest = release_of(evidence)
    if manifest is None:
        return None
    file = workspace.manifest(manifest.product, manifest.version).with_name("artefacts.yaml")
    return look_at(manifest, load_artefacts(file))


def _without_root(workspace: Workspace, text: str) -> str:
    """A message as it is to stand in a verdict: the same on every machine."""
    return text.replace(f"{workspace.root}/", "")


def _waivers(
    workspace: Workspace, criteria: Criteria | None, against: Against, started: RunStarted | None
) -> Waivers | None:
    """The waivers asked for, or those that the Scheme has beside its criteria; ``None`` where there are none."""
    from harness.judge.waivers import DAYS_AT_MOST, load_waivers

    scheme = criteria.scheme if criteria else None
    days = criteria.waiver_days_at_most if criteria else DAYS_AT_MOST
    if against.waivers is not None:
        return load_waivers(against.waivers, scheme=scheme, days_at_most=days)
    if criteria is None:
        return None
    # Other criteria than the Scheme's are judged by with the waivers beside them, if there are any.
    if against.criteria is not None:
        own = against.criteria.parent
    else:
        own = _own_folder(workspace, started, criteria.scheme) or workspace.scheme(criteria.scheme)
    return _waivers_beside(own, criteria)


def _waivers_beside(folder: Path, criteria: Criteria) -> Waivers | None:
    from harness.judge.waivers import load_waivers

    path = folder / "waivers.yaml"
    if not path.exists():
        return None
    return load_waivers(path, scheme=criteria.scheme, days_at_most=criteria.waiver_days_at_most)

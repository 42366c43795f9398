"""From a run's folder to a verdict: its journal, what it is judged against, its products and its documents."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BaselineError, HarnessError
from harness.model.records import RunStarted
from harness.model.scheme import CORE_PRODUCT, PRODUCTS_FOLDER
from harness.validation.against import AS_NAMED, Against, judged_by
from harness.validation.inputs import baseline_folder, baseline_in, contents_for, criteria_for, waivers_for
from harness.workspace import Workspace

if TYPE_CHECKING:
    from harness.judge.evidence import Evidence
    from harness.judge.parts import Parts, ProductShown
    from harness.model.artefacts import ArtefactsFound
    from harness.model.scheme import ListedProduct, SchemeRelease
    from harness.report.interface import ReportInput

__all__ = ["judge_folder"]


def judge_folder(workspace: Workspace, folder: Path, against: Against = AS_NAMED) -> ReportInput:
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
    place = baseline_folder(workspace, started, against.baseline)
    if place is not None:
        try:
            baseline = baseline_in(workspace, place, started, against)
        except BaselineError as error:
            if against.baseline is not None:
                raise
            problem = _without_root(workspace, str(error))
    criteria = criteria_for(workspace, started, against)
    contents = contents_for(workspace, started, against)
    found = _products(workspace, folder, contents, against, evidence)
    judged = judge(
        evidence,
        baseline,
        criteria,
        None,
        baseline_problem=problem,
        waivers=waivers_for(workspace, criteria, against, started),
        parts=_parts(workspace, folder, contents, found, evidence),
    )
    return ReportInput(
        judged=judged,
        records=journal.records,
        exchanges=read_exchanges(folder),
        folder=folder.resolve(),
        judged_by=judged_by(workspace, against),
        products={shown.listed.product: run for shown, run in found if run is not None},
    )


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

"""How does evidence become a baseline? From runs of our own, or from reports that the reference engine recorded.

Joins the rooms: journals and reports are read here, and what they show is handed to the judge as tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import __version__
from harness.errors import BaselineError
from harness.fspiop.dates import iso_ms
from harness.model.records import RunStarted

if TYPE_CHECKING:
    from harness.judge.baseline import Baseline
    from harness.judge.evidence import Evidence
    from harness.model.release import ReleaseVersion
    from harness.suite.imported.store import ImportedSuite
    from harness.suite.report.model import RecordedReport
    from harness.workspace import Workspace

__all__ = ["baseline_from_reports", "baseline_from_runs"]

REFERENCE_ENGINE = "ml-testing-toolkit"
_SHOWN = 3


def baseline_from_runs(folders: Sequence[Path]) -> Baseline:
    """Returns the baseline that the runs in ``folders`` make. Raises ``BaselineError`` naming the run and its fault."""
    from harness.judge.baseline import BaselineSource, baseline_from_evidence
    from harness.judge.evidence import evidence_from_records
    from harness.run.reader import read_journal

    evidences = []
    for folder in folders:
        journal = read_journal(folder)
        evidences.append(evidence_from_records(journal.records, damage=journal.damage, journal_digest=journal.digest))
    embedded = any(one.started is not None and one.started.target.get("kind") == "embedded" for one in evidences)
    return baseline_from_evidence(
        evidences,
        source=BaselineSource.EMBEDDED if embedded else BaselineSource.OSS,
        recorded_at=iso_ms(),
        recorded_by=f"mojaloop-harness {__version__}",
    )


def baseline_from_reports(
    workspace: Workspace,
    product: str,
    release: ReleaseVersion,
    files: Sequence[Path],
    *,
    engine_version: str = "",
    components: Mapping[str, str] | None = None,
    remark: str = "",
) -> Baseline:
    """Returns the baseline of the release's official suite that the Testing Toolkit reports in ``files`` make.

    Each report is one run of the whole golden path against OSS. ``engine_version`` is the Testing Toolkit's.
    ``components`` (default: those of the release's manifest) are declared to be the versions that ran: a report does
    not hold them. ``remark`` is kept beside the provenance.
    Raises ``BaselineError`` for a report that is not of this suite, check by check, or comes twice, and
    ``SuiteError`` where the suite is not imported or was changed.
    """
    from harness.engine.ttk.replay import replay
    from harness.judge.baseline import BaselineSource, baseline_from_evidence
    from harness.judge.evidence import evidence_from_records
    from harness.release.manifest import load_manifest
    from harness.run.what import OFFICIAL, official_suite
    from harness.suite.report.reader import load_report

    manifest = load_manifest(workspace.manifest(product, release))
    suite = official_suite(workspace, product, release)
    fingerprints = _fingerprints(suite)
    reports: dict[str, RecordedReport] = {}
    evidences: list[Evidence] = []
    for file in files:
        report = load_report(file)
        if (twin := reports.get(report.sha256)) is not None:
            raise BaselineError(
                "the same report is given twice",
                file=file,
                remedy=f"Give each once: a repetition is not new evidence. The other is {twin.file}",
            )
        reports[report.sha256] = report
        _refuse_another_suite(report, fingerprints, f"{product} {release}")
        started = RunStarted(
            run_id=f"{report.name}-{report.sha256[:12]}",
            product=product,
            release=str(release),
            scheme=None,
            suite={"name": OFFICIAL, "digest": suite.lock.digest, "pin": "match", "source": OFFICIAL},
            target={"name": "oss", "kind": "environment", "facts": {}, "defects": []},
            selection={"complete": True, "labels": [], "keyword": None, "paths": []},
            tool={"name": REFERENCE_ENGINE, "version": engine_version},
        )
        records = _records(report, fingerprints, replay(report).settled)
        evidences.append(evidence_from_records([started, *records], journal_digest=report.sha256))
    return baseline_from_evidence(
        evidences,
        source=BaselineSource.OSS,
        recorded_at=max((_when(report) for report in reports.values()), default=""),
        recorded_by=f"{REFERENCE_ENGINE} {engine_version}".strip(),
        components=dict(components or manifest.components),
        provenance={
            "imported_by": f"mojaloop-harness {__version__}",
            "imported_at": iso_ms(),
            "engine": REFERENCE_ENGINE,
            "engine_version": engine_version or "unknown",
            **({"remark": remark} if remark else {}),
            "reports": [
                {"file": report.file.name, "sha256": report.sha256, "started": _when(report)}
                for report in reports.values()
            ],
        },
    )


def _records(report: RecordedReport, fingerprints: Mapping[str, str], settled: Mapping[str, Any]) -> list[Any]:
    from harness.engine.ttk.records import records_from_report

    return list(records_from_report(report, fingerprints=fingerprints, settled=settled))


def _fingerprints(suite: ImportedSuite) -> dict[str, str]:
    """Returns the fingerprint of each check of the golden path, by its id."""
    from harness.run.what import GOLDEN_PATH

    return {
        str(assertion.check): assertion.fingerprint
        for file in suite.suite.files
        if file.collection.path.startswith(f"{GOLDEN_PATH}/")
        for case in file.collection.cases
        for request in case.requests
        for assertion in request.assertions
    }


def _refuse_another_suite(report: RecordedReport, known: Mapping[str, str], name: str) -> None:
    found = {str(check) for case in report.cases for check in case.case.checks}
    for what, checks in (("does not hold", known.keys() - found), ("holds what is not there:", found - known.keys())):
        if checks:
            shown = "; ".join(sorted(checks)[:_SHOWN])
            raise BaselineError(
                f"is no run of the whole golden path of {name}: it {what} {len(checks)} checks, e.g. {shown}",
                file=report.file,
                remedy="Import the suite that the report was made with, and give the report of a whole run of it",
            )


def _when(report: RecordedReport) -> str:
    if report.started is None:
        raise BaselineError(
            "the report does not say when it was made", file=report.file, remedy="Give the report as it was written"
        )
    return iso_ms(report.started)

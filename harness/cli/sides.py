"""What does a person mean by the name of a run or a baseline? A folder, a run's id, ``latest``, or a release."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.judge.baseline import Baseline
    from harness.judge.published import Published
    from harness.judge.shown import Shown
    from harness.workspace import Workspace

__all__ = ["baseline_named", "side_named"]

_BASELINE, _JOURNAL = "baseline.yaml", "journal.jsonl"


def side_named(workspace: Workspace, name: str, product: str, suite: str) -> Shown | Published:
    """Returns what ``name`` shows: a run's or baseline's results, or the totals where only those were published.

    Raises ``UsageError`` where nothing is called so, and whatever reading it raises.
    """
    from harness.judge.evidence import evidence_from_records
    from harness.judge.published import Published
    from harness.judge.renames import load_renames
    from harness.judge.shown import shown_by_baseline, shown_by_run
    from harness.run.reader import read_journal

    folder = _run_named(workspace, name)
    if folder is None:
        found = baseline_named(workspace, name, product, suite)
        return found if isinstance(found, Published) else shown_by_baseline(found, name)
    journal = read_journal(folder)
    evidence = evidence_from_records(journal.records, damage=journal.damage, journal_digest=journal.digest)
    of = evidence.started.product if evidence.started else product
    return shown_by_run(evidence, name, load_renames(workspace.root / "baselines" / of))


def baseline_named(workspace: Workspace, name: str, product: str, suite: str) -> Baseline | Published:
    """Returns the baseline called ``name``: a folder, a ``published.yaml``, or a release of ``product``.

    Of a release, the baseline of ``suite`` is meant and, where there is none, the published totals.
    """
    from harness.judge.baseline_store import load_baseline
    from harness.judge.published import PUBLISHED_FILE, load_published
    from harness.judge.renames import load_renames
    from harness.model.release import ReleaseVersion

    folder, published = Path(name), Path(name)
    if folder.name == PUBLISHED_FILE and folder.is_file():
        return load_published(folder.parent)
    if not folder.is_dir():
        try:
            version = ReleaseVersion.parse(name)
        except ValueError:
            raise UsageError(
                f"no run and no baseline is called {name!r}",
                remedy="Give a run's id or folder, latest, a release such as v17.1.0, or a baseline's folder",
            ) from None
        folder = workspace.baseline(product, version, None if suite == "native" else suite)
        published = workspace.baseline(product, version)
    if not (folder / _BASELINE).is_file() and (published / PUBLISHED_FILE).is_file():
        return load_published(published)
    baseline = load_baseline(folder)
    return replace(baseline, renames=load_renames(workspace.root / "baselines" / baseline.product))


def _run_named(workspace: Workspace, name: str) -> Path | None:
    if name == "latest":
        return workspace.run_folder(name)
    return next((path for path in (Path(name), workspace.runs / name) if (path / _JOURNAL).is_file()), None)

"""What lies before the judge beside the run: baseline, criteria, waivers, and what the Scheme lists; found and read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import CriteriaError, UsageError
from harness.model.records import RunStarted
from harness.model.release import ReleaseVersion
from harness.model.scheme import CORE_PRODUCT
from harness.validation.against import Against
from harness.workspace import Workspace

if TYPE_CHECKING:
    from harness.judge.baseline import Baseline
    from harness.judge.criteria import Criteria
    from harness.judge.waivers import Waivers
    from harness.model.scheme import SchemeRelease

__all__ = [
    "baseline_folder",
    "baseline_in",
    "check_scheme",
    "contents_for",
    "criteria_for",
    "suite_listed",
    "waivers_for",
]


def baseline_folder(workspace: Workspace, started: RunStarted | None, name: str | None) -> Path | None:
    """Returns the folder of the baseline called ``name``; of that of the run's release where it is ``None``.

    ``None`` where the run has no baseline. Raises ``UsageError`` where ``name`` names none.
    """
    if name is None:
        if started is None or started.suite.get("source") == "collection":
            return None
        return workspace.baseline(started.product, ReleaseVersion.parse(started.release), started.suite.get("source"))
    path = Path(name)
    if path.is_dir():
        return path
    try:
        version = ReleaseVersion.parse(name)
    except ValueError:
        raise UsageError(
            f"no baseline is called {name!r}", remedy="Give a release's version or a baseline folder"
        ) from None
    if started is None:
        return workspace.baseline("mojaloop", version)
    return workspace.baseline(started.product, version, started.suite.get("source"))


def check_scheme(workspace: Workspace, scheme: str | None, waivers: Path | None = None) -> None:
    """Reads a Scheme's criteria and waivers, for the core and each product that it lists, before anything runs.

    ``waivers`` is a file instead of the Scheme's own. Raises ``CriteriaError`` where they cannot be used.
    """
    from harness.judge.criteria import load_scheme
    from harness.judge.vocabulary import RequiredProducts

    against = Against(scheme=scheme, waivers=waivers)
    criteria, contents = criteria_for(workspace, None, against), contents_for(workspace, None, against)
    waivers_for(workspace, criteria, against, None)
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
    contents = contents_for(workspace, None, Against(scheme=scheme))
    listed = contents.products if contents else ()
    return next((one.suite for one in listed if one.product == product), "native")


def baseline_in(workspace: Workspace, place: Path, started: RunStarted | None, against: Against) -> Baseline:
    """Returns the baseline in ``place``, or the one that takes its place because it was made of too few runs."""
    from harness.judge.baseline_store import load_baseline
    from harness.judge.renames import load_renames

    baseline = load_baseline(place)
    if against.fallback is not None and baseline.runs < against.minimum_runs:
        other = baseline_folder(workspace, started, against.fallback)
        assert other is not None  # one asked for by name has a folder
        runs = f"{baseline.runs} run" if baseline.runs == 1 else f"{baseline.runs} runs"
        why = f"that of {baseline.release}, made of {runs} where {against.minimum_runs} are asked for"
        baseline = replace(load_baseline(other), stands_in_for=why)
    return replace(baseline, renames=load_renames(workspace.root / "baselines" / baseline.product))


def criteria_for(workspace: Workspace, started: RunStarted | None, against: Against) -> Criteria | None:
    """Returns what a run is judged by; ``None`` where it names no Scheme or has nothing demanded of it."""
    from harness.judge.criteria import load_criteria, load_scheme

    if against.criteria is not None:
        return load_criteria(against.criteria)
    if (scheme := _scheme_of(started, against)) is None:
        return None
    if (own := _own_folder(workspace, started, scheme)) is not None:
        return load_scheme(own, scheme)
    # a product that follows a run of the core is judged by what the Scheme demands of that product, or not at all
    return None if started is not None and started.core is not None else load_scheme(workspace.scheme(scheme))


def contents_for(workspace: Workspace, started: RunStarted | None, against: Against) -> SchemeRelease | None:
    """Returns what the Scheme lists; ``None`` where none is applied."""
    from harness.release.scheme import load_scheme_release

    scheme = _scheme_of(started, against)
    return None if scheme is None else load_scheme_release(workspace.scheme(scheme))


def waivers_for(
    workspace: Workspace, criteria: Criteria | None, against: Against, started: RunStarted | None
) -> Waivers | None:
    """Returns the waivers asked for, or those beside the Scheme's criteria; ``None`` where there are none."""
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


def _own_folder(workspace: Workspace, started: RunStarted | None, scheme: str) -> Path | None:
    """Where a Scheme has criteria for the extension product of a run; ``None`` where it has none."""
    if started is None or started.product == CORE_PRODUCT:
        return None
    folder = workspace.criteria_folder(scheme, started.product)
    return folder if (folder / "criteria.yaml").exists() else None


def _scheme_of(started: RunStarted | None, against: Against) -> str | None:
    return against.scheme or (started.scheme if started else None)


def _waivers_beside(folder: Path, criteria: Criteria) -> Waivers | None:
    from harness.judge.waivers import load_waivers

    path = folder / "waivers.yaml"
    if not path.exists():
        return None
    return load_waivers(path, scheme=criteria.scheme, days_at_most=criteria.waiver_days_at_most)

"""What is the process that works on the target asked to do, and what does its answer mean for the stage?

An order is JSON-ready: it goes through a file. Names in a plan are relative to it, and are resolved here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.nightly.helper import Done
from harness.nightly.plan import Job, NightlyPlan
from harness.run.options import EMBEDDED, RunOptions, resolve_values
from harness.target.model import Target
from harness.workspace import Workspace

if TYPE_CHECKING:
    from harness.validation import Against

__all__ = ["against_of", "against_values", "collections_told", "keeps_hub", "options_values", "resolved", "target_of"]

_CALLBACK_TIMEOUT_S = 5.0


def resolved(workspace: Workspace, plan: NightlyPlan, job: Job, suite: str, run_id: str | None = None) -> RunOptions:
    """Returns what ``suite`` of ``job`` is to do, every name resolved. Raises ``HarnessError``."""
    values = options_values(workspace, plan, job, suite, run_id)
    return resolve_values(**{**values, "start": workspace.root, "environment": _path(values["environment"])})


def keeps_hub(job: Job) -> bool:
    """Returns whether the embedded hub stands from provisioning to clean-up: where there is either."""
    return job.target == EMBEDDED and bool(job.provisioning or job.clean_up)


def target_of(options: RunOptions, services: Mapping[str, str]) -> Target:
    """Returns the target of ``options``; the embedded hub is the one that stands at ``services``."""
    if options.target is not None:
        return options.target
    return Target(
        name=EMBEDDED, kind=EMBEDDED, services=services, defects=options.defects, callback_timeout_s=_CALLBACK_TIMEOUT_S
    )


def against_of(plan: NightlyPlan, job: Job) -> Against:
    """Returns what the runs of ``job`` are judged against, where the plan says other than the runs themselves."""
    from harness.validation import Against

    baseline = job.baseline
    if baseline is not None and plan.beside(baseline).is_dir():
        baseline = str(plan.beside(baseline))
    return Against(
        criteria=None if job.criteria is None else plan.beside(job.criteria),
        baseline=baseline,
        waivers=None if job.waivers is None else plan.beside(job.waivers),
    )


def options_values(workspace: Workspace, plan: NightlyPlan, job: Job, suite: str, run_id: str | None) -> dict[str, Any]:
    """Returns the arguments of ``resolve_values`` for ``suite`` of ``job``, JSON-ready."""
    is_file = job.target.endswith((".yaml", ".yml"))
    return {
        "start": str(workspace.root),
        "release": job.release,
        "product": job.product,
        "scheme": job.scheme or plan.plan.scheme,
        "target": str(plan.beside(job.target)) if is_file else job.target,
        "run_id": run_id,
        "labels": list(job.labels),
        "defects": list(job.defects),
        "suite": suite,
        "keyword": job.keyword,
        "environment": None if job.environment is None else str(plan.beside(job.environment)),
        "keep": keeps_hub(job),
        "i_know": job.i_know,
    }


def against_values(plan: NightlyPlan, job: Job) -> dict[str, str | None]:
    """Returns ``against_of``, JSON-ready: products follow a core that is approved by it."""
    against = against_of(plan, job)
    given = {"criteria": against.criteria, "baseline": against.baseline, "waivers": against.waivers}
    return {name: None if value is None else str(value) for name, value in given.items()}


def collections_told(done: Done) -> tuple[str, str]:
    """Returns the status and the text of a stage that ran collections."""
    if done.cut_off:
        return "cut off", done.cut_off
    if done.error:
        return "failed", done.error
    answer = done.answer
    checks, failed = int(answer["checks"]), int(answer["failed"])
    if failed:
        first = answer["failures"][0]
        return "failed", f"{failed} of {checks} checks failed: {first['check']}: {first['message']}"
    passed = int(answer["passed"])
    if not passed:
        # a collection that asserts nothing shows nothing: what it was to do may not have happened
        return "failed", f"not one of its {checks} checks passed" if checks else "its collections hold no check"
    silent = f", {checks - passed} showed nothing" if checks > passed else ""
    return "ok", f"{answer['cases']} cases, {passed} checks passed{silent}"


def _path(name: str | None) -> Path | None:
    return None if name is None else Path(name)

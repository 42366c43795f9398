"""Is a run's verdict still the one that stands in its folder? For whoever tells of it: reports, the handover."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from harness import __version__
from harness.errors import InputError
from harness.validation.against import judged_against
from harness.validation.folder import judge_folder
from harness.workspace import Workspace

if TYPE_CHECKING:
    from harness.report.interface import ReportInput

__all__ = ["judge_as_before"]


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

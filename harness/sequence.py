"""Runs a release as its Scheme lists it: the core first and, once that is approved, each extension product's suite.

Every product has a run of its own, whole and judged by itself, in the core run's folder: ``products/<product>/``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, final

from harness.errors import HarnessError, InternalError, UsageError
from harness.model.scheme import PRODUCTS_FOLDER, CoreRun, ListedProduct
from harness.run.interrupt import Interruption
from harness.run.options import EMBEDDED, RunOptions
from harness.validation import Against, judge_folder

if TYPE_CHECKING:
    from harness.report.interface import ReportInput
    from harness.run.controller import Listener
    from harness.run.execute import Execution

__all__ = ["CarriedOut", "Ran", "ToRun", "carry_out", "products_to_run", "run_release"]


@final
@dataclass(frozen=True, slots=True)
class ToRun:
    """A product that is listed, and its run with every name resolved but for the core's run, which is yet to be."""

    listed: ListedProduct
    options: RunOptions


@final
@dataclass(frozen=True, slots=True)
class Ran:
    """A release as it was run and judged."""

    run: ReportInput
    internal_error: str = ""
    """How the harness itself broke."""
    problem: str = ""
    """Why a product's run could not begin."""


@final
@dataclass(frozen=True, slots=True)
class CarriedOut:
    """A release as it was run, still to be judged."""

    folder: Path
    internal_error: str = ""
    """How the harness itself broke."""
    problem: str = ""
    """Why a product's run could not begin."""


def products_to_run(core: RunOptions, target: str, *, i_know: bool = False) -> tuple[ToRun, ...]:
    """Returns the products that are to follow the run ``core`` on ``target`` (as the command named it).

    Everything is resolved here: what is absent or wrong raises ``HarnessError`` before the core has run for an hour.
    """
    from harness.run.options import resolve_values

    found = []
    name = EMBEDDED if core.target is None else core.target.name
    for listed in core.listed:
        beside = listed.target_beside(name)
        embedded = beside == EMBEDDED
        options = resolve_values(
            start=core.workspace.root,
            release=listed.release,
            product=listed.product,
            scheme=core.scheme,
            target=target if beside == name else beside,
            run_id=None,
            labels=(),
            defects=core.defects if embedded else (),
            suite=listed.suite,
            provision=core.provision,
            time_scale=core.time_scale if embedded else 1.0,
            strict_steps=core.strict_steps,
            check_invariants=core.check_invariants and embedded,
            keep=core.keep and embedded,
            ignore_preflight=core.ignore_preflight,
            i_know=i_know,
        )
        if options.target is not None and options.target.name != beside:
            raise UsageError(
                f"the target {beside} of {listed.product} calls itself {options.target.name}",
                remedy="Give the file and the name in it the same name",
            )
        if options.suite.source != listed.suite:
            raise UsageError(
                f"the suite of {listed.product} is {options.suite.source}, listed is {listed.suite}",
                remedy="Correct it in scheme.yaml",
            )
        found.append(ToRun(listed, options))
    return tuple(found)


def run_release(
    options: RunOptions,
    products: Sequence[ToRun],
    *,
    workers: int,
    against: Against,
    listener: Callable[[], Listener],
) -> Ran:
    """Does what ``carry_out`` does, and returns the judged whole."""
    done = carry_out(options, products, workers=workers, against=against, listener=listener)
    return Ran(judge_folder(options.workspace, done.folder, against), done.internal_error, done.problem)


def carry_out(
    options: RunOptions,
    products: Sequence[ToRun],
    *,
    workers: int,
    against: Against,
    listener: Callable[[], Listener],
) -> CarriedOut:
    """Runs ``options``, then ``products`` if the core is approved so far, and returns what is to be judged.

    A product that is not approved keeps no other from running: each team hears at once. An interruption, or a fault of
    ours, ends the sequence. ``listener`` makes one for each run. Raises ``HarnessError`` where the core cannot begin.
    """
    from harness.run.execute import execute

    done = execute(options, workers=workers, listener=listener())
    if done.internal_error or not products:
        return CarriedOut(done.folder, done.internal_error)
    stopped, interruption = _Stopped(), Interruption()
    interruption.install()
    try:
        _follow(options, products, done, stopped, workers=workers, against=against, listener=listener)
    except KeyboardInterrupt:
        stopped.problem = f"stopped ({interruption.reason}) before all of its products had run"
    finally:
        interruption.restore()
    return CarriedOut(done.folder, stopped.internal_error, stopped.problem)


@dataclass(slots=True)
class _Stopped:
    """Why the sequence did not come to its end."""

    internal_error: str = ""
    problem: str = ""


def _follow(
    options: RunOptions, products: Sequence[ToRun], done: Execution, stopped: _Stopped, *,
    workers: int, against: Against, listener: Callable[[], Listener],
) -> None:  # fmt: skip
    from harness.judge.products import obstacle
    from harness.report.verdict_file import VerdictFiles
    from harness.run.execute import execute

    so_far = judge_folder(options.workspace, done.folder, against)
    # whatever ends this process from here on: the verdict that is left says that the products are still to be run
    VerdictFiles().write(so_far, done.folder)
    if obstacle(so_far.judged.verdict.reasons) is not None:
        return
    evidence = so_far.judged.evidence
    core = CoreRun(so_far.judged.verdict.run_id, so_far.judged.verdict.release, evidence.journal_digest)
    for one in products:
        listening = listener()
        listening.note(f"the core is approved so far; next: {one.listed.name}")
        folder = done.folder / PRODUCTS_FOLDER / one.listed.product
        run_id = f"{core.run_id}-{one.listed.product}"
        try:
            its = execute(
                replace(one.options, core=core, folder=folder, run_id=run_id), workers=workers, listener=listening
            )
        except HarnessError as problem:
            text = f"{one.listed.name} could not be run: {problem}"
            if isinstance(problem, InternalError):
                stopped.internal_error = text
            else:
                stopped.problem = text
            return
        if its.internal_error:
            stopped.internal_error = its.internal_error
            return
        if _interrupted(its.folder):
            return


def _interrupted(folder: Path) -> bool:
    from harness.model.records import Interrupted
    from harness.run.reader import read_journal

    return any(isinstance(record, Interrupted) for record in read_journal(folder).records)

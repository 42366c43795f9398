"""Did everything that a Scheme insists on run, and pass? The rules that name what must be there."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from harness.judge.grounds import FAIL, PASS, UNKNOWN, Grounds, NothingToLookAtError, RuleFinding, cases_labelled
from harness.judge.vocabulary import (
    RequiredCases,
    RequiredChecks,
    RequiredFolders,
    RequiredProducts,
    RequiredSuites,
    Rule,
)
from harness.judge.words import some_of
from harness.model.ids import SEPARATOR
from harness.model.outcome import Outcome

__all__ = ["required_cases", "required_checks", "required_folders", "required_products", "required_suites"]


def required_cases(rule: RequiredCases, grounds: Grounds) -> RuleFinding:
    """Judges whether the cases named, and those with the labels, ran and passed wholly."""
    labelled = cases_labelled(rule.labels or (), grounds.evidence.planned)
    unplanned = sorted(set(rule.cases or ()) - set(grounds.evidence.planned["case"]))
    if unplanned:
        return RuleFinding(rule, UNKNOWN, f"not in the suite of this run: {some_of(unplanned)}", tuple(unplanned))
    return _wholly_passed(rule, labelled | set(rule.cases or ()), grounds)


def required_folders(rule: RequiredFolders, grounds: Grounds) -> RuleFinding:
    """Judges whether each folder has cases in this run, and all of them passed wholly."""
    planned = grounds.evidence.planned
    wanted: set[str] = set()
    for folder in rule.folders:
        prefix = folder.strip("/").removeprefix("./") + "/"
        inside = planned["file"].str.startswith(prefix) | planned["case"].str.startswith(prefix)
        if not inside.any():
            raise NothingToLookAtError(f"no case of this run is in {folder}")
        if empty := _files_without_a_case(prefix, grounds):
            return RuleFinding(rule, UNKNOWN, f"without a case in this run: {some_of(empty)}")
        wanted |= set(planned.loc[inside, "case"])
    return _wholly_passed(rule, wanted, grounds)


def _files_without_a_case(prefix: str, grounds: Grounds) -> list[str]:
    """Files of the Scheme's own cases, below ``prefix``, that the run found and of which it planned no case."""
    suite = grounds.evidence.started.suite if grounds.evidence.started else {}
    own = suite.get("scheme")
    listed = [f"{own.get('folder')}/{name}" for name in own.get("files") or ()] if isinstance(own, Mapping) else []
    known = {case.partition(SEPARATOR)[0] for case in grounds.evidence.planned["case"]}
    return sorted(name for name in listed if name.startswith(prefix) and name not in known)


def _wholly_passed(rule: Rule, cases: Collection[str], grounds: Grounds) -> RuleFinding:
    """A failure that a waiver or an expectation names does not count; a case in which nothing passed never counts."""
    evidence, table = grounds.evidence, grounds.comparison.table
    wanted = sorted(cases)
    outcomes = dict(zip(evidence.cases["case"], evidence.cases["outcome"], strict=True))
    of_them = table["case"].isin(cases).to_numpy()
    excused = set(table.loc[of_them & grounds.excused, "case"])
    rows = table.loc[of_them & ~grounds.excused, ["case", "outcome", "kind"]]
    shown_bad = set(rows.loc[rows["outcome"] == Outcome.FAILED.value, "case"])
    shown_good = set(rows.loc[(rows["outcome"] == Outcome.PASSED.value) & (rows["kind"] == "check"), "case"])
    not_whole = set(rows.loc[(rows["outcome"] != Outcome.PASSED.value) | (rows["kind"] == "case"), "case"])
    failed = tuple(
        case
        for case in wanted
        if case in shown_bad or (outcomes.get(case) == Outcome.FAILED.value and case not in excused)
    )
    if failed:
        status = FAIL if grounds.suite_pinned else UNKNOWN
        return RuleFinding(rule, status, f"{len(failed)} of {len(wanted)} failed: {some_of(failed)}", failed)
    fine = {Outcome.PASSED.value}
    open_ = tuple(
        case
        for case in wanted
        if (outcomes.get(case) not in fine and not (case in excused and case in outcomes))
        or case not in shown_good
        or case in not_whole
    )
    if open_:
        text = f"{len(open_)} of {len(wanted)} did not run and pass wholly: {some_of(open_)}"
        return RuleFinding(rule, UNKNOWN, text, open_)
    waived = f", {len(excused)} of them but for what is excused" if excused else ""
    return RuleFinding(rule, PASS, f"all {len(wanted)} ran and passed wholly{waived}")


def required_checks(rule: RequiredChecks, grounds: Grounds) -> RuleFinding:
    """Judges whether each check named passed."""
    table = grounds.comparison.table
    named = table["check"].isin(rule.checks).to_numpy() & (table["kind"] == "check").to_numpy()
    outcome = dict(zip(table.loc[named, "check"], table.loc[named, "outcome"], strict=True))
    excused = set(table.loc[named & grounds.excused, "check"])
    wanted = sorted(set(rule.checks))
    if absent := [check for check in wanted if check not in outcome]:
        return RuleFinding(rule, UNKNOWN, f"not known to this run: {some_of(absent)}", tuple(absent))
    failed = tuple(one for one in wanted if outcome[one] == Outcome.FAILED.value and one not in excused)
    if failed:
        status = FAIL if grounds.suite_pinned else UNKNOWN
        return RuleFinding(rule, status, f"{len(failed)} of {len(wanted)} failed: {some_of(failed)}", failed)
    told = (Outcome.PASSED.value, Outcome.FAILED.value)
    if open_ := tuple(one for one in wanted if outcome[one] not in told):
        return RuleFinding(rule, UNKNOWN, f"{len(open_)} of {len(wanted)} told nothing: {some_of(open_)}", open_)
    return RuleFinding(rule, PASS, f"all {len(wanted)} passed" + (" or are excused" if excused else ""))


def required_suites(rule: RequiredSuites, grounds: Grounds) -> RuleFinding:
    """Judges whether this run is one of the suites."""
    suite = grounds.evidence.started.suite if grounds.evidence.started else {}
    names = {str(suite[key]) for key in ("source", "name") if suite.get(key)}
    if found := sorted(names & set(rule.suites)):
        return RuleFinding(rule, PASS, f"the run is of the suite {found[0]}")
    text = f"the run is of the suite {' / '.join(sorted(names)) or '(not named)'}, wanted: {', '.join(rule.suites)}"
    return RuleFinding(rule, UNKNOWN, text)


def required_products(rule: RequiredProducts, grounds: Grounds) -> RuleFinding:
    """Judges whether every product took part: this run's, and those whose runs the Scheme has follow it."""
    if absent := sorted(set(rule.products) - grounds.products):
        return RuleFinding(rule, UNKNOWN, f"not part of this run: {', '.join(absent)}")
    return RuleFinding(rule, PASS, f"{', '.join(sorted(set(rule.products)))} took part")

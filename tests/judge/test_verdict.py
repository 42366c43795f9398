"""A release is approved only on whole, sound evidence that shows nothing worse; whatever lacks has its reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.judge.baseline import Baseline, BaselineSource
from harness.judge.evidence import evidence_from_records
from harness.judge.verdict import JudgedRun, judge
from harness.model.outcome import GateName, GateStatus, VerdictKind
from harness.model.records import (
    CaseFinished,
    CasePlanned,
    CaseStarted,
    CheckRecorded,
    Interrupted,
    PlanComplete,
    Record,
    RunFinished,
    RunStarted,
    ServiceProbed,
    WorkerLost,
)
from harness.model.release import ReleaseVersion
from tests.judge.build import (
    COMPONENTS,
    CRITERIA,
    RELEASE,
    SOUND,
    E,
    F,
    H,
    P,
    Run,
    S,
    Shape,
    baseline,
    case,
    check_id,
    criteria,
    judged,
    run,
)  # fmt: skip

APPROVED, KNOWN = VerdictKind.APPROVED, VerdictKind.APPROVED_WITH_KNOWN_ISSUES
REJECTED, INCONCLUSIVE = VerdictKind.REJECTED, VerdictKind.INCONCLUSIVE

REGRESSED = (case("pays", P, F), *SOUND[1:])


def codes(of: JudgedRun) -> list[str]:
    return [reason.code for reason in of.verdict.reasons]


def status(of: JudgedRun, name: GateName) -> GateStatus:
    return next(gate.status for gate in of.verdict.gates if gate.name is name)


def allowing(*lines: str) -> str:
    """The plain criteria with bounds: ``allowing("hollow 2")``."""
    rules = "".join(
        f"  - {{id: allow-{kind}, kind: class-at-most, classes: [{kind}], at_most: {bound},"
        f" severity: major, title: t, rationale: r}}\n"
        for kind, bound in (line.split() for line in lines)
    )
    return CRITERIA + rules


def with_record(what: Run, told: Record) -> Run:
    return replace(what, records=(*what.records[:-1], told, what.records[-1]))


# --- approval --------------------------------------------------------------------------------------------------------


def test_a_whole_sound_run_that_shows_no_difference_is_approved() -> None:
    found = judged(run(SOUND))
    assert found.verdict.kind is APPROVED
    assert found.verdict.text == "APPROVED"
    assert found.verdict.reasons == ()
    assert [gate.name for gate in found.verdict.gates] == list(GateName)
    assert {gate.status for gate in found.verdict.gates} == {GateStatus.PASS}
    assert found.counts["unchanged-pass"] == 6
    assert "no extension products" in found.verdict.gates[2].summary
    assert found.verdict.next_action == "Operations: take over the release."


def test_the_manifest_of_the_journal_serves_where_no_other_is_given() -> None:
    manifest = {"product": "mojaloop", "version": "v17.1.0", "components": COMPONENTS, "source": "release notes"}
    told = run(SOUND).changed(RunStarted, release_manifest=manifest)
    assert judged(told, release=None).verdict.kind is APPROVED


def test_new_and_mended_checks_do_not_stand_in_the_way() -> None:
    found = judged(run([*SOUND, case("new", P)]), baseline((case("pays", P, F), *SOUND[1:])))
    assert found.verdict.kind is APPROVED
    assert (found.counts["fixed"], found.counts["new-pass"]) == (1, 1)


def test_what_failed_in_oss_and_still_fails_is_a_known_issue() -> None:
    found = judged(run(REGRESSED), baseline(REGRESSED))
    assert found.verdict.kind is KNOWN
    assert found.verdict.reasons[0].code == "unchanged-fail"
    assert found.verdict.reasons[0].checks == (check_id("pays", "c2"),)


@pytest.mark.parametrize(
    ("shapes", "code"),
    [
        ((case("pays", P, H), *SOUND[1:]), "hollow"),
        ((case("pays", P, S), *SOUND[1:]), "unknown"),
        ((case("pays", P, E), *SOUND[1:]), "unknown"),
        ((Shape("empty", {}), *SOUND), "hollow"),
    ],
)
def test_a_gap_within_the_bound_of_the_scheme_is_a_known_issue_and_beyond_it_inconclusive(
    shapes: tuple[Shape, ...], code: str
) -> None:
    bounded = judged(run(shapes), rules=criteria(allowing(f"{code} 1")))
    assert (bounded.verdict.kind, codes(bounded)) == (KNOWN, [code])
    beyond = judged(run(shapes), rules=criteria(allowing(f"{code} 0")))
    assert (beyond.verdict.kind, codes(beyond)) == (INCONCLUSIVE, ["criterion", code])
    unbounded = judged(run(shapes))
    assert (unbounded.verdict.kind, codes(unbounded)) == (INCONCLUSIVE, [code])


def test_checks_removed_from_the_suite_are_not_silently_fine() -> None:
    assert judged(run(SOUND[1:])).verdict.kind is INCONCLUSIVE
    assert codes(judged(run(SOUND[1:]))) == ["removed"]
    assert judged(run(SOUND[1:]), rules=criteria(allowing("removed 2"))).verdict.kind is KNOWN
    assert judged(run(SOUND[1:]), rules=criteria(allowing("removed 1"))).verdict.kind is INCONCLUSIVE


def test_a_flaky_failure_alone_never_rejects_and_never_passes_unseen() -> None:
    flaky = baseline(SOUND, REGRESSED)
    assert (judged(run(REGRESSED), flaky).verdict.kind, codes(judged(run(REGRESSED), flaky))) == (
        INCONCLUSIVE,
        ["flaky"],
    )
    assert judged(run(REGRESSED), flaky, rules=criteria(allowing("flaky 1"))).verdict.kind is KNOWN
    assert judged(run(SOUND), flaky).verdict.kind is KNOWN


# --- rejection -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shapes", "code"),
    [
        (REGRESSED, "regressed"),
        ((*SOUND, case("new", F)), "new-fail"),
        ((case("pays", P), *SOUND[1:]), "missing"),
        ((replace(SOUND[0], outcome=F), *SOUND[1:]), "regressed"),
        ((*SOUND, Shape("new", {}, outcome=F)), "new-fail"),
    ],
)
def test_a_failure_that_the_baseline_does_not_excuse_rejects(shapes: tuple[Shape, ...], code: str) -> None:
    found = judged(run(shapes))
    assert found.verdict.kind is REJECTED
    assert codes(found)[0] == code
    assert found.verdict.reasons[0].remedy
    assert status(found, GateName.CORE) is GateStatus.FAIL


def test_a_case_lost_in_a_run_that_came_to_its_end_rejects() -> None:
    gone = run(SOUND).without(lambda r: isinstance(r, CaseStarted | CaseFinished | CheckRecorded) and "pays" in r.case)
    assert judged(gone).verdict.kind is REJECTED


def test_what_is_missing_because_its_case_broke_is_not_held_against_the_release() -> None:
    found = judged(run([case("pays", P, outcome=E, cause="harness"), *SOUND[1:]]))
    assert found.verdict.kind is INCONCLUSIVE
    assert {"missing", "unknown"} <= set(codes(found))


def test_a_regression_with_no_callback_is_timing_and_still_rejects() -> None:
    lost = [
        Shape(s.name, {"send": dict.fromkeys(s.steps["send"], F)}, callback_ms=None, error_kind="callback-timeout",
              labels=s.labels, feature=s.feature)
        for s in SOUND[:2]
    ]  # fmt: skip
    found = judged(run([*lost, SOUND[2]]))
    assert found.verdict.kind is REJECTED
    assert {one.cause.value for one in found.causes} == {"timing"}


def test_the_reason_names_how_many_which_and_who() -> None:
    found = judged(run([case("pays", F, F), case("aborts", F, F, F), SOUND[2]]))
    assert "5 checks regressed" in found.verdict.reasons[0].text
    assert "and 2 more" in found.verdict.reasons[0].text
    assert found.verdict.suspects[0].component == "ml-api-adapter"
    assert found.verdict.suspects[0].checks == 5
    assert found.verdict.next_action.startswith("Mojaloop developers: look at ml-api-adapter")


# --- one test for each condition under which approval is impossible --------------------------------------------------

OTHER_RELEASE = replace(baseline(), release="v16.0.0")
SOUND_RUN = run(SOUND)
BARE = (
    ("damaged journal", replace(SOUND_RUN, damage=("line 3 is not JSON",)), "journal-damaged"),
    ("counts that do not match", SOUND_RUN.changed(RunFinished, checks=9), "journal-damaged"),
    ("no start", SOUND_RUN.without(lambda r: isinstance(r, RunStarted)), "not-started"),
    ("no end", SOUND_RUN.without(lambda r: isinstance(r, RunFinished)), "not-finished"),
    ("no plan", SOUND_RUN.without(lambda r: isinstance(r, PlanComplete | CasePlanned)), "plan-absent"),
    ("open plan", SOUND_RUN.without(lambda r: isinstance(r, PlanComplete)), "plan-absent"),
    ("interrupted", with_record(SOUND_RUN, Interrupted(reason="SIGTERM")), "interrupted"),
    ("worker lost", with_record(SOUND_RUN, WorkerLost(worker="gw1", case=None, message="killed")), "worker-lost"),
    ("problem", SOUND_RUN.changed(RunFinished, problems=["test_x.py could not be collected"]), "run-problem"),
    ("partial by its own word", SOUND_RUN.changed(RunStarted, selection={"complete": False}), "partial"),
    ("partial by its silence", SOUND_RUN.changed(RunStarted, selection={"complete": None}), "partial"),
    ("partial by its plan", run([replace(SOUND[0], selected=False), *SOUND[1:]]), "partial"),
    ("pin differs", SOUND_RUN.changed(RunStarted, suite={"pin": "differs"}), "pin-differs"),
    ("pin absent", SOUND_RUN.changed(RunStarted, suite={"pin": "absent"}), "pin-absent"),
    ("pin unheard of", SOUND_RUN.changed(RunStarted, suite={"pin": "fine"}), "pin-absent"),
    ("pin of another digest", SOUND_RUN.changed(RunStarted, suite={"pinned_digest": "6" * 64}), "pin-differs"),
    ("pin without a digest", SOUND_RUN.changed(RunStarted, suite={"digest": "", "pinned_digest": ""}), "pin-differs"),
    ("target unknown", SOUND_RUN.changed(RunStarted, target={"kind": "simulator"}), "target-unknown"),
    ("nothing probed", SOUND_RUN.without(lambda r: isinstance(r, ServiceProbed)), "not-probed"),
    (
        "a service not probed",
        SOUND_RUN.without(lambda r: isinstance(r, ServiceProbed) and r.service == "quoting-service"),
        "not-probed",
    ),
    ("service down", SOUND_RUN.changed(ServiceProbed, status="down"), "service-not-ok"),
    (
        "a finding of preflight",
        SOUND_RUN.changed(ServiceProbed, findings=[{"check": "clock", "message": "late", "remedy": "Wait"}]),
        "not-ready",
    ),
    ("service degraded", SOUND_RUN.changed(ServiceProbed, status="degraded"), "service-not-ok"),
    ("another version", SOUND_RUN.changed(ServiceProbed, version="v1.0.0"), "version-differs"),
    ("version kept silent", SOUND_RUN.changed(ServiceProbed, version=None), "version-not-reported"),
    (
        "another version than published",
        SOUND_RUN.changed(ServiceProbed, version="v1.0.0", expected_version=None),
        "version-differs",
    ),
    (
        "services that the release does not name",
        SOUND_RUN.each(
            lambda r: replace(r, service="x", expected_version=None) if isinstance(r, ServiceProbed) else r
        ).changed(RunStarted, target={"services": None}),
        "version-unproven",
    ),
    ("zero cases", run([]), "no-cases"),
    ("zero checks", run([Shape("pays", {"send": {}})]), "no-checks"),
    ("another release", SOUND_RUN.changed(RunStarted, release="v16.0.0"), "baseline-other-release"),
    ("another product", SOUND_RUN.changed(RunStarted, product="payment-manager"), "product-unsupported"),
    ("another definition", run([replace(SOUND[0], fingerprint="beef"), *SOUND[1:]]), "definition-changed"),
    (
        "another suite than the baseline's",
        SOUND_RUN.changed(RunStarted, suite={"digest": "6" * 64, "pinned_digest": "6" * 64}),
        "baseline-other-suite",
    ),
    ("nothing in common", run([case("other", P)]), "nothing-compared"),
    (
        "an exchange that broke unseen",
        run([Shape("pays", {"before": {}, "send": {"c1": P, "c2": P}}, error_kind="connection"), *SOUND[1:]]),
        "step-unchecked",
    ),
    ("a hollow case", run([*SOUND, Shape("empty", {})]), "hollow"),
    ("a broken case", run([*SOUND, Shape("empty", {}, outcome=E)]), "unknown"),
    ("a skipped case", run([*SOUND, Shape("empty", {}, outcome=S)]), "unknown"),
    ("a case that ran unplanned", SOUND_RUN.without(lambda r: isinstance(r, CasePlanned) and "pays" in r.case),
     "journal-damaged"),
)  # fmt: skip


@pytest.mark.parametrize(("spoilt", "code"), [(each, code) for _, each, code in BARE], ids=[name for name, *_ in BARE])
def test_evidence_that_lacks_something_is_inconclusive(spoilt: Run, code: str) -> None:
    found = judged(spoilt)
    assert found.verdict.kind is INCONCLUSIVE
    assert code in codes(found)
    reason = next(reason for reason in found.verdict.reasons if reason.code == code)
    assert reason.status is not GateStatus.PASS
    assert reason.remedy
    assert found.verdict.next_action


def test_a_run_in_which_nothing_passed_is_inconclusive() -> None:
    failing = tuple(Shape(s.name, {"send": dict.fromkeys(s.steps["send"], F)}) for s in SOUND)
    found = judged(run(failing), baseline(failing))
    assert found.verdict.kind is INCONCLUSIVE
    assert "nothing-passed" in codes(found)


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"baseline": None}, "baseline-absent"),
        ({"baseline_problem": "results.csv: the file is absent"}, "baseline-absent"),
        ({"baseline": baseline(source=BaselineSource.EMBEDDED)}, "baseline-rehearsal"),
        ({"baseline": OTHER_RELEASE}, "baseline-other-release"),
        ({"baseline": replace(baseline(), product="payment-manager")}, "baseline-other-release"),
        ({"baseline": replace(baseline(), suite_digest="6" * 64)}, "baseline-other-suite"),
        ({"baseline": replace(baseline(), results=baseline().results.iloc[:0])}, "baseline-absent"),
        ({"criteria": None}, "criteria-absent"),
        ({"release": None}, "manifest-absent"),
        ({"release": replace(RELEASE, components={})}, "manifest-absent"),
        ({"release": replace(RELEASE, version=ReleaseVersion(16, 0, 0))}, "manifest-differs"),
        ({"release": replace(RELEASE, product="payment-manager")}, "manifest-differs"),
    ],
)
def test_inputs_that_lack_something_are_inconclusive(inputs: dict[str, object], code: str) -> None:
    found = judged(run(SOUND), **inputs)
    assert found.verdict.kind is INCONCLUSIVE
    assert code in codes(found)


def test_no_scheme_at_all_is_inconclusive() -> None:
    found = judged(run(SOUND).changed(RunStarted, scheme=None), criteria=None)
    assert (found.verdict.kind, codes(found)) == (INCONCLUSIVE, ["scheme-absent"])


@pytest.mark.parametrize(
    "manifest",
    [
        {"product": "mojaloop", "version": "newest", "components": COMPONENTS, "source": ""},
        {"product": "mojaloop", "version": "v17.1.0", "components": None, "source": ""},
        {"product": "mojaloop", "version": "v16.0.0", "components": COMPONENTS, "source": ""},
    ],
)
def test_a_manifest_in_the_journal_that_says_too_little_is_inconclusive(manifest: dict[str, object]) -> None:
    found = judged(run(SOUND).changed(RunStarted, release_manifest=manifest), release=None)
    assert found.verdict.kind is INCONCLUSIVE


def test_a_release_that_is_no_version_is_still_compared_as_text() -> None:
    odd = run(SOUND).changed(RunStarted, release="nightly")
    found = judged(odd, replace(baseline(), release="nightly"))
    assert found.verdict.kind is INCONCLUSIVE
    assert codes(found) == ["manifest-differs"]


def test_the_manifest_must_be_the_one_the_run_was_started_with() -> None:
    manifest = {"product": "mojaloop", "version": "v17.1.0", "components": {"x": "v1"}, "source": ""}
    found = judged(run(SOUND).changed(RunStarted, release_manifest=manifest))
    assert (found.verdict.kind, codes(found)) == (INCONCLUSIVE, ["manifest-differs"])


def test_no_evidence_at_all_is_inconclusive_whatever_else_is_given() -> None:
    for before in (None, baseline()):
        for rules in (None, criteria(allowing("hollow 9", "unknown 9", "removed 9", "flaky 9"))):
            for release in (None, RELEASE):
                found = judge(evidence_from_records([]), before, rules, release)
                assert found.verdict.kind is INCONCLUSIVE
                assert found.verdict.kind.exit_code == 2


# --- what outweighs what ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoil",
    [
        lambda r: r.without(lambda record: isinstance(record, RunFinished)),
        lambda r: replace(r, damage=("the last line is cut",)),
        lambda r: with_record(r, Interrupted(reason="SIGINT")),
        lambda r: r.changed(ServiceProbed, status="down"),
        lambda r: r.changed(RunFinished, problems=["the hub died"]),
    ],
)
def test_cut_off_evidence_does_not_reject_but_tells_what_it_saw(spoil: object) -> None:
    assert callable(spoil)
    found = judged(spoil(run(REGRESSED)))
    assert found.verdict.kind is INCONCLUSIVE
    assert "regressed" in codes(found)
    assert codes(found)[0] != "regressed"


def test_a_regression_in_a_part_of_the_suite_rejects() -> None:
    part = run([*REGRESSED[:2], replace(SOUND[2], selected=False)]).changed(RunStarted, selection={"complete": False})
    assert judged(part).verdict.kind is REJECTED


def test_off_its_pin_only_a_regression_of_an_unchanged_check_rejects() -> None:
    off = {"pin": "differs", "digest": "6" * 64}
    assert judged(run(REGRESSED).changed(RunStarted, suite=off)).verdict.kind is REJECTED
    edited = (replace(REGRESSED[0], fingerprint="beef"), *SOUND[1:])
    for shapes in (edited, (*SOUND, case("new", F)), (case("pays", P), *SOUND[1:])):
        found = judged(run(shapes).changed(RunStarted, suite=off))
        assert found.verdict.kind is INCONCLUSIVE


@pytest.mark.parametrize(
    "before", [None, OTHER_RELEASE, baseline(source=BaselineSource.EMBEDDED)], ids=["none", "other", "embedded"]
)
def test_without_a_usable_baseline_failures_are_shown_but_do_not_reject(before: Baseline | None) -> None:
    found = judged(run(REGRESSED), baseline=before)
    assert found.verdict.kind is INCONCLUSIVE
    assert {"regressed", "new-fail"} & set(codes(found))


@pytest.mark.parametrize(
    "broken",
    [{"error_kind": "connection", "status": None}, {"status": 503}, {"cause": "provisioning"}],
)
def test_when_half_the_failing_cases_fail_outside_the_product_the_environment_is_to_blame(
    broken: dict[str, object],
) -> None:
    shapes = [Shape(s.name, {"send": dict.fromkeys(s.steps["send"], F)}, **broken) for s in SOUND[:2]]
    found = judged(run([*shapes, case("expires", P, feature="expiry"), case("more", P)]))
    assert found.verdict.kind is INCONCLUSIVE
    assert codes(found)[0] == "environment"
    assert "regressed" in codes(found)
    assert found.verdict.next_action.startswith("Support team (environment)")


def test_when_fewer_than_half_do_the_regressions_reject() -> None:
    shapes = [
        Shape("pays", {"send": {"c1": F, "c2": F}}, status=503),
        case("aborts", P, P, F),
        case("expires", F, labels=(), feature="expiry"),
    ]
    assert judged(run(shapes)).verdict.kind is REJECTED

"""Is the target there, is every service well, is what runs what was released, is it provisioned?

Asked before the first case, all at once; only reads. Whether the hub reaches us is for ``run`` to prove.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from harness.fspiop.resources import component_behind
from harness.model.records import ServiceProbed
from harness.model.release import Release
from harness.target.credentials import credentials_of
from harness.target.health import ask_health, unreached
from harness.target.model import Target
from harness.target.provisioned import LEDGER, LOOK_UP_ADMIN, check_oracles, check_participant, not_told
from harness.target.provisioned import required_participants as _participants
from harness.target.readiness import CLOCK_S, Finding, with_finding
from harness.target.tls import context_for

__all__ = ["preflight", "probe"]

_GRACE_S = 1.0
"""What all questions together may take beyond the time of one: some time-outs are of steps, not of the whole."""


def preflight(
    target: Target, release: Release | None, *, transport: httpx.BaseTransport | None = None
) -> list[ServiceProbed]:
    """Returns how each service of ``target`` answers, with what else was found, in the target's order.

    ``harness.target.readiness.findings_of`` says what of it is not as it must be. Never raises on what a target does;
    ends within ``preflight_timeout_s`` and one second.
    """
    health = _health_questions(target, release)
    further = _provisioning_questions(target)
    answers = _ask(target, {**health, **further}, transport)
    probes: list[ServiceProbed] = []
    for service, answer in ((name, answers[name]) for name in health):
        expected = _expected(release, service)
        if isinstance(answer, Exception):
            answer = unreached(service, target.url(service), expected, answer, target.preflight_timeout_s)
        probes.append(answer)
    for probe in list(probes):
        if probe.clock_ahead_s is not None and abs(probe.clock_ahead_s) > CLOCK_S:
            probes = with_finding(probes, _clock(probe.service, probe.clock_ahead_s))
    well = {probe.service for probe in probes if probe.status != "down"}
    for name in further:
        service, check = (LOOK_UP_ADMIN, "oracles") if name == "oracles" else (LEDGER, "participants")
        answer = answers[name]
        if isinstance(answer, Exception):
            # that the service is down has been said; what cannot be asked of it need not be
            base = target.services.get(service, "")
            answer = [not_told(service, base, check, answer, target.preflight_timeout_s)] if service in well else []
        for finding in answer:
            probes = with_finding(probes, finding)
    return probes


def probe(
    target: Target, release: Release | None, *, transport: httpx.BaseTransport | None = None
) -> list[ServiceProbed]:
    """Returns how each service of ``target`` answers ``GET /health``, in the target's order. Never raises."""
    questions = _health_questions(target, release)
    answers = _ask(target, questions, transport)
    return [
        unreached(service, target.url(service), _expected(release, service), found, target.preflight_timeout_s)
        if isinstance(found, Exception)
        else found
        for service, found in answers.items()
    ]


_Question = Callable[[httpx.Client], Any]


def _health_questions(target: Target, release: Release | None) -> dict[str, _Question]:
    def about(service: str, base: str) -> _Question:
        expected, timeout_s = _expected(release, service), target.preflight_timeout_s
        return lambda client: ask_health(client, service, base, expected, timeout_s=timeout_s)

    return {service: about(service, base) for service, base in target.services.items()}


def _provisioning_questions(target: Target) -> dict[str, _Question]:
    questions: dict[str, _Question] = {}
    for wanted in _participants(target) if LEDGER in target.services else ():
        key = f"participant {wanted.name} {wanted.currency} {wanted.here}"
        questions[key] = lambda client, wanted=wanted: check_participant(client, target, wanted)  # type: ignore[misc]
    if target.oracles:
        questions["oracles"] = lambda client: check_oracles(client, target)
    return questions


def _ask(target: Target, questions: Mapping[str, _Question], transport: httpx.BaseTransport | None) -> dict[str, Any]:
    """Returns the answer to every question, or the exception that it ended in, asked side by side.

    The threads are daemons: one that a name service or a slow sender holds up keeps nobody waiting.
    """
    timeout_s = target.preflight_timeout_s
    client = httpx.Client(
        timeout=timeout_s,
        verify=context_for(target.tls),
        auth=credentials_of(target),
        trust_env=False,
        transport=transport,
        limits=httpx.Limits(max_connections=None),
    )
    found: dict[str, Any] = {}

    def answer(name: str, question: _Question) -> None:
        try:
            found[name] = question(client)
        except Exception as problem:
            found[name] = problem

    threads = {
        name: threading.Thread(target=answer, args=(name, question), name=f"preflight {name}", daemon=True)
        for name, question in questions.items()
    }
    for thread in threads.values():
        thread.start()
    deadline = time.monotonic() + timeout_s + _GRACE_S
    for thread in threads.values():
        thread.join(max(0.0, deadline - time.monotonic()))
    late = TimeoutError(f"no whole answer within {timeout_s:g} s")
    answers = {name: found.get(name, late) for name in questions}
    if not any(thread.is_alive() for thread in threads.values()):
        client.close()
    return answers


def _expected(release: Release | None, service: str) -> str | None:
    return None if release is None else release.components.get(component_behind(service))


def _clock(service: str, ahead_s: float) -> Finding:
    way = "ahead of" if ahead_s > 0 else "behind"
    text = f"the clock of {service} is {abs(ahead_s):.0f} s {way} this machine's, more than {CLOCK_S:g} s"
    return Finding("clock", service, text, "Synchronise both with a time server (NTP); see first which one is wrong")

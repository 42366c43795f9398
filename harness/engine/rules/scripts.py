"""Who runs the script of a rule? A seam of one method, and V8 behind it, with bounds that a server can live with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, final

from harness.engine.rules.model import Facts, Script
from harness.engine.ttk.script import Limits, ScriptHost, World

__all__ = ["RuleScripts", "ScriptOutcome", "V8RuleScripts"]

_LIMITS = Limits(assertions_s=1.0, script_s=1.0, step_s=0.5, memory_bytes=64 * 1024 * 1024)
"""A rule's script holds up every call meanwhile: it computes a few values and is done."""


@final
@dataclass(frozen=True, slots=True)
class ScriptOutcome:
    """What a script left. ``error`` is empty where it ran to its end."""

    environment: Mapping[str, Any]
    override: Any = None
    """``requestVariables.OVERRIDE_EVENT``: merged into the event's body where it says ``appendMode``."""
    error: str = ""


class RuleScripts(Protocol):
    """Runs scripts of rules, one after another."""

    def run(self, script: Script, facts: Facts, environment: Mapping[str, Any]) -> ScriptOutcome:
        """Returns what ``script`` left behind. Never raises on what the script does."""


@final
class V8RuleScripts:
    """Runs them in V8. Made and closed by whoever plugs the responders in; not shared between threads."""

    def __init__(self, limits: Limits = _LIMITS) -> None:
        self._host = ScriptHost(limits)
        # The first isolate takes as long as a hundred scripts: no call should wait for it.
        self._host.run_script("", World())

    def run(self, script: Script, facts: Facts, environment: Mapping[str, Any]) -> ScriptOutcome:
        """Runs ``script`` with the call as its ``request``, whose body is text, as in the reference engine."""
        request = {
            "url": {"path": facts.path, "query": dict(facts.query)},
            "path": facts.path,
            "method": facts.method,
            "headers": dict(facts.headers),
            "body": json.dumps(facts.body, ensure_ascii=False),
        }
        result = self._host.run_script(script.source, World(environment, {}, request=request), engine=script.engine)
        override = result.request_variables.get("OVERRIDE_EVENT")
        kept = override if isinstance(override, dict) and override.get("appendMode") else None
        missing = ", ".join(result.unavailable)
        error = result.error or (f"{missing} is not available" if missing else "")
        return ScriptOutcome(result.environment, kept, error)

    def close(self) -> None:
        """Ends V8."""
        self._host.close()

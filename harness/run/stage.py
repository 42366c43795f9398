"""What must stand before the first case: hub (if it is the embedded one), inbound server, inputs, preflight.

Opened once by the controller and cleared in the reverse order, whatever happens in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Self, final

from harness.engine.deployment import deployment_inputs
from harness.engine.inbound.messages import InboundNote
from harness.engine.inbound.server import InboundServer
from harness.engine.simulators import backend_inputs, play_cast, set_stage
from harness.engine.ttk.inputs import load_inputs
from harness.fspiop.jws import new_key
from harness.hub.config import HubConfig
from harness.hub.kept import KeptHub
from harness.hub.process import HubProcess, broken_laws, silence_url
from harness.hub.profile import profile_for
from harness.model.records import ServiceProbed
from harness.run.options import EMBEDDED, RunOptions
from harness.run.preflight_callback import prove_callbacks
from harness.target.credentials import credentials_of
from harness.target.model import Target
from harness.target.preflight import preflight
from harness.target.readiness import Finding, findings_of
from harness.target.tls import context_for

__all__ = ["Stage"]

_EMBEDDED_CALLBACK_TIMEOUT_S = 5.0
_LEAST_CALLBACK_TIMEOUT_S = 2.0
"""However much time is shortened: processes are as fast as they are."""


@final
class Stage:
    """The servers of one run, and what they say of themselves."""

    def __init__(self) -> None:
        self.target: Target
        self.inputs: dict[str, Any] = {}
        """Input values for collections."""
        self.probes: list[ServiceProbed] = []
        self.inbound: InboundServer
        self.violations: list[dict[str, Any]] = []
        """The laws that the embedded hub broke, where it watched them."""
        self._watched = False
        self._hub: HubProcess | KeptHub | None = None
        self._inbound: InboundServer | None = None

    @classmethod
    def open(cls, options: RunOptions, on_note: Callable[[InboundNote], None]) -> Self:
        """Returns the stage, ready. Raises ``HarnessError`` where it cannot be set; then nothing is left running."""
        stage = cls()
        try:
            stage._open(options, on_note)
        except BaseException:
            stage.close()
            raise
        return stage

    @property
    def findings(self) -> list[Finding]:
        """What keeps the target from being ready for the run."""
        return findings_of(self.probes)

    def end(self) -> Iterator[str]:
        """Ends what takes callbacks, and yields what went wrong on the stage while the cases ran."""
        for name, server in (("embedded hub", self._hub), ("inbound server", self._inbound)):
            if server is not None and not server.alive:
                yield f"the {name} ended before the run did"
        if self._inbound is not None:
            self._inbound.stop()
            yield from self._inbound.problems
        if self._watched and self._hub is not None and self._hub.alive:
            self.violations = broken_laws(self._hub.services)
            yield from (f"the embedded hub broke a law of its own: {_told(one)}" for one in self.violations[:1])

    def close(self) -> None:
        """Stops what was started. Safe to call twice."""
        if self._inbound is not None:
            self._inbound.stop()
            self._inbound = None
        if self._hub is not None:
            self._hub.stop()
            self._hub = None

    def _open(self, options: RunOptions, on_note: Callable[[InboundNote], None]) -> None:
        if options.collections:
            self.inputs = self._inputs(options)
        target = options.target or self._embedded(options)
        self.inbound = self._inbound = InboundServer.start(
            host=target.callback.host,
            port=target.callback.port,
            public_url=target.callback.public_url or None,
            on_note=on_note,
            verify=context_for(target.tls),
            auth=credentials_of(target),
            silence_url=silence_url(self._hub.services) if self._hub is not None else None,
        )
        if options.collections and target.kind == EMBEDDED:
            target = self._play(options, target)
        self.probes = prove_callbacks(target, preflight(target, options.hub_release), self.inbound)
        # a rehearsal stays one by whatever address the embedded hub is reached
        embedded = any(found.embedded for found in self.probes)
        self.target = replace(target, kind=EMBEDDED) if embedded else target

    def _inputs(self, options: RunOptions) -> dict[str, Any]:
        """The input values that collections get, but for where our own servers are."""
        if options.target is not None:
            return load_inputs(options.environment, options.target.inputs)
        given = load_inputs(options.environment)
        # what somebody wrote for this run goes over ours; what is published with the suite is made for a deployment
        ours = deployment_inputs(profile_for(options.hub_release.version).default_version, given)
        return {**given, **ours} if options.environment_is_published else {**ours, **given}

    def _embedded(self, options: RunOptions) -> Target:
        settings: dict[str, Any] = {
            "time_scale": options.time_scale,
            "on_us_transfers": bool(self.inputs.get("ON_US_TRANSFERS_ENABLED", False)),
            "simple_routing": bool(self.inputs.get("SIMPLE_ROUTING_MODE_ENABLED", False)),
            "check_invariants": options.check_invariants,
        }
        self._watched = options.check_invariants
        if options.keep:
            config = HubConfig.of(options.hub_release, defects=options.defects, **settings)
            self._hub = KeptHub.find_or_start(options.workspace.kept_hub, config)
        else:
            self._hub = HubProcess.start(options.hub_release, defects=options.defects, **settings)
        return Target(
            name=EMBEDDED,
            kind=EMBEDDED,
            services=self._hub.services,
            defects=options.defects,
            callback_timeout_s=max(_EMBEDDED_CALLBACK_TIMEOUT_S * options.time_scale, _LEAST_CALLBACK_TIMEOUT_S),
            time_scale=options.time_scale,
        )

    def _play(self, options: RunOptions, target: Target) -> Target:
        key, version = new_key(), profile_for(options.hub_release.version).default_version
        self.inputs |= backend_inputs(target.services, self.inbound, jws_key=key.public)
        target = replace(target, currency=str(self.inputs.get("currency", target.currency)))
        version = str(self.inputs.get("expectedPartiesVersion", version))
        if options.provision and not options.suite.provisioning:
            set_stage(
                target, options.hub_release, self.inbound, api_version=version, jws_key=key.private, inputs=self.inputs
            )
        else:
            play_cast(target.services, self.inbound, api_version=version, jws_key=key.private)
        return target


def _told(violation: dict[str, Any]) -> str:
    return f"{violation['rule']}: {violation['subject']}: {violation['detail']}"

"""What runs the cases of collections, one after another, in one thread: exchanges, V8, host functions, variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, final

from harness.engine.inbound.client import AnyDfsp, InboundClient
from harness.engine.recorder import CaseRecorder
from harness.engine.ttk.hosts import AllowedHosts, HostServices
from harness.engine.ttk.pauses import Pauses
from harness.engine.ttk.runner import Context, RunVariables, Transport, run_case
from harness.engine.ttk.script import ScriptHost
from harness.suite.ttk.model import Case
from harness.target.credentials import credentials_of
from harness.target.model import Target
from harness.target.tls import context_for

__all__ = ["Bench"]


@final
@dataclass(slots=True)
class Bench:
    """Made by ``set_up``, to be closed by who made it. ``variables`` live as long as it does."""

    variables: RunVariables
    _exchanger: Transport
    _hosts: HostServices
    _scripts: ScriptHost
    _pauses: Pauses
    _target: Target
    _strict: bool

    @classmethod
    def set_up(
        cls,
        target: Target,
        inbound: InboundClient,
        exchanger: Transport,
        inputs: Mapping[str, Any],
        *,
        strict: bool = False,
    ) -> Self:
        """Returns a bench that works on ``target``. Scripts reach the target's services, us, and the hosts that it
        allows; where it lists none, those that inputs name.

        ``strict``: a 5xx fails a case where the request has no assertions to say so.
        """
        allowed = AllowedHosts.of([*target.services.values(), inbound.address.public_url, *_further(target, inputs)])
        verify, auth = context_for(target.tls), credentials_of(target)
        silence = inbound.silence_lasts if inbound.address.hub_tells_silence else None
        hosts = HostServices(
            allowed,
            inbound=AnyDfsp(inbound),
            silence_lasts=silence,
            time_scale=target.time_scale,
            verify=verify,
            auth=auth,
        )
        pauses = Pauses(target.time_scale, silence)
        scripts = ScriptHost(functions=hosts.functions(), pauses=pauses)
        return cls(RunVariables.starting(inputs), exchanger, hosts, scripts, pauses, target, strict)

    def run(self, case: Case, recorder: CaseRecorder) -> None:
        """Runs ``case`` into ``recorder``; see ``run_case``."""
        run_case(
            case,
            Context(
                recorder=recorder,
                transport=self._exchanger,
                scripts=self._scripts,
                variables=self.variables,
                services=self._target.services,
                sleep=self._pauses.sleep,
                hosts=self._hosts,
                strict=self._strict,
            ),
        )

    def close(self) -> None:
        """Ends V8 and what scripts left open. Exchanger and inbound client stay: they were given."""
        self._scripts.close()
        self._hosts.close()


def _further(target: Target, inputs: Mapping[str, Any]) -> list[str]:
    """The URLs of the hosts beside services and callback that scripts may reach."""
    if target.allowed_hosts is None:
        return [value for value in inputs.values() if isinstance(value, str) and "://" in value]
    return [f"{scheme}://{host}" for host in target.allowed_hosts for scheme in ("http", "https")]

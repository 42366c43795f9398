"""Does the hub reach us? A look-up in the name of a participant whose callbacks come here, before the first case.

It changes nothing at the hub: whether the party exists does not matter, either answer proves the way back.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from urllib.parse import urlsplit

import httpx

from harness.engine.exchange import CallbackRoutes, Exchange, Exchanger, Request
from harness.engine.inbound.client import InboundClient
from harness.engine.inbound.server import InboundServer
from harness.fspiop.dates import http_date
from harness.fspiop.headers import SOURCE, accept, content_type
from harness.model.records import ServiceProbed
from harness.target.model import Target
from harness.target.readiness import Finding, with_finding

__all__ = ["prove_callbacks"]

_LOOK_UP = "account-lookup-service"
_VERSION = "1.1"
"""Of FSPIOP; every release from v13 on speaks it."""
_OURSELVES_S = 2.0


def prove_callbacks(target: Target, probes: Sequence[ServiceProbed], inbound: InboundServer) -> list[ServiceProbed]:
    """Returns ``probes`` with what was found on the way from ``target`` to us.

    Nothing is asked where the target names no ``callback.probe_as``, or where what was found before already keeps the
    answer from coming. Takes at most ``preflight_timeout_s`` for the request and as long for the callback.
    """
    name = target.callback.probe_as
    told = [str(found["message"]) for probe in probes for found in probe.findings]
    down = {probe.service for probe in probes if probe.status == "down"}
    if not name or down & {_LOOK_UP, "central-ledger"} or any(name in text for text in told):
        return list(probes)
    found = _look_up(target, name, inbound)
    return list(probes) if found is None else with_finding(probes, found)


def _look_up(target: Target, name: str, inbound: InboundServer) -> Finding | None:
    path = f"/parties/MSISDN/{10**14 + secrets.randbelow(10**14)}"
    headers = {
        "Accept": accept("parties", _VERSION),
        "Content-Type": content_type("parties", _VERSION),
        "Date": http_date(),
        SOURCE: name,
    }
    url = target.url(_LOOK_UP) + path
    with InboundClient(inbound.address) as client:
        exchanger = Exchanger.for_target(target, client)
        try:
            shown = exchanger.exchange(
                Request("GET", url, headers),
                awaiting=CallbackRoutes(name, [("PUT", path), ("PUT", f"{path}/error")]),
                case="preflight",
                step="look-up",
                request_timeout_s=target.preflight_timeout_s,
                callback_timeout_s=target.preflight_timeout_s,
            )
        finally:
            exchanger.close()
    return _judged(target, name, inbound, shown)


def _judged(target: Target, name: str, inbound: InboundServer, shown: Exchange) -> Finding | None:
    if shown.response is None:
        text = f"the look-up that would prove the callbacks failed: {shown.error}"
        return Finding("callback", _LOOK_UP, text, f"See {_LOOK_UP} and its ingress")
    if shown.response.status >= 400:
        text = f"{_LOOK_UP} refused a look-up of participant {name} with HTTP {shown.response.status}"
        return Finding("callback", _LOOK_UP, text, "See what its gateway asks for: credentials, signature, headers")
    if shown.callback is not None:
        return None
    public = inbound.address.public_url
    text = f"the hub took a look-up of {name}, but no callback came to {public} within {target.preflight_timeout_s:g} s"
    ours = f"port {inbound.public_port} of this machine"
    if _reaches_ourselves(public, inbound):
        remedy = f"Let the hub's network through to {public}; this machine itself reaches it"
    else:
        text += f", and what is at that address is not {ours}"
        remedy = f"Correct callback.public_url, or the way (ingress, NAT, firewall) from it to {ours}"
    return Finding("callback", _LOOK_UP, text, remedy)


def _reaches_ourselves(public_url: str, inbound: InboundServer) -> bool:
    """Whether a call to the public URL from here arrives at our own inbound server."""
    mark = f"preflight-{secrets.token_hex(8)}"
    url = f"{public_url}/dfsp/{mark}/participants/{mark}"
    with InboundClient(inbound.address) as client:
        expectation = client.expect(
            fsp=mark, routes=[("GET", f"/participants/{mark}")], case="preflight", step="ourselves"
        )
        try:
            # whose certificate it is does not matter here, and no credential goes along
            httpx.get(url, timeout=_OURSELVES_S, trust_env=False, verify=urlsplit(url).scheme != "https")
        except (httpx.HTTPError, httpx.InvalidURL):
            client.cancel(expectation)
            return False
        return client.wait(expectation, 0.1) is not None

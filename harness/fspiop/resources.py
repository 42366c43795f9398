"""Which operations FSPIOP has, who answers them, and which callback each one is answered with.

From the FSPIOP API definition 1.1 (section 6, API Services) and, for the fx resources, 2.0. Every PUT and PATCH is an
answer itself and has no callback.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from harness.model.component import component_behind

__all__ = ["OPERATIONS", "REQUEST_IDS", "SERVICES", "Operation", "component_behind", "find_operation"]

SERVICES = (
    "account-lookup-service",
    "account-lookup-service-admin",
    "quoting-service",
    "ml-api-adapter",
    "central-ledger",
    "central-settlement",
    "transaction-requests-service",
)
"""The services of a hub that a suite calls, by component name; each has its own base URL.
``account-lookup-service-admin`` is the admin API of account-lookup-service and has its version."""


@dataclass(frozen=True)
class Operation:
    """One operation of the API between DFSP and hub."""

    method: str
    template: str
    """With FSPIOP's parameter names: ``/parties/{Type}/{ID}``."""
    resource: str
    """The word in the media type: ``parties``."""
    service: str
    """The component that receives it."""
    decided_by: str
    """The component whose work the callback shows."""
    callback: str | None = None
    """Template of the success callback (always a PUT); ``None`` where the operation is an answer itself."""

    @property
    def error_callback(self) -> str | None:
        """Template of the error callback."""
        return None if self.callback is None else f"{self.callback}/error"

    @property
    def key(self) -> str:
        """``POST /transfers``."""
        return f"{self.method} {self.template}"

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(self.template)))

    def match(self, path: str) -> dict[str, str] | None:
        """Returns the path parameters where ``path`` is one of this operation's, else ``None``."""
        found = self._pattern.fullmatch(path)
        return None if found is None else found.groupdict()


REQUEST_IDS: Mapping[str, str] = {
    "/transfers": "transferId",
    "/quotes": "quoteId",
    "/bulkQuotes": "bulkQuoteId",
    "/fxQuotes": "conversionRequestId",
    "/fxTransfers": "commitRequestId",
    "/transactionRequests": "transactionRequestId",
    "/participants": "requestId",
}
"""Which element of a POST's body becomes the id in its callback's path (FSPIOP API 1.1, section 6; fx: 2.0)."""


def _look_up(resource: str) -> list[Operation]:
    service = "account-lookup-service"
    rows = []
    for template in (f"/{resource}/{{Type}}/{{ID}}", f"/{resource}/{{Type}}/{{ID}}/{{SubId}}"):
        methods = ("GET", "POST", "DELETE") if resource == "participants" else ("GET",)
        rows += [Operation(method, template, resource, service, service, template) for method in methods]
        rows += [Operation("PUT", path, resource, service, service) for path in (f"{template}/error", template)]
    return rows


def _by_id(resource: str, name: str, service: str, decided_by: str) -> list[Operation]:
    one = f"/{resource}/{{{name}}}"
    return [
        Operation("POST", f"/{resource}", resource, service, decided_by, one),
        Operation("GET", one, resource, service, decided_by, one),
        Operation("PUT", f"{one}/error", resource, service, decided_by),
        Operation("PUT", one, resource, service, decided_by),
        Operation("PATCH", one, resource, service, decided_by),
    ]


def _fxp_directory() -> list[Operation]:
    """Who converts currencies (FSPIOP API 2.0, services). No release of a hub serves it yet (mojaloop/project#3783).

    ``servicesFxp`` is the media type's word in the official environments.
    """
    service = "account-lookup-service"
    rows = []
    for template in ("/services/FXP", "/services/FXP/{SourceCurrency}/{TargetCurrency}"):
        rows.append(Operation("GET", template, "servicesFxp", service, service, template))
        rows.append(Operation("PUT", template, "servicesFxp", service, service))
    return rows


_ALS = "account-lookup-service"
OPERATIONS: tuple[Operation, ...] = (
    Operation("POST", "/participants", "participants", _ALS, _ALS, "/participants/{ID}"),
    Operation("PUT", "/participants/{ID}/error", "participants", _ALS, _ALS),
    Operation("PUT", "/participants/{ID}", "participants", _ALS, _ALS),
    *_look_up("participants"),
    *_look_up("parties"),
    *_fxp_directory(),
    *_by_id("quotes", "ID", "quoting-service", "quoting-service"),
    *_by_id("bulkQuotes", "ID", "quoting-service", "quoting-service"),
    *_by_id("fxQuotes", "ID", "quoting-service", "quoting-service"),
    *_by_id("transfers", "ID", "ml-api-adapter", "central-ledger"),
    *_by_id("fxTransfers", "ID", "ml-api-adapter", "central-ledger"),
    *_by_id("transactionRequests", "ID", "transaction-requests-service", "transaction-requests-service"),
    Operation(
        "GET", "/authorizations/{ID}", "authorizations", "transaction-requests-service",
        "transaction-requests-service", "/authorizations/{ID}",
    ),
    Operation(
        "PUT", "/authorizations/{ID}/error", "authorizations", "transaction-requests-service",
        "transaction-requests-service",
    ),
    Operation(
        "PUT", "/authorizations/{ID}", "authorizations", "transaction-requests-service", "transaction-requests-service"
    ),
)  # fmt: skip


def find_operation(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """Returns the operation of a concrete ``path`` (no query) with its parameters, or ``None`` where FSPIOP has none.

    ``…/error`` is an error callback before it is an id or sub-id of that name.
    """
    wanted = method.upper()
    for operation in OPERATIONS:
        if operation.method == wanted and (parameters := operation.match(path)) is not None:
            if operation.template.endswith("/{SubId}") and parameters.get("SubId") == "error":
                continue
            return operation, parameters
    return None

"""How does one part of the hub tell another that a request is answered with an FSPIOP error?

A fault is a protocol answer, not a failure of ours: the HTTP layer turns it into a response, the services into a
callback. Nothing of it reaches a person.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.fspiop.errors import FspiopError, error_information

__all__ = ["Fault", "extension_list"]


class Fault(Exception):  # noqa: N818 (it is an answer, not an error of ours)
    """An FSPIOP error to answer with. ``status`` is used where it becomes an HTTP response rather than a callback."""

    def __init__(
        self,
        error: FspiopError,
        detail: str = "",
        *,
        status: int = 400,
        extensions: Iterable[tuple[str, str]] = (),
        text: str | None = None,
    ) -> None:
        super().__init__(f"{error.code} {detail or error.text}")
        self.error = error
        self.detail = detail
        self.status = status
        self.extensions = tuple(extensions)
        self.text = text

    @property
    def body(self) -> dict[str, Any]:
        """The ErrorInformationObject; ``text`` replaces the standard wording where the real services have their own."""
        body = error_information(self.error, self.detail)
        information = body["errorInformation"]
        if self.text is not None:
            information["errorDescription"] = f"{self.text} - {self.detail}" if self.detail else self.text
        if self.extensions:
            information["extensionList"] = extension_list(self.extensions)
        return body

    @property
    def cause(self) -> str:
        """``3303: Transfer expired``: how central-ledger keeps the reason of an aborted transfer."""
        information = self.body["errorInformation"]
        return f"{information['errorCode']}: {information['errorDescription']}"


def extension_list(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Returns an ExtensionList (FSPIOP API 1.1, section 7.4.3)."""
    return {"extension": [{"key": key, "value": value} for key, value in pairs]}

"""The error codes a hub or DFSP may answer with, and the body that carries one (FSPIOP API 1.1, section 7.6)."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, final

__all__ = ["FspiopError", "error_information", "error_said"]

_DEPTH: Final = 4
_LONGEST_TEXT: Final = 200


@final
class FspiopError(Enum):
    """Each code with its standard text."""

    COMMUNICATION = ("1000", "Communication error")
    DESTINATION_COMMUNICATION = ("1001", "Destination communication error")
    SERVER = ("2000", "Generic server error")
    INTERNAL_SERVER = ("2001", "Internal server error")
    NOT_IMPLEMENTED = ("2002", "Not implemented")
    SERVICE_UNAVAILABLE = ("2003", "Service currently unavailable")
    SERVER_TIMED_OUT = ("2004", "Server timed out")
    SERVER_BUSY = ("2005", "Server busy")
    CLIENT = ("3000", "Generic client error")
    UNACCEPTABLE_VERSION = ("3001", "Unacceptable version requested")
    UNKNOWN_URI = ("3002", "Unknown URI")
    ADD_PARTY_INFORMATION = ("3003", "Add Party information error")
    VALIDATION = ("3100", "Generic validation error")
    MALFORMED_SYNTAX = ("3101", "Malformed syntax")
    MISSING_ELEMENT = ("3102", "Missing mandatory element")
    TOO_MANY_ELEMENTS = ("3103", "Too many elements")
    TOO_LARGE_PAYLOAD = ("3104", "Too large payload")
    INVALID_SIGNATURE = ("3105", "Invalid signature")
    MODIFIED_REQUEST = ("3106", "Modified request")
    MISSING_EXTENSION = ("3107", "Missing mandatory extension parameter")
    ID_NOT_FOUND = ("3200", "Generic ID not found")
    DESTINATION_FSP = ("3201", "Destination FSP Error")
    PAYER_FSP_ID_NOT_FOUND = ("3202", "Payer FSP ID not found")
    PAYEE_FSP_ID_NOT_FOUND = ("3203", "Payee FSP ID not found")
    PARTY_NOT_FOUND = ("3204", "Party not found")
    QUOTE_ID_NOT_FOUND = ("3205", "Quote ID not found")
    TRANSACTION_REQUEST_ID_NOT_FOUND = ("3206", "Transaction request ID not found")
    TRANSACTION_ID_NOT_FOUND = ("3207", "Transaction ID not found")
    TRANSFER_ID_NOT_FOUND = ("3208", "Transfer ID not found")
    BULK_QUOTE_ID_NOT_FOUND = ("3209", "Bulk quote ID not found")
    BULK_TRANSFER_ID_NOT_FOUND = ("3210", "Bulk transfer ID not found")
    EXPIRED = ("3300", "Generic expired error")
    TRANSACTION_REQUEST_EXPIRED = ("3301", "Transaction request expired")
    QUOTE_EXPIRED = ("3302", "Quote expired")
    TRANSFER_EXPIRED = ("3303", "Transfer expired")
    PAYER = ("4000", "Generic Payer error")
    PAYER_FSP_INSUFFICIENT_LIQUIDITY = ("4001", "Payer FSP insufficient liquidity")
    PAYER_REJECTION = ("4100", "Generic Payer rejection")
    PAYER_REJECTED_TRANSACTION_REQUEST = ("4101", "Payer rejected transaction request")
    PAYER_UNSUPPORTED_TRANSACTION_TYPE = ("4102", "Payer FSP unsupported transaction type")
    PAYER_UNSUPPORTED_CURRENCY = ("4103", "Payer unsupported currency")
    PAYER_LIMIT = ("4200", "Payer limit error")
    PAYER_PERMISSION = ("4300", "Payer permission error")
    PAYER_BLOCKED = ("4400", "Generic Payer blocked error")
    PAYEE = ("5000", "Generic Payee error")
    PAYEE_FSP_INSUFFICIENT_LIQUIDITY = ("5001", "Payee FSP insufficient liquidity")
    PAYEE_REJECTION = ("5100", "Generic Payee rejection")
    PAYEE_REJECTED_QUOTE = ("5101", "Payee rejected quote")
    PAYEE_UNSUPPORTED_TRANSACTION_TYPE = ("5102", "Payee FSP unsupported transaction type")
    PAYEE_FSP_REJECTED_QUOTE = ("5103", "Payee FSP rejected quote")
    PAYEE_REJECTED_TRANSACTION = ("5104", "Payee rejected transaction")
    PAYEE_FSP_REJECTED_TRANSACTION = ("5105", "Payee FSP rejected transaction")
    PAYEE_UNSUPPORTED_CURRENCY = ("5106", "Payee unsupported currency")
    PAYEE_LIMIT = ("5200", "Payee limit error")
    PAYEE_PERMISSION = ("5300", "Payee permission error")
    PAYEE_BLOCKED = ("5400", "Generic Payee blocked error")

    @property
    def code(self) -> str:
        """Four digits."""
        return self.value[0]

    @property
    def text(self) -> str:
        """The standard text of the code."""
        return self.value[1]


def error_information(error: FspiopError, detail: str = "") -> dict[str, Any]:
    """Returns an ErrorInformationObject; ``detail`` follows the standard text after `` - ``, at most 128 characters."""
    text = f"{error.text} - {detail}" if detail else error.text
    return {"errorInformation": {"errorCode": error.code, "errorDescription": text[:128]}}


def error_said(body: Any) -> tuple[str, str]:
    """Returns code and words of the error that ``body`` carries, both empty where it carries none.

    An ErrorInformation counts, alone or within another object, and so does ``{message, statusCode}`` with a status from
    400 on: with it services pass on that one whom they asked refused (then the code is that status).
    """
    waiting: list[tuple[Any, int]] = [(body, 0)]
    while waiting:
        part, depth = waiting.pop(0)
        if not isinstance(part, dict):
            continue
        information = part.get("errorInformation")
        if isinstance(information, dict) and isinstance(information.get("errorCode"), str | int):
            return str(information["errorCode"]), _words(information.get("errorDescription"))
        status = part.get("statusCode")
        if isinstance(status, int) and status >= 400 and isinstance(part.get("message"), str):
            return str(status), _words(part["message"])
        if depth < _DEPTH:
            waiting += [(value, depth + 1) for value in part.values()]
    return "", ""


def _words(text: Any) -> str:
    return " ".join(text.split())[:_LONGEST_TEXT] if isinstance(text, str) else ""

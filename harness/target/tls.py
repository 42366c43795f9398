"""How is a connection to the target secured? Its TLS settings as the context that HTTP clients take."""

from __future__ import annotations

import os
import ssl
import tempfile

from harness.errors import UsageError
from harness.target.model import Tls

__all__ = ["context_for"]


def context_for(tls: Tls) -> ssl.SSLContext | bool:
    """Returns what HTTP clients are to verify with; ``True`` where this machine's own trust is enough.

    Raises ``UsageError`` where a certificate or key cannot be read.
    """
    if tls == Tls():
        return True
    context = ssl.create_default_context()
    if tls.ca:
        # only this authority, not every public one besides
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(cadata=tls.ca)
        except (ssl.SSLError, ValueError):
            raise UsageError("tls.ca is no certificate in PEM", remedy="Refer to the authority's PEM file") from None
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.certificate:
        _show(context, tls)
    return context


def _show(context: ssl.SSLContext, tls: Tls) -> None:
    """Loads our certificate and key. The ssl module takes them from files only: one that only we can read, for now."""
    handle, name = tempfile.mkstemp(prefix="harness-tls-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{tls.certificate}\n{tls.key}\n")
        # a key with a passphrase must not stop the program with a question
        context.load_cert_chain(name, password=lambda: "")
    except (ssl.SSLError, OSError, ValueError):
        raise UsageError(
            "tls.certificate and tls.key are no certificate with its private key in PEM",
            remedy="See that they belong together and that the key has no passphrase",
        ) from None
    finally:
        os.unlink(name)

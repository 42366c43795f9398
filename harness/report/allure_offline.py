"""Whom does the Allure page talk to? Nobody: what it would load or tell elsewhere is taken out of it.

Allure 3 puts a visitor counter of its makers' into every page (Google Analytics; no setting turns it off). A report on
a payment hub tells no third party who reads it and when. A Content-Security-Policy (W3C CSP 3) keeps the rest from
reaching out as well, so that nothing that a hub answered can load a picture from where it likes.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["POLICY", "offline"]

POLICY: Final = "default-src 'self' file: data: blob: 'unsafe-inline' 'unsafe-eval'"

_LOADED: Final = re.compile(rb"<script\b[^>]*\bsrc=[\"']https?://[^>]*>\s*</script>\s*", re.IGNORECASE)
# Text of a report within a script is in base64 or escaped: a script that ends before the next begins is one of its own.
_COUNTER: Final = re.compile(
    rb"<script>(?:(?!</script>).){0,2000}?\bgtag\((?:(?!</script>).){0,2000}?</script>\s*", re.DOTALL
)
_HEAD: Final = re.compile(rb"<head[^>]*>", re.IGNORECASE)


def offline(page: bytes) -> bytes:
    """Returns Allure's ``index.html`` without scripts from elsewhere, under a policy that lets it load none."""
    page = _COUNTER.sub(b"", _LOADED.sub(b"", page))
    meta = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'.encode("ascii")
    head = _HEAD.search(page)
    at = head.end() if head else 0
    return page[:at] + meta + page[at:]

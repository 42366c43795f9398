"""Which names say that what stands under them is a secret? One rule for reading targets and for removing secrets."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

__all__ = ["folded", "is_secret_name"]

_SECRET_NAMES = frozenset({
    "authorization", "proxyauthorization", "cookie", "setcookie", "fspiopsignature", "authenticationvalue",
    "xforwardedclientcert", "xclientcert", "xsslcert", "xsslclientcert", "jwssigningkey",
})  # fmt: skip
_SECRET_WORDS = frozenset({
    "password", "passwd", "passphrase", "secret", "secrets", "token", "credential", "credentials", "apikey", "otp",
})  # fmt: skip
_SECRET_PAIRS = frozenset({
    ("api", "key"), ("private", "key"), ("signing", "key"), ("secret", "key"), ("access", "key"), ("client", "cert"),
    ("client", "certificate"), ("client", "key"),
})  # fmt: skip
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether what stands under ``name`` (a header, a body key, a query parameter) is a secret."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if "".join(words) in _SECRET_NAMES or _SECRET_WORDS.intersection(words):
        return True
    return any(pair in _SECRET_PAIRS for pair in pairwise(words))


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """Returns ``name`` without case and separators: ``X-Client-Cert`` and ``xClientCert`` are the same."""
    return "".join(_WORDS.findall(name)).lower()

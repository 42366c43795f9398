"""Who vouches for a bundle? Ed25519 keys from PEM, and DSSE envelopes around what is said of the bundle.

Envelopes are those of https://github.com/secure-systems-lab/dsse (v1), signed and checked by securesystemslib. An
envelope has one canonical text here, so that no byte of it can change unseen either.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, final

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import Error as SecuresystemslibError
from securesystemslib.signer import CryptoSigner, Key, SSlibKey

from harness.errors import HandoverError

__all__ = ["PAYLOAD_TYPE", "Signed", "key_named", "load_public_key", "load_signer", "open_envelope", "seal"]

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
_LARGEST_KEY: Final = 1 << 16
_MAKE_ONE: Final = "Make one with: openssl genpkey -algorithm ed25519 -out key.pem"


def load_signer(key: str, passphrase: str | None = None, environ: Mapping[str, str] = os.environ) -> CryptoSigner:
    """Returns the signer whose private key (PEM, PKCS#8, Ed25519) ``key`` names: a path, ``file:PATH`` or ``env:NAME``.

    ``passphrase`` says where its passphrase stands: ``env:NAME`` or ``file:PATH``. Raises ``HandoverError``; no message
    shows what the key or the passphrase is.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if passphrase is not None and not passphrase.startswith(("env:", "file:")):
        raise HandoverError(
            "the passphrase is given in place, where others can read it", remedy="Give env:NAME or file:PATH"
        )
    if "-----" in key:
        raise HandoverError("the key is given in place, where others can read it", remedy="Give its file or env:NAME")
    pem = _content(key if key.startswith(("env:", "file:")) else f"file:{key}", environ, "key")
    word = _content(passphrase, environ, "passphrase").rstrip(b"\r\n") if passphrase is not None else None
    try:
        private = load_pem_private_key(pem, word)
    except TypeError as problem:
        if word is None:
            raise HandoverError(f"the key {key} has a passphrase", remedy="Give --passphrase env:NAME") from None
        raise HandoverError(f"the key {key} has no passphrase", remedy="Leave out --passphrase") from problem
    except (ValueError, UnsupportedAlgorithm):
        wrong = " that this passphrase opens" if word is not None else ""
        raise HandoverError(f"the key {key} is no private key in PEM{wrong}", remedy=_MAKE_ONE) from None
    if not isinstance(private, Ed25519PrivateKey):
        raise HandoverError(f"the key {key} is not an Ed25519 key", remedy=_MAKE_ONE)
    return CryptoSigner(private)


def load_public_key(path: Path) -> SSlibKey:
    """Returns the public key (PEM, Ed25519) at ``path``. Raises ``HandoverError``, also for a private key."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    pem = _content(f"file:{path}", {}, "public key")
    if b"PRIVATE KEY" in pem:
        raise HandoverError(
            "this is a private key: whoever receives a bundle needs the public one",
            file=path,
            remedy="openssl pkey -in key.pem -pubout -out key.pub",
        )
    try:
        public = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise HandoverError(
            "this is no public key in PEM", file=path, remedy="openssl pkey -in key.pem -pubout -out key.pub"
        ) from None
    if not isinstance(public, Ed25519PublicKey):
        raise HandoverError("this is not an Ed25519 key", file=path, remedy=_MAKE_ONE)
    return SSlibKey.from_crypto(public)


def key_named(keyid: str, public: str) -> SSlibKey | None:
    """Returns the key that a manifest names, by its 32 bytes in hexadecimal; ``None`` where it is no such key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)))
    except ValueError:
        return None
    return key if key.keyid == keyid else None


def seal(payload: bytes, signer: CryptoSigner) -> bytes:
    """Returns ``payload`` in an envelope signed by ``signer``. Ed25519 gives the same bytes each time (RFC 8032)."""
    envelope = Envelope(payload, PAYLOAD_TYPE, {})
    envelope.sign(signer)
    return _text(envelope)


@final
class Signed:
    """An opened envelope. ``payload`` is what it says; nothing of it is to be believed before ``is_by`` holds."""

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope
        self.payload = bytes(envelope.payload)

    @property
    def keyids(self) -> tuple[str, ...]:
        """The ids of the keys that it claims to be signed by."""
        return tuple(sorted(self._envelope.signatures))

    def is_by(self, key: Key) -> bool:
        """Whether ``key``, and nobody else, signed it."""
        try:
            self._envelope.verify([key], 1)
        except (SecuresystemslibError, ValueError):
            return False
        return self.keyids == (key.keyid,)


def open_envelope(data: bytes) -> Signed:
    """Returns the envelope in ``data``. Raises ``ValueError`` saying what is wrong with it."""
    try:
        found: Any = json.loads(data)
        envelope = Envelope.from_dict(found)
        again = _text(envelope)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, SecuresystemslibError) as problem:
        raise ValueError("it is no DSSE envelope") from problem
    if again != data:
        raise ValueError("it is not written as an envelope of ours is: bytes were changed")
    if envelope.payload_type != PAYLOAD_TYPE:
        raise ValueError(f"its payload is not {PAYLOAD_TYPE}")
    return Signed(envelope)


def _text(envelope: Envelope) -> bytes:
    return json.dumps(envelope.to_dict(), sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _content(reference: str, environ: Mapping[str, str], what: str) -> bytes:
    kind, _, place = reference.partition(":")
    if kind == "env":
        if value := environ.get(place, ""):
            return value.encode("utf-8", "surrogateescape")
        raise HandoverError(f"the environment variable {place} is not set, so there is no {what}", remedy="Export it")
    path = Path(place).expanduser()
    try:
        if path.stat().st_size > _LARGEST_KEY:
            raise HandoverError(f"this is too large to be a {what}", file=path, remedy="Name the right file")
        return path.read_bytes()
    except OSError as problem:
        raise HandoverError(
            f"the {what} cannot be read: {problem.strerror or problem}", file=path, remedy="Check path and rights"
        ) from None

"""Which parts of a record are secret, and what stands in their place.

The one place where secrets are removed: the journal writer passes every record and exchange through a ``Redactor``
before a byte is written. Secrets are known by name (a header, a body key, a query parameter), by shape (bearer token,
JWT, PEM block, credentials in a URL) and by value (what the target lists, and what was once seen under a secret name).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from typing import Any, final
from urllib.parse import quote, quote_plus

from harness.model.secret_names import folded, is_secret_name

__all__ = ["MARK", "Redactor", "is_secret_name"]

MARK = "[redacted]"

_SHORTEST_DECLARED = 4
_SHORTEST_LEARNED = 8
"""A learned value is replaced wherever it stands; a short one would eat ordinary words."""
_MOST_LEARNED = 10_000
_SHORT = 120
_MOST_CLEANED = 20_000

_NEVER_LEARNED = frozenset({"fspiopsignature"})
"""Replaced under its name, and not looked for elsewhere: each message has its own, and it opens nothing. Learning them
would make every text dearer with every message."""
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL)
_JWT = re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*")
_SCHEME = re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{4,}", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")
_PARAMETER = re.compile(r"(?P<name>[\w.-]+)=(?P<value>[^&\s;,\"'#]+)")
_JSON_MEMBER = re.compile(
    r'(?P<name>\\?"(?P<key>[\w .-]{1,64})\\?"\s*:\s*)(?P<value>\\"(?:(?!\\").)*\\"|"(?:[^"\\]|\\.)*"|-?\d[\d.]*)'
)


@final
class Redactor:
    """Removes secrets from JSON-able values. Remembers what it saw under secret names."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._cleaned: dict[str, str] = {}
        """Short texts as they were cleaned with the secrets that are known: names and words come again and again."""
        for secret in secrets:
            self._know(secret, _SHORTEST_DECLARED)

    def redact(self, value: Any) -> Any:
        """Returns ``value`` (objects, lists, text, numbers) with every secret replaced by ``[redacted]``."""
        self._learn(value)
        return self._clean(value)

    def text(self, text: str) -> str:
        """Returns ``text`` with every secret in it replaced."""
        if (cleaned := self._cleaned.get(text)) is not None:
            return cleaned
        cleaned = self._replace(text)
        if len(text) <= _SHORT and len(self._cleaned) < _MOST_CLEANED:
            self._cleaned[text] = cleaned
        return cleaned

    def _replace(self, text: str) -> str:
        for name, secret in _named_values(text):
            if is_secret_name(name) and folded(name) not in _NEVER_LEARNED:
                self._know(secret, _SHORTEST_LEARNED)
        if self._pattern is not None:
            text = self._pattern.sub(MARK, text)
        if "-----BEGIN" in text:
            text = _PEM.sub(MARK, text)
        if "eyJ" in text:
            text = _JWT.sub(MARK, text)
        text = _SCHEME.sub(rf"\1 {MARK}", text)
        if "://" in text:
            text = _USERINFO.sub(MARK, text)
        if "=" in text:
            text = _PARAMETER.sub(_parameter, text)
        if '"' in text:
            text = _JSON_MEMBER.sub(_member, text)
        return text

    def _learn(self, value: Any, secret: bool = False) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                if folded(str(name)) not in _NEVER_LEARNED:
                    self._learn(inner, secret or is_secret_name(str(name)))
        elif isinstance(value, list | tuple):
            for inner in value:
                self._learn(inner, secret)
        elif secret and isinstance(value, str):
            for part in {value, *value.split()}:
                self._know(part, _SHORTEST_LEARNED)

    def _know(self, value: str, shortest: int) -> None:
        if len(value.strip()) < shortest or value.startswith("{$") or len(self._values) > _MOST_LEARNED:
            return
        variants = {value, value.strip(), *(line.strip() for line in value.splitlines() if len(line.strip()) >= 16)}
        for text in tuple(variants):
            raw = text.encode("utf-8", "surrogatepass")
            variants |= {
                quote(text, safe="", errors="replace"),
                quote_plus(text, errors="replace"),
                base64.b64encode(raw).decode(),
                base64.urlsafe_b64encode(raw).decode().rstrip("="),
                json.dumps(text)[1:-1],
            }
        if not variants <= self._values:
            self._values |= variants
            longest_first = sorted(self._values, key=lambda text: (-len(text), text))
            self._cleaned.clear()
            self._pattern = re.compile("|".join(re.escape(text) for text in longest_first))

    def _clean(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {
                self.text(str(name)): MARK if _is_secret(str(name), inner) else self._clean(inner)
                for name, inner in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._clean(inner) for inner in value]
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and str(value) in self._values:
            return MARK
        return value


def _is_secret(name: str, value: Any) -> bool:
    if value is None or isinstance(value, bool) or value in ("", [], {}):
        return False
    # a bare "pin" is a person's only where it is digits; elsewhere it is what fixes a suite to a release
    return is_secret_name(name) or (name.lower() == "pin" and str(value).isdigit())


def _named_values(text: str) -> Iterable[tuple[str, str]]:
    if "=" in text:
        for match in _PARAMETER.finditer(text):
            yield match["name"], match["value"]
    if ":" in text:
        for match in _JSON_MEMBER.finditer(text):
            yield match["key"], match["value"].strip('\\"')


def _parameter(match: re.Match[str]) -> str:
    return f"{match['name']}={MARK}" if is_secret_name(match["name"]) else match[0]


def _member(match: re.Match[str]) -> str:
    if not is_secret_name(match["key"]):
        return match[0]
    closing = '\\"' if match["value"].startswith("\\") else '"'
    return f"{match['name']}{closing}{MARK}{closing}"

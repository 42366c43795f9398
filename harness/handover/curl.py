"""How is a recorded request made again from a shell? As a curl line that carries out nothing but that request.

A hub, and whoever talks to it, chooses what stands in it: so every word is quoted, nothing is taken for an option or a
file, and what cannot be shown is written as an escape. For sh where the request is plain text, else for bash or zsh.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["curl_line", "shell_word"]

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")
"""A header's name and a method (RFC 9110, 5.6.2). What is none of these is left out: curl reads ``@name`` as a file."""
_OWN: Final = frozenset({"content-length", "host", "connection", "accept-encoding", "traceparent", "user-agent"})
"""What curl sets itself, and what only belongs to the one recording."""
_LONGEST_BODY: Final = 8_000


def shell_word(text: str) -> str:
    """Returns ``text`` as one word of a shell command; on one line, and with nothing that steers a terminal."""
    if text.isprintable():
        return shlex.quote(text)
    escaped = "".join(
        char if char.isprintable() and char not in "'\\" else "".join(f"\\x{byte:02x}" for byte in _utf8(char))
        for char in text.replace("\0", "")
    )
    return f"$'{escaped}'"


def _utf8(char: str) -> bytes:
    return char.encode("utf-8", "surrogatepass")


def curl_line(request: Mapping[str, Any]) -> str:
    """Returns the line for a recorded request, ``{method, url, headers, body}``; redacted values stay redacted.

    A body beyond 8,000 characters is left out, and the line ends with a comment that says so.
    """
    method, url = str(request.get("method") or "GET"), str(request.get("url") or "")
    words = ["curl", "--silent", "--show-error", "--include", "--globoff", "--proto", "'=http,https'"]
    words += ["--request", shell_word(method) if _TOKEN.match(method) else "GET"]
    headers = request.get("headers")
    for name, value in sorted(headers.items()) if isinstance(headers, Mapping) else ():
        if _TOKEN.match(str(name)) and str(name).lower() not in _OWN:
            words += ["--header", shell_word(f"{name}: {' '.join(str(value).split())}")]
    comment = ""
    body = request.get("body")
    if body not in (None, ""):
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=True, sort_keys=False)
        if len(text) > _LONGEST_BODY:
            comment = f"  # its body of {len(text):,} characters is left out: see exchanges.jsonl"
        else:
            words += ["--data-raw", shell_word(text)]
    return " ".join([*words, "--url", shell_word(url)]) + comment

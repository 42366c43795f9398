"""How is a recorded request made again from a shell? As one line of sh that carries out nothing but that request.

A hub, and whoever talks to it, chooses what stands in it: so every word is quoted, nothing is taken for an option or a
file, and what cannot be shown is written as an escape (``printf``; POSIX.1-2017, Shell and Utilities).
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


def shell_word(text: str) -> str:
    """Returns ``text`` as one word of a shell command; on one line, and with nothing that steers a terminal.

    A NUL, which no word can hold, is left out, and so are line ends at the end of what cannot be printed.
    """
    return shlex.quote(text) if text.isprintable() else f'"$({_printf(text.rstrip(chr(10)))})"'


def curl_line(request: Mapping[str, Any], *, longest: int) -> str:
    """Returns the line for a recorded request, ``{method, url, headers, body}``; redacted values stay redacted.

    A body, or headers, of more than ``longest`` characters are left out, and the line ends with a comment that says so.
    Without a URL, or with one that long, it is nothing but such a comment.
    """
    method, url = str(request.get("method") or "GET"), str(request.get("url") or "")
    if not url or len(url) > longest:
        return f"# its URL {'is not known' if not url else f'has {len(url):,} characters'}: see exchanges.jsonl"
    words = ["curl", "--silent", "--show-error", "--include", "--globoff", "--proto", "'=http,https'"]
    # told to make a HEAD request by --request, curl would wait for a body
    words += ["--head"] if method == "HEAD" else ["--request", shell_word(method) if _TOKEN.match(method) else "GET"]
    left_out, room = [], longest
    headers = request.get("headers")
    for name, value in sorted(headers.items()) if isinstance(headers, Mapping) else ():
        if not _TOKEN.match(str(name)) or str(name).lower() in _OWN:
            continue
        text = " ".join(str(value).replace("\0", "").split())
        room -= len(name) + len(text)
        if room < 0:
            left_out.append(f"header {name[:60]}")
            room += len(name) + len(text)
            continue
        # curl takes "name:" for the wish to send no such header, and "name;" for one without a value
        words += ["--header", shell_word(f"{name}: {text}" if text else f"{name};")]
    before, body = "", request.get("body")
    if body not in (None, ""):
        data = body if isinstance(body, str) else _json(body)
        if len(data) > longest:
            left_out.insert(0, f"body of {len(data):,} characters")
        elif data.isprintable():
            words += ["--data-raw", shlex.quote(data)]
        else:
            before = f"{_printf(data)} | "
            words += ["--data-binary", "@-"]
    comment = f"  # left out: {', '.join(left_out[:9])}: see exchanges.jsonl" if left_out else ""
    return " ".join([before + words[0], *words[1:], "--url", shell_word(url)]) + comment


def _printf(text: str) -> str:
    """Returns the command that prints ``text``, in any sh: octal escapes are the ones that all of them know."""
    escaped = "".join(
        "".join(f"\\{byte:03o}" for byte in char.encode("utf-8", "surrogatepass"))
        if not char.isprintable() or char in "'\\" or (char == "-" and index == 0)
        else char
        for index, char in enumerate(text.replace("\0", ""))
    )
    return f"printf '{escaped.replace('%', '%%')}'"


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=True, default=str)
    except (ValueError, RecursionError) as problem:
        return f"… not shown: {problem}"

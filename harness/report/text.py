"""How words that came from a hub, a case or a worker are made safe and short enough to show on a line.

What is shown can never move the cursor, change the colour or reverse the order of what stands beside it.
"""

from __future__ import annotations

import json
import unicodedata
from typing import Any

from rich.cells import cell_len

__all__ = ["clean", "compact", "crop", "elide", "one_line"]

# Unicode general categories that steer a terminal or a bidirectional layout instead of showing something:
# Cc control, Cf format (but for the joiners that scripts and emoji need), Cs surrogate, Zl and Zp separators.
_STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"
_PIECE = 4_096


def clean(text: str) -> str:
    """Returns ``text`` with every control character but the line feed written out, ``\\x1b`` for instance."""
    text = text.replace("\r\n", "\n").replace("\t", " ")
    # What Python calls printable holds nothing that steers: a hub's megabytes are looked at a piece at a time.
    pieces = (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
    return "".join(piece if piece.isprintable() else _cleaned(piece) for piece in pieces)


def _cleaned(text: str) -> str:
    return "".join(
        char if char == "\n" or char in _JOINERS or unicodedata.category(char) not in _STEERING else _spelt(char)
        for char in text
    )


def _spelt(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def one_line(text: str) -> str:
    """Returns ``text`` cleaned, with all white space folded to single spaces."""
    return " ".join(clean(text).split())


def crop(text: str, width: int, mark: str = "…") -> str:
    """Returns ``text`` in at most ``width`` terminal cells, its end replaced by ``mark`` where it was longer."""
    if cell_len(text) <= width:
        return text
    return _head(text, max(width - cell_len(mark), 0)) + mark


def elide(text: str, width: int, mark: str = "…") -> str:
    """Returns ``text`` in at most ``width`` terminal cells, its middle replaced by ``mark`` where it was longer.

    Two thirds of the room go to the end, where an id has what tells it from its siblings.
    """
    if cell_len(text) <= width:
        return text
    room = max(width - cell_len(mark), 0)
    head = _head(text, room // 3)
    return head + mark + _tail(text, room - cell_len(head))


def _head(text: str, width: int) -> str:
    used = 0
    for index, char in enumerate(text):
        used += cell_len(char)
        if used > width:
            return text[:index]
    return text


def _tail(text: str, width: int) -> str:
    return _head(text[::-1], width)[::-1]


def compact(value: Any) -> str:
    """Returns an expected or actual value as one line of JSON; what JSON cannot hold as its ``repr``."""
    try:
        return one_line(json.dumps(value, ensure_ascii=False, sort_keys=True))
    except (TypeError, ValueError):
        return one_line(repr(value))

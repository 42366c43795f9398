"""How a check is named, stably across runs, machines, workers and order.

``path::case[#n]::step[#n]::check[#n]``; ``#n`` only where a label repeats among its siblings, counting from 2.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = [
    "SCHEMES",
    "SEPARATOR",
    "CheckId",
    "Numbering",
    "escape_label",
    "fingerprint",
    "number_labels",
    "unescape_label",
]

SEPARATOR = "::"
SCHEMES = "scheme_rules/"
"""What the ids of a Scheme's own cases begin with; those of a product's suite never do."""
_NUMBERED = re.compile(r"#(\d+)$")


def escape_label(label: str) -> str:
    r"""Returns ``label`` as one segment of an id: white space folded, ``::`` and a closing ``#7`` made unambiguous.

    ``\`` becomes ``\\``, a colon that follows a colon or begins or ends the label ``\c``, a closing ``#7`` ``\#7``.
    """
    text = " ".join(label.split()).replace("\\", "\\\\")
    text = re.sub(r"(?<=:):|^:|:$", r"\\c", text)
    return _NUMBERED.sub(r"\\#\1", text)


def unescape_label(segment: str) -> str:
    """Returns the label that ``escape_label`` was given (white space folded), without its ``#n``."""
    bare = re.sub(r"(?<!\\)#\d+$", "", segment)
    return re.sub(r"\\([\\c#])", lambda match: ":" if match[1] == "c" else match[1], bare)


class Numbering:
    """Gives siblings distinct segments: the first ``label``, then ``label#2``, ``label#3``."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def segment(self, label: str) -> str:
        """Returns the next free segment for ``label``. An empty label becomes ``unnamed``."""
        name = escape_label(label) or "unnamed"
        self._seen[name] += 1
        count = self._seen[name]
        return name if count == 1 else f"{name}#{count}"


def number_labels(labels: Iterable[str]) -> list[str]:
    """Returns one distinct segment per label, in order."""
    numbering = Numbering()
    return [numbering.segment(label) for label in labels]


@dataclass(frozen=True, slots=True, order=True)
class CheckId:
    """A check's address. ``case``, ``step`` and ``check`` are segments, already escaped and numbered."""

    path: str
    case: str
    step: str
    check: str

    def __str__(self) -> str:
        return SEPARATOR.join((self.path, self.case, self.step, self.check))

    @property
    def case_id(self) -> str:
        """``path::case``."""
        return SEPARATOR.join((self.path, self.case))

    @property
    def step_id(self) -> str:
        """``path::case::step``."""
        return SEPARATOR.join((self.path, self.case, self.step))

    @classmethod
    def parse(cls, text: str) -> CheckId:
        """Reads what ``str`` gave. Raises ``ValueError`` on anything else."""
        parts = text.split(SEPARATOR)
        if len(parts) != 4 or not all(parts):
            raise ValueError(f"not a check id: {text!r} (expected path::case::step::check)")
        return cls(*parts)


def fingerprint(method: str, operation: str, assertion: str) -> str:
    """Returns 16 hex digits that stand for what a check means: method, operation path and assertion, white space apart.

    Two checks with one id and different fingerprints ask different questions.
    """
    text = "\x1f".join("".join(part.split()) for part in (method.lower(), operation, assertion))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]

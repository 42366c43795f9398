"""Where does a credential come from? ``env:NAME`` or ``file:PATH``; one written into a target file is refused.

No message shows a value: what was given in place may be the secret itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from harness.errors import InputError, TargetError
from harness.yaml_document import YamlDocument

__all__ = ["References", "looks_like_a_reference"]

_LARGEST = 1 << 20


def looks_like_a_reference(text: object) -> bool:
    """Whether ``text`` says where a value stands, rather than being it."""
    return isinstance(text, str) and text.startswith(("env:", "file:")) and len(text.partition(":")[2].strip()) > 0


@final
@dataclass(frozen=True, slots=True)
class References:
    """Resolves what one file refers to. Paths are relative to the file's folder."""

    document: YamlDocument
    file: Path
    environ: Mapping[str, str]
    raises: type[InputError] = TargetError
    """The error for a reference of this file."""

    def value(self, reference: object, *location: str | int) -> str:
        """Returns what ``reference``, which stands at ``location`` of the document, refers to.

        Raises ``TargetError`` (or what ``raises`` says) with the line where it is no reference, or nothing is where it
        points to.
        """
        if not looks_like_a_reference(reference):
            raise self.error(
                f"{_name(location)} holds a credential in place",
                location,
                "Write env:NAME or file:PATH and keep the value there; whoever could read this file should replace it",
            )
        kind, _, place = str(reference).partition(":")
        return self._variable(place, location) if kind == "env" else self._content(place, location)

    def error(self, message: str, location: Sequence[str | int], remedy: str) -> InputError:
        """Returns the error about what stands at ``location``."""
        return self.raises(message, file=self.file, place=self.document.place(location), remedy=remedy)

    def _variable(self, name: str, location: Sequence[str | int]) -> str:
        if value := self.environ.get(name, ""):
            return value
        raise self.error(f"the environment variable {name} is not set", location, f"Export {name} before the command")

    def _content(self, name: str, location: Sequence[str | int]) -> str:
        path = self.file.parent / Path(name).expanduser()
        try:
            if path.stat().st_size > _LARGEST:
                raise self.error(f"{path} is larger than a credential", location, "Name the right file")
            text = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as problem:
            reason = problem.strerror if isinstance(problem, OSError) else "it is no text"
            raise self.error(f"{path} cannot be read: {reason}", location, "Correct the path or its rights") from None
        if not text:
            raise self.error(f"{path} is empty", location, "Put the credential there")
        return text


def _name(location: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in location)

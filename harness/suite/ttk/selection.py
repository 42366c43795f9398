"""Which cases were asked for, by label or by an expression over names? Takes from a suite; changes no order."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Never, TypeAlias, final

from harness.errors import UsageError
from harness.suite.ttk.folder import Suite
from harness.suite.ttk.model import Case

__all__ = ["Predicate", "any_label", "keep", "named"]

Predicate: TypeAlias = Callable[[Case], bool]
_TOKEN = re.compile(r"""\s*(?:(?P<bracket>[()])|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<word>[^\s()"']+))""")


def any_label(labels: Collection[str]) -> Predicate:
    """Returns whether a case has any of ``labels``; with none given every case is meant, as in the reference engine."""
    wanted = frozenset(labels)
    return lambda case: not wanted or not wanted.isdisjoint(case.labels)


def named(expression: str) -> Predicate:
    """Returns whether a case's path and name fit ``expression``: words joined by ``and``, ``or``, ``not``, brackets.

    A word fits where it stands anywhere in path, name or a label, small and capital letters alike; words with spaces
    go in quotes. Raises ``UsageError`` naming the column of what cannot be read.
    """
    return _Expression(expression).whole()


def keep(suite: Suite, wanted: Predicate) -> Suite:
    """Returns ``suite`` with those cases alone for which ``wanted`` holds; files without any are left out."""
    files = (
        replace(file, collection=replace(file.collection, cases=tuple(filter(wanted, file.collection.cases))))
        for file in suite.files
    )
    return replace(suite, files=tuple(file for file in files if file.collection.cases))


@final
@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    is_word: bool
    column: int


@final
class _Expression:
    """Recursive descent: or, then and, then not, then a word or brackets."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._read()
        self._at = 0

    def _read(self) -> list[_Token]:
        tokens = []
        end = 0
        while self._text[end:].strip():
            match = _TOKEN.match(self._text, end)
            if match is None:
                self._refuse("a quote is not closed", end + 1)
            kind = match.lastgroup or ""
            word = match[kind]
            is_word = kind in ("double", "single") or (kind == "word" and word not in ("and", "or", "not"))
            tokens.append(_Token(word, is_word, match.start(kind) + 1))
            end = match.end()
        return tokens

    def _refuse(self, message: str, column: int) -> Never:
        remedy = "Write words joined by and, or, not; words with spaces in quotes"
        raise UsageError(f"{self._text!r} cannot be read: column {column}: {message}", remedy=remedy)

    def _next(self, *texts: str) -> bool:
        if self._at < len(self._tokens):
            token = self._tokens[self._at]
            if not token.is_word and token.text in texts:
                self._at += 1
                return True
        return False

    def whole(self) -> Predicate:
        if not self._tokens:
            self._refuse("there is nothing in it", 1)
        found = self._either(0)
        if self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._refuse(f"and, or, or the end is expected, not {token.text!r}", token.column)
        return found

    def _either(self, depth: int) -> Predicate:
        parts = [self._both(depth)]
        while self._next("or"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else lambda case: any(part(case) for part in parts)

    def _both(self, depth: int) -> Predicate:
        parts = [self._one(depth)]
        while self._next("and"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else lambda case: all(part(case) for part in parts)

    def _one(self, depth: int) -> Predicate:
        if self._at == len(self._tokens):
            self._refuse("a word is missing at the end", len(self._text) + 1)
        token = self._tokens[self._at]
        if depth > 100:
            self._refuse("it is nested too deeply", token.column)
        if self._next("not"):
            inner = self._one(depth + 1)
            return lambda case: not inner(case)
        if self._next("("):
            inner = self._either(depth + 1)
            if not self._next(")"):
                self._refuse("this bracket is not closed", token.column)
            return inner
        if not token.is_word or not token.text:
            self._refuse(f"a word is expected, not {token.text!r}", token.column)
        self._at += 1
        word = token.text.casefold()
        return lambda case: any(word in text.casefold() for text in (case.case_id, case.name, *case.labels))

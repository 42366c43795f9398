"""What do the rule files of a Testing Toolkit say? Reads them as they are; whatever is not understood is an error."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from harness.engine.rules.model import (
    FACTS,
    Condition,
    Conditions,
    Event,
    EventType,
    Operator,
    Rule,
    RuleBook,
    Script,
)
from harness.errors import CollectionError
from harness.suite.ttk.jsontext import JsonPath, place_of, read_json

__all__ = ["load_rules"]

_KINDS = ("validation", "callback", "response")
_ENGINES = ("javascript", "postman")
_LONGEST_DELAY_MS = 600_000


def load_rules(path: Path) -> RuleBook:
    """Returns the rules in folder ``path``: its ``rules_validation``, ``rules_callback`` and ``rules_response``.

    Of each the active file is read: the one that ``config.json`` names as ``activeRulesFile``, else ``default.json``.
    A kind without a folder has no rules. Raises ``CollectionError`` with file, line and column of what is wrong.
    """
    folders = {kind: path / f"rules_{kind}" for kind in _KINDS}
    if not any(folder.is_dir() for folder in folders.values()):
        names = ", ".join(f"rules_{kind}" for kind in _KINDS)
        raise CollectionError(f"holds none of {names}", file=path, remedy="Name the folder above the rule folders")
    return RuleBook(**{kind: _load(_active(folder)) for kind, folder in folders.items() if folder.is_dir()})


def _active(folder: Path) -> Path:
    config = folder / "config.json"
    if not config.is_file():
        return folder / "default.json"
    document, text = read_json(config)
    name = document.get("activeRulesFile") if isinstance(document, dict) else None
    if not isinstance(name, str) or Path(name).name != name:
        raise CollectionError("must name activeRulesFile, a file beside it", file=config, place=place_of(text, ()))
    return folder / name


def _load(file: Path) -> tuple[Rule, ...]:
    document, text = read_json(file)
    reader = _Reader(file, text)
    return tuple(reader.rule(each, (index,)) for index, each in enumerate(reader.list(document, ())))


class _Reader:
    """Reads one file; every complaint names the place."""

    def __init__(self, file: Path, text: str) -> None:
        self._file = file
        self._text = text

    def rule(self, data: Any, at: JsonPath) -> Rule:
        """Returns one rule."""
        rule = self.object(data, at)
        return Rule(
            id=str(rule.get("ruleId", at[-1])),
            description=str(rule.get("description") or ""),
            conditions=self.conditions(rule.get("conditions"), (*at, "conditions")),
            event=self.event(rule.get("event"), (*at, "event")),
        )

    def conditions(self, data: Any, at: JsonPath) -> Conditions:
        """Returns ``all`` and ``any``; anything beside them is refused, for it would be passed over."""
        given = self.object(data, at)
        if unknown := sorted(given.keys() - {"all", "any"}):
            self.refuse(f"must hold all or any, not {', '.join(unknown)}", (*at, unknown[0]))
        if not given:
            self.refuse("must hold all or any: a rule without conditions would take every call", at)
        parts = {
            name: tuple(
                self.condition(each, (*at, name, index)) for index, each in enumerate(self.list(rows, (*at, name)))
            )
            for name, rows in given.items()
        }
        return Conditions(**parts)

    def condition(self, data: Any, at: JsonPath) -> Condition | Conditions:
        """Returns one comparison, or a nested group."""
        given = self.object(data, at)
        if "all" in given or "any" in given:
            return self.conditions(given, at)
        fact, path = given.get("fact"), given.get("path")
        if fact not in FACTS:
            self.refuse(f"must name a fact: {', '.join(FACTS)}", (*at, "fact"))
        try:
            operator = Operator(str(given.get("operator")))
        except ValueError:
            self.refuse(f"must name an operator: {', '.join(Operator)}", (*at, "operator"))
        if "value" not in given:
            self.refuse("must hold a value", at)
        if path is not None and not isinstance(path, str):
            self.refuse("must be text", (*at, "path"))
        value = given["value"]
        return Condition(fact, operator, value.lower() if fact == "method" and isinstance(value, str) else value, path)

    def event(self, data: Any, at: JsonPath) -> Event:
        """Returns what the rule does."""
        given = self.object(data, at)
        try:
            kind = EventType(str(given.get("type")))
        except ValueError:
            self.refuse(f"must name a type of event: {', '.join(EventType)}", (*at, "type"))
        inside: JsonPath = (*at, "params")
        params = self.object(given.get("params") or {}, inside)
        headers = self.object(params.get("headers") or {}, (*inside, "headers"))
        for name in ("method", "path"):
            if given.get(name) is not None and not isinstance(given[name], str):
                self.refuse("must be text", (*at, name))
        if kind is EventType.FORWARD and not isinstance(params.get("dfspId"), str):
            self.refuse("must name dfspId, the DFSP that gets the call", inside)
        delay_at = at if "delay" in given else inside
        return Event(
            type=kind,
            body=params.get("body"),
            headers={name: str(value) for name, value in headers.items() if value is not None},
            delay_ms=self.number(given.get("delay", params.get("delay")), (*delay_at, "delay"), _LONGEST_DELAY_MS) or 0,
            status=self.number(params.get("statusCode"), (*inside, "statusCode"), 599),
            script=self.script(params.get("scripts"), (*inside, "scripts")),
            method=given.get("method"),
            path=given.get("path"),
            to=params.get("dfspId"),
        )

    def script(self, data: Any, at: JsonPath) -> Script | None:
        """Returns the script, ``None`` where there is nothing to run."""
        given = self.object(data or {}, at)
        lines = [str(line) for line in self.list(given.get("exec") or [], (*at, "exec"))]
        engine = given.get("scriptingEngine") or "postman"
        if engine not in _ENGINES:
            self.refuse(f"must be one of {', '.join(_ENGINES)}", (*at, "scriptingEngine"))
        source = "\n".join(lines)
        return Script(source, engine) if source.strip() else None

    def number(self, data: Any, at: JsonPath, most: int) -> int | None:
        """Returns a whole number that may be written as text, ``None`` where there is none."""
        if data is None or data == "":
            return None
        text = str(data)
        if isinstance(data, bool) or not text.isdecimal() or int(text) > most:
            self.refuse(f"must be a whole number up to {most}", at)
        return int(text)

    def object(self, data: Any, at: JsonPath) -> Mapping[str, Any]:
        """Returns ``data``, which must be an object."""
        if not isinstance(data, dict):
            self.refuse("must be an object", at)
        return data

    def list(self, data: Any, at: JsonPath) -> list[Any]:
        """Returns ``data``, which must be a list."""
        if not isinstance(data, list):
            self.refuse("must be a list", at)
        return data

    def refuse(self, message: str, at: JsonPath) -> NoReturn:
        """Raises ``CollectionError`` that names the place."""
        raise CollectionError(message, file=self._file, place=place_of(self._text, at))

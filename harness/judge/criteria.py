"""What does a Scheme demand of a release? Its rules, read from ``scheme_rules/<scheme>/criteria.yaml``.

What a rule may say stands in ``vocabulary.py``, how it is judged in ``rules.py``.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from harness.errors import CriteriaError
from harness.judge.unreachable import unreachable
from harness.judge.vocabulary import ClassAtMost, Name, Part, Rule
from harness.model.outcome import ComparisonClass
from harness.yaml_document import YamlDocument, parse_yaml, read_text, validated

__all__ = ["Criteria", "criteria_schema", "load_criteria", "load_scheme", "parse_criteria", "refuse_repeated_ids"]


class _Document(Part):
    scheme: Name
    title: Name
    environment_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """From this share of the failing cases on, causes in environment or provisioning make a run inconclusive."""
    waiver_days_at_most: Annotated[int, Field(ge=1, le=366)] = 180
    """How long after its approval a waiver may expire at the latest."""
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]


class Criteria(_Document):
    """A Scheme's rules and the SHA-256 of the file they were read from."""

    digest: str = ""
    places: dict[str, str] = Field(default_factory=dict)
    """Of each rule's id, file and line at which it stands."""

    def bound(self, kind: ComparisonClass) -> int:
        """Returns how many checks of ``kind`` the Scheme accepts in the whole run: its strictest bound, else 0."""
        bounds = [
            rule.at_most
            for rule in self.rules
            if isinstance(rule, ClassAtMost) and not rule.filtered and kind in rule.classes
        ]
        return min(bounds, default=0)


def load_criteria(path: Path) -> Criteria:
    """Returns the criteria in the file ``path``. Raises ``CriteriaError`` naming file, line and remedy."""
    return parse_criteria(read_text(path, CriteriaError, what="criteria file"), path)


def load_scheme(folder: Path, scheme: str | None = None) -> Criteria:
    """Returns the criteria in ``folder`` of ``scheme``, by default the one that the folder is named after.

    Raises ``CriteriaError``, also for another Scheme's: a folder copied and not renamed inside would else approve under
    that Scheme's name.
    """
    criteria, name = load_criteria(folder / "criteria.yaml"), scheme or folder.absolute().name
    if criteria.scheme != name:
        raise CriteriaError(
            f"the criteria are of scheme {criteria.scheme!r}, the folder is that of {name!r}",
            file=folder / "criteria.yaml",
            place="scheme",
            remedy="Give both the same name",
        )
    return criteria


def parse_criteria(text: str, file: Path | str) -> Criteria:
    """Returns the criteria in ``text``; ``file`` is what errors name. Raises ``CriteriaError``."""
    document = parse_yaml(text, file, CriteriaError)
    refuse_repeated_ids(document, "rules", "rule")
    read = validated(document, _Document, CriteriaError)
    if found := unreachable(read.rules):
        index, why = found
        raise CriteriaError(
            f"the rule {read.rules[index].id!r} can never decide anything: {why}",
            file=document.file,
            place=document.place(("rules", index)),
            remedy="Remove it, or correct the one of the two that is wrong",
        )
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    places = {
        rule.id: f"{Path(document.file).name}, {document.place(('rules', index)).partition(' (')[0]}"
        for index, rule in enumerate(read.rules)
    }
    return Criteria(**{name: getattr(read, name) for name in _Document.model_fields}, digest=digest, places=places)


def criteria_schema() -> dict[str, Any]:
    """Returns the JSON Schema of ``criteria.yaml``, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_Document.model_json_schema()}


def refuse_repeated_ids(document: YamlDocument, key: str, noun: str) -> None:
    """Raises ``CriteriaError`` where two entries of the list under ``key`` have one id; ``noun`` is what each is."""
    entries = document.data.get(key) if isinstance(document.data, dict) else None
    seen: dict[str, int] = {}
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        name = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(name, str):
            continue
        if name in seen:
            raise CriteriaError(
                f"two {noun}s have the id {name!r}",
                file=document.file,
                place=document.place((key, index, "id")),
                remedy=f"Rename one; the first is on {document.place((key, seen[name], 'id'))}",
            )
        seen[name] = index

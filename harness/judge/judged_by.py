"""Against what was a run judged? ``judged-by.json`` beside ``verdict.json``, so that others judge it by the same.

It holds what was asked for; what was found under those names stands with digests in ``inputs`` of ``verdict.json``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.errors import InputError

__all__ = ["JUDGED_BY", "BaselineName", "JudgedBy", "changed_inputs", "judged_by_schema", "read_judged_by"]

JUDGED_BY: Final = "judged-by.json"

_Text = Annotated[str, Field(min_length=1)]

_NOUNS: Final = {
    "baseline_problem": "whether the baseline can be read",
    "journal": "the journal",
    "release": "the manifest of the release",
    "scheme": "the Scheme of the run",
    "suite": "the suite of the run",
    "target": "the target of the run",
    "tool": "the tool that ran",
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BaselineName(_Part):
    """A baseline by its release or by its folder, relative to the workspace where it lies in it."""

    release: _Text | None = None
    folder: _Text | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.release is None) == (self.folder is None):
            raise ValueError("a baseline is named by either 'release' or 'folder'")
        return self


class JudgedBy(_Part):
    """What a run was judged against. ``null`` is what the run itself names, or what the Scheme has.

    Paths are relative to the workspace where they lie in it.
    """

    format: Literal[1] = 1
    tool: _Text
    """The version of the harness that judged."""
    scheme: _Text | None = None
    criteria: _Text | None = None
    """A file of criteria instead of the Scheme's."""
    baseline: BaselineName | None = None
    """Instead of the baseline of the run's release."""
    fallback: BaselineName | None = None
    """What takes the place of a baseline made of fewer than ``minimum_runs``."""
    minimum_runs: Annotated[int, Field(ge=1)] = 3
    waivers: _Text | None = None
    """A file of waivers instead of those beside the criteria."""

    @property
    def plain(self) -> bool:
        """Whether nothing but what the run itself names was asked for."""
        return self == JudgedBy(tool=self.tool)

    def to_json(self) -> str:
        """Returns ``judged-by.json``: the same text for the same."""
        return json.dumps(self.model_dump(exclude_defaults=False), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def read_judged_by(folder: Path) -> JudgedBy | None:
    """Returns what the run in ``folder`` was judged against, ``None`` where it never was. Raises ``InputError``."""
    path = folder / JUDGED_BY
    try:
        return JudgedBy.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as problem:
        said = problem.errors(include_url=False)[0]["msg"] if isinstance(problem, ValidationError) else problem
        raise InputError(
            f"what the run was judged against cannot be read: {said}",
            file=path,
            remedy="Remove the file and decide again with harness judge",
        ) from None


def judged_by_schema() -> dict[str, Any]:
    """Returns the JSON Schema of ``judged-by.json``."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **JudgedBy.model_json_schema()}


def changed_inputs(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Returns what differs between the ``inputs`` of two verdicts on one run, in words a person can look for.

    A key that only one of them has tells of another version of the harness, not of a change.
    """
    return [
        _change(name, before[name], now[name])
        for name in sorted(before.keys() & now.keys())
        if before[name] != now[name]
    ]


def _change(name: str, before: Any, now: Any) -> str:
    noun = _NOUNS.get(name, f"the {name.replace('_', ' ')}")
    if not isinstance(before, Mapping) or not isinstance(now, Mapping):
        return f"{noun} ({_shown(before)} then, {_shown(now)} now)"
    parts = [
        f"{key.removesuffix('_sha256')} {_shown(before.get(key))} then, {_shown(now.get(key))} now"
        for key in sorted(before.keys() | now.keys())
        if before.get(key) != now.get(key)
    ]
    return f"{noun} ({'; '.join(parts)})"


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, Mapping):
        return "there"
    text = str(value)
    return text if len(text) <= 24 else f"{text[:20]}…"

"""Every error the harness raises on purpose.

HarnessError                      exit code 3 unless said otherwise
├── UsageError                    the call cannot be carried out as asked
├── TargetBusyError               another night uses the target, exit code 2
├── WorkspaceError                no workspace here, or a part of it is missing
├── InputError                    a file or document cannot be used: names file, place, remedy
│   ├── TargetError               a target description
│   ├── SuiteError                a suite, its pin, a case definition
│   │   └── CollectionError       a TTK collection
│   ├── ReleaseError              a release manifest or release notes
│   ├── BaselineError             a baseline
│   ├── CriteriaError             a Scheme's criteria or waivers
│   ├── NightlyError              a Scheme's plan of nights
│   ├── JournalError              a run's journal that cannot be read at all
│   └── HandoverError             a bundle, a key, or the place that one is published to
├── ToolError                     a program beside ours that was asked for is absent or failed
├── ProvisioningError             the target refused to set up what a case needs (becomes a case's cause)
└── InternalError                 our own fault, exit code 4
"""

from __future__ import annotations

from pathlib import Path

__all__ = [
    "BaselineError",
    "CollectionError",
    "CriteriaError",
    "HandoverError",
    "HarnessError",
    "InputError",
    "InternalError",
    "JournalError",
    "NightlyError",
    "ProvisioningError",
    "ReleaseError",
    "SuiteError",
    "TargetBusyError",
    "TargetError",
    "ToolError",
    "UsageError",
    "WorkspaceError",
]


class HarnessError(Exception):
    """Base of all errors meant for a user. ``exit_code`` is what the process ends with."""

    exit_code = 3

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}. {self.remedy}" if self.remedy else self.message


class UsageError(HarnessError):
    """The call cannot be carried out as asked."""


class TargetBusyError(HarnessError):
    """Another night uses the target, so nothing is known of this one."""

    exit_code = 2


class WorkspaceError(HarnessError):
    """No workspace where one is needed, or a part of it is missing."""


class InputError(HarnessError):
    """A file cannot be used. ``file`` and ``place`` (line, or a path in the document) say where."""

    def __init__(
        self, message: str, *, file: Path | str | None = None, place: str | None = None, remedy: str | None = None
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.file = file
        self.place = place

    def __str__(self) -> str:
        where = ", ".join(str(part) for part in (self.file, self.place) if part)
        text = super().__str__()
        return f"{where}: {text}" if where else text


class TargetError(InputError):
    """A target description is unusable."""


class SuiteError(InputError):
    """A suite, its pin or a case definition is unusable."""


class CollectionError(SuiteError):
    """A TTK collection is malformed."""


class ReleaseError(InputError):
    """A release manifest is unusable."""


class BaselineError(InputError):
    """A baseline is absent or unusable."""


class CriteriaError(InputError):
    """A Scheme's criteria or waivers are unusable."""


class NightlyError(InputError):
    """A Scheme's plan of nights is unusable."""


class JournalError(InputError):
    """A journal cannot be read at all. Damage that leaves evidence behind is not an error but a finding."""


class HandoverError(InputError):
    """A bundle cannot be made, read or published, or a key cannot be used."""


class ToolError(HarnessError):
    """A program that is not part of the harness, and is needed for what was asked, is absent or failed."""


class ProvisioningError(HarnessError):
    """The target refused what a case needs before it can start. Ends that case, not the run."""


class InternalError(HarnessError):
    """Our own fault."""

    exit_code = 4

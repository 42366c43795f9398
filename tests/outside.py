"""Programs that tests use and pip does not bring. Where one is absent its tests are skipped, and fail in CI.

CI sets ``HARNESS_REQUIRE_TOOLS=1``, so that there a skipped test is a failure.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

__all__ = ["allure", "chromium", "curl"]

_NODE_MODULES = Path(__file__).parent / "tools" / "node_modules" / ".bin"


def allure() -> Path:
    """Returns the command line of Allure 3 (``make tools`` brings it)."""
    return _needed("allure", "make tools", _NODE_MODULES)


def chromium() -> Path:
    """Returns Chromium (Debian's package ``chromium``). Start it headless and with ``--no-sandbox``, as root must."""
    return _needed("chromium", "apt-get install chromium")


def curl() -> Path:
    """Returns curl (Debian's package ``curl``)."""
    return _needed("curl", "apt-get install curl")


def _needed(name: str, remedy: str, *folders: Path) -> Path:
    found = shutil.which(name, path=os.pathsep.join([*map(str, folders), os.environ.get("PATH", "")]))
    if found is not None:
        return Path(found)
    text = f"{name} is not installed: {remedy}"
    if os.environ.get("HARNESS_REQUIRE_TOOLS"):
        pytest.fail(text)
    pytest.skip(text)

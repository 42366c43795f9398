"""What the modules of this folder share."""

from __future__ import annotations

import pytest

from tests.nightly.lab import Lab, make_lab


@pytest.fixture(scope="session")
def shared_lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A lab, made once. Who uses it removes its reports first."""
    return make_lab(tmp_path_factory.mktemp("lab") / "workspace")

"""A hub that is kept outlives who started it, is found again, and ends when its file goes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.errors import UsageError
from harness.hub import kept
from harness.hub.config import HubConfig
from harness.hub.kept import KeptHub, stop_kept
from tests.hub.world import COMPONENTS

CONFIG = HubConfig(release="v17.1.0", components=COMPONENTS)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "reports" / "kept-hub.json"
    yield path
    stop_kept(path)


def answers(hub: KeptHub) -> bool:
    try:
        return httpx.get(f"{hub.services['central-ledger']}/health", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def test_it_is_started_once_and_found_again(file: Path) -> None:
    first = KeptHub.find_or_start(file, CONFIG)
    assert first.is_new
    first.stop()
    assert answers(first)
    second = KeptHub.find_or_start(file, CONFIG)
    assert (second.is_new, second.services, second.alive) == (False, first.services, True)


def test_one_with_other_settings_is_refused(file: Path) -> None:
    KeptHub.find_or_start(file, CONFIG)
    with pytest.raises(UsageError, match="hub stop"):
        KeptHub.find_or_start(file, replace(CONFIG, defects=("quote-slow",)))


def test_it_ends_when_it_is_told_to(file: Path) -> None:
    hub = KeptHub.find_or_start(file, CONFIG)
    assert stop_kept(file)
    assert not answers(hub)
    assert not hub.alive
    assert not stop_kept(file)


def test_one_that_ends_as_soon_as_its_file_is_gone_was_there(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def alive(said: Mapping[str, Any]) -> bool:
        return file.exists()

    monkeypatch.setattr(kept, "_is_alive", alive)
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"pid": 1, "services": {}}))
    assert stop_kept(file)
    assert not file.exists()


@pytest.mark.parametrize("text", ["", "{}", '{"pid": 1, "services": {"central-ledger": "http://127.0.0.1:9"}}', "[1]"])
def test_a_file_of_a_hub_that_has_gone_is_replaced(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(text)
    hub = KeptHub.find_or_start(file, CONFIG)
    assert (hub.is_new, answers(hub)) == (True, True)
    assert json.loads(file.read_text())["services"] == hub.services

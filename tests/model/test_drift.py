"""What runs and was not released is told with its direction, and a lone difference as the hotfix that it is."""

from __future__ import annotations

import pytest

from harness.model.drift import drifts
from harness.model.records import ServiceProbed

RELEASED = {"central-ledger": "19.8.3", "quoting-service": "17.12.1", "ml-api-adapter": "16.5.9"}


def probes(**running: str) -> list[ServiceProbed]:
    found = {**RELEASED, **{name.replace("_", "-"): version for name, version in running.items()}}
    return [
        ServiceProbed(service=name, url="", status="ok", version=found[name], expected_version=expected)
        for name, expected in RELEASED.items()
    ]


def test_what_runs_as_released_is_no_drift() -> None:
    assert drifts(probes(central_ledger="v19.8.3")) == []


@pytest.mark.parametrize(
    ("version", "way"),
    [("19.8.4", "ahead of"), ("19.10.0", "ahead of"), ("19.8.2", "behind"), ("19.8.3-hotfix.1", "behind")],
)
def test_a_lone_component_is_a_hotfix_out_of_sync(version: str, way: str) -> None:
    (drift,) = drifts(probes(central_ledger=version))
    assert f"central-ledger runs {version}, the release has 19.8.3" in drift.text
    assert f"alone {way} it" in drift.text
    assert "hotfix is out of sync" in drift.text
    assert "19.8.3" in drift.remedy


def test_where_several_differ_it_is_another_release_and_no_hotfix() -> None:
    found = drifts(probes(central_ledger="19.9.0", quoting_service="17.13.0"))
    assert len(found) == 2
    assert not [drift for drift in found if "hotfix" in drift.text]


def test_two_base_urls_that_are_swapped_are_told() -> None:
    first, _ = drifts(probes(central_ledger="17.12.1", quoting_service="19.8.3"))
    assert "that is the version of quoting-service" in first.text
    assert "swapped" in first.remedy

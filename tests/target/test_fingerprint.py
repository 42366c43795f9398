"""Two environments are put side by side; what is not known of one is never the same, and a kept file stays whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli import app
from harness.errors import TargetError
from harness.model.records import ServiceProbed
from harness.target.fingerprint import Fingerprint, Parity, compare_fingerprints, fingerprint_of, read_fingerprint
from harness.target.load import REQUIRED_SERVICES, load_target
from harness.target.model import Stage, Target
from harness.target.standard import load_standard
from tests.support import REPOSITORY
from tests.target.servers import WELL, serving, target_of

STANDARD = load_standard(REPOSITORY / "scheme_rules/example/standard.yaml")


def seen(version: str | None = "19.8.3", **more: Any) -> Fingerprint:
    target = Target(name="t", kind="environment", services={}, **more)
    probe = ServiceProbed(
        service="central-ledger", url="", status="ok", version=version, expected_version=None,
        dependencies={"broker": "OK"},
    )  # fmt: skip
    return fingerprint_of(target, [probe], STANDARD)


def parities(one: Fingerprint, other: Fingerprint) -> dict[str, Parity]:
    return {row.name: row.parity for row in compare_fingerprints(one, other) if row.parity is not Parity.SAME}


def test_what_differs_is_told_by_section() -> None:
    one = seen(facts={"fx": True, "only": 1}, dependencies={"kafka": "3.7"}, has=("api-gateway",))
    other = seen("19.8.4", facts={"fx": False}, dependencies={"kafka": "3.6"}, stage=Stage.PRODUCTION)
    found = parities(one, other)
    assert {name: found[name].value for name in ("central-ledger", "fx", "kafka", "second-zone")} == dict.fromkeys(
        ("central-ledger", "fx", "kafka", "second-zone"), "differs"
    )
    assert found["only"] is Parity.ONLY_FIRST
    assert "api-gateway" not in found


def test_the_same_environment_has_the_same_fingerprint() -> None:
    assert seen(has=()).digest == seen(has=()).digest
    assert parities(seen(has=()), seen(has=())) == {}


def test_what_is_not_known_of_both_is_not_the_same() -> None:
    assert parities(seen(None, has=()), seen(None, has=())) == {"central-ledger": Parity.UNKNOWN}


def test_an_element_that_is_not_declared_is_refused() -> None:
    with pytest.raises(TargetError, match="moat"):
        seen(has=("moat",))


def test_a_kept_fingerprint_that_was_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    path.write_text(json.dumps(seen().to_json()))
    assert read_fingerprint(path) == seen()
    path.write_text(path.read_text().replace("19.8.3", "19.8.4"))
    with pytest.raises(TargetError, match="changed by hand"):
        read_fingerprint(path)


def test_the_commands_agree(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.chdir(REPOSITORY)

    def run(*arguments: str) -> tuple[int, str]:
        return int(app(["target", *arguments], standalone_mode=False)), capsys.readouterr().out

    with serving() as old, serving({**WELL, "versionNumber": "2.0.0"}) as new:
        paths = []
        for name, ledger in (("a", old), ("b", new)):
            paths.append(tmp_path / f"{name}.yaml")
            services = {**dict.fromkeys(REQUIRED_SERVICES, old), "central-ledger": ledger}
            paths[-1].write_text(yaml.safe_dump({**target_of(services), "name": name}))
        first, second = map(str, paths)
        code, out = run("fingerprint", second, "--json")
        (tmp_path / "b.json").write_text(out)
        assert code == 0
        code, out = run("diff", first, str(tmp_path / "b.json"))
        assert code == 1
        (row,) = [line.split() for line in out.splitlines() if line.startswith("components")]
        assert row == ["components", "central-ledger", "1.0.0", "2.0.0"]
        assert run("diff", first, first)[0] == 0


def test_the_example_describes_a_target_that_can_be_loaded() -> None:
    target = load_target(REPOSITORY / "scheme_rules/example/targets/staging.yaml", environ={})
    assert STANDARD.held_by(target)["second-zone"] is False

"""``harness handover`` and ``harness verify`` as a person meets them: what they print, and how they end."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from typer.testing import CliRunner

from harness import __version__
from harness.cli import app
from harness.errors import HandoverError, HarnessError, ToolError
from harness.handover.archive import pack, unpack
from harness.report import allure_page
from harness.workspace import Workspace
from tests.handover import world


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace to stand in, on a machine without Allure."""

    def none(*_: object, **__: object) -> None:
        raise ToolError("no allure 3 command line is here", remedy="Get it")

    monkeypatch.setattr(allure_page, "find_allure", none)
    made = world.workspace(tmp_path / "workspace")
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with keys as the README has them made: key.pem, locked.pem (passphrase), key.pub, rsa.pem."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("keys")
    for line in (
        "genpkey -algorithm ed25519 -out key.pem",
        "pkey -in key.pem -pubout -out key.pub",
        "genpkey -algorithm ed25519 -aes256 -pass pass:open-sesame -out locked.pem",
        "genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:1024 -out rsa.pem",
    ):
        subprocess.run(["openssl", *line.split()], cwd=folder, check=True, capture_output=True, timeout=30)
    return folder


def command(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(one) for one in arguments], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.return_value, done.stdout, done.stderr


def same_each_time(text: str) -> str:
    text = re.sub(r"\b[0-9a-f]{64}\b", "SHA256", text)
    text = re.sub(r"\bkey [0-9a-f]{12}\b", "key KEY", text)
    return re.sub(r"\d+\.\d MB", "N MB", text).replace(__version__, "VERSION")


def test_a_run_is_handed_over_and_verified(here: Workspace, keys: Path, snapshot: SnapshotAssertion) -> None:
    world.approved(here)
    code, out, _ = command("handover", "good", "--sign", keys / "key.pem")
    bundle = here.root / "reports/handover/mojaloop-v17.1.0-good.zip"
    assert (code, bundle.is_file()) == (0, True)
    assert same_each_time(out) == snapshot(name="handover")
    assert same_each_time(command("verify", bundle, "--key", keys / "key.pub")[1]) == snapshot(name="with the key")
    assert same_each_time(command("verify", bundle)[1]) == snapshot(name="without a key")
    code, out, _ = command("verify", bundle, "--key", keys / "key.pub", "--approved", "--json")
    said = json.loads(out)
    assert (code, said["holds"], said["may_go"], said["signer"]) == (0, True, True, "checked")
    assert said["verdict"] == "APPROVED"
    command("handover", "good", "--out", "plain.zip")
    assert same_each_time(command("verify", "plain.zip")[1]) == snapshot(name="not signed")


@pytest.mark.parametrize(("make", "code"), [(world.rejected, 1), (world.inconclusive, 2), (world.rehearsal, 2)])
def test_a_script_that_asks_for_approval_gets_none(here: Workspace, make: object, code: int) -> None:
    folder = make(here)  # type: ignore[operator]
    assert command("handover", folder.name, "--out", "b.zip")[0] == 0
    assert command("verify", "b.zip")[0] == 0
    assert command("verify", "b.zip", "--approved")[0] == code
    assert json.loads(command("verify", "b.zip", "--json")[1])["may_go"] is False


def test_a_bundle_that_was_changed_is_told_and_nothing_of_it_is_believed(
    here: Workspace, snapshot: SnapshotAssertion
) -> None:
    world.approved(here)
    command("handover", "good", "--out", "b.zip")
    members = dict(unpack(Path("b.zip").read_bytes()).members)
    members["scheme_rules/example/criteria.yaml"] += b"# lax\n"
    members["\u00e9vil.txt"] = b""
    del members["baselines/mojaloop/v17.1.0/results.csv"]
    Path("b.zip").write_bytes(pack(members))
    code, out, _ = command("verify", "b.zip")
    assert code == 1
    assert same_each_time(out) == snapshot
    code, out, _ = command("verify", "b.zip", "--json")
    said = json.loads(out)
    assert (code, said["holds"], said["verdict"]) == (1, False, None)
    assert [fault["kind"] for fault in said["faults"]] == ["missing", "extra", "changed"]


def test_what_cannot_be_read_is_wrong_usage(here: Workspace) -> None:
    Path("x.zip").write_text("no zip")
    for name in ("x.zip", "absent.zip", "."):
        with pytest.raises(HandoverError) as caught:
            command("verify", name)
        assert caught.value.exit_code == 3


def test_a_key_may_have_a_passphrase_or_stand_in_the_environment(
    here: Workspace, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.approved(here)
    monkeypatch.setenv("WORD", "open-sesame")
    monkeypatch.setenv("KEY", (keys / "key.pem").read_text())
    assert (
        command("handover", "good", "--sign", keys / "locked.pem", "--passphrase", "env:WORD", "--out", "1.zip")[0] == 0
    )
    Path("word").write_text("open-sesame\n")
    arguments = ("--sign", f"file:{keys / 'locked.pem'}", "--passphrase", "file:word", "--out", "2.zip")
    assert command("handover", "good", *arguments)[0] == 0
    assert Path("1.zip").read_bytes() == Path("2.zip").read_bytes()
    assert command("handover", "good", "--sign", "env:KEY", "--out", "3.zip")[0] == 0
    assert command("verify", "3.zip", "--key", keys / "key.pub")[0] == 0


def test_a_key_that_cannot_be_used_is_told_and_never_shown(
    here: Workspace, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.approved(here)
    monkeypatch.setenv("WRONG", "not-the-word")
    pem = (keys / "key.pem").read_text()
    for arguments, text in (
        (("--sign", keys / "absent.pem"), "cannot be read"),
        (("--sign", keys / "key.pub"), "no private key"),
        (("--sign", keys / "rsa.pem"), "not an Ed25519 key"),
        (("--sign", keys / "locked.pem"), "has a passphrase"),
        (("--sign", keys / "locked.pem", "--passphrase", "env:WRONG"), "that this passphrase opens"),
        (("--sign", keys / "locked.pem", "--passphrase", "open-sesame"), "in place"),
        (("--sign", keys / "key.pem", "--passphrase", "env:WRONG"), "has no passphrase"),
        (("--sign", "env:NOT_SET"), "NOT_SET is not set"),
        (("--sign", pem), "in place"),
        (("--passphrase", "env:WRONG"), "no key"),
    ):
        with pytest.raises(HandoverError, match=text) as caught:
            command("handover", "good", *arguments)
        shown = str(caught.value)
        assert "open-sesame" not in shown
        assert "not-the-word" not in shown
        assert pem.splitlines()[1] not in shown
    assert not (here.root / "reports/handover").exists()
    for name, text in (("key.pem", "private key"), ("rsa.pem", "private key"), ("absent", "cannot be read")):
        with pytest.raises(HandoverError, match=text):
            command("verify", "b.zip", "--key", keys / name)


def test_the_allure_page_that_a_run_has_comes_with_it_and_is_kept(here: Workspace) -> None:
    folder = world.approved(here)
    _, out, _ = command("handover", "good", "--out", "without.zip")
    assert "not in it: Allure report in one file: no allure 3 command line is here" in out
    (folder / "allure-report.html").write_text("<html>as Allure made it")
    (folder / "allure-report").mkdir()
    (folder / "allure-report/index.html").write_text("many pages")
    for name in ("1.zip", "2.zip"):
        _, out, _ = command("handover", "good", "--out", name)
        assert "Allure" not in out
    members = unpack(Path("1.zip").read_bytes()).members
    assert members["reports/runs/good/allure-report.html"] == b"<html>as Allure made it"
    assert not any("/allure-report/" in name for name in members)
    assert Path("1.zip").read_bytes() == Path("2.zip").read_bytes()


def test_reports_that_were_asked_for_come_with_it_as_they_follow_from_the_run(here: Workspace) -> None:
    folder = world.approved(here)
    (folder / "summary.md").write_text("# Everything is fine")
    command("handover", "good", "--out", "b.zip")
    members = dict(unpack(Path("b.zip").read_bytes()).members)
    assert b"Everything is fine" not in members["reports/runs/good/summary.md"]
    assert "reports/runs/good/junit.xml" not in members
    assert command("verify", "b.zip")[0] == 0


def test_a_place_that_cannot_be_written_to_is_told(here: Workspace) -> None:
    world.approved(here)
    Path("file").write_text("")
    with pytest.raises(HarnessError, match="cannot be written"):
        command("handover", "good", "--out", "file/b.zip")

"""Only what is approved is published, what was published stays as it is, and no publisher loses another's."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner
from syrupy.assertion import SnapshotAssertion
from typer.testing import CliRunner

from harness.cli import app
from harness.errors import HandoverError, UsageError
from harness.handover import publish as publishing
from harness.handover.bundle import make_bundle
from harness.handover.index import Entry
from harness.handover.publish import Published, entry_of, file_bundle, publish
from harness.handover.stores import FolderStore, S3Store, Store, TakenError
from harness.handover.verify import verify_bundle
from tests.handover import world

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RUNS = {"good": world.approved, "rehearsed": world.rehearsal, "broken": world.rejected, "cut-off": world.inconclusive}


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Bundles of runs of each kind, by the run's id, and two keys."""
    folder = tmp_path_factory.mktemp("publish")
    here = world.workspace(folder / "workspace")
    made = {}
    for name, make in {**RUNS, "better": world.approved}.items():
        made[name] = folder / f"{name}.zip"
        made[name].write_bytes(make_bundle(here, make(here, name)).data)
    signer = CryptoSigner.generate_ed25519()
    made["signed"] = folder / "signed.zip"
    made["signed"].write_bytes(make_bundle(here, here.runs / "good", signer).data)
    made["key"] = folder / "key.pub"
    made["key"].write_bytes(_pem(signer))
    made["other key"] = folder / "other.pub"
    made["other key"].write_bytes(_pem(CryptoSigner.generate_ed25519()))
    return made


def _pem(signer: CryptoSigner) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    raw = bytes.fromhex(signer.public_key.keyval["public"])
    return Ed25519PublicKey.from_public_bytes(raw).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def entries(number: int) -> list[tuple[Entry, bytes]]:
    """Made-up bundles: what a store holds is not looked into again."""
    made = []
    for one in range(number):
        data = f"bundle {one}".encode()
        made.append((_entry(f"run-{one}", data, NOW + timedelta(minutes=one)), data))
    return made


def _entry(run: str, data: bytes, at: datetime = NOW) -> Entry:
    import hashlib

    return Entry(
        path=f"approved/mojaloop/v17.1.0/{run}.zip",
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        evidence_only=False,
        verdict="APPROVED",
        product="mojaloop",
        release="v17.1.0",
        scheme="example",
        target="staging",
        run_id=run,
        ended_at="",
        published_at=at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        signer=None,
        signer_checked=False,
    )


def command(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(one) for one in arguments], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.return_value, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("run", "code", "why"), [("rehearsed", 2, "rehearsal"), ("broken", 1, "REJECTED"), ("cut-off", 2, "INCONCLUSIVE")]
)  # fmt: skip
def test_what_lets_no_release_go_is_refused_or_kept_as_evidence(
    bundles: dict[str, Path], tmp_path: Path, run: str, code: int, why: str
) -> None:
    got, out, err = command("publish", bundles[run], "--to", tmp_path)
    assert (got, out, list(tmp_path.iterdir())) == (code, "", [])
    assert "refused" in err
    assert why in err
    got, out, _ = command("publish", bundles[run], "--to", tmp_path, "--evidence")
    assert got == 0
    assert "EVIDENCE: not for deployment" in out
    listed = json.loads((tmp_path / "index.json").read_text())["bundles"]
    assert [(one["evidence_only"], one["path"].split("/")[0]) for one in listed] == [(True, "evidence")]
    text = (tmp_path / "index.md").read_text()
    assert text.index("None so far") < text.index("None of these may be deployed") < text.index(listed[0]["sha256"])
    assert not (tmp_path / "approved").exists()


def test_an_approved_one_is_filed_with_an_index_newest_first(
    bundles: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    for number, name in enumerate(("signed", "better")):
        data = bundles[name].read_bytes()
        found = verify_bundle(data)
        publish(entry_of(found, len(data), NOW + timedelta(days=number)), data, str(tmp_path))
    assert (tmp_path / "approved/mojaloop/v17.1.0/mojaloop-v17.1.0-good.zip").read_bytes() == bundles[
        "signed"
    ].read_bytes()
    listed = json.loads((tmp_path / "index.json").read_text())["bundles"]
    assert [one["run_id"] for one in listed] == ["better", "good"]
    assert [one["sha256"] for one in listed] == [
        verify_bundle(bundles[n].read_bytes()).sha256 for n in ("better", "signed")
    ]
    text = (tmp_path / "index.md").read_text()
    for number, one in enumerate(listed):
        text = text.replace(one["sha256"], f"SHA256-{number}").replace((one["signer"] or "?" * 12)[:12], "KEY")
    assert text == snapshot


def test_with_a_key_only_what_that_key_signed_is_published(bundles: dict[str, Path], tmp_path: Path) -> None:
    code, _, err = command("publish", bundles["signed"], "--to", tmp_path, "--key", bundles["other key"])
    assert (code, list(tmp_path.iterdir())) == (1, [])
    assert "another key" in err
    assert command("publish", bundles["better"], "--to", tmp_path, "--key", bundles["key"])[0] == 1
    assert command("publish", bundles["signed"], "--to", tmp_path, "--key", bundles["key"])[0] == 0
    assert json.loads((tmp_path / "index.json").read_text())["bundles"][0]["signer_checked"] is True


def test_a_damaged_one_is_refused_even_as_evidence(bundles: dict[str, Path], tmp_path: Path) -> None:
    broken = tmp_path / "damaged.zip"
    data = bytearray(bundles["good"].read_bytes())
    data[len(data) // 2] ^= 1
    broken.write_bytes(data)
    code, _, err = command("publish", broken, "--to", tmp_path / "there", "--evidence")
    assert (code, (tmp_path / "there").exists()) == (1, False)
    assert "NOT WHAT IT SAYS" in err


# --- the places, each held to the same promises -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def storage() -> Iterator[str]:
    """S3-compatible storage on loopback."""
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["folder", "s3", "git"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, Callable[[], Store]]:
    """Somewhere to publish to, and how to look at what is there."""
    if request.param == "folder":
        return str(tmp_path / "there"), lambda: FolderStore(tmp_path / "there")
    if request.param == "git":
        bare = tmp_path / "bare.git"
        subprocess.run(["git", "init", "--quiet", "--bare", str(bare)], check=True)

        def clone() -> Store:
            out = tmp_path / f"clone-{len(list(tmp_path.iterdir()))}"
            subprocess.run(["git", "clone", "-q", "-b", "releases", f"file://{bare}", str(out)], check=True)
            return FolderStore(out)

        return f"git+file://{bare}#releases", clone
    import boto3

    endpoint = request.getfixturevalue("storage")
    for name, value in {"ACCESS_KEY_ID": "someone", "SECRET_ACCESS_KEY": "something", "ENDPOINT_URL": endpoint}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    bucket = f"releases-{abs(hash(tmp_path)) % 10**9}"
    boto3.client("s3").create_bucket(Bucket=bucket)
    import os

    return f"s3://{bucket}/hub", lambda: S3Store.at(bucket, "hub", os.environ)


def test_the_same_again_changes_nothing_and_other_bytes_are_refused(place: tuple[str, Callable[[], Store]]) -> None:
    to, look = place
    entry, data = entries(1)[0]
    assert publish(entry, data, to).was_there is False
    later = entry.model_copy(update={"published_at": "2030-01-01T00:00:00Z"})
    again = publish(later, data, to)
    assert (again.was_there, again.entry) == (True, entry)
    other = b"other bytes"
    with pytest.raises(TakenError, match="already"):
        publish(_entry("run-0", other), other, to)
    there = look()
    assert there.read(entry.path) == data
    assert json.loads(there.read("index.json") or b"")["bundles"] == [entry.model_dump()]
    assert [name for name in there.names("approved") if "claims" in name] == []


def test_publishers_that_come_at_once_lose_nothing(place: tuple[str, Callable[[], Store]]) -> None:
    to, look = place
    made = entries(4)
    failed: list[BaseException] = []

    def one(entry: Entry, data: bytes) -> None:
        try:
            publish(entry, data, to)
        except BaseException as problem:
            failed.append(problem)

    threads = [threading.Thread(target=one, args=pair) for pair in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    there = look()
    listed = json.loads(there.read("index.json") or b"")["bundles"]
    assert [one["run_id"] for one in listed] == ["run-3", "run-2", "run-1", "run-0"]
    assert all(there.read(entry.path) == data for entry, data in made)
    assert all(entry.sha256 in (there.read("index.md") or b"").decode() for entry, _ in made)


class Between:
    """A store in which somebody else does something just before a given call."""

    def __init__(self, store: Store, call: str, action: Callable[[], object]) -> None:
        self._store, self._call, self._action = store, call, action

    def __getattr__(self, name: str) -> object:
        def does(*arguments: object) -> object:
            if name == self._call and self._action is not None:
                action, self._action = self._action, None
                action()
            return getattr(self._store, name)(*arguments)

        return does


@pytest.mark.parametrize("call", ["create", "replace"])
def test_an_index_that_another_made_meanwhile_is_made_again(tmp_path: Path, call: str) -> None:
    store = FolderStore(tmp_path)
    (first, one), (second, two) = entries(2)

    def other() -> None:
        store.create(second.path, two)
        store.create(second.path + ".json", second.to_bytes())
        store.replace("index.json", b"{}")

    between = Between(store, call, other)
    done: Published = file_bundle(between, first, one, pause=lambda _: None)  # type: ignore[arg-type]
    assert done.unreadable == ()
    listed = json.loads((tmp_path / "index.json").read_text())["bundles"]
    assert [one["run_id"] for one in listed] == ["run-1", "run-0"]


def test_two_that_claim_one_name_in_storage_overwrite_nothing(storage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    for name, value in {"ACCESS_KEY_ID": "someone", "SECRET_ACCESS_KEY": "something", "ENDPOINT_URL": storage}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    boto3.client("s3").create_bucket(Bucket="claims")
    import os

    store = S3Store.at("claims", "", os.environ)
    store.replace("a.zip.claims/0000", b"")
    with pytest.raises(TakenError, match=r"a\.zip\.claims/0000 says that somebody is writing it"):
        store.create("a.zip", b"mine")
    assert store.names("a.zip.claims") == ["a.zip.claims/0000"]
    assert store.read("a.zip") is None
    with pytest.raises(HandoverError, match="refused"):
        S3Store.at("no-such-bucket", "", os.environ).replace("a", b"")


def test_an_entry_that_cannot_be_read_is_named_and_the_others_are_kept(tmp_path: Path) -> None:
    (first, one), (second, two) = entries(2)
    publish(first, one, str(tmp_path))
    (tmp_path / f"{first.path}.json").write_text("{")
    done = publish(second, two, str(tmp_path))
    assert done.unreadable == (f"{first.path}.json",)
    assert [one["run_id"] for one in json.loads((tmp_path / "index.json").read_text())["bundles"]] == ["run-1"]


def test_a_folder_with_a_link_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/approved").symlink_to(tmp_path)
    with pytest.raises(HandoverError, match="leads elsewhere"):
        publish(*entries(1)[0], str(tmp_path / "there"))


@pytest.mark.parametrize(
    ("to", "error", "text"),
    [
        ("s3://", UsageError, "names no bucket"),
        ("https://example.org/x", UsageError, "no place to publish to"),
        ("git+", HandoverError, "names no repository"),
        ("git+--upload-pack=touch x", HandoverError, "names no repository"),
        ("git+file:///nowhere#a..b", HandoverError, "names no repository"),
        ("git+file:///nowhere/at/all.git", HandoverError, "git ls-remote failed"),
        ("git+ext::sh -c touch% x", HandoverError, "not allowed"),
    ],
)
def test_a_place_that_cannot_be_used_is_told(tmp_path: Path, to: str, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        publish(*entries(1)[0], to)


def test_no_message_shows_the_credentials_of_a_url() -> None:
    with pytest.raises(HandoverError) as caught:
        publish(*entries(1)[0], "git+https://someone:s3cret@127.0.0.1:9/x.git")
    assert "s3cret" not in str(caught.value)
    assert "someone" not in str(caught.value)


def test_git_that_is_always_too_late_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.handover import git_store

    bare = tmp_path / "bare.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(bare)], check=True)
    monkeypatch.setattr(git_store._Git, "pushes", lambda self, branch: False)
    monkeypatch.setattr(git_store.time, "sleep", lambda _: None)
    monkeypatch.setattr(git_store, "_TRIES", 2)
    with pytest.raises(HandoverError, match="others pushed before each of 2 tries"):
        publish(*entries(1)[0], f"git+file://{bare}")
    assert publishing._ROUNDS > 1

"""The image's command runs as it would in its container: another user, no home, code and workspace not to be written.

No image is built here. A user who owns nothing but the two volumes stands for the read-only root file system.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from tests.deploy.test_deploy import DEPLOY, rendered, values
from tests.nightly.lab import QUICK
from tests.nightly.support import plan_of
from tests.support import RELEASE, REPOSITORY, make_workspace

IS_ROOT = os.geteuid() == 0
USER = 10001


def dockerfile() -> dict[str, list[str]]:
    """Returns the instructions of the final stage: word to what stands behind it."""
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            word, rest = line.split(None, 1)
            if word == "FROM":
                found = {}
            found.setdefault(word, []).append(rest)
    return found


def harmless_user() -> list[str]:
    """Returns the prefix of a command that is to run as the image's user.

    It may look through folders of root's, where the interpreter and what tests make lie, and write nothing of it.
    """
    if not IS_ROOT:
        return []
    may_look = ["--inh-caps", "-all,+dac_read_search", "--ambient-caps", "+dac_read_search", "--no-new-privs"]
    return ["setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups", *may_look, "--"]


@dataclass(frozen=True)
class Container:
    """A workspace and the environment that the image gives."""

    workspace: Path
    temporary: Path

    def run(self, *words: str, timeout_s: float) -> subprocess.CompletedProcess[str]:
        given = dict(pair.split("=", 1) for line in dockerfile()["ENV"] for pair in line.split())
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        env = {**given, **QUICK, "PATH": path, "TMPDIR": str(self.temporary)}
        assert "HOME" not in env
        return subprocess.run(
            [*harmless_user(), *words], cwd=self.workspace, env=env, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=timeout_s, check=False,
        )  # fmt: skip

    def files(self) -> list[str]:
        """Returns what lies in the workspace, without its volume."""
        reports = self.workspace / "reports"
        return sorted(str(path) for path in self.workspace.rglob("*") if reports not in path.parents)


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    workspace = make_workspace(tmp_path / "workspace")
    example = REPOSITORY / "scheme_rules" / "example" / "collections"
    shutil.copytree(example, workspace / "scheme_rules" / "example" / "collections")
    plan_of(
        workspace / "scheme_rules" / "example",
        jobs=[{
            "name": "rehearsal", "target": "embedded", "release": RELEASE, "workers": 2,
            "provisioning": ["collections/provisioning.json"], "clean_up": ["collections/clean-up.json"],
        }],
    )  # fmt: skip
    reports = workspace / "reports"
    reports.mkdir()
    with tempfile.TemporaryDirectory(prefix="container-") as temporary:
        for volume in (reports, Path(temporary)):
            if IS_ROOT:
                os.chown(volume, USER, USER)
        folders = [path for path in (workspace, *workspace.rglob("*")) if path.is_dir() and path != reports]
        for folder in folders:
            folder.chmod(0o555)
        try:
            yield Container(workspace, Path(temporary))
        finally:
            for folder in folders:
                folder.chmod(0o755)


def test_it_runs_as_its_user_and_writes_to_its_volumes_only(container: Container) -> None:
    said = dockerfile()
    # that the test is one: the user can write where the volumes are, and nowhere else
    probe = container.run("sh", "-c", "id -u; touch reports/.probe && ! touch here 2>/dev/null", timeout_s=30)
    assert probe.returncode == 0, probe
    assert not IS_ROOT or probe.stdout == f"{USER}\n"

    health = container.run(*json.loads(said["HEALTHCHECK"][0].partition("CMD ")[2]), timeout_s=30)
    assert (health.returncode, health.stdout.split()[0]) == (0, "mojaloop-harness"), health

    before = container.files()
    ended = container.run(*json.loads(said["ENTRYPOINT"][0]), *json.loads(said["CMD"][0]), timeout_s=180)
    # a suite without a pin and a baseline: inconclusive, and nothing else went wrong
    assert ended.returncode == 2, ended
    assert "Traceback" not in ended.stdout + ended.stderr
    assert container.files() == before
    [night] = (container.workspace / "reports" / "nightly").glob("*/*/nightly.json")
    job = json.loads(night.read_text(encoding="utf-8"))["jobs"][0]
    assert (job["problems"], job["state"], job["runs"][0]["exit_code"]) == ([], "finished", 2)
    assert {stage["stage"]: stage["status"] for stage in job["stages"]}["clean-up"] == "ok"
    for kept in ("prometheus/*.prom", "history/pages/mojaloop/embedded/history.html", "history/runs/*/*/*/*.parquet"):
        assert list((container.workspace / "reports").glob(kept)), kept


@pytest.mark.skipif(
    find_spec("helm_python") is None, reason="Helm's own engine is not here: pip install helm-python-sdk"
)
def test_helm_itself_renders_the_chart_as_our_tests_do() -> None:
    import helm_python  # type: ignore[import-not-found,unused-ignore]

    chart = DEPLOY / "helm"
    found = helm_python.lint(chart)
    assert (found["total_charts_linted"], found["errors"]) == (1, [])
    with helm_python.Chart.load(chart) as loaded:
        [text] = loaded.render({}, name="harness", namespace="harness").values()
        with pytest.raises(helm_python.HelmError, match="tag"):
            loaded.render({"image": {"repository": "x", "tag": "latest"}}, name="harness", namespace="harness")
    assert list(yaml.safe_load_all(text)) == list(yaml.safe_load_all(rendered(values())))

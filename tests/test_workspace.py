"""A workspace is found from anywhere inside it, and made from an installed wheel without our checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from harness.errors import UsageError, WorkspaceError
from harness.model.release import ReleaseVersion
from harness.workspace import PARTS, Workspace, find_workspace, init_workspace
from tests.support import REPOSITORY, environment, harness, make_workspace


def test_it_is_found_from_anywhere_inside(tmp_path: Path) -> None:
    root = make_workspace(tmp_path / "ws")
    assert find_workspace(root / "suites" / "mojaloop").root == root.resolve()
    assert find_workspace(root).root == root.resolve()


def test_outside_of_one_the_error_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="harness init"):
        find_workspace(tmp_path)


def test_init_makes_all_parts_and_nothing_else_is_touched(tmp_path: Path) -> None:
    (tmp_path / "ours.txt").write_text("keep")
    made = init_workspace(tmp_path)
    workspace = find_workspace(tmp_path)
    assert all((tmp_path / part).is_dir() for part in (*PARTS, "reports"))
    assert workspace.manifest("mojaloop", ReleaseVersion(17, 1, 0)).is_file()
    assert "scheme_rules/example/criteria.yaml" in made
    assert not [name for name in made if "__pycache__" in name]
    assert (tmp_path / "ours.txt").read_text() == "keep"


def test_init_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "baselines").mkdir()
    (tmp_path / "baselines" / "precious").write_text("1")
    with pytest.raises(UsageError, match="already holds baselines"):
        init_workspace(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["baselines"]


def test_a_run_is_found_by_id_by_path_and_as_the_latest(tmp_path: Path) -> None:
    workspace = Workspace(make_workspace(tmp_path))
    for name in ("one", "two"):
        (workspace.runs / name).mkdir(parents=True)
    assert workspace.run_folder("one") == workspace.runs / "one"
    assert workspace.run_folder(str(workspace.runs / "two")) == workspace.runs / "two"
    assert workspace.run_folder("latest").parent == workspace.runs
    with pytest.raises(UsageError, match="three"):
        workspace.run_folder("three")


def test_a_wheel_in_a_clean_environment_needs_no_checkout(tmp_path: Path) -> None:
    """Builds the wheel, installs it where nothing of ours is, makes a workspace there and validates in it."""
    wheels = tmp_path / "wheels"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", wheels, REPOSITORY], check=True, timeout=120
    )
    (wheel,) = wheels.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert not [name for name in names if "__pycache__" in name or name.startswith(("tests/", "reports/"))]
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True, timeout=120)
    python = tmp_path / "venv" / "bin" / "python"
    install = [
        python,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--quiet",
        "install",
        "-c",
        REPOSITORY / "constraints.txt",
        wheel,
    ]
    subprocess.run(install, check=True, timeout=400, env=environment())
    command = tmp_path / "venv" / "bin" / "harness"
    workspace = tmp_path / "scheme"
    for arguments, where in (
        (["init", str(workspace)], tmp_path),
        (["run", "v17.1.0", "--target", "embedded", "--scheme", "example"], workspace / "scheme_rules"),
    ):
        done = subprocess.run(
            [command, *arguments],
            cwd=where,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done
    assert "APPROVED (rehearsal on the embedded hub)" in done.stdout
    assert list((workspace / "reports" / "runs").glob("*/verdict.json"))


def test_init_from_the_command_says_what_to_do_next(tmp_path: Path) -> None:
    ended = harness("init", "mine", cwd=tmp_path)
    assert ended.code == 0
    assert "harness run v17.1.0" in ended.out
    assert harness("suite", "list", cwd=tmp_path / "mine").code == 0
    again = harness("init", "mine", cwd=tmp_path)
    assert again.code == 3
    assert "already holds" in again.err


def test_the_baseline_of_the_official_suite_lies_beside_that_of_the_native_one(tmp_path: Path) -> None:
    workspace, release = Workspace(tmp_path), ReleaseVersion(17, 1, 0)
    native = workspace.baseline("mojaloop", release, "mojaloop")
    assert native == workspace.baseline("mojaloop", release) == workspace.baseline("mojaloop", release, "native")
    assert workspace.baseline("mojaloop", release, "official") == native / "official"

"""How is a bundle published in a git repository? In one commit on top of whatever others have published meanwhile.

The git command does it, with its own credentials. A push that comes too late is made again on what is there now.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from harness.errors import HandoverError
from harness.handover.index import Entry
from harness.handover.publish import Published, file_bundle
from harness.handover.stores import FolderStore

__all__ = ["published_in_git"]

_TRIES: Final = 6
_PATIENCE_S: Final = 300
_USERINFO = re.compile(r"(?<=://)[^/\s@]+@")
_BRANCH = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")


def published_in_git(
    entry: Entry,
    data: bytes,
    place: str,
    environ: Mapping[str, str] = os.environ,
    pause: Callable[[float], None] = time.sleep,
) -> Published:
    """Files the bundle in the repository at ``place``, ``URL[#BRANCH]``; ``main`` where no branch is named.

    Raises ``HandoverError`` where git refuses, and as ``file_bundle`` does.
    """
    url, _, branch = place.partition("#")
    branch = branch or "main"
    if not url or url.startswith("-") or not _BRANCH.match(branch) or ".." in branch:
        raise HandoverError(f"{_shown(place)!r} names no repository", remedy="Give git+URL or git+URL#BRANCH")
    if shutil.which("git", path=environ.get("PATH")) is None:
        raise HandoverError("the git command is not installed", remedy="Install git")
    with tempfile.TemporaryDirectory(prefix="harness-") as name:
        git = _Git(Path(name), url, environ)
        git.begin()
        for round_ in range(_TRIES):
            _check_out(git, branch)
            done = file_bundle(FolderStore(git.folder), entry, data)
            git("add", "--all", "--force", "--", ".", ":!.publish.lock")
            if not git("status", "--porcelain", "--untracked-files=no"):
                return done
            git("commit", "--quiet", "--no-verify", "-m", f"Publish {entry.product} {entry.release}: {entry.verdict}")
            if git("cat-file", "blob", f"HEAD:{entry.path}", raw=True) != data:
                raise HandoverError(
                    "the repository's attributes change the bundle's bytes", file=_shown(url), remedy="Mark *.zip -text"
                )
            if git.pushes(branch):
                return done
            pause(random.uniform(0, 0.2 * 2**round_))
    raise HandoverError(
        f"others pushed before each of {_TRIES} tries", file=_shown(url), remedy="Publish again in a while"
    )


def _check_out(git: _Git, branch: str) -> None:
    """Makes the folder what the branch is now; empty where there is no such branch yet."""
    if git("ls-remote", "--heads", "origin", f"refs/heads/{branch}"):
        git("fetch", "--quiet", "--depth", "1", "origin", f"refs/heads/{branch}")
        git("checkout", "--quiet", "--force", "--detach", "FETCH_HEAD")
        git("clean", "--quiet", "-ffdx")
    else:
        git("checkout", "--quiet", "--orphan", f"publish-{time.monotonic_ns()}")


class _Git:
    """The git command in one folder."""

    def __init__(self, folder: Path, url: str, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self._url = url
        self._environ = {
            **{
                name: value
                for name, value in environ.items()
                if name not in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
            },
            "GIT_TERMINAL_PROMPT": "0",
            # No helper that a URL can name a command for.
            "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
            "LC_ALL": "C",
        }

    def begin(self) -> None:
        """Makes the folder a repository, in which somebody commits: whoever git is set up for, else the harness."""
        self("init", "--quiet")
        self("remote", "add", "origin", self._url)
        if self._run("config", "user.email").returncode:
            for who in ("AUTHOR", "COMMITTER"):
                self._environ.setdefault(f"GIT_{who}_NAME", "mojaloop-harness")
                self._environ.setdefault(f"GIT_{who}_EMAIL", "mojaloop-harness@localhost")

    def __call__(self, *arguments: str, raw: bool = False) -> bytes:
        done = self._run(*arguments)
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-3:]
            raise HandoverError(
                f"git {arguments[0]} failed: {_shown('; '.join(said))}",
                file=_shown(self._url),
                remedy="Check the URL and what git may do there",
            )
        return done.stdout if raw else done.stdout.strip()

    def pushes(self, branch: str) -> bool:
        """Pushes what is committed; ``False`` where others were faster. Raises where it is refused otherwise."""
        done = self._run("push", "--porcelain", "origin", f"HEAD:refs/heads/{branch}")
        if not done.returncode:
            return True
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        if re.search(r"fetch first|non-fast-forward|cannot lock ref|failed to update ref|stale info", said):
            return False
        raise HandoverError(
            f"git push was refused: {_shown(' '.join(said.split())[-300:])}",
            file=_shown(self._url),
            remedy="Check what you may push there",
        )

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        settings = ("-c", "core.autocrlf=false", "-c", "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false")
        try:
            return subprocess.run(
                ["git", *settings, *arguments],
                cwd=self.folder,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PATIENCE_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise HandoverError(
                f"git {arguments[0]} did not answer for {_PATIENCE_S} s", file=_shown(self._url), remedy="Try again"
            ) from None


def _shown(text: str) -> str:
    """``text`` without the credentials that a URL in it may hold."""
    return _USERINFO.sub("", text)

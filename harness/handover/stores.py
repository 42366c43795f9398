"""Where can a bundle be fetched from? A folder or S3-compatible storage, behind one small seam.

Names are relative, with slashes. What was created is never overwritten by other bytes, whoever else is writing.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, final

from harness.errors import HandoverError
from harness.report.files import write_file

if TYPE_CHECKING:
    from pyarrow.fs import S3FileSystem

__all__ = ["FolderStore", "S3Store", "Store", "TakenError"]

_T = TypeVar("_T")


class TakenError(HandoverError):
    """There are other bytes under this name already, or another publisher is writing some."""


class Store(Protocol):
    """A place with files. Every method raises ``HandoverError`` where the place cannot be used."""

    def read(self, name: str) -> bytes | None:
        """Returns the content of ``name``, ``None`` where there is none."""

    def create(self, name: str, content: bytes) -> None:
        """Puts ``content`` under ``name``, whole or not at all. Raises ``TakenError`` where other bytes are there."""

    def replace(self, name: str, content: bytes) -> None:
        """Puts ``content`` under ``name``, in place of what was there."""

    def names(self, folder: str) -> list[str]:
        """Returns the names of all files below ``folder``, sorted; none where there is no such folder."""

    def alone(self) -> contextlib.AbstractContextManager[None]:
        """While it lasts, others of our kind wait, where the place has a way to make them."""


@final
class FolderStore:
    """A folder, on this machine or mounted."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def read(self, name: str) -> bytes | None:
        try:
            return self._path(name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as problem:
            raise self._error(problem) from problem

    def create(self, name: str, content: bytes) -> None:
        path = self._path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, written = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                Path(written).chmod(0o644)
                os.link(written, path)  # unlike a rename, it never replaces what is there
            except FileExistsError:
                if self.read(name) != content:
                    raise _taken(name) from None
            finally:
                Path(written).unlink(missing_ok=True)
        except OSError as problem:
            raise self._error(problem) from problem

    def replace(self, name: str, content: bytes) -> None:
        try:
            write_file(self._path(name), content)
        except OSError as problem:
            raise self._error(problem) from problem

    def names(self, folder: str) -> list[str]:
        below = self._path(folder)
        found = (path for path in below.rglob("*") if path.is_file() and not path.name.startswith("."))
        return sorted(path.relative_to(self.root).as_posix() for path in found)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock = (self.root / ".publish.lock").open("a")
        except OSError as problem:
            raise self._error(problem) from problem
        with lock:
            # Where the file system knows no locks, what is written is read again afterwards all the same.
            with contextlib.suppress(OSError):
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _path(self, name: str) -> Path:
        path = self.root / name
        if not path.parent.resolve().is_relative_to(self.root):
            raise HandoverError("a link in it leads elsewhere", file=path, remedy="Publish to a folder without links")
        return path

    def _error(self, problem: OSError) -> HandoverError:
        reason = problem.strerror or str(problem)
        return HandoverError(f"cannot be published to: {reason}", file=self.root, remedy="Check path, rights and room")


@final
class S3Store:
    """A prefix in a bucket of S3-compatible storage.

    Storage has no lock, and not every kind of it can put only where nothing is. So whoever creates a name lays a claim
    beside it first, and withdraws where there is another's: listing is consistent after writing (AWS S3 since 2020, and
    MinIO and Ceph), so of two that come at once one at least sees the other, and none overwrites.
    """

    def __init__(self, bucket: str, prefix: str, files: S3FileSystem) -> None:
        self._files = files
        self._base = "/".join(part for part in (bucket, prefix.strip("/")) if part)

    @classmethod
    def at(cls, bucket: str, prefix: str, environ: Mapping[str, str], endpoint: str | None = None) -> S3Store:
        """Returns the store in ``bucket``. Credentials, region and end point are those that AWS's own tools take."""
        from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem

        url = endpoint or environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
        options: dict[str, Any] = {
            "region": environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1",
            "connect_timeout": 10,
            "request_timeout": 60,
            "retry_strategy": AwsStandardS3RetryStrategy(max_attempts=3),
        }
        if url:
            scheme, _, host = url.rpartition("://")
            options |= {"endpoint_override": host.rstrip("/"), "scheme": scheme or "https"}
        return cls(bucket, prefix, S3FileSystem(**options))

    def read(self, name: str) -> bytes | None:
        def reading() -> bytes | None:
            try:
                with self._files.open_input_stream(f"{self._base}/{name}") as stream:
                    return bytes(stream.readall())
            except FileNotFoundError:
                return None

        return self._tried(reading)

    def create(self, name: str, content: bytes) -> None:
        claims = f"{name}.claims"
        own = f"{claims}/{hashlib.sha256(content).hexdigest()}"
        self.replace(own, b"")
        try:
            others = [found for found in self.names(claims) if found != own]
            there = self.read(name)
            if others or there not in (None, content):
                more = f"; {others[0]} says that somebody is writing it" if others and there is None else ""
                raise _taken(name, more)
            if there is None:
                self.replace(name, content)
                if self.read(name) != content:
                    raise HandoverError("what was written is not what is read", file=name, remedy="Check the storage")
        finally:
            self._tried(lambda: self._files.delete_file(f"{self._base}/{own}"))

    def replace(self, name: str, content: bytes) -> None:
        def writing() -> None:
            with self._files.open_output_stream(f"{self._base}/{name}") as stream:
                stream.write(content)

        self._tried(writing)

    def names(self, folder: str) -> list[str]:
        from pyarrow.fs import FileSelector, FileType

        selector = FileSelector(f"{self._base}/{folder}", allow_not_found=True, recursive=True)
        found = self._tried(lambda: self._files.get_file_info(selector))
        start = len(self._base) + 1
        return sorted(one.path[start:] for one in found if one.type is FileType.File)

    def alone(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def _tried(self, action: Callable[[], _T]) -> _T:
        try:
            return action()
        except OSError as problem:
            raise HandoverError(
                f"the storage refused: {str(problem)[:300]}",
                file=f"s3://{self._base}",
                remedy="Check bucket, rights, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL",
            ) from problem


def _taken(name: str, more: str = "") -> TakenError:
    return TakenError(
        f"other bytes are published under this name already{more}",
        file=name,
        remedy="What was published stays; publish a bundle of another run",
    )

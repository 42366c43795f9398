"""How a report comes to be on the disk: whole or not at all, never half of it, never two mixed.

A file is written beside its place and renamed into it; a folder likewise.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["json_bytes", "replace_folder", "utf8", "write_file"]


def utf8(text: str) -> bytes:
    """Returns ``text`` in UTF-8. A lone surrogate, which UTF-8 cannot hold, becomes ``\\udc80`` (valid inside JSON)."""
    return text.encode("utf-8", "backslashreplace")


def json_bytes(value: Any, *, indent: int | None = None) -> bytes:
    """Returns ``value`` as standard JSON in UTF-8: no NaN or infinity (written as text), unknown types as text."""
    return utf8(json.dumps(_standard(value), ensure_ascii=False, indent=indent, allow_nan=False)) + b"\n"


def _standard(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _standard(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_standard(item) for item in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def write_file(path: Path, data: bytes) -> Path:
    """Writes ``data`` to ``path`` atomically and returns ``path``. Raises ``OSError``; then ``path`` is as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


@contextmanager
def replace_folder(folder: Path) -> Iterator[Path]:
    """Yields an empty folder to fill; when the block ends well it takes the place of ``folder``, else it is removed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        yield fresh
        fresh.chmod(0o755)
        if folder.exists():
            # POSIX rename replaces only an empty directory, so the old one steps aside first.
            aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
            folder.replace(aside / folder.name)
            try:
                fresh.replace(folder)
            except OSError:
                (aside / folder.name).replace(folder)
                raise
            finally:
                shutil.rmtree(aside, ignore_errors=True)
        else:
            fresh.replace(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)

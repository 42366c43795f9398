"""Fifty checks of v15.1.0 drawn at random from its collections, each followed by reading both releases'.

The draw knows nothing of the matcher. Each check was looked for in v17.1.0 by request (method, operation, description),
assertion and case; ``REMOVED`` ones have neither file, request nor case there. Only digests of ids (the first twelve
hex digits of SHA-256): the check before, then where it is after, or the same digest where it has the same id.

Source: mojaloop/testing-toolkit-test-cases, tags v15.1.0 and v17.1.0.
"""

from __future__ import annotations

from typing import Final

SEED: Final = 20261125
"""``random.Random(SEED).sample(sorted(ids of v15.1.0), 50)``."""

REMOVED: Final = frozenset({"c01055b6ea02", "021741b9adbe", "75fc725944b8", "6bc6b8cf3f91"})

FOUND: Final = {
    "17a622f637aa": "17a622f637aa",
    "e1c2fd51746c": "e1c2fd51746c",
    "40ce62a80ae2": "40ce62a80ae2",
    "96f9882ceb69": "72c47d1c1279",
    "59d0ec10616a": "59d0ec10616a",
    "074951de99f9": "074951de99f9",
    "2005b2a1770d": "2005b2a1770d",
    "d54e81ac71be": "d54e81ac71be",
    "4ece5dc18f5b": "4ece5dc18f5b",
    "881988d8ef31": "881988d8ef31",
    "482c0e826a33": "482c0e826a33",
    "02fb15420a45": "02fb15420a45",
    "1a9087899424": "1a9087899424",
    "eaffffff35c2": "eaffffff35c2",
    "ae862a4648db": "ae862a4648db",
    "8ed36219fa08": "8ed36219fa08",
    "bcc58ba93f61": "bcc58ba93f61",
    "5c0abe06f605": "5c0abe06f605",
    "30ddf2f2f5bd": "30ddf2f2f5bd",
    "1261772202fa": "1261772202fa",
    "631b2ff323cb": "631b2ff323cb",
    "5820022b8d55": "5820022b8d55",
    "024009f74e5a": "024009f74e5a",
    "5e1621594d64": "5e1621594d64",
    "a22543f101b5": "a22543f101b5",
    "fc59ceb7386f": "fc59ceb7386f",
    "e30efbfcb3f1": "e30efbfcb3f1",
    "ebb101d32f3d": "ebb101d32f3d",
    "7a08d03f9afe": "7a08d03f9afe",
    "db1929290b13": "db1929290b13",
    "3d0651b9fdeb": "3d0651b9fdeb",
    "4171d7f65066": "4171d7f65066",
    "37512c3e965b": "37512c3e965b",
    "51304d01497a": "51304d01497a",
    "c08830716795": "c08830716795",
    "9a9fffda36b1": "9a9fffda36b1",
    "51cd35af954a": "51cd35af954a",
    "27ca2b47acdf": "27ca2b47acdf",
    "1570e8580b8a": "1570e8580b8a",
    "3240b0af58fc": "08c33506a7e8",
    "b626675bce03": "9721ceb14ea1",
    "be1df15c1b2b": "55609026431d",
    "132a2a6ccb5d": "214e20c5a67c",
    "3fc64fca31d8": "1d9fe0632683",
    "0d6ab84fc780": "7857c6ab3727",
    "97ae304a68d5": "de9424552f8d",
}

"""How a rehearsal is told from the validation of a release, on the wire and in words."""

from __future__ import annotations

__all__ = ["EMBEDDED_HEADER", "REHEARSAL"]

REHEARSAL = "rehearsal on the embedded hub"
"""What stands beside every verdict on the embedded hub."""

EMBEDDED_HEADER = "X-Harness-Embedded-Hub"
"""What the embedded hub adds to the answer of ``GET /health``, so that nobody takes it for a deployment."""

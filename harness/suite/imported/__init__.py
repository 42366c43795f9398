"""Suites taken from a release's own archive: stored unmodified, locked by digest, and refused once they differ."""

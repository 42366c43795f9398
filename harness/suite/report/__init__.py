"""Recorded TTK JSON reports: what the reference engine saw and said, read strictly."""

"""The engine for TTK collections: placeholders, scripts, assertions, one case at a time."""

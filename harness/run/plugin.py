"""The pytest plugin: turns cases into items and results into the journal."""

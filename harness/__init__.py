"""Mojaloop Harness: runs versioned end-to-end suites against a hub and turns the evidence into one verdict."""

__version__ = "0.1.0"

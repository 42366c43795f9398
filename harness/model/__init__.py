"""The vocabulary of the harness: frozen, typed, no input or output."""

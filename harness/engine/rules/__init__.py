"""Rules of a simulated DFSP in the Testing Toolkit's format: which call is answered, and with what."""

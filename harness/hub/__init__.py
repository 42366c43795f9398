"""The embedded hub: a small, honest Mojaloop hub on loopback, with defects that can be switched on by name."""

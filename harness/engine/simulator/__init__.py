"""The DFSPs that a reference deployment runs for real: mojaloop-simulator behind sdk-scheme-adapter, played by us."""

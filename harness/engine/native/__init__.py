"""What native cases are written with: DFSPs that act, steps that are checked."""

"""Protocol facts of FSPIOP (the Mojaloop API between DFSPs and the hub): no input, no output, no opinion on targets."""

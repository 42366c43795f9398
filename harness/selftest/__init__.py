"""Does the gate close when the hub is broken? Each defect against a suite, by the real command."""

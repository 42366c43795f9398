"""TTK collections: the format of the Mojaloop Testing Toolkit's suites, read strictly."""

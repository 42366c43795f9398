"""How does a verdict reach those who were not there? Bundles that prove themselves, publishing, messages, defects."""

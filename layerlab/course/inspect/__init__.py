"""`layerlab inspect` and `layerlab compare`: tables in a terminal, JSON for programs, a budget for CI."""

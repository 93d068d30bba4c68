"""`layerlab inspect` and `layerlab compare`: terminal tables, one HTML page, JSON, a budget for CI."""

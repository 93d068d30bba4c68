"""Writes down what passes the seam of a live engine, for `layerlab.engine.recorded` to play."""

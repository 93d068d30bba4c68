"""The exercise that `layerlab new-exercise` copies: a small one that works. Not part of the course."""

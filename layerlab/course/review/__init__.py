"""What `layerlab review` does: reads a file, finds its context and image, prints findings."""

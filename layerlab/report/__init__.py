"""What a verb tells of an image or a Dockerfile: in the terminal, as one HTML file, as JSON."""

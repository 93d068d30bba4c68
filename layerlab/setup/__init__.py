"""What makes the environment of the course, before anything is installed: standard library only."""

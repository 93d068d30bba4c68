"""What the course promises about its own speed, measured on this machine. Never part of a test: time is not truth."""

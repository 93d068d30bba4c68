"""What the verbs do: prepare, open, run, test, examine and clean up the course."""

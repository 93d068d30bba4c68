"""From solutions to exercises and back: release writes them, verify proves that they can be solved and missed."""

"""A registry of the course's own beside a live engine: a process or a container that ends with ours."""

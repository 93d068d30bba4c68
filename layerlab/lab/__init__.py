"""The workbench that a notebook holds: one engine, its bases, one learner's work, and the verbs on them."""

"""Whether this session's disk outlives it. Knows environment variables and nothing of what is on the disk."""

from __future__ import annotations

import os

# BinderHub gives these to every session that it launches (its `extra_args` and KubeSpawner's environment).
_BINDER = ("BINDER_LAUNCH_HOST", "BINDER_REQUEST", "BINDER_REPO_URL")

REMINDER = (
    "This session is hosted: when it ends, and ten idle minutes are enough, its disk is gone. "
    "Export your progress and download the file before you close the tab."
)


def is_passing() -> bool:
    """True where this is a Binder session, whose disk goes when it ends."""
    return any(name in os.environ for name in _BINDER)

"""Which Python the distribution carries, for that is what stand-ins carry. Asks apt; makes nothing."""

from __future__ import annotations

import re
from functools import cache

from layerlab.bases.standin import shell
from layerlab.errors import BaseUnavailable


@cache
def minor() -> str:
    """Give the minor version of the distribution's own Python, which is what stand-ins carry.

    Raises
    ------
    BaseUnavailable
        If apt knows no python3: this is no Debian or Ubuntu, or its package lists were never fetched.
    """
    found = re.search(
        r"^Version: (\d+\.\d+)\.", shell.output(["apt-cache", "show", "--no-all-versions", "python3"]), re.M
    )
    if found is None:
        raise BaseUnavailable(
            "apt knows no python3 on this machine, so no stand-in can be made. Run `apt-get update` on Debian or "
            "Ubuntu; elsewhere use a registry, or a mirror named in LAYERLAB_BASE_PREFIX."
        )
    return found[1]

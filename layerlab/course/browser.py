"""The browser in which the course's pages are tested: finds Chromium, and installs Debian's where there is none.

Knows apt and names of programs; starts no browser.
"""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

from layerlab.engine.private.packages import search_path
from layerlab.engine.private.programs import services_denied
from layerlab.errors import SetupError
from layerlab.setup import steps

PACKAGE = "chromium"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_QUIET = {"DEBIAN_FRONTEND": "noninteractive"}
_APT = ("apt-get", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=120")


def installed() -> Path | None:
    """Find Chromium, or Chrome, on PATH; None if there is neither."""
    found = (shutil.which(name, path=search_path()) for name in PROGRAMS)
    return next((Path(one) for one in found if one), None)


def prepare() -> Path:
    """Return the browser's program; where it is missing, install Debian's package as root, after saying so.

    Raises
    ------
    SetupError
        Without root, on another system, or when apt fails.

    Notes
    -----
    Only Debian itself: Ubuntu's package of that name is a snap, which does not run in a container.
    """
    if (program := installed()) is not None:
        return program
    _require_debian_and_root()
    steps.say(f"There is no browser to test the pages in, so Debian's package {PACKAGE} is installed now.")
    # The package brings D-Bus along, which has a service that nobody here needs.
    with services_denied():
        steps.run("Reading Debian's package lists", [*_APT, "update"], env=_QUIET)
        steps.run(f"Installing {PACKAGE}", [*_APT, "install", "-y", "--no-install-recommends", PACKAGE], env=_QUIET)
    if (program := installed()) is None:
        raise SetupError(
            f"apt reported success, but there is no {PACKAGE} on {search_path()}. Look at `dpkg -L {PACKAGE}`."
        )
    return program


def _require_debian_and_root() -> None:
    if not _is_debian() or shutil.which("apt-get", path=search_path()) is None:
        raise SetupError(
            "There is no Chromium here, and only Debian gets it from layerlab. "
            "Install Chromium or Chrome, so that `chromium` or `google-chrome` is on PATH."
        )
    if os.geteuid() != 0:
        raise SetupError(
            f"There is no Chromium here, and user {os.geteuid()} may not install it. "
            f"Run `sudo apt-get install --no-install-recommends {PACKAGE}`."
        )


def _is_debian() -> bool:
    try:
        return platform.freedesktop_os_release().get("ID") == "debian"
    except OSError:
        return False

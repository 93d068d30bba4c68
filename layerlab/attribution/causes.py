"""Why a file is in an image, told from its path, its package and what lies below it. Knows names, no layer."""

from __future__ import annotations

import re
from typing import Literal, get_args

Cause = Literal[
    "base",
    "site layer",
    "application",
    "dependency",
    "bytecode",
    "compiler",
    "installer",
    "cache",
    "duplicate",
    "other",
]
CAUSES: tuple[Cause, ...] = get_args(Cause)

# What installs other packages and is called by no service that runs.
INSTALLERS = frozenset({"pip", "setuptools", "uv", "wheel"})
# Folders that only speed up the next installation, and what package managers keep to themselves.
_CACHES = re.compile(
    r"(root|home/[^/]+)/\.(cache|npm)/|var/cache/|var/lib/apt/lists/|(var/)?tmp/|var/log/|[^/]*/?\.cache/"
)
_BOOKKEEPING = re.compile(r"(var/lib/dpkg|(usr/)?lib/apk|etc/apk|var/lib/apt|var/lib/pam|var/lib/systemd)/")
# Debian's and Alpine's names for what compiles and links, and for headers.
_COMPILERS = re.compile(
    r"(build-essential|build-base|binutils.*|cpp.*|dpkg-dev|g\+\+.*|gcc(?!-\d+-base).*|libc-dev|libstdc\+\+-.*|make"
    r"|patch|pkg-?conf(ig)?.*|linux-(libc-dev|headers)|rust.*|cargo.*|cmake.*|clang.*|llvm.*|fortify-headers|.*-dev)$"
)
_SITE_PACKAGES = re.compile(r"(^|/)(site|dist)-packages/")


def cause(path: str, package: str, *, is_again: bool, is_context: bool) -> Cause:
    """Return why a file that was added to a base is there.

    Parameters
    ----------
    package
        As `LayerFiles.owners` has it; empty where no database claims the file.
    is_again
        A lower layer holds the same content under the same path.
    is_context
        The instruction copied it from the build context.
    """
    kind, _, name = package.partition(":")
    name = name.partition(" ")[0]
    if is_again:
        return "duplicate"
    if path.endswith(".pyc"):
        return "bytecode"
    if kind == "python" and name in INSTALLERS:
        return "installer"
    if _CACHES.match(path):
        return "cache"
    if kind in ("debian", "alpine"):
        return "compiler" if _COMPILERS.match(name) else "dependency"
    if kind == "python" or _SITE_PACKAGES.search(path):
        return "dependency"
    if _BOOKKEEPING.match(path):
        return "other"
    return "application" if is_context else "other"


def source_of_bytecode(path: str) -> str:
    """Return the source that a ``.pyc`` was compiled from (PEP 3147), or the path itself.

    >>> source_of_bytecode("lib/__pycache__/json.cpython-311.opt-1.pyc")
    'lib/json.py'
    """
    folder, slash, name = path.rpartition("/__pycache__/")
    return f"{folder}/{name.split('.')[0]}.py" if slash and path.endswith(".pyc") else path

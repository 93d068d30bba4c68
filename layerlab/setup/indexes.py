"""Translates this machine's pip configuration into uv's, in environment variables only.

Companies put their package index, proxy and CA bundle there; nothing of it is ever written to a file of ours.
"""

from __future__ import annotations

import ast
import ssl
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

# pip reads :env: over [install] over [global]; `pip config list` prints them all.
_SECTIONS = ("global", "install", ":env:")

# pip's option → uv's variable, and what separates several values there.
_VARIABLES = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "proxy": ("ALL_PROXY", " "),
}


def uv_environment(python: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Give the variables that make uv look where this machine's pip looks.

    Parameters
    ----------
    python
        An interpreter that has pip.
    environ
        The environment already set; what the user chose for uv there stays.
    """
    asked = subprocess.run(
        [python, "-m", "pip", "config", "list"], capture_output=True, text=True, errors="replace", check=False
    )
    wanted = translate(asked.stdout.splitlines() if asked.returncode == 0 else ())
    if "SSL_CERT_FILE" not in {*wanted, *environ} and _has_system_store():
        # pip ≥ 24.2 trusts the system's store, where a company's proxy has its CA; uv does when told to.
        wanted |= {"UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}  # the second one is its name before uv 0.11
    return {name: value for name, value in wanted.items() if name not in environ}


def translate(lines: Iterable[str]) -> dict[str, str]:
    """Turn the lines of ``pip config list`` into uv's variables."""
    options: dict[str, str] = {}
    parsed = [_parse(line) for line in lines if "=" in line]
    for wanted in _SECTIONS:
        options |= {option: value for section, option, value in parsed if section == wanted}
    found = {
        variable: separator.join(options[option].split())
        for option, (variable, separator) in _VARIABLES.items()
        if options.get(option)
    }
    if "UV_INDEX" in found:
        # pip takes the best version over all indexes; uv stops at the first that knows the name unless told.
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if options.get("no-index", "").lower() in {"1", "true", "yes", "on"}:
        found["UV_NO_INDEX"] = "1"
    return found


def _parse(line: str) -> tuple[str, str, str]:
    """Split ``section.option='value'``; the value is a Python literal, its lists one to a line."""
    name, _, literal = line.partition("=")
    section, _, option = name.rpartition(".")
    try:
        value = ast.literal_eval(literal)
    except (SyntaxError, ValueError):
        value = literal
    return section, option, str(value)


def _has_system_store() -> bool:
    return sys.platform in {"darwin", "win32"} or ssl.get_default_verify_paths().cafile is not None

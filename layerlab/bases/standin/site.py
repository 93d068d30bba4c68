"""What this machine needs to reach its package indexes, as one named layer at the end of a stand-in.

Knows certificate bundles and pip's settings; takes in no path, no ``file://`` address and no password.
"""

from __future__ import annotations

import ast
import hashlib
import io
import os
import re
import ssl
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from layerlab.bases.inventory import SITE_LAYER
from layerlab.bases.standin import shell
from layerlab.bases.standin.debian import BUNDLE

_MOZILLA = Path("/usr/share/ca-certificates/mozilla")
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)

# pip before 24.2 and requests bring lists of their own and have to be told; so does uv.
_VARIABLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
_PIP_OPTIONS = ("index-url", "extra-index-url", "trusted-host")


@dataclass(frozen=True)
class Site:
    """What this machine adds: ``files`` are (path in the image, content), ``env`` variables with their values."""

    files: tuple[tuple[str, bytes], ...] = ()
    env: tuple[tuple[str, str], ...] = ()

    @property
    def is_empty(self) -> bool:
        """True where this machine reaches its indexes as any machine does."""
        return not self.files

    @property
    def certificates(self) -> bytes | None:
        """This machine's certificate bundle, if it is one of the files."""
        return dict(self.files).get(BUNDLE)

    @property
    def digest(self) -> str:
        """A hash of all of it."""
        total = hashlib.sha256()
        for path, content in self.files:
            total.update(path.encode() + b"\0" + content + b"\0")
        return total.hexdigest()[:12]


def here() -> Site:
    """Look at this machine: certificates beyond the distribution's own, and the package index pip is told to use."""
    bundle, pip = extra_bundle(), pip_settings(_pip_config())
    files = [(BUNDLE, bundle)] if bundle else []
    if pip:
        files.append(("/etc/pip.conf", pip.encode()))
    env = tuple((name, BUNDLE) for name in _VARIABLES) if bundle else ()
    return Site(tuple(files), env)


def extra_bundle(given: Mapping[str, str] = os.environ, *, known: Path = _MOZILLA) -> bytes | None:
    """Return this machine's certificate bundle, if it holds more than the distribution ships."""
    path = Path(given.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile or BUNDLE)
    try:
        bundle = path.read_bytes()
    except OSError:
        return None
    shipped = {_normal(pem) for one in known.glob("*.crt") for pem in _PEM.findall(one.read_bytes())}
    own = [pem for pem in _PEM.findall(bundle) if _normal(pem) not in shipped]
    return bundle if own and shipped else None


def pip_settings(config: Mapping[str, str]) -> str:
    """Write a pip.conf with the index this machine's pip uses, as far as a container can reach it."""
    lines = []
    for option in _PIP_OPTIONS:
        words = [word for word in config.get(option, "").split() if _is_reachable(option, word)]
        if words:
            lines.append(f"{option} = {' '.join(words)}")
    return "[global]\n" + "\n".join(lines) + "\n" if lines else ""


def apply(client: Any, image_id: str, site: Site, *, cmd: str) -> str:
    """Put the site layer on an image; return the new image's id.

    Parameters
    ----------
    client
        The SDK's client of the private engine.
    cmd
        The image's CMD in JSON, which committing would replace by the name of the layer.

    Notes
    -----
    Committed and not built: the history then names the layer in `created_by` and in `comment`, where a COPY would
    read ``COPY dir:3f2a… in /`` and nobody could tell whose it is.
    """
    note = f"#(nop) COPY certificates and package index of this machine ({SITE_LAYER}) in /"
    container = client.containers.create(image_id, ["/bin/sh", "-c", note])
    try:
        container.put_archive("/", _tar(site))
        changes = [f"CMD {cmd}", *(f"ENV {name}={value}" for name, value in site.env)]
        return str(container.commit(message=SITE_LAYER, changes=changes).id)
    finally:
        container.remove()


def _tar(site: Site) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path, content in site.files:
            info = tarfile.TarInfo(path.lstrip("/"))
            info.size, info.mode = len(content), 0o644
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _normal(pem: bytes) -> bytes:
    return b"".join(pem.split())


def _pip_config() -> dict[str, str]:
    """Ask pip for its settings, the environment's before the files'."""
    options: dict[str, str] = {}
    for python in (sys.executable, "/usr/bin/python3"):  # a virtual environment made by uv has no pip
        if printed := shell.output([python, "-m", "pip", "config", "list"]):
            for section in ("global", "install", ":env:"):
                options |= {
                    name: value for where, name, value in map(_setting, printed.splitlines()) if where == section
                }
            break
    return options


def _setting(line: str) -> tuple[str, str, str]:
    """Split ``section.option='value'``, whose value is printed as a Python literal."""
    name, _, literal = line.partition("=")
    section, _, option = name.rpartition(".")
    try:
        return section, option, str(ast.literal_eval(literal))
    except (SyntaxError, ValueError):
        return section, option, literal


def _is_reachable(option: str, word: str) -> bool:
    if option == "trusted-host":
        return True
    address = urlsplit(word)
    # A path and this machine's loopback are nothing inside a container; a password has no place in an image.
    loopback = address.hostname in ("localhost", "127.0.0.1", "::1")
    return address.scheme in ("http", "https") and not loopback and address.password is None

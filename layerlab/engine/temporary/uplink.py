"""Connects a network namespace with this machine's network, and takes everything away again."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from layerlab.engine.private.packages import search_path
from layerlab.errors import PrivateEngineError

_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
# The third number is free to choose; a network of four addresses is narrower than any route that a VPN would have.
_ADDRESSES = "10.213.{}.{}"


@contextmanager
def uplink(pid: int) -> Iterator[None]:
    """Let what runs in the network namespace of process ``pid`` out, as long as the context lasts.

    Notes
    -----
    A pair of links, an address for each end, a route; and on this machine forwarding and one translated source. The
    links end with the namespace.

    Raises
    ------
    PrivateEngineError
        If one of these can't be made; what was made before is taken away.
    """
    link, third = f"ll{pid}", _free()
    here, there = _ADDRESSES.format(third, 1), _ADDRESSES.format(third, 2)
    inside = ("nsenter", f"--net=/proc/{pid}/ns/net")
    note = ("-m", "comment", "--comment", f"layerlab-{pid}")
    rules = (
        ("nat", "POSTROUTING", "-s", f"{there}/32", *note, "-j", "MASQUERADE"),
        ("filter", "FORWARD", "-i", link, *note, "-j", "ACCEPT"),
        ("filter", "FORWARD", "-o", link, *note, "-j", "ACCEPT"),
    )
    forwarded = _FORWARD.read_text()
    made: list[tuple[str, ...]] = []
    try:
        _run("ip", "link", "add", link, "type", "veth", "peer", "name", "uplink", "netns", str(pid))
        _run("ip", "address", "add", f"{here}/30", "dev", link)
        _run("ip", "link", "set", link, "up")
        _run(*inside, "ip", "address", "add", f"{there}/30", "dev", "uplink")
        for name in ("lo", "uplink"):
            _run(*inside, "ip", "link", "set", name, "up")
        _run(*inside, "ip", "route", "add", "default", "via", here)
        for table, chain, *rule in rules:
            _run("iptables", "-w", "10", "-t", table, "-I", chain, *rule)
            made.append((table, chain, *rule))
        _FORWARD.write_text("1\n")
        yield
    finally:
        for table, chain, *rule in made:
            _run("iptables", "-w", "10", "-t", table, "-D", chain, *rule)
        subprocess.run(_found("ip", "link", "delete", link), capture_output=True, check=False)
        if forwarded.strip() == "0":
            _FORWARD.write_text(forwarded)


def _free() -> int:
    """Choose a third number that no address of this machine has."""
    shown = _run("ip", "-4", "-oneline", "address")
    numbers = ((os.getpid() + more) % 256 for more in range(256))
    for number in numbers:
        if _ADDRESSES.format(number, "") not in shown:
            return number
    raise PrivateEngineError("All of 10.213.0.0/16 is taken on this machine. Disconnect what takes it, and try again.")


def _run(*command: str) -> str:
    done = subprocess.run(_found(*command), capture_output=True, text=True, check=False)
    if done.returncode:
        raise PrivateEngineError(f"`{' '.join(command)}` failed, so there is no network: {done.stderr.strip()}")
    return done.stdout


def _found(*command: str) -> Sequence[str]:
    # A user's PATH often lacks the sbin folders, and what `env` gives to a child counts only for what it runs.
    return (shutil.which(command[0], path=search_path()) or command[0], *command[1:])

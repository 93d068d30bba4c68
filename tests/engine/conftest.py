"""A second private engine, for tests that kill it, fill its disk or hold it to what starting promises.

The machine's own engine lives in this network namespace, which must look the same afterwards.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import second_engine

from layerlab.engine import private
from layerlab.engine.private import mounting, process
from layerlab.engine.private.command import engine_path


@pytest.fixture(scope="module")
def neighbours() -> Iterator[None]:
    """Hold that the machine's own bridge, rules and engine are as they were before."""
    before = (_network(), private.status().pid)
    yield  # LAYERLAB_DATA names the same folder before and after: `where` comes later and goes earlier
    assert (_network(), private.status().pid) == before


@pytest.fixture(scope="module")
def namespace() -> Iterator[int]:
    """A network namespace with nothing but a loopback; gives the process that holds it open."""
    with second_engine.namespace() as holder:
        yield holder


@pytest.fixture(scope="module")
def where(neighbours: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[private.Paths]:
    """The second engine's paths; purged afterwards, whatever the tests did."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAYERLAB_DATA", str(tmp_path_factory.mktemp("d")))
        found = private.paths()
        yield found
        private.purge()
        assert process.daemon(found) is None and not process.leftovers(found)
        assert not mounting.mounts_below(found.root)
        if found.exec_root.parent != found.root:
            shutil.rmtree(found.exec_root.parent, ignore_errors=True)


@pytest.fixture(scope="module")
def start(namespace: int, where: private.Paths) -> Callable[[], list[str]]:
    """Start the engine from a process of its own inside the namespace; gives the lines it printed."""
    return lambda: second_engine.start(namespace)


def _network() -> tuple[str, ...]:
    """This namespace's bridge and the rules an engine keeps, without those that come and go with containers."""
    iptables = shutil.which("iptables", path=engine_path(private.paths()))
    assert iptables is not None, "without one no engine starts"
    listed = [
        subprocess.run(
            [iptables, "-w", "10", "-t", table, "-S"], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        for table in ("filter", "nat")
    ]
    fleeting = ("-A DOCKER ", "/32", "br-")
    lasting = [line for rules in listed for line in rules if not any(word in line for word in fleeting)]
    bridge = [line for line in Path("/proc/net/route").read_text().splitlines() if line.startswith("docker0")]
    return (*lasting, *bridge)

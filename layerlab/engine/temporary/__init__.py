"""Engines of other versions for a while, each with data, network and programs of its own, to try the course on.

Its programs are unpacked from Debian's packages with the libraries of their own release, so that this machine's are not
asked. Needs root on Linux. What is on such an engine is lost with it.
"""

from __future__ import annotations

from layerlab.engine.temporary.kinds import KINDS, Kind
from layerlab.engine.temporary.running import Running, check, running

__all__ = ["KINDS", "Kind", "Running", "check", "running"]
